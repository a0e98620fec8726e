"""The way of a notice out of the house: which channels take it, when, who sends it now, and what came of it.

Each function is one transaction, so that any number of senders may run: a channel is worked on by whoever holds its
lease. A sender that dies leaves a lease that ends, and what it was sending is sent again.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import uuid4

import orjson
from sqlalchemy import ColumnElement, Row, and_, case, func, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from directory.model import Area, Category
from domain.clock import FOREVER
from domain.policy import Audience
from store.city_tables import AreaRow, CategoryRow
from store.database import insert, reading, writing
from store.tables import CaseRow, ChannelRow, DeliveryRow, EventRow, NoticeRow

Status = Literal["pending", "held", "delivered", "failed"]
PENDING: Status = "pending"
DELIVERED: Status = "delivered"
FAILED: Status = "failed"
#: Who finds older notices on first sight (the sender was away, the lists were made anew) does not send them.
TOO_OLD = timedelta(days=7)
#: Over which a channel's messages are counted.
WINDOW = timedelta(minutes=1)
#: What a receiver still refuses so long after it was due, tried so often, is given up.
GIVE_UP_AFTER, GIVE_UP_TRIES = timedelta(hours=24), 5
#: Notices planned at a time; notices in one message at most; notices that get a message each, more become a list.
_BATCH, _LIST, _HANDFUL = 500, 300, 3


@dataclass(frozen=True, slots=True)
class Channel:
    """To whom the notices for `audience` go: those of one `unit`, or of an `area` (a path) with all below it."""

    id: str
    service: str
    url: str = field(repr=False)
    audience: Audience
    unit: str | None = None
    area: str | None = None
    per_minute: int = 20


class Fresh(NamedTuple):
    """What decides when a notice may be sent. `action` is that of a rung."""

    at: datetime
    severity: str
    limit_unit: str
    action: str | None


class Timing(NamedTuple):
    urgent: bool
    not_before: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """A notice to be told, with its case as it is now."""

    delivery: int
    kind: str
    action: str | None
    at: datetime
    urgent: bool
    case_id: str
    category: str
    condition: str
    area: str
    stage: str
    due_at: datetime | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """What one message is to tell, and the right to send it until the lease ends. `failures`: in a row, before."""

    channel: Channel
    lease: str
    failures: int
    items: tuple[Item, ...]

    @property
    def digest(self) -> bool:
        return len(self.items) > 1


@dataclass(frozen=True, slots=True)
class Names:
    """What the directory calls categories and areas, by their codes and ids."""

    categories: dict[str, Category]
    areas: dict[str, Area]


class Waiting(NamedTuple):
    """`due` could be sent now, the oldest of them since `oldest`; `held` waits for working hours."""

    due: int
    held: int
    oldest: datetime | None


async def behind(engine: AsyncEngine) -> tuple[str, ...]:
    """The channels that have not been given all notices."""
    newest = select(func.max(col(NoticeRow.id))).scalar_subquery()
    query = select(col(ChannelRow.id)).where(is_live(), col(ChannelRow.planned_to) < newest)
    async with reading(engine) as connection:
        return tuple((await connection.scalars(query.order_by(col(ChannelRow.id)))).all())


async def plan(engine: AsyncEngine, channel_id: str, now: datetime, when: Callable[[Fresh], Timing]) -> bool:
    """Gives the channel its new notices. Whether there are more of them."""
    async with writing(engine) as connection:
        channel = await _locked(connection, channel_id)
        if channel is None:
            return False
        newest = await connection.scalar(select(func.max(col(NoticeRow.id)))) or 0
        found = (await connection.execute(_fresh(channel, newest, now - TOO_OLD))).all()
        deliveries = [_delivery(channel_id, row, when(_timed(row))) for row in found]
        if deliveries:
            await connection.execute(insert(engine, DeliveryRow).on_conflict_do_nothing(), deliveries)
        more = len(found) == _BATCH
        reached = update(ChannelRow).where(col(ChannelRow.id) == channel_id)
        await connection.execute(reached.values(planned_to=found[-1].id if more else newest))
    return more


async def ready(engine: AsyncEngine, now: datetime) -> tuple[str, ...]:
    """The channels that have something to send and nobody sending it."""
    due = select(col(DeliveryRow.id)).where(
        has_status(PENDING), col(DeliveryRow.channel) == col(ChannelRow.id), _due(now)
    )
    query = select(col(ChannelRow.id)).where(is_live(), _free(now), due.exists()).order_by(col(ChannelRow.id))
    async with reading(engine) as connection:
        return tuple((await connection.scalars(query)).all())


async def claim(engine: AsyncEngine, channel_id: str, now: datetime, lease: timedelta) -> Claim | None:
    """The channel's next message; None if there is none, if its receiver must rest, or if somebody else has it.

    A handful gets a message each, if its rate allows that many; otherwise one message lists all.
    """
    async with writing(engine) as connection:
        row = await _locked(connection, channel_id, _free(now))
        if row is None:
            return None
        sent = [at for at in orjson.loads(row.sent) if at > (now - WINDOW).timestamp()]
        left = row.per_minute - len(sent)
        waits = and_(has_status(PENDING), col(DeliveryRow.channel) == channel_id, _due(now))
        count = await connection.scalar(select(func.count()).select_from(DeliveryRow).where(waits)) or 0
        if left <= 0 or count == 0:
            return None
        found = (await connection.execute(_items(waits, 1 if count <= min(left, _HANDFUL) else _LIST))).all()
        token = uuid4().hex
        values = {"lease": token, "lease_until": now + lease, "sent": orjson.dumps([*sent, now.timestamp()]).decode()}
        await connection.execute(update(ChannelRow).where(col(ChannelRow.id) == channel_id).values(**values))
    return Claim(channel_of(row), token, row.failures, tuple(_item(each) for each in found))


async def delivered(engine: AsyncEngine, done: Claim, deliveries: Collection[int], now: datetime) -> None:
    """What the receiver took is delivered even if the lease had ended: it was sent."""
    sent = and_(col(DeliveryRow.id).in_(deliveries), col(DeliveryRow.status) != DELIVERED)
    values = {"status": DELIVERED, "attempts": col(DeliveryRow.attempts) + 1, "error": None, "delivered_at": now}
    async with writing(engine) as connection:
        await connection.execute(update(DeliveryRow).where(sent).values(**values))
        await connection.execute(_released(done).values(**_FREED, failures=0, error=None, resume_at=None))


async def failed(  # noqa: PLR0913, PLR0917 - what is to be known of a failure
    engine: AsyncEngine, done: Claim, deliveries: Collection[int], now: datetime, error: str, resume_at: datetime
) -> None:
    """The channel rests until `resume_at`. Nothing is written if the lease had ended: another is at it."""
    tries = col(DeliveryRow.attempts) + 1
    spent = and_(tries >= GIVE_UP_TRIES, col(DeliveryRow.not_before) <= now - GIVE_UP_AFTER)
    tried = and_(col(DeliveryRow.id).in_(deliveries), has_status(PENDING))
    values = {"attempts": tries, "error": error, "status": case((spent, FAILED), else_=PENDING)}
    rest = {**_FREED, "failures": col(ChannelRow.failures) + 1, "error": error, "resume_at": resume_at}
    async with writing(engine) as connection:
        if (await connection.execute(_released(done).values(**rest))).rowcount:
            await connection.execute(update(DeliveryRow).where(tried).values(**values))


async def waiting(engine: AsyncEngine, now: datetime) -> Waiting:
    row, due = DeliveryRow, _due(now)
    query = select(
        func.count().filter(due),
        func.count().filter(~due),
        func.min(case((due, col(row.not_before)))),
    ).where(has_status(PENDING))
    async with reading(engine) as connection:
        found = (await connection.execute(query)).one()
    return Waiting(*found)


async def names(engine: AsyncEngine, items: Sequence[Item]) -> Names:
    codes = {item.category for item in items}
    steps = {step for item in items for step in item.area.strip("/").split("/")}
    kinds = select(col(CategoryRow.data)).where(col(CategoryRow.code).in_(codes))
    places = select(col(AreaRow.data)).where(col(AreaRow.id).in_(steps))
    async with reading(engine) as connection:
        categories = [Category.model_validate_json(data) for data in await connection.scalars(kinds)]
        areas = [Area.model_validate_json(data) for data in await connection.scalars(places)]
    return Names({each.code: each for each in categories}, {each.id: each for each in areas})


class Sending(NamedTuple):
    """`status` may also be `held` here: it waits for working hours."""

    channel: str
    status: Status
    attempts: int
    error: str | None
    not_before: datetime
    delivered_at: datetime | None


class Told(NamedTuple):
    """A notice of a case and what became of it; without any `sendings` no channel took it."""

    seq: int
    kind: str
    at: datetime
    audience: Audience
    recipient: str
    sendings: tuple[Sending, ...]


async def of_case(engine: AsyncEngine, case_id: str, now: datetime) -> tuple[Told, ...]:
    """Oldest first."""
    notice, sending = NoticeRow, DeliveryRow
    columns = (sending.channel, sending.status, sending.attempts, sending.error, sending.not_before)
    query = (
        select(notice, *(col(each) for each in columns), col(sending.delivered_at))
        .outerjoin(sending, col(sending.notice_id) == col(notice.id))
        .where(col(notice.case_id) == case_id)
        .order_by(col(notice.seq), col(notice.id), col(sending.channel))
    )
    async with reading(engine) as connection:
        found = (await connection.execute(query)).all()
    by_notice: dict[int, list[Any]] = {}
    for row in found:
        by_notice.setdefault(row.id, []).append(row)
    return tuple(_told(rows, now) for rows in by_notice.values())


def channel_of(row: Any) -> Channel:  # noqa: ANN401 - a row of `channels`
    return Channel(row.id, row.service, row.url, Audience(row.audience), row.unit, row.area, row.per_minute)


def _told(rows: Sequence[Any], now: datetime) -> Told:
    first = rows[0]
    sendings = tuple(_sending(row, now) for row in rows if row.channel is not None)
    return Told(first.seq, first.kind, first.at, Audience(first.audience), first.recipient, sendings)


def _sending(row: Any, now: datetime) -> Sending:  # noqa: ANN401 - a row of `of_case`
    status: Status = "held" if row.status == PENDING and row.not_before > now else row.status
    return Sending(row.channel, status, row.attempts, row.error, row.not_before, row.delivered_at)


_FREED: dict[str, None] = {"lease": None, "lease_until": None}


def is_live() -> ColumnElement[bool]:
    """Of channels: not removed."""
    return col(ChannelRow.removed_at).is_(None)


def _free(now: datetime) -> ColumnElement[bool]:
    unleased = or_(col(ChannelRow.lease_until).is_(None), col(ChannelRow.lease_until) <= now)
    return and_(unleased, or_(col(ChannelRow.resume_at).is_(None), col(ChannelRow.resume_at) <= now))


def has_status(status: Status) -> ColumnElement[bool]:
    """Not as a parameter: SQLite must see that a partial index serves it."""
    return col(DeliveryRow.status) == literal_column(f"'{status}'")


def _due(now: datetime) -> ColumnElement[bool]:
    return col(DeliveryRow.not_before) <= now


def _released(done: Claim) -> Any:  # noqa: ANN401 - an update whose values follow
    mine = and_(col(ChannelRow.id) == done.channel.id, col(ChannelRow.lease) == done.lease)
    return update(ChannelRow).where(mine)


async def _locked(connection: AsyncConnection, channel_id: str, *wanted: ColumnElement[bool]) -> Row[Any] | None:
    """The channel's row, ours to the end of the transaction; None if it is not as wanted, or another's."""
    query = select(ChannelRow.__table__).where(col(ChannelRow.id) == channel_id, is_live(), *wanted)  # type: ignore[attr-defined]  # SQLModel has it
    found: Row[Any] | None = (await connection.execute(query.with_for_update(skip_locked=True))).first()
    return found


def _fresh(channel: Any, newest: int, oldest: datetime) -> Any:  # noqa: ANN401 - a row of `channels`; a select
    """What the channel is to be given, up to `newest`. A time before its making is the past of a case told anew.

    A step of the ladder is dated when it fell due: as long as the case is late it is news, however long nobody worked.
    """
    notice = NoticeRow
    facts = (col(CaseRow.severity), col(CaseRow.snapshot), col(EventRow.data))
    return (
        select(col(notice.id), col(notice.at), *facts)
        .join(CaseRow, col(CaseRow.id) == col(notice.case_id))
        .outerjoin(EventRow, _told_of())
        .where(col(notice.id) > channel.planned_to, col(notice.id) <= newest, _meant_for(channel))
        .where(col(notice.at) >= channel.created_at, or_(col(notice.at) >= oldest, _is_late_now()))
        .order_by(col(notice.id))
        .limit(_BATCH)
    )


def _is_late_now() -> ColumnElement[bool]:
    return and_(col(NoticeRow.kind) == "RungFired", col(CaseRow.running), col(CaseRow.late_since).is_not(None))


def _told_of() -> ColumnElement[bool]:
    return and_(col(EventRow.case_id) == col(NoticeRow.case_id), col(EventRow.seq) == col(NoticeRow.seq))


def _meant_for(channel: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a row of `channels`
    who = col(NoticeRow.recipient)
    audience: ColumnElement[bool] = col(NoticeRow.audience) == channel.audience
    if channel.unit is not None:
        return and_(audience, who == channel.unit)
    if channel.area is not None:
        return and_(audience, or_(who == channel.area, and_(who >= f"{channel.area}/", who < f"{channel.area}0")))
    return audience


def _timed(row: Any) -> Fresh:  # noqa: ANN401 - a row of `_fresh`
    return Fresh(row.at, row.severity, orjson.loads(row.snapshot)["limit"]["unit"], _action(row.data))


def _action(event: str | None) -> str | None:
    return orjson.loads(event)["fact"].get("action") if event else None


def _delivery(channel_id: str, row: Any, timing: Timing) -> dict[str, Any]:  # noqa: ANN401 - a row of `_fresh`
    return {
        "notice_id": row.id,
        "channel": channel_id,
        "status": PENDING,
        "urgent": timing.urgent,
        "not_before": timing.not_before,
        "attempts": 0,
    }


def _items(waits: ColumnElement[bool], most: int) -> Any:  # noqa: ANN401 - a select
    """The most pressing first; of those the least tried, so that one that is always refused keeps no other back."""
    row, notice, case_ = DeliveryRow, NoticeRow, CaseRow
    told = (col(row.id), col(row.urgent), col(notice.case_id), col(notice.kind), col(notice.at), col(EventRow.data))
    names_ = ("category", "condition", "area", "stage", "due_at", "overdue")
    return (
        select(*told, *(col(getattr(case_, name)) for name in names_))
        .join(notice, col(notice.id) == col(row.notice_id))
        .join(case_, col(case_.id) == col(notice.case_id))
        .outerjoin(EventRow, _told_of())
        .where(waits)
        .order_by(col(row.urgent).desc(), col(row.attempts), col(row.not_before), col(row.id))
        .limit(most)
    )


def _item(row: Any) -> Item:  # noqa: ANN401 - a row of `_items`
    return Item(
        delivery=row.id,
        kind=row.kind,
        action=_action(row.data),
        at=row.at,
        urgent=row.urgent,
        case_id=row.case_id,
        category=row.category,
        condition=row.condition,
        area=row.area,
        stage=row.stage,
        due_at=None if row.due_at == FOREVER else row.due_at,
        overdue=row.overdue,
    )
