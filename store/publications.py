"""New rules on their way to the running cases: which, how far they are, who carries them, and which cases lack them.

Durable with the version itself: whoever finds an unfinished one takes its lease and goes on.
"""

import json
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from domain.base import Value
from domain.case import Snapshot
from store.city_tables import PublicationRow
from store.database import insert, reading, writing
from store.tables import CaseRow, EventRow

Kind = Literal["calendar", "rules"]
#: How long whoever carries one may be silent before another goes on with it.
LEASE = timedelta(seconds=30)
#: Rows read at a time: a case's snapshot has some kilobytes.
_AT_ONCE = 500


class Publication(Value):
    """`calendar`: `name` and `version` are its; `rules`: the policy's, with the ladder's beside them.

    `total`: running cases that it was meant for; `took` of them have an event of it, `moved` another deadline by it;
    `silent` did not answer when asked last. `superseded_by` the next one, which those cases get instead.
    """

    id: int
    kind: Kind
    name: str
    version: int
    ladder: str | None
    ladder_version: int | None
    by: str
    started_at: datetime
    finished_at: datetime | None
    superseded_by: int | None
    total: int
    took: int
    moved: int
    silent: int


class RunningCase(Value):
    """As it was last written down. `rules` is the digest of those that it goes by."""

    id: str
    opened_at: datetime
    rules: str


_SHOWN = tuple(col(getattr(PublicationRow, name)) for name in Publication.model_fields)


async def listing(engine: AsyncEngine, limit: int = 50) -> tuple[Publication, ...]:
    """The latest first."""
    query = select(*_SHOWN).order_by(col(PublicationRow.id).desc()).limit(limit)
    async with reading(engine) as connection:
        return tuple(_publication(row) for row in await connection.execute(query))


async def get(engine: AsyncEngine, number: int) -> Publication | None:
    async with reading(engine) as connection:
        row = (await connection.execute(select(*_SHOWN).where(_is(number)))).first()
    return None if row is None else _publication(row)


async def latest(engine: AsyncEngine) -> tuple[Publication, ...]:
    """The last of each kind and name: what every running case should go by."""
    row = PublicationRow
    name = case((col(row.kind) == "calendar", col(row.name)), else_="")
    newest = select(func.max(col(row.id))).group_by(col(row.kind), name)
    async with reading(engine) as connection:
        found = await connection.execute(select(*_SHOWN).where(col(row.id).in_(newest)).order_by(col(row.id)))
        return tuple(_publication(each) for each in found)


async def add(
    engine: AsyncEngine, connection: AsyncConnection, by: str, now: datetime, *, kind: Kind, **named: object
) -> int:
    """In place of an earlier one of the same name that has not reached everybody yet."""
    values = {**_FRESH, "kind": kind, "by": by, "started_at": now, **named}
    number = await connection.scalar(insert(engine, PublicationRow).values(values).returning(col(PublicationRow.id)))
    row = PublicationRow
    same = and_(col(row.kind) == kind, col(row.finished_at).is_(None), col(row.id) != number)
    if kind == "calendar":
        same = and_(same, col(row.name) == named["name"])
    await connection.execute(update(row).where(same).values(finished_at=now, superseded_by=number))
    return int(number)


_FRESH: dict[str, object] = {"total": 0, "took": 0, "moved": 0, "silent": 0}


async def latest_of(
    connection: AsyncConnection, kind: Kind, name: str, version: int, ladder_version: int | None = None
) -> int | None:
    row = PublicationRow
    same = and_(col(row.kind) == kind, col(row.name) == name, col(row.version) == version)
    if ladder_version is not None:
        same = and_(same, col(row.ladder_version) == ladder_version)
    found: int | None = await connection.scalar(select(func.max(col(row.id))).where(same))
    return found


# --- carrying ---


async def take(engine: AsyncEngine, holder: str, now: datetime, number: int | None = None) -> Publication | None:
    """The lease of the oldest unfinished one, or of `number`; None if there is none that nobody carries."""
    row = PublicationRow
    free = or_(col(row.lease).is_(None), col(row.lease_until) <= now, col(row.lease) == holder)
    query = select(col(row.id)).where(col(row.finished_at).is_(None), free).order_by(col(row.id)).limit(1)
    query = query if number is None else query.where(_is(number))
    if not await _any(engine, query):
        return None
    async with writing(engine) as connection:
        found = await connection.scalar(query.with_for_update(skip_locked=True))
        if found is None:
            return None
        await connection.execute(update(row).where(_is(found)).values(lease=holder, lease_until=now + LEASE))
        row_taken = (await connection.execute(select(*_SHOWN).where(_is(found)))).one()
    return _publication(row_taken)


async def _any(engine: AsyncEngine, query: Any) -> bool:  # noqa: ANN401 - a query for one number
    """Looked at often, and there is nearly never any: no reason to keep others from writing."""
    async with reading(engine) as connection:
        return await connection.scalar(query) is not None


async def keep(engine: AsyncEngine, number: int, holder: str, now: datetime, **progress: int) -> bool:
    """Notes how far it is. False where it is another's by now, or finished."""
    return await _put(engine, number, holder, lease_until=now + LEASE, **progress)


async def finish(engine: AsyncEngine, number: int, holder: str, now: datetime, **progress: int) -> bool:
    return await _put(engine, number, holder, finished_at=now, lease=None, lease_until=None, **progress)


async def release(engine: AsyncEngine, number: int, holder: str) -> None:
    """Another may go on with it at once."""
    await _put(engine, number, holder, lease=None, lease_until=None)


async def reopen(engine: AsyncEngine, number: int) -> None:
    """A case was opened by the old version after all."""
    async with writing(engine) as connection:
        later = and_(_is(number), col(PublicationRow.superseded_by).is_(None))
        await connection.execute(update(PublicationRow).where(later).values(finished_at=None))


async def _put(engine: AsyncEngine, number: int, holder: str, **values: object) -> bool:
    mine = and_(_is(number), col(PublicationRow.lease) == holder, col(PublicationRow.finished_at).is_(None))
    async with writing(engine) as connection:
        return (await connection.execute(update(PublicationRow).where(mine).values(**values))).rowcount > 0


def _is(number: int) -> ColumnElement[bool]:
    return col(PublicationRow.id) == number


def _publication(row: Any) -> Publication:  # noqa: ANN401 - a row of `_SHOWN`
    return Publication(**row._mapping)  # noqa: SLF001 - how SQLAlchemy calls what is public


# --- the running cases ---


async def running(engine: AsyncEngine) -> tuple[RunningCase, ...]:
    row = CaseRow
    query = select(col(row.id), col(row.opened_at), col(row.rules)).where(and_(col(row.running)))
    async with reading(engine) as connection:
        return tuple(
            RunningCase(id=one, opened_at=at, rules=digest) for one, at, digest in await connection.execute(query)
        )


async def snapshots(engine: AsyncEngine, after: str = "", limit: int = _AT_ONCE) -> list[tuple[str, str, str]]:
    """Of running cases by id: id, digest of the rules, the snapshot as JSON."""
    row = CaseRow
    query = select(col(row.id), col(row.rules), col(row.snapshot)).where(and_(col(row.running)), col(row.id) > after)
    async with reading(engine) as connection:
        found = await connection.execute(query.order_by(col(row.id)).limit(limit))
        return [(one, digest, snapshot) for one, digest, snapshot in found]


async def provisional(engine: AsyncEngine) -> list[Snapshot]:
    """Those whose deadline rests on a year that is not official yet, the soonest first."""
    row = CaseRow
    query = select(col(row.snapshot)).where(and_(col(row.provisional))).order_by(col(row.due_at), col(row.id))
    async with reading(engine) as connection:
        return [Snapshot.model_validate_json(text) for text in await connection.scalars(query)]


async def taken(engine: AsyncEngine, command_id: str) -> tuple[int, int]:
    """How many cases have an event by this update, and of how many of them the deadline moved by it."""
    query = select(col(EventRow.data)).where(col(EventRow.command_id) == command_id)
    async with reading(engine) as connection:
        moves = list(_moves(await connection.scalars(query)))
    return len(moves), sum(moves)


def _moves(events: Collection[str] | Any) -> Iterator[bool]:  # noqa: ANN401 - SQLAlchemy's result is no collection
    for data in events:
        fact = json.loads(data)["fact"]
        yield fact["due_before"] != fact["due_after"]
