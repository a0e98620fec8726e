"""The door of the city's own users: login and password, looked at in turn, a few at a time.

Whoever is not let in hears one and the same answer after the same work, whether the password is wrong, the login is
nobody's or it is locked: a lock that told itself to who knows the password would tell a guesser that he has found it.
"""

import ipaddress
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from sqlalchemy.ext.asyncio import AsyncEngine

from api.problems import TooMany, Unauthenticated
from directory.passwords import check
from domain.errors import Forbidden, Invalid
from settings import Settings
from store import passwords
from store.hashing import Hasher
from store.passwords import Kept

_LOGIN = re.compile(r"[a-z0-9-]{1,64}")
#: Nobody's: what cannot be a login is looked for as this.
_NOBODY = ""
_WINDOW = 10  # minutes
#: An address of version 6 is one of as many as its household has.
_HOUSEHOLD = 64


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session."""

    token: str = field(repr=False)
    expires_at: datetime
    must_change: bool


class Doors:
    def __init__(self, database: AsyncEngine, settings: Settings, hasher: Hasher | None = None) -> None:
        self._database = database
        self._hasher = hasher or Hasher()
        self._lasts: timedelta = settings.session
        self._lock_after = settings.lock_after_failures
        self._failures = Failures(settings.failures_per_address)

    async def enter(self, login: str, password: str, address: str, now: datetime) -> Opened:
        """Unauthenticated for whoever is not let in; TooMany; Unavailable if too many wait."""
        async with self._failures.of(address), self._hasher.turn():
            kept, outdated = await self._known(login, password, now)
            if kept is None:
                raise Unauthenticated("sign_in_failed")
            better = await self._hasher.hash(password) if outdated else None
            until = now + self._lasts
            token = await passwords.enter(self._database, login, kept.hash, better, until)
            if token is None:
                raise Unauthenticated("sign_in_failed")
            return Opened(token, until, kept.must_change)

    async def change(self, user: str, old: str, new: str, address: str, now: datetime) -> Opened:
        """All sessions of the user end, this new one apart. Forbidden if the old password is not right."""
        check(user, new)
        async with self._failures.of(address), self._hasher.turn():
            kept, _ = await self._known(user, old, now)
            if kept is None:
                raise Forbidden("old_password_wrong")
            if (await self._hasher.check(new, kept.hash)).right:
                raise Invalid("password_is_old")
            until = now + self._lasts
            hashed = await self._hasher.hash(new)
            token = await passwords.change(self._database, user, kept.hash, hashed, until)
            if token is None:
                raise Forbidden("old_password_wrong")
            return Opened(token, until, must_change=False)

    async def _known(self, login: str, password: str, now: datetime) -> tuple[Kept | None, bool]:
        """What is kept of whoever has proven to be this user; and whether it should be hashed anew."""
        user = login if _LOGIN.fullmatch(login) else _NOBODY
        kept = await passwords.knock(self._database, user, now, self._lock_after)
        verdict = await self._hasher.check(password, kept and kept.hash)
        return (kept if verdict.right else None), verdict.outdated

    def close(self) -> None:
        self._hasher.close()


class Failures:
    """At most so many from one address in ten minutes; counted in this process. What goes well is taken off again."""

    def __init__(self, most: int) -> None:
        self._limit = RateLimitItemPerMinute(most, _WINDOW)
        self._storage = MemoryStorage()
        self._strategy = FixedWindowRateLimiter(self._storage)

    @asynccontextmanager
    async def of(self, address: str) -> AsyncIterator[None]:
        """Counts before the block, so that those at once are counted too. TooMany."""
        where = household(address)
        if not await self._strategy.hit(self._limit, where):
            raise TooMany("too_many_sign_ins")
        try:
            yield
        except (Unauthenticated, Forbidden):
            raise
        except BaseException:
            await self._forgive(where)
            raise
        await self._forgive(where)

    async def _forgive(self, where: str) -> None:
        await self._storage.decr(self._limit.key_for(where))


def household(address: str) -> str:
    """The network that one caller has at his disposal."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _HOUSEHOLD), strict=False))
