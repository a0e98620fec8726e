"""Random lives of cases: whatever anybody does whenever, what a case promises holds after every step."""

import json
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain import clock as clocks
from domain import life
from domain.actors import Actor
from domain.calendar import Calendar, Season
from domain.case import OPEN, Case, Outcome, Snapshot, Stage
from domain.clock import Clock
from domain.commands import Command, Supervise, Suspend
from domain.errors import RectifyError
from domain.events import (
    CaseArchived,
    DeadlinePassed,
    Event,
    ExtensionGranted,
    InspectionPassed,
    PlanApproved,
    RectificationSubmitted,
    RungFired,
)
from domain.lifecycle import RULES, actions
from domain.policy import Policy, UnitCalendar
from tests.support.cases import (
    CALENDAR,
    DISPATCHER,
    EVERYBODY,
    OFFICER,
    OTHER_PHOTO,
    PHOTO,
    RESIDENT,
    SUPERVISOR,
    Life,
    limit,
    opening,
    replayed,
    rules,
    self_handled,
    with_holidays,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TEXT = st.sampled_from(["按要求办理", "情况属实"])
CO_UNITS = ((), ("greening",), ("greening", "water"))
PHOTOS = st.sampled_from([(), (PHOTO,), (OTHER_PHOTO, PHOTO)])
GAPS = st.one_of(
    st.just(timedelta(0)),
    st.integers(1, 600).map(lambda minutes: minutes * MINUTE),
    st.integers(1, 60).map(lambda days: days * DAY),
)
BODIES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "verify": st.just({}),
    "dismiss": st.fixed_dictionaries({"reason": TEXT}),
    "assign": st.fixed_dictionaries(
        {"unit": st.sampled_from(["sanitation", "greening"]), "co_units": st.sampled_from(CO_UNITS)}
    ),
    "accept": st.just({}),
    "return": st.fixed_dictionaries({"reason": TEXT}),
    "submit": st.fixed_dictionaries(
        {
            "note": TEXT,
            "evidence": PHOTOS,
            "milestone": st.sampled_from([None, None, 1, 2]),
            "ahead_because": st.sampled_from([None, "绿化须待春季"]),
        }
    ),
    "submit-plan": st.fixed_dictionaries({"text": TEXT}),
    "decide-plan": st.fixed_dictionaries({"reason": TEXT, "grant": st.sampled_from([True, True, False])}),
    "join": st.fixed_dictionaries(
        {"description": TEXT, "on_behalf_of": st.sampled_from([(), (), ("resident-8", "resident-9")])}
    ),
    "request-extension": st.fixed_dictionaries({"reason": TEXT}),
    "decide-extension": st.fixed_dictionaries({"reason": TEXT, "grant": st.booleans()}),
    "resume": st.just({}),
    "inspect": st.fixed_dictionaries({"note": TEXT, "result": st.sampled_from(["pass", "fail", "fail", "unable"])}),
    "urge": st.fixed_dictionaries({"note": TEXT}),
    "withdraw": st.fixed_dictionaries({"reason": TEXT}),
    "force-close": st.fixed_dictionaries({"reason": TEXT}),
    "rate": st.fixed_dictionaries({"score": st.integers(1, 5)}),
    "appeal": st.fixed_dictionaries({"reason": TEXT}),
    "decide-appeal": st.fixed_dictionaries({"reason": TEXT, "grant": st.booleans()}),
    "reopen": st.fixed_dictionaries({"reason": TEXT}),
    "comment": st.fixed_dictionaries({"text": TEXT}),
}
#: Most cases would end at once if the ways out were as likely as the others.
RARE = {"dismiss", "withdraw", "force-close"}
NEXT = {"verify", "assign", "accept", "submit", "inspect", "decide-extension", "decide-appeal", "reopen"}
SOON = {"request-extension", "decide-extension", "return", "appeal", "decide-appeal", "resume", "submit", "accept"}
LIMITS = ("2 work_day", "1.5 work_hour", "3 urgent_hour", "1 natural_day", "5 work_day")
MILESTONES = (
    (),
    (
        {"name_zh": "围护", "name_en": "fence off", "limit": limit("3 urgent_hour")},
        {"name_zh": "修复", "name_en": "repair", "limit": limit("8 urgent_hour")},
        {"name_zh": "恢复", "name_en": "restore", "limit": limit("5 work_day")},
    ),
)
POLICIES: tuple[dict[str, Any], ...] = (
    {},
    {
        "acceptance": {"on_expiry": "escalate"},
        "returns": {"in_rectification": True},
        "work_day_reading": "end_of_day",
    },
    {"co_units": {"lead_may_go_ahead": True}},
    {"co_units": {"lead_may_go_ahead": False}, "returns": {"in_rectification": True}},
)
#: Greening begins at four and knows no noon.
EARLY = CALENDAR.model_copy(update={"id": "early", "seasons": (Season(weekdays=(("04:00-12:00",),) * 7),)})
OWN_TIME = (UnitCalendar(unit="greening", calendar=EARLY),)


class CaseMachine(RuleBasedStateMachine):
    @initialize(
        resident=st.booleans(),
        on_the_spot=st.sampled_from([False] * 9 + [True]),
        routed=st.booleans(),
        allowed=st.sampled_from(LIMITS),
        milestones=st.sampled_from(MILESTONES),
        policy=st.sampled_from(POLICIES),
        co_units=st.sampled_from(CO_UNITS),
        needs_plan=st.sampled_from([False, False, True]),
        own_time=st.booleans(),
    )
    def open(
        self,
        *,
        resident: bool,
        on_the_spot: bool,
        routed: bool,
        allowed: str,
        milestones: tuple[dict[str, Any], ...],
        policy: dict[str, Any],
        co_units: tuple[str, ...],
        needs_plan: bool,
        own_time: bool,
    ) -> None:
        self.own_time = OWN_TIME if own_time else ()
        report = {
            "actor": RESIDENT if resident else OFFICER,
            "source": "resident" if resident else "officer",
            "limit": limit(allowed),
            "milestones": milestones,
            "rules": rules(**policy).changed(units=self.own_time),
            "needs_plan": needs_plan,
            "proposed_unit": "sanitation" if routed else None,
            "proposed_co_units": co_units if routed else (),
        }
        self.life = Life(self_handled(**report) if on_the_spot else opening(**report))
        self.calendar = CALENDAR

    # --- what may happen ---

    @rule(gap=GAPS, data=st.data())
    def go_on(self, gap: timedelta, data: st.DataObject) -> None:
        """What the stage waits for, from whoever may do it."""
        self._give_one_of(NEXT, gap, data)

    @rule(minutes=st.integers(0, 90), data=st.data())
    def ask_soon(self, minutes: int, data: st.DataObject) -> None:
        """What can only be asked for while there is time."""
        self._give_one_of(SOON, minutes * MINUTE, data)

    @rule(gap=GAPS, data=st.data())
    def give_what_is_possible(self, gap: timedelta, data: st.DataObject) -> None:
        self._give_one_of(set(BODIES) - (RARE if self.life.case.version % 7 else set()), gap, data)

    def _give_one_of(self, names: set[str], gap: timedelta, data: st.DataObject) -> None:
        case = self.life.case
        able = {name: [actor for actor in EVERYBODY if name in actions(case, actor)] for name in names}
        possible = sorted(name for name, people in able.items() if people)
        if possible:
            name = data.draw(st.sampled_from(possible))
            self._give(name, data.draw(st.sampled_from(able[name])), gap, data)

    @rule(gap=GAPS, name=st.sampled_from(sorted(set(BODIES) - RARE)), actor=st.sampled_from(EVERYBODY), data=st.data())
    def give_anything(self, gap: timedelta, name: str, actor: Actor, data: st.DataObject) -> None:
        self._give(name, actor, gap, data)

    @rule(minutes=st.integers(0, 90), ahead=st.integers(-1, 400))
    def suspend(self, minutes: int, ahead: int) -> None:
        until = self.life.now + minutes * MINUTE + ahead * DAY
        self._attempt(Suspend(reason="冬季", until=until), DISPATCHER, minutes * MINUTE)

    @rule(gap=GAPS, ahead=st.integers(1, 40))
    def supervise(self, gap: timedelta, ahead: int) -> None:
        due = self.life.now + gap + ahead * DAY
        self._attempt(Supervise(requirement="限期", due=due), SUPERVISOR, gap)

    @rule(gap=GAPS, cuts=st.integers(2, 9))
    def let_time_pass(self, gap: timedelta, cuts: int) -> None:
        """In many small steps or in one big one: the same happens."""
        before, end = self.life.case, self.life.now + gap
        case, small = before, list[Event]()
        for n in range(1, cuts + 1):
            case, events = life.pass_time(case, self.life.now + gap * n / cuts)
            small += events
        big = self.life.pass_to(end)
        assert _comparable(small) == _comparable(big)
        assert _timeless(case) == _timeless(self.life.case)

    @rule(day=st.integers(-3, 40), gap=GAPS)
    def publish_a_calendar(self, day: int, gap: timedelta) -> None:
        holiday: date = (self.life.now + day * DAY).date()
        if len(self.calendar.holidays) > len(CALENDAR.holidays) and day < 10:
            self.calendar = with_holidays(CALENDAR).model_copy(update={"version": self.calendar.version + 1})
        else:
            self.calendar = with_holidays(
                self.calendar.model_copy(update={"make_up_workdays": ()}), holiday.isoformat()
            )
        self.life.recalendar(self.calendar, self.life.now + gap)

    @rule(gap=GAPS, share=st.sampled_from(["0.5", "1"]), hours=st.sampled_from(["1", "4", "24"]))
    def publish_a_policy(self, gap: timedelta, share: str, hours: str) -> None:
        policy = self.life.case.rules.policy
        inspection = {"work": {"value": hours, "unit": "work_hour"}, "urgent": {"value": hours, "unit": "urgent_hour"}}
        changes = {"rework": {"share": share}, "limits": {**policy.limits.model_dump(), "inspection": inspection}}
        following = Policy.model_validate({**policy.model_dump(), **changes, "version": policy.version + 1})
        self.life.rerule(following, self.life.now + gap)

    def _give(self, name: str, actor: Actor, gap: timedelta, data: st.DataObject) -> None:
        self._attempt(RULES[name].command.model_validate(data.draw(BODIES[name])), actor, gap)

    def _attempt(self, command: Command, actor: Actor, gap: timedelta) -> None:
        before, seen = self.life.case, len(self.life.events)
        try:
            self.life.give(command, actor, self.life.now + gap, calendars=self.own_time)
        except RectifyError:
            assert self.life.case is before
            assert len(self.life.events) == seen

    # --- what always holds ---

    @invariant()
    def events_are_numbered_without_gaps_and_ordered_in_time(self) -> None:
        events = self.life.events
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert all(a.at <= b.at for a, b in pairwise(events))
        assert self.life.case.version == len(events)

    @invariant()
    def the_events_tell_the_whole_case(self) -> None:
        assert replayed(self.life) == self.life.case

    @invariant()
    def what_is_next_lies_ahead(self) -> None:
        alarm = life.next_alarm(self.life.case)
        assert alarm is None or alarm.at > self.life.case.updated_at

    @invariant()
    def a_rung_fires_once_per_round_and_dispatch(self) -> None:
        ladder = self.life.case.rules.ladder.by_id
        fired = Counter(
            (fact.rung, fact.round, fact.dispatch, fact.times if ladder[fact.rung].repeat else None)
            for fact in self.life.facts(RungFired)
        )
        assert not fired or max(fired.values()) == 1

    @invariant()
    def clocks_add_up(self) -> None:
        case = self.life.case
        for clock, calendar in (
            (case.unit_clock, case.unit_calendar),
            (case.stage_clock, case.stage_calendar),
            *((task.clock, case.rules.calendar_of(task.unit)) for task in case.co_tasks),
        ):
            if clock is not None:
                _adds_up(clock, calendar, self.life.now)

    @invariant()
    def a_co_unit_has_done_its_part_or_its_clock_runs(self) -> None:
        case = self.life.case
        for task in case.co_tasks:
            assert (task.submitted_at is not None) == (task.unit in case.co_submitted)
            assert (task.clock.stopped_at is None) == (task.unit in life.snapshot(case).co_due) or task.clock.paused

    @invariant()
    def works_are_not_submitted_without_a_plan(self) -> None:
        if self.life.case.needs_plan and self.life.facts(RectificationSubmitted):
            assert self.life.facts(PlanApproved)

    @invariant()
    def nobody_is_a_reporter_twice(self) -> None:
        case = self.life.case
        assert len({case.reporter, *case.joined}) == 1 + len(case.joined)

    @invariant()
    def only_an_expired_clock_makes_a_round_overdue(self) -> None:
        case = self.life.case
        if case.round_overdue and case.unit_clock is not None and case.unit_clock.stopped_at is None:
            assert clocks.expired(case.unit_clock, case.unit_calendar, case.updated_at)
        if case.overdue:
            assert any(fact.clock == "unit" for fact in self.life.facts(DeadlinePassed))
            assert case.overdue_since is not None

    @invariant()
    def three_hands(self) -> None:
        passed = [event for event in self.life.events if isinstance(event.fact, InspectionPassed)]
        for event in passed:
            assert event.by is not None
            assert event.by.user != self.life.case.reporter
            assert event.by.user not in self.life.case.fixers
        if self.life.case.stage is Stage.CLOSURE and self.life.case.outcome is not Outcome.SELF_HANDLED:
            assert passed

    @invariant()
    def what_is_rationed_stays_within_its_ration(self) -> None:
        case = self.life.case
        assert case.extensions == len(self.life.facts(ExtensionGranted)) <= 2
        assert case.suspensions <= 1

    @invariant()
    def the_archive_comes_last_and_once(self) -> None:
        kinds = [type(event.fact) for event in self.life.events]
        assert CaseArchived not in kinds[:-1]

    @invariant()
    def it_survives_json(self) -> None:
        case = self.life.case
        revived = Case.model_validate_json(case.model_dump_json())
        assert revived == case
        shown = life.snapshot(case)
        assert Snapshot.model_validate_json(shown.model_dump_json()) == shown
        assert json.loads(shown.model_dump_json())["rules"] == revived.rules.digest

    @invariant()
    @precondition(lambda self: self.life.case.stage not in OPEN)
    def a_closed_case_has_an_end(self) -> None:
        assert self.life.case.closed_at is not None
        assert self.life.case.outcome is not None


def _adds_up(clock: Clock, calendar: Calendar, now: datetime) -> None:
    whole = clocks.elapsed(clock, calendar, now) + clocks.remaining(clock, calendar, now)
    assert whole == clocks.total(clock, calendar)


def _comparable(events: list[Event] | tuple[Event, ...]) -> list[str]:
    """Facts without their instants of recording; repetitions of a rung count as one, however they were grouped."""
    plain = [event.fact for event in events]
    return sorted(
        {
            fact.model_dump_json(
                exclude={"times", "due_at"} if isinstance(fact, RungFired) and fact.rung == "summon" else set()
            )
            for fact in plain
        }
    )


def _timeless(case: Case) -> Case:
    return case.model_copy(
        update={"version": 0, "updated_at": case.opened_at, "fired": tuple(sorted(case.fired, key=lambda f: f.id))}
    )


TestCaseMachine = CaseMachine.TestCase
TestCaseMachine.settings = settings(
    max_examples=80,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
