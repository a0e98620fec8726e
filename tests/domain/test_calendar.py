"""Calendars: what they accept, what the official one says, how they read from files, and time counted over them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from directory.calendars import default_calendar, dump_calendar, parse_calendar, snapshot
from domain import working_time
from domain.calendar import Calendar, Period, Season

SPLIT = ["08:00-12:00", "14:00-18:00"]
WEEK: list[list[str]] = [SPLIT] * 5 + [[], []]


def a_calendar(**changes: object) -> Calendar:
    data = {
        "id": "test",
        "zone": "Asia/Shanghai",
        "seasons": [{"weekdays": WEEK}],
        "official_through": "2026-12-31",
    }
    return Calendar.model_validate(data | changes)


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


class TestPeriod:
    def test_is_written_as_people_write_it(self) -> None:
        assert Period.model_validate("08:00 - 12:00") == Period(start=time(8), end=time(12))
        assert Period(start=time(14), end=time(18)).model_dump_json() == '"14:00-18:00"'

    def test_may_end_at_midnight(self) -> None:
        night = Period.model_validate("22:00-24:00")
        assert night.end == time(0)
        assert str(night) == "22:00-24:00"

    @pytest.mark.parametrize("text", ["12:00-08:00", "08:00-08:00", "08:00", "08:00:30-09:00", "25:00-26:00", ""])
    def test_refuses_what_is_no_period(self, text: str) -> None:
        with pytest.raises(ValidationError):
            Period.model_validate(text)


class TestCalendar:
    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({"zone": "Mars/Olympus"}, "unknown time zone"),
            ({"seasons": []}, "at least 1 item"),
            ({"seasons": [{"weekdays": [[]] * 7}]}, "no working time"),
            ({"seasons": [{"weekdays": WEEK[:6]}]}, "Field required"),
            ({"seasons": [{"weekdays": WEEK}, {"weekdays": WEEK}]}, "same day"),
            ({"seasons": [{"from_": "02-30", "weekdays": WEEK}]}, "day is out of range"),
            ({"seasons": [{"weekdays": [["08:00-12:00", "11:00-13:00"]] * 7}]}, "overlap"),
            ({"seasons": [{"weekdays": [["20:00-24:00", "21:00-22:00"]] * 7}]}, "overlap"),
            ({"holidays": ["2026-10-01"], "make_up_workdays": ["2026-10-01"]}, "2026-10-01 is listed as a holiday"),
        ],
    )
    def test_refuses_what_contradicts_itself(self, changes: dict[str, Any], complaint: str) -> None:
        with pytest.raises(ValidationError, match=complaint):
            a_calendar(**changes)

    def test_survives_json(self) -> None:
        calendar = default_calendar()
        assert Calendar.model_validate_json(calendar.model_dump_json()) == calendar

    def test_ignores_fields_of_a_later_release(self) -> None:
        data = a_calendar().model_dump(mode="json")
        assert Calendar.model_validate(data | {"from_the_future": 1}) == a_calendar()

    def test_a_make_up_workday_follows_the_first_working_weekday(self) -> None:
        week = [[], ["09:00-17:00"], SPLIT, SPLIT, SPLIT, SPLIT, []]
        calendar = a_calendar(seasons=[{"weekdays": week}], make_up_workdays=["2026-09-20"])
        assert [str(period) for period in calendar.periods(date(2026, 9, 20))] == ["09:00-17:00"]


class TestSeasons:
    CALENDAR = a_calendar(
        seasons=[
            {"from_": "10-01", "weekdays": [["09:00-17:00"]] * 7},
            {"from_": "05-01", "weekdays": [["08:00-18:00"]] * 7},
        ]
    )

    @pytest.mark.parametrize(
        ("day", "period"),
        [
            ("2026-04-30", "09:00-17:00"),
            ("2026-05-01", "08:00-18:00"),
            ("2026-09-30", "08:00-18:00"),
            ("2026-10-01", "09:00-17:00"),
            ("2027-01-01", "09:00-17:00"),
        ],
    )
    def test_the_latest_begun_is_in_force_round_the_year(self, day: str, period: str) -> None:
        assert [str(p) for p in self.CALENDAR.periods(date.fromisoformat(day))] == [period]

    def test_one_may_begin_on_a_leap_day(self) -> None:
        winter, spring = Season(weekdays=((),) * 6 + ((Period.model_validate("08:00-09:00"),),)), "02-29"
        calendar = a_calendar(seasons=[winter, winter.model_copy(update={"from_": spring})])
        assert calendar.season(date(2026, 2, 28)).from_ == "01-01"
        assert calendar.season(date(2026, 3, 1)).from_ == spring
        assert calendar.season(date(2028, 2, 29)).from_ == spring


class TestTheOfficialCalendar:
    def test_2026_has_248_working_days(self) -> None:
        days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
        assert sum(map(default_calendar().is_working_day, days)) == 248

    def test_2026_differs_from_the_week_on_25_days(self) -> None:
        calendar = default_calendar()
        days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
        assert sum(calendar.periods(day) != calendar.regular(day) for day in days) == 25

    @pytest.mark.parametrize(
        "day", ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"]
    )
    def test_make_up_days_are_worked(self, day: str) -> None:
        assert default_calendar().is_working_day(date.fromisoformat(day))

    @pytest.mark.parametrize(
        "day", ["2026-01-02", "2026-02-23", "2026-04-06", "2026-06-19", "2026-09-25", "2026-10-07"]
    )
    def test_holidays_are_not(self, day: str) -> None:
        assert not default_calendar().is_working_day(date.fromisoformat(day))

    def test_ends_with_the_last_published_year(self) -> None:
        assert default_calendar().official_through >= date(2026, 12, 31)

    def test_beyond_its_years_the_week_alone_decides(self) -> None:
        calendar = default_calendar()
        assert calendar.is_working_day(date(1999, 10, 1))
        assert calendar.is_working_day(date(2099, 10, 1))


class TestSnapshot:
    OPENED = shanghai("2026-02-14T09:00")

    def test_is_small_enough_for_every_history(self) -> None:
        assert len(snapshot(default_calendar(), self.OPENED).model_dump_json()) < 1200

    def test_keeps_what_the_case_can_meet(self) -> None:
        cut, whole = snapshot(default_calendar(), self.OPENED), default_calendar()
        days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
        assert all(cut.periods(day) == whole.periods(day) for day in days)
        assert min(cut.holidays) >= date(2025, 12, 1)

    def test_is_shared_by_the_cases_of_a_month(self) -> None:
        other = shanghai("2026-02-12T23:00")
        assert snapshot(default_calendar(), self.OPENED) == snapshot(default_calendar(), other - timedelta(days=1))


class TestCalendarFiles:
    TEXT = """
        id = "yanan"
        version = 3
        zone = "Asia/Shanghai"
        official_through = 2026-12-31
        holidays = ["2026-10-01..2026-10-03", 2026-01-01]
        make_up_workdays = [2026-10-10]
        [[seasons]]
        from = "05-01"
        [seasons.weekdays]
        mon-fri = ["08:00-12:00", "14:30-18:30"]
        [[seasons]]
        from = "10-01"
        [seasons.weekdays]
        mon-thu = ["08:00-12:00"]
        sun = ["20:00-24:00"]
    """

    def test_say_everything_a_calendar_is(self) -> None:
        calendar = parse_calendar(self.TEXT)
        assert (calendar.id, calendar.version) == ("yanan", 3)
        assert calendar.holidays == (date(2026, 1, 1), date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 3))
        assert [str(p) for p in calendar.periods(date(2026, 10, 11))] == ["20:00-24:00"]
        assert calendar.periods(date(2026, 10, 9)) == ()

    def test_may_leave_the_seasons_out(self) -> None:
        text = 'id = "x"\nzone = "UTC"\nofficial_through = 2026-12-31\n[weekdays]\nmon-sun = ["00:00-24:00"]'
        assert parse_calendar(text).is_working_day(date(2026, 10, 4))

    @pytest.mark.parametrize("calendar", [default_calendar(), parse_calendar(TEXT)])
    def test_survive_writing_and_reading(self, calendar: Calendar) -> None:
        assert parse_calendar(dump_calendar(calendar)) == calendar
        assert parse_calendar(calendar.model_dump_json()) == calendar

    @pytest.mark.parametrize(
        ("old", "new", "complaint"),
        [
            ('id = "yanan"', "", "^id: "),
            ("Asia/Shanghai", "Asia/Atlantis", "^zone: unknown time zone"),
            ("official_through = 2026-12-31", "", "^official_through: "),
            ("2026-10-03", "2026-10-33", "^holidays: "),
            ("mon-fri", "mon-fry", "^weekdays.mon-fry: "),
            ("18:30", "13:30", "^weekdays.0.1: "),
            ('from = "05-01"', 'from = "5-1"', "^from: "),
            ("holidays", "hollidays", "^hollidays: unknown key"),
            ("[[seasons]]", "[seasons]", "not a TOML file"),
            ("2026-10-10", "2026-10-02", "^make_up_workdays: 2026-10-02"),
        ],
    )
    def test_name_the_key_at_fault(self, old: str, new: str, complaint: str) -> None:
        with pytest.raises(ValueError, match=complaint):
            parse_calendar(self.TEXT.replace(old, new))


class TestWorkingTime:
    CALENDAR = default_calendar()

    def test_a_morning_used_up_ends_at_noon(self) -> None:
        end = working_time.advance(self.CALENDAR, shanghai("2026-09-21T08:00"), timedelta(hours=4))
        assert end == shanghai("2026-09-21T12:00")

    def test_stepping_back_an_afternoon_stops_at_its_start(self) -> None:
        start = working_time.retreat(self.CALENDAR, shanghai("2026-09-21T18:00"), timedelta(hours=4))
        assert start == shanghai("2026-09-21T14:00")

    def test_nothing_to_count_moves_nothing(self) -> None:
        lunch = shanghai("2026-09-21T13:00")
        assert working_time.advance(self.CALENDAR, lunch, timedelta(0)) == lunch
        assert working_time.retreat(self.CALENDAR, lunch, timedelta(0)) == lunch

    def test_between_is_signed(self) -> None:
        a, b = shanghai("2026-09-30T17:00"), shanghai("2026-10-08T09:00")
        assert working_time.between(self.CALENDAR, a, b) == timedelta(hours=2)
        assert working_time.between(self.CALENDAR, b, a) == timedelta(hours=-2)

    def test_results_are_utc(self) -> None:
        at = working_time.advance(self.CALENDAR, shanghai("2026-09-21T08:00"), timedelta(hours=1))
        assert at.tzinfo is UTC

    @pytest.mark.parametrize(
        ("at", "working", "following"),
        [
            ("2026-09-21T08:00", True, "2026-09-21T08:00"),
            ("2026-09-21T12:00", False, "2026-09-21T14:00"),
            ("2026-09-30T18:00", False, "2026-10-08T08:00"),
            ("2026-02-14T10:00", True, "2026-02-14T10:00"),
        ],
    )
    def test_working_time_includes_its_start_and_not_its_end(self, at: str, working: bool, following: str) -> None:  # noqa: FBT001 - parametrised
        assert working_time.is_working(self.CALENDAR, shanghai(at)) is working
        assert working_time.next_working(self.CALENDAR, shanghai(at)) == shanghai(following)

    def test_a_working_day_has_an_end_and_a_holiday_none(self) -> None:
        end = working_time.end_of_working_day(self.CALENDAR, date(2026, 9, 20))
        assert end == shanghai("2026-09-20T18:00")
        assert working_time.end_of_working_day(self.CALENDAR, date(2026, 10, 1)) is None

    def test_crosses_years(self) -> None:
        start = shanghai("2026-12-31T17:00")
        end = working_time.advance(self.CALENDAR, start, timedelta(hours=8 * 600))
        assert working_time.between(self.CALENDAR, start, end) == timedelta(hours=8 * 600)
        assert working_time.retreat(self.CALENDAR, end, timedelta(hours=8 * 600)) == start

    def test_runs_out_with_the_years(self) -> None:
        with pytest.raises(ValueError, match="out of range"):
            working_time.advance(self.CALENDAR, shanghai("9998-12-01T08:00"), timedelta(days=100))
