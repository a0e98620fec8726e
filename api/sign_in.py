"""Signing in and out, one's own password, and who one is."""

from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Signed
from api.doors import Opened
from api.problems import RESPONSES
from api.reading import zone_of
from api.services import Injected, Services
from domain.actors import Role
from domain.errors import Forbidden, RectifyError
from store import tokens
from store.tokens import SESSIONS, Kind

router = APIRouter(tags=["sign-in"], responses=RESPONSES)
_log = structlog.get_logger()

#: No proxy and no browser keeps what holds a token.
NOT_KEPT = {"Cache-Control": "no-store"}
_LONGEST = 1024
Secret = Annotated[str, Field(max_length=_LONGEST, repr=False)]


class SignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    login: Annotated[str, Field(max_length=200)]
    password: Secret


class NewPassword(BaseModel):
    model_config = ConfigDict(extra="forbid")

    old: Secret
    new: Secret


class SessionView(BaseModel):
    """`token` goes into `Authorization: Bearer`. `must_change`: it opens nothing but `POST /password`."""

    token: str
    expires_at: datetime
    user: str
    role: Role
    must_change: bool


class Me(BaseModel):
    """`how`: by password, by the OIDC provider (a session, or its own token), or by a token that was issued."""

    user: str
    name: str | None
    role: Role
    unit: str | None
    area: str | None
    how: Kind
    expires_at: datetime | None
    must_change: bool


@router.post("/sign-in", name="sign_in")
async def sign_in(request: Request, services: Injected, body: SignIn, response: Response) -> SessionView:
    """A session for who knows the password. Whatever is wrong, the answer is the same."""
    try:
        opened = await services.doors.enter(body.login, body.password, address_of(request), services.now())
    except RectifyError as refused:
        _log.info("sign_in_refused", code=refused.code)
        raise
    _log.info("signed_in", how=Kind.PASSWORD.value, user=body.login)
    return await session_view(services, opened, response)


@router.post("/sign-out", name="sign_out", status_code=204)
async def sign_out(services: Injected, signed: Signed) -> Response:
    """Ends the session. A token that was issued is none."""
    if signed.session.kind not in SESSIONS:
        raise Forbidden("not_a_session")
    await tokens.revoke(services.database, signed.token)
    services.tokens.forget(signed.token)
    return Response(status_code=204)


@router.post("/password", name="change_password")
async def change_password(
    request: Request, services: Injected, signed: Signed, body: NewPassword, response: Response
) -> SessionView:
    """One's own. All sessions end, and a new one begins."""
    user = signed.session.actor.user
    opened = await services.doors.change(user, body.old, body.new, address_of(request), services.now())
    services.tokens.forget(signed.token)
    _log.info("password_changed", user=user)
    return await session_view(services, opened, response)


@router.get("/me", name="get_me")
async def me(services: Injected, signed: Signed) -> Me:
    """Who the caller is here."""
    session, actor = signed.session, signed.session.actor
    city = await services.cities.get(services.now())
    user = city.directory.user_by_id.get(actor.user)
    zone = await zone_of(services)
    return Me(
        user=actor.user,
        name=user and user.name,
        role=actor.role,
        unit=actor.unit,
        area=actor.area,
        how=session.kind,
        expires_at=session.expires_at and session.expires_at.astimezone(zone),
        must_change=session.must_change,
    )


async def session_view(services: Services, opened: Opened, response: Response) -> SessionView:
    response.headers.update(NOT_KEPT)
    session = await services.tokens.session(opened.token, services.now())
    if session is None:
        raise RectifyError("internal_error")
    return SessionView(
        token=opened.token,
        expires_at=opened.expires_at.astimezone(await zone_of(services)),
        user=session.actor.user,
        role=session.actor.role,
        must_change=opened.must_change,
    )


def address_of(request: Request) -> str:
    """Behind a proxy on this machine, what it says (uvicorn's `FORWARDED_ALLOW_IPS` names others)."""
    return request.client.host if request.client else "unknown"
