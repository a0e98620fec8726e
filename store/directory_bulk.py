"""Many changes of the directory at once: all of them or none, one version further, each in the log."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from directory.changes import Action, Item, Kind
from directory.model import Area, Catalogue, Category, Directory, Point
from domain.calendar import Calendar
from domain.case import Stage
from domain.policy import Ladder, Policy
from store import directory as stored
from store import points
from store.city_tables import (
    AreaRow,
    CalendarRow,
    CatalogueRow,
    CategoryRow,
    ChangeRow,
    RoutingTableRow,
    SettingRow,
    UnitRow,
    UserRow,
)
from store.database import insert, reading, writing
from store.directory_records import Member
from store.rows import Row
from store.tables import CaseRow, CaseUnitRow, ChannelRow

_TABLES: Mapping[Kind, Any] = {
    Kind.AREA: AreaRow,
    Kind.UNIT: UnitRow,
    Kind.USER: UserRow,
    Kind.ROUTING: RoutingTableRow,
}
_AT_ONCE = 1000
_NOTHING = "null"


class Outdated(Exception):
    """The directory was changed since it was looked at."""


class Change(NamedTuple):
    kind: Kind
    action: Action
    id: str
    before: Item | None
    after: Item


@dataclass(frozen=True, slots=True)
class Bulk:
    """`base`: the version that it was made for, 0 where there was no directory; then `rules` come into force with it.

    `edition`: the categories are a new one. `moved`: areas whose path is another one now,
    by the one they had; the channels for them come along.
    """

    base: int
    after: Directory
    changes: Sequence[Change]
    edition: Catalogue | None = None
    moved: Mapping[str, Area] = field(default_factory=dict)
    rules: tuple[Calendar, Policy, Ladder] | None = None


async def write(engine: AsyncEngine, bulk: Bulk, by: str, now: datetime) -> int:
    """The new version. Raises Outdated, and then nothing is written."""
    async with writing(engine) as connection:
        if bulk.rules is not None:
            version = await stored.save_in(engine, connection, bulk.after, bulk.rules)
        else:
            version = await stored.count_up(engine, connection)
            await _records(engine, connection, bulk, version)
        if version != bulk.base + 1:
            raise Outdated
        placed = (each.after for each in bulk.changes if isinstance(each.after, Point))
        await points.put_in(engine, connection, placed, version)
        await _log(engine, connection, bulk.changes, by, now)
    return version


async def everything(engine: AsyncEngine) -> tuple[Directory | None, dict[str, Point]]:
    """Also what is retired. The one is of a version, the other of about the same moment: `write` compares."""
    try:
        found = await stored.load(engine)
    except LookupError:
        return None, {}
    return found, {point.id: point async for point in points.every(engine)}


async def calendars(engine: AsyncEngine) -> frozenset[str]:
    async with reading(engine) as connection:
        return frozenset(await connection.scalars(select(col(CalendarRow.id)).distinct()))


async def running_cases(engine: AsyncEngine) -> list[tuple[str, frozenset[str]]]:
    """Of each the path of its area, and its units: who leads, who helps, and who will once it is verified."""
    row, part = CaseRow, CaseUnitRow
    meant = Member(col(row.snapshot), "proposed_unit")
    cases = select(col(row.id), col(row.area), meant, col(row.stage)).where(col(row.running))
    parts = select(col(part.case_id), col(part.unit)).join(row, col(row.id) == col(part.case_id))
    units: dict[str, set[str]] = {}
    async with reading(engine) as connection:
        for case_id, unit in await connection.execute(parts.where(col(row.running))):
            units.setdefault(case_id, set()).add(unit)
        found = list(await connection.execute(cases))
        for case_id, _, unit, stage in found:
            if unit is not None and stage == Stage.INTAKE.value:
                units.setdefault(case_id, set()).add(unit)
    return [(area, frozenset(units.get(case_id, ()))) for case_id, area, *_ in found]


async def cases_in(engine: AsyncEngine, path: str) -> int:
    """In the area of that path and below it, archived ones too. `0` is the character that follows `/`."""
    area = col(CaseRow.area)
    inside = (area == path) | ((area >= f"{path}/") & (area < f"{path}0"))
    async with reading(engine) as connection:
        return await connection.scalar(select(func.count()).select_from(CaseRow).where(inside)) or 0


async def _records(engine: AsyncEngine, connection: AsyncConnection, bulk: Bulk, version: int) -> None:
    changed: dict[Kind, dict[str, Item]] = {kind: {} for kind in _TABLES}
    for each in bulk.changes:
        if each.kind in changed:
            changed[each.kind][each.id] = each.after
    for path, area in bulk.moved.items():
        changed[Kind.AREA].setdefault(area.id, area)
        channels = update(ChannelRow).where(col(ChannelRow.area) == path)
        await connection.execute(channels.values(area=bulk.after.path(area.id)))
    for kind, items in changed.items():
        await _put(engine, connection, kind, _rows(items.values(), bulk.after, version))
    if bulk.edition is not None:
        await _publish(engine, connection, bulk.edition, bulk.after.categories)
    await _name_city(engine, connection, bulk.after)


def _rows(items: Iterable[Any], after: Directory, version: int) -> Iterable[Row]:
    for item in items:
        path = {"path": after.path(item.id)} if isinstance(item, Area) else {}
        yield stored.row(item, version, **path)


async def _put(engine: AsyncEngine, connection: AsyncConnection, kind: Kind, rows: Iterable[Row]) -> None:
    """In place of those of the same ids, which keep their `ordinal`."""
    table, rest = _TABLES[kind], iter(rows)
    ordinal = await stored.next_ordinal(connection, table)
    while some := list(islice(rest, _AT_ONCE)):
        numbered = [{**row, "ordinal": nth} for nth, row in enumerate(some, start=ordinal)]
        ordinal += len(some)
        new = insert(engine, table)
        changing = {name: getattr(new.excluded, name) for name in some[0] if name != "id"}
        await connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=changing), numbered)


async def _publish(
    engine: AsyncEngine, connection: AsyncConnection, catalogue: Catalogue, categories: Sequence[Category]
) -> None:
    values = {**catalogue.model_dump(), "published_at": catalogue.valid_from}
    await connection.execute(insert(engine, CatalogueRow), values)
    edition = {"scheme": catalogue.scheme, "version": catalogue.version}
    rows = [
        {**edition, "code": each.code, "ordinal": nth, "data": each.model_dump_json()}
        for nth, each in enumerate(categories)
    ]
    await connection.execute(insert(engine, CategoryRow), rows)


async def _name_city(engine: AsyncEngine, connection: AsyncConnection, after: Directory) -> None:
    new = insert(engine, SettingRow)
    upsert = new.on_conflict_do_update(index_elements=["key"], set_={"value": new.excluded.value})
    names = ("city_zh", "city_en")
    await connection.execute(upsert, [{"key": name, "value": getattr(after, name)} for name in names])


async def _log(
    engine: AsyncEngine, connection: AsyncConnection, changes: Sequence[Change], by: str, now: datetime
) -> None:
    new = insert(engine, ChangeRow)
    rest = iter(changes)
    while some := list(islice(rest, _AT_ONCE)):
        await connection.execute(new, [_logged(each, by, now) for each in some])


def _logged(change: Change, by: str, now: datetime) -> Row:
    return {
        "at": now,
        "by": by,
        "action": change.action.value,
        "kind": change.kind.value,
        "record": change.id,
        "before": _NOTHING if change.before is None else _json(change.before),
        "after": _json(change.after),
    }


def _json(item: Item) -> str:
    return item.model_dump_json(exclude={"shape"})
