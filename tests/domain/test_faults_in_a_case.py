"""Faults that other systems have had, as far as it takes a whole case to have them."""

from datetime import timedelta

import pytest

from domain import life, working_time
from domain.case import Stage
from domain.commands import Accept, Assign, Reopen, Return, Suspend
from domain.errors import Conflict
from domain.events import CalendarChanged, DeadlinePassed, RungFired
from tests.support.cases import (
    CALENDAR,
    DISPATCHER,
    MONDAY,
    SUPERVISOR,
    UNIT,
    Life,
    in_stage,
    limit,
    opening,
    replayed,
    rules,
    self_handled,
    shanghai,
    with_holidays,
)

DAY = timedelta(days=1)


def due(lived: Life) -> object:
    return life.snapshot(lived.case).due_at


class TestReopenAfterClose:
    def reopened(self) -> Life:
        lived = in_stage(Stage.RECTIFICATION)
        lived.pass_to(shanghai("2026-03-03T15:00"))
        lived.submitted().inspected("pass")
        lived.give(Reopen(reason="反弹"), SUPERVISOR, shanghai("2026-03-09T08:00"))
        return lived

    def test_the_time_between_does_not_count(self) -> None:
        assert due(self.reopened()) == shanghai("2026-03-09T18:00")

    def test_nothing_of_the_first_life_fires(self) -> None:
        lived = self.reopened()
        assert not lived.case.overdue
        alarm = life.next_alarm(lived.case)
        assert alarm is not None
        assert alarm.at == shanghai("2026-03-09T12:00")

    def test_the_old_window_does_not_archive_it(self) -> None:
        lived = self.reopened()
        lived.pass_to(shanghai("2026-03-12T08:00"))
        assert lived.case.stage is Stage.RECTIFICATION

    def test_what_nobody_led_goes_to_a_dispatcher(self) -> None:
        lived = Life(self_handled())
        lived.give(Reopen(reason="未处理到位"), SUPERVISOR)
        assert (lived.case.stage, lived.case.lead_unit) == (Stage.ASSIGNMENT, None)


class TestCalendarEditedWhileCasesRun:
    LATER = with_holidays(CALENDAR, "2026-03-03", "2026-03-04")

    def test_the_deadline_moves_and_the_move_is_recorded(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        lived.recalendar(self.LATER)
        [moved] = lived.facts(CalendarChanged)
        assert (moved.due_before, moved.due_after) == (shanghai("2026-03-03T18:00"), shanghai("2026-03-05T18:00"))
        assert due(lived) == moved.due_after

    def test_a_mark_that_was_wrong_is_taken_back_and_comes_again_in_time(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        lived.pass_to(shanghai("2026-03-04T09:00"))
        lived.recalendar(self.LATER)
        assert (lived.case.overdue, lived.case.late_since) == (False, None)
        lived.pass_to(shanghai("2026-03-06T09:00"))
        assert lived.case.overdue_since == shanghai("2026-03-05T18:00")
        assert len(lived.facts(DeadlinePassed)) == 2

    def test_rungs_that_fired_do_not_fire_again(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        lived.pass_to(shanghai("2026-03-04T09:00"))
        lived.recalendar(self.LATER)
        lived.pass_to(shanghai("2026-03-06T09:00"))
        assert [fact.rung for fact in lived.facts(RungFired)] == ["remind", "warn", "urge"]

    def test_a_repeating_rung_waits_until_it_is_overdue_again(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        lived.pass_to(shanghai("2026-03-10T19:00"))
        lived.recalendar(with_holidays(CALENDAR, *(f"2026-03-{day:02}" for day in range(3, 11))))
        lived.pass_to(shanghai("2026-03-25T08:00"))
        summons = [fact.due_at for fact in lived.facts(RungFired) if fact.rung == "summon"]
        assert summons == [shanghai("2026-03-10T18:00"), shanghai("2026-03-18T18:00")]

    @pytest.mark.parametrize("stage", [Stage.INTAKE, Stage.ASSIGNMENT, Stage.REINSPECTION, Stage.CLOSURE])
    def test_it_reaches_a_case_in_every_stage(self, stage: Stage) -> None:
        lived = in_stage(stage)
        lived.recalendar(self.LATER)
        assert lived.case.rules.calendar == self.LATER
        assert replayed(lived) == lived.case

    def test_the_rules_have_another_digest_from_then_on(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        before = life.snapshot(lived.case).rules
        lived.recalendar(self.LATER)
        assert life.snapshot(lived.case).rules not in {before, ""}
        assert life.snapshot(lived.case).rules == rules(calendar=self.LATER).digest

    def test_a_late_inspection_is_no_longer_late_although_the_unit_was(self) -> None:
        lived = in_stage(Stage.RECTIFICATION).submitted(shanghai("2026-03-04T09:00"))
        lived.pass_to(shanghai("2026-03-05T10:00"))
        lived.recalendar(with_holidays(CALENDAR, "2026-03-05"))
        assert (lived.case.late_since, lived.case.overdue) == (None, True)

    def test_an_older_or_a_foreign_one_changes_nothing(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        assert lived.recalendar(CALENDAR) == ()
        assert lived.recalendar(self.LATER.model_copy(update={"id": "elsewhere"})) == ()

    def test_an_archived_case_is_left_alone(self) -> None:
        assert in_stage(Stage.ARCHIVED).recalendar(self.LATER) == ()

    def test_a_window_that_ends_first_wins(self) -> None:
        lived = in_stage(Stage.CLOSURE)
        lived.recalendar(self.LATER, MONDAY + 9 * DAY)
        assert lived.case.stage is Stage.ARCHIVED
        assert lived.facts(CalendarChanged) == []


class TestNotificationOutsideWorkingHours:
    @pytest.mark.parametrize("opened", ["2026-03-02T08:00", "2026-03-06T17:59", "2026-03-07T23:30", "2026-03-03T12:30"])
    @pytest.mark.parametrize("allowed", ["2 work_day", "3 work_hour", "1.5 work_hour"])
    def test_every_alarm_of_a_working_limit_lies_in_working_time(self, opened: str, allowed: str) -> None:
        at = shanghai(opened)
        lived = Life(opening(opened_at=at, limit=limit(allowed)))
        lived.pass_to(at + 40 * DAY)
        instants = [fact.due_at for fact in lived.facts(RungFired)]
        assert len(instants) == 7
        assert all(working_time.is_working(CALENDAR, at - timedelta(microseconds=1)) for at in instants)

    def test_a_limit_that_runs_at_night_urges_at_night(self) -> None:
        lived = Life(opening(opened_at=shanghai("2026-03-02T22:00"), limit=limit("2 urgent_hour")))
        lived.pass_to(shanghai("2026-03-03T00:00"))
        assert lived.facts(RungFired)[0].due_at == shanghai("2026-03-02T23:00")

    def test_but_the_steps_above_wait_for_the_office(self) -> None:
        lived = Life(opening(opened_at=shanghai("2026-03-02T22:00"), limit=limit("2 urgent_hour")))
        lived.pass_to(shanghai("2026-03-05T00:00"))
        supervised = [fact.due_at for fact in lived.facts(RungFired) if fact.rung == "supervise"]
        assert supervised == [shanghai("2026-03-03T18:00")]


class TestOpenedInAPausedOrClosedState:
    def test_what_is_closed_at_its_opening_has_no_running_clock(self) -> None:
        lived = Life(self_handled())
        assert lived.case.unit_clock is None
        alarm = life.next_alarm(lived.case)
        assert alarm is not None
        assert alarm.at == MONDAY + 7 * DAY

    def test_it_is_archived_without_ever_being_late(self) -> None:
        lived = Life(self_handled())
        lived.pass_to(MONDAY + 30 * DAY)
        assert lived.case.stage is Stage.ARCHIVED
        assert not lived.facts(RungFired)
        assert not lived.facts(DeadlinePassed)

    def test_a_clock_cannot_be_paused_before_it_belongs_to_somebody(self) -> None:
        with pytest.raises(Conflict, match="stage_forbids"):
            Life().give(Suspend(reason="冬季", until=MONDAY + DAY), DISPATCHER)

    def test_opened_at_night_it_starts_in_the_morning(self) -> None:
        lived = Life(opening(opened_at=shanghai("2026-03-02T23:00"), limit=limit("2 work_hour")))
        assert due(lived) == shanghai("2026-03-03T10:00")


class TestReturningToAnEarlierStage:
    def test_arms_its_alarms_again(self) -> None:
        lived = Life(opening(proposed_unit=None))
        lived.pass_to(MONDAY + DAY)
        lived.give(Assign(unit="sanitation"), DISPATCHER)
        lived.give(Return(reason="非本单位职责"), UNIT)
        lived.pass_to(MONDAY + 2 * DAY)
        told = [(fact.rung, fact.dispatch) for fact in lived.facts(RungFired)]
        assert told == [("dispatch_late", 0), ("dispatch_late", 1)]

    def test_and_disarms_those_of_the_stage_it_left(self) -> None:
        lived = Life()
        lived.give(Return(reason="非本单位职责"), UNIT)
        lived.pass_to(MONDAY + 30 * DAY)
        assert {fact.clock for fact in lived.facts(DeadlinePassed)} == {"dispatch"}

    def test_a_second_acceptance_limit_is_a_new_one(self) -> None:
        lived = Life()
        lived.give(Return(reason="非本单位职责"), UNIT, shanghai("2026-03-02T09:50"))
        lived.give(Assign(unit="sanitation"), DISPATCHER)
        lived.pass_to(shanghai("2026-03-02T11:00"))
        lived.give(Accept(), UNIT)
        assert lived.case.accepted_at == shanghai("2026-03-02T11:00")
