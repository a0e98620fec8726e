"""A clock is its log: started, paused, resumed, limit or calendar changed, stopped. The rest is computed.

For every log and every `now`: elapsed + remaining = total. The calendar passed in is the case's current one
and holds for the whole log, as the last limit does; the entries about them are there for the explanation.
Instants are timezone-aware, results are UTC. Knows neither cases nor policies.
"""

from collections.abc import Iterable, Iterator
from datetime import MAXYEAR, UTC, datetime, timedelta
from decimal import Decimal
from math import floor
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime

from domain import working_time
from domain.base import Value
from domain.calendar import Calendar
from domain.limits import WORK_DAY_HOURS, DayReading, Limit, LimitUnit, hours
from domain.working_time import ZERO, Interval

ClockEvent = Literal["started", "paused", "resumed", "limit_changed", "calendar_changed", "stopped"]
Instant = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]
#: The end of a span that is still open.
FOREVER = datetime(MAXYEAR, 1, 1, tzinfo=UTC)


class ClockError(ValueError):
    """The log cannot go on like this: out of order, backwards in time, or after the end."""


class ClockEntry(Value):
    kind: ClockEvent
    at: Instant
    limit: Limit | None = None
    calendar_version: int | None = None


class Clock(Value):
    """Built by `start`, changed by the functions below. `limit` is the first one, `current_limit` counts."""

    limit: Limit
    reading: DayReading = DayReading.HOURS
    entries: tuple[ClockEntry, ...]

    @property
    def started_at(self) -> datetime:
        return self.entries[0].at

    @property
    def stopped_at(self) -> datetime | None:
        last = self.entries[-1]
        return last.at if last.kind == "stopped" else None

    @property
    def paused(self) -> bool:
        """Whether it stands still and has not been stopped."""
        return self.stopped_at is None and self._last_of("paused", "resumed") == "paused"

    @property
    def current_limit(self) -> Limit:
        changes = (entry.limit for entry in reversed(self.entries) if entry.limit is not None)
        return next(changes, self.limit)

    def _last_of(self, *kinds: ClockEvent) -> ClockEvent | None:
        return next((entry.kind for entry in reversed(self.entries) if entry.kind in kinds), None)


# --- the log ---


def start(limit: Limit, reading: DayReading, at: datetime) -> Clock:
    return Clock(limit=limit, reading=reading, entries=(ClockEntry(kind="started", at=_aware(at)),))


def pause(clock: Clock, at: datetime) -> Clock:
    if clock.paused:
        raise ClockError("the clock is paused already")
    return _append(clock, ClockEntry(kind="paused", at=_aware(at)))


def resume(clock: Clock, at: datetime) -> Clock:
    if not clock.paused:
        raise ClockError("the clock is not paused")
    return _append(clock, ClockEntry(kind="resumed", at=_aware(at)))


def stop(clock: Clock, at: datetime) -> Clock:
    return _append(clock, ClockEntry(kind="stopped", at=_aware(at)))


def change_limit(clock: Clock, limit: Limit, at: datetime) -> Clock:
    return _append(clock, ClockEntry(kind="limit_changed", at=_aware(at), limit=limit))


def change_calendar(clock: Clock, version: int, at: datetime) -> Clock:
    """Of several changes in a row only the last is kept: a yearly table must not make logs grow."""
    return _append(clock, ClockEntry(kind="calendar_changed", at=_aware(at), calendar_version=version))


def _append(clock: Clock, entry: ClockEntry) -> Clock:
    last = clock.entries[-1]
    if last.kind == "stopped":
        raise ClockError("the clock has stopped")
    if entry.at < last.at:
        raise ClockError(f"{entry.kind} at {entry.at.isoformat()}, before the last entry")
    repeated = entry.kind == last.kind == "calendar_changed"
    kept = clock.entries[:-1] if repeated else clock.entries
    return clock.model_copy(update={"entries": (*kept, entry)})


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ClockError("an instant needs a time zone")
    return at


# --- what it says ---


def total(clock: Clock, calendar: Calendar, limit: Limit | None = None) -> timedelta:
    """What the limit stands for: real time if it is continuous, else working time.

    Read as `end_of_day`, n work days are the working time from the start to the end of the n-th working day
    after the day of the start, so that a pause gives back every working minute it took. A fraction of a day
    is that share of 8 h.
    """
    limit = limit or clock.current_limit
    whole = floor(limit.value)
    if limit.unit is not LimitUnit.WORK_DAY or clock.reading is DayReading.HOURS or whole == 0:
        return limit.amount
    first_day = working_time.local_day(calendar, clock.started_at)
    end = working_time.end_of_nth_working_day(calendar, first_day, whole)
    return working_time.between(calendar, clock.started_at, end) + hours((limit.value - whole) * WORK_DAY_HOURS)


def elapsed(clock: Clock, calendar: Calendar, now: datetime, *, limit: Limit | None = None) -> timedelta:
    """What has been used up of the limit until `now`, or until the stop. Never negative."""
    measure = _Measure(calendar, limit or clock.current_limit)
    spans = _until(now, _running(clock, None))
    return sum((measure.between(a, b) for a, b in spans), ZERO)


def remaining(clock: Clock, calendar: Calendar, now: datetime, *, limit: Limit | None = None) -> timedelta:
    """Negative by what the limit has been exceeded."""
    return total(clock, calendar, limit) - elapsed(clock, calendar, now, limit=limit)


def expired(clock: Clock, calendar: Calendar, now: datetime, *, limit: Limit | None = None) -> bool:
    """Whether the limit is used up; at the very instant it is due, it is."""
    return elapsed(clock, calendar, now, limit=limit) >= total(clock, calendar, limit)


def due_at(
    clock: Clock, calendar: Calendar, *, limit: Limit | None = None, resume_at: datetime | None = None
) -> datetime | None:
    """The instant at which the limit is used up.

    While paused: as if resumed at `resume_at`; None without it, unless it was used up before. Once stopped:
    the deadline as it stood at the stop.
    """
    measure = _Measure(calendar, limit or clock.current_limit)
    return _reach(_running(_unstopped(clock), resume_at), measure, total(clock, calendar, limit))


def at_share(
    clock: Clock,
    calendar: Calendar,
    share: Decimal,
    *,
    limit: Limit | None = None,
    resume_at: datetime | None = None,
) -> datetime | None:
    """The instant at which this share of the limit is used up; in working time unless it is continuous."""
    measure = _Measure(calendar, limit or clock.current_limit)
    return _reach(_running(_unstopped(clock), resume_at), measure, _share(share, total(clock, calendar, limit)))


def past_due(
    clock: Clock,
    calendar: Calendar,
    by: Limit,
    *,
    limit: Limit | None = None,
    resume_at: datetime | None = None,
) -> datetime | None:
    """The instant at which it is overdue by `by`, in the unit of `by` (a work day is 8 h), over pauses."""
    due = due_at(clock, calendar, limit=limit, resume_at=resume_at)
    if due is None:
        return None
    spans = _since(due, _running(_unstopped(clock), resume_at))
    return _reach(spans, _Measure(calendar, by), by.amount)


def after(calendar: Calendar, at: datetime, by: Limit) -> datetime:
    """The instant at which `by` has run since `at`, counted in the unit of `by`; no clock, no pauses."""
    return _Measure(calendar, by).advance(at, by.amount)


def before_due(
    clock: Clock,
    calendar: Calendar,
    by: Limit | timedelta,
    *,
    limit: Limit | None = None,
    resume_at: datetime | None = None,
) -> datetime | None:
    """The instant at which `by` is left, stepping back through what counts and over pauses.

    A `Limit` is counted in its own unit, a timedelta in the clock's. None if the clock started later.
    """
    due = due_at(clock, calendar, limit=limit, resume_at=resume_at)
    if due is None:
        return None
    unit = by if isinstance(by, Limit) else limit or clock.current_limit
    amount = by.amount if isinstance(by, Limit) else by
    spans = _until(due, _running(_unstopped(clock), resume_at))
    return _reach_back(reversed(list(spans)), _Measure(calendar, unit), amount)


def provisional(
    clock: Clock, calendar: Calendar, *, limit: Limit | None = None, resume_at: datetime | None = None
) -> bool:
    """Whether the deadline rests on days whose exceptions are not yet published."""
    if (limit or clock.current_limit).continuous:
        return False
    due = due_at(clock, calendar, limit=limit, resume_at=resume_at)
    return due is not None and working_time.local_day(calendar, due) > calendar.official_through


def counted(
    clock: Clock, calendar: Calendar, *, limit: Limit | None = None, resume_at: datetime | None = None
) -> Iterator[Interval]:
    """The intervals that make up the limit, to the deadline (while paused without a date: to the pause)."""
    due = due_at(clock, calendar, limit=limit, resume_at=resume_at) or FOREVER
    measure = _Measure(calendar, limit or clock.current_limit)
    for a, b in _until(due, _running(_unstopped(clock), resume_at)):
        yield from measure.intervals(a, b)


# --- how it is computed ---


class _Measure:
    """Counts real time or working time, whichever the limit's unit asks for."""

    def __init__(self, calendar: Calendar, limit: Limit) -> None:
        self._calendar = calendar
        self._continuous = limit.continuous

    def between(self, a: datetime, b: datetime) -> timedelta:
        return b - a if self._continuous else working_time.between(self._calendar, a, b)

    def advance(self, start: datetime, amount: timedelta) -> datetime:
        if self._continuous:
            return start + amount
        if amount == ZERO:
            return working_time.next_working(self._calendar, start)
        return working_time.advance(self._calendar, start, amount)

    def retreat(self, end: datetime, amount: timedelta) -> datetime:
        return end - amount if self._continuous else working_time.retreat(self._calendar, end, amount)

    def intervals(self, a: datetime, b: datetime) -> Iterator[Interval]:
        if self._continuous:
            yield a, b
            return
        for start, end in working_time.intervals(self._calendar, a):
            if start >= b:
                return
            yield start, min(end, b)


def _running(clock: Clock, resume_at: datetime | None) -> Iterator[Interval]:
    """The spans during which it runs, in order; the last ends at FOREVER unless the clock stands still."""
    since: datetime | None = None
    for entry in clock.entries:
        if entry.kind in {"started", "resumed"}:
            since = entry.at
        elif entry.kind in {"paused", "stopped"} and since is not None:
            yield since, entry.at
            since = None
    if clock.paused and resume_at is not None:
        since = max(resume_at.astimezone(UTC), clock.entries[-1].at)
    if since is not None:
        yield since, FOREVER


def _unstopped(clock: Clock) -> Clock:
    if clock.stopped_at is None:
        return clock
    return clock.model_copy(update={"entries": clock.entries[:-1]})


def _until(end: datetime, spans: Iterable[Interval]) -> Iterator[Interval]:
    return ((a, min(b, end)) for a, b in spans if a < end)


def _since(start: datetime, spans: Iterable[Interval]) -> Iterator[Interval]:
    return ((max(a, start), b) for a, b in spans if b > start)


def _reach(spans: Iterable[Interval], measure: _Measure, amount: timedelta) -> datetime | None:
    """The instant at which the spans add up to `amount`; None if they never do."""
    for a, b in spans:
        reached = measure.advance(a, amount)
        if reached <= b:
            return reached
        amount -= measure.between(a, b)
    return None


def _reach_back(spans: Iterable[Interval], measure: _Measure, amount: timedelta) -> datetime | None:
    for a, b in spans:
        available = measure.between(a, b)
        if amount <= available:
            return measure.retreat(b, amount)
        amount -= available
    return None


def _share(share: Decimal, whole: timedelta) -> timedelta:
    microseconds = whole // timedelta(microseconds=1)
    return timedelta(microseconds=int((share * microseconds).to_integral_value()))
