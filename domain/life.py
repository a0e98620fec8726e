"""The four things that can happen to a case, each as one pure step: opening, a command, time, a new calendar.

A step first lets time pass up to `now`, then does its own thing, then lets what follows at once happen too
(a rung that counts returns, an archive that waited for an appeal). So no order of arrival can skip a deadline.

What time does is dated when it fell due, so that it is the same whoever comes across it: the timer, a command, a worker
that was away. `noticed` dates it `now`, for cases that began so, until 0.2.
"""

from datetime import datetime
from functools import reduce

from domain import alarms, decisions
from domain import clock as clocks
from domain import events as e
from domain.actors import Actor
from domain.alarms import co_due, due_at, next_alarm, stage_due_at
from domain.calendar import Calendar
from domain.case import OPEN, RUNNING, Case, CaseFacts, Snapshot
from domain.commands import Command, Opening
from domain.events import Event, Fact
from domain.evolve import begin, evolve
from domain.lifecycle import decide, state_allows
from domain.policy import Ladder, Policy, UnitCalendar

Step = tuple[Case, tuple[Event, ...]]
Edition = Calendar | Policy | Ladder


def open_case(report: Opening) -> Step:
    opened, *rest = decisions.opening(report)
    at = report.opened_at
    first = Event(seq=1, at=at, by=report.actor, command_id=report.command_id, fact=opened)
    case, events = _apply(begin(report.rules, first), tuple(rest), at, report.actor, report.command_id)
    return case, (first, *events)


def give(  # noqa: PLR0913 - who, what, when, and what the directory adds to it
    case: Case,
    command: Command,
    actor: Actor,
    now: datetime,
    command_id: str | None = None,
    *,
    calendars: tuple[UnitCalendar, ...] = (),
    noticed: bool = False,
) -> Step:
    """Raises what `decide` raises, and then nothing has happened: time is let pass by the next step.

    `calendars`: of units with working time of their own, should the case be dispatched to them.
    """
    now = max(now, case.updated_at)
    ready, before = pass_time(case, now, noticed=noticed)
    facts = tuple(_with_calendars(fact, calendars) for fact in decide(ready, command, actor, now))
    case, events = _apply(ready, facts, now, actor, command_id)
    case, after = pass_time(case, now, noticed=noticed)
    return case, before + events + after


def _with_calendars(fact: Fact, calendars: tuple[UnitCalendar, ...]) -> Fact:
    if not calendars or not isinstance(fact, e.CaseDispatched):
        return fact
    units = {fact.unit, *fact.co_units}
    return fact.model_copy(update={"calendars": tuple(each for each in calendars if each.unit in units)})


def pass_time(case: Case, now: datetime, *, noticed: bool = False) -> Step:
    events = alarms.tick(case, max(now, case.updated_at), noticed=noticed)
    return reduce(evolve, events, case), events


def recalendar(
    case: Case, calendar: Calendar, now: datetime, command_id: str | None = None, *, noticed: bool = False
) -> Step:
    """Nothing but time passes unless `calendar` is a newer version of one of the case's own and it has not ended."""
    now = max(now, case.updated_at)
    case, before = pass_time(case, now, noticed=noticed)
    mine = case.rules.calendars()
    if case.stage not in RUNNING or not any(is_newer(calendar, each) for each in mine):
        return case, before
    changed = e.CalendarChanged(calendar=calendar, due_before=due_at(case), due_after=None)
    case, events = _take_up(case, changed, now, command_id, noticed=noticed)
    return case, before + events


def rerule(  # noqa: PLR0913 - as `give`
    case: Case, policy: Policy, ladder: Ladder, now: datetime, command_id: str | None = None, *, noticed: bool = False
) -> Step:
    """Nothing but time passes unless one is newer than the case's own, the other no older, and it has not ended."""
    now = max(now, case.updated_at)
    case, before = pass_time(case, now, noticed=noticed)
    mine = case.rules
    newer = is_newer(policy, mine.policy) or is_newer(ladder, mine.ladder)
    older = is_newer(mine.policy, policy) or is_newer(mine.ladder, ladder)
    if case.stage not in RUNNING or not newer or older:
        return case, before
    changed = e.RulesChanged(policy=policy, ladder=ladder, due_before=due_at(case), due_after=None)
    case, events = _take_up(case, changed, now, command_id, noticed=noticed)
    return case, before + events


def is_newer(one: Edition, other: Edition) -> bool:
    """A later version of the same."""
    return one.id == other.id and one.version > other.version


def _take_up(
    case: Case, changed: e.CalendarChanged | e.RulesChanged, now: datetime, command_id: str | None, *, noticed: bool
) -> Step:
    after_change = evolve(case, Event(seq=case.version + 1, at=now, by=None, fact=changed))
    fact = changed.model_copy(update={"due_after": due_at(after_change)})
    case, events = _apply(case, (fact,), now, None, command_id)
    case, after = pass_time(case, now, noticed=noticed)
    return case, events + after


def _apply(case: Case, facts: tuple[Fact, ...], at: datetime, by: Actor | None, command_id: str | None) -> Step:
    events: list[Event] = []
    for fact in facts:
        event = Event(seq=case.version + 1, at=at, by=by, command_id=command_id, fact=fact)
        case = evolve(case, event)
        events.append(event)
    return case, tuple(events)


def snapshot(case: Case) -> Snapshot:
    facts = {name: getattr(case, name) for name in CaseFacts.model_fields}
    return Snapshot(
        **facts,
        due_at=due_at(case),
        stage_due_at=stage_due_at(case),
        provisional=provisional(case),
        commands=state_allows(case),
        rules=case.rules.digest,
        co_due=co_due(case),
    )


def provisional(case: Case) -> bool:
    """Whether the deadline in force rests on a year whose holidays are not official yet."""
    waiting_for_unit = case.unit_clock is not None and case.unit_clock.stopped_at is None
    clock = case.unit_clock if waiting_for_unit else case.stage_clock
    if clock is None or case.stage not in OPEN:
        return False
    calendar = case.unit_calendar if waiting_for_unit else case.stage_calendar
    return clocks.provisional(clock, calendar, resume_at=case.suspended_until)


__all__ = ["Step", "give", "next_alarm", "open_case", "pass_time", "provisional", "recalendar", "snapshot"]
