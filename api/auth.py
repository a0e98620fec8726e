"""Who is calling: a bearer token becomes an `Actor`, and no caller takes more than its share."""

from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from api.problems import TooMany, Unauthenticated
from api.services import Injected
from domain.actors import Actor
from domain.errors import Forbidden
from store.tokens import Session

bearer = HTTPBearer(auto_error=False, description="The user's token.")


class Throttle:
    """At most so many requests per caller and second; counted in this process."""

    def __init__(self, per_second: int) -> None:
        self._limit = RateLimitItemPerSecond(per_second)
        self._strategy = FixedWindowRateLimiter(MemoryStorage())

    async def admit(self, caller: str) -> None:
        if not await self._strategy.hit(self._limit, caller):
            raise TooMany("too_many_requests")


class SignedIn(NamedTuple):
    token: str
    session: Session


async def signed_in(
    request: Request,
    services: Injected,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
) -> SignedIn:
    """Also who has to choose a password first."""
    if credentials is None:
        raise Unauthenticated("unauthenticated")
    session = await services.tokens.session(credentials.credentials, services.now())
    if session is None:
        raise Unauthenticated("unauthenticated")
    await request.app.state.throttle.admit(session.actor.user)
    return SignedIn(credentials.credentials, session)


async def caller(
    request: Request,
    services: Injected,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
) -> Actor:
    session = (await signed_in(request, services, credentials)).session
    if session.must_change:
        raise Forbidden("password_change_required")
    return session.actor


Signed = Annotated[SignedIn, Depends(signed_in)]
Caller = Annotated[Actor, Depends(caller)]

Again = Callable[[], Awaitable[Actor | None]]


async def again(
    services: Injected, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Again:
    """For answers that last: who the caller is now. None once the token is no longer good."""

    async def ask() -> Actor | None:
        if credentials is None:
            return None
        return await services.tokens.actor(credentials.credentials, services.now())

    return ask


StillCaller = Annotated[Again, Depends(again)]
