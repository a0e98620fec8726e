"""A year becomes official by what a notice says of it, and by nothing else."""

from datetime import date, timedelta

import pytest

from directory.calendars import (
    Year,
    calendar_table,
    default_calendar,
    make_official,
    official_year,
    parse_year,
    read_calendar,
)
from domain.calendar import Calendar

CALENDAR = default_calendar()
NEW_YEAR = Year(2027, (date(2027, 1, 1),), (date(2027, 1, 9),))


def before(year: int) -> Calendar:
    """The default calendar as it stood before that year was known."""
    return CALENDAR.model_copy(
        update={
            "holidays": tuple(day for day in CALENDAR.holidays if day.year < year),
            "make_up_workdays": tuple(day for day in CALENDAR.make_up_workdays if day.year < year),
            "official_through": date(year - 1, 12, 31),
        }
    )


class TestFromThePackage:
    @pytest.mark.parametrize("year", [2024, 2025, 2026])
    def test_a_year_is_what_the_default_calendar_has(self, year: int) -> None:
        made = make_official(before(year), official_year(year))
        assert made == before(year + 1).model_copy(update={"version": 2})

    def test_a_year_that_it_does_not_know_is_not_made_up(self) -> None:
        unknown = CALENDAR.official_through.year + 1
        with pytest.raises(LookupError, match=f"not {unknown}"):
            official_year(unknown)


class TestFromANotice:
    def test_the_year_is_official_to_its_end(self) -> None:
        made = make_official(CALENDAR, NEW_YEAR)
        assert (made.version, made.official_through) == (CALENDAR.version + 1, date(2027, 12, 31))
        assert not made.is_working_day(date(2027, 1, 1))
        assert made.is_working_day(date(2027, 1, 9))

    def test_told_anew_it_replaces_what_was_said_of_that_year_alone(self) -> None:
        first = make_official(CALENDAR, NEW_YEAR)
        again = make_official(first, Year(2027, (date(2027, 1, 4),), ()))
        assert [day for day in again.holidays if day.year == 2027] == [date(2027, 1, 4)]
        assert [day for day in again.make_up_workdays if day.year == 2027] == []
        assert again.since(date(2004, 1, 1)).holidays[: len(CALENDAR.holidays)] == CALENDAR.holidays
        earlier = make_official(first, Year(2026, (date(2026, 1, 1),), ()))
        assert earlier.official_through == date(2027, 12, 31)

    def test_new_years_holiday_may_begin_in_the_old_year(self) -> None:
        notice = Year(2027, (date(2026, 12, 31), date(2027, 1, 1)), (date(2026, 12, 27),))
        made = make_official(CALENDAR, notice)
        assert not made.is_working_day(date(2026, 12, 31))
        assert made.is_working_day(date(2026, 12, 27))

    def test_a_gap_is_refused(self) -> None:
        with pytest.raises(ValueError, match="2027 is not official yet"):
            make_official(CALENDAR, Year(2028, (date(2028, 1, 3),), ()))

    @pytest.mark.parametrize("day", [date(2026, 12, 24), date(2028, 1, 1)])
    def test_days_of_other_years_are_refused(self, day: date) -> None:
        with pytest.raises(ValueError, match="does not belong to 2027"):
            make_official(CALENDAR, Year(2027, (day,), ()))

    def test_a_day_cannot_be_both(self) -> None:
        day = date(2026, 12, 31)
        worked = CALENDAR.model_copy(update={"make_up_workdays": (day,)})
        with pytest.raises(ValueError, match="2026-12-31"):
            make_official(worked, Year(2027, (day,), ()))

    def test_days_that_change_nothing_are_left_out(self) -> None:
        saturday = date(2027, 1, 2)
        made = make_official(CALENDAR, Year(2027, (date(2027, 1, 1), saturday), (date(2027, 1, 4),)))
        assert saturday not in made.holidays
        assert date(2027, 1, 4) not in made.make_up_workdays
        assert not made.is_working_day(saturday)


class TestAFile:
    def test_holds_days_and_ranges(self) -> None:
        text = 'holidays = ["2027-01-01..2027-01-03"]\nmake_up_workdays = [2027-01-09]'
        assert parse_year(text, 2027).holidays == tuple(date(2027, 1, 1) + n * timedelta(days=1) for n in range(3))

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("make_up_workdays = [2027-01-09]", "holidays: those of 2027 are missing"),
            ("holidays = [2027-01-01]\nzone = 'Asia/Shanghai'", "zone: unknown key in the year 2027"),
            ("holidays = 2027-01-01", "a list of dates"),
            ("holidays", "not a TOML file"),
        ],
    )
    def test_that_says_something_else_is_refused(self, text: str, complaint: str) -> None:
        with pytest.raises(ValueError, match=complaint):
            parse_year(text, 2027)

    def test_of_a_whole_calendar_says_the_same_as_a_table(self) -> None:
        assert read_calendar(calendar_table(CALENDAR)) == CALENDAR
