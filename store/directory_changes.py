"""Single changes of the directory: create, change, retire, restore; each is written down, with who did it.

A change is checked and written in one transaction, and one comes after the other: what `directory.changes` was shown is
still so when the change is made. Nothing is read but what the change touches, so that it takes the same time in a city
of 20,000 grids.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from directory import shapes
from directory.changes import (
    MODELS,
    Action,
    Ground,
    Item,
    Kind,
    Reference,
    check,
    check_hand,
    check_retiring,
    new_references,
    references,
    seats,
)
from directory.model import Area, AreaLevel, Point, Unit
from domain.actors import Actor
from domain.errors import NotVisible, Stale
from store import points, tokens
from store.city_tables import AreaRow, CalendarRow, ChangeRow, UnitRow
from store.database import insert, writing
from store.directory import categories_that_stay, count_up, lock, next_ordinal, row
from store.directory_obstacles import obstacles
from store.directory_records import TABLES, Kept, Member, inside, is_retired, record
from store.rows import Row
from store.tables import ChannelRow

_JSON: TypeAdapter[dict[str, Any] | None] = TypeAdapter(dict[str, Any] | None)
_KINDS = {model: kind for kind, model in MODELS.items()}


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where one change is worked on. `at` is in UTC."""

    engine: AsyncEngine
    connection: AsyncConnection
    by: Actor
    at: datetime


async def put(engine: AsyncEngine, item: Item, seen: int | None, by: Actor, at: datetime) -> Kept:
    """Creates it (`seen` is None) or changes the revision `seen`. Whether it is retired stays as it is.

    Stale: somebody was quicker. NotVisible, Invalid, Forbidden, Conflict. LookupError while there is no directory.
    """
    async with _desk(engine, by, at) as desk:
        kept = await record(desk.connection, _KINDS[type(item)], item.id)
        before = _need_seen(kept, seen)
        after = item.model_copy(update={"retired": before is not None and before.retired})
        if kept is not None and before == after:
            return kept
        await _check(desk, before, after)
        return await _write(desk, Action.CREATE if before is None else Action.CHANGE, before, after)


async def retire(engine: AsyncEngine, kind: Kind, name: str, seen: int, by: Actor, at: datetime) -> Kept:  # noqa: PLR0913, PLR0917 - which, and who
    """Conflict, with what stands in the way, while anything in use refers to it. Otherwise as `put`."""
    async with _desk(engine, by, at) as desk:
        kept = await record(desk.connection, kind, name)
        before = _need_seen(kept, seen)
        if kept is None or before is None or before.retired:
            return _need(kept)
        after = before.model_copy(update={"retired": True})
        await _check_hand(desk, before, after)
        check_retiring(before, await obstacles(desk.connection, kind, name))
        if kind is Kind.USER:
            await tokens.end_sessions(desk.connection, name)
        return await _write(desk, Action.RETIRE, before, after)


async def restore(engine: AsyncEngine, kind: Kind, name: str, seen: int, by: Actor, at: datetime) -> Kept:  # noqa: PLR0913, PLR0917 - which, and who
    """As `put`; everything that it refers to has to be in use."""
    async with _desk(engine, by, at) as desk:
        kept = await record(desk.connection, kind, name)
        before = _need_seen(kept, seen)
        if kept is None or before is None or not before.retired:
            return _need(kept)
        after = before.model_copy(update={"retired": False})
        await _check(desk, before, after)
        return await _write(desk, Action.RESTORE, before, after)


@asynccontextmanager
async def _desk(engine: AsyncEngine, by: Actor, at: datetime) -> AsyncIterator[_Desk]:
    async with writing(engine) as connection:
        await lock(connection)
        yield _Desk(engine, connection, by, at)


def _need(kept: Kept | None) -> Kept:
    if kept is None:
        raise NotVisible("record_not_found")
    return kept


def _need_seen(kept: Kept | None, seen: int | None) -> Item | None:
    if seen is None:
        if kept is not None:
            raise Stale("exists_already", given=kept.item.id)
        return None
    if _need(kept).revision != seen:
        raise Stale("changed_since", given=_need(kept).item.id)
    return _need(kept).item


# --- checking ---


async def _check(desk: _Desk, before: Item | None, after: Item) -> None:
    await _check_hand(desk, before, after)
    check(before, after, await _ground(desk, before, after))


async def _check_hand(desk: _Desk, before: Item | None, after: Item) -> None:
    held = [seat for each in (before, after) if each is not None for seat in seats(each)]
    check_hand(desk.by, before, after, [await _path(desk, seat) for seat in held])


async def _path(desk: _Desk, seat: Reference | None) -> str | None:
    if seat is None:
        return None
    area: Any = seat.id
    if seat.kind is Kind.UNIT:
        area = select(Member(col(UnitRow.data), "area")).where(col(UnitRow.id) == seat.id).scalar_subquery()
    found: str | None = await desk.connection.scalar(select(col(AreaRow.path)).where(col(AreaRow.id) == area))
    return found


async def _ground(desk: _Desk, before: Item | None, after: Item) -> Ground:
    states = {each: await _in_use(desk, each) for each in new_references(before, after)}
    in_use = {each: state for each, state in states.items() if state is not None}
    if isinstance(after, Area):
        return await _ground_of_area(desk, after, in_use)
    above = await _units_above(desk, after.parent) if isinstance(after, Unit) else ()
    return Ground(in_use, above)


async def _in_use(desk: _Desk, wanted: Reference) -> bool | None:
    """None: it is not there."""
    if wanted.kind in TABLES:
        query = select(is_retired(wanted.kind)).where(col(TABLES[wanted.kind].id) == wanted.id)
        retired = await desk.connection.scalar(query)
        return None if retired is None else not retired
    if wanted.kind is Kind.CALENDAR:
        here = select(col(CalendarRow.id)).where(col(CalendarRow.id) == wanted.id).limit(1)
        return await desk.connection.scalar(here) is not None or None
    categories = await categories_that_stay(desk.connection, desk.at)
    known = {
        Kind.CATEGORY: {each.code for each in categories},
        Kind.CONDITION: {one.id for each in categories for one in each.conditions},
        Kind.PLACE_TYPE: {place for each in categories for place in each.place_types},
    }
    return wanted.id in known[wanted.kind] or None


async def _ground_of_area(desk: _Desk, area: Area, in_use: dict[Reference, bool]) -> Ground:
    level, data = Member(col(AreaRow.data), "level"), col(AreaRow.data)
    below = await desk.connection.scalars(select(level).where(Member(data, "parent") == area.id))
    kinds = frozenset(AreaLevel(each) for each in below)
    if area.parent is None:
        root = await desk.connection.scalar(select(col(AreaRow.id)).where(Member(data, "parent").is_(None)).limit(1))
        return Ground(in_use, below=kinds, root=root)
    query = select(col(AreaRow.path), level).where(col(AreaRow.id) == area.parent)
    parent = (await desk.connection.execute(query)).first()
    if parent is None:
        return Ground(in_use, below=kinds)
    return Ground(in_use, tuple(reversed(parent[0].strip("/").split("/"))), AreaLevel(parent[1]), kinds)


async def _units_above(desk: _Desk, unit: str | None) -> tuple[str, ...]:
    parent = Member(col(UnitRow.data), "parent")
    chain: dict[str, None] = {}
    while unit is not None and unit not in chain:
        chain[unit] = None
        unit = await desk.connection.scalar(select(parent).where(col(UnitRow.id) == unit))
    return tuple(chain)


# --- writing ---


async def _write(desk: _Desk, action: Action, before: Item | None, after: Item) -> Kept:
    revision = await count_up(desk.engine, desk.connection)
    kind = _KINDS[type(after)]
    values = await _row(desk, after, revision)
    if isinstance(before, Area):
        await _move(desk, before, values["path"])
    table = TABLES[kind]
    if before is None:
        ordinal = {} if isinstance(after, Point) else {"ordinal": await next_ordinal(desk.connection, table)}
        await desk.connection.execute(insert(desk.engine, table), {**values, **ordinal})
    else:
        await desk.connection.execute(update(table).where(col(table.id) == after.id).values(values))
    entry = {"at": desk.at, "by": desk.by.user, "action": action.value, "kind": kind.value, "record": after.id}
    told = {"before": _told(before, after), "after": _told(after, before)}
    await desk.connection.execute(insert(desk.engine, ChangeRow), {**entry, **told})
    return Kept(after, revision)


async def _row(desk: _Desk, item: Item, revision: int) -> Row:
    if isinstance(item, Point):
        return points.row(item, revision)
    if not isinstance(item, Area):
        return row(item, revision)
    above = await _path(desk, next((each for each in references(item) if each.field == "parent"), None))
    return row(item, revision, path=f"{above or ''}/{item.id}")


async def _move(desk: _Desk, area: Area, path: str) -> None:
    """What lies in the area comes along, and the channels for it; its cases keep the path they were opened with."""
    old = await _path(desk, Reference("id", Kind.AREA, area.id))
    if old is None or old == path:
        return
    of_channel = col(ChannelRow.area)
    in_it = or_(of_channel == old, of_channel.startswith(f"{old}/"))
    here, cut = col(AreaRow.path), len(old) + 1
    await desk.connection.execute(update(AreaRow).where(inside(old)).values(path=path + func.substr(here, cut)))
    await desk.connection.execute(update(ChannelRow).where(in_it).values(area=path + func.substr(of_channel, cut)))


def _told(item: Item | None, other: Item | None) -> str:
    """As JSON; of an area with its shape as GeoJSON, where that changes."""
    if item is None:
        return "null"
    said = item.model_dump(mode="json", exclude={"shape"})
    if isinstance(item, Area) and item.shape != (other.shape if isinstance(other, Area) else None):
        said["geometry"] = None if item.shape is None else shapes.to_geojson(item.shape)
    return _JSON.dump_json(said).decode()
