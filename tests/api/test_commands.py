"""Commands that cannot be carried out, come twice, or come at once: the case is as it was, or changed exactly once."""

import asyncio
from typing import Any

import pytest

from store import tokens
from tests.api.answers import refused
from tests.api.lives import LEAD, accepted, closed, ended, submitted
from tests.support.stack import Json, Stack, expired_token, report

NOWHERE = "f" * 64
#: body that is wrong in itself: command, body, code.
BAD_BODIES: dict[str, tuple[str, dict[str, Any], str]] = {
    "no reason": ("return", {}, "field_invalid"),
    "an empty reason": ("return", {"reason": " "}, "field_invalid"),
    "too long a reason": ("return", {"reason": "长" * 501}, "field_invalid"),
    "control characters": ("return", {"reason": "退\u001b回"}, "field_invalid"),
    "an unknown member": ("accept", {"quickly": True}, "unknown_field"),
    "a member of another command": ("accept", {"reason": "好"}, "unknown_field"),
    "unknown unit": ("assign", {"unit": "atlantis"}, "unknown_unit"),
    "unknown co-unit": ("assign", {"unit": "roads", "co_units": ["atlantis"]}, "unknown_unit"),
    "a unit twice": ("assign", {"unit": "roads", "co_units": ["roads"]}, "unit_twice"),
    "evidence that is not there": ("submit", {"note": "好", "evidence": [NOWHERE]}, "evidence_unknown"),
    "supervision due in the past": (
        "supervise",
        {"requirement": "限期整改", "due": "2020-01-01T00:00:00+08:00"},
        "supervision_due_in_the_past",
    ),
    "supervision due without a zone": (
        "supervise",
        {"requirement": "限期整改", "due": "2030-01-01T00:00:00"},
        "field_invalid",
    ),
}
HANDS = {"return": LEAD, "accept": LEAD, "submit": LEAD, "assign": "dispatcher", "supervise": "supervisor"}


class TestABadBody:
    @pytest.mark.parametrize("name", BAD_BODIES)
    @pytest.mark.parametrize("lang", ["zh", "en"])
    async def test_is_refused_and_the_case_is_as_it_was(self, stack: Stack, name: str, lang: str) -> None:
        command, body, code = BAD_BODIES[name]
        case = await stack.open()
        url = f"/cases/{case['id']}/{command}"
        answer = await stack.client(HANDS[command]).post(url, json=body, headers={"Accept-Language": lang})
        refused(answer, 422, code, lang=lang)
        assert (await stack.see("admin", case))["version"] == case["version"]

    async def test_suspends_neither_till_yesterday_nor_for_years(self, stack: Stack) -> None:
        case = await accepted(stack)
        for until, code in (("2020-01-01", "suspension_in_the_past"), ("9999-12-31", "suspension_too_long")):
            refused(await stack.give("dispatcher", case, "suspend", reason="施工", until=until), 422, code)
        never = await stack.give("dispatcher", case, "suspend", reason="施工", until="9999-12-31T23:59:59-12:00")
        refused(never, 422, "suspension_too_long")
        no_date = await stack.give("dispatcher", case, "suspend", reason="施工", until="someday")
        refused(no_date, 422, "field_invalid")
        assert (await stack.see("admin", case))["version"] == case["version"]

    async def test_submits_nothing_without_a_photo(self, stack: Stack) -> None:
        case = await accepted(stack)
        problem = refused(await stack.give(LEAD, case, "submit", note="完成"), 422, "evidence_required")
        assert (problem["needed"], problem["given"]) == (1, 0)


class TestAForbiddenCommand:
    async def test_tells_the_stage_and_what_is_possible(self, stack: Stack) -> None:
        case = await stack.open()
        answer = await stack.give(LEAD, case, "submit", note="完成", evidence=[await stack.photo(LEAD)])
        problem = refused(answer, 409, "stage_forbids")
        assert (problem["stage"], problem["actions"]) == ("assignment", ["accept", "return", "comment"])
        assert (await stack.see("admin", case))["version"] == case["version"]

    async def test_given_twice_is_refused_the_second_time(self, stack: Stack) -> None:
        case = await accepted(stack)
        assert refused(await stack.give(LEAD, case, "accept"), 409, "stage_forbids")["stage"] == "rectification"

    async def test_by_the_wrong_hand_is_refused(self, stack: Stack) -> None:
        case = await stack.open()
        refused(await stack.give("officer-2", case, "accept"), 403, "role_forbidden")
        refused(await stack.give("admin", case, "urge", note="快"), 403, "role_forbidden")
        refused(await stack.give("unit-roads", case, "accept"), 404, "case_not_found")
        refused(await stack.give("resident", case, "comment", text="?"), 404, "case_not_found")
        assert (await stack.see("admin", case))["version"] == case["version"]

    async def test_reporter_and_inspector_are_two_people(self, stack: Stack) -> None:
        case = await submitted(stack)
        answer = await stack.give("officer-1", case, "inspect", result="pass", note="合格")
        refused(answer, 403, "separation_of_duties")

    async def test_to_an_ended_case_is_refused_as_to_any(self, stack: Stack) -> None:
        case = await ended(stack)
        problem = refused(await stack.give(LEAD, case, "accept"), 409, "stage_forbids")
        assert (problem["stage"], problem["actions"]) == ("force_closed", [])
        refused(await stack.give("officer-2", case, "accept"), 403, "role_forbidden")
        refused(await stack.give("unit-roads", case, "accept"), 404, "case_not_found")


class TestAtTheSameInstant:
    async def test_one_of_two_wins_and_the_other_hears_the_new_stage(self, stack: Stack) -> None:
        for _ in range(3):
            case = await submitted(stack)
            answers = await asyncio.gather(
                stack.give("officer-2", case, "inspect", result="pass", note="合格"),
                stack.give("officer-3", case, "inspect", result="fail", note="不合格"),
            )
            won, lost = sorted(answers, key=lambda answer: answer.status_code)
            assert won.status_code == 200
            assert refused(lost, 409, "stage_forbids")["stage"] == won.json()["stage"]
            assert (await stack.see("admin", case))["version"] == case["version"] + 1

    async def test_the_same_key_counts_once(self, stack: Stack) -> None:
        case = await stack.open()
        answers = await asyncio.gather(*(stack.give(LEAD, case, "accept", key="k") for _ in range(5)))
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["version"] for answer in answers} == {case["version"] + 1}

    async def test_the_same_report_opens_one_case(self, stack: Stack) -> None:
        answers = await asyncio.gather(*(stack.report(key="at-once") for _ in range(5)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


class TestAnIdempotencyKey:
    async def test_names_the_same_case_even_after_its_end(self, stack: Stack) -> None:
        case = (await stack.report(key="again")).json()
        await ended(stack, case)
        again = await stack.report(key="again")
        assert (again.status_code, again.json()["id"], again.json()["stage"]) == (201, case["id"], "force_closed")
        assert again.headers["idempotency-replayed"] == "true"
        refused(await stack.report(key="again", description="另一处"), 409, "idempotency_key_reused")

    async def test_belongs_to_its_caller(self, stack: Stack) -> None:
        first, second = await stack.report(key="mine"), await stack.report("officer-2", key="mine")
        assert first.json()["id"] != second.json()["id"]

    async def test_of_another_report_is_refused(self, stack: Stack) -> None:
        case = (await stack.report(key="other")).json()
        refused(await stack.report(key="other", description="另一处"), 409, "idempotency_key_reused")
        assert (await stack.see("admin", case))["description"] == "巷口生活垃圾外溢"

    async def test_repeats_a_command_though_the_stage_now_forbids_it(self, stack: Stack) -> None:
        case = await stack.open()
        first = await stack.give(LEAD, case, "accept", key="a")
        await submitted(stack, first.json())
        again = await stack.give(LEAD, case, "accept", key="a")
        assert (again.status_code, again.json()["id"]) == (200, case["id"])
        assert (await stack.see("admin", case))["stage"] == "reinspection"
        refused(await stack.give(LEAD, case, "comment", key="a", text="?"), 409, "idempotency_key_reused")

    async def test_repeats_what_took_the_case_out_of_sight(self, stack: Stack) -> None:
        case = await stack.open()
        for _ in range(2):
            answer = await stack.give(LEAD, case, "return", key="r", reason="非本单位职责")
            assert (answer.status_code, answer.json()["lead_unit"], answer.json()["actions"]) == (200, None, [])
        refused(await stack.give(LEAD, case, "return", reason="非本单位职责"), 404, "case_not_found")

    async def test_repeats_what_ended_the_case(self, stack: Stack) -> None:
        case = await stack.open()
        for _ in range(2):
            answer = await stack.give("supervisor", case, "force-close", key="f", reason="拆迁")
            assert (answer.status_code, answer.json()["stage"]) == (200, "force_closed")
        other = await stack.give("supervisor", case, "force-close", key="f", reason="另一原因")
        refused(other, 409, "idempotency_key_reused")

    async def test_means_each_case_anew(self, stack: Stack) -> None:
        one, two = await stack.open(), await ended(stack)
        assert (await stack.give(LEAD, one, "accept", key="same")).status_code == 200
        refused(await stack.give(LEAD, two, "accept", key="same"), 409, "stage_forbids")

    @pytest.mark.parametrize("key", ["", "a b", "长", "k" * 201])
    async def test_is_short_and_visible(self, stack: Stack, key: str) -> None:
        headers = {b"Idempotency-Key": key.encode()}
        answer = await stack.client("officer-1").post("/cases", json=report(), headers=headers)
        refused(answer, 422, "idempotency_key_invalid")


class TestAToken:
    async def test_is_needed(self, stack: Stack) -> None:
        case = await stack.open()
        for header in ({}, {"Authorization": "Bearer rt_wrong"}, {"Authorization": "Basic eDp5"}):
            answer = await stack.client().post(f"/cases/{case['id']}/accept", json={}, headers=header)
            refused(answer, 401, "unauthenticated")
        english = await stack.client().get("/tasks", headers={"Accept-Language": "en"})
        refused(english, 401, "unauthenticated", lang="en")

    async def test_that_has_expired_is_none(self, stack: Stack) -> None:
        header = {"Authorization": f"Bearer {await expired_token(stack, LEAD)}"}
        refused(await stack.client().get("/tasks", headers=header), 401, "unauthenticated")

    async def test_that_was_revoked_is_none(self, stack: Stack) -> None:
        token = await tokens.issue(stack.engines[0], LEAD)
        await tokens.revoke(stack.engines[0], token)
        header = {"Authorization": f"Bearer {token}"}
        refused(await stack.client().get("/tasks", headers=header), 401, "unauthenticated")

    async def test_of_another_unit_sees_nothing(self, stack: Stack) -> None:
        case = await closed(stack)
        for path in ("", "/events", "/deadline"):
            answer = await stack.client("unit-roads").get(f"/cases/{case['id']}{path}")
            refused(answer, 404, "case_not_found")


class TestAnAddress:
    @pytest.mark.parametrize("case_id", ["1", "RC-0000-0000-0001", "RC-UUUU-0000-0000", "%00", "RC-0000-0000-0000x"])
    async def test_with_a_mistyped_id_is_refused(self, stack: Stack, case_id: str) -> None:
        for path in ("", "/events", "/deadline"):
            refused(await stack.client("admin").get(f"/cases/{case_id}{path}"), 422, "case_id_invalid")
        answer = await stack.client(LEAD).post(f"/cases/{case_id}/accept", json={}, headers={"Accept-Language": "en"})
        refused(answer, 422, "case_id_invalid", lang="en")

    async def test_of_no_case_is_not_there(self, stack: Stack) -> None:
        nobody: Json = {"id": "RC-0000-0000-0000"}
        refused(await stack.client("admin").get(f"/cases/{nobody['id']}"), 404, "case_not_found")
        refused(await stack.give(LEAD, nobody, "accept"), 404, "case_not_found")
        refused(await stack.client("admin").get(f"/cases/{nobody['id']}/events"), 404, "case_not_found")

    async def test_may_be_written_as_it_was_heard(self, stack: Stack) -> None:
        case = await stack.open()
        heard = case["id"].lower().replace("-", "")
        assert (await stack.client("admin").get(f"/cases/{heard}")).json()["id"] == case["id"]

    async def test_that_is_unknown_is_not_there(self, stack: Stack) -> None:
        refused(await stack.client("admin").get("/nothing"), 404, "not_found")
        refused(await stack.client("admin").post("/cases/RC-0000-0000-0000/explode"), 404, "not_found")

    async def test_wants_its_method(self, stack: Stack) -> None:
        answer = await stack.client("admin").delete("/cases")
        refused(answer, 405, "method_not_allowed")
        assert answer.headers["allow"]
