"""What new rules make of a running case: another calendar (the city's or a unit's), another policy and ladder."""

from datetime import datetime

from domain import clock as clocks
from domain import events as e
from domain.calendar import Calendar
from domain.case import Case, CoTask
from domain.clock import Clock
from domain.events import Event
from domain.passages import Changes, clock_kind, stage_limit
from domain.policy import shared


def calendar_changed(case: Case, event: Event, fact: e.CalendarChanged) -> Changes:
    version = fact.calendar.version
    rules = shared(case.rules.with_calendar(fact.calendar))

    def moved(clock: Clock) -> Clock:
        return clock if clock.stopped_at else clocks.change_calendar(clock, version, event.at)

    def told(task: CoTask) -> CoTask:
        clock = moved(task.clock)
        overdue = task.overdue and _expired(clock, rules.calendar_of(task.unit), event.at)
        return task.model_copy(update={"clock": clock, "overdue": overdue})

    recalculated = {
        "rules": rules,
        "unit_clock": case.unit_clock and moved(case.unit_clock),
        "stage_clock": case.stage_clock and moved(case.stage_clock),
        "co_tasks": tuple(told(task) for task in case.co_tasks),
    }
    return {**recalculated, **relieved(case.model_copy(update=recalculated), event.at)}


def rules_changed(case: Case, event: Event, fact: e.RulesChanged) -> Changes:
    """The stage's own limit is the new policy's; the unit's is the condition's, and stays."""
    rules = shared(case.rules.changed(policy=fact.policy, ladder=fact.ladder))
    kind, clock = clock_kind(case), case.stage_clock
    if kind is not None and clock is not None and clock.stopped_at is None:
        limit = stage_limit(rules, case.limit, kind)
        clock = clock if limit == clock.current_limit else clocks.change_limit(clock, limit, event.at)
    changed = {
        "rules": rules,
        "stage_clock": clock,
        "fired": tuple(rung for rung in case.fired if rung.id in fact.ladder.by_id),
    }
    return {**changed, **relieved(case.model_copy(update=changed), event.at)}


def relieved(case: Case, at: datetime) -> Changes:
    """Takes lateness back where the running deadline itself moved into the future. Earlier rounds' marks stay."""
    clock = case.unit_clock
    if case.late_since is None:
        return {}
    if not case.round_overdue or clock is None or clock.stopped_at is not None:
        return {} if _expired(case.stage_clock, case.stage_calendar, at) else {"late_since": None}
    if _expired(clock, case.unit_calendar, at):
        return {}
    earlier = case.overdue_since is not None and case.overdue_since < clock.started_at
    return {
        "round_overdue": False,
        "overdue": earlier,
        "overdue_since": case.overdue_since if earlier else None,
        "late_since": None,
    }


def _expired(clock: Clock | None, calendar: Calendar, at: datetime) -> bool:
    return clock is not None and clocks.expired(clock, calendar, at)
