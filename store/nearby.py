"""What else there is about a place: open cases that may be the same, the closed one that has come back, and how often.

As far as cases have been written down: one opened a moment ago may be missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import aliased
from sqlmodel import col

from directory.nearby import Spot, around, metres
from domain.case import OPEN, Outcome, Snapshot
from store.database import reading
from store.tables import CaseRow

#: What was put right and may therefore come back.
_PUT_RIGHT = (Outcome.RECTIFIED, Outcome.SELF_HANDLED)
#: Rows looked at, open ones first, then the newest: at a place where there are more, some old one goes unnoticed.
_MOST = 500
#: A chain of recurrences is followed so far back.
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Sought:
    """A report, by what makes another the same: its category, its point or its spot, `reach` metres about.

    `closed_since`: what was put right before has not come back, it is new. `itself` is not to be found, nor, where
    nobody is to be asked, what is open.
    """

    itself: str
    category: str
    point: str | None
    spot: Spot | None
    reach: float
    closed_since: datetime
    open_too: bool = True


class Near(NamedTuple):
    """`metres`: None where only the point is known to be the same."""

    id: str
    metres: float | None


class Surroundings(NamedTuple):
    """`open`: the nearest first. `recurrence_of`: of those put right at that place, the one closed last."""

    open: tuple[Near, ...] = ()
    recurrence_of: str | None = None


class Recurrences(NamedTuple):
    """How often the same came back `after` this case, and in a chain `before` it."""

    after: int
    before: int


async def surroundings(engine: AsyncEngine, sought: Sought) -> Surroundings:
    """By one query; by none where the report has neither."""
    asked = _asked(sought)
    if asked is None:
        return Surroundings()
    async with reading(engine) as connection:
        found = (await connection.execute(*asked)).all()
    near = [(row, there) for row in found if (there := _near(sought, row)) is not None]
    still_open = [there for row, there in near if row.stage in OPEN]
    closed = [row for row, _ in near if row.stage not in OPEN and _same_place(sought, row)]
    latest = max(closed, key=lambda row: (row.closed_at, row.id), default=None)
    return Surroundings(tuple(sorted(still_open, key=_by_distance)), None if latest is None else latest.id)


async def snapshots(engine: AsyncEngine, ids: tuple[str, ...]) -> dict[str, Snapshot]:
    query = select(col(CaseRow.id), col(CaseRow.snapshot)).where(col(CaseRow.id).in_(ids))
    async with reading(engine) as connection:
        found = (await connection.execute(query)).all()
    return {row.id: Snapshot.model_validate_json(row.snapshot) for row in found}


async def recurrences(engine: AsyncEngine, case_id: str, recurrence_of: str | None) -> Recurrences:
    """Of a case, which need not have been written down itself."""
    async with reading(engine) as connection:
        after = await connection.scalar(_AFTER, {"case_id": case_id})
        before = await connection.scalar(_BEFORE, {"case_id": recurrence_of}) if recurrence_of else 0
    return Recurrences(after or 0, before or 0)


def _chain() -> Select[Any]:
    """How many cases hang together backwards from `case_id`, itself included."""
    older = aliased(CaseRow)
    chain = (
        select(col(CaseRow.recurrence_of).label("link"), literal(1).label("depth"))
        .where(col(CaseRow.id) == bindparam("case_id"))
        .cte("chain", recursive=True)
    )
    step = select(col(older.recurrence_of), chain.c.depth + 1).where(col(older.id) == chain.c.link)
    chain = chain.union_all(step.where(chain.c.depth < _DEEPEST))
    return select(func.max(chain.c.depth))


#: Made once: making them takes longer than answering them.
_AFTER = select(func.count()).where(col(CaseRow.recurrence_of) == bindparam("case_id"))
_BEFORE = _chain()


def _asked(sought: Sought) -> tuple[Select[Any], dict[str, Any]] | None:
    """The query and its parameters. None where there is no place to look at."""
    spot = sought.spot if sought.reach > 0 else None
    if sought.point is None and spot is None:
        return None
    given: dict[str, Any] = {"itself": sought.itself, "category": sought.category, "since": sought.closed_since}
    if sought.point is not None:
        given["point"] = sought.point
    if spot is not None:
        given |= around(spot, sought.reach)._asdict()
    return _about(point=sought.point is not None, spot=spot is not None, open_too=sought.open_too), given


@cache
def _about(*, point: bool, spot: bool, open_too: bool) -> Select[Any]:
    """Made once: making it takes longer than answering it."""
    row = CaseRow
    columns: list[Any] = [col(each) for each in (row.id, row.stage, row.point, row.lon, row.lat, row.closed_at)]
    may_matter = and_(col(row.outcome).in_(_PUT_RIGHT), col(row.closed_at) >= bindparam("since"))
    if open_too:
        may_matter = or_(col(row.stage).in_(OPEN), may_matter)
    return (
        select(*columns)
        .where(col(row.category) == bindparam("category"), or_(*_places(point=point, spot=spot)), may_matter)
        .where(col(row.id) != bindparam("itself"))
        .order_by(case((col(row.stage).in_(OPEN), 0), else_=1), col(row.opened_at).desc())
        .limit(_MOST)
    )


def _places(*, point: bool, spot: bool) -> Iterator[ColumnElement[bool]]:
    row = CaseRow
    if point:
        yield col(row.point) == bindparam("point")
    if spot:
        in_latitude = col(row.lat).between(bindparam("south"), bindparam("north"))
        yield and_(in_latitude, col(row.lon).between(bindparam("west"), bindparam("east")))


def _near(sought: Sought, row: Any) -> Near | None:  # noqa: ANN401 - a row of `_about`
    """None for what lies in a corner of the box."""
    apart = None if sought.spot is None or row.lat is None else metres(sought.spot, Spot(row.lon, row.lat))
    at_point = sought.point is not None and row.point == sought.point
    return Near(row.id, apart) if at_point or (apart is not None and apart <= sought.reach) else None


def _same_place(sought: Sought, row: Any) -> bool:  # noqa: ANN401 - likewise
    """Two registered points are two places, however close."""
    return sought.point is None or row.point is None or row.point == sought.point


def _by_distance(near: Near) -> tuple[float, str]:
    return (0.0 if near.metres is None else near.metres, near.id)
