"""Takes new rules to every running case that goes by older ones: a calendar, or a policy and a ladder.

What is published is durable with its version (`store/rules.py`). Every worker has a carrier that looks for what has not
reached everybody yet; so has the command that published it, while it waits. Whoever holds the lease goes on where the
last one was: which cases lack it is seen from the cases themselves, and to give it to one twice changes nothing.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NoReturn, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.service import RPCError

from directory.calendars import snapshot as cut
from domain.calendar import Calendar
from domain.errors import Unavailable
from domain.policy import Ladder, Policy
from store import cases, publications
from store import rules as editions
from store.publications import LEASE, Publication
from upkeep.pool import Pace, Progress, each, nobody
from upkeep.preview import Change, NewRules, lacks
from workflows.client import CaseEngine, NotRunning

#: Seconds after which nobody opens a case by the old version any more: longer than the API keeps what it has read,
#: and a visibility that lags behind a little.
SETTLED = 5.0
#: Seconds between two looks for something to carry, and between two for cases that were opened by an old version later
#: than that: in an API process that could not read the database.
LOOK_EVERY, STRAGGLERS_EVERY = 2.0, 60.0
_KEEP_EVERY = LEASE.total_seconds() / 10
_LONGEST_WAIT = 60.0
#: Seconds that the tables may be behind the cases.
_WRITTEN_WITHIN = 10.0
_OUTAGES = (SQLAlchemyError, RPCError, Unavailable, OSError, TimeoutError)

_E = TypeVar("_E", Calendar, Policy, Ladder)
_log = structlog.get_logger()


def numbered(wanted: _E, newest: _E | None) -> _E:
    """As the version after the newest; if it says the same, the newest itself."""
    if newest is None:
        return wanted.model_copy(update={"version": 1})
    same = wanted.model_copy(update={"version": newest.version})
    return newest if same == newest else wanted.model_copy(update={"version": newest.version + 1})


async def change_of(database: AsyncEngine, publication: Publication) -> Change:
    """What it brings. LookupError if the edition is gone, which nobody deletes."""
    if publication.kind == "calendar":
        calendar = await editions.calendar(database, publication.name, publication.version)
        if calendar is not None:
            return calendar
    policy = await editions.policy(database, publication.name, publication.version)
    ladder = await editions.ladder(database, publication.ladder, publication.ladder_version)
    if policy is None or ladder is None:
        raise LookupError(f"publication {publication.id} names an edition that is not there")
    return NewRules(policy, ladder)


def command_id(change: Change) -> str:
    """Of the update by which a case takes it, as `workflows.client` makes it: its events bear it."""
    if isinstance(change, Calendar):
        return f"recalendar-{change.id}-{change.version}"
    policy, ladder = change
    return f"rerule-{policy.id}-{policy.version}-{ladder.id}-{ladder.version}"


class Carrier:
    """Any number may work on the same publications; each of them is in one carrier's hands at a time.

    `settled` (seconds): how long cases may still be opened by the old version, if not `SETTLED`. `patience`: how many
    rounds with no answer at all from those that are left, before it is given back unfinished; None: it never is.
    """

    def __init__(
        self,
        engine: CaseEngine,
        database: AsyncEngine,
        *,
        settled: float | None = None,
        patience: int | None = None,
        progress: Progress = nobody,
    ) -> None:
        self._engine = engine
        self._database = database
        self._settled = timedelta(seconds=SETTLED if settled is None else settled)
        self._patience = patience
        self._progress = progress
        self._holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._ghosts: set[str] = set()

    async def run(self) -> NoReturn:
        """Carries whatever there is, for ever; waits while the database or Temporal is away."""
        looked = -STRAGGLERS_EVERY
        clock = asyncio.get_running_loop().time
        while True:
            try:
                number = await self.once()
                carried = number is not None
                if number is not None:
                    await self._tell(number)
                elif clock() - looked >= STRAGGLERS_EVERY:
                    looked = clock()
                    carried = await self.recall()
            except _OUTAGES as error:
                _log.warning("publication_interrupted", error=type(error).__name__)
                carried = False
            except Exception as error:  # noqa: BLE001 - the cases of this worker go on, whatever it is
                _log.error("publication_failed", error=type(error).__name__, exc_info=error)
                carried = False
            if not carried:
                await asyncio.sleep(LOOK_EVERY)

    async def _tell(self, number: int) -> None:
        found = await publications.get(self._database, number)
        if found is not None:
            _log.info("publication_carried", **found.model_dump(include={"id", "took", "moved", "silent"}))

    async def once(self, number: int | None = None) -> int | None:
        """The number of one that nobody else carried, and that was now carried as far as it would go."""
        taken = await publications.take(self._database, self._holder, _now(), number)
        if taken is None:
            return None
        change = await change_of(self._database, taken)
        carriage = _Carriage(self._engine, self._database, taken, change, self._holder, self._progress)
        await carriage.run(self._settled, self._patience)
        self._ghosts |= carriage.gone
        return taken.id

    async def until_done(self, number: int) -> Publication:
        """Carries it, or looks on while another does. What is unfinished in the end: see `silent`."""
        while True:
            carried = await self.once(number)
            found = await publications.get(self._database, number)
            if found is None:
                raise LookupError(f"there is no publication {number}")
            if carried is not None or found.finished_at is not None:
                return found
            self._progress(found.took, found.total)
            await asyncio.sleep(LOOK_EVERY / 4)

    async def recall(self) -> bool:
        """Whether a finished one had to be taken up again, for a running case that lacks it after all."""
        running = await publications.running(self._database)
        for last in await publications.latest(self._database):
            change = await change_of(self._database, last)
            lacking = await _lacking(self._database, {each.rules for each in running}, change, unknown=False)
            late = [each.id for each in running if each.rules in lacking and each.id not in self._ghosts]
            if late and last.finished_at is not None:
                _log.info("publication_recalled", publication=last.id, cases=len(late))
                await publications.reopen(self._database, last.id)
                return True
        return False


class _Carriage:
    """One publication on its way. `gone`: cases that do not run any more, whatever the tables say."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it works with, what it carries, and who does
        self,
        engine: CaseEngine,
        database: AsyncEngine,
        publication: Publication,
        change: Change,
        holder: str,
        progress: Progress,
    ) -> None:
        self._engine = engine
        self._database = database
        self._publication = publication
        self._change = change
        self._holder = holder
        self._progress = progress
        self._pace = Pace()
        self._before = self._total = self._took = 0
        self._have: set[str] = set()
        self._silent: set[str] = set()
        self._left: dict[str, datetime | None] = {}
        self.gone: set[str] = set()

    async def run(self, settled: timedelta, patience: int | None) -> None:
        """Ends when every running case has it, when another one took its place, or when patience ends."""
        self._before, _ = await publications.taken(self._database, command_id(self._change))
        keeping = asyncio.create_task(self._keep(), name="publication-lease")
        carrying = asyncio.create_task(self._passes(settled, patience), name="publication")
        try:
            done, _ = await asyncio.wait({keeping, carrying}, return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                ended.result()
        finally:
            for task in (keeping, carrying):
                task.cancel()
            await asyncio.gather(keeping, carrying, return_exceptions=True)
            with suppress(*_OUTAGES):  # then it is free when the lease has run out
                await publications.release(self._database, self._publication.id, self._holder)

    async def _keep(self) -> None:
        """Until the lease is lost, or another publication took this one's place."""
        while await self._note():  # noqa: ASYNC110 - nobody tells what another process does
            await asyncio.sleep(_KEEP_EVERY)

    async def _note(self) -> bool:
        total = max(self._total, self._publication.total)
        progress = {"total": total, "took": self._before + self._took, "silent": len(self._silent)}
        return await publications.keep(self._database, self._publication.id, self._holder, _now(), **progress)

    async def _passes(self, settled: timedelta, patience: int | None) -> None:
        """Over the cases that lack it, until a pass that began late enough finds none left."""
        fruitless = 0
        while True:
            is_last = _now() >= self._publication.started_at + settled
            await self._pass()
            if self._silent:
                fruitless = fruitless + 1 if len(self._silent) == len(self._left) else 0
                if patience is not None and fruitless >= patience:
                    await self._note()
                    return
                await asyncio.sleep(min(2.0**fruitless, _LONGEST_WAIT))
            elif is_last and not self._left:
                await self._finish()
                return
            elif not self._left:
                await asyncio.sleep(max((self._publication.started_at + settled - _now()).total_seconds(), 0))

    async def _pass(self) -> None:
        self._silent.clear()
        self._left = await self._lacking()
        done = self._before + len(self._have)
        self._total = done + len(self._left)
        await each(list(self._left), self._reach, progress=self._progress, done_before=done)

    async def _lacking(self) -> dict[str, datetime | None]:
        """When they were opened, by number. Those that the tables do not know are asked: they know what is news."""
        running = await publications.running(self._database)
        digests = await _lacking(self._database, {each.rules for each in running}, self._change, unknown=True)
        found: dict[str, datetime | None] = {each.id: each.opened_at for each in running if each.rules in digests}
        known = {each.id for each in running}
        found |= {case_id: None async for case_id in self._engine.running() if case_id not in known}
        return {case_id: at for case_id, at in found.items() if case_id not in self._have}

    async def _reach(self, case_id: str) -> None:
        async with self._pace.turn():
            try:
                took = await self._give(case_id)
                self._took += took
            except Unavailable:
                self._silent.add(case_id)
                return
            except NotRunning:
                self.gone.add(case_id)
        self._have.add(case_id)

    async def _give(self, case_id: str) -> bool:
        if isinstance(self._change, NewRules):
            return await self._engine.rerule(case_id, *self._change)
        opened_at = self._left[case_id] or (await self._engine.snapshot(case_id)).opened_at
        return await self._engine.recalendar(case_id, cut(self._change, opened_at))

    async def _finish(self) -> None:
        """Once what the cases did has been written down, so that it can be counted."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_WRITTEN_WITHIN):
                while await self._unwritten():  # noqa: ASYNC110 - another process writes it
                    await asyncio.sleep(0.1)
        took, moved = await publications.taken(self._database, command_id(self._change))
        counts = {"total": max(took, self._publication.total), "took": took, "moved": moved, "silent": 0}
        await publications.finish(self._database, self._publication.id, self._holder, _now(), **counts)

    async def _unwritten(self) -> bool:
        running = await publications.running(self._database)
        digests = await _lacking(self._database, {each.rules for each in running}, self._change, unknown=False)
        return any(each.rules in digests and each.id not in self.gone for each in running)


async def _lacking(database: AsyncEngine, digests: set[str], change: Change, *, unknown: bool) -> set[str]:
    """Those of the rules that lack the change; `unknown` is what is to be held of rules that are not written down."""
    found: Mapping[str, bool] = {
        digest: unknown if (rules := await cases.rules(database, digest)) is None else lacks(rules, change)
        for digest in digests
    }
    return {digest for digest, is_lacking in found.items() if is_lacking}


def _now() -> datetime:
    return datetime.now(UTC)
