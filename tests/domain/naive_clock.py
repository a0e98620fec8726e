"""The clock a second time, as plainly as possible: step through the minutes one by one and count.

Shares only the models with `domain/working_time.py` and `domain/clock.py`. Good for whole minutes in a window.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice

from domain.calendar import Calendar, Period, Season
from domain.clock import Clock
from domain.limits import DayReading, Limit, LimitUnit

MINUTE = timedelta(minutes=1)
_MINUTES = {
    LimitUnit.URGENT_HOUR: 60,
    LimitUnit.URGENT_DAY: 1440,
    LimitUnit.NATURAL_DAY: 1440,
    LimitUnit.WORK_HOUR: 60,
    LimitUnit.WORK_DAY: 480,
}


@dataclass(frozen=True)
class Window:
    """The minutes of some days: for each, its local date and whether it is worked."""

    first: datetime
    dates: tuple[date, ...]
    worked: tuple[bool, ...]

    def index(self, at: datetime) -> int:
        return (at - self.first) // MINUTE

    def instant(self, index: int) -> datetime:
        return self.first + index * MINUTE


@lru_cache
def window(calendar: Calendar, first_day: date, days: int) -> Window:
    first = datetime.combine(first_day, time(0), tzinfo=calendar.tz).astimezone(UTC)
    dates: list[date] = []
    worked: list[bool] = []
    latest = datetime.min  # noqa: DTZ901 - a wall clock has no zone
    for index in range(days * 1440):
        wall = (first + index * MINUTE).astimezone(calendar.tz).replace(tzinfo=None)
        latest = max(latest, wall)  # a clock that is put back shows nothing new until it has caught up
        dates.append(latest.date())
        worked.append(_is_worked(calendar, latest))
    return Window(first, tuple(dates), tuple(worked))


def _is_worked(calendar: Calendar, wall: datetime) -> bool:
    periods = _table(calendar, wall.date())
    return any(p.start <= wall.time() and (p.end == time(0) or wall.time() < p.end) for p in periods)


@lru_cache
def _table(calendar: Calendar, day: date) -> tuple[Period, ...]:
    if day in calendar.holidays:
        return ()
    week = _season(calendar, day).weekdays
    return next(d for d in week if d) if day in calendar.make_up_workdays else week[day.weekday()]


def _season(calendar: Calendar, day: date) -> Season:
    """Walk back through the days until one is found on which a season begins."""
    while True:
        for season in calendar.seasons:
            if season.from_ == day.strftime("%m-%d"):
                return season
        day -= timedelta(days=1)


def total(clock: Clock, limit: Limit, seen: Window) -> int:
    whole = int(limit.value)
    by_days = limit.unit is LimitUnit.WORK_DAY and clock.reading is DayReading.END_OF_DAY and whole > 0
    if not by_days:
        return int(limit.value * _MINUTES[limit.unit])
    start = seen.index(clock.started_at)
    later = sorted({d for d, w in zip(seen.dates, seen.worked, strict=True) if w and d > seen.dates[start]})
    last_day = later[whole - 1]
    worked = sum(seen.worked[i] for i in range(start, len(seen.dates)) if seen.dates[i] <= last_day)
    return worked + int((limit.value - whole) * 480)


def counted(clock: Clock, limit: Limit, seen: Window, *, ignore_stop: bool) -> list[int]:
    """The minutes that count, by their index."""
    running = False
    entries = [(seen.index(entry.at), entry.kind) for entry in clock.entries]
    found = []
    for index in range(len(seen.worked)):
        while entries and entries[0][0] == index:
            kind = entries.pop(0)[1]
            if kind in {"started", "resumed"}:
                running = True
            elif kind == "paused" or (kind == "stopped" and not ignore_stop):
                running = False
        if running and (limit.unit.continuous or seen.worked[index]):
            found.append(index)
    return found


def elapsed(clock: Clock, limit: Limit, seen: Window, now: datetime) -> int:
    return sum(1 for index in counted(clock, limit, seen, ignore_stop=False) if index < seen.index(now))


def due_at(clock: Clock, limit: Limit, seen: Window) -> datetime | None:
    """None if it does not fall due inside the window."""
    minutes = counted(clock, limit, seen, ignore_stop=True)
    last = next(islice(minutes, total(clock, limit, seen) - 1, None), None)
    return None if last is None else seen.instant(last + 1)
