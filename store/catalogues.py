"""Editions of the catalogue: published one after the other, never changed.

`store.directory.load` takes the one in force. Nothing is published that would leave a row of the routing table without
what it names; and while an edition waits for its day, no new row may name what it lacks
(`store.directory.categories_that_stay`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from directory.model import Catalogue, Category, RoutingRow
from store import directory as stored
from store.city_tables import CatalogueRow, CategoryRow, RoutingTableRow
from store.database import insert, reading, writing


class Edition(NamedTuple):
    scheme: str
    version: int
    valid_from: datetime
    published_at: datetime


class Missing(NamedTuple):
    """What a routing row names and an edition lacks."""

    row: str
    subject: str


class InUse(Exception):
    """Rows of the routing table hang from what the edition would drop."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(", ".join(f"{row}: {subject}" for row, subject in missing))
        self.missing = tuple(missing)


class TooEarly(Exception):
    """It would come into force before `after`: a moment ago, or with the edition before it."""

    def __init__(self, after: datetime) -> None:
        super().__init__(after.isoformat())
        self.after = after


async def publish(
    engine: AsyncEngine, categories: Sequence[Category], valid_from: datetime, now: datetime, scheme: str | None = None
) -> Catalogue:
    """The next version of the scheme, by default of the one in force. Raises InUse or TooEarly, and keeps nothing then.

    LookupError while there is no directory.
    """
    async with writing(engine) as connection:
        await stored.count_up(engine, connection)  # first: it holds up whoever changes rows at the same time
        editions = await _editions(connection)
        if not editions:
            raise LookupError("there is no directory yet")
        latest = max(editions, key=lambda each: each.valid_from)
        if valid_from < now or valid_from <= latest.valid_from:
            raise TooEarly(max(latest.valid_from, now))
        if missing := lacking(categories, await _rows(connection)):
            raise InUse(missing)
        name = scheme or in_force(editions, now).scheme
        number = max((each.version for each in editions if each.scheme == name), default=0) + 1
        catalogue = Catalogue(scheme=name, version=number, valid_from=valid_from)
        await _keep(engine, connection, catalogue, categories, now)
    return catalogue


async def editions(engine: AsyncEngine) -> tuple[Edition, ...]:
    """The latest first."""
    async with reading(engine) as connection:
        return tuple(sorted(await _editions(connection), key=lambda each: each.valid_from, reverse=True))


async def get(engine: AsyncEngine, scheme: str, version: int) -> tuple[Category, ...]:
    """In the order of the edition; empty if there is none."""
    query = select(col(CategoryRow.data)).where(col(CategoryRow.scheme) == scheme, col(CategoryRow.version) == version)
    async with reading(engine) as connection:
        found = await connection.scalars(query.order_by(col(CategoryRow.ordinal)))
        return tuple(Category.model_validate_json(data) for data in found)


async def next_change(engine: AsyncEngine, now: datetime) -> datetime | None:
    """When another edition comes into force, as far as is known."""
    query = select(col(CatalogueRow.valid_from)).where(col(CatalogueRow.valid_from) > now)
    async with reading(engine) as connection:
        return min(await connection.scalars(query), default=None)


def in_force(editions: Iterable[Edition], now: datetime) -> Edition:
    """As `store.directory.load` takes it: the latest whose time has come; before the first, the first."""
    ordered = sorted(editions, key=lambda each: (each.valid_from, each.version))
    return next((each for each in reversed(ordered) if each.valid_from <= now), ordered[0])


def lacking(categories: Sequence[Category], rows: Iterable[RoutingRow]) -> list[Missing]:
    codes = {category.code for category in categories}
    conditions = {condition.id for category in categories for condition in category.conditions}
    missing: list[Missing] = []
    for row in (each for each in rows if not each.retired):
        if row.condition is not None and row.condition not in conditions:
            missing.append(Missing(row.id, row.condition))
        elif row.category is not None and row.category not in codes:
            missing.append(Missing(row.id, row.category))
        elif row.big_category and not any(code.startswith(row.big_category) for code in codes):
            missing.append(Missing(row.id, f"{row.big_category}…"))
    return missing


async def _editions(connection: AsyncConnection) -> list[Edition]:
    row = CatalogueRow
    query = select(col(row.scheme), col(row.version), col(row.valid_from), col(row.published_at))
    return [Edition(*found) for found in await connection.execute(query)]


async def _rows(connection: AsyncConnection) -> list[RoutingRow]:
    found = await connection.scalars(select(col(RoutingTableRow.data)).order_by(col(RoutingTableRow.ordinal)))
    return [RoutingRow.model_validate_json(data) for data in found]


async def _keep(
    engine: AsyncEngine,
    connection: AsyncConnection,
    catalogue: Catalogue,
    categories: Sequence[Category],
    now: datetime,
) -> None:
    await connection.execute(insert(engine, CatalogueRow), {**catalogue.model_dump(), "published_at": now})
    edition = {"scheme": catalogue.scheme, "version": catalogue.version}
    rows = [
        {**edition, "code": each.code, "ordinal": ordinal, "data": each.model_dump_json()}
        for ordinal, each in enumerate(categories)
    ]
    await connection.execute(insert(engine, CategoryRow), rows)
