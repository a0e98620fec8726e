"""What is foreseen is what then happens: of any case, at any time, whatever is about to change."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directory.calendars import snapshot as cut
from directory.demo_city import demo_directory
from directory.rules import default_ladder, default_policy
from domain import life
from domain.alarms import due_at
from domain.calendar import Calendar
from domain.case import RUNNING, Case, Stage
from domain.commands import Suspend
from domain.events import CalendarChanged
from domain.limits import DayReading, Limit, LimitUnit
from domain.policy import Policy
from store import directory
from store import rules as editions
from tests.support.cases import (
    CALENDAR,
    DISPATCHER,
    MONDAY,
    Life,
    in_stage,
    limit,
    newer,
    rules,
    shanghai,
    with_holidays,
)
from tests.support.engine import ROUND_THE_CLOCK, report
from tests.support.office import Office
from upkeep.preview import Change, Effect, Foreseen, Move, NewRules, Totals, compared, effects
from upkeep.publications import Carrier

STAGES = [Stage.INTAKE, Stage.ASSIGNMENT, Stage.RECTIFICATION, Stage.REINSPECTION, Stage.CLOSURE]
MINUTES = st.integers(0, 60 * 24 * 30)
LIMITS = st.builds(
    lambda value, unit: Limit(value=Decimal(value) / 2, unit=unit), st.integers(1, 20), st.sampled_from(LimitUnit)
)
DAYS = st.lists(st.integers(-3, 45).map(lambda n: MONDAY.date() + timedelta(days=n)), max_size=8)
READINGS = st.sampled_from(DayReading)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """A case in any stage, opened some time that month, overdue or not, perhaps suspended or with a co-unit."""
    at = MONDAY + timedelta(minutes=draw(MINUTES), microseconds=draw(st.integers(0, 999_999)))
    when = {"opened_at": at, "discovered_at": at}
    stage = draw(st.sampled_from(STAGES))
    own = stage in {Stage.ASSIGNMENT, Stage.RECTIFICATION} and draw(st.booleans())
    by = rules(work_day_reading=draw(READINGS), co_units={} if own else None)
    lived = in_stage(stage, limit=draw(LIMITS), rules=by, proposed_co_units=("greening",) if own else (), **when)
    if stage is Stage.RECTIFICATION and draw(st.booleans()):
        lived.give(Suspend(reason="雨季", until=at + timedelta(days=draw(st.integers(1, 20)))), DISPATCHER)
    lived.pass_to(at + timedelta(minutes=draw(MINUTES)))
    return lived


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    holidays, make_up = set(draw(DAYS)), set(draw(DAYS))
    return newer(
        CALENDAR,
        holidays=(*CALENDAR.holidays, *holidays) if draw(st.booleans()) else tuple(holidays),
        make_up_workdays=tuple(make_up - holidays - {*CALENDAR.holidays}),
        official_through=draw(st.sampled_from([date(2026, 3, 20), date(2026, 12, 31)])),
    )


@st.composite
def policies(draw: st.DrawFn) -> NewRules:
    policy = default_policy()
    limits = policy.limits.model_dump()
    for name in draw(st.sets(st.sampled_from(["intake", "dispatch", "acceptance", "inspection"]))):
        limits[name] = {"work": draw(LIMITS), "urgent": draw(LIMITS)}
    limits["window"] = draw(LIMITS)
    new = Policy.model_validate({**policy.model_dump(), "version": policy.version + 1, "limits": limits})
    rungs = draw(st.sampled_from([(), default_ladder().rungs]))
    return NewRules(new, default_ladder().model_copy(update={"version": default_ladder().version + 1, "rungs": rungs}))


def happened(case: Case, change: Change, now: datetime) -> tuple[Case, Case]:
    """The case before and after it takes the change, by its own rules, rungs and all."""
    before, _ = life.pass_time(case, now)
    if isinstance(change, Calendar):
        return before, life.recalendar(before, cut(change, case.opened_at), now)[0]
    return before, life.rerule(before, *change, now)[0]


def foreseen(case: Case, change: Change, now: datetime) -> Effect:
    return Foreseen(change, now).of(life.snapshot(case).model_dump_json(), case.rules)


def agree(case: Case, change: Change, now: datetime) -> Effect:
    before, after = happened(case, change, now)
    effect = foreseen(case, change, now)
    if before.stage not in RUNNING:
        assert not effect.changes
        return effect
    assert effect == compared(before, after)
    moves = [(move.before, move.after) for move in effect.moves if move.of == "case"]
    assert moves == ([] if due_at(before) == due_at(after) else [(due_at(before), due_at(after))])
    return effect


class TestAnyCase:
    @given(lives(), calendars(), MINUTES)
    @settings(max_examples=150)
    def test_does_with_a_calendar_what_was_foreseen(self, lived: Life, change: Calendar, later: int) -> None:
        agree(lived.case, change, lived.now + timedelta(minutes=later))

    @given(lives(), policies(), MINUTES)
    @settings(max_examples=100)
    def test_does_with_new_rules_what_was_foreseen(self, lived: Life, change: NewRules, later: int) -> None:
        agree(lived.case, change, lived.now + timedelta(minutes=later))


class TestOneCase:
    def test_that_waits_beyond_a_new_holiday_is_due_a_working_day_later(self) -> None:
        lived = in_stage(Stage.RECTIFICATION, limit=limit("5 work_day"))
        effect = agree(lived.case, with_holidays(CALENDAR, "2026-03-05"), MONDAY)
        due = shanghai("2026-03-06T18:00")
        assert effect.moves == (Move(of="case", unit="sanitation", before=due, after=shanghai("2026-03-09T18:00")),)

    def test_that_was_late_by_a_day_that_turns_out_free_is_late_no_longer(self) -> None:
        lived = in_stage(Stage.RECTIFICATION, limit=limit("2 work_day"))
        wednesday = shanghai("2026-03-04T10:00")
        lived.pass_to(wednesday)
        assert lived.case.late_since is not None
        effect = agree(lived.case, with_holidays(CALENDAR, "2026-03-03"), wednesday)
        assert effect.overdue == (True, False)

    def test_that_loses_a_free_day_becomes_late(self) -> None:
        free = with_holidays(CALENDAR, "2026-03-03")
        lived = in_stage(Stage.RECTIFICATION, limit=limit("2 work_day"), rules=rules(calendar=free))
        wednesday = shanghai("2026-03-04T10:00")
        lived.pass_to(wednesday)
        effect = agree(lived.case, newer(free, holidays=CALENDAR.holidays), wednesday)
        assert effect.overdue == (False, True)

    def test_due_in_a_year_that_becomes_official_is_provisional_no_longer(self) -> None:
        at = shanghai("2026-12-30T09:00")
        cut_now = cut(CALENDAR, at)
        lived = in_stage(Stage.RECTIFICATION, limit=limit("5 work_day"), opened_at=at, rules=rules(calendar=cut_now))
        change = newer(CALENDAR, holidays=(*CALENDAR.holidays, date(2027, 1, 1)), official_through=date(2027, 12, 31))
        effect = agree(lived.case, change, at)
        assert effect.provisional == (True, False)
        assert [(move.before, move.after) for move in effect.moves] == [
            (shanghai("2027-01-06T09:00"), shanghai("2027-01-07T09:00"))
        ]

    def test_that_runs_day_and_night_only_notes_it(self) -> None:
        lived = in_stage(Stage.RECTIFICATION, limit=limit("3 urgent_day"))
        effect = agree(lived.case, with_holidays(CALENDAR, "2026-03-03"), MONDAY)
        assert effect.touched
        assert not effect.changes

    def test_of_another_calendar_is_not_touched(self) -> None:
        other = CALENDAR.model_copy(update={"id": "other"})
        assert not foreseen(in_stage(Stage.RECTIFICATION).case, newer(other), MONDAY).touched

    def test_that_a_shorter_window_ends_at_once_is_seen(self) -> None:
        lived = in_stage(Stage.CLOSURE)
        policy = default_policy()
        limits = policy.limits.model_dump() | {"window": limit("1 natural_day")}
        new = Policy.model_validate({**policy.model_dump(), "version": policy.version + 1, "limits": limits})
        effect = agree(lived.case, NewRules(new, default_ladder()), MONDAY + timedelta(days=2))
        assert [move.of for move in effect.moves] == ["stage"]

    def test_whose_rules_are_lost_is_counted_and_nothing_is_said_of_it(self) -> None:
        snapshot = life.snapshot(in_stage(Stage.RECTIFICATION).case).model_dump_json()
        effect = Foreseen(with_holidays(CALENDAR, "2026-03-03"), MONDAY).of(snapshot, None)
        assert Totals().plus([effect]) == Totals(running=1)


class TestTotals:
    def test_count_cases_and_deadlines(self) -> None:
        move = Move(of="case", unit="roads", before=MONDAY, after=None)
        counted = Totals().plus(
            [
                Effect(case="a", unit=None, touched=True, moves=(move, move), overdue=(True, False)),
                Effect(case="b", unit=None, touched=True, overdue=(False, True), provisional=(False, True)),
                Effect(case="c", unit=None, provisional=(True, False)),
                Effect(case="d", unit=None, overdue=(True, True), provisional=(True, True)),
            ]
        )
        assert counted == Totals(
            running=4,
            touched=2,
            moved=1,
            deadlines=2,
            become_overdue=1,
            no_longer_overdue=1,
            become_provisional=1,
            no_longer_provisional=1,
        )


class TestOnTheEngine:
    @pytest.fixture
    async def city(self, office: Office) -> Office:
        await directory.save(office.database, demo_directory(), ROUND_THE_CLOCK, default_policy(), default_ladder())
        return office

    async def test_every_case_does_what_was_foreseen_of_it(self, city: Office) -> None:
        tomorrow = report().opened_at.astimezone(ROUND_THE_CLOCK.tz).date() + timedelta(days=1)
        change = newer(ROUND_THE_CLOCK, holidays=(tomorrow,))
        limits = ("5 work_day", "2 natural_day", "1 work_hour", "30 work_hour")
        handles = {each.id: each for each in [await city.open(report(limit=limit(text))) for text in limits]}
        told = [each async for page in effects(city.database, change, datetime.now(UTC)) for each in page]
        assert {each.case for each in told} == handles.keys()
        number = await editions.publish_calendar(city.database, change, "admin-1", datetime.now(UTC))
        done = await Carrier(city.cases, city.database, settled=0.0).until_done(number)
        totals = Totals().plus(told)
        assert (done.took, done.moved) == (totals.touched, totals.moved) == (4, 2)
        for effect in told:
            events = await city.desk.log(handles[effect.case])
            (change_of,) = [event.fact for event in events if isinstance(event.fact, CalendarChanged)]
            expected = [(move.before, move.after) for move in effect.moves]
            assert expected == ([] if change_of.due_before == change_of.due_after else [_span(change_of)])


def _span(change: CalendarChanged) -> tuple[datetime | None, datetime | None]:
    return change.due_before, change.due_after
