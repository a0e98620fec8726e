"""Reading the directory one record at a time: what there is, lists, who changed what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, String
from sqlmodel import col

from directory.changes import MODELS, Item, Kind
from directory.model import Area
from store.city_tables import AreaRow, ChangeRow, PointRow, RoutingTableRow, SettingRow, UnitRow, UserRow
from store.database import reading

TABLES: Mapping[Kind, Any] = {
    Kind.AREA: AreaRow,
    Kind.UNIT: UnitRow,
    Kind.USER: UserRow,
    Kind.POINT: PointRow,
    Kind.ROUTING: RoutingTableRow,
}
_CITY = ("city_zh", "city_en", "zone")
_VERSION = "directory_version"


class Member(FunctionElement[str]):
    """A text in a column of JSON: the member named. NULL if it is null or not there."""

    inherit_cache = False
    type = String()

    def __init__(self, column: Any, name: str) -> None:  # noqa: ANN401 - a column of any table
        super().__init__(column)
        self.member = name


@compiles(Member)
def _member(element: Member, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own
    return f"({compiler.process(element.clauses, **options)} ->> '{element.member}')"


@compiles(Member, "sqlite")
def _member_of_text(element: Member, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - likewise
    return f"json_extract({compiler.process(element.clauses, **options)}, '$.{element.member}')"


class Retired(FunctionElement[bool]):
    """Whether a record's JSON says so; records of before 0.3 say nothing."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, table: Any) -> None:  # noqa: ANN401 - any table with `data`
        super().__init__(col(table.data))


@compiles(Retired)
def _retired(element: Retired, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own
    return f"""({compiler.process(element.clauses, **options)} @> '{{"retired": true}}')"""


@compiles(Retired, "sqlite")
def _retired_in_text(element: Retired, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - likewise
    return f"(coalesce(json_extract({compiler.process(element.clauses, **options)}, '$.retired'), 0) = 1)"


class Kept(NamedTuple):
    item: Item
    revision: int


class Count(NamedTuple):
    in_use: int
    retired: int


@dataclass(frozen=True, slots=True)
class Summary:
    """`zone` is an IANA time zone."""

    city_zh: str
    city_en: str
    zone: str
    version: int
    counts: Mapping[Kind, Count]


@dataclass(frozen=True, slots=True)
class Filter:
    """`area` is an id and means everything in it, too. What a kind does not have is not asked of it."""

    retired: bool = False
    area: str | None = None
    parent: str | None = None
    level: str | None = None
    unit: str | None = None
    role: str | None = None
    place_type: str | None = None


class Change(NamedTuple):
    """`before` and `after` are JSON, `null` where there is none."""

    id: int
    at: datetime
    by: str
    action: str
    kind: str
    record: str
    before: str
    after: str


async def summary(engine: AsyncEngine) -> Summary:
    """LookupError while there is no directory."""
    async with reading(engine) as connection:
        found = await connection.execute(select(col(SettingRow.key), col(SettingRow.value)))
        settings = {row.key: row.value for row in found}
        if _VERSION not in settings:
            raise LookupError("there is no directory yet")
        counts = {kind: await _count(connection, kind) for kind in TABLES}
    return Summary(**{name: settings[name] for name in _CITY}, version=int(settings[_VERSION]), counts=counts)


async def get(engine: AsyncEngine, kind: Kind, name: str) -> Kept | None:
    async with reading(engine) as connection:
        return await record(connection, kind, name)


async def record(connection: AsyncConnection, kind: Kind, name: str) -> Kept | None:
    """In somebody's transaction."""
    found = (await connection.execute(_rows(kind).where(col(TABLES[kind].id) == name))).first()
    return None if found is None else _kept(kind, found)


async def listing(engine: AsyncEngine, kind: Kind, wanted: Filter, after: str | None, limit: int) -> list[Kept]:
    """By id, after that one. Areas with their shapes."""
    key = col(TABLES[kind].id)
    query = _rows(kind).where(*_conditions(kind, wanted)).order_by(key).limit(limit)
    if after is not None:
        query = query.where(key > after)
    async with reading(engine) as connection:
        return [_kept(kind, row) for row in await connection.execute(query)]


async def log(
    engine: AsyncEngine, kind: Kind | None = None, name: str | None = None, after: int = 0, limit: int = 100
) -> list[Change]:
    """Oldest first, those with a number above `after`."""
    row = ChangeRow
    query = select(*(getattr(row, field) for field in Change._fields)).where(col(row.id) > after)
    if kind is not None:
        query = query.where(col(row.kind) == kind.value)
    if name is not None:
        query = query.where(col(row.record) == name)
    async with reading(engine) as connection:
        return [Change(*each) for each in await connection.execute(query.order_by(col(row.id)).limit(limit))]


def is_retired(kind: Kind) -> ColumnElement[bool]:
    table = TABLES[kind]
    return cast("ColumnElement[bool]", table.retired if kind in {Kind.USER, Kind.POINT} else Retired(table))


def inside(path: str | ScalarSelect[str]) -> ColumnElement[bool]:
    """Of the areas' table: all in it, and not that one. `0` is the character that follows `/`."""
    return and_(col(AreaRow.path) >= path + "/", col(AreaRow.path) < path + "0")


def _rows(kind: Kind) -> Select[Any]:
    table = TABLES[kind]
    return select(col(table.data), col(table.revision), *((col(table.shape),) if kind is Kind.AREA else ()))


def _kept(kind: Kind, found: Any) -> Kept:  # noqa: ANN401 - a row of `_rows`
    item = MODELS[kind].model_validate_json(found.data)
    if isinstance(item, Area):
        item = item.model_copy(update={"shape": found.shape})
    return Kept(item, found.revision)


async def _count(connection: AsyncConnection, kind: Kind) -> Count:
    total = await connection.scalar(select(func.count()).select_from(TABLES[kind])) or 0
    retired = select(func.count()).select_from(TABLES[kind]).where(is_retired(kind))
    gone = await connection.scalar(retired) or 0
    return Count(total - gone, gone)


def _conditions(kind: Kind, wanted: Filter) -> list[ColumnElement[bool]]:
    table = TABLES[kind]
    gone = is_retired(kind)
    found = [gone if wanted.retired else ~gone]
    for name in ("parent", "level", "unit", "role", "place_type"):
        value = getattr(wanted, name)
        if value is not None and name in MODELS[kind].model_fields:
            found.append(field(table, name) == value)
    if wanted.area is not None:
        path = select(col(AreaRow.path)).where(col(AreaRow.id) == wanted.area).scalar_subquery()
        below = select(col(AreaRow.id)).where(or_(col(AreaRow.id) == wanted.area, inside(path)))
        found.append(field(table, "id" if kind is Kind.AREA else "area").in_(below))
    return found


def field(table: Any, name: str) -> ColumnElement[str]:  # noqa: ANN401 - any of the tables
    """Of a record: a column if there is one, otherwise it is in the JSON."""
    return cast("ColumnElement[str]", getattr(table, name) if name in table.model_fields else Member(table.data, name))
