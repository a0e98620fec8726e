"""Ten faults that comparable systems have had. Here: those of the clock alone."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from directory.calendars import default_calendar
from domain import clock as clocks
from domain import working_time
from domain.calendar import Calendar
from domain.clock import Clock
from domain.limits import DayReading, Limit, LimitUnit

CALENDAR = default_calendar()


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


def running(start: str, value: str, unit: LimitUnit = LimitUnit.WORK_HOUR) -> Clock:
    return clocks.start(Limit(value=Decimal(value), unit=unit), DayReading.HOURS, shanghai(start))


class TestPauseOverlappingNonWorkingTime:
    def test_only_its_working_part_is_given_back(self) -> None:
        clock = running("2026-09-21T08:00", "8")
        clock = clocks.pause(clock, shanghai("2026-09-21T17:00"))
        clock = clocks.resume(clock, shanghai("2026-09-22T09:00"))
        assert clocks.due_at(clock, CALENDAR) == shanghai("2026-09-22T10:00")

    def test_a_pause_over_a_holiday_alone_gives_back_nothing(self) -> None:
        clock = running("2026-09-30T16:00", "4")
        paused = clocks.pause(clock, shanghai("2026-09-30T18:00"))
        paused = clocks.resume(paused, shanghai("2026-10-08T08:00"))
        assert clocks.due_at(paused, CALENDAR) == clocks.due_at(clock, CALENDAR) == shanghai("2026-10-08T10:00")


class TestLimitChangedWhilePaused:
    def test_the_new_limit_counts_from_the_first_start(self) -> None:
        clock = clocks.pause(running("2026-09-21T08:00", "4"), shanghai("2026-09-21T10:00"))
        clock = clocks.change_limit(
            clock, Limit(value=Decimal(8), unit=LimitUnit.WORK_HOUR), shanghai("2026-09-21T11:00")
        )
        assert clocks.remaining(clock, CALENDAR, shanghai("2026-09-25T10:00")) == timedelta(hours=6)
        resumed = clocks.resume(clock, shanghai("2026-09-22T08:00"))
        assert clocks.due_at(resumed, CALENDAR) == shanghai("2026-09-22T16:00")

    def test_it_does_not_start_the_clock(self) -> None:
        clock = clocks.pause(running("2026-09-21T08:00", "4"), shanghai("2026-09-21T10:00"))
        clock = clocks.change_limit(
            clock, Limit(value=Decimal(8), unit=LimitUnit.WORK_HOUR), shanghai("2026-09-21T11:00")
        )
        assert clock.paused
        assert clocks.due_at(clock, CALENDAR) is None


class TestReminderComputedBackwardsOverAGap:
    def test_steps_over_the_night_and_the_holiday(self) -> None:
        clock = running("2026-09-29T09:00", "24")
        assert clocks.due_at(clock, CALENDAR) == shanghai("2026-10-09T09:00")
        reminder = clocks.before_due(clock, CALENDAR, timedelta(hours=10))
        assert reminder == shanghai("2026-09-30T17:00")

    def test_steps_over_a_pause(self) -> None:
        clock = clocks.pause(running("2026-09-21T08:00", "8"), shanghai("2026-09-21T12:00"))
        clock = clocks.resume(clock, shanghai("2026-09-23T14:00"))
        assert clocks.due_at(clock, CALENDAR) == shanghai("2026-09-23T18:00")
        assert clocks.before_due(clock, CALENDAR, timedelta(hours=5)) == shanghai("2026-09-21T11:00")


class TestCalendarEditedWhileRunning:
    def test_the_new_table_holds_for_the_whole_log(self) -> None:
        old = CALENDAR.model_copy(update={"holidays": (), "make_up_workdays": ()})
        clock = running("2026-09-30T09:00", "8")
        assert clocks.due_at(clock, old) == shanghai("2026-10-01T09:00")
        clock = clocks.change_calendar(clock, 2, shanghai("2026-09-30T10:00"))
        assert clocks.due_at(clock, CALENDAR) == shanghai("2026-10-08T09:00")

    def test_nothing_computed_for_the_old_one_lingers(self) -> None:
        clock = running("2026-11-02T09:00", "8")
        for holiday in (date(2026, 11, 2), date(2026, 11, 3)):
            edited = CALENDAR.model_copy(update={"holidays": (holiday,)})
            fresh = edited.model_copy(update={"id": "never seen before"})
            assert clocks.due_at(clock, edited) == clocks.due_at(clock, fresh)
        assert clocks.due_at(clock, CALENDAR) == shanghai("2026-11-03T09:00")


class TestDaylightSavingChange:
    NEW_YORK = Calendar.model_validate(
        {
            "id": "ny",
            "zone": "America/New_York",
            "seasons": [{"weekdays": [["00:00-06:00"]] * 7}],
            "official_through": "2026-12-31",
        }
    )

    @pytest.mark.parametrize(
        ("midnight", "hours"),
        [("2026-03-07T00:00-05:00", 6), ("2026-03-08T00:00-05:00", 5), ("2026-11-01T00:00-04:00", 7)],
    )
    def test_a_night_lasts_as_long_as_it_lasts(self, midnight: str, hours: int) -> None:
        start = datetime.fromisoformat(midnight)
        worked = working_time.between(self.NEW_YORK, start, start + timedelta(hours=12))
        assert worked == timedelta(hours=hours)

    def test_a_day_of_a_continuous_limit_has_24_hours(self) -> None:
        start = datetime.fromisoformat("2026-03-07T12:00-05:00")
        clock = clocks.start(Limit(value=Decimal(1), unit=LimitUnit.NATURAL_DAY), DayReading.HOURS, start)
        assert clocks.due_at(clock, self.NEW_YORK) == datetime.fromisoformat("2026-03-08T13:00-04:00")

    def test_work_that_would_begin_in_the_missing_hour_begins_after_it(self) -> None:
        season = {"weekdays": [["02:30-05:00"]] * 7}
        calendar = Calendar.model_validate(self.NEW_YORK.model_dump() | {"seasons": [season]})
        at = working_time.next_working(calendar, datetime.fromisoformat("2026-03-08T00:00-05:00"))
        assert at == datetime.fromisoformat("2026-03-08T03:00-04:00")

    def test_the_repeated_hour_is_told_apart_within_one_zone(self) -> None:
        first = datetime(2026, 11, 1, 1, 40, tzinfo=self.NEW_YORK.tz)
        second = datetime(2026, 11, 1, 1, 20, tzinfo=self.NEW_YORK.tz, fold=1)
        assert working_time.between(self.NEW_YORK, first, second) == timedelta(minutes=40)


class TestAYearWithoutHolidayData:
    def test_a_deadline_in_it_is_provisional(self) -> None:
        clock = running("2026-12-30T09:00", "5", LimitUnit.WORK_DAY)
        assert clocks.due_at(clock, CALENDAR) == shanghai("2027-01-06T09:00")
        assert clocks.provisional(clock, CALENDAR)

    def test_a_deadline_on_the_last_official_day_is_not(self) -> None:
        clock = running("2026-12-31T08:00", "1", LimitUnit.WORK_DAY)
        assert clocks.due_at(clock, CALENDAR) == shanghai("2026-12-31T18:00")
        assert not clocks.provisional(clock, CALENDAR)

    def test_a_continuous_limit_needs_no_holidays(self) -> None:
        assert not clocks.provisional(running("2026-12-30T09:00", "9", LimitUnit.NATURAL_DAY), CALENDAR)
