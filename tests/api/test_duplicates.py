"""The same reported twice: offered, joined, merged; and what comes back after it was put right."""

import asyncio
from itertools import count

import httpx
import pytest

from directory.model import Point
from directory.nearby import NEAR_METRES
from domain.record import Record
from store import points
from tests.api.answers import refused
from tests.api.lives import LEAD, accepted, closed, submitted
from tests.support.stack import FAR, LAT, LON, USERS, Json, Stack

METRE = 1 / 111_195  # degrees of latitude
NEAR = NEAR_METRES["event"]
_spots = count(1)
Place = dict[str, float]


@pytest.fixture
def place() -> Place:
    """Where nobody else reports anything, in the district of the officers."""
    return {"lon": LON, "lat": round(LAT + 0.0014 * next(_spots), 7)}


def beside(place: Place, metres: float) -> Place:
    return {**place, "lat": round(place["lat"] + metres * METRE, 7)}


async def opened(stack: Stack, place: Place, user: str = "officer-1", **changes: object) -> Json:
    """And written down, so that it can be offered."""
    return await stack.recorded(await stack.open(user, location=place, **changes))


async def again(
    stack: Stack, place: Place, user: str = "officer-3", *, key: str | None = None, **changes: object
) -> httpx.Response:
    """A report that does not say that it is new."""
    return await stack.report(user, key=key, **{"location": place, "confirm_new": None, **changes})


async def joined(stack: Stack, case: Json, place: Place, user: str = "resident") -> Json:
    return await stack.recorded(await stack.do(user, case, "join", description="我也看到了", location=place))


async def put_right(stack: Stack, case: Json) -> Json:
    return await stack.recorded(await closed(stack, await accepted(stack, case)))


async def told(stack: Stack, user: str, case: Json) -> list[str]:
    """What the user has heard of the case, newest first."""
    answer = await stack.client(user).get("/notices", params={"limit": 200})
    return [each["kind"] for each in answer.json()["items"] if each["case"] == case["id"]]


async def count_of(stack: Stack, case: Json, user: str = "admin") -> int:
    answer = await stack.client(user).get("/cases", params={"q": case["id"]})
    return len(answer.json()["items"])


class TestTheOffer:
    async def test_names_the_open_cases_of_the_category_near_by(self, stack: Stack, place: Place) -> None:
        case = await opened(stack, place, address="槐荫巷 3 号")
        problem = refused(await again(stack, beside(place, 20)), 409, "possible_duplicate")
        assert problem["count"] == 1
        assert problem["candidates"] == [
            {
                "id": case["id"],
                "distance": 20,
                "stage": "assignment",
                "opened_at": case["opened_at"],
                "address": "槐荫巷 3 号",
                "description": case["description"],
            }
        ]

    async def test_is_the_same_on_postgresql(self, postgresql_stack: Stack, place: Place) -> None:
        case = await opened(postgresql_stack, place)
        answer = await again(postgresql_stack, beside(place, NEAR - 1))
        assert [each["id"] for each in refused(answer, 409, "possible_duplicate")["candidates"]] == [case["id"]]
        assert (await again(postgresql_stack, beside(place, NEAR + 1))).status_code == 201

    async def test_opens_nothing(self, stack: Stack, place: Place) -> None:
        await opened(stack, place)
        refused(await again(stack, place, external_ref="NONE-1", key="none"), 409, "possible_duplicate")
        listed = await stack.client("admin").get("/cases", params={"q": "NONE-1"})
        assert listed.json()["items"] == []

    async def test_goes_as_far_as_the_category_does(self, stack: Stack, place: Place) -> None:
        await opened(stack, place)
        refused(await again(stack, beside(place, NEAR - 1)), 409, "possible_duplicate")
        assert (await again(stack, beside(place, NEAR + 1))).status_code == 201

    async def test_is_not_made_for_another_category(self, stack: Stack, place: Place) -> None:
        await opened(stack, place)
        assert (await again(stack, place, category="C0101")).status_code == 201

    async def test_hides_what_the_caller_may_not_see(self, stack: Stack, place: Place) -> None:
        case = await opened(stack, place, address="槐荫巷 3 号")
        answer = await again(stack, place, "resident")
        problem = refused(answer, 409, "possible_duplicate")
        assert [set(each) for each in problem["candidates"]] == [{"id", "distance", "stage", "opened_at"}]
        assert case["description"] not in answer.text
        assert "槐荫" not in answer.text

    async def test_is_the_nearest_first_and_ten_at_most(self, stack: Stack, place: Place) -> None:
        cases = await asyncio.gather(*(opened(stack, beside(place, apart)) for apart in range(24, 0, -2)))
        problem = refused(await again(stack, place), 409, "possible_duplicate")
        assert [each["id"] for each in problem["candidates"]] == [case["id"] for case in reversed(cases)][:10]

    async def test_can_be_declined_with_the_same_key(self, stack: Stack, place: Place) -> None:
        """The refusal has used nothing up; and the repetition of a report that was taken is no second question."""
        await opened(stack, place)
        refused(await again(stack, place, key="once"), 409, "possible_duplicate")
        answer = await again(stack, place, key="once", confirm_new=True)
        assert answer.status_code == 201
        assert "idempotency-replayed" not in answer.headers
        repeated = await again(stack, place, key="once")
        assert (repeated.status_code, repeated.json()["id"]) == (201, answer.json()["id"])
        assert repeated.headers["idempotency-replayed"] == "true"

    async def test_is_not_made_of_a_report_that_was_taken(self, lonely_stack: Stack, place: Place) -> None:
        """No worker has written it down; the other has been since."""
        first = await lonely_stack.report(key="lost", location=place)
        await self.write_down(lonely_stack, await lonely_stack.open(location=place))
        refused(await again(lonely_stack, place), 409, "possible_duplicate")
        repeated = await again(lonely_stack, place, "officer-1", key="lost")
        assert (repeated.status_code, repeated.json()["id"]) == (201, first.json()["id"])

    async def write_down(self, stack: Stack, case: Json) -> None:
        snapshot = await stack.services.cases.beginning(case["id"])
        await stack.recorder.record(Record(case=snapshot, events=()))

    async def test_is_not_made_where_nobody_could_choose(self, stack: Stack, place: Place) -> None:
        await opened(stack, place)
        before, after = await stack.photo(), await stack.photo(seed=1)
        handled = {"note": "当场清理", "evidence": [after]}
        assert (await again(stack, place, "dispatcher", source="system")).status_code == 201
        taken = await again(stack, place, "officer-1", self_handled=handled, evidence=[before])
        assert taken.status_code == 201, taken.text
        refused(await again(stack, place, "dispatcher", source="hotline"), 409, "possible_duplicate")

    async def test_needs_a_place(self, stack: Stack) -> None:
        nowhere: Json = {"location": None, "address": "城东某处", "category": "E0402"}
        await stack.recorded(await stack.open(**nowhere))
        assert (await stack.report(**nowhere, confirm_new=False)).status_code == 201

    async def test_is_by_the_registered_point_however_far(self, stack: Stack, place: Place) -> None:
        market = Point(id="market-21", name_zh="市场", place_type="market", area="yunlan", **beside(place, 40))
        await points.put(stack.engines[0], [market])
        case = await opened(stack, place, point=market.id)
        problem = refused(await again(stack, beside(place, 80), point=market.id), 409, "possible_duplicate")
        assert [(each["id"], each["distance"]) for each in problem["candidates"]] == [(case["id"], 80)]
        assert (await again(stack, beside(place, 80))).status_code == 201

    async def test_is_made_to_nobody_who_may_not_report(self, stack: Stack, place: Place) -> None:
        await opened(stack, place)
        refused(await again(stack, place, LEAD), 403, "role_forbidden")

    async def test_ends_with_the_case(self, stack: Stack, place: Place) -> None:
        await put_right(stack, await opened(stack, place))
        assert (await again(stack, place)).status_code == 201

    async def test_is_left_out_without_a_database(self, stack: Stack, place: Place) -> None:
        await opened(stack, place)
        with stack.without_database():
            answer = await again(stack, place)
        assert answer.status_code == 201
        assert answer.json()["recurrence_of"] is None


class TestJoining:
    async def test_makes_another_reporter(self, stack: Stack, place: Place) -> None:
        case = await opened(stack, place)
        refused(await stack.client("resident").get(f"/cases/{case['id']}"), 404, "case_not_found")
        assert await count_of(stack, case, "resident") == 0
        after = await joined(stack, case, beside(place, 30))
        assert (after["stage"], after["reporters"]) == ("assignment", 2)
        assert (await stack.see("resident", case))["id"] == case["id"]
        assert await count_of(stack, case, "resident") == 1

    async def test_lets_everybody_hear_how_it_ends(self, stack: Stack, place: Place) -> None:
        case = await joined(stack, await opened(stack, place), place)
        await put_right(stack, case)
        assert await told(stack, "officer-1", case) == ["InspectionPassed"]
        assert await told(stack, "resident", case) == ["InspectionPassed", "ReportJoined"]

    async def test_is_done_once(self, stack: Stack, place: Place) -> None:
        case = await opened(stack, place)
        body: Json = {"description": "也在这里", "location": place, "key": "join"}
        first = await stack.do("resident", case, "join", **body)
        assert await stack.do("resident", case, "join", **body) == first
        refused(await stack.give("resident", case, "join", **{**body, "key": "other"}), 409, "already_joined")
        refused(await stack.give("officer-1", case, "join", description="我报的"), 409, "already_joined")

    async def test_is_for_whoever_has_been_there(self, stack: Stack, place: Place) -> None:
        """To everybody else the case is not there."""
        case = await opened(stack, place)
        for elsewhere in (None, beside(place, NEAR + 1), FAR):
            answer = await stack.give("resident", case, "join", description="看到了", location=elsewhere)
            refused(answer, 404, "case_not_found")
        refused(await stack.give("resident", case, "join", description="看到了", point="market"), 404, "case_not_found")
        refused(await stack.give("unit-water", case, "join", description="看到", location=place), 404, "case_not_found")

    async def test_needs_no_place_of_who_sees_the_case(self, stack: Stack, place: Place) -> None:
        case = await opened(stack, place)
        assert (await stack.do("officer-3", case, "join", description="同一堆垃圾"))["reporters"] == 2
        refused(await stack.give(LEAD, case, "join", description="看到了"), 403, "role_forbidden")

    async def test_keeps_him_from_inspecting(self, stack: Stack, place: Place) -> None:
        case = await joined(stack, await opened(stack, place), place, "officer-2")
        await submitted(stack, await accepted(stack, case))
        answer = await stack.give("officer-2", case, "inspect", result="pass", note="合格")
        refused(answer, 403, "separation_of_duties")

    async def test_comes_too_late_for_a_closed_case(self, stack: Stack, place: Place) -> None:
        case = await put_right(stack, await opened(stack, place))
        answer = await stack.give("resident", case, "join", description="还在", location=place)
        refused(answer, 409, "stage_forbids")

    async def test_on_behalf_of_others_is_a_dispatchers(self, stack: Stack, place: Place) -> None:
        case = await opened(stack, place)
        body: Json = {"description": "热线来电", "on_behalf_of": ["resident"]}
        refused(await stack.give("officer-3", case, "join", **body), 403, "on_behalf_not_yours")
        for nobody in ("nobody", LEAD):
            wrong = {**body, "on_behalf_of": [nobody]}
            refused(await stack.give("dispatcher", case, "join", **wrong), 422, "unknown_reporter")
        assert (await stack.do("dispatcher", case, "join", **body))["joined"] == ["resident"]

    async def test_tells_strangers_that_there_are_others_and_not_who(self, stack: Stack, place: Place) -> None:
        case = await joined(stack, await opened(stack, place), place)
        case = await stack.recorded(await stack.do("officer-3", case, "join", description="同上"))
        seen = {user: await stack.see(user, case) for user in ("resident", LEAD, "dispatcher")}
        assert {each["reporters"] for each in seen.values()} == {3}
        assert (seen["resident"]["reporter"], seen["resident"]["joined"]) == (None, ["resident"])
        assert (seen[LEAD]["reporter"], seen[LEAD]["joined"]) == (None, [])
        assert (seen["dispatcher"]["reporter"], seen["dispatcher"]["joined"]) == (
            "officer-1",
            ["resident", "officer-3"],
        )
        for user in ("resident", LEAD):
            events = (await stack.client(user).get(f"/cases/{case['id']}/events")).json()["items"]
            named = [each["data"]["reporters"] for each in events if each["type"] == "ReportJoined"]
            assert named == ([["resident"], []] if user == "resident" else [[], []])


class TestMerging:
    async def merge(self, stack: Stack, duplicate: Json, into: Json, user: str = "dispatcher") -> httpx.Response:
        return await stack.give(user, duplicate, "merge", into=into["id"])

    async def test_takes_the_reporters_along_and_ends_the_duplicate(self, stack: Stack, place: Place) -> None:
        master = await opened(stack, place)
        duplicate = await joined(stack, await opened(stack, place, "officer-3"), place)
        answer = await self.merge(stack, duplicate, master)
        assert answer.status_code == 200, answer.text
        assert answer.json()["id"] == master["id"]
        assert answer.json()["joined"] == ["officer-3", "resident"]
        ended = await stack.recorded(await stack.see("admin", duplicate))
        assert ended["stage"] == "withdrawn"
        events = (await stack.client("admin").get(f"/cases/{duplicate['id']}/events")).json()["items"]
        assert master["id"] in events[-1]["data"]["reason"]
        await stack.recorded(answer.json())
        assert await told(stack, "officer-3", master) == ["ReportJoined"]

    async def test_dismisses_what_nobody_has_verified(self, stack: Stack, place: Place) -> None:
        master, duplicate = await opened(stack, place), await opened(stack, place, "resident")
        assert (await self.merge(stack, duplicate, master, "supervisor")).status_code == 200
        ended = await stack.recorded(await stack.see("admin", duplicate))
        assert ended["stage"] == "dismissed"
        assert "CaseDismissed" in await told(stack, "resident", duplicate)

    @pytest.mark.parametrize("reporter", ["officer-3", "resident"])
    async def test_may_be_repeated(self, stack: Stack, place: Place, reporter: str) -> None:
        master, duplicate = await opened(stack, place), await opened(stack, place, reporter)
        first = await self.merge(stack, duplicate, master)
        again = await self.merge(stack, duplicate, master)
        assert (again.status_code, again.json()) == (200, first.json())

    async def test_goes_on_where_it_was_interrupted(self, stack: Stack, place: Place) -> None:
        master, duplicate = await opened(stack, place), await opened(stack, place, "officer-3")
        await stack.do("dispatcher", master, "join", description="合并", on_behalf_of=["officer-3"])
        answer = await self.merge(stack, duplicate, master)
        assert (answer.status_code, answer.json()["joined"]) == (200, ["officer-3"])
        assert (await stack.see("admin", duplicate))["stage"] == "withdrawn"

    async def test_is_refused_before_anything_is_done(self, stack: Stack, place: Place) -> None:
        master, duplicate = await opened(stack, place), await opened(stack, place, "officer-3")
        refused(await self.merge(stack, duplicate, duplicate), 422, "merge_into_itself")
        refused(await self.merge(stack, duplicate, master, "officer-1"), 403, "role_forbidden")
        refused(await self.merge(stack, duplicate, master, "resident"), 404, "case_not_found")
        refused(await self.merge(stack, duplicate, {"id": "RC-0000-0000-0000"}), 404, "case_not_found")
        his = await opened(stack, place, "resident")
        refused(await self.merge(stack, his, master, "resident"), 404, "case_not_found")
        await submitted(stack, await accepted(stack, duplicate))
        assert "merge" not in refused(await self.merge(stack, duplicate, master), 409, "merge_too_late")["actions"]
        done = await put_right(stack, master)
        refused(await self.merge(stack, await opened(stack, place), done), 409, "merge_into_ended")
        assert (await stack.see("admin", master))["reporters"] == 1


class TestWhatHasComeBack:
    async def test_is_linked_and_counted(self, stack: Stack, place: Place) -> None:
        first = await put_right(stack, await opened(stack, place))
        second = await opened(stack, beside(place, 10), confirm_new=None)
        assert second["recurrence_of"] == first["id"]
        await put_right(stack, second)
        third = await opened(stack, place, confirm_new=None)
        assert third["recurrence_of"] == second["id"]
        seen = [await stack.see("admin", case) for case in (first, second, third)]
        assert [(each["recurrences"], each["recurred"]) for each in seen] == [(1, 0), (1, 1), (0, 2)]

    async def test_is_found_in_the_list(self, stack: Stack, place: Place) -> None:
        first = await put_right(stack, await opened(stack, place))
        second = await opened(stack, place)
        for asked, expected in ((True, [second["id"]]), (False, [first["id"]])):
            params: Json = {"recurrent": asked, "category": "E0110", "limit": 200, "opened_from": first["opened_at"]}
            items = (await stack.client("admin").get("/cases", params=params)).json()["items"]
            assert [each["id"] for each in items if each["id"] in {first["id"], second["id"]}] == expected

    async def test_is_counted_from_put_right_not_from_withdrawn(self, stack: Stack, place: Place) -> None:
        case = await opened(stack, place)
        await stack.recorded(await stack.do("dispatcher", case, "withdraw", reason="误报"))
        assert (await opened(stack, place, confirm_new=None))["recurrence_of"] is None

    async def test_is_not_known_while_the_database_is_away(self, stack: Stack, place: Place) -> None:
        case = await opened(stack, place)
        with stack.without_database():
            seen = await stack.see("admin", case)
        assert (seen["recurrences"], seen["recurred"]) == (None, None)


class TestNotices:
    async def test_come_page_by_page(self, stack: Stack, place: Place) -> None:
        case = await opened(stack, place)
        for number in range(3):
            await stack.recorded(await stack.do("supervisor", case, "urge", note=f"请尽快 {number}"))
        client = stack.client(LEAD)
        seen: list[Json] = []
        cursor = None
        while len(seen) < 4:
            page = (await client.get("/notices", params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
            seen += page["items"]
            cursor = page["next_cursor"]
        ours = [(each["kind"], each["category"]) for each in seen if each["case"] == case["id"]]
        assert ours == [("CaseUrged", "E0110")] * 3 + [("CaseDispatched", "E0110")]

    async def test_of_another_are_not_his(self, stack: Stack, place: Place) -> None:
        case = await put_right(stack, await opened(stack, place))
        hearing = {user for user in USERS if await told(stack, user, case)}
        assert hearing == {LEAD, "officer-1"}
        refused(await stack.client(LEAD).get("/notices", params={"cursor": "abc"}), 422, "cursor_invalid")
        other = (await stack.client(LEAD).get("/notices", params={"limit": 1})).json()["next_cursor"]
        refused(await stack.client("officer-1").get("/notices", params={"cursor": other}), 422, "cursor_invalid")
