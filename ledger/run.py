"""Takes a ledger in: each row opens a case, is written to the archive, was there already, or is refused. Never two.

A case's id is made from the system and the external reference, so a run may be stopped at any row, or come twice.
The ledger is read a little at a time; all that is kept of each row is a number made from its reference.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from directory.model import Directory
from directory.reporting import City, Receiving, resolve
from domain import case_id, life
from domain.actors import Actor, Role
from domain.commands import CLOCK_SKEW, Opening
from domain.errors import RectifyError, Unavailable
from domain.events import CaseImported
from domain.history import ended_case
from domain.record import Record
from ledger.entries import Ended, Entry, entry
from ledger.mapping import As, Map
from ledger.refusals import Refused, RefusedFile, Row

CHUNK = 512
AT_ONCE = 32
#: Seconds between attempts while the engine or the database does not answer.
_PATIENCE = (0.2, 1.0, 5.0, 10.0)
_T = TypeVar("_T")
_OUTAGES = (Unavailable, SQLAlchemyError, TimeoutError, OSError)


class Answer(Protocol):
    @property
    def created(self) -> bool: ...


class Engine(Protocol):
    """Opens a case, once; tells which are running."""

    async def open(self, opening: Opening, digest: str) -> Answer: ...

    def running(self) -> AsyncIterator[str]: ...


class Archive(Protocol):
    """Must be idempotent. `known`: those of the ids that it has."""

    async def record(self, record: Record) -> None: ...

    async def known(self, ids: Collection[str]) -> set[str]: ...


@dataclass
class Tally:
    """`rows` is the sum of all the others."""

    rows: int = 0
    opened: int = 0
    archived: int = 0
    already: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Ready:
    row: Row
    opening: Opening
    ended: Ended | None


class Run:
    """One passage over one ledger. `now` gives the instant at which cases are opened; `tally` can be read any time."""

    def __init__(  # noqa: PLR0913 - each is a choice of the composition root
        self,
        plan: Map,
        city: City,
        *,
        engine: Engine,
        archive: Archive,
        refused: RefusedFile,
        now: Callable[[], datetime],
    ) -> None:
        self.tally = Tally()
        self._plan = plan
        self._city = city
        self._engine = engine
        self._archive = archive
        self._refused = refused
        self._now = now
        self._actor = Actor(user=f"import:{plan.system}", role=Role.ADMIN, area=_root(city.directory))
        self._seen: set[int] = set()
        self._running: set[str] = set()
        self._rules_written = False
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def take(self, rows: Iterable[Row]) -> Tally:
        """Raises Unavailable when the engine or the database stays away; the next run goes on from there."""
        if self._archives:
            self._running = {case async for case in self._engine.running()}
        for chunk in _chunks(iter(rows)):
            ready = [each for each in map(self._prepared, chunk) if each is not None]
            await self._carry_out(ready)
        return self.tally

    @property
    def _archives(self) -> bool:
        return self._plan.closed is not None and self._plan.closed.as_ is As.ARCHIVE

    # --- judging a row ---

    def _prepared(self, row: Row) -> _Ready | None:
        try:
            told = entry(self._plan, self._city.directory, row)
            ready = self._resolved(row, told)
            self._refuse_double(told.reference)
        except (Refused, RectifyError) as error:
            self._refuse(row, error)
            return None
        return ready

    def _resolved(self, row: Row, told: Entry) -> _Ready:
        now = self._now()
        name = case_id.from_key(self._actor.user, told.reference)
        opening = resolve(self._city, told.report, Receiving(self._actor, now, name, ledger=told.ledger))
        if told.ended is not None:
            if told.ended.at > now + CLOCK_SKEW:
                raise Refused("closed_in_future", told.ended.at.isoformat())
            if told.ended.at < opening.discovered_at:
                raise Refused("closed_before_opened")
        return _Ready(row, opening, told.ended if self._archives else None)

    def _refuse_double(self, reference: str) -> None:
        mark = int.from_bytes(sha256(reference.encode()).digest()[:8], "big")
        if mark in self._seen:
            raise Refused("reference_duplicate", reference)
        self._seen.add(mark)

    def _refuse(self, row: Row, error: Refused | RectifyError) -> None:
        self.tally.rows += 1
        self.tally.refused[error.code] += 1
        self._refused.add(row, error)

    # --- carrying it out ---

    async def _carry_out(self, ready: list[_Ready]) -> None:
        known = await _patiently(lambda: self._archive.known([each.opening.id for each in ready]))
        new = [each for each in ready if each.opening.id not in known]
        self._count("already", len(ready) - len(new))
        if new and not self._rules_written:
            await self._one(new.pop(0))
        try:
            async with asyncio.TaskGroup() as group:
                for each in new:
                    group.create_task(self._one(each))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _one(self, each: _Ready) -> None:
        try:
            if each.ended is None:
                async with self._slots:
                    await self._open(each)
            elif each.opening.id in self._running:
                self._count("already")
            else:
                await self._write(each.opening, each.ended)
        except Unavailable:
            raise
        except RectifyError as error:
            self._refuse(each.row, error)

    async def _open(self, each: _Ready) -> None:
        """The reference alone says which case it is: a row that has changed since does not open another."""
        answer = await _patiently(lambda: self._engine.open(each.opening, digest=each.opening.id))
        self._count("opened" if answer.created else "already")

    async def _write(self, opening: Opening, ended: Ended) -> None:
        fact = CaseImported(
            system=self._plan.system,
            status=ended.status,
            unit=opening.proposed_unit,
            outcome=ended.outcome,
            imported_at=opening.opened_at,
        )
        case, events = ended_case(opening, fact, ended.at)
        rules = None if self._rules_written else case.rules
        await _patiently(lambda: self._archive.record(Record(case=life.snapshot(case), events=events, rules=rules)))
        self._rules_written = True
        self._count("archived")

    def _count(self, what: str, number: int = 1) -> None:
        setattr(self.tally, what, getattr(self.tally, what) + number)
        self.tally.rows += number


def _root(directory: Directory) -> str:
    return directory.path(directory.root)


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


async def _patiently(call: Callable[[], Awaitable[_T]]) -> _T:
    """Once more, and later again, while the other side is away; then Unavailable."""
    for delay in _PATIENCE:
        try:
            return await call()
        except _OUTAGES:
            await asyncio.sleep(delay)
    try:
        return await call()
    except Unavailable:
        raise
    except _OUTAGES as error:
        raise Unavailable("store_unavailable") from error
