"""How a case passes from stage to stage and from round to round: what starts anew, what stops, what stays."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from domain import clock as clocks
from domain.case import Case, CaseFacts, CoTask, FiredRung, Outcome, Stage
from domain.clock import Clock
from domain.events import Event
from domain.limits import Limit
from domain.policy import ClockKind, Rules

Changes = dict[str, Any]


def stage_clock(rules: Rules, limit: Limit, kind: ClockKind, at: datetime) -> Clock:
    return clocks.start(stage_limit(rules, limit, kind), rules.policy.work_day_reading, at)


def stage_limit(rules: Rules, limit: Limit, kind: ClockKind) -> Limit:
    """The stage's, for a condition of this limit."""
    limits = rules.policy.limits
    found: Limit = limits.window if kind is ClockKind.WINDOW else getattr(limits, kind.value).for_(limit)
    return found


def clock_kind(case: CaseFacts) -> ClockKind | None:
    """Whose limit the stage's own clock measures."""
    if case.stage is Stage.ASSIGNMENT:
        return ClockKind.ACCEPTANCE if case.lead_unit else ClockKind.DISPATCH
    return _STAGE_CLOCK.get(case.stage)


_STAGE_CLOCK = {
    Stage.INTAKE: ClockKind.INTAKE,
    Stage.REINSPECTION: ClockKind.INSPECTION,
    Stage.CLOSURE: ClockKind.WINDOW,
}


def enter(case: Case, stage: Stage, at: datetime, kind: ClockKind | None) -> Changes:
    """A stage begins: its own clock starts and its alarms are armed afresh."""
    return {
        "stage": stage,
        "stage_clock": kind and stage_clock(case.rules, case.limit, kind, at),
        "fired": rearmed(case, kind) if kind else case.fired,
        "late_since": None,
    }


def rearmed(case: Case, *kinds: ClockKind) -> tuple[FiredRung, ...]:
    """Rungs that stay fired when these clocks start anew: those of other clocks, and those that count events."""
    rungs = case.rules.ladder.by_id
    return tuple(f for f in case.fired if rungs[f.id].when.counted or rungs[f.id].clock not in kinds)


def unit_clock(case: Case, limit: Limit, at: datetime) -> Clock:
    return clocks.start(limit, case.rules.policy.work_day_reading, at)


def co_tasks(case: Case, units: Iterable[str], limit: Limit, at: datetime) -> tuple[CoTask, ...]:
    return tuple(CoTask(unit=unit, clock=unit_clock(case, limit, at)) for unit in units)


def on_tasks(case: Case, change: Callable[[Clock], Clock]) -> tuple[CoTask, ...]:
    """What happens to the clock of every co-unit that has not submitted."""
    return tuple(
        task if task.clock.stopped_at else task.model_copy(update={"clock": change(task.clock)})
        for task in case.co_tasks
    )


def next_round(case: Case, limit: Limit, at: datetime) -> Changes:
    fresh = {
        "round": case.round + 1,
        "co_submitted": (),
        "co_tasks": co_tasks(case, (task.unit for task in case.co_tasks), limit, at),
        "extension_pending": False,
        "round_overdue": False,
        "milestones": (),
        "milestones_done": 0,
        "milestones_missed": 0,
        "unable_by": (),
        "closed_at": None,
        "outcome": None,
    }
    if case.lead_unit is None:
        return {**fresh, **enter(case, Stage.ASSIGNMENT, at, ClockKind.DISPATCH)}
    return {
        **fresh,
        **enter(case, Stage.RECTIFICATION, at, None),
        "unit_clock": unit_clock(case, limit, at),
        "fired": rearmed(case, ClockKind.UNIT),
    }


def close(case: Case, at: datetime, outcome: Outcome) -> Changes:
    return {**enter(case, Stage.CLOSURE, at, ClockKind.WINDOW), "closed_at": at, "outcome": outcome}


def end(case: Case, event: Event, outcome: Outcome) -> Changes:
    stage = Stage.ARCHIVED if outcome in {Outcome.RECTIFIED, Outcome.SELF_HANDLED} else Stage(outcome.value)
    running = case.unit_clock is not None and case.unit_clock.stopped_at is None
    return {
        **enter(case, stage, event.at, None),
        "unit_clock": clocks.stop(case.unit_clock, event.at) if case.unit_clock and running else case.unit_clock,
        "co_tasks": on_tasks(case, lambda clock: clocks.stop(clock, event.at)),
        "suspended_until": None,
        "extension_pending": False,
        "closed_at": event.at,
        "outcome": outcome,
    }
