"""Writes records down: each exactly once, whatever arrives twice, late or out of order, or did not happen after all.

Records that come while others are being written wait and are then written together: one transaction costs about
the same for one case as for fifty. Events get their positions under a lock that is held to the commit, so that
positions become visible in their order.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel, col

from domain.record import Record
from store import text_index
from store.database import insert, write
from store.disputes import NOTHING, Disputes, Standing
from store.rows import Part, Row, Rows, part, rows
from store.tables import (
    CaseEvidenceRow,
    CaseReporterRow,
    CaseRow,
    CaseUnitRow,
    EventRow,
    NoticeRow,
    RulebookRow,
)

BATCH = 64
#: Any number, as long as nobody else takes it: the advisory lock of those who hand out positions.
POSITIONS = 0x7265_6374
#: What is wrong with the database and not with one record: trying the others again would only take longer.
_OUTAGES = (OperationalError, InterfaceError, PoolTimeoutError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class _Waiting:
    rows: Rows
    written: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the tables have of a case: how far it is, its words, and each unit's part."""

    standing: Standing
    words: str | None = None
    units: dict[str, Part] = field(default_factory=dict)


_NOTHING = _Known(NOTHING)


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
        async with asyncio.timeout(self._timeout):
            await write(self._engine, partial(self._statements.write, batch=batch))


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
        self._lock = select(func.pg_advisory_xact_lock(POSITIONS)) if engine.dialect.name == "postgresql" else None
        self._new: dict[type[SQLModel], Any] = {
            table: insert(engine, table).on_conflict_do_nothing()
            for table in (RulebookRow, EventRow, NoticeRow, CaseEvidenceRow, CaseUnitRow, CaseReporterRow)
        }
        self._disputes = Disputes()
        self._case = _upsert(insert(engine, CaseRow), CaseRow, ("id",))
        event = insert(engine, EventRow)
        changed = col(EventRow.data).is_distinct_from(event.excluded.data)
        self._changed_event = _upsert(event, EventRow, ("case_id", "seq"), where=changed)
        case, unit = CaseRow, CaseUnitRow
        ids: BindParameter[Any] = bindparam("ids", expanding=True)
        self._forget_units = delete(CaseUnitRow).where(col(CaseUnitRow.case_id).in_(ids))
        self._known = (
            select(
                *(col(each) for each in (case.id, case.version, case.begun, case.words)),
                *(col(each) for each in (unit.unit, unit.lead, unit.due_at, unit.done)),
            )
            .outerjoin(CaseUnitRow)
            .where(col(CaseRow.id).in_(ids))
            .with_for_update(of=CaseRow)  # whoever removes a case takes no other lock
        )

    def write(self, connection: Connection, batch: Sequence[Rows]) -> None:
        if self._lock is not None:
            connection.execute(self._lock)
        for rewrite, group in groupby(batch, key=attrgetter("rewrite")):
            if rewrite:
                for each in group:
                    self.rewrite(connection, each)
            else:
                self.append(connection, list(group))

    def append(self, connection: Connection, batch: Sequence[Rows]) -> None:
        """What is there already stays unless it did not happen, and no case goes back to an older state."""
        for wave in _waves(batch):
            self._append(connection, wave)

    def _append(self, connection: Connection, wave: Mapping[str, Rows]) -> None:
        """One record of each case, by its id."""
        known = self._read(connection, list(wave))
        records = [
            self._disputes.settle(connection, each, known[key].standing)
            if key in known and known[key].standing.version >= each.first_seq
            else each
            for key, each in wave.items()
        ]
        self._add(connection, EventRow, [row for each in records for row in each.events])
        self._add_others(connection, records)
        newer = [each for each in records if known.get(each.case["id"], _NOTHING).standing.gives_way_to(each)]
        self._put_cases(connection, newer, known)

    def rewrite(self, connection: Connection, record: Rows) -> None:
        """The record is right, whatever is there. Events that were right keep their positions, changed ones too.

        Those before the record's first are not touched; those after the case's version are no events of it.
        """
        _forget(connection, record)
        if record.events:
            connection.execute(self._changed_event, record.events)
        self._add_others(connection, [record])
        self._put_cases(connection, [record], self._read(connection, [record.case["id"]]))

    def _add_others(self, connection: Connection, batch: Sequence[Rows]) -> None:
        self._add(connection, RulebookRow, [row for each in batch for row in each.rulebooks])
        self._add(connection, NoticeRow, [row for each in batch for row in each.notices])
        self._add(connection, CaseEvidenceRow, [row for each in batch for row in each.evidence])

    def _read(self, connection: Connection, ids: Sequence[str]) -> dict[str, _Known]:
        """Under a lock: nobody can come between this and what is then written."""
        known: dict[str, _Known] = {}
        for row in connection.execute(self._known, {"ids": ids}):
            case_id, version, begun, words, unit, lead, due_at, done = tuple[Any, ...](row)
            each = known.setdefault(case_id, _Known(Standing(version, begun), words))
            if unit is not None:
                each.units[unit] = Part(lead, due_at, done)
        return known

    def _put_cases(self, connection: Connection, cases: Sequence[Rows], known: dict[str, _Known]) -> None:
        """The units seldom change and the words never, so they are left alone where they are right."""
        if not cases:
            return
        connection.execute(self._case, [each.case for each in cases])
        self._add(connection, CaseReporterRow, [row for each in cases for row in each.reporters])
        retold = [each for each in cases if each.rewrite or _words(each) != known.get(each.case["id"], _NOTHING).words]
        if retold:
            text_index.put(connection, [(each.case["id"], _words(each)) for each in retold])
        moved = [each for each in cases if _units(each) != known.get(each.case["id"], _NOTHING).units]
        if moved:
            connection.execute(self._forget_units, {"ids": [each.case["id"] for each in moved]})
            self._add(connection, CaseUnitRow, [row for each in moved for row in each.units])

    def _add(self, connection: Connection, table: type[SQLModel], new: Sequence[Row]) -> None:
        if new:
            connection.execute(self._new[table], new)


def _waves(batch: Sequence[Rows]) -> Iterator[dict[str, Rows]]:
    """The batch in parts, nearly always one, so that each has a case once at most, in the order they came."""
    wave: dict[str, Rows] = {}
    for record in batch:
        if record.case["id"] in wave:
            yield wave
            wave = {}
        wave[record.case["id"]] = record
    if wave:
        yield wave


def _words(record: Rows) -> str:
    words: str = record.case["words"]
    return words


def _units(record: Rows) -> dict[str, Part]:
    return {row["unit"]: part(row) for row in record.units}


def _upsert(insertion: Any, table: type[SQLModel], key: tuple[str, ...], **where: Any) -> Any:  # noqa: ANN401 - see database.insert
    rest = [name for name in table.model_fields if name not in {*key, "position"}]
    return insertion.on_conflict_do_update(
        index_elements=key, set_={name: insertion.excluded[name] for name in rest}, **where
    )


def _forget(connection: Connection, record: Rows) -> None:
    case_id, version = record.case["id"], record.case["version"]
    for table in (EventRow, NoticeRow):
        surplus = (col(table.case_id) == case_id) & (col(table.seq) > version)
        connection.execute(delete(table).where(surplus))
    if record.first_seq == 1:
        connection.execute(delete(CaseEvidenceRow).where(col(CaseEvidenceRow.case_id) == case_id))
