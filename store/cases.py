"""Cases as they were last written down. While a case runs its workflow is the truth; this is what lists show."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, Select, and_, exists, func, literal_column, not_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from domain.actors import Actor, Role
from domain.base import Value
from domain.case import RUNNING, Snapshot, Stage
from domain.events import Event
from domain.policy import Rules
from domain.text import Name
from store import text_index
from store.database import reading
from store.pages import Order, Page, page
from store.rows import words
from store.scope import answers, in_subtree, visible
from store.tables import CaseRow, CaseUnitRow, EventRow, RulebookRow

Sort = Literal["opened_at", "-opened_at", "due_at", "-due_at", "updated_at", "-updated_at"]

#: Rules are named by their content, so what was read once is right for ever. A city has some dozens of them.
_RULES: dict[str, Rules] = {}
_RULES_KEPT = 256

#: Cases counted to see which of two kinds is the rarer.
_OF_LATE = 300


class CaseFilter(Value):
    """What a list asks for; left out means any. By `due_at`, cases without a deadline stand as if due last of all.

    `unit`: lead or co-unit. `area`: path of a subtree. `overdue`: the mark that stays. `recurrent`: had been put right
    there before. `provisional`: due in a year whose holidays are not official yet. `level`: at least that of
    escalation. `q`: part of the number, the reference, the description or the address. `opened_to` is excluded.
    """

    stages: tuple[Stage, ...] = ()
    unit: Name | None = None
    area: Name | None = None
    category: Name | None = None
    overdue: bool | None = None
    recurrent: bool | None = None
    provisional: bool | None = None
    level: int | None = None
    q: Name | None = None
    opened_from: AwareDatetime | None = None
    opened_to: AwareDatetime | None = None
    sort: Sort = "-opened_at"


async def get(engine: AsyncEngine, case_id: str) -> Snapshot | None:
    async with reading(engine) as connection:
        found = await connection.scalar(select(col(CaseRow.snapshot)).where(col(CaseRow.id) == case_id))
    return None if found is None else Snapshot.model_validate_json(found)


async def known(engine: AsyncEngine, ids: Collection[str]) -> set[str]:
    """Those of the ids that stand for a case written down here."""
    async with reading(engine) as connection:
        return set(await connection.scalars(select(col(CaseRow.id)).where(col(CaseRow.id).in_(ids))))


async def rules(engine: AsyncEngine, digest: str) -> Rules | None:
    if digest not in _RULES:
        query = select(col(RulebookRow.data)).where(col(RulebookRow.digest) == digest)
        async with reading(engine) as connection:
            found = await connection.scalar(query)
        if found is None:
            return None
        if len(_RULES) >= _RULES_KEPT:
            _RULES.clear()
        _RULES[digest] = Rules.model_validate_json(found)
    return _RULES[digest]


async def events(engine: AsyncEngine, case_id: str) -> tuple[tuple[int, Event], ...]:
    """With their positions in the feed, in the order in which they happened."""
    query = select(col(EventRow.position), col(EventRow.data)).where(col(EventRow.case_id) == case_id)
    async with reading(engine) as connection:
        found = (await connection.execute(query.order_by(col(EventRow.seq)))).all()
    return tuple((position or 0, Event.model_validate_json(data)) for position, data in found)


async def by_command(engine: AsyncEngine, command_id: str) -> tuple[str, int] | None:
    """Case and number of the first event that the command caused."""
    query = select(col(EventRow.case_id), col(EventRow.seq)).where(col(EventRow.command_id) == command_id)
    async with reading(engine) as connection:
        found = (await connection.execute(query.order_by(col(EventRow.position)).limit(1))).first()
    return None if found is None else (found.case_id, found.seq)


async def search(
    engine: AsyncEngine, wanted: CaseFilter, viewer: Actor, cursor: str | None = None, limit: int = 50
) -> Page:
    """What the viewer may see of it. ValueError for a cursor of another list."""
    where = and_(visible(viewer), *_conditions(wanted))
    async with reading(engine) as connection:
        if wanted.q is not None:
            sought = words(wanted.q)
            where = and_(where, text_index.contains(connection.dialect.name, sought))
            few = await text_index.among_few(connection, sought)
            if few is not None:
                where = and_(where, col(CaseRow.id).in_(few), _with_unit(wanted))
                return await page(connection, _order(wanted, CaseRow), where, cursor, limit, few=True)
        unit = await _by_unit(connection, wanted, viewer)
        if unit is not None:
            return await page(
                connection, _order(wanted, CaseUnitRow), and_(where, _answered(wanted, unit)), cursor, limit
            )
        few = await _of_few(connection, wanted)
        where = and_(where, _with_unit(wanted) if few is None else col(CaseRow.id).in_(few))
        return await page(connection, _order(wanted, CaseRow), where, cursor, limit, few=few is not None)


def _order(wanted: CaseFilter, table: type[CaseRow | CaseUnitRow]) -> Order:
    """By the columns of `table`; the same cursors, whichever it is."""
    identity = col(CaseRow.id) if table is CaseRow else col(CaseUnitRow.case_id)
    key = (col(getattr(table, wanted.sort.lstrip("-"))), identity)
    return Order(key, f"cases {wanted.model_dump_json()}", descending=wanted.sort.startswith("-"))


async def _by_unit(connection: AsyncConnection, wanted: CaseFilter, viewer: Actor) -> str | None:
    """The unit whose cases, in the order in which they were opened, hold all that is wanted; None if there is none."""
    if wanted.provisional or wanted.sort.lstrip("-") != "opened_at":  # few are provisional, and an index has them
        return None
    unit = wanted.unit or await _own_unit(connection, viewer)
    if wanted.recurrent and unit is not None and await _outnumbers_recurrent(connection, unit):
        return None
    return unit


async def _own_unit(connection: AsyncConnection, viewer: Actor) -> str | None:
    """None for who sees more, or other cases, than those of a unit."""
    if viewer.role is not Role.UNIT:
        return None
    reported = exists().where(col(CaseRow.reporter) == viewer.user)
    return None if await connection.scalar(select(reported)) else viewer.unit


async def _outnumbers_recurrent(connection: AsyncConnection, unit: str) -> bool:
    """Whether of late more cases were the unit's than recurrent: these are then the shorter way, by their own index."""
    recurrent = select(col(CaseRow.opened_at)).where(col(CaseRow.recurrence_of).is_not(None))
    latest = recurrent.order_by(col(CaseRow.opened_at).desc(), col(CaseRow.id).desc())
    since = await connection.scalar(latest.offset(_OF_LATE).limit(1))
    if since is None:
        return True
    mine = and_(col(CaseUnitRow.unit) == unit, col(CaseUnitRow.opened_at) >= since)
    counted = select(col(CaseUnitRow.case_id)).where(mine).limit(_OF_LATE + 1).subquery()
    return (await connection.scalar(select(func.count()).select_from(counted)) or 0) > _OF_LATE


def _answered(wanted: CaseFilter, unit: str) -> ColumnElement[bool]:
    """Said of `case_units`, so that its indexes begin."""
    mine = and_(col(CaseUnitRow.unit) == unit, col(CaseUnitRow.case_id) == col(CaseRow.id))
    return mine if wanted.category is None else and_(mine, col(CaseUnitRow.category) == wanted.category)


async def _of_few(connection: AsyncConnection, wanted: CaseFilter) -> Select[str] | None:
    """The ids of the unit's cases, if these are few; else they are soon met in any order."""
    running = wanted.stages and RUNNING.issuperset(wanted.stages)
    if wanted.unit is None or running:
        return None
    ids = select(col(CaseUnitRow.case_id)).where(col(CaseUnitRow.unit) == wanted.unit)
    counted = select(func.count()).select_from(ids.limit(text_index.FEW + 1).subquery())
    return ids if (await connection.scalar(counted) or 0) <= text_index.FEW else None


def _with_unit(wanted: CaseFilter) -> ColumnElement[bool]:
    return true() if wanted.unit is None else answers(wanted.unit)


def _conditions(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    row = CaseRow
    possible: tuple[tuple[object, ColumnElement[bool]], ...] = (
        (wanted.stages, col(row.stage).in_(wanted.stages)),
        (wanted.area, in_subtree(wanted.area or "")),
        (wanted.category, col(row.category) == wanted.category),
        (wanted.level, col(row.escalation_level) >= (wanted.level or 0)),
    )
    asked = [condition for value, condition in possible if value]
    if wanted.level:
        asked.append(col(row.escalation_level) > literal_column("0"))  # as its index says it
    if wanted.overdue is not None:
        asked.append(col(row.overdue).is_(wanted.overdue))
    if wanted.recurrent is not None:
        link = col(row.recurrence_of)
        asked.append(link.is_not(None) if wanted.recurrent else link.is_(None))
    if wanted.provisional is not None:
        mark = and_(col(row.provisional))  # as its index says it
        asked.append(mark if wanted.provisional else not_(mark))
    return [*asked, *_indexed_stages(wanted), *_opened(wanted.opened_from, wanted.opened_to)]


def _indexed_stages(wanted: CaseFilter) -> Iterator[ColumnElement[bool]]:
    """What follows from the stages, said as one of their indexes says it. As both, it would be taken for rare."""
    if not wanted.stages or Stage.ARCHIVED in wanted.stages:
        return
    by_opening = len(wanted.stages) == 1 and wanted.sort.endswith("opened_at")
    if RUNNING.issuperset(wanted.stages) and not by_opening:
        yield and_(col(CaseRow.running))
    else:
        yield col(CaseRow.stage) != literal_column("'archived'")


def _opened(since: datetime | None, before: datetime | None) -> list[ColumnElement[bool]]:
    bounds = []
    if since is not None:
        bounds.append(col(CaseRow.opened_at) >= since)
    if before is not None:
        bounds.append(col(CaseRow.opened_at) < before)
    return bounds
