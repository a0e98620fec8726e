"""When the scenarios happen, and by which calendars: today's where it is known, assumed ones where nobody can know.

A case's time can only be moved forwards, so everything here lies after the present instant.
"""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from directory.calendars import default_calendar
from domain.calendar import Calendar
from domain.words import Words

_DAY = timedelta(days=1)
_OPENED = "09:10"


class Diary(NamedTuple):
    """Instants named by the n-th working day after the first and the local time of that day."""

    calendar: Calendar
    first: date

    @property
    def opened(self) -> datetime:
        return self.at(0, _OPENED)

    def day(self, n: int) -> date:
        day = self.first
        for _ in range(n):
            day = working_day(self.calendar, day + _DAY)
        return day

    def at(self, n: int, clock: str) -> datetime:
        return datetime.combine(self.day(n), time.fromisoformat(clock), tzinfo=self.calendar.tz)


def working_day(calendar: Calendar, day: date) -> date:
    """This day, or the next one that is worked."""
    while not calendar.is_working_day(day):
        day += _DAY
    return day


def next_morning(now: datetime) -> Diary:
    calendar = default_calendar()
    return Diary(calendar, working_day(calendar, now.astimezone(calendar.tz).date() + _DAY))


def next_date(now: datetime, month: int, day: int) -> date:
    """The next time this date comes, tomorrow at the earliest."""
    today = now.astimezone(default_calendar().tz).date()
    this_year = date(today.year, month, day)
    return this_year if this_year > today else date(today.year + 1, month, day)


def with_national_day(year: int) -> tuple[Calendar, Words]:
    calendar = default_calendar()
    if calendar.official_through.year >= year:
        return calendar, ("按已公布的放假安排", "by the published holiday table")
    week = tuple(date(year, 10, 1) + n * _DAY for n in range(7))
    remark = (
        f"演示日历：{year} 年放假安排尚未公布，假定 10 月 1 日至 7 日放假",
        f"A demonstration calendar: the table of {year} is not out yet; 1 to 7 October are assumed to be off",
    )
    changed = {
        "id": "demo-national-day",
        "holidays": (*calendar.holidays, *week),
        "official_through": date(year, 12, 31),
    }
    return calendar.model_copy(update=changed), remark


def versions(year: int) -> tuple[Calendar, Calendar]:
    calendar, end = default_calendar(), date(year, 12, 31)
    known = {
        "holidays": tuple(day for day in calendar.holidays if day <= end),
        "make_up_workdays": tuple(day for day in calendar.make_up_workdays if day <= end),
    }
    before = calendar.model_copy(update={**known, "id": "demo-new-year", "official_through": end})
    new_year = working_day(before, end + _DAY)
    following = {"version": 2, "holidays": (*before.holidays, new_year), "official_through": date(year + 1, 12, 31)}
    return before, before.model_copy(update=following)
