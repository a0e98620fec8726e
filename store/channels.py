"""The channels as their keepers see them: made, listed, ended. What goes through them: `store/notices.py`."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from domain.policy import Audience
from store.city_tables import AreaRow, UnitRow
from store.database import insert, reading, writing
from store.notices import FAILED, PENDING, Channel, channel_of, has_status, is_live
from store.tables import ChannelRow, DeliveryRow, NoticeRow

REMOVED = "channel removed"


class Listed(NamedTuple):
    """Everything but the address. `failures`: messages refused in a row, `error` why the last one was."""

    id: str
    service: str
    audience: Audience
    unit: str | None
    area: str | None
    per_minute: int
    created_at: datetime
    due: int
    held: int
    failed: int
    failures: int
    error: str | None
    resume_at: datetime | None


async def put(engine: AsyncEngine, channel: Channel, now: datetime) -> bool:
    """Whether it is new; a new one takes no notice that was there before. LookupError without that unit or area."""
    values: dict[str, Any] = {
        "service": channel.service,
        "url": channel.url,
        "audience": channel.audience.value,
        "unit": channel.unit,
        "area": channel.area,
        "per_minute": channel.per_minute,
        "failures": 0,
        "error": None,
        "resume_at": None,
    }
    async with writing(engine) as connection:
        await _need_known(connection, channel)
        if (await connection.execute(update(ChannelRow).where(_live(channel.id)).values(**values))).rowcount:
            return False
        newest = await connection.scalar(select(func.max(col(NoticeRow.id)))) or 0
        values |= {"created_at": now, "removed_at": None, "planned_to": newest, "sent": "[]"}
        new = insert(engine, ChannelRow).values(id=channel.id, **values)
        await connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=values))
    return True


async def remove(engine: AsyncEngine, channel_id: str, now: datetime) -> bool:
    """Whether there was one. Its address is forgotten, what waits for it fails, what it delivered stays known."""
    waits = and_(col(DeliveryRow.channel) == channel_id, has_status(PENDING))
    async with writing(engine) as connection:
        done = await connection.execute(update(ChannelRow).where(_live(channel_id)).values(removed_at=now, url=""))
        await connection.execute(update(DeliveryRow).where(waits).values(status=FAILED, error=REMOVED))
    return done.rowcount > 0


async def retry(engine: AsyncEngine, channel_id: str, now: datetime) -> int:
    """Everything that was given up is to be sent again, and the channel rests no longer. How many there are."""
    given_up = and_(col(DeliveryRow.channel) == channel_id, has_status(FAILED))
    again = {"status": PENDING, "attempts": 0, "not_before": now}
    async with writing(engine) as connection:
        if not (await connection.execute(update(ChannelRow).where(_live(channel_id)).values(resume_at=None))).rowcount:
            return 0
        return (await connection.execute(update(DeliveryRow).where(given_up).values(**again))).rowcount


async def get(engine: AsyncEngine, channel_id: str) -> Channel | None:
    query = select(ChannelRow.__table__).where(_live(channel_id))  # type: ignore[attr-defined]  # SQLModel has it
    async with reading(engine) as connection:
        row = (await connection.execute(query)).first()
    return channel_of(row) if row else None


async def listing(engine: AsyncEngine, now: datetime) -> tuple[Listed, ...]:
    row = ChannelRow
    shown = (row.id, row.service, row.audience, row.unit, row.area, row.per_minute, row.created_at)
    query = select(*(col(each) for each in (*shown, row.failures, row.error, row.resume_at)))
    async with reading(engine) as connection:
        found = (await connection.execute(query.where(is_live()).order_by(col(row.id)))).all()
        counts = await _counts(connection, now)
    return tuple(_listed(each, counts.get(each.id, (0, 0, 0))) for each in found)


def _live(channel_id: str) -> ColumnElement[bool]:
    return and_(col(ChannelRow.id) == channel_id, is_live())


async def _need_known(connection: AsyncConnection, channel: Channel) -> None:
    for what, wanted, known in (
        ("unit", channel.unit, col(UnitRow.id) == channel.unit),
        ("area", channel.area, col(AreaRow.path) == channel.area),
    ):
        if wanted is not None and await connection.scalar(select(func.count()).where(known)) == 0:
            raise LookupError(f"there is no {what} {wanted}")


async def _counts(connection: AsyncConnection, now: datetime) -> dict[str, tuple[int, int, int]]:
    """By channel: due, held, failed."""
    row = DeliveryRow
    due = case((col(row.not_before) <= now, 1), else_=0)
    waits = select(col(row.channel), func.sum(due), func.count()).where(has_status(PENDING))
    given_up = select(col(row.channel), func.count()).where(has_status(FAILED))
    pending = {each[0]: each for each in await connection.execute(waits.group_by(col(row.channel)))}
    failed = {name: count for name, count in await connection.execute(given_up.group_by(col(row.channel)))}  # noqa: C416 - dict() does not know that a Row is a pair
    counts = {}
    for name in pending.keys() | failed.keys():
        _, due_now, every = pending.get(name, (name, 0, 0))
        counts[name] = (due_now, every - due_now, failed.get(name, 0))
    return counts


def _listed(row: Any, counts: tuple[int, int, int]) -> Listed:  # noqa: ANN401 - a row of `listing`
    due, held, failed = counts
    shown = {**row._mapping, "audience": Audience(row.audience)}  # noqa: SLF001 - how SQLAlchemy calls what is public
    return Listed(**shown, due=due, held=held, failed=failed)
