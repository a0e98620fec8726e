"""What the routes work with, in one object on the application's state; opened and closed by `api/app.py`."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import structlog
from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from directory.calendars import snapshot as cut
from directory.places import Places
from directory.reporting import City
from domain.actors import Actor
from domain.errors import Unavailable
from domain.policy import Rules
from settings import Settings
from store import directory as stored
from store import tokens
from store.evidence import EvidenceStore
from workflows.client import CaseEngine

#: How old the directory and a token's check may be, in seconds: so soon a change or a revocation is felt.
FRESH_FOR = 2.0
#: How long a token goes on being good while the database cannot be asked, in seconds: commands do not need it.
TRUSTED_FOR = 3600.0
#: What a database that does not answer raises.
OUTAGES = (SQLAlchemyError, OSError, TimeoutError)

_log = structlog.get_logger()


def utc_now() -> datetime:
    return datetime.now(UTC)


class CityCache:
    """The directory with its geometry, built once per version; rules are cut to what a case of this month carries.

    While the database is down, the directory is as it was last seen.
    """

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database
        self._lock = asyncio.Lock()
        self._checked = -FRESH_FOR
        self._version = -1
        self._month = (0, 0)
        self._city: City | None = None

    async def get(self, now: datetime) -> City:
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
        except OUTAGES as error:
            if self._city is None:
                raise
            _log.warning("directory_not_refreshed", error=type(error).__name__)

    async def _refresh(self, now: datetime) -> None:
        version = await stored.version(self._database)
        month = (now.year, now.month)
        if self._city is not None and (version, month) == (self._version, self._month):
            return
        directory = await stored.load(self._database)
        policy, ladder, calendar = await stored.current_rules(self._database)
        rules = Rules(policy=policy, ladder=ladder, calendar=cut(calendar, now))
        places = await asyncio.to_thread(Places, directory)
        self._city = City(directory, places, rules)
        self._version, self._month = version, month


class _Known(NamedTuple):
    """Whose token it is; when the database said so; when it was asked last."""

    actor: Actor
    proven: float
    asked: float


class TokenCache:
    """Tokens that were good a moment ago are good; bad ones are asked for anew each time."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database
        self._known: dict[str, _Known] = {}

    async def actor(self, token: str, now: datetime) -> Actor | None:
        known = self._known.get(token)
        if known is not None and time.monotonic() - known.asked < FRESH_FOR:
            return known.actor
        try:
            actor = await tokens.actor_for(self._database, token, now)
        except OUTAGES:
            return self._on_trust(token)
        self._known.pop(token, None)
        if actor is not None:
            self._known[token] = _Known(actor, time.monotonic(), time.monotonic())
        return actor

    def _on_trust(self, token: str) -> Actor:
        known = self._known.get(token)
        if known is None or time.monotonic() - known.proven > TRUSTED_FOR:
            raise Unavailable("store_unavailable")
        self._known[token] = known._replace(asked=time.monotonic())
        return known.actor


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    database: AsyncEngine
    temporal: Client
    cases: CaseEngine
    photos: EvidenceStore
    cities: CityCache
    tokens: TokenCache
    now: Callable[[], datetime] = utc_now
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    #: Set only with time travel: moves one case's clock (handle, seconds).
    travel: Callable[..., Any] | None = None


async def services(request: Request) -> Services:
    """Like every dependency here a coroutine, although it waits for nothing: others cost a hop to a thread."""
    found: Services = request.app.state.services
    return found


Injected = Annotated[Services, Depends(services)]
