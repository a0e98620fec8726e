"""Everything that happened, in order, each thing once: by page and as a stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

from tests.api.answers import refused
from tests.api.lives import LEAD, accepted, submitted
from tests.support.stack import Json, Stack


async def read(stack: Stack, user: str, after: int, limit: int) -> AsyncIterator[Json]:
    """To the end, page by page."""
    while True:
        page = (await stack.client(user).get("/events", params={"after": after, "limit": limit})).json()
        for item in page["items"]:
            yield item
        if page["next_after"] == after:
            return
        after = page["next_after"]


async def now(stack: Stack) -> int:
    """The position of what was recorded last."""
    last: int
    *_, last = [0, *[each["position"] async for each in read(stack, "admin", 0, 1000)]]
    return last


async def lived(stack: Stack) -> Json:
    return await stack.recorded(await submitted(stack))


class TestPages:
    async def test_of_one_give_everything_once_and_in_order(self, stack: Stack) -> None:
        start, case = await now(stack), await lived(stack)
        small = [event async for event in read(stack, "supervisor", start, 1)]
        large = [event async for event in read(stack, "supervisor", start, 1000)]
        assert small == large
        assert all(a["position"] < b["position"] for a, b in pairwise(small))
        ours = [event["seq"] for event in small if event["case"] == case["id"]]
        assert ours == list(range(1, case["version"] + 1))

    async def test_show_each_caller_his_own(self, stack: Stack) -> None:
        start, case = await now(stack), await lived(stack)
        assert case["id"] in {event["case"] async for event in read(stack, LEAD, start, 10)}
        assert case["id"] not in {event["case"] async for event in read(stack, "unit-roads", start, 10)}

    async def test_go_on_past_what_is_not_to_be_seen(self, stack: Stack) -> None:
        start = await now(stack)
        await lived(stack)
        page = (await stack.client("unit-water").get("/events", params={"after": start})).json()
        assert page["items"] == []
        assert page["next_after"] == await now(stack)

    async def test_begin_only_where_something_can_be(self, stack: Stack) -> None:
        for params in ({"after": -1}, {"after": "x"}, {"limit": 0}, {"limit": 1001}, {"after": 2**70}):
            refused(await stack.client(LEAD).get("/events", params=params), 422, "field_invalid")


@asynccontextmanager
async def listening(
    stack: Stack, user: str, *, last: str | None = None, **params: int
) -> AsyncIterator[AsyncIterator[Json]]:
    """Events of a stream that has begun."""
    headers = {} if last is None else {"Last-Event-ID": last}
    async with stack.client(user).stream("GET", "/events/stream", headers=headers, params=params) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer.aiter_lines())


async def events(lines: AsyncIterator[str]) -> AsyncIterator[Json]:
    event: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if name in {"id", "data", "event"}:
            event[name] = value
        elif not line and event:
            yield {**json.loads(event["data"]), "id": event["id"], "event": event["event"]}
            event = {}


async def take(count: int, source: AsyncIterator[Json]) -> list[Json]:
    async with asyncio.timeout(30):
        return [await anext(source) for _ in range(count)]


class TestAStream:
    async def test_goes_on_where_it_was_without_gap_or_repetition(self, stack: Stack) -> None:
        start, case = await now(stack), await lived(stack)
        async with listening(stack, LEAD, after=start) as stream:
            before = await take(2, stream)
        async with listening(stack, LEAD, last=before[-1]["id"], after=start) as stream:
            whole = [*before, *await take(case["version"] - 2, stream)]
        assert [event["seq"] for event in whole] == list(range(1, case["version"] + 1))
        assert [event["id"] for event in whole] == [str(event["position"]) for event in whole]
        assert [event["event"] for event in whole] == [event["type"] for event in whole]

    async def test_begins_with_what_happens_from_now_on(self, stack: Stack) -> None:
        await lived(stack)
        async with listening(stack, LEAD) as stream:
            case = await accepted(stack)
            assert [event["case"] for event in await take(3, stream)] == [case["id"]] * 3

    async def test_survives_a_last_id_that_is_no_position(self, stack: Stack) -> None:
        await lived(stack)
        for last in ("9" * 5000, "-1", "x"):
            async with listening(stack, LEAD, last=last, after=0) as stream:
                assert len(await take(1, stream)) == 1

    async def test_is_not_for_strangers(self, stack: Stack) -> None:
        refused(await stack.client().get("/events/stream"), 401, "unauthenticated")
