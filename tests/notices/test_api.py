"""Notices at their case, each for those it concerns; and channels, for administrators alone."""

from uuid import uuid4

import pytest

from notices.deliverer import Deliverer
from store import channels
from tests.api.lives import LEAD
from tests.notices.receiver import Receiver
from tests.support.stack import Json, Stack

SECRET = "s3cret-of-the-robot"


async def put(stack: Stack, name: str, user: str = "admin", **body: object) -> tuple[int, Json]:
    answer = await stack.client(user).put(f"/notices/channels/{name}", json=body)
    assert SECRET not in answer.text
    return answer.status_code, answer.json()


async def told(stack: Stack, user: str, case: Json) -> list[Json]:
    answer = await stack.client(user).get(f"/cases/{case['id']}/notices")
    assert answer.status_code == 200, answer.text
    items: list[Json] = answer.json()["items"]
    return items


@pytest.fixture
def name() -> str:
    return f"c-{uuid4().hex[:8]}"


class TestChannels:
    async def test_are_made_shown_and_removed_without_their_address(self, stack: Stack, name: str) -> None:
        url = f"json://{SECRET}.example/"
        status, made = await put(stack, name, url=url, audience="supervisor", area="yunlan", per_minute=5)
        assert (status, made["service"], made["area"], made["per_minute"]) == (200, "json", "/qinghe/yunlan", 5)
        listed = await stack.client("admin").get("/notices/channels")
        assert name in [each["id"] for each in listed.json()["items"]]
        assert SECRET not in listed.text
        there = f"/notices/channels/{name}"
        statuses = [(await stack.client("admin").delete(there)).status_code for _ in range(2)]
        assert statuses == [204, 404]

    @pytest.mark.parametrize(
        ("body", "code", "field"),
        [
            ({"url": f"wecom://{SECRET}", "audience": "unit"}, "field_invalid", "url"),
            ({"url": [SECRET], "audience": "unit"}, "field_invalid", "url"),
            ({"url": "json://a", "audience": "reporter"}, "field_invalid", "audience"),
            ({"url": "json://a", "audience": "city", "unit": "roads"}, "field_invalid", "unit"),
            ({"url": "json://a", "audience": "unit", "area": "yunlan"}, "field_invalid", "area"),
            ({"url": "json://a", "audience": "unit", "per_minute": 0}, "field_invalid", "per_minute"),
            ({"url": "json://a", "audience": "unit", "unit": "nobody"}, "unknown_unit", None),
            ({"url": "json://a", "audience": "city", "area": "nowhere"}, "unknown_area", None),
            ({"url": "json://a", "audience": "city", "area": "/nowhere"}, "unknown_area", None),
            ({"url": "json://a", "audience": "unit", "colour": "red"}, "unknown_field", "colour"),
        ],
    )
    async def test_that_cannot_be_are_refused(
        self, stack: Stack, name: str, body: Json, code: str, field: str | None
    ) -> None:
        status, problem = await put(stack, name, **body)
        assert (status, problem["code"], problem.get("field")) == (422, code, field)

    @pytest.mark.parametrize("user", ["resident", "officer-1", LEAD, "dispatcher", "supervisor"])
    async def test_are_for_administrators_alone(self, stack: Stack, name: str, user: str) -> None:
        status, _ = await put(stack, name, user, url=f"json://{SECRET}", audience="unit")
        client, there = stack.client(user), f"/notices/channels/{name}"
        answers = [await client.get("/notices/channels"), await client.delete(there)]
        assert [status, *(each.status_code for each in answers)] == [403, 403, 403]


class TestACase:
    async def test_shows_what_became_of_its_notices(self, stack: Stack, name: str, receiver: Receiver) -> None:
        await put(stack, name, url=receiver.url(), audience="unit", unit="sanitation")
        case = await stack.recorded(await stack.open(severity="urgent"))
        deliverer = Deliverer(stack.engines[0])
        await deliverer.look()
        await deliverer.settle()
        await channels.remove(stack.engines[0], name, stack.services.now())
        (notice,) = await told(stack, "supervisor", case)
        assert (notice["seq"], notice["kind"], notice["audience"]) == (2, "CaseDispatched", "unit")
        (delivery,) = [each for each in notice["deliveries"] if each["channel"] == name]
        assert (delivery["status"], delivery["attempts"], delivery["error"]) == ("delivered", 1, None)
        assert delivery["delivered_at"].endswith("+08:00")

    async def test_shows_each_what_concerns_him(self, stack: Stack) -> None:
        case = await stack.recorded(await stack.open("resident", source="resident"))
        case = await stack.recorded((await stack.give("dispatcher", case, "dismiss", reason="重复上报")).json())
        seen = {
            user: [each["audience"] for each in await told(stack, user, case)] for user in ("resident", "officer-1")
        }
        assert seen == {"resident": ["reporter"], "officer-1": []}
        assert [each["audience"] for each in await told(stack, "admin", case)] == ["reporter"]

    async def test_shows_a_unit_its_own(self, stack: Stack) -> None:
        case = await stack.recorded(await stack.open())
        assert [each["audience"] for each in await told(stack, LEAD, case)] == ["unit"]
        answer = await stack.client("unit-water").get(f"/cases/{case['id']}/notices")
        assert answer.status_code == 404
