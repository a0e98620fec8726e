"""What holds for every clock, whatever happened to it; and that a second, naive way to compute it agrees."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from directory.calendars import default_calendar
from domain import clock as clocks
from domain import working_time
from domain.calendar import Calendar
from domain.clock import Clock
from domain.explain import explain
from domain.limits import DayReading, Limit, LimitUnit
from tests.domain import naive_clock

laws = settings(deadline=None, derandomize=True, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
DAYS = 45
ZERO = timedelta(0)
MINUTE = timedelta(minutes=1)


def _calendar(zone: str, seasons: list[dict[str, Any]], **exceptions: list[str]) -> Calendar:
    data = {"id": zone, "zone": zone, "seasons": seasons, "official_through": "2026-12-31", **exceptions}
    return Calendar.model_validate(data)


SPLIT = ["08:00-12:00", "14:00-18:00"]
SUMMER = ["08:30-12:00", "15:00-18:30"]
NIGHT = ["00:00-02:30", "03:15-06:00", "22:00-24:00"]
TWO_SEASONS = _calendar(
    "Asia/Urumqi",
    [
        {"from_": "05-01", "weekdays": [SUMMER, SUMMER, SUMMER, SUMMER, SUMMER, ["09:00-12:00"], []]},
        {"from_": "10-01", "weekdays": [[], SPLIT, SPLIT, SPLIT, SPLIT, SPLIT, []]},
    ],
    holidays=["2026-10-05"],
    make_up_workdays=["2026-10-04"],
)
NEW_YORK = _calendar("America/New_York", [{"weekdays": [NIGHT] * 6 + [["01:15-02:45", "10:00-11:00"]]}])
LORD_HOWE = _calendar("Australia/Lord_Howe", [{"weekdays": [["01:45-02:15", "09:00-17:00"]] * 7}])

#: A calendar and the first day of a window in which something happens to it.
SCENES: list[tuple[Calendar, date]] = [
    (default_calendar(), date(2026, 2, 6)),  # spring festival, make-up days on 14 and 28 February
    (default_calendar(), date(2026, 9, 15)),  # mid-autumn, national day, make-up days before and after
    (default_calendar(), date(2026, 12, 20)),  # into a year without data
    (TWO_SEASONS, date(2026, 9, 20)),  # the season changes
    (NEW_YORK, date(2026, 3, 2)),  # 02:00 jumps to 03:00
    (NEW_YORK, date(2026, 10, 26)),  # 02:00 falls back to 01:00
    (LORD_HOWE, date(2026, 9, 28)),  # half an hour is skipped
]

limits = st.builds(
    Limit,
    value=st.sampled_from(["0.25", "0.5", "1", "1.5", "2", "3", "4", "5.25", "8"]).map(Decimal),
    unit=st.sampled_from(list(LimitUnit)),
)
minutes = st.one_of(
    st.sampled_from([0, 60, 240, 1440]), st.integers(0, 600), st.integers(0, 3 * 1440)
).map(timedelta(minutes=1).__mul__)  # fmt: skip
actions = st.one_of(st.just("toggle"), st.just("calendar"), limits)


def _apply(clock: Clock, action: object, at: datetime) -> Clock:
    if isinstance(action, Limit):
        return clocks.change_limit(clock, action, at)
    if action == "calendar":
        return clocks.change_calendar(clock, 2, at)
    return clocks.resume(clock, at) if clock.paused else clocks.pause(clock, at)


@st.composite
def logs(draw: st.DrawFn) -> tuple[Clock, Calendar, naive_clock.Window]:
    calendar, first = draw(st.sampled_from(SCENES))
    seen = naive_clock.window(calendar, first, DAYS)
    at = seen.first + draw(st.integers(0, 8 * 1440)) * MINUTE
    clock = clocks.start(draw(limits), draw(st.sampled_from(DayReading)), at)
    for gap, action in draw(st.lists(st.tuples(minutes, actions), max_size=5)):
        at += gap
        clock = _apply(clock, action, at)
    if draw(st.booleans()):
        clock = clocks.stop(clock, at + draw(minutes))
    return clock, calendar, seen


cases = st.tuples(st.sampled_from(SCENES), st.integers(0, 30 * 86_400), st.integers(0, 90 * 3600))


class TestAccounts:
    @laws
    @given(logs(), minutes)
    def test_elapsed_and_remaining_make_up_the_limit(
        self, log: tuple[Clock, Calendar, naive_clock.Window], later: timedelta
    ) -> None:
        clock, calendar, _ = log
        now = clock.started_at + later
        spent, left = clocks.elapsed(clock, calendar, now), clocks.remaining(clock, calendar, now)
        assert spent >= ZERO
        assert spent + left == clocks.total(clock, calendar)

    @laws
    @given(logs(), minutes, minutes)
    def test_time_never_runs_backwards(
        self, log: tuple[Clock, Calendar, naive_clock.Window], first: timedelta, second: timedelta
    ) -> None:
        clock, calendar, _ = log
        now = clock.started_at + first
        assert ZERO <= clocks.elapsed(clock, calendar, now + second) - clocks.elapsed(clock, calendar, now) <= second

    @laws
    @given(logs())
    def test_the_limit_is_used_up_exactly_when_it_is_due(self, log: tuple[Clock, Calendar, naive_clock.Window]) -> None:
        clock, calendar, _ = log
        due = clocks.due_at(clock, calendar)
        assume(due is not None and clock.stopped_at is None)
        assert due is not None
        assert clocks.remaining(clock, calendar, due) == ZERO
        assert clocks.expired(clock, calendar, due)
        assert not clocks.expired(clock, calendar, due - MINUTE / 60)

    @laws
    @given(logs())
    def test_the_intervals_explained_add_up_to_the_limit(self, log: tuple[Clock, Calendar, naive_clock.Window]) -> None:
        clock, calendar, _ = log
        explanation = explain(clock, calendar, clock.started_at)
        assume(explanation.due_at is not None)
        assert sum(i.seconds for i in explanation.intervals) == explanation.total_seconds
        assert explanation.intervals[-1].end == explanation.due_at


class TestTwoWaysToCompute:
    @laws
    @given(logs(), minutes)
    def test_agree_on_what_has_elapsed(self, log: tuple[Clock, Calendar, naive_clock.Window], later: timedelta) -> None:
        clock, calendar, seen = log
        now = clock.started_at + later
        minutes_ = naive_clock.elapsed(clock, clock.current_limit, seen, now)
        assert clocks.elapsed(clock, calendar, now) == minutes_ * MINUTE

    @laws
    @given(logs())
    def test_agree_on_the_deadline(self, log: tuple[Clock, Calendar, naive_clock.Window]) -> None:
        clock, calendar, seen = log
        naive, due = naive_clock.due_at(clock, clock.current_limit, seen), clocks.due_at(clock, calendar)
        if naive is None:
            assert due is None or due > seen.instant(len(seen.worked) - 1)
        else:
            assert due == naive


class TestPauses:
    @laws
    @given(st.sampled_from(SCENES), limits, st.sampled_from(DayReading), st.integers(0, 20_000))
    def test_outside_working_time_they_change_nothing(
        self, scene: tuple[Calendar, date], limit: Limit, reading: DayReading, offset: int
    ) -> None:
        assume(not limit.continuous)
        calendar, first = scene
        begun = datetime.combine(first, time(7), tzinfo=UTC)
        gap_start = working_time.advance(calendar, begun, offset * MINUTE)
        gap_start = next(end for _, end in working_time.intervals(calendar, gap_start))
        gap_end = working_time.next_working(calendar, gap_start)
        clock = clocks.start(limit, reading, begun)
        paused = clocks.resume(clocks.pause(clock, gap_start), gap_end)
        assert clocks.due_at(paused, calendar) == clocks.due_at(clock, calendar)

    @laws
    @given(logs(), minutes)
    def test_give_back_every_working_minute(
        self, log: tuple[Clock, Calendar, naive_clock.Window], length: timedelta
    ) -> None:
        clock, calendar, _ = log
        assume(clock.stopped_at is None and not clock.paused)
        at = clock.entries[-1].at
        assume(not clocks.expired(clock, calendar, at))
        paused = clocks.resume(clocks.pause(clock, at), at + length)
        before, after = clocks.due_at(clock, calendar), clocks.due_at(paused, calendar)
        assert before is not None
        assert after is not None
        if clock.current_limit.continuous:
            assert after - before == length
        else:
            taken = working_time.between(calendar, at, at + length)
            assert working_time.between(calendar, before, after) == taken


class TestDeadlines:
    @laws
    @given(logs(), limits, limits)
    def test_a_longer_limit_is_never_due_earlier(
        self, log: tuple[Clock, Calendar, naive_clock.Window], one: Limit, other: Limit
    ) -> None:
        clock, calendar, _ = log
        shorter, longer = sorted((one.value, other.value))
        first = clocks.due_at(clock, calendar, limit=Limit(value=shorter, unit=one.unit))
        second = clocks.due_at(clock, calendar, limit=Limit(value=longer, unit=one.unit))
        assert second is None or (first is not None and first <= second)

    @laws
    @given(logs(), st.decimals(0, 1, places=3))
    def test_a_share_is_reached_in_working_time(
        self, log: tuple[Clock, Calendar, naive_clock.Window], share: Decimal
    ) -> None:
        clock, calendar, _ = log
        at = clocks.at_share(clock, calendar, share)
        assume(at is not None and clock.stopped_at is None)
        assert at is not None
        expected = clocks.total(clock, calendar) * float(share)
        assert abs(clocks.elapsed(clock, calendar, at) - expected) <= timedelta(microseconds=1)
        assert clock.current_limit.continuous or _in_or_at_the_end_of_work(calendar, at)

    @laws
    @given(logs(), st.sampled_from([1, 30, 60, 240]))
    def test_a_reminder_before_it_leaves_exactly_that_much(
        self, log: tuple[Clock, Calendar, naive_clock.Window], left: int
    ) -> None:
        clock, calendar, _ = log
        at = clocks.before_due(clock, calendar, left * MINUTE)
        assume(at is not None and clock.stopped_at is None)
        assert at is not None
        assert clocks.remaining(clock, calendar, at) == left * MINUTE
        assert clock.current_limit.continuous or working_time.is_working(calendar, at)


def _in_or_at_the_end_of_work(calendar: Calendar, at: datetime) -> bool:
    return working_time.is_working(calendar, at) or working_time.is_working(calendar, at - MINUTE / 60_000_000)


class TestWorkingTime:
    @laws
    @given(cases)
    def test_what_was_advanced_lies_between(self, case: tuple[tuple[Calendar, date], int, int]) -> None:
        calendar, start, amount = _unpack(case)
        end = working_time.advance(calendar, start, amount)
        assert working_time.between(calendar, start, end) == amount

    @laws
    @given(cases)
    def test_what_was_retreated_lies_between(self, case: tuple[tuple[Calendar, date], int, int]) -> None:
        calendar, end, amount = _unpack(case)
        start = working_time.retreat(calendar, end, amount)
        assert working_time.between(calendar, start, end) == amount

    @laws
    @given(cases)
    def test_retreat_undoes_advance_from_working_time(self, case: tuple[tuple[Calendar, date], int, int]) -> None:
        calendar, at, amount = _unpack(case)
        start = working_time.next_working(calendar, at)
        assume(amount > ZERO)
        assert working_time.retreat(calendar, working_time.advance(calendar, start, amount), amount) == start

    @laws
    @given(cases, st.integers(0, 90 * 3600))
    def test_advances_add_up(self, case: tuple[tuple[Calendar, date], int, int], more: int) -> None:
        calendar, start, amount = _unpack(case)
        extra = timedelta(seconds=more)
        assume(extra > ZERO)
        halfway = working_time.advance(calendar, start, amount)
        assert working_time.advance(calendar, halfway, extra) == working_time.advance(calendar, start, amount + extra)


def _unpack(case: tuple[tuple[Calendar, date], int, int]) -> tuple[Calendar, datetime, timedelta]:
    (calendar, first), offset, amount = case
    return (
        calendar,
        datetime.combine(first, time(0), tzinfo=UTC) + timedelta(seconds=offset),
        timedelta(seconds=amount),
    )


class TestTheNaiveClock:
    @pytest.mark.parametrize(("calendar", "first"), SCENES)
    def test_works_the_same_minutes(self, calendar: Calendar, first: date) -> None:
        seen = naive_clock.window(calendar, first, DAYS)
        end = seen.instant(len(seen.worked))
        assert working_time.between(calendar, seen.first, end) == sum(seen.worked) * MINUTE
