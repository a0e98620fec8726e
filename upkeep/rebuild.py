"""Makes the read model of the running cases anew from the cases themselves, while everything runs.

Each running case writes itself down again, by its own hand, so nobody writes over what happens meanwhile. What it
cannot do itself is done here first: what its earlier runs held, rows that were changed, rows of cases that do not
exist. All of it may be interrupted and done again.
"""

from dataclasses import dataclass, field

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from domain.case import ENDED
from domain.errors import Unavailable
from domain.record import Record
from store.database import writing
from store.recorder import Recorder
from store.tables import CaseEvidenceRow, CaseRow, CaseUnitRow, EventRow, NoticeRow
from upkeep.found import Found, found, running
from upkeep.mending import mend
from upkeep.pool import Progress, each, nobody
from upkeep.truth import Gone, Silent, Truth, Word, ask, earlier
from workflows.client import CaseEngine, NotRunning

_TRIES = 3


class Doubtful(Exception):
    """More cases are written down as running than Temporal knows: is it the right Temporal? Its argument: how many."""


@dataclass
class Rebuilt:
    """`silent` did not answer: run it again. `stopped`: their workflow was ended from outside; a person must decide."""

    rebuilt: int = 0
    restored: int = 0
    removed: int = 0
    silent: int = 0
    stopped: list[str] = field(default_factory=list)


class Rebuild:
    """`remove_ghosts`: even if most cases that are written down as running are unknown to Temporal."""

    def __init__(
        self,
        engine: CaseEngine,
        database: AsyncEngine,
        *,
        remove_ghosts: bool = False,
        progress: Progress = nobody,
    ) -> None:
        self._engine = engine
        self._database = database
        self._recorder = Recorder(database, timeout=30.0)
        self._remove_ghosts = remove_ghosts
        self._progress = progress
        self.tally = Rebuilt()

    async def run(self) -> Rebuilt:
        """Raises Doubtful before anything has been changed. The cases may still be busy writing when it returns."""
        listed = {case_id async for case_id in self._engine.running()}
        others = sorted(await running(self._database) - listed)
        await self._check_ghosts(others, len(listed))
        ids = [*others, *sorted(listed)]
        await each(ids, lambda case: self._rebuild(case, listed=case in listed), progress=self._progress)
        return self.tally

    async def _check_ghosts(self, ids: list[str], alive: int) -> None:
        ghosts = 0

        async def look(case_id: str) -> None:
            nonlocal ghosts, alive
            unknown = await self._engine.fate(case_id) is None
            ghosts, alive = ghosts + unknown, alive + (not unknown)

        await each(ids, look)
        if ghosts > alive and not self._remove_ghosts:
            raise Doubtful(ghosts)

    async def _rebuild(self, case_id: str, *, listed: bool) -> None:
        """Once more if the case ends or goes on in a new run under our hands."""
        for attempt in range(_TRIES):
            word = await ask(self._engine, case_id, listed=listed and attempt == 0)
            there = (await found(self._database, [case_id]))[case_id]
            try:
                await self._set_right(case_id, word, there)
            except (NotRunning, Unavailable):
                continue
            return
        self.tally.silent += 1

    async def _set_right(self, case_id: str, word: Word, there: Found) -> None:
        match word:
            case Truth():
                await self._rewrite(case_id, word, there)
            case Gone(fate=None) if there.has_ended():
                await self._archive(there)
            case Gone(fate=None):
                await _remove(self._database, case_id)
                self.tally.removed += 1
            case Gone():
                self.tally.stopped.append(case_id)
            case Silent():
                raise Unavailable("engine_unavailable")

    async def _rewrite(self, case_id: str, truth: Truth, there: Found) -> None:
        first = truth.events[0].seq if truth.events else truth.case.version + 1
        before = await earlier(self._engine, case_id, first) if first > 1 else ()
        whole = Truth(truth.case, before + truth.events, running=truth.running)
        await mend(self._database, whole, there)
        if truth.running:
            await self._engine.reproject(case_id)
            self.tally.rebuilt += 1
        else:
            await self._recorder.record(Record(case=truth.case, events=truth.events, rewrite=True))
            self.tally.restored += 1

    async def _archive(self, there: Found) -> None:
        """It ended before Temporal's memory begins: its own archived state says how."""
        snapshot = there.snapshot()
        if snapshot is not None and snapshot.stage in ENDED:
            await self._recorder.record(Record(case=snapshot, events=(), rewrite=True))
            self.tally.restored += 1


async def _remove(database: AsyncEngine, case_id: str) -> None:
    async with writing(database) as connection:
        for table in (CaseUnitRow, NoticeRow, CaseEvidenceRow, EventRow):
            await connection.execute(delete(table).where(col(table.case_id) == case_id))
        await connection.execute(delete(CaseRow).where(col(CaseRow.id) == case_id))
