"""Co-units 协办单位: each with a task, a clock and a submission of its own, where the city's policy says so."""

from datetime import timedelta

import pytest

from domain import life
from domain.case import Stage
from domain.commands import DecideExtension, RequestExtension, Resume, SubmitRectification, Suspend
from domain.errors import Conflict
from domain.events import CoUnitLate, DeadlinePassed, RectificationSubmitted
from domain.policy import Audience
from domain.record import holders, recipients, told
from tests.support.cases import (
    CO_UNIT,
    MONDAY,
    OTHER_UNIT,
    PHOTO,
    SUPERVISOR,
    UNIT,
    Life,
    limit,
    opening,
    replayed,
    rules,
    shanghai,
)

DONE = SubmitRectification(note="清理完毕", evidence=(PHOTO,))
AHEAD = SubmitRectification(note="清理完毕", evidence=(PHOTO,), ahead_because="绿化须待来年春季")


def helped(**policy: object) -> Life:
    """Led by sanitation, helped by greening, within two work days."""
    return Life(opening(proposed_co_units=("greening",), rules=rules(co_units=policy))).accepted()


def recipients_of(lived: Life, kind: str) -> list[tuple[Audience, tuple[str, ...]]]:
    held = holders(lived.case, lived.events)
    return [
        (audience, recipients(audience, lived.case, held[event.seq], event.fact))
        for event in lived.events
        if event.fact.type == kind
        for audience in told(event)
    ]


class TestATask:
    def test_has_a_clock_from_the_dispatch(self) -> None:
        lived = helped()
        assert [(task.unit, task.clock.started_at) for task in lived.case.co_tasks] == [("greening", MONDAY)]
        assert life.snapshot(lived.case).co_due == {"greening": shanghai("2026-03-03T18:00")}

    def test_stops_when_its_unit_submits(self) -> None:
        lived = helped()
        lived.give(DONE, CO_UNIT, MONDAY + timedelta(hours=1))
        task = lived.case.co_tasks[0]
        assert task.submitted_at == task.clock.stopped_at == MONDAY + timedelta(hours=1)
        assert life.snapshot(lived.case).co_due == {}

    def test_stops_though_that_of_another_has_stopped_before(self) -> None:
        lived = Life(opening(proposed_co_units=("greening", "water"), rules=rules(co_units={}))).accepted()
        lived.give(DONE, CO_UNIT, MONDAY + timedelta(hours=1))
        lived.give(DONE, OTHER_UNIT, MONDAY + timedelta(hours=2))
        stops = [task.submitted_at for task in lived.case.co_tasks]
        assert stops == [MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=2)]

    def test_is_late_by_its_own_deadline_once(self) -> None:
        lived = helped()
        lived.pass_to(MONDAY + timedelta(days=20))
        assert lived.facts(CoUnitLate) == [CoUnitLate(unit="greening", due_at=shanghai("2026-03-03T18:00"))]
        assert lived.case.co_tasks[0].overdue

    def test_is_not_late_when_done_though_the_lead_is(self) -> None:
        lived = helped()
        lived.give(DONE, CO_UNIT)
        lived.pass_to(MONDAY + timedelta(days=20))
        assert lived.facts(CoUnitLate) == []
        assert lived.facts(DeadlinePassed) != []

    def test_stands_still_with_the_case_and_runs_on_with_it(self) -> None:
        lived = helped()
        lived.give(Suspend(reason="等材料", until=MONDAY + timedelta(days=30)), SUPERVISOR)
        lived.pass_to(MONDAY + timedelta(days=20))
        assert lived.facts(CoUnitLate) == []
        lived.give(Resume(), SUPERVISOR)
        snapshot = life.snapshot(lived.case)
        assert snapshot.co_due == {"greening": snapshot.due_at}

    def test_gets_the_extension_too(self) -> None:
        lived = helped()
        lived.give(RequestExtension(reason="连日下雨"), UNIT)
        lived.give(DecideExtension(grant=True, reason="情况属实"), SUPERVISOR)
        snapshot = life.snapshot(lived.case)
        assert snapshot.co_due == {"greening": snapshot.due_at}

    def test_begins_anew_with_the_next_round_within_the_rework_limit(self) -> None:
        lived = helped()
        lived.give(DONE, CO_UNIT)
        lived.submitted().inspected("fail")
        task = lived.case.co_tasks[0]
        assert task.submitted_at is None
        assert task.clock.limit == limit("1 work_day")

    def test_is_not_there_where_policy_does_not_say_so(self) -> None:
        lived = Life(opening(proposed_co_units=("greening",), rules=rules(co_units=None))).accepted()
        lived.pass_to(MONDAY + timedelta(days=20))
        assert lived.case.co_tasks == ()
        assert lived.facts(CoUnitLate) == []

    def test_comes_out_the_same_from_the_events_alone(self) -> None:
        lived = helped()
        lived.give(Suspend(reason="等材料", until=MONDAY + timedelta(days=2)), SUPERVISOR)
        lived.pass_to(MONDAY + timedelta(days=20))
        lived.give(DONE, CO_UNIT)
        assert replayed(lived) == lived.case


class TestTheLead:
    def test_waits_for_the_others(self) -> None:
        with pytest.raises(Conflict) as caught:
            helped().give(DONE, UNIT)
        assert caught.value.code == "co_units_pending"

    def test_goes_ahead_with_a_reason(self) -> None:
        lived = helped()
        lived.give(AHEAD, UNIT)
        (submitted,) = lived.facts(RectificationSubmitted)
        assert (submitted.without, submitted.ahead_because) == (("greening",), AHEAD.ahead_because)
        assert lived.case.stage is Stage.REINSPECTION
        assert lived.case.co_tasks[0].clock.stopped_at == lived.now

    def test_may_not_where_policy_forbids_it(self) -> None:
        with pytest.raises(Conflict):
            helped(lead_may_go_ahead=False).give(AHEAD, UNIT)

    def test_needs_no_reason_for_what_is_done(self) -> None:
        lived = helped()
        lived.give(DONE, CO_UNIT)
        lived.give(AHEAD, UNIT)
        assert lived.facts(RectificationSubmitted)[0].ahead_because is None


class TestNotices:
    def test_tell_every_unit_of_its_task(self) -> None:
        assert recipients_of(helped(), "CaseDispatched") == [(Audience.UNIT, ("sanitation", "greening"))]

    def test_tell_every_unit_of_the_next_round(self) -> None:
        lived = helped()
        lived.give(DONE, CO_UNIT)
        lived.submitted().inspected("fail")
        assert recipients_of(lived, "InspectionFailed") == [(Audience.UNIT, ("sanitation", "greening"))]

    def test_tell_the_late_one_and_the_dispatcher(self) -> None:
        lived = helped()
        lived.pass_to(MONDAY + timedelta(days=20))
        told_to = dict(recipients_of(lived, "CoUnitLate"))
        assert told_to == {Audience.UNIT: ("greening",), Audience.DISPATCHER: (lived.case.area,)}

    def test_are_as_before_where_policy_knows_no_tasks(self) -> None:
        lived = Life(opening(proposed_co_units=("greening",), rules=rules(co_units=None)))
        assert recipients_of(lived, "CaseDispatched") == [(Audience.UNIT, ("sanitation",))]
