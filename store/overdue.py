"""The supervisor's board: every open case that is late with what it waits for, the longest first, and how many."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from domain.actors import Actor
from domain.case import OPEN, Snapshot
from store.database import reading
from store.pages import Order, page
from store.scope import in_subtree, visible
from store.tables import CaseRow

GroupBy = Literal["unit", "area", "category", "level"]

_COLUMNS: dict[GroupBy, SQLColumnExpression[Any]] = {
    "unit": col(CaseRow.lead_unit),
    "area": col(CaseRow.area),
    "category": col(CaseRow.category),
    "level": col(CaseRow.escalation_level),
}


@dataclass(frozen=True, slots=True)
class Total:
    """`key` is None for cases that wait for a dispatcher, when grouped by unit. Areas are paths."""

    key: str | int | None
    count: int
    longest_since: datetime


@dataclass(frozen=True, slots=True)
class Board:
    """`totals` (the largest first) and `total` count everything asked for, not the page."""

    items: tuple[Snapshot, ...]
    totals: tuple[Total, ...]
    total: int
    next_cursor: str | None


async def overdue(  # noqa: PLR0913 - each is one parameter of the board's address
    engine: AsyncEngine,
    viewer: Actor,
    *,
    area: str | None = None,
    unit: str | None = None,
    group_by: GroupBy = "unit",
    cursor: str | None = None,
    limit: int = 50,
) -> Board:
    """`unit` is the lead. Areas are counted by the level below `area`, or else below the viewer's own."""
    order = Order((col(CaseRow.late_since), col(CaseRow.id)), f"overdue {area} {unit}")
    where = and_(visible(viewer), _late(area, unit))
    base = area if area is not None else viewer.area or ""
    async with reading(engine) as connection:
        rows = await page(connection, order, where, cursor, limit)
        totals = await _totals(connection, where, group_by, base)
    return Board(rows.items, totals, sum(each.count for each in totals), rows.next_cursor)


def _late(area: str | None, unit: str | None) -> ColumnElement[bool]:
    late = and_(col(CaseRow.late_since).is_not(None), col(CaseRow.stage).in_(sorted(OPEN)))
    if area is not None:
        late = and_(late, in_subtree(area))
    return late if unit is None else and_(late, col(CaseRow.lead_unit) == unit)


async def _totals(
    connection: AsyncConnection, where: ColumnElement[bool], group_by: GroupBy, base: str
) -> tuple[Total, ...]:
    column = _COLUMNS[group_by]
    query = select(column, func.count(), func.min(col(CaseRow.late_since))).where(where).group_by(column)
    counted: Iterable[Total] = [Total(*row) for row in (await connection.execute(query)).all()]
    if group_by == "area":
        counted = _merged(counted, lambda path: _child(base, path))
    return tuple(sorted(counted, key=lambda each: (-each.count, each.longest_since)))


def _merged(totals: Iterable[Total], key: Callable[[str], str]) -> Iterable[Total]:
    merged: dict[str, Total] = {}
    for each in totals:
        name = key(str(each.key))
        known = merged.get(name, Total(name, 0, each.longest_since))
        merged[name] = Total(name, known.count + each.count, min(known.longest_since, each.longest_since))
    return merged.values()


def _child(base: str, path: str) -> str:
    """The area one level below `base` in which `path` lies; `path` itself if it is not below."""
    if not path.startswith(f"{base}/"):
        return path
    return f"{base}/{path.removeprefix(f'{base}/').split('/')[0]}"
