"""A deadline with its reasons: what was counted, what was not, by which calendar. Times in its zone."""

from datetime import datetime
from itertools import islice, pairwise

from domain import clock as clocks
from domain.base import Value
from domain.calendar import Calendar
from domain.clock import Clock
from domain.limits import DayReading, Limit

#: An explanation is for people; nobody reads more intervals than that (200 working days).
MAX_INTERVALS = 400


class Counted(Value):
    start: datetime
    end: datetime
    seconds: float


class Pause(Value):
    """`end` is None while it lasts; a stop ends it too."""

    start: datetime
    end: datetime | None = None


class LimitChange(Value):
    at: datetime
    limit: Limit


class CalendarChange(Value):
    at: datetime
    version: int


class Explanation(Value):
    """`intervals` run up to the deadline and add up to `total_seconds`, unless `truncated` or paused.

    While paused, `due_at` supposes the planned resumption and is None without one. Once stopped, it is the
    deadline as it stood.
    """

    limit: Limit
    reading: DayReading
    calendar_id: str
    calendar_version: int
    zone: str
    started_at: datetime
    stopped_at: datetime | None = None
    due_at: datetime | None
    provisional: bool
    overdue: bool
    total_seconds: float
    elapsed_seconds: float
    remaining_seconds: float
    intervals: tuple[Counted, ...]
    truncated: bool = False
    pauses: tuple[Pause, ...] = ()
    limit_changes: tuple[LimitChange, ...] = ()
    calendar_changes: tuple[CalendarChange, ...] = ()


def deadline(calendar: Calendar, start: datetime, limit: Limit, reading: DayReading = DayReading.HOURS) -> Explanation:
    """The deadline of a limit that simply runs from `start`."""
    return explain(clocks.start(limit, reading, start), calendar, start)


def explain(clock: Clock, calendar: Calendar, now: datetime, *, resume_at: datetime | None = None) -> Explanation:
    total = clocks.total(clock, calendar)
    elapsed = clocks.elapsed(clock, calendar, now)
    intervals = _intervals(clock, calendar, resume_at)
    return Explanation(
        limit=clock.current_limit,
        reading=clock.reading,
        calendar_id=calendar.id,
        calendar_version=calendar.version,
        zone=calendar.zone,
        started_at=_local(calendar, clock.started_at),
        stopped_at=clock.stopped_at and _local(calendar, clock.stopped_at),
        due_at=(due := clocks.due_at(clock, calendar, resume_at=resume_at)) and _local(calendar, due),
        provisional=clocks.provisional(clock, calendar, resume_at=resume_at),
        overdue=elapsed >= total,
        total_seconds=total.total_seconds(),
        elapsed_seconds=elapsed.total_seconds(),
        remaining_seconds=(total - elapsed).total_seconds(),
        intervals=intervals[:MAX_INTERVALS],
        truncated=len(intervals) > MAX_INTERVALS,
        pauses=_pauses(clock, calendar),
        limit_changes=_limit_changes(clock, calendar),
        calendar_changes=_calendar_changes(clock, calendar),
    )


def _local(calendar: Calendar, at: datetime) -> datetime:
    return at.astimezone(calendar.tz)


def _intervals(clock: Clock, calendar: Calendar, resume_at: datetime | None) -> tuple[Counted, ...]:
    """One more than shown, so that the caller sees whether something is left out."""
    counted = islice(clocks.counted(clock, calendar, resume_at=resume_at), MAX_INTERVALS + 1)
    return tuple(
        Counted(start=_local(calendar, start), end=_local(calendar, end), seconds=(end - start).total_seconds())
        for start, end in counted
    )


def _pauses(clock: Clock, calendar: Calendar) -> tuple[Pause, ...]:
    turns = [entry for entry in clock.entries if entry.kind in {"paused", "resumed", "stopped"}]
    closed = [
        Pause(start=_local(calendar, first.at), end=_local(calendar, second.at))
        for first, second in pairwise(turns)
        if first.kind == "paused"
    ]
    open_ = [Pause(start=_local(calendar, turns[-1].at))] if clock.paused else []
    return (*closed, *open_)


def _limit_changes(clock: Clock, calendar: Calendar) -> tuple[LimitChange, ...]:
    return tuple(
        LimitChange(at=_local(calendar, entry.at), limit=entry.limit) for entry in clock.entries if entry.limit
    )


def _calendar_changes(clock: Clock, calendar: Calendar) -> tuple[CalendarChange, ...]:
    return tuple(
        CalendarChange(at=_local(calendar, entry.at), version=entry.calendar_version)
        for entry in clock.entries
        if entry.calendar_version is not None
    )
