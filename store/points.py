"""Registered places 点位: by id, by area, all of them; many at once. Single changes: `store/directory_changes.py`."""

from collections.abc import AsyncIterator, Iterable
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from directory.model import Point
from store.city_tables import PointRow
from store.database import insert, reading, writing
from store.directory import count_up
from store.rows import Row

#: Rows in one statement: PostgreSQL takes 65,535 parameters at most.
_AT_ONCE = 1000
_COLUMNS = ("id", "area", "place_type", "lon", "lat", "keeper", "retired")


async def get(engine: AsyncEngine, point_id: str) -> Point | None:
    async with reading(engine) as connection:
        data = await connection.scalar(select(col(PointRow.data)).where(col(PointRow.id) == point_id))
    return None if data is None else Point.model_validate_json(data)


async def count(engine: AsyncEngine) -> int:
    """Retired ones too."""
    async with reading(engine) as connection:
        return await connection.scalar(select(func.count()).select_from(PointRow)) or 0


async def every(engine: AsyncEngine, area: str | None = None) -> AsyncIterator[Point]:
    """By id; `area`: of this very area, not of those below it. Retired ones too.

    In pages: what is written meanwhile may or may not be there.
    """
    last = ""
    while True:
        query = select(col(PointRow.data)).where(col(PointRow.id) > last).order_by(col(PointRow.id)).limit(_AT_ONCE)
        if area is not None:
            query = query.where(col(PointRow.area) == area)
        async with reading(engine) as connection:
            found = [Point.model_validate_json(data) for data in await connection.scalars(query)]
        for point in found:
            yield point
        if len(found) < _AT_ONCE:
            return
        last = found[-1].id


async def put(engine: AsyncEngine, points: Iterable[Point]) -> int:
    """In place of those of the same ids; the others stay. How many. That areas and keepers are there, nobody checks."""
    async with writing(engine) as connection:
        return await put_in(engine, connection, points, await count_up(engine, connection))


async def put_in(engine: AsyncEngine, connection: AsyncConnection, points: Iterable[Point], revision: int) -> int:
    """In somebody's transaction. An id given twice: the later one stays."""
    new = insert(engine, PointRow)
    changing = {name: getattr(new.excluded, name) for name in (*_COLUMNS, "revision", "data")}
    upsert = new.on_conflict_do_update(index_elements=["id"], set_=changing)
    written = 0
    rest = iter(points)
    while some := list(islice(rest, _AT_ONCE)):
        await connection.execute(upsert, [row(point, revision) for point in some])
        written += len(some)
    return written


def row(point: Point, revision: int) -> Row:
    values = {name: getattr(point, name) for name in _COLUMNS}
    return {**values, "revision": revision, "data": point.model_dump_json()}
