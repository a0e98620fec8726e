"""What time alone does to a case: deadlines, milestones, the ladder, the end of a suspension and of the closure window.

`next_alarm` names the one instant the case waits for; `tick` says what happens at every instant up to `now`, in order.
Both are pure, so a worker that was down for a week catches up by calling `tick` once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial

from domain import clock as clocks
from domain import events as e
from domain.calendar import Calendar
from domain.case import OPEN, AppealState, Case, CaseFacts, FiredRung, Stage
from domain.clock import Clock
from domain.events import Event, Fact
from domain.evolve import evolve
from domain.passages import clock_kind
from domain.policy import ClockKind, Rung


@dataclass(frozen=True, slots=True)
class Alarm:
    """At `at` (UTC), `fact` happens. `order` breaks ties: a clock runs on before it is read, a mark precedes a rung."""

    at: datetime
    order: int
    summary: str
    fact: Callable[[], Fact]


@dataclass(frozen=True, slots=True, eq=False)
class _This:
    """A case as a key: by what object it is, for comparing two costs as much as what is looked up."""

    case: Case

    def __hash__(self) -> int:
        return id(self.case)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _This) and self.case is other.case


def next_alarm(case: Case) -> Alarm | None:
    """Remembered for the states last asked about: a command looks before, after, and once more for the timer."""
    return _next_alarm(_This(case))


@lru_cache(maxsize=1024)
def _next_alarm(this: _This) -> Alarm | None:
    case = this.case
    return min(_alarms(case), key=lambda alarm: (alarm.at, alarm.order), default=None)


def tick(case: Case, now: datetime, *, noticed: bool = False) -> tuple[Event, ...]:
    """Everything that fell due up to and including `now`, in the order in which it fell due, and dated then.

    `noticed`: dated `now` instead, as it was until 0.2. No event is dated before the one that precedes it. Terminates
    because every alarm's fact removes that alarm; an alarm that repeats counts all repetitions at once.
    """
    events: list[Event] = []
    alarm = next_alarm(case)
    while alarm is not None and alarm.at <= now:
        at = now if noticed else max(alarm.at, case.updated_at)
        event = Event(seq=case.version + 1, at=at, by=None, fact=_repeated(case, alarm.fact(), now))
        events.append(event)
        case = evolve(case, event)
        alarm = next_alarm(case)
    return tuple(events)


def waits_on(case: CaseFacts) -> ClockKind | None:
    """Whose deadline is the case's: the unit's from dispatch to submission, otherwise the stage's; None once closed."""
    if case.stage in {Stage.ASSIGNMENT, Stage.RECTIFICATION} and case.unit_clock is not None:
        return ClockKind.UNIT
    return clock_kind(case) if case.stage in OPEN else None


def due_at(case: Case) -> datetime | None:
    """The deadline of what the case waits for; None while it waits for nothing."""
    kind = waits_on(case)
    if kind is None:
        return None
    return unit_due_at(case) if kind is ClockKind.UNIT else stage_due_at(case)


def unit_due_at(case: Case) -> datetime | None:
    clock = case.unit_clock
    return clocks.due_at(clock, case.unit_calendar, resume_at=case.suspended_until) if clock else None


def stage_due_at(case: Case) -> datetime | None:
    return clocks.due_at(case.stage_clock, case.stage_calendar) if case.stage_clock else None


def co_due(case: Case) -> dict[str, datetime]:
    """The deadlines of co-units that have a clock of their own and have not submitted."""
    due = {
        task.unit: clocks.due_at(task.clock, case.rules.calendar_of(task.unit), resume_at=case.suspended_until)
        for task in case.co_tasks
        if task.clock.stopped_at is None
    }
    return {unit: at for unit, at in due.items() if at is not None}


def _alarms(case: Case) -> Iterator[Alarm]:
    if case.suspended_until is not None:
        until = case.suspended_until
        yield Alarm(until, 0, "suspension ends", lambda: e.SuspensionEnded(resumed_at=until, early=False))
    yield from _supervision(case)
    yield from _counted_rungs(case)
    kind, clock = clock_kind(case), case.stage_clock
    if kind is not None and clock is not None:
        yield from _stage_end(case, kind, clock)
        yield from _rungs(case, kind, clock)
    clock = case.unit_clock
    if clock is not None and clock.stopped_at is None and not clock.paused:
        yield from _unit_end(case, clock)
        yield from _milestones(case, clock)
        yield from _rungs(case, ClockKind.UNIT, clock)
    if case.suspended_until is None:
        yield from _co_units(case)


def _co_units(case: Case) -> Iterator[Alarm]:
    due = co_due(case)
    for task in case.co_tasks:
        if task.unit in due and not task.overdue:
            late = partial(e.CoUnitLate, unit=task.unit, due_at=due[task.unit])
            yield Alarm(due[task.unit], 2, f"{task.unit} due", late)


def _supervision(case: Case) -> Iterator[Alarm]:
    supervision = case.supervision
    if case.stage in OPEN and supervision and supervision.due and not supervision.expired:
        due = supervision.due
        yield Alarm(due, 1, "supervision due", lambda: e.SupervisionExpired(due=due))


def _stage_end(case: Case, kind: ClockKind, clock: Clock) -> Iterator[Alarm]:
    due = clocks.due_at(clock, case.stage_calendar)
    if due is None:
        return
    if kind is ClockKind.WINDOW:
        if case.appeal is None or case.appeal.state not in {AppealState.PENDING, AppealState.SECOND_REVIEW}:
            yield Alarm(due, 9, "closure window ends", e.CaseArchived)
    elif kind is ClockKind.ACCEPTANCE and case.rules.policy.acceptance.on_expiry == "deem_accepted":
        yield Alarm(due, 3, "deemed accepted", lambda: e.CaseAccepted(accepted_at=due, deemed=True))
    elif case.late_since is None:
        yield Alarm(due, 3, f"{kind} due", lambda: e.DeadlinePassed(clock=kind, due_at=due))


def _unit_end(case: Case, clock: Clock) -> Iterator[Alarm]:
    due = clocks.due_at(clock, case.unit_calendar)
    if due is not None and not case.round_overdue:
        yield Alarm(due, 2, "rectification due", lambda: e.DeadlinePassed(clock=ClockKind.UNIT, due_at=due))


def _milestones(case: Case, clock: Clock) -> Iterator[Alarm]:
    reached = max(case.milestones_done, case.milestones_missed)
    if reached >= len(case.milestones):
        return
    milestone = case.milestones[reached]
    due = clocks.due_at(clock, case.unit_calendar, limit=milestone.limit)
    if due is not None:
        number = reached + 1
        summary = f"milestone {number} due"
        yield Alarm(due, 1, summary, lambda: e.MilestoneMissed(milestone=number, due_at=due))


def _rungs(case: Case, kind: ClockKind, clock: Clock) -> Iterator[Alarm]:
    fired = {rung.id: rung for rung in case.fired}
    for rung in case.rules.ladder.rungs:
        if rung.clock is kind and not rung.when.counted:
            at = _rung_at(case, clock, rung, fired.get(rung.id))
            if at is not None:
                yield _rung_alarm(case, rung, at, fired.get(rung.id))


def _rung_at(case: Case, clock: Clock, rung: Rung, fired: FiredRung | None) -> datetime | None:
    calendar = _calendar(case, rung.clock)
    if fired is not None and rung.repeat is None:
        return None
    if rung.when.overdue is None:
        return clocks.at_share(clock, calendar, rung.when.used or Decimal(1))
    first = clocks.past_due(clock, calendar, rung.when.overdue)
    if first is None or fired is None or rung.repeat is None:
        return first
    return max(first, clocks.after(calendar, fired.due_at, rung.repeat))  # the deadline may have moved since


def _calendar(case: Case, kind: ClockKind) -> Calendar:
    return case.unit_calendar if kind is ClockKind.UNIT else case.stage_calendar


def _rung_alarm(case: Case, rung: Rung, at: datetime, fired: FiredRung | None) -> Alarm:
    times = fired.times + 1 if fired else 1

    def fact() -> Fact:
        return _fired(case, rung, at, times=times, share=rung.when.used)

    return Alarm(at, 4, f"{rung.action} ({rung.id})", fact)


def _counted_rungs(case: Case) -> Iterator[Alarm]:
    fired = {rung.id for rung in case.fired}
    for rung in case.rules.ladder.rungs:
        if rung.when.counted and rung.id not in fired and case.stage in OPEN:
            needed = rung.when.returns or rung.when.failed_inspections or 0
            count = case.returns if rung.when.returns else case.failed_inspections
            if count >= needed:
                yield _counted_alarm(case, rung, count)


def _counted_alarm(case: Case, rung: Rung, count: int) -> Alarm:
    at = case.updated_at
    return Alarm(at, 4, f"{rung.action} ({rung.id})", lambda: _fired(case, rung, at, times=1, count=count))


def _fired(  # noqa: PLR0913 - one argument for each thing the fact must tell
    case: Case,
    rung: Rung,
    at: datetime,
    *,
    times: int,
    share: Decimal | None = None,
    count: int | None = None,
) -> e.RungFired:
    return e.RungFired(
        rung=rung.id,
        clock=rung.clock,
        action=rung.action,
        level=rung.level,
        notify=rung.notify,
        round=case.round,
        dispatch=case.dispatches,
        times=times,
        due_at=at,
        share=share,
        count=count,
    )


def _repeated(case: Case, fact: Fact, now: datetime) -> Fact:
    """A repeating rung that slept through several repetitions fires once, counted as all of them."""
    if not isinstance(fact, e.RungFired):
        return fact
    repeat = case.rules.ladder.by_id[fact.rung].repeat
    if repeat is None:
        return fact
    times, due = fact.times, fact.due_at
    calendar = _calendar(case, fact.clock)
    following = clocks.after(calendar, due, repeat)
    while following <= now:
        times, due = times + 1, following
        following = clocks.after(calendar, due, repeat)
    return fact.model_copy(update={"times": times, "due_at": due})
