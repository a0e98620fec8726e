"""New rules for running cases: another policy or ladder, a unit's own working time, another version of it."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain import life
from domain.calendar import Calendar
from domain.case import Stage
from domain.commands import Assign
from domain.events import CalendarChanged, CaseDispatched, RulesChanged, RungFired
from domain.explain import explain
from domain.policy import Ladder, Policy, Rules, UnitCalendar
from tests.support.cases import (
    CALENDAR,
    DISPATCHER,
    MONDAY,
    Life,
    in_stage,
    newer,
    opening,
    policy,
    replayed,
    rules,
    shanghai,
    with_holidays,
)

#: The market's own people begin at four in the morning and know no noon.
EARLY = Calendar.model_validate(
    {**CALENDAR.model_dump(), "id": "market", "seasons": [{"weekdays": [["04:00-12:00"]] * 7}]}
)


def following(**changes: object) -> Policy:
    before = policy()
    return Policy.model_validate({**before.model_dump(), "version": before.version + 1, **changes})


def slower_inspection() -> Policy:
    limits = policy().limits.model_dump()
    twice = {kind: {**each, "value": each["value"] * 2} for kind, each in limits["inspection"].items()}
    return following(limits={**limits, "inspection": twice})


def rerule(lived: Life, new: Policy, ladder: Ladder | None = None) -> list[RulesChanged]:
    lived.rerule(new, ladder=ladder)
    return lived.facts(RulesChanged)


class TestANewPolicy:
    def test_moves_the_deadline_of_the_stage_that_is_on(self) -> None:
        lived = in_stage(Stage.REINSPECTION)
        before = life.snapshot(lived.case).due_at
        (changed,) = rerule(lived, slower_inspection())
        after = life.snapshot(lived.case).due_at
        assert (changed.due_before, changed.due_after) == (before, after)
        assert before is not None
        assert after is not None
        assert after > before

    def test_leaves_the_units_limit_as_the_condition_has_it(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        (changed,) = rerule(lived, slower_inspection())
        assert changed.due_before == changed.due_after == life.snapshot(lived.case).due_at

    def test_takes_back_that_a_stage_was_late(self) -> None:
        lived = in_stage(Stage.REINSPECTION)
        due = life.snapshot(lived.case).due_at
        assert due is not None
        lived.pass_to(due)
        assert lived.case.late_since == due
        rerule(lived, slower_inspection())
        assert lived.case.late_since is None

    def test_counts_from_now_on(self) -> None:
        lived = in_stage(Stage.REINSPECTION)
        rerule(lived, following(rework={"share": "1"}))
        lived.inspected("fail")
        assert lived.case.unit_clock is not None
        assert lived.case.unit_clock.limit == lived.case.limit

    def test_is_taken_once_and_no_older_one(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        rerule(lived, following())
        rerule(lived, following())
        rerule(lived, policy())
        assert len(lived.facts(RulesChanged)) == 1

    def test_does_not_reach_a_case_that_has_ended(self) -> None:
        assert rerule(in_stage(Stage.ARCHIVED), following()) == []

    def test_comes_out_the_same_from_the_events_alone(self) -> None:
        lived = in_stage(Stage.REINSPECTION)
        rerule(lived, slower_inspection())
        lived.inspected("fail")
        assert replayed(lived) == lived.case


class TestANewLadder:
    def test_fires_what_is_due_by_it_and_knows_nothing_of_what_it_lacks(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        lived.pass_to(shanghai("2026-03-03T17:00"))
        old = lived.case.rules.ladder
        fired = {rung.id for rung in lived.case.fired}
        assert fired
        kept = [rung for rung in old.rungs if rung.id not in fired]
        when = old.rungs[0].when.model_copy(update={"used": Decimal("0.25")})
        early = old.rungs[0].model_copy(update={"id": "at_a_quarter", "when": when})
        ladder = Ladder(id=old.id, version=old.version + 1, rungs=(early, *kept))
        rerule(lived, lived.case.rules.policy, ladder)
        assert {rung.id for rung in lived.case.fired} == {"at_a_quarter"}
        assert lived.facts(RungFired)[-1].rung == "at_a_quarter"
        lived.pass_to(MONDAY + timedelta(days=30))
        assert replayed(lived) == lived.case


class TestAUnitsOwnWorkingTime:
    def test_counts_from_its_dispatch_to_its_submission(self) -> None:
        own = rules().changed(units=(UnitCalendar(unit="sanitation", calendar=EARLY),))
        lived = Life(opening(rules=own))
        snapshot = life.snapshot(lived.case)
        assert snapshot.due_at == shanghai("2026-03-04T08:00")  # 4 h of Monday, 8 of Tuesday, 4 of Wednesday
        assert lived.case.stage_calendar == EARLY  # it is this unit that has to accept
        lived.accepted().submitted()
        assert lived.case.stage_calendar == CALENDAR

    def test_comes_with_an_assignment(self) -> None:
        lived = Life(opening(proposed_unit=None))
        market = UnitCalendar(unit="market", calendar=EARLY)
        other = UnitCalendar(unit="water", calendar=EARLY)
        lived.give(Assign(unit="market"), DISPATCHER, calendars=(market, other))
        assert lived.facts(CaseDispatched)[-1].calendars == (market,)
        assert life.snapshot(lived.case).due_at == shanghai("2026-03-04T08:00")
        assert replayed(lived) == lived.case

    def test_changes_with_its_calendar_and_not_with_the_citys(self) -> None:
        own = rules().changed(units=(UnitCalendar(unit="sanitation", calendar=EARLY),))
        lived = Life(opening(rules=own)).accepted()
        before = life.snapshot(lived.case).due_at
        lived.recalendar(with_holidays(CALENDAR, "2026-03-03"))
        assert life.snapshot(lived.case).due_at == before
        lived.recalendar(with_holidays(EARLY, "2026-03-03"))
        assert life.snapshot(lived.case).due_at == shanghai("2026-03-05T08:00")
        assert [fact.calendar.id for fact in lived.facts(CalendarChanged)] == [CALENDAR.id, "market"]

    def test_of_nobody_concerned_changes_nothing(self) -> None:
        lived = Life().accepted()
        assert lived.recalendar(newer(EARLY)) == ()

    def test_is_what_the_deadline_is_explained_by(self) -> None:
        own = rules().changed(units=(UnitCalendar(unit="sanitation", calendar=EARLY),))
        case = Life(opening(rules=own)).accepted().case
        assert case.unit_clock is not None
        told = explain(case.unit_clock, case.unit_calendar, MONDAY)
        assert (told.calendar_id, told.due_at) == ("market", life.snapshot(case).due_at)


HOUR = {"work": {"value": "1", "unit": "work_hour"}, "urgent": {"value": "1", "unit": "urgent_hour"}}
SMALL: dict[str, object] = {
    "policy": {
        "id": "small",
        "version": 1,
        "limits": {"intake": HOUR, "dispatch": HOUR, "acceptance": HOUR, "inspection": HOUR},
    },
    "ladder": {"id": "small", "version": 1, "rungs": []},
    "calendar": {
        "id": "small",
        "zone": "Asia/Shanghai",
        "seasons": [{"weekdays": [["08:00-12:00"]] * 7}],
        "official_through": "2026-12-31",
    },
}


class TestTheDigest:
    def test_is_what_it_was_for_rules_that_say_nothing_new(self) -> None:
        """What 0.1 and 0.2 have written down under theirs must be found again."""
        assert Rules.model_validate(SMALL).digest == "80567de3c727e9f3"

    def test_tells_rules_with_a_units_calendar_apart(self) -> None:
        plain = rules()
        own = plain.changed(units=(UnitCalendar(unit="sanitation", calendar=EARLY),))
        assert own.digest != plain.digest
        assert own.changed(units=()).digest == plain.digest

    @given(st.booleans())
    def test_tells_policies_apart(self, may: bool) -> None:  # noqa: FBT001 - drawn
        assert rules(co_units={"lead_may_go_ahead": may}).digest != rules(co_units=None).digest
