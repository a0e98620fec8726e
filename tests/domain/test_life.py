"""The rules of a case's life, sentence by sentence."""

from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from domain import life
from domain.case import Outcome, Stage
from domain.commands import (
    Assign,
    Command,
    Comment,
    DecideAppeal,
    DecideExtension,
    Dismiss,
    ForceClose,
    Rate,
    Reopen,
    RequestExtension,
    Return,
    SubmitRectification,
    Suspend,
    Withdraw,
)
from domain.errors import Conflict, Forbidden, Invalid
from domain.events import (
    CaseAccepted,
    CaseArchived,
    CaseDispatched,
    DeadlinePassed,
    MilestoneMissed,
    MilestoneReported,
    RectificationSubmitted,
    RungFired,
)
from tests.support.cases import (
    CO_UNIT,
    DISPATCHER,
    INSPECTOR,
    MONDAY,
    OTHER_INSPECTOR,
    OTHER_PHOTO,
    PHOTO,
    RESIDENT,
    SUPERVISOR,
    UNIT,
    Life,
    assigned,
    by_resident,
    in_stage,
    limit,
    opening,
    rules,
    self_handled,
    shanghai,
    verified,
)

DONE = SubmitRectification(note="清理完毕", evidence=(PHOTO,))
MILESTONES = tuple(
    {"name_zh": zh, "name_en": en, "limit": limit(text)}
    for zh, en, text in (
        ("围护", "fence", "3 urgent_hour"),
        ("修复", "repair", "8 urgent_hour"),
        ("恢复", "restore", "5 work_day"),
    )
)


def due(lived: Life) -> datetime | None:
    return life.snapshot(lived.case).due_at


class TestOpening:
    def test_an_untrusted_report_waits_to_be_verified(self) -> None:
        lived = Life(by_resident())
        assert lived.case.stage is Stage.INTAKE
        assert verified(lived).case.stage is Stage.ASSIGNMENT
        assert lived.case.lead_unit == "sanitation"

    def test_a_resident_is_never_trusted_whatever_source_he_claims(self) -> None:
        assert Life(by_resident(source="officer")).case.stage is Stage.INTAKE

    def test_routing_dispatches_a_trusted_report_at_once(self) -> None:
        assert Life().facts(CaseDispatched) == [CaseDispatched(unit="sanitation", routed=True)]

    def test_what_routing_cannot_place_waits_for_a_dispatcher(self) -> None:
        lived = Life(opening(proposed_unit=None))
        assert (lived.case.stage, lived.case.lead_unit, lived.case.unit_clock) == (Stage.ASSIGNMENT, None, None)
        assert assigned(lived).case.lead_unit == "sanitation"

    def test_a_unit_routed_to_twice_does_not_wait_for_itself(self) -> None:
        lived = Life(opening(proposed_co_units=("sanitation", "greening", "greening")))
        assert lived.case.co_units == ("greening",)

    def test_what_was_put_right_on_the_spot_is_closed(self) -> None:
        case = Life(self_handled()).case
        assert (case.stage, case.outcome, case.fixers) == (Stage.CLOSURE, Outcome.SELF_HANDLED, ("officer-1",))

    def test_with_photos_from_before_and_after(self) -> None:
        with pytest.raises(Invalid, match="evidence_required"):
            Life(self_handled(evidence=()))
        with pytest.raises(Invalid, match="evidence_required"):
            Life(self_handled(evidence=(OTHER_PHOTO,)))

    def test_dismissal_ends_it(self) -> None:
        lived = Life(by_resident())
        lived.give(Dismiss(reason="不属实"), DISPATCHER)
        assert (lived.case.stage, lived.case.outcome) == (Stage.DISMISSED, Outcome.DISMISSED)
        assert life.next_alarm(lived.case) is None


class TestAssignment:
    def test_the_unit_s_clock_runs_from_dispatch_and_not_from_acceptance(self) -> None:
        lived = Life().accepted(MONDAY + timedelta(hours=1))
        assert due(lived) == shanghai("2026-03-03T18:00")

    def test_silence_is_acceptance(self) -> None:
        lived = Life()
        lived.pass_to(shanghai("2026-03-02T11:30"))
        assert lived.facts(CaseAccepted) == [CaseAccepted(accepted_at=shanghai("2026-03-02T10:00"), deemed=True)]
        assert lived.case.stage is Stage.RECTIFICATION

    def test_or_only_escalates_where_policy_says_so(self) -> None:
        lived = Life(opening(rules=rules(acceptance={"on_expiry": "escalate"})))
        lived.pass_to(shanghai("2026-03-02T11:30"))
        assert lived.case.stage is Stage.ASSIGNMENT
        assert [fact.clock for fact in lived.facts(DeadlinePassed)] == ["acceptance"]
        assert [fact.rung for fact in lived.facts(RungFired)] == ["acceptance_late"]
        assert not lived.case.overdue

    def test_a_return_waits_for_a_dispatcher_again(self) -> None:
        lived = Life()
        lived.give(Return(reason="非本单位职责", suggested_unit="water"), UNIT)
        case = lived.case
        assert (case.stage, case.lead_unit, case.unit_clock, case.returns) == (Stage.ASSIGNMENT, None, None, 1)

    def test_the_next_unit_gets_the_whole_limit(self) -> None:
        lived = Life()
        lived.give(Return(reason="非本单位职责"), UNIT)
        lived.give(Assign(unit="water"), DISPATCHER, shanghai("2026-03-04T08:00"))
        assert due(lived) == shanghai("2026-03-05T18:00")

    def test_after_two_returns_the_next_assignment_is_final(self) -> None:
        lived = Life()
        for _ in range(2):
            lived.give(Return(reason="非本单位职责"), UNIT)
            assigned(lived)
        with pytest.raises(Conflict, match="assignment_is_final"):
            lived.give(Return(reason="非本单位职责"), UNIT)
        assert lived.accepted().case.stage is Stage.RECTIFICATION

    def test_a_unit_may_return_after_acceptance_only_where_policy_says_so(self) -> None:
        with pytest.raises(Conflict, match="return_not_allowed_after_acceptance"):
            in_stage(Stage.RECTIFICATION).give(Return(reason="非本单位职责"), UNIT)
        lenient = in_stage(Stage.RECTIFICATION, rules=rules(returns={"in_rectification": True}))
        lenient.give(Return(reason="非本单位职责"), UNIT)
        assert lenient.case.stage is Stage.ASSIGNMENT

    def test_a_unit_does_not_help_itself(self) -> None:
        with pytest.raises(Invalid, match="unit_twice"):
            assigned(Life(), "water", ("water",))


class TestSubmission:
    def test_proof_is_needed(self) -> None:
        with pytest.raises(Invalid, match="evidence_required") as caught:
            in_stage(Stage.RECTIFICATION).give(SubmitRectification(note="完成"), UNIT)
        assert caught.value.params == {"needed": 1, "given": 0}

    def test_the_same_photo_twice_is_one_photo(self) -> None:
        lived = in_stage(Stage.RECTIFICATION, rules=rules(evidence={"submit": 2}))
        with pytest.raises(Invalid, match="evidence_required"):
            lived.give(SubmitRectification(note="完成", evidence=(PHOTO, PHOTO)), UNIT)

    def test_the_lead_submits_after_every_co_unit(self) -> None:
        lived = Life(opening(proposed_co_units=("greening",))).accepted()
        with pytest.raises(Conflict, match="co_units_pending") as caught:
            lived.submitted()
        assert caught.value.params["units"] == ["greening"]
        lived.give(DONE, CO_UNIT)
        assert lived.submitted().case.stage is Stage.REINSPECTION

    def test_a_co_unit_submits_once_a_round(self) -> None:
        lived = Life(opening(proposed_co_units=("greening",))).accepted()
        lived.give(DONE, CO_UNIT)
        with pytest.raises(Conflict, match="already_submitted"):
            lived.give(DONE, CO_UNIT)
        lived.submitted().inspected("fail")
        lived.give(DONE, CO_UNIT)
        assert lived.case.co_submitted == ("greening",)

    def test_it_tells_what_was_used_of_the_limit(self) -> None:
        lived = in_stage(Stage.RECTIFICATION).submitted(shanghai("2026-03-03T09:00"))
        [fact] = lived.facts(RectificationSubmitted)
        assert (fact.used_seconds, fact.limit_seconds) == (9 * 3600, 16 * 3600)

    def test_the_deadline_is_the_inspector_s_from_then_on(self) -> None:
        lived = in_stage(Stage.RECTIFICATION).submitted(shanghai("2026-03-03T09:00"))
        assert due(lived) == shanghai("2026-03-04T09:00")
        lived.pass_to(shanghai("2026-03-20T09:00"))
        assert not lived.case.overdue


class TestMilestones:
    def test_are_reported_in_order_and_the_last_by_submitting(self) -> None:
        lived = in_stage(Stage.RECTIFICATION, milestones=MILESTONES, limit=limit("5 work_day"))
        with pytest.raises(Conflict, match="milestone_not_next"):
            lived.give(DONE.model_copy(update={"milestone": 2}), UNIT)
        for number in (1, 2):
            lived.give(DONE.model_copy(update={"milestone": number}), UNIT)
        with pytest.raises(Conflict, match="milestone_not_next"):
            lived.give(DONE.model_copy(update={"milestone": 3}), UNIT)
        assert [fact.late for fact in lived.facts(MilestoneReported)] == [False, False]
        assert lived.submitted().case.milestones_done == 3

    def test_one_that_is_missed_is_told_once_and_then_late(self) -> None:
        lived = in_stage(Stage.RECTIFICATION, milestones=MILESTONES, limit=limit("5 work_day"))
        lived.pass_to(MONDAY + timedelta(hours=4))
        lived.give(DONE.model_copy(update={"milestone": 1}), UNIT)
        assert [fact.due_at for fact in lived.facts(MilestoneMissed)] == [MONDAY + timedelta(hours=3)]
        assert [fact.late for fact in lived.facts(MilestoneReported)] == [True]

    def test_belong_to_the_lead(self) -> None:
        lived = in_stage(Stage.RECTIFICATION, milestones=MILESTONES, proposed_co_units=("greening",))
        with pytest.raises(Invalid, match="milestone_not_yours"):
            lived.give(DONE.model_copy(update={"milestone": 1}), CO_UNIT)


class TestInspection:
    def test_pass_closes(self) -> None:
        case = in_stage(Stage.CLOSURE).case
        assert (case.outcome, case.closed_at) == (Outcome.RECTIFIED, MONDAY)

    def test_fail_starts_the_next_round_with_the_rework_limit(self) -> None:
        lived = in_stage(Stage.REINSPECTION).inspected("fail")
        case = lived.case
        assert (case.stage, case.round, case.failed_inspections) == (Stage.RECTIFICATION, 2, 1)
        assert due(lived) == shanghai("2026-03-02T18:00")

    def test_however_small_the_limit_something_of_it_is_left(self) -> None:
        lived = in_stage(Stage.REINSPECTION, limit=limit("0.000001 urgent_hour"))
        assert lived.inspected("fail").case.round == 2

    def test_unable_stays_and_another_officer_takes_over(self) -> None:
        lived = in_stage(Stage.REINSPECTION).inspected("unable")
        assert (lived.case.stage, lived.case.unable_by) == (Stage.REINSPECTION, ("officer-2",))
        assert lived.inspected("pass", by=OTHER_INSPECTOR).case.stage is Stage.CLOSURE

    def test_photos_are_asked_for_where_policy_wants_them(self) -> None:
        lived = in_stage(Stage.REINSPECTION, rules=rules(evidence={"inspect": 1}))
        with pytest.raises(Invalid, match="evidence_required"):
            lived.inspected("pass")
        assert lived.inspected("unable").case.stage is Stage.REINSPECTION


class TestClosure:
    def test_lasts_seven_days_and_then_the_case_is_archived(self) -> None:
        lived = in_stage(Stage.CLOSURE)
        lived.pass_to(MONDAY + timedelta(days=7) - timedelta(seconds=1))
        assert lived.facts(CaseArchived) == []
        lived.pass_to(MONDAY + timedelta(days=7))
        assert lived.case.stage is Stage.ARCHIVED
        assert len(lived.facts(CaseArchived)) == 1

    def test_an_archived_case_takes_nothing_more(self) -> None:
        with pytest.raises(Conflict, match="stage_forbids"):
            in_stage(Stage.ARCHIVED).give(Comment(text="补充"), SUPERVISOR)

    def test_the_resident_who_reported_rates_once(self) -> None:
        lived = verified(Life(by_resident())).accepted().submitted().inspected("pass")
        lived.give(Rate(score=4), RESIDENT)
        with pytest.raises(Conflict, match="already_rated"):
            lived.give(Rate(score=1), RESIDENT)

    def test_an_officer_does_not_rate_what_he_reported(self) -> None:
        with pytest.raises(Forbidden, match="role_forbidden"):
            in_stage(Stage.CLOSURE).give(Rate(score=5), INSPECTOR)

    def test_reopening_starts_the_next_round(self) -> None:
        lived = in_stage(Stage.CLOSURE)
        lived.give(Reopen(reason="问题反弹"), SUPERVISOR)
        case = lived.case
        assert (case.stage, case.round, case.closed_at, case.outcome) == (Stage.RECTIFICATION, 2, None, None)


class TestEndings:
    @pytest.mark.parametrize(
        "kind",
        [Return, RequestExtension, DecideExtension, Suspend, Dismiss, Withdraw, ForceClose, Reopen, DecideAppeal],
    )
    @pytest.mark.parametrize("reason", [None, "", "   "])
    def test_what_changes_a_course_needs_a_reason(self, kind: type[Command], reason: str | None) -> None:
        given = {"grant": True, "until": "2026-04-01", "reason": reason}
        with pytest.raises(ValidationError, match="reason"):
            kind.model_validate({key: value for key, value in given.items() if value is not None})

    def test_an_end_stops_the_clock(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        lived.give(ForceClose(reason="拆迁"), SUPERVISOR)
        lived.pass_to(MONDAY + timedelta(days=300))
        assert lived.case.stage is Stage.FORCE_CLOSED
        assert lived.facts(RungFired) == []
