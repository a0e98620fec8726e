"""Real cases that a real worker writes down in a real database, on a task queue of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel
from temporalio.testing import WorkflowEnvironment

import worker
from domain.commands import Opening
from store.database import reading, writing
from store.recorder import Recorder
from store.tables import CaseEvidenceRow, CaseRow, CaseUnitRow, EventRow, NoticeRow, RulebookRow
from tests.support.cases import UNIT
from tests.support.engine import Desk, Handle
from upkeep.audit import Report, audit
from upkeep.rebuild import Rebuild, Rebuilt
from workflows.client import CaseEngine

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass
class Office:
    desk: Desk
    database: AsyncEngine
    cases: CaseEngine

    async def open(self, opening: Opening | None = None) -> Handle:
        """An accepted case, written down."""
        handle = await self.desk.open(opening)
        await self.desk.give(handle, "accept", UNIT)
        await self.written(handle)
        return handle

    async def written(self, *handles: Handle) -> None:
        """Wait till nothing differs, and till visibility has the cases, which says nothing when it does."""
        async with asyncio.timeout(20):
            wanted = {each.id for each in handles}
            while not wanted <= {each async for each in self.cases.running()}:  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.02)
        report = await self.audit(looks=(0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0))
        assert report.differences == ()

    async def audit(self, looks: tuple[float, ...] = (0.02, 0.05)) -> Report:
        return await audit(self.cases, self.database, looks=looks)

    async def rebuild(self, **choices: Any) -> Rebuilt:  # noqa: ANN401 - those of Rebuild
        """And what it leaves behind is right."""
        tally = await Rebuild(self.cases, self.database, **choices).run()
        report = await self.audit(looks=(0.05, 0.1, 0.2, 0.5, 1.0, 2.0))
        assert report.differences == ()
        return tally

    async def tamper(self, statement: str, **values: object) -> None:
        async with writing(self.database) as connection:
            await connection.execute(text(statement), values)

    async def rows(self) -> Rows:
        """Everything written down of cases, positions and ids included."""
        tables = (CaseRow, CaseUnitRow, EventRow, NoticeRow, CaseEvidenceRow, RulebookRow)
        async with reading(self.database) as connection:
            return {
                str(table.__tablename__): sorted(
                    (tuple(row) for row in await connection.execute(select(*_columns(table)))), key=repr
                )
                for table in tables
            }

    async def without_positions(self) -> Rows:
        """Of rows that were lost, others take the place."""
        rows = await self.rows()
        return {name: sorted((row[name in {"events", "notices"} :] for row in rows[name]), key=repr) for name in rows}


def _columns(table: Any) -> list[Any]:  # noqa: ANN401 - any table
    """All but when a record was asked for: a rebuild asks anew."""
    return [getattr(table, name) for name in table.model_fields if name != "begun"]


@asynccontextmanager
async def opened(temporal: WorkflowEnvironment, database: AsyncEngine) -> AsyncIterator[Office]:
    desk = Desk(temporal)
    cases = CaseEngine(temporal.client, task_queue=desk.task_queue, timeout=timedelta(seconds=20))
    async with worker.build(
        temporal.client, Recorder(database), task_queue=desk.task_queue, grace=timedelta(0), max_cached_workflows=100
    ):
        yield Office(desk, database, cases)


async def emptied(database: AsyncEngine) -> None:
    async with writing(database) as connection:
        for table in reversed(SQLModel.metadata.sorted_tables):
            await connection.execute(table.delete())
