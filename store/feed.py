"""Everything that happened in all cases, in one order, for whoever wants to follow it."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from domain.actors import Actor
from domain.events import Event
from store.database import reading
from store.scope import visible
from store.tables import CaseRow, EventRow

#: Events looked at for a page: who may see one case in a million must not have a million looked through.
_WINDOW = 2_000


@dataclass(frozen=True, slots=True)
class FeedItem:
    position: int
    case_id: str
    event: Event


@dataclass(frozen=True, slots=True)
class FeedPage:
    """`position`: up to where the feed has been read; ask for what comes after it. Never less than was asked for."""

    items: tuple[FeedItem, ...]
    position: int


async def after(engine: AsyncEngine, position: int, viewer: Actor, limit: int = 100) -> FeedPage:
    """Events of cases that the viewer may see now; of the next `_WINDOW` events, however few of them these are."""
    found = select(col(EventRow.position), col(EventRow.case_id), col(EventRow.data))
    found = found.join(CaseRow, col(CaseRow.id) == col(EventRow.case_id)).where(visible(viewer))
    async with reading(engine) as connection:
        last = min(await _last(connection), position + _WINDOW)
        ours = found.where(col(EventRow.position) > position, col(EventRow.position) <= last)
        rows = (await connection.execute(ours.order_by(col(EventRow.position)).limit(limit))).all()
    items = tuple(FeedItem(at or 0, case_id, Event.model_validate_json(data)) for at, case_id, data in rows)
    return FeedPage(items, items[-1].position if len(items) == limit else max(last, position))


async def last_position(engine: AsyncEngine) -> int:
    """0 before anything has happened."""
    async with reading(engine) as connection:
        return await _last(connection)


async def _last(connection: AsyncConnection) -> int:
    return await connection.scalar(select(func.max(col(EventRow.position)))) or 0
