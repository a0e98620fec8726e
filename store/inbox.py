"""What somebody has been told, over all cases: a reporter of those he found, a unit of those it answers for."""

from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, and_
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from domain.actors import Actor, Role
from domain.policy import Audience
from store.database import reading
from store.pages import Order
from store.tables import CaseRow, EventRow, NoticeRow


class Told(NamedTuple):
    """`action`: of the rung that caused it, if one did. The category is the case's and never changes."""

    case_id: str
    seq: int
    kind: str
    action: str | None
    at: datetime
    category: str


class Inbox(NamedTuple):
    items: tuple[Told, ...]
    next_cursor: str | None


async def told(engine: AsyncEngine, viewer: Actor, cursor: str | None = None, limit: int = 50) -> Inbox:
    """The newest first. ValueError for a cursor of another list."""
    audience, recipient = _as_whom(viewer)
    if recipient is None:
        return Inbox((), None)
    notice, case, event = NoticeRow, CaseRow, EventRow
    mine = and_(col(notice.recipient) == recipient, col(notice.audience) == audience)
    order = Order((col(notice.id),), f"told {audience} {recipient}", descending=True)
    columns = (notice.id, notice.case_id, notice.seq, notice.kind, notice.at, case.category, event.data)
    query = (
        order.rows(mine, cursor, limit + 1)
        .with_only_columns(*(col(each) for each in columns))
        .select_from(notice)
        .join(case, col(case.id) == col(notice.case_id))
        .outerjoin(event, _caused_it())
    )
    async with reading(engine) as connection:
        rows = (await connection.execute(query)).all()
    more = order.cursor((rows[limit - 1].id,)) if len(rows) > limit else None
    return Inbox(tuple(_told(row) for row in rows[:limit]), more)


def _as_whom(viewer: Actor) -> tuple[Audience, str | None]:
    if viewer.role is Role.UNIT:
        return Audience.UNIT, viewer.unit
    return Audience.REPORTER, viewer.user


def _caused_it() -> ColumnElement[bool]:
    return and_(col(EventRow.case_id) == col(NoticeRow.case_id), col(EventRow.seq) == col(NoticeRow.seq))


def _told(row: Any) -> Told:  # noqa: ANN401 - a row of `told`
    action = orjson.loads(row.data)["fact"].get("action") if row.data else None
    return Told(row.case_id, row.seq, row.kind, action, row.at, row.category)
