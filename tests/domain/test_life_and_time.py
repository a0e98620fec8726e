"""The rules about more time, and about too little of it."""

from datetime import date, datetime, timedelta, timezone

import pytest

from domain import life
from domain.case import AppealState, Stage
from domain.commands import (
    DecideAppeal,
    DecideExtension,
    FileAppeal,
    Reopen,
    RequestExtension,
    Resume,
    Supervise,
    Suspend,
)
from domain.errors import Conflict, Forbidden, Invalid
from domain.events import (
    CaseArchived,
    RungFired,
    SupervisionExpired,
    SuspensionEnded,
)
from domain.limits import Limit
from tests.support.cases import (
    DISPATCHER,
    MONDAY,
    SUPERVISOR,
    UNIT,
    Life,
    in_stage,
    limit,
    opening,
    policy,
    rules,
    shanghai,
)

DISPATCHER_2 = DISPATCHER.model_copy(update={"user": "dispatcher-2"})
MILESTONES = tuple(
    {"name_zh": zh, "name_en": en, "limit": limit(text)}
    for zh, en, text in (
        ("围护", "fence", "3 urgent_hour"),
        ("修复", "repair", "8 urgent_hour"),
        ("恢复", "restore", "5 work_day"),
    )
)


def overdue(lived: Life | None = None) -> Life:
    """Rectification, two work days and an hour after dispatch."""
    lived = lived or in_stage(Stage.RECTIFICATION)
    lived.pass_to(shanghai("2026-03-03T19:00"))
    assert lived.case.overdue
    return lived


def extended(lived: Life, at: datetime | None = None) -> Life:
    lived.give(RequestExtension(reason="等待材料"), UNIT, at)
    lived.give(DecideExtension(grant=True, reason="属实"), DISPATCHER)
    return lived


def due(lived: Life) -> datetime | None:
    return life.snapshot(lived.case).due_at


class TestExtension:
    def test_adds_one_original_limit(self) -> None:
        assert due(extended(in_stage(Stage.RECTIFICATION))) == shanghai("2026-03-05T18:00")

    def test_is_granted_twice_at_most(self) -> None:
        lived = extended(extended(in_stage(Stage.RECTIFICATION)))
        assert due(lived) == shanghai("2026-03-09T18:00")
        with pytest.raises(Conflict, match="extensions_used_up"):
            extended(lived)

    def test_a_refusal_does_not_count(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        for _ in range(3):
            lived.give(RequestExtension(reason="等待材料"), UNIT)
            lived.give(DecideExtension(grant=False, reason="理由不足"), DISPATCHER)
        assert lived.case.extensions == 0
        assert extended(lived).case.extensions == 1

    def test_cannot_be_asked_for_once_overdue(self) -> None:
        with pytest.raises(Conflict, match="already_overdue"):
            extended(overdue())

    def test_asked_for_in_time_and_granted_late_takes_the_mark_back(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        lived.give(RequestExtension(reason="等待材料"), UNIT)
        overdue(lived).give(DecideExtension(grant=True, reason="属实"), DISPATCHER)
        assert (lived.case.overdue, lived.case.overdue_since) == (False, None)

    def test_is_asked_for_one_at_a_time(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        lived.give(RequestExtension(reason="等待材料"), UNIT)
        with pytest.raises(Conflict, match="extension_pending"):
            lived.give(RequestExtension(reason="再次申请"), UNIT)

    def test_of_the_longest_limit_stays_the_longest_limit(self) -> None:
        lived = extended(in_stage(Stage.RECTIFICATION, limit=limit("9000 natural_day")))
        assert lived.case.unit_clock is not None
        assert lived.case.unit_clock.current_limit == limit("10000 natural_day")


class TestSuspension:
    def suspended(self, until: datetime | date = date(2026, 3, 10)) -> Life:
        lived = in_stage(Stage.RECTIFICATION)
        lived.give(Suspend(reason="冬季不宜栽植", until=until), DISPATCHER, shanghai("2026-03-02T12:00"))
        return lived

    def test_the_clock_stands_still_until_the_date_and_runs_on_by_itself(self) -> None:
        lived = self.suspended()
        assert due(lived) == shanghai("2026-03-11T12:00")
        lived.pass_to(shanghai("2026-03-10T09:00"))
        assert lived.facts(SuspensionEnded) == [SuspensionEnded(resumed_at=shanghai("2026-03-10T00:00"), early=False)]
        assert due(lived) == shanghai("2026-03-11T12:00")

    def test_nothing_is_urged_meanwhile(self) -> None:
        lived = self.suspended()
        lived.pass_to(shanghai("2026-03-09T23:00"))
        assert lived.facts(RungFired) == []

    def test_it_may_be_ended_early(self) -> None:
        lived = self.suspended()
        lived.give(Resume(), DISPATCHER, shanghai("2026-03-04T08:00"))
        assert due(lived) == shanghai("2026-03-05T12:00")

    def test_it_is_granted_once(self) -> None:
        lived = self.suspended()
        with pytest.raises(Conflict, match="already_suspended"):
            lived.give(Suspend(reason="又", until=date(2026, 4, 1)), DISPATCHER)
        lived.give(Resume(), DISPATCHER)
        with pytest.raises(Conflict, match="suspensions_used_up"):
            lived.give(Suspend(reason="又", until=date(2026, 4, 1)), DISPATCHER)

    def test_to_a_date_at_most_a_year_away(self) -> None:
        assert self.suspended(date(2027, 3, 2)).case.suspended_until == shanghai("2027-03-02T00:00")
        with pytest.raises(Invalid, match="suspension_too_long"):
            self.suspended(date(2027, 3, 5))

    def test_and_in_the_future(self) -> None:
        with pytest.raises(Invalid, match="suspension_in_the_past"):
            self.suspended(date(2026, 3, 2))

    def test_cannot_be_asked_for_once_overdue(self) -> None:
        with pytest.raises(Conflict, match="already_overdue"):
            overdue().give(Suspend(reason="冬季", until=date(2026, 4, 1)), DISPATCHER)

    @pytest.mark.parametrize(
        ("until", "code"),
        [
            (datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=12))), "suspension_too_long"),
            (date(9999, 12, 31), "suspension_too_long"),
            (date(1, 1, 1), "suspension_in_the_past"),
            (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=12))), "suspension_in_the_past"),
        ],
    )
    def test_a_date_at_the_end_of_time_is_only_a_wrong_date(self, until: datetime | date, code: str) -> None:
        with pytest.raises(Invalid, match=code):
            self.suspended(until)

    def test_it_ends_with_the_submission(self) -> None:
        assert self.suspended().submitted().case.suspended_until is None


class TestAppeal:
    def appealed(self) -> Life:
        lived = overdue().submitted().inspected("pass")
        lived.give(FileAppeal(reason="等待住户同意"), UNIT)
        return lived

    def test_two_reviewers_grant_it_and_the_mark_stays(self) -> None:
        lived = self.appealed()
        lived.give(DecideAppeal(grant=True, reason="属实"), DISPATCHER)
        assert (lived.case.exempt, lived.case.appeal and lived.case.appeal.state) == (False, AppealState.SECOND_REVIEW)
        lived.give(DecideAppeal(grant=True, reason="属实"), SUPERVISOR)
        assert (lived.case.exempt, lived.case.overdue) == (True, True)

    def test_the_second_is_another_person(self) -> None:
        lived = self.appealed()
        lived.give(DecideAppeal(grant=True, reason="属实"), DISPATCHER)
        with pytest.raises(Forbidden, match="separation_of_duties"):
            lived.give(DecideAppeal(grant=True, reason="属实"), DISPATCHER)
        lived.give(DecideAppeal(grant=False, reason="证据不足"), DISPATCHER_2)
        assert not lived.case.exempt

    def test_it_is_heard_once(self) -> None:
        lived = self.appealed()
        lived.give(DecideAppeal(grant=False, reason="证据不足"), DISPATCHER)
        with pytest.raises(Conflict, match="already_appealed"):
            lived.give(FileAppeal(reason="再次申诉"), UNIT)

    def test_what_was_in_time_needs_none(self) -> None:
        with pytest.raises(Conflict, match="nothing_to_appeal"):
            in_stage(Stage.CLOSURE).give(FileAppeal(reason="申诉"), UNIT)

    def test_the_archive_waits_for_the_decision(self) -> None:
        lived = self.appealed()
        lived.pass_to(lived.now + timedelta(days=30))
        assert lived.facts(CaseArchived) == []
        lived.give(DecideAppeal(grant=False, reason="证据不足"), DISPATCHER)
        assert lived.case.stage is Stage.ARCHIVED


class TestSupervision:
    def test_its_date_passes_once(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        lived.give(Supervise(requirement="三日内办结", due=MONDAY + timedelta(days=1)), SUPERVISOR)
        lived.pass_to(MONDAY + timedelta(days=9))
        assert lived.facts(SupervisionExpired) == [SupervisionExpired(due=MONDAY + timedelta(days=1))]

    def test_it_lies_in_the_future(self) -> None:
        with pytest.raises(Invalid, match="supervision_due_in_the_past"):
            in_stage(Stage.RECTIFICATION).give(Supervise(requirement="限期", due=MONDAY), SUPERVISOR)

    def test_what_was_closed_in_time_is_not_late_when_it_is_reopened(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        lived.give(Supervise(requirement="限期", due=MONDAY + timedelta(days=1)), SUPERVISOR)
        lived.submitted().inspected("pass")
        lived.give(Reopen(reason="反弹"), SUPERVISOR, MONDAY + timedelta(days=3))
        lived.pass_to(MONDAY + timedelta(days=9))
        assert lived.facts(SupervisionExpired) == []


class TestTime:
    def test_a_late_command_meets_what_the_clock_has_done_before_it(self) -> None:
        lived = Life()
        lived.submitted(shanghai("2026-03-04T08:00"))
        kinds = [event.fact.type for event in lived.events]
        assert kinds.index("CaseAccepted") < kinds.index("DeadlinePassed") < kinds.index("RectificationSubmitted")

    def test_time_never_runs_backwards(self) -> None:
        lived = in_stage(Stage.RECTIFICATION).submitted(shanghai("2026-03-03T09:00"))
        lived.inspected("pass", shanghai("2026-03-02T08:00"))
        assert lived.case.closed_at == shanghai("2026-03-03T09:00")

    def test_a_deadline_is_missed_at_the_very_instant_it_is_due(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        lived.pass_to(shanghai("2026-03-03T18:00") - timedelta(microseconds=1))
        assert not lived.case.overdue
        lived.pass_to(shanghai("2026-03-03T18:00"))
        assert lived.case.overdue_since == shanghai("2026-03-03T18:00")

    def test_rework_is_not_overdue_because_the_first_round_was(self) -> None:
        lived = overdue().submitted().inspected("fail")
        assert (lived.case.overdue, lived.case.round_overdue) == (True, False)
        assert extended(lived).case.extensions == 1

    def test_the_policy_in_force_is_the_one_it_was_opened_with(self) -> None:
        report = opening(rules=rules(rework={"share": "2"}))
        lived = Life(report).accepted().submitted().inspected("fail")
        assert lived.case.unit_clock is not None
        assert lived.case.unit_clock.limit == Limit(value=policy().rework.share * 8, unit=report.limit.unit)
