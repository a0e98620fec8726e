"""The next version of the calendar: stored for cases to come, and taken to every running case that goes by it.

May be interrupted and done again: it goes on with the cases that have an older version.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from directory.calendars import snapshot as cut
from domain.calendar import Calendar
from domain.case import Snapshot
from domain.errors import Unavailable
from domain.events import CalendarChanged, Event
from store import cases, directory
from upkeep.pool import Progress, each, nobody
from workflows.client import CaseEngine, NotRunning

#: Seconds after which nobody opens a case by the old version any more: longer than the API keeps what it has read,
#: and a visibility that lags behind a little.
SETTLED = 5.0


async def store_next(database: AsyncEngine, calendar: Calendar, *, number: bool = False) -> Calendar:
    """As stored; what is stored already is so again. `number`: give it the next version, whatever it says.

    ValueError for any other version than the next one of the calendar in force; LookupError if none is in force.
    """
    _, _, current = await directory.current_rules(database)
    if number:
        calendar = calendar.model_copy(update={"version": current.version + 1})
        if calendar.model_copy(update={"version": current.version}) == current:
            return current
    if calendar != current:
        await directory.publish_calendar(database, calendar)
    return calendar


@dataclass
class Published:
    """`took`: cases that changed to it; `moved`: those of them with another deadline now; `silent`: run it again."""

    took: int = 0
    moved: int = 0
    silent: set[str] = field(default_factory=set)


class Publication:
    """`settled` (seconds): how long cases may still be opened by the old version."""

    def __init__(
        self,
        engine: CaseEngine,
        database: AsyncEngine,
        calendar: Calendar,
        *,
        settled: float = SETTLED,
        progress: Progress = nobody,
    ) -> None:
        self._engine = engine
        self._database = database
        self._calendar = calendar
        self._settled = settled
        self._progress = progress
        self._have: set[str] = set()
        self.tally = Published()

    async def run(self) -> Published:
        """Passes over the running cases until one that began late enough finds nobody left behind."""
        loop = asyncio.get_running_loop()
        settled = loop.time() + self._settled
        while True:
            is_last = loop.time() >= settled
            if await self._pass():
                continue
            if is_last:
                return self.tally
            await asyncio.sleep(max(settled - loop.time(), 0))

    async def _pass(self) -> bool:
        """Whether any case took it."""
        ids = [case_id async for case_id in self._left()]
        before = self.tally.took
        self.tally.silent.clear()
        await each(ids, self._reach, progress=self._progress, done_before=len(self._have))
        return self.tally.took > before

    async def _left(self) -> AsyncIterator[str]:
        async for case_id in self._engine.running():
            if case_id not in self._have:
                yield case_id

    async def _reach(self, case_id: str) -> None:
        try:
            case = await self._engine.snapshot(case_id)
            if await self._is_behind(case):
                await self._give(case)
        except Unavailable:
            self.tally.silent.add(case_id)
            return
        except NotRunning:
            pass
        self._have.add(case_id)

    async def _is_behind(self, case: Snapshot) -> bool:
        """Also where the case's rules are not written down (yet): the case itself knows what is news to it."""
        rules = await cases.rules(self._database, case.rules)
        if rules is None:
            return True
        return rules.calendar.id == self._calendar.id and rules.calendar.version < self._calendar.version

    async def _give(self, case: Snapshot) -> None:
        if await self._engine.recalendar(case.id, cut(self._calendar, case.opened_at)):
            self.tally.took += 1
            moved = self._has_moved(await self._engine.log(case.id))
            self.tally.moved += moved

    def _has_moved(self, events: list[Event]) -> bool:
        facts = (event.fact for event in events if isinstance(event.fact, CalendarChanged))
        return any(
            fact.due_before != fact.due_after for fact in facts if fact.calendar.version == self._calendar.version
        )
