"""Whole lives through the API, from the street to the archive."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tests.api.answers import refused
from tests.api.lives import LEAD, accepted, closed, submitted, types
from tests.support.stack import Json, Stack


async def verified(stack: Stack) -> Json:
    return await stack.do("officer-1", await stack.open("resident"), "verify")


class TestAnOrdinaryLife:
    async def test_goes_through_rework_to_the_archive(self, stack: Stack) -> None:
        await self.live(stack)

    async def test_is_the_same_on_postgresql(self, postgresql_stack: Stack) -> None:
        await self.live(postgresql_stack)

    async def live(self, stack: Stack) -> None:
        case = await stack.open(evidence=[await stack.photo()])
        assert (case["stage"], case["lead_unit"], case["version"]) == ("assignment", "sanitation", 2)
        case = await submitted(stack, await accepted(stack, case))
        case = await stack.do("officer-2", case, "inspect", result="fail", note="仍有积存")
        assert (case["stage"], case["round"], case["failed_inspections"]) == ("rectification", 2, 1)
        case = await closed(stack, case)
        assert (case["stage"], case["outcome"], case["due_at"]) == ("closure", "rectified", None)
        case = await stack.advance(case, "P7DT1H")
        assert (case["stage"], case["actions"]) == ("archived", [])
        assert await types(stack, case) == [
            "CaseOpened",
            "CaseDispatched",
            "CaseAccepted",
            "RectificationSubmitted",
            "InspectionFailed",
            "RectificationSubmitted",
            "InspectionPassed",
            "CaseArchived",
        ]
        found = await stack.client("officer-2").get("/cases", params={"q": case["id"], "stage": "archived"})
        assert [each["id"] for each in found.json()["items"]] == [case["id"]]

    async def test_an_ended_case_has_no_clock_to_move(self, stack: Stack) -> None:
        case = await stack.do("supervisor", await stack.open(), "force-close", reason="拆迁")
        assert (await stack.advance(case, "P1D")).items() <= (await stack.see("supervisor", case)).items()


class TestADeadline:
    async def test_counts_the_intervals_that_make_it(self, stack: Stack) -> None:
        case = await stack.open()
        answer = (await stack.client(LEAD).get(f"/cases/{case['id']}/deadline")).json()
        explained = answer["explanation"]
        assert (answer["clock"], answer["due_at"]) == ("unit", case["due_at"])
        assert sum(each["seconds"] for each in explained["intervals"]) == explained["total_seconds"] == 4 * 3600
        assert explained["limit"] == case["limit"] == {"value": "4", "unit": "work_hour"}
        assert answer["stage_clock"]["total_seconds"] == 2 * 3600

    async def test_of_a_closed_case_is_the_units(self, stack: Stack) -> None:
        case = await closed(stack)
        answer = (await stack.client("supervisor").get(f"/cases/{case['id']}/deadline")).json()
        assert (answer["clock"], answer["due_at"]) == (None, None)
        assert answer["explanation"] == answer["unit_clock"]
        assert answer["explanation"]["stopped_at"] is not None
        assert answer["whole_life"]["until"] is not None

    async def test_can_be_asked_for_as_of_another_time(self, stack: Stack) -> None:
        case = await stack.open()
        later = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
        answer = await stack.client(LEAD).get(f"/cases/{case['id']}/deadline", params={"at": later})
        assert abs(answer.json()["explanation"]["elapsed_seconds"] - 3 * 3600) < 60

    async def test_is_not_told_for_the_next_millennium(self, stack: Stack) -> None:
        case = await stack.open()
        url = f"/cases/{case['id']}/deadline"
        for at in ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "2026-11-22T08:00:00"):
            refused(await stack.client(LEAD).get(url, params={"at": at}), 422, "field_invalid")
        long_ago = await stack.client(LEAD).get(url, params={"at": "0001-01-01T00:00:00+12:00"})
        assert long_ago.json()["explanation"]["elapsed_seconds"] == 0


class TestALateUnit:
    async def test_climbs_the_ladder_and_stands_on_the_board(self, stack: Stack) -> None:
        case = await stack.advance(await accepted(stack), "P2D")
        assert (case["overdue"], case["escalation_level"]) == (True, 5)
        rungs = await stack.client("supervisor").get(f"/cases/{case['id']}/events")
        fired = [event["data"]["rung"] for event in rungs.json()["items"] if event["type"] == "RungFired"]
        assert fired[:6] == ["remind", "warn", "urge", "supervise", "yellow_card", "red_card"]
        for group in ("unit", "area", "category", "level"):
            board = await stack.client("supervisor").get("/overdue", params={"group_by": group, "unit": "sanitation"})
            assert case["id"] in {each["id"] for each in board.json()["items"]}
            assert sum(total["count"] for total in board.json()["totals"]) == board.json()["total"]
        elsewhere = await stack.client("supervisor").get("/overdue", params={"area": "wangxi"})
        assert case["id"] not in {each["id"] for each in elsewhere.json()["items"]}

    async def test_appeals_to_two_reviewers(self, stack: Stack) -> None:
        case = await closed(stack, await stack.advance(await accepted(stack), "PT5H"))
        case = await stack.do(LEAD, case, "appeal", reason="道路封闭")
        case = await stack.do("dispatcher", case, "decide-appeal", grant=True, reason="属实")
        assert (case["exempt"], case["appeal"]["state"]) == (False, "second_review")
        again = await stack.give("dispatcher", case, "decide-appeal", grant=True, reason="属实")
        refused(again, 403, "separation_of_duties")
        case = await stack.do("supervisor", case, "decide-appeal", grant=True, reason="同意")
        assert (case["exempt"], case["overdue"], case["appeal"]["state"]) == (True, True, "granted")


class TestAResident:
    async def test_reports_hears_back_and_rates(self, stack: Stack) -> None:
        case = await stack.open("resident", address="槐荫巷 3 号")
        assert (case["stage"], case["source"], case["lead_unit"]) == ("intake", "resident", None)
        case = await stack.do("dispatcher", case, "verify", note="属实")
        case = await closed(stack, await accepted(stack, case))
        assert "rate" in (await stack.see("resident", case))["actions"]
        tasks = (await stack.client("resident").get("/tasks")).json()["items"]
        assert case["id"] in {each["id"] for each in tasks}
        case = await stack.do("resident", case, "rate", score=5, comment="很快")
        assert case["rating"] == {"score": 5, "comment": "很快"}
        refused(await stack.give("resident", case, "rate", score=1), 409, "already_rated")

    async def test_is_not_named_to_the_unit(self, stack: Stack) -> None:
        case = await verified(stack)
        assert (await stack.see(LEAD, case))["reporter"] is None
        assert (await stack.see("supervisor", case))["reporter"] == "resident"
        for path in (f"/cases/{case['id']}/events", "/events?limit=1000", "/tasks?limit=200", f"/cases?q={case['id']}"):
            text = (await stack.client(LEAD).get(path)).text
            assert '"resident"' in text, "the role and the source may be told"
            assert '"user":"resident"' not in text
            assert '"reporter":"resident"' not in text

    async def test_may_withdraw_what_he_reported(self, stack: Stack) -> None:
        case = await stack.do("resident", await stack.open("resident"), "withdraw", reason="看错了")
        assert (case["stage"], case["outcome"]) == ("withdrawn", "withdrawn")


class TestADispatcher:
    async def test_assigns_finally_after_two_returns(self, stack: Stack) -> None:
        case = await stack.open()
        for _ in range(2):
            case = await stack.do(LEAD, case, "return", reason="非本单位职责", suggested_unit="roads")
            assert case["lead_unit"] is None
            case = await stack.do("dispatcher", case, "assign", unit="sanitation")
        assert (case["returns"], case["final_assignment"]) == (2, True)
        refused(await stack.give(LEAD, case, "return", reason="仍非本单位"), 409, "assignment_is_final")

    async def test_places_what_routing_cannot(self, stack: Stack) -> None:
        case = await stack.recorded(await stack.open(category="E0602"))
        assert (case["stage"], case["lead_unit"]) == ("assignment", None)
        waiting = (await stack.client("dispatcher").get("/tasks?limit=200")).json()["items"]
        assert case["id"] in {each["id"] for each in waiting}
        case = await stack.do("dispatcher", case, "assign", unit="roads", co_units=["parks"])
        assert (case["lead_unit"], case["co_units"]) == ("roads", ["parks"])
        await self.rectify(stack, case)

    async def rectify(self, stack: Stack, case: Json) -> None:
        case = await stack.do("unit-roads", case, "accept")
        proof = [await stack.photo("unit-roads")]
        early = await stack.give("unit-roads", case, "submit", note="完成", evidence=proof)
        assert refused(early, 409, "co_units_pending")["units"] == ["parks"]
        case = await stack.do("unit-parks", case, "submit", note="完成", evidence=proof)
        case = await stack.do("unit-roads", case, "submit", note="完成", evidence=proof)
        assert case["stage"] == "reinspection"

    async def test_dismisses_with_a_reason(self, stack: Stack) -> None:
        case = await stack.do("dispatcher", await stack.open("resident"), "dismiss", reason="重复上报")
        assert (case["stage"], case["closed_at"] is not None) == ("dismissed", True)


class TestMoreTime:
    async def test_is_asked_for_refused_and_granted(self, stack: Stack) -> None:
        case = await accepted(stack)
        for grant in (False, True):
            case = await stack.do(LEAD, case, "request-extension", reason="连日降雨")
            assert case["extension_pending"]
            case = await stack.do("supervisor", case, "decide-extension", grant=grant, reason="依规")
        assert case["extensions"] == 1
        due, dispatched = (datetime.fromisoformat(case[name]) for name in ("due_at", "dispatched_at"))
        assert due - dispatched == timedelta(hours=8)

    async def test_a_suspension_ends_by_itself(self, stack: Stack) -> None:
        case = await accepted(stack)
        until = (datetime.now(UTC) + timedelta(days=10)).isoformat()
        case = await stack.do("dispatcher", case, "suspend", reason="管道施工", until=until)
        assert case["suspended_until"] is not None
        case = await stack.advance(case, "P9D")
        assert (case["overdue"], case["suspended_until"] is None) == (False, False)
        case = await stack.advance(case, "P1DT1H")
        assert (case["overdue"], case["suspended_until"]) == (False, None)
        assert "SuspensionEnded" in await types(stack, case)


class TestOtherEndsAndTurns:
    async def test_reopened_goes_into_the_next_round(self, stack: Stack) -> None:
        case = await stack.do("supervisor", await closed(stack), "reopen", reason="反弹")
        assert (case["stage"], case["round"], case["closed_at"]) == ("rectification", 2, None)

    async def test_put_right_on_the_spot_is_closed_at_once(self, stack: Stack) -> None:
        before, after = await stack.photo(seed=1), await stack.photo(seed=2)
        case = await stack.open(evidence=[before], self_handled={"note": "当场清理", "evidence": [after]})
        assert (case["stage"], case["outcome"]) == ("closure", "self_handled")
        lacking = await stack.report(evidence=[before], self_handled={"note": "当场清理"})
        assert refused(lacking, 422, "evidence_required")["needed"] == 2

    async def test_closed_by_force_at_once(self, stack: Stack) -> None:
        case = await stack.do("supervisor", await accepted(stack), "force-close", reason="拆迁区域")
        assert (case["stage"], case["outcome"], case["actions"]) == ("force_closed", "force_closed", [])

    async def test_what_happened_is_told_in_order(self, stack: Stack) -> None:
        case = await closed(stack)
        events = (await stack.client("supervisor").get(f"/cases/{case['id']}/events")).json()["items"]
        assert [event["seq"] for event in events] == list(range(1, case["version"] + 1))
        assert all(a["position"] < b["position"] and a["at"] <= b["at"] for a, b in pairwise(events))
