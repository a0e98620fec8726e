"""Several units at one case, each with its part; and works that begin with a plan, through the API."""

from datetime import UTC, datetime, timedelta

from domain.calendar import Calendar
from store import directory, rules
from tests.api.answers import refused
from tests.support.stack import Json, Stack


async def helped(stack: Stack) -> Json:
    """Led by roads, helped by parks."""
    case = await stack.do("dispatcher", await stack.open(category="E0602"), "assign", unit="roads", co_units=["parks"])
    return await stack.do("unit-roads", case, "accept")


class TestACoUnit:
    async def test_has_a_part_with_a_deadline(self, stack: Stack) -> None:
        case = await helped(stack)
        part = {"unit": "parks", "due_at": case["due_at"], "overdue": False, "submitted_at": None}
        assert case["co_tasks"] == [part]
        answer = (await stack.client("unit-parks").get(f"/cases/{case['id']}/deadline")).json()
        assert answer["co_units"]["parks"]["due_at"] == case["due_at"]

    async def test_finds_it_among_its_tasks_until_it_is_done(self, stack: Stack) -> None:
        case = await stack.recorded(await helped(stack))
        assert case["id"] in await tasks(stack, "unit-parks")
        case = await stack.recorded(await submitted(stack, "unit-parks", case))
        assert case["co_tasks"][0]["due_at"] is None
        assert case["co_tasks"][0]["submitted_at"] is not None
        assert case["id"] not in await tasks(stack, "unit-parks")
        assert case["id"] in await tasks(stack, "unit-roads")

    async def test_is_late_by_itself(self, stack: Stack) -> None:
        case = await stack.advance(await helped(stack), "P30D")
        assert case["co_tasks"][0]["overdue"]
        events = (await stack.client("unit-parks").get(f"/cases/{case['id']}/events")).json()["items"]
        late = [event for event in events if event["type"] == "CoUnitLate"]
        assert [event["data"]["unit"] for event in late] == ["parks"]

    async def test_is_told_of_its_part(self, stack: Stack) -> None:
        case = await stack.recorded(await helped(stack))
        notices = (await stack.client("unit-parks").get(f"/cases/{case['id']}/notices")).json()["items"]
        assert "CaseDispatched" in {notice["kind"] for notice in notices}


class TestTheLead:
    async def test_goes_ahead_with_a_reason_that_is_kept(self, stack: Stack) -> None:
        case = await helped(stack)
        proof = [await stack.photo("unit-roads")]
        early = await stack.give("unit-roads", case, "submit", note="完成", evidence=proof)
        assert refused(early, 409, "co_units_pending")["units"] == ["parks"]
        body = {"note": "完成", "evidence": proof, "ahead_because": "绿化补种须待春季"}
        case = await stack.do("unit-roads", case, "submit", **body)
        assert case["stage"] == "reinspection"
        events = (await stack.client("officer-2").get(f"/cases/{case['id']}/events")).json()["items"]
        told = next(event["data"] for event in events if event["type"] == "RectificationSubmitted")
        assert (told["without"], told["ahead_because"]) == (["parks"], "绿化补种须待春季")


async def submitted(stack: Stack, user: str, case: Json) -> Json:
    return await stack.do(user, case, "submit", note="完成", evidence=[await stack.photo(user)])


async def tasks(stack: Stack, user: str) -> set[str]:
    items = (await stack.client(user).get("/tasks?limit=200")).json()["items"]
    return {each["id"] for each in items}


#: Works an hour a night: four working hours take four days.
NIGHTS = Calendar.model_validate(
    {
        "id": "nights",
        "zone": "Asia/Shanghai",
        "seasons": [{"weekdays": [["00:00-01:00"]] * 7}],
        "official_through": "2099-12-31",
    }
)


class TestHoursOfItsOwn:
    async def test_set_the_deadline_of_the_unit_that_keeps_them(self, lonely_stack: Stack) -> None:
        database = lonely_stack.services.database
        await rules.publish_calendar(database, NIGHTS, "admin", datetime.now(UTC))
        city = await directory.load(database)
        units = (unit.model_copy(update={"calendar": NIGHTS.id}) for unit in city.units)
        policy, ladder, calendar = await directory.current_rules(database)
        await directory.save(database, city.model_copy(update={"units": tuple(units)}), calendar, policy, ladder)
        case = await lonely_stack.open(category="E0110")
        allowed = datetime.fromisoformat(case["due_at"]) - datetime.fromisoformat(case["opened_at"])
        assert case["limit"] == {"value": "4", "unit": "work_hour"}
        assert timedelta(days=3) < allowed < timedelta(days=5)
