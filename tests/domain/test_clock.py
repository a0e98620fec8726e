"""The clock by example: dates of 2026, computed by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from directory.calendars import default_calendar
from domain import clock as clocks
from domain.clock import Clock, ClockError
from domain.explain import MAX_INTERVALS, deadline, explain
from domain.limits import DayReading, Limit, LimitUnit, parse_unit

CALENDAR = default_calendar()
HOURS, END_OF_DAY = DayReading.HOURS, DayReading.END_OF_DAY


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


def a_limit(value: str, unit: str) -> Limit:
    return Limit(value=Decimal(value), unit=LimitUnit(unit))


def running(start: str, value: str, unit: str, reading: DayReading = HOURS) -> Clock:
    return clocks.start(a_limit(value, unit), reading, shanghai(start))


class TestLimits:
    @pytest.mark.parametrize("text", ["urgent_hour", "urgent_work_hour", "紧急工作时", " URGENT_HOUR "])
    def test_units_are_known_by_all_their_names(self, text: str) -> None:
        assert parse_unit(text) is LimitUnit.URGENT_HOUR

    def test_an_unknown_unit_is_told_the_known_ones(self) -> None:
        with pytest.raises(ValueError, match=r"'fortnight'.*work_day.*工作日"):
            parse_unit("fortnight")

    @pytest.mark.parametrize("value", ["0", "-1", "10000.1", "NaN", "Infinity", "0.0000001"])
    def test_have_sane_values(self, value: str) -> None:
        with pytest.raises(ValidationError):
            a_limit(value, "work_day")

    @pytest.mark.parametrize(("value", "shown"), [("10", "10"), ("1E+1", "10"), ("1.50", "1.5"), ("2.0", "2")])
    def test_are_written_one_way(self, value: str, shown: str) -> None:
        limit = a_limit(value, "work_day")
        assert limit.model_dump(mode="json") == {"value": shown, "unit": "work_day"}
        assert Limit.model_validate_json(limit.model_dump_json()) == limit

    def test_are_described_in_two_languages(self) -> None:
        assert a_limit("2", "work_day").describe("zh") == "2工作日"
        assert a_limit("2", "work_day").describe("en") == "2 work days"
        assert a_limit("1", "urgent_hour").describe("en") == "1 urgent hour"

    def test_multiply(self) -> None:
        assert a_limit("1.5", "work_hour").times(2) == a_limit("3", "work_hour")


class TestDeadlines:
    @pytest.mark.parametrize(
        ("start", "value", "unit", "reading", "due"),
        [
            # Saturday 14 February is worked; the Spring Festival lasts from the 15th to the 23rd.
            ("2026-02-14T09:00", "1", "work_day", HOURS, "2026-02-24T09:00"),
            ("2026-02-14T16:00", "4", "work_hour", HOURS, "2026-02-24T10:00"),
            ("2026-02-14T16:00", "1", "work_day", END_OF_DAY, "2026-02-24T18:00"),
            ("2026-02-13T09:00", "1", "work_day", END_OF_DAY, "2026-02-14T18:00"),
            # Sunday 20 September and Saturday 10 October are worked, 1 to 7 October are not.
            ("2026-09-18T17:00", "2", "work_hour", HOURS, "2026-09-20T09:00"),
            ("2026-09-30T09:00", "5", "work_day", HOURS, "2026-10-13T09:00"),
            ("2026-09-30T09:00", "5", "work_day", END_OF_DAY, "2026-10-13T18:00"),
            ("2026-10-03T12:00", "1", "work_day", END_OF_DAY, "2026-10-08T18:00"),
            # At noon the morning is used up: not at two.
            ("2026-09-21T08:00", "4", "work_hour", HOURS, "2026-09-21T12:00"),
            ("2026-09-21T10:30", "1.5", "work_hour", HOURS, "2026-09-21T12:00"),
            ("2026-09-21T10:31", "1.5", "work_hour", HOURS, "2026-09-21T14:01"),
            # From outside working time.
            ("2026-09-21T03:00", "1", "work_hour", HOURS, "2026-09-21T09:00"),
            ("2026-09-21T13:00", "1", "work_hour", HOURS, "2026-09-21T15:00"),
            # Parts of a day are that share of eight hours, in either reading.
            ("2026-09-21T08:00", "0.5", "work_day", END_OF_DAY, "2026-09-21T12:00"),
            ("2026-09-21T09:00", "1.5", "work_day", END_OF_DAY, "2026-09-23T12:00"),
            # Continuous units run through everything.
            ("2026-09-30T23:30", "3", "urgent_hour", HOURS, "2026-10-01T02:30"),
            ("2026-09-30T23:30", "2", "urgent_day", END_OF_DAY, "2026-10-02T23:30"),
            ("2026-09-30T23:30", "0.5", "natural_day", HOURS, "2026-10-01T11:30"),
        ],
    )
    def test_of_2026(self, start: str, value: str, unit: str, reading: DayReading, due: str) -> None:  # fmt: skip
        assert clocks.due_at(running(start, value, unit, reading), CALENDAR) == shanghai(due)

    def test_another_limit_can_be_asked_of_the_same_log(self) -> None:
        clock = running("2026-09-21T08:00", "5", "work_day")
        assert clocks.due_at(clock, CALENDAR, limit=a_limit("3", "urgent_hour")) == shanghai("2026-09-21T11:00")


class TestTheLog:
    CLOCK = running("2026-09-21T08:00", "1", "work_day")

    def test_refuses_to_go_backwards(self) -> None:
        with pytest.raises(ClockError, match="before the last entry"):
            clocks.pause(self.CLOCK, shanghai("2026-09-21T07:59"))

    def test_refuses_a_second_pause(self) -> None:
        at = shanghai("2026-09-21T09:00")
        with pytest.raises(ClockError, match="paused already"):
            clocks.pause(clocks.pause(self.CLOCK, at), at)

    def test_refuses_to_resume_what_runs(self) -> None:
        with pytest.raises(ClockError, match="not paused"):
            clocks.resume(self.CLOCK, shanghai("2026-09-21T09:00"))

    def test_ends_with_the_stop(self) -> None:
        at = shanghai("2026-09-21T09:00")
        stopped = clocks.stop(clocks.pause(self.CLOCK, at), at)
        assert not stopped.paused
        with pytest.raises(ClockError):
            clocks.resume(stopped, at)
        with pytest.raises(ClockError, match="stopped"):
            clocks.change_limit(stopped, a_limit("2", "work_day"), at)

    def test_needs_time_zones(self) -> None:
        with pytest.raises(ClockError, match="time zone"):
            clocks.stop(self.CLOCK, datetime(2026, 9, 21, 9))  # noqa: DTZ001 - that is the fault

    def test_keeps_the_last_of_several_calendars(self) -> None:
        clock = self.CLOCK
        for version in (2, 3, 4):
            clock = clocks.change_calendar(clock, version, shanghai("2026-09-21T09:00"))
        assert [entry.calendar_version for entry in clock.entries] == [None, 4]

    def test_survives_json(self) -> None:
        clock = clocks.pause(self.CLOCK, shanghai("2026-09-21T09:00"))
        again = Clock.model_validate_json(clock.model_dump_json())
        assert again == clock
        assert again.started_at.tzinfo is UTC


class TestPauses:
    PAUSED = clocks.pause(running("2026-09-21T08:00", "4", "work_hour"), shanghai("2026-09-21T10:00"))

    def test_without_a_date_there_is_no_deadline(self) -> None:
        assert clocks.due_at(self.PAUSED, CALENDAR) is None
        assert not clocks.expired(self.PAUSED, CALENDAR, shanghai("2027-09-21T10:00"))

    def test_with_a_date_the_deadline_is_foreseen(self) -> None:
        resume_at = shanghai("2026-09-22T17:00")
        assert clocks.due_at(self.PAUSED, CALENDAR, resume_at=resume_at) == shanghai("2026-09-23T09:00")
        resumed = clocks.resume(self.PAUSED, resume_at)
        assert clocks.due_at(resumed, CALENDAR) == shanghai("2026-09-23T09:00")

    def test_a_deadline_that_came_first_stands(self) -> None:
        late = clocks.pause(running("2026-09-21T08:00", "4", "work_hour"), shanghai("2026-09-21T13:00"))
        assert clocks.due_at(late, CALENDAR) == shanghai("2026-09-21T12:00")

    def test_a_work_day_paused_gives_back_its_minutes(self) -> None:
        clock = running("2026-09-21T08:00", "1", "work_day", END_OF_DAY)
        paused = clocks.resume(clocks.pause(clock, shanghai("2026-09-22T10:00")), shanghai("2026-09-22T11:00"))
        assert clocks.due_at(paused, CALENDAR) == shanghai("2026-09-23T09:00")


class TestLimitChanges:
    def test_the_last_one_counts_from_the_start(self) -> None:
        clock = running("2026-09-21T08:00", "4", "work_hour")
        for value in ("8", "12"):
            clock = clocks.change_limit(clock, a_limit(value, "work_hour"), shanghai("2026-09-21T09:00"))
        assert clock.current_limit == a_limit("12", "work_hour")
        assert clocks.due_at(clock, CALENDAR) == shanghai("2026-09-22T12:00")

    def test_another_unit_recounts_what_has_elapsed(self) -> None:
        clock = running("2026-09-30T16:00", "1", "work_day")
        clock = clocks.change_limit(clock, a_limit("3", "urgent_day"), shanghai("2026-10-01T16:00"))
        assert clocks.elapsed(clock, CALENDAR, shanghai("2026-10-01T16:00")) == timedelta(days=1)


class TestStopped:
    CLOCK = running("2026-09-21T08:00", "4", "work_hour")

    def test_it_stands_still(self) -> None:
        stopped = clocks.stop(self.CLOCK, shanghai("2026-09-21T10:00"))
        assert clocks.elapsed(stopped, CALENDAR, shanghai("2026-12-01T10:00")) == timedelta(hours=2)
        assert clocks.remaining(stopped, CALENDAR, shanghai("2026-12-01T10:00")) == timedelta(hours=2)
        assert clocks.due_at(stopped, CALENDAR) == shanghai("2026-09-21T12:00")

    def test_over_time_it_remembers_by_how_much(self) -> None:
        stopped = clocks.stop(self.CLOCK, shanghai("2026-09-21T15:00"))
        assert clocks.remaining(stopped, CALENDAR, shanghai("2026-12-01T10:00")) == timedelta(hours=-1)
        assert clocks.expired(stopped, CALENDAR, shanghai("2026-12-01T10:00"))


class TestAlarms:
    CLOCK = running("2026-09-30T09:00", "2", "work_day")  # due 9 October 09:00

    @pytest.mark.parametrize(
        ("share", "at"),
        [
            ("0", "2026-09-30T09:00"),
            ("0.5", "2026-10-08T09:00"),
            ("0.8", "2026-10-08T15:48"),
            ("1", "2026-10-09T09:00"),
        ],
    )
    def test_a_share_is_counted_in_working_time(self, share: str, at: str) -> None:
        assert clocks.at_share(self.CLOCK, CALENDAR, Decimal(share)) == shanghai(at)

    def test_a_share_of_nothing_waits_for_work_to_begin(self) -> None:
        night = running("2026-10-01T03:00", "1", "work_day")
        assert clocks.at_share(night, CALENDAR, Decimal(0)) == shanghai("2026-10-08T08:00")

    @pytest.mark.parametrize(
        ("value", "unit", "at"),
        [
            ("1", "work_hour", "2026-10-09T10:00"),
            ("1", "work_day", "2026-10-10T09:00"),
            ("1", "natural_day", "2026-10-10T09:00"),
            ("3", "work_day", "2026-10-13T09:00"),
            ("3", "urgent_day", "2026-10-12T09:00"),
        ],
    )
    def test_lateness_is_counted_in_its_own_unit(self, value: str, unit: str, at: str) -> None:
        assert clocks.past_due(self.CLOCK, CALENDAR, a_limit(value, unit)) == shanghai(at)

    def test_lateness_does_not_grow_during_a_pause(self) -> None:
        clock = clocks.pause(self.CLOCK, shanghai("2026-10-09T09:30"))
        clock = clocks.resume(clock, shanghai("2026-10-09T10:30"))
        assert clocks.past_due(clock, CALENDAR, a_limit("1", "work_hour")) == shanghai("2026-10-09T11:00")

    def test_an_interval_runs_without_a_clock(self) -> None:
        at = shanghai("2026-09-30T17:00")
        assert clocks.after(CALENDAR, at, a_limit("2", "work_hour")) == shanghai("2026-10-08T09:00")
        assert clocks.after(CALENDAR, at, a_limit("2", "urgent_hour")) == shanghai("2026-09-30T19:00")

    def test_a_reminder_may_be_given_in_another_unit(self) -> None:
        assert clocks.before_due(self.CLOCK, CALENDAR, a_limit("12", "urgent_hour")) == shanghai("2026-10-08T21:00")

    def test_a_reminder_from_before_the_start_does_not_exist(self) -> None:
        assert clocks.before_due(self.CLOCK, CALENDAR, a_limit("3", "work_day")) is None


class TestExplanation:
    def test_lists_what_was_counted(self) -> None:
        explanation = deadline(CALENDAR, shanghai("2026-09-30T16:00"), a_limit("5", "work_hour"))
        assert [(i.start, i.end, i.seconds) for i in explanation.intervals] == [
            (shanghai("2026-09-30T16:00"), shanghai("2026-09-30T18:00"), 7200),
            (shanghai("2026-10-08T08:00"), shanghai("2026-10-08T11:00"), 10800),
        ]
        assert explanation.due_at == shanghai("2026-10-08T11:00")

    def test_tells_times_in_the_zone_of_the_calendar(self) -> None:
        explanation = deadline(CALENDAR, datetime(2026, 9, 30, 8, tzinfo=UTC), a_limit("5", "work_hour"))
        assert '"started_at":"2026-09-30T16:00:00+08:00"' in explanation.model_dump_json()

    def test_lists_pauses_and_changes(self) -> None:
        clock = running("2026-09-21T08:00", "4", "work_hour")
        clock = clocks.resume(clocks.pause(clock, shanghai("2026-09-21T09:00")), shanghai("2026-09-21T10:00"))
        clock = clocks.change_limit(clock, a_limit("8", "work_hour"), shanghai("2026-09-21T11:00"))
        clock = clocks.change_calendar(clock, 2, shanghai("2026-09-21T11:00"))
        clock = clocks.pause(clock, shanghai("2026-09-21T12:00"))
        explanation = explain(clock, CALENDAR, shanghai("2026-09-22T09:00"))
        assert [pause.end for pause in explanation.pauses] == [shanghai("2026-09-21T10:00"), None]
        assert [change.limit.value for change in explanation.limit_changes] == [8]
        assert [change.version for change in explanation.calendar_changes] == [2]
        assert (explanation.due_at, explanation.remaining_seconds) == (None, 5 * 3600)

    def test_says_when_it_leaves_something_out(self) -> None:
        explanation = deadline(CALENDAR, shanghai("2026-09-30T16:00"), a_limit("1000", "work_day"))
        assert explanation.truncated
        assert len(explanation.intervals) == MAX_INTERVALS
