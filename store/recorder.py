"""Writes records down: each exactly once, whatever arrives twice, late or out of order.

Records that come while others are being written wait and are then written together: one transaction costs about
the same for one case as for fifty. Events get their positions under a lock that is held to the commit, so that
positions become visible in their order.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel, col

from domain.record import Record
from store.database import insert, writing
from store.rows import Row, Rows, rows
from store.tables import (
    CaseEvidenceRow,
    CaseRow,
    CaseUnitRow,
    EventRow,
    NoticeRow,
    RulebookRow,
)

BATCH = 64
#: Any number, as long as nobody else takes it: the advisory lock of those who hand out positions.
_POSITIONS = 0x7265_6374
#: What is wrong with the database and not with one record: trying the others again would only take longer.
_OUTAGES = (OperationalError, InterfaceError, PoolTimeoutError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class _Waiting:
    rows: Rows
    written: asyncio.Future[None]


class Recorder:
    """Belongs to one event loop. `timeout` (seconds) bounds each `record`, its time in the queue included."""

    def __init__(self, engine: AsyncEngine, *, timeout: float = 2.0) -> None:
        self._engine = engine
        self._timeout = timeout
        self._queue: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._statements = _Statements(engine)

    async def record(self, record: Record) -> None:
        """Returns once it is committed. Raises TimeoutError or what the database raised; then try again."""
        waiting = _Waiting(rows(record), asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all(), name="recorder")
        async with asyncio.timeout(self._timeout):
            await waiting.written

    async def _write_all(self) -> None:
        while self._queue:
            taken = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            await self._settle([each for each in taken if not each.written.done()])

    async def _settle(self, batch: Sequence[_Waiting]) -> None:
        """A record that cannot be written fails alone; the database's own trouble fails the whole batch."""
        try:
            await self._write([each.rows for each in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait
            if len(batch) > 1 and not isinstance(error, _OUTAGES):
                for each in batch:
                    await self._settle([each])
            else:
                _resolve(batch, error)
        else:
            _resolve(batch, None)

    async def _write(self, batch: Sequence[Rows]) -> None:
        async with asyncio.timeout(self._timeout), writing(self._engine) as connection:
            if self._engine.dialect.name == "postgresql":
                await connection.execute(select(func.pg_advisory_xact_lock(_POSITIONS)))
            for rewrite, group in groupby(batch, key=attrgetter("rewrite")):
                if rewrite:
                    for each in group:
                        await self._statements.rewrite(connection, each)
                else:
                    await self._statements.append(connection, list(group))


def _resolve(batch: Sequence[_Waiting], error: Exception | None) -> None:
    for each in batch:
        if each.written.done():
            continue
        if error is None:
            each.written.set_result(None)
        else:
            each.written.set_exception(error)


class _Statements:
    """Prepared once: building them takes longer than SQLite takes to run them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._new: dict[type[SQLModel], Any] = {
            table: insert(engine, table).on_conflict_do_nothing()
            for table in (RulebookRow, EventRow, NoticeRow, CaseEvidenceRow, CaseUnitRow)
        }
        self._case = _upsert(insert(engine, CaseRow), CaseRow, ("id",))
        event = insert(engine, EventRow)
        changed = col(EventRow.data).is_distinct_from(event.excluded.data)
        self._changed_event = _upsert(event, EventRow, ("case_id", "seq"), where=changed)

    async def append(self, connection: AsyncConnection, batch: Sequence[Rows]) -> None:
        """What is there already stays, and no case goes back to an older version."""
        await self._add(connection, RulebookRow, [row for each in batch for row in each.rulebooks])
        await self._add(connection, EventRow, [row for each in batch for row in each.events])
        await self._add_mentions(connection, batch)
        await self._put_cases(connection, await _newest(connection, batch))

    async def rewrite(self, connection: AsyncConnection, record: Rows) -> None:
        """The record is right, whatever is there. Events that were right keep their positions, changed ones too.

        Those before the record's first are not touched; those after the case's version are no events of it.
        """
        await _forget(connection, record)
        await self._add(connection, RulebookRow, record.rulebooks)
        if record.events:
            await connection.execute(self._changed_event, record.events)
        await self._add_mentions(connection, [record])
        await self._put_cases(connection, [record])

    async def _add_mentions(self, connection: AsyncConnection, batch: Sequence[Rows]) -> None:
        await self._add(connection, NoticeRow, [row for each in batch for row in each.notices])
        await self._add(connection, CaseEvidenceRow, [row for each in batch for row in each.evidence])

    async def _put_cases(self, connection: AsyncConnection, cases: Sequence[Rows]) -> None:
        if not cases:
            return
        await connection.execute(self._case, [each.case for each in cases])
        ids = [each.case["id"] for each in cases]
        await connection.execute(delete(CaseUnitRow).where(col(CaseUnitRow.case_id).in_(ids)))
        await self._add(connection, CaseUnitRow, [row for each in cases for row in each.units])

    async def _add(self, connection: AsyncConnection, table: type[SQLModel], new: Sequence[Row]) -> None:
        if new:
            await connection.execute(self._new[table], new)


def _upsert(insertion: Any, table: type[SQLModel], key: tuple[str, ...], **where: Any) -> Any:  # noqa: ANN401 - see database.insert
    rest = [name for name in table.model_fields if name not in {*key, "position"}]
    return insertion.on_conflict_do_update(
        index_elements=key, set_={name: insertion.excluded[name] for name in rest}, **where
    )


async def _newest(connection: AsyncConnection, batch: Sequence[Rows]) -> list[Rows]:
    """The latest state of each case in the batch, where the table does not have it or a later one.

    Read under the writer's lock, so nobody can come in between.
    """
    latest = {each.case["id"]: each for each in sorted(batch, key=lambda each: int(each.case["version"]))}
    known = await connection.execute(select(col(CaseRow.id), col(CaseRow.version)).where(col(CaseRow.id).in_(latest)))
    for case_id, version in known:
        if version >= latest[case_id].case["version"]:
            del latest[case_id]
    return list(latest.values())


async def _forget(connection: AsyncConnection, record: Rows) -> None:
    case_id, version = record.case["id"], record.case["version"]
    for table in (EventRow, NoticeRow):
        surplus = (col(table.case_id) == case_id) & (col(table.seq) > version)
        await connection.execute(delete(table).where(surplus))
    if record.first_seq == 1:
        await connection.execute(delete(CaseEvidenceRow).where(col(CaseEvidenceRow.case_id) == case_id))
