"""Notices: what the caller has been told; which a case caused and what became of each; channels."""

import asyncio
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from api.auth import Caller
from api.lists import Cursor, Limit, area_path
from api.problems import RESPONSES
from api.publications import Chief
from api.reading import visible_case, zone_of
from api.services import Injected, Services
from directory.model import Slug
from domain.actors import Actor, Role
from domain.errors import Invalid, NotVisible
from domain.policy import Audience
from notices.channels import BadChannel, Wanted, channel
from store import channels, inbox, notices
from store.notices import Told

router = APIRouter(tags=["notices"], responses=RESPONSES)

#: See every notice of a case they may see; others what is told to them.
_ALL = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN})

ChannelId = Annotated[Slug, Path(description="Lower-case letters, digits and hyphens.")]


class SendingView(BaseModel):
    """`held`: it waits for working hours, up to `not_before`. `error`: why the last attempt failed."""

    channel: str
    status: Literal["pending", "held", "delivered", "failed"]
    attempts: int
    error: str | None
    not_before: datetime
    delivered_at: datetime | None


class NoticeView(BaseModel):
    """`seq` is the event that caused it. Without `deliveries` no channel was there to take it."""

    seq: int
    kind: str
    at: datetime
    audience: Audience
    deliveries: list[SendingView]


class NoticeList(BaseModel):
    items: list[NoticeView]


@router.get("/cases/{case_id}/notices", name="get_case_notices")
async def get_notices(services: Injected, actor: Caller, case_id: str) -> NoticeList:
    """Who was told of what, and whether it arrived. A unit sees what was told to it."""
    case = await visible_case(services, actor, case_id)
    told = await notices.of_case(services.database, case.id, services.now())
    zone = await zone_of(services)
    return NoticeList(items=[_view(each, zone) for each in told if _concerns(actor, each)])


class ToldView(BaseModel):
    """`seq` is the event of the case that caused it; `action` that of a rung: remind, urge, and so on."""

    case: str
    category: str
    seq: int
    kind: str
    action: str | None
    at: datetime


class Inbox(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[ToldView]
    next_cursor: str | None


@router.get("/notices", name="list_notices")
async def list_notices(services: Injected, actor: Caller, cursor: Cursor = None, limit: Limit = 50) -> Inbox:
    """What the caller has been told, newest first: a unit as a unit, everybody else of what they have reported."""
    try:
        found = await inbox.told(services.database, actor, cursor, limit)
    except ValueError:
        raise Invalid("cursor_invalid") from None
    zone = await zone_of(services)
    items = [
        ToldView(
            case=each.case_id,
            category=each.category,
            seq=each.seq,
            kind=each.kind,
            action=each.action,
            at=each.at.astimezone(zone),
        )
        for each in found.items
    ]
    return Inbox(items=items, next_cursor=found.next_cursor)


class ChannelView(BaseModel):
    """A channel without its address. `due`, `held`, `failed`: its notices; `failures`: refusals in a row."""

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


class ChannelList(BaseModel):
    items: list[ChannelView]


@router.get("/notices/channels", name="list_channels")
async def list_channels(services: Injected, _actor: Chief) -> ChannelList:
    """For administrators of the whole city."""
    found = await channels.listing(services.database, services.now())
    return ChannelList(items=[ChannelView(**each._asdict()) for each in found])


@router.put("/notices/channels/{channel_id}", name="put_channel")
async def put_channel(services: Injected, _actor: Chief, channel_id: ChannelId, body: Wanted) -> ChannelView:
    """Makes a channel, or gives one another address or scope. A new one sends what happens from now on."""
    area = await area_path(services, body.area)
    await _need_unit(services, body.unit)
    try:
        wanted = await asyncio.to_thread(channel, channel_id, body, area)
        await channels.put(services.database, wanted, services.now())
    except BadChannel as error:
        raise Invalid("field_invalid", field=error.field, reason=error.reason) from None
    except LookupError:
        raise Invalid("unknown_area", area=body.area) from None
    found = await channels.listing(services.database, services.now())
    return next(ChannelView(**each._asdict()) for each in found if each.id == channel_id)


@router.delete("/notices/channels/{channel_id}", name="remove_channel", status_code=204)
async def remove_channel(services: Injected, _actor: Chief, channel_id: ChannelId) -> Response:
    """Forgets its address. What waits for it is not sent."""
    if not await channels.remove(services.database, channel_id, services.now()):
        raise NotVisible("not_found")
    return Response(status_code=204)


async def _need_unit(services: Services, unit: str | None) -> None:
    if unit is not None and unit not in (await services.cities.get(services.now())).directory.unit_by_id:
        raise Invalid("unknown_unit", unit=unit)


def _concerns(actor: Actor, told: Told) -> bool:
    if actor.role in _ALL:
        return True
    if told.audience is Audience.UNIT:
        return actor.unit is not None and told.recipient == actor.unit
    if told.audience is Audience.REPORTER:
        return told.recipient == actor.user
    return told.audience is Audience.OFFICERS and actor.role is Role.OFFICER


def _view(told: Told, zone: ZoneInfo) -> NoticeView:
    return NoticeView(
        seq=told.seq,
        kind=told.kind,
        at=told.at.astimezone(zone),
        audience=told.audience,
        deliveries=[
            SendingView(
                channel=each.channel,
                status=each.status,
                attempts=each.attempts,
                error=each.error,
                not_before=each.not_before.astimezone(zone),
                delivered_at=each.delivered_at and each.delivered_at.astimezone(zone),
            )
            for each in told.sendings
        ],
    )
