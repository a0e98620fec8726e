"""What the routes work with, in one object on the application's state; opened and closed by `api/app.py`."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import structlog
from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.claims import Reader
from api.doors import Doors
from api.provider import Bad, Provider, is_jwt
from directory.calendars import snapshot as cut
from directory.hours import Hours
from directory.model import Directory
from directory.places import Places
from directory.reporting import City
from domain.actors import Actor
from domain.calendar import Calendar
from domain.errors import Forbidden, Unavailable
from domain.policy import Rules
from settings import Settings
from store import catalogues, tokens
from store import directory as stored
from store import rules as stored_rules
from store.evidence import EvidenceStore
from store.tokens import Kind, Session
from workflows.client import CaseEngine

#: How old the directory and a token's check may be, in seconds: so soon a change or a revocation is felt.
FRESH_FOR = 2.0
#: How long a token goes on being good while the database cannot be asked, in seconds: commands do not need it.
TRUSTED_FOR = 3600.0
#: What a database that does not answer raises.
OUTAGES = (SQLAlchemyError, OSError, TimeoutError)

#: Tokens that a process remembers.
_MOST_KNOWN = 20_000

_log = structlog.get_logger()


def utc_now() -> datetime:
    return datetime.now(UTC)


class CityCache:
    """The directory with its geometry, built once per version; rules are cut to what a case of this month carries.

    Only shapes that have changed are read anew. One request waits for it, the others go on with the directory as it was
    last seen; so do all while the database is down, or says something that no directory can be built of.
    """

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database
        self._lock = asyncio.Lock()
        self._checked = -FRESH_FOR
        self._version = -1
        self._month = (0, 0)
        self._until: datetime | None = None  # then another edition of the catalogue comes into force
        self._city: City | None = None

    async def get(self, now: datetime) -> City:
        if self._city is not None and self._lock.locked():
            return self._city
        async with self._lock:
            if time.monotonic() - self._checked >= FRESH_FOR or self._city is None:
                await self._try_to_refresh(now)
                self._checked = time.monotonic()
        if self._city is None:
            raise Unavailable("store_unavailable")
        return self._city

    async def _try_to_refresh(self, now: datetime) -> None:
        try:
            await self._refresh(now)
        except (*OUTAGES, ValueError) as error:
            if self._city is None:
                raise
            _log.warning("directory_not_refreshed", error=type(error).__name__)

    async def _refresh(self, now: datetime) -> None:
        version = await stored.version(self._database)
        month = (now.year, now.month)
        as_before = (version, month) == (self._version, self._month) and (self._until is None or now < self._until)
        if self._city is not None and as_before:
            return
        directory = await stored.load(self._database, now)
        policy, ladder, calendar = await stored.current_rules(self._database)
        rules = Rules(policy=policy, ladder=ladder, calendar=cut(calendar, now))
        places = await asyncio.to_thread(Places, directory, self._city.places if self._city else None)
        self._until = await catalogues.next_change(self._database, now)
        self._city = City(directory, places, rules, Hours(directory, rules, await self._calendars(directory, now)))
        self._version, self._month = version, month

    async def _calendars(self, directory: Directory, now: datetime) -> dict[str, Calendar]:
        """Those that units name, as far as they are there."""
        names = {unit.calendar for unit in directory.units if unit.calendar}
        found = {name: await stored_rules.calendar(self._database, name) for name in names}
        return {name: cut(calendar, now) for name, calendar in found.items() if calendar}


class _Known(NamedTuple):
    """Whom a token stands for; when the database said so; when it was asked last."""

    session: Session
    proven: float
    asked: float


class TokenCache:
    """Tokens that were good a moment ago are good; bad ones are asked for anew each time."""

    def __init__(
        self,
        database: AsyncEngine,
        idle: timedelta = timedelta.max,
        provider: Provider | None = None,
        reader: Reader | None = None,
    ) -> None:
        self._database = database
        self._idle = idle
        self._provider, self._reader = provider, reader
        self._known: dict[str, _Known] = {}

    async def actor(self, token: str, now: datetime) -> Actor | None:
        """None also for nobody of ours, and for whom has to choose a password first."""
        try:
            session = await self.session(token, now)
        except Forbidden:
            return None
        return None if session is None or session.must_change else session.actor

    async def session(self, token: str, now: datetime) -> Session | None:
        """None for whom it opens nothing. Forbidden: good at the provider, but nobody here. Unavailable."""
        known = self._known.get(token)
        if known is not None and time.monotonic() - known.asked < FRESH_FOR and not _has_ended(known.session, now):
            return known.session
        try:
            session = await self._ask(token, now)
        except OUTAGES:
            return self._on_trust(token, now, "store_unavailable")
        except Unavailable as away:
            return self._on_trust(token, now, away.code)
        except Forbidden:
            self.forget(token)
            raise
        self.forget(token)
        if session is not None:
            self._make_room()
            self._known[token] = _Known(session, time.monotonic(), time.monotonic())
        return session

    def forget(self, token: str) -> None:
        self._known.pop(token, None)

    async def _ask(self, token: str, now: datetime) -> Session | None:
        if self._provider is not None and self._reader is not None and is_jwt(token):
            return await self._of_the_provider(self._provider, self._reader, token)
        session = await tokens.session_for(self._database, token, now, self._idle)
        if session is not None and session.used_at is not None and now - session.used_at >= tokens.USE_EVERY:
            await tokens.touch(self._database, token, now)
        return session

    async def _of_the_provider(self, provider: Provider, reader: Reader, token: str) -> Session | None:
        try:
            claims = await provider.bearer(token)
        except Bad as error:
            _log.info("bearer_refused", why=str(error))
            return None
        person = await reader.person(claims)
        return Session(person.actor, Kind.PROVIDER, datetime.fromtimestamp(claims["exp"], UTC))

    def _on_trust(self, token: str, now: datetime, why: str) -> Session | None:
        known = self._known.get(token)
        if known is None or time.monotonic() - known.proven > TRUSTED_FOR:
            raise Unavailable(why)
        if _has_ended(known.session, now):
            return None
        self._known[token] = known._replace(asked=time.monotonic())
        return known.session

    def _make_room(self) -> None:
        """For as many as are good at once; those proven longest ago go."""
        if len(self._known) >= _MOST_KNOWN:
            oldest = sorted(self._known, key=lambda token: self._known[token].proven)
            for token in oldest[: max(1, _MOST_KNOWN // 10)]:
                self.forget(token)


def _has_ended(session: Session, now: datetime) -> bool:
    return session.expires_at is not None and session.expires_at <= now


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    database: AsyncEngine
    temporal: Client
    cases: CaseEngine
    photos: EvidenceStore
    cities: CityCache
    tokens: TokenCache
    doors: Doors
    #: None where no OIDC provider is set.
    provider: Provider | None = None
    reader: Reader | None = None
    now: Callable[[], datetime] = utc_now
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    #: Set only with time travel: moves one case's clock (handle, seconds).
    travel: Callable[..., Any] | None = None


async def services(request: Request) -> Services:
    """Like every dependency here a coroutine, although it waits for nothing: others cost a hop to a thread."""
    found: Services = request.app.state.services
    return found


Injected = Annotated[Services, Depends(services)]
