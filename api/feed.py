"""Everything that happened, in order, for other systems: by page, or as a stream of server-sent events."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.auth import Again, Caller, StillCaller
from api.problems import RESPONSES
from api.reading import zone_of
from api.services import Injected, Services
from api.views import EventView, event_view
from domain.actors import Actor
from store import feed

router = APIRouter(prefix="/events", tags=["events"], responses=RESPONSES)

#: How soon a stream notices news, in seconds.
_POLL = 0.5
_LARGEST = 2**62
_POSITION = re.compile("[0-9]{1,19}")


class Feed(BaseModel):
    """Go on with `next_after`, also when `items` is empty: what the caller may not see is passed over, not repeated.

    The end is reached when `next_after` stays what it was.
    """

    items: list[EventView]
    next_after: int


@router.get("", name="list_events")
async def list_events(
    services: Injected,
    actor: Caller,
    after: Annotated[int, Query(ge=0, le=_LARGEST, description="A position; 0 begins at the beginning.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Feed:
    """Events after a position. A reader that has seen a position never finds a smaller one later."""
    page = await feed.after(services.database, after, actor, limit)
    return Feed(items=_views(page, actor, await zone_of(services)), next_after=page.position)


@router.get("/stream", name="stream_events", response_class=EventSourceResponse)
async def stream_events(
    services: Injected,
    actor: Caller,  # noqa: ARG001 - refuses before the stream begins
    still: StillCaller,
    after: Annotated[int | None, Query(ge=0, le=_LARGEST, description="Default: what happens from now on.")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventSourceResponse:
    """The same as server-sent events; `id` is the position, so that a browser reconnects where it was."""
    start = int(last_event_id) if last_event_id and _POSITION.fullmatch(last_event_id) else after
    if start is None:
        start = await feed.last_position(services.database)
    news = _news(services, still, min(start, _LARGEST), await zone_of(services))
    return EventSourceResponse(news, ping=15)


async def _news(services: Services, still: Again, position: int, zone: ZoneInfo) -> AsyncIterator[ServerSentEvent]:
    """Ends with the server, or with the token."""
    while not services.closing.is_set() and (actor := await still()) is not None:
        page = await feed.after(services.database, position, actor, 200)
        behind, position = page.position > position, page.position
        for view in _views(page, actor, zone):
            yield ServerSentEvent(view.model_dump_json(), event=view.type, id=str(view.position))
        if not behind:
            await _pause(services.closing)


async def _pause(closing: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_POLL):
            await closing.wait()
    except TimeoutError:
        return


def _views(page: feed.FeedPage, actor: Actor, zone: ZoneInfo) -> list[EventView]:
    return [event_view(item.case_id, item.position, item.event, actor, zone) for item in page.items]
