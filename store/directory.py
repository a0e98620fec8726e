"""The directory and the rules in force, kept between runs.

A directory is saved whole, for it is only right as a whole; single areas and units may be added to it, and single
records changed: `store/directory_changes.py`. Every change counts its version up, so that a process can tell cheaply
whether what it holds is still right; a record's `revision` is the version that it was last changed by. Calendars,
policies and ladders are never changed, only followed by a next version.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Delete, and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel, col

from directory.model import Area, Catalogue, Category, Directory, RoutingRow, Unit, User
from domain.calendar import Calendar
from domain.policy import Ladder, Policy
from store.city_tables import (
    AreaRow,
    CalendarRow,
    CatalogueRow,
    CategoryRow,
    PolicyRow,
    RoutingTableRow,
    SettingRow,
    UnitRow,
    UserRow,
)
from store.database import insert, reading, writing
from store.rows import Row

_log = structlog.get_logger()

_VERSION = "directory_version"
_CITY = ("city_zh", "city_en", "zone")
#: Of rows in one statement: PostgreSQL takes 65,535 parameters at most.
_AT_ONCE = 1000
_SHOWN = 20


async def is_empty(engine: AsyncEngine) -> bool:
    return await version(engine) == 0


async def version(engine: AsyncEngine) -> int:
    """Counts every change; 0 while there is no directory."""
    async with reading(engine) as connection:
        return await _version(connection)


async def save(engine: AsyncEngine, directory: Directory, calendar: Calendar, policy: Policy, ladder: Ladder) -> int:
    """In place of whatever was there; gives the new version. The rules come into force for cases opened from now on.

    ValueError if a calendar, policy or ladder of that id and version is there and says something else.
    """
    async with writing(engine) as connection:
        return await save_in(engine, connection, directory, (calendar, policy, ladder))


async def save_in(
    engine: AsyncEngine, connection: AsyncConnection, directory: Directory, rules: tuple[Calendar, Policy, Ladder]
) -> int:
    """`save` in somebody's transaction."""
    following = await count_up(engine, connection)
    await _replace(engine, connection, directory, following)
    calendar, policy, ladder = rules
    await _keep_calendar(engine, connection, calendar)
    await _keep_policy(engine, connection, "policy", policy)
    await _keep_policy(engine, connection, "ladder", ladder)
    city = {name: str(getattr(directory, name)) for name in _CITY}
    await _set(engine, connection, city | {"calendar": calendar.id})
    return following


async def load(engine: AsyncEngine, now: datetime | None = None) -> Directory:
    """With the edition of the catalogue that is in force at `now`. LookupError while there is none."""
    async with reading(engine) as connection:
        settings = await _settings(connection)
        if _VERSION not in settings:
            raise LookupError("there is no directory yet")
        catalogue = await _catalogue(connection, now or datetime.now(UTC))
        categories = await _categories(connection, catalogue)
        fields = {name: settings[name] for name in _CITY} | {
            "version": int(settings[_VERSION]),
            "areas": await _areas(connection),
            "units": await _records(connection, UnitRow, Unit),
            "users": await _records(connection, UserRow, User),
            "catalogue": catalogue,
            "categories": categories,
            "routing": await _routing(connection, categories),
        }
    return await asyncio.to_thread(Directory.model_validate, fields)


async def current_rules(engine: AsyncEngine) -> tuple[Policy, Ladder, Calendar]:
    """What a case opened now is judged by. LookupError while there is nothing."""
    async with reading(engine) as connection:
        settings = await _settings(connection)
        if "calendar" not in settings:
            raise LookupError("there are no rules yet")
        policy = await _policy(connection, "policy", settings["policy"])
        ladder = await _policy(connection, "ladder", settings["ladder"])
        calendar = await _calendar(connection, settings["calendar"])
    return (
        Policy.model_validate_json(policy),
        Ladder.model_validate_json(ladder),
        Calendar.model_validate_json(calendar),
    )


async def add_area(engine: AsyncEngine, area: Area) -> None:
    """Does nothing if there is an area of that id. LookupError if its parent is not there."""
    async with writing(engine) as connection:
        parent = await connection.scalar(select(col(AreaRow.path)).where(col(AreaRow.id) == area.parent))
        if parent is None and area.parent is not None:
            raise LookupError(f"there is no area {area.parent}")
        await _add(engine, connection, AreaRow, row(area, 0, path=f"{parent or ''}/{area.id}"))


async def add_unit(engine: AsyncEngine, unit: Unit) -> None:
    """Does nothing if there is a unit of that id. LookupError if its area is not there."""
    async with writing(engine) as connection:
        if await connection.scalar(select(col(AreaRow.id)).where(col(AreaRow.id) == unit.area)) is None:
            raise LookupError(f"there is no area {unit.area}")
        await _add(engine, connection, UnitRow, row(unit, 0))


def row(record: Area | Unit | User | RoutingRow, revision: int, **columns: object) -> Row:
    """Without its `ordinal`; an area's wants its `path` as well."""
    if isinstance(record, Area):
        columns["shape"] = record.shape
    elif isinstance(record, User):
        columns |= {name: getattr(record, name) for name in ("role", "unit", "area", "retired")}
    return {"id": record.id, "revision": revision, "data": record.model_dump_json(exclude={"shape"}), **columns}


def _category(category: Category, catalogue: Catalogue) -> Row:
    edition = {"scheme": catalogue.scheme, "version": catalogue.version}
    return {**edition, "code": category.code, "data": category.model_dump_json()}


async def _replace(engine: AsyncEngine, connection: AsyncConnection, directory: Directory, revision: int) -> None:
    rows: dict[type[SQLModel], Iterable[Row]] = {
        AreaRow: (row(area, revision, path=directory.path(area.id)) for area in directory.areas),
        UnitRow: (row(unit, revision) for unit in directory.units),
        UserRow: (row(user, revision) for user in directory.users),
        CategoryRow: (_category(category, directory.catalogue) for category in directory.categories),
        RoutingTableRow: (row(each, revision) for each in directory.routing),
    }
    for table, new in rows.items():
        await connection.execute(_old(table, directory.catalogue))
        numbered = [{**each, "ordinal": ordinal} for ordinal, each in enumerate(new)]
        for start in range(0, len(numbered), _AT_ONCE):
            await connection.execute(insert(engine, table), numbered[start : start + _AT_ONCE])
    await _keep_catalogue(engine, connection, directory.catalogue)


def _old(table: type[SQLModel], catalogue: Catalogue) -> Delete:
    """Earlier editions of the catalogue stay."""
    if table is not CategoryRow:
        return delete(table)
    return delete(CategoryRow).where(_of_edition(catalogue))


def _of_edition(catalogue: Catalogue) -> ColumnElement[bool]:
    row = CategoryRow
    return and_(col(row.scheme) == catalogue.scheme, col(row.version) == catalogue.version)


async def _add(engine: AsyncEngine, connection: AsyncConnection, table: type[AreaRow | UnitRow], new: Row) -> None:
    here = await connection.scalar(select(col(table.id)).where(col(table.id) == new["id"]))
    if here is None:
        revision = await count_up(engine, connection)
        values = {**new, "revision": revision, "ordinal": await next_ordinal(connection, table)}
        await connection.execute(insert(engine, table).on_conflict_do_nothing(), values)


async def next_ordinal(connection: AsyncConnection, table: type[AreaRow | UnitRow | UserRow | RoutingTableRow]) -> int:
    return (await connection.scalar(select(func.max(col(table.ordinal)))) or 0) + 1


async def _areas(connection: AsyncConnection) -> list[Area]:
    found = await connection.execute(select(col(AreaRow.data), col(AreaRow.shape)).order_by(col(AreaRow.ordinal)))
    return await asyncio.to_thread(lambda: [_area(data, shape) for data, shape in found])


def _area(data: str, shape: bytes | None) -> Area:
    """There are 20,000 of them: a copy of a validated one would take three times as long."""
    return Area.model_validate({**orjson.loads(data), "shape": shape})


async def _routing(connection: AsyncConnection, categories: Sequence[Category]) -> list[RoutingRow]:
    """A row that names what this edition lacks counts as retired: better one problem for a dispatcher than no city."""
    codes = {None, *(category.code for category in categories)}
    conditions = {None, *(condition.id for category in categories for condition in category.conditions)}
    found = await connection.scalars(select(col(RoutingTableRow.data)).order_by(col(RoutingTableRow.ordinal)))
    rows = [RoutingRow.model_validate_json(data) for data in found]
    hanging = {row.id for row in rows if row.category not in codes or row.condition not in conditions}
    if hanging - {row.id for row in rows if row.retired}:
        _log.warning("routing_rows_left_hanging", rows=sorted(hanging)[:_SHOWN], count=len(hanging))
    return [row.model_copy(update={"retired": True}) if row.id in hanging else row for row in rows]


async def _editions(connection: AsyncConnection) -> list[Catalogue]:
    query = select(col(CatalogueRow.scheme), col(CatalogueRow.version), col(CatalogueRow.valid_from))
    return [Catalogue(scheme=one, version=two, valid_from=at) for one, two, at in await connection.execute(query)]


async def _catalogue(connection: AsyncConnection, now: datetime) -> Catalogue:
    """The latest that is in force; of those that are not yet, the first, if there is no other."""
    ordered = sorted(await _editions(connection), key=lambda each: (each.valid_from, each.version))
    return next((each for each in reversed(ordered) if each.valid_from <= now), (ordered or [Catalogue()])[0])


async def categories_that_stay(connection: AsyncConnection, now: datetime) -> list[Category]:
    """What of the edition in force, categories and conditions, every edition that waits for its day has as well."""
    current = await _catalogue(connection, now)
    staying = await _categories(connection, current)
    for edition in await _editions(connection):
        if edition.valid_from > max(now, current.valid_from):
            later = {each.code: {one.id for one in each.conditions} for each in await _categories(connection, edition)}
            staying = [_with_only(each, later[each.code]) for each in staying if each.code in later]
    return staying


def _with_only(category: Category, conditions: set[str]) -> Category:
    return category.model_copy(
        update={"conditions": tuple(each for each in category.conditions if each.id in conditions)}
    )


async def _categories(connection: AsyncConnection, catalogue: Catalogue) -> list[Category]:
    query = select(col(CategoryRow.data)).where(_of_edition(catalogue)).order_by(col(CategoryRow.ordinal))
    return [Category.model_validate_json(data) for data in await connection.scalars(query)]


async def _keep_catalogue(engine: AsyncEngine, connection: AsyncConnection, catalogue: Catalogue) -> None:
    values = {**catalogue.model_dump(), "published_at": datetime.now(UTC)}
    new = insert(engine, CatalogueRow)
    upsert = new.on_conflict_do_update(
        index_elements=["scheme", "version"], set_={"valid_from": new.excluded.valid_from}
    )
    await connection.execute(upsert, values)


async def _records(connection: AsyncConnection, table: Any, record: type[BaseModel]) -> Sequence[BaseModel]:  # noqa: ANN401 - any table with `ordinal` and `data`
    found = await connection.scalars(select(col(table.data)).order_by(col(table.ordinal)))
    return [record.model_validate_json(data) for data in found]


async def _settings(connection: AsyncConnection) -> dict[str, str]:
    found = await connection.execute(select(col(SettingRow.key), col(SettingRow.value)))
    return {key: value for key, value in found}  # noqa: C416 - dict() does not know that a Row is a pair


async def _set(engine: AsyncEngine, connection: AsyncConnection, values: dict[str, str]) -> None:
    new = insert(engine, SettingRow)
    upsert = new.on_conflict_do_update(index_elements=["key"], set_={"value": new.excluded.value})
    await connection.execute(upsert, [{"key": key, "value": value} for key, value in values.items()])


async def _version(connection: AsyncConnection) -> int:
    found = await connection.scalar(select(col(SettingRow.value)).where(col(SettingRow.key) == _VERSION))
    return int(found or 0)


async def lock(connection: AsyncConnection) -> None:
    """To the end of the transaction nobody else changes the directory. LookupError while there is none."""
    held = select(col(SettingRow.key)).where(col(SettingRow.key) == _VERSION).with_for_update()
    if await connection.scalar(held) is None:
        raise LookupError("there is no directory yet")


async def count_up(engine: AsyncEngine, connection: AsyncConnection) -> int:
    """The new version. From here to the end of the transaction nobody else changes the directory."""
    await connection.execute(select(col(SettingRow.key)).where(col(SettingRow.key) == _VERSION).with_for_update())
    following = await _version(connection) + 1
    await _set(engine, connection, {_VERSION: str(following)})
    return following


async def _keep_calendar(engine: AsyncEngine, connection: AsyncConnection, calendar: Calendar) -> None:
    key = {"id": calendar.id, "version": calendar.version}
    values = {**key, "data": calendar.model_dump_json(), "published_at": datetime.now(UTC)}
    kept = (col(CalendarRow.id) == calendar.id) & (col(CalendarRow.version) == calendar.version)
    await connection.execute(insert(engine, CalendarRow).on_conflict_do_nothing(), values)
    stored = await connection.scalar(select(col(CalendarRow.data)).where(kept))
    if Calendar.model_validate_json(stored or "") != calendar:
        raise ValueError(f"calendar {calendar.id} has another version {calendar.version} already")


async def _keep_policy(engine: AsyncEngine, connection: AsyncConnection, kind: str, rules: Policy | Ladder) -> None:
    key = {"kind": kind, "id": rules.id, "version": rules.version}
    row = PolicyRow
    kept = (col(row.kind) == kind) & (col(row.id) == rules.id) & (col(row.version) == rules.version)
    await connection.execute(insert(engine, row).on_conflict_do_nothing(), {**key, "data": rules.model_dump_json()})
    stored = await connection.scalar(select(col(row.data)).where(kept))
    if type(rules).model_validate_json(stored or "") != rules:
        raise ValueError(f"{kind} {rules.id} has another version {rules.version} already")
    await _set(engine, connection, {kind: rules.id})


async def _policy(connection: AsyncConnection, kind: str, name: str) -> str:
    query = select(col(PolicyRow.data)).where(col(PolicyRow.kind) == kind, col(PolicyRow.id) == name)
    return str(await connection.scalar(query.order_by(col(PolicyRow.version).desc()).limit(1)))


async def _calendar(connection: AsyncConnection, name: str) -> str:
    query = select(col(CalendarRow.data)).where(col(CalendarRow.id) == name)
    return str(await connection.scalar(query.order_by(col(CalendarRow.version).desc()).limit(1)))
