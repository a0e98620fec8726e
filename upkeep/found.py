"""What the read model says of some cases, as it stands there, right or wrong."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel, col

from domain.case import ENDED, Snapshot
from domain.events import Event
from store.database import reading
from store.rows import Row
from store.tables import CaseEvidenceRow, CaseRow, CaseUnitRow, EventRow, NoticeRow, RulebookRow

#: Events after which nothing can happen any more.
_LAST = {"CaseArchived", "CaseDismissed", "CaseWithdrawn", "CaseForceClosed", "CaseImported"}


@dataclass(frozen=True, slots=True)
class Found:
    """`rules`: those digests of the cases' rules that are written down."""

    case: Row | None = None
    units: Sequence[Row] = ()
    events: Sequence[Row] = ()
    notices: Sequence[Row] = ()
    photos: Sequence[Row] = ()
    rules: frozenset[str] = field(default_factory=frozenset)

    def snapshot(self) -> Snapshot | None:
        """None too if it cannot be read."""
        if self.case is None:
            return None
        try:
            return Snapshot.model_validate_json(self.case["snapshot"])
        except ValidationError:
            return None

    def has_ended(self) -> bool:
        """Whether anything here says that this is an archived case: then it must never be removed."""
        snapshot = self.snapshot()
        stages = {self.case["stage"] if self.case else None, snapshot.stage if snapshot else None}
        return bool(stages & ENDED) or any(event["type"] in _LAST for event in self.events)


def readable(row: Row) -> Event | None:
    try:
        return Event.model_validate_json(row["data"])
    except ValidationError:
        return None


async def running(database: AsyncEngine) -> set[str]:
    """Ids of the cases that are written down as running."""
    async with reading(database) as connection:
        return set(await connection.scalars(select(col(CaseRow.id)).where(col(CaseRow.running))))


async def found(database: AsyncEngine, ids: Sequence[str]) -> dict[str, Found]:
    """For every id, in one view of the database."""
    async with reading(database) as connection:
        cases = await _by_case(connection, CaseRow, ids, key="id")
        units = await _by_case(connection, CaseUnitRow, ids)
        events = await _by_case(connection, EventRow, ids)
        notices = await _by_case(connection, NoticeRow, ids)
        photos = await _by_case(connection, CaseEvidenceRow, ids)
        wanted = {row["rules"] for rows in cases.values() for row in rows}
        rules = frozenset(
            await connection.scalars(select(col(RulebookRow.digest)).where(col(RulebookRow.digest).in_(wanted)))
        )
    return {
        each: Found(next(iter(cases[each]), None), units[each], events[each], notices[each], photos[each], rules)
        for each in ids
    }


async def _by_case(
    connection: AsyncConnection, table: type[SQLModel], ids: Iterable[str], key: str = "case_id"
) -> defaultdict[str, list[Row]]:
    column: Any = getattr(table, key)
    columns = [getattr(table, name) for name in table.model_fields]
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in (await connection.execute(select(*columns).where(col(column).in_(ids)))).mappings():
        rows[row[key]].append(dict(row))
    return rows
