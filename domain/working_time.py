"""Elapsed working time over a calendar: how much lies between two instants, and where an amount of it ends.

Everything rests on one increasing function, the working time since the year began, kept as sorted tables per
calendar and local year. Instants are timezone-aware, results are UTC, durations are real time: an hour that
the clocks skip does not count, an hour that they repeat counts twice. Knows no limits and no clocks.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from functools import lru_cache

from domain.calendar import MIDNIGHT, Calendar

Interval = tuple[datetime, datetime]
ZERO = timedelta(0)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class WorkingYear:
    """One local year. `before[i]` and `after[i]` are its working time up to `starts[i]` and `ends[i]`."""

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    before: tuple[timedelta, ...]
    after: tuple[timedelta, ...]
    days: tuple[date, ...]
    day_ends: tuple[datetime, ...]

    @property
    def total(self) -> timedelta:
        return self.after[-1] if self.after else ZERO

    def position(self, at: datetime) -> timedelta:
        """Working time from the beginning of the year to `at`."""
        i = bisect_right(self.starts, at) - 1
        return ZERO if i < 0 else self.before[i] + min(at, self.ends[i]) - self.starts[i]

    def first_at(self, position: timedelta) -> datetime:
        """The earliest instant with this (positive) position: a morning's end, not an afternoon's start."""
        i = bisect_left(self.after, position)
        return self.ends[i] - (self.after[i] - position)

    def last_at(self, position: timedelta) -> datetime:
        """The latest instant with this position (below `total`): an afternoon's start, no morning's end."""
        i = bisect_right(self.before, position) - 1
        return self.starts[i] + (position - self.before[i])


def between(calendar: Calendar, a: datetime, b: datetime) -> timedelta:
    """Working time from `a` to `b`; negative if `b` is the earlier one."""
    a, b = a.astimezone(UTC), b.astimezone(UTC)  # within one zone Python compares wall clocks
    if b < a:
        return -between(calendar, b, a)
    first, last = _local_year(calendar, a), _local_year(calendar, b)
    whole = sum((_year(calendar, y).total for y in range(first, last)), ZERO)
    return whole + _year(calendar, last).position(b) - _year(calendar, first).position(a)


def advance(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    """The earliest instant with `amount` of working time from `start`: 8:00 and 4 h are 12:00, not 14:00."""
    if amount <= ZERO:
        return start.astimezone(UTC)
    year = _local_year(calendar, start)
    position = _year(calendar, year).position(start) + amount
    while position > (total := _year(calendar, year).total):
        position -= total
        year += 1
    return _year(calendar, year).first_at(position)


def retreat(calendar: Calendar, end: datetime, amount: timedelta) -> datetime:
    """The latest instant with `amount` of working time until `end`: 4 h before 18:00 is 14:00, not 12:00."""
    if amount <= ZERO:
        return end.astimezone(UTC)
    year = _local_year(calendar, end)
    position = _year(calendar, year).position(end) - amount
    while position < ZERO:
        year -= 1
        position += _year(calendar, year).total
    return _year(calendar, year).last_at(position)


def intervals(calendar: Calendar, start: datetime) -> Iterator[Interval]:
    """Working intervals from `start` on, the first one cut at `start`; practically without end."""
    start = start.astimezone(UTC)
    year = _local_year(calendar, start)
    while True:
        table = _year(calendar, year)
        for i in range(bisect_right(table.ends, start), len(table.ends)):
            yield max(start, table.starts[i]), table.ends[i]
        year += 1


def is_working(calendar: Calendar, at: datetime) -> bool:
    table = _year(calendar, _local_year(calendar, at))
    i = bisect_right(table.starts, at) - 1
    return i >= 0 and at < table.ends[i]


def next_working(calendar: Calendar, at: datetime) -> datetime:
    """`at` itself if it lies in working time, else the start of the next working interval."""
    return next(intervals(calendar, at))[0]


def end_of_working_day(calendar: Calendar, day: date) -> datetime | None:
    """None if nobody works that day."""
    table = _year(calendar, day.year)
    i = bisect_left(table.days, day)
    return table.day_ends[i] if i < len(table.days) and table.days[i] == day else None


def end_of_nth_working_day(calendar: Calendar, after: date, n: int) -> datetime:
    """The end of working time on the n-th working day that follows the day `after` (n >= 1)."""
    year = after.year
    index = bisect_right(_year(calendar, year).days, after) + n - 1
    while index >= (count := len(_year(calendar, year).days)):
        index -= count
        year += 1
    return _year(calendar, year).day_ends[index]


def local_day(calendar: Calendar, at: datetime) -> date:
    return at.astimezone(calendar.tz).date()


def _local_year(calendar: Calendar, at: datetime) -> int:
    return at.astimezone(calendar.tz).year


@lru_cache(maxsize=512)
def _year(calendar: Calendar, year: int) -> WorkingYear:
    if not MINYEAR < year < MAXYEAR:
        raise ValueError("the date is out of range: no working time is left in the calendar")
    days: list[date] = []
    found: list[Interval] = []
    day_ends: list[datetime] = []
    for day in (date(year, 1, 1) + n * _DAY for n in range(366)):
        if day.year == year and (worked := _worked(calendar, day)):
            found += worked
            days.append(day)
            day_ends.append(worked[-1][1])
    before, after = _accumulate(found)
    starts, ends = (tuple(column) for column in zip(*found, strict=True)) if found else ((), ())
    return WorkingYear(starts, ends, before, after, tuple(days), tuple(day_ends))


def _accumulate(found: list[Interval]) -> tuple[tuple[timedelta, ...], tuple[timedelta, ...]]:
    after: list[timedelta] = []
    for start, end in found:
        after.append((after[-1] if after else ZERO) + (end - start))
    return (ZERO, *after[:-1])[: len(after)], tuple(after)


def _worked(calendar: Calendar, day: date) -> list[Interval]:
    spans = [
        (_reached(calendar, day, period.start), _reached(calendar, _end_day(day, period.end), period.end))
        for period in calendar.periods(day)
    ]
    return [(start, end) for start, end in spans if start < end]


def _end_day(day: date, end: time) -> date:
    return day + _DAY if end == MIDNIGHT else day


def _reached(calendar: Calendar, day: date, wall: time) -> datetime:
    """The first instant at which the clock on the wall shows this time or has just jumped over it."""
    tz = calendar.tz
    shown = datetime.combine(day, wall)
    at = shown.replace(tzinfo=tz).astimezone(UTC)
    if at.astimezone(tz).replace(tzinfo=None) == shown:
        return at
    before_jump = shown.replace(tzinfo=tz, fold=1).astimezone(UTC)
    seconds = range((at - before_jump) // _SECOND + 1)
    jump = bisect_left(seconds, shown, key=lambda s: (before_jump + s * _SECOND).astimezone(tz).replace(tzinfo=None))
    return before_jump + jump * _SECOND
