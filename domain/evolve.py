"""How each fact changes the case. No rule is judged here: what happened, happened.

`evolve(case, event)` is total: every fact has exactly one function below, and each returns only what changes.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain import clock as clocks
from domain import events as e
from domain.case import Appeal, AppealState, Case, FiredRung, Outcome, Rating, Stage, Submission, Supervision
from domain.clock import Clock
from domain.events import Event
from domain.limits import Limit
from domain.policy import ClockKind, Rules, shared

Changes = dict[str, Any]


def begin(rules: Rules, event: Event) -> Case:
    """The case as its first event makes it."""
    fact = event.fact
    if not isinstance(fact, e.CaseOpened) or event.by is None:
        raise TypeError("a case begins with CaseOpened, by somebody")
    stage = Stage.ASSIGNMENT if fact.trusted else Stage.INTAKE
    kind = ClockKind.DISPATCH if fact.trusted else ClockKind.INTAKE
    return Case(
        id=fact.case,
        version=event.seq,
        stage=stage,
        reporter=event.by.user,
        reporter_role=event.by.role,
        opened_at=event.at,
        updated_at=event.at,
        stage_clock=_stage_clock(rules, fact.limit, kind, event.at),
        rules=rules,
        **fact.reported(),
    )


def evolve(case: Case, event: Event) -> Case:
    changes = _CHANGES[type(event.fact)](case, event, event.fact)
    return case.model_copy(update={"version": event.seq, "updated_at": event.at, **changes})


def _stage_clock(rules: Rules, limit: Limit, kind: ClockKind, at: datetime) -> Clock:
    limits = rules.policy.limits
    stage_limit = limits.window if kind is ClockKind.WINDOW else getattr(limits, kind.value).for_(limit)
    return clocks.start(stage_limit, rules.policy.work_day_reading, at)


def _enter(case: Case, stage: Stage, at: datetime, kind: ClockKind | None) -> Changes:
    """A stage begins: its own clock starts and its alarms are armed afresh."""
    return {
        "stage": stage,
        "stage_clock": kind and _stage_clock(case.rules, case.limit, kind, at),
        "fired": _rearmed(case, kind) if kind else case.fired,
        "late_since": None,
    }


def _rearmed(case: Case, *kinds: ClockKind) -> tuple[FiredRung, ...]:
    """Rungs that stay fired when these clocks start anew: those of other clocks, and those that count events."""
    rungs = case.rules.ladder.by_id
    return tuple(f for f in case.fired if rungs[f.id].when.counted or rungs[f.id].clock not in kinds)


def _unit_clock(case: Case, limit: Limit, at: datetime) -> Clock:
    return clocks.start(limit, case.rules.policy.work_day_reading, at)


def _next_round(case: Case, limit: Limit, at: datetime) -> Changes:
    fresh = {
        "round": case.round + 1,
        "co_submitted": (),
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
        return {**fresh, **_enter(case, Stage.ASSIGNMENT, at, ClockKind.DISPATCH)}
    return {
        **fresh,
        **_enter(case, Stage.RECTIFICATION, at, None),
        "unit_clock": _unit_clock(case, limit, at),
        "fired": _rearmed(case, ClockKind.UNIT),
    }


def _close(case: Case, at: datetime, outcome: Outcome) -> Changes:
    return {**_enter(case, Stage.CLOSURE, at, ClockKind.WINDOW), "closed_at": at, "outcome": outcome}


def _end(case: Case, event: Event, outcome: Outcome) -> Changes:
    stage = Stage.ARCHIVED if outcome in {Outcome.RECTIFIED, Outcome.SELF_HANDLED} else Stage(outcome.value)
    running = case.unit_clock is not None and case.unit_clock.stopped_at is None
    return {
        **_enter(case, stage, event.at, None),
        "unit_clock": clocks.stop(case.unit_clock, event.at) if case.unit_clock and running else case.unit_clock,
        "suspended_until": None,
        "extension_pending": False,
        "closed_at": event.at,
        "outcome": outcome,
    }


def _ended(outcome: Outcome) -> Callable[[Case, Event, object], Changes]:
    return lambda case, event, _: _end(case, event, outcome)


def _author(event: Event) -> str:
    return event.by.user if event.by else "system"


def _opened(case: Case, event: Event, fact: e.CaseOpened) -> Changes:
    raise TypeError(f"{case.id} was opened already")


def _self_handled(case: Case, event: Event, fact: e.CaseSelfHandled) -> Changes:
    return {
        **_close(case, event.at, Outcome.SELF_HANDLED),
        "submission": _submission(event, "", fact),
        "fixers": (_author(event),),
    }


def _submission(event: Event, unit: str, fact: e.CaseSelfHandled | e.RectificationSubmitted) -> Submission:
    return Submission(at=event.at, by=_author(event), unit=unit, note=fact.note, evidence=fact.evidence)


def _verified(case: Case, event: Event, fact: e.CaseVerified) -> Changes:
    return _enter(case, Stage.ASSIGNMENT, event.at, ClockKind.DISPATCH)


def _dispatched(case: Case, event: Event, fact: e.CaseDispatched) -> Changes:
    return {
        **_enter(case, Stage.ASSIGNMENT, event.at, ClockKind.ACCEPTANCE),
        "fired": _rearmed(case, ClockKind.ACCEPTANCE, ClockKind.UNIT),
        "lead_unit": fact.unit,
        "co_units": fact.co_units,
        "co_submitted": (),
        "final_assignment": fact.final,
        "dispatched_at": event.at,
        "dispatches": case.dispatches + 1,
        "accepted_at": None,
        "unit_clock": _unit_clock(case, case.limit, event.at),
        "round_overdue": False,
        "milestones_done": 0,
        "milestones_missed": 0,
    }


def _accepted(case: Case, event: Event, fact: e.CaseAccepted) -> Changes:
    late = case.late_since if case.round_overdue else None
    return {
        **_enter(case, Stage.RECTIFICATION, event.at, None),
        "accepted_at": fact.accepted_at,
        "late_since": late,
    }


def _returned(case: Case, event: Event, fact: e.CaseReturned) -> Changes:
    return {
        **_enter(case, Stage.ASSIGNMENT, event.at, ClockKind.DISPATCH),
        "lead_unit": None,
        "co_units": (),
        "dispatched_at": None,
        "accepted_at": None,
        "unit_clock": None,
        "extension_pending": False,
        "suspended_until": None,
        "returns": case.returns + 1,
    }


def _milestone_reported(case: Case, event: Event, fact: e.MilestoneReported) -> Changes:
    return {"milestones_done": fact.milestone, "fixers": _with(case.fixers, _author(event))}


def _milestone_missed(case: Case, event: Event, fact: e.MilestoneMissed) -> Changes:
    return {"milestones_missed": fact.milestone}


def _co_submitted(case: Case, event: Event, fact: e.CoUnitSubmitted) -> Changes:
    return {"co_submitted": _with(case.co_submitted, fact.unit), "fixers": _with(case.fixers, _author(event))}


def _submitted(case: Case, event: Event, fact: e.RectificationSubmitted) -> Changes:
    clock = case.unit_clock
    return {
        **_enter(case, Stage.REINSPECTION, event.at, ClockKind.INSPECTION),
        "unit_clock": clock and clocks.stop(clock, event.at),
        "suspended_until": None,
        "extension_pending": False,
        "milestones_done": len(case.milestones),
        "submission": _submission(event, fact.unit, fact),
        "fixers": _with(case.fixers, _author(event)),
    }


def _extension_requested(case: Case, event: Event, fact: e.ExtensionRequested) -> Changes:
    return {"extension_pending": True}


def _extension_granted(case: Case, event: Event, fact: e.ExtensionGranted) -> Changes:
    clock = case.unit_clock and clocks.change_limit(case.unit_clock, fact.limit, event.at)
    longer = {"extension_pending": False, "extensions": case.extensions + 1, "unit_clock": clock}
    return {**longer, **_relieved(case.model_copy(update=longer), event.at)}


def _extension_refused(case: Case, event: Event, fact: e.ExtensionRefused) -> Changes:
    return {"extension_pending": False}


def _suspended(case: Case, event: Event, fact: e.CaseSuspended) -> Changes:
    return {
        "suspended_until": fact.until,
        "suspensions": case.suspensions + 1,
        "unit_clock": case.unit_clock and clocks.pause(case.unit_clock, event.at),
    }


def _suspension_ended(case: Case, event: Event, fact: e.SuspensionEnded) -> Changes:
    return {
        "suspended_until": None,
        "unit_clock": case.unit_clock and clocks.resume(case.unit_clock, fact.resumed_at),
    }


def _passed(case: Case, event: Event, fact: e.InspectionPassed) -> Changes:
    return _close(case, event.at, Outcome.RECTIFIED)


def _failed(case: Case, event: Event, fact: e.InspectionFailed) -> Changes:
    return {**_next_round(case, fact.limit, event.at), "failed_inspections": case.failed_inspections + 1}


def _impossible(case: Case, event: Event, fact: e.InspectionImpossible) -> Changes:
    """The limit starts anew, the rungs that fired do not: each fires once per round."""
    return {
        **_enter(case, Stage.REINSPECTION, event.at, ClockKind.INSPECTION),
        "fired": case.fired,
        "unable_by": _with(case.unable_by, _author(event)),
    }


def _urged(case: Case, event: Event, fact: e.CaseUrged) -> Changes:
    return {"urges": case.urges + 1}


def _supervised(case: Case, event: Event, fact: e.CaseSupervised) -> Changes:
    return {"supervision": Supervision(requirement=fact.requirement, due=fact.due, by=_author(event))}


def _supervision_expired(case: Case, event: Event, fact: e.SupervisionExpired) -> Changes:
    return {"supervision": case.supervision and case.supervision.model_copy(update={"expired": True})}


def _rated(case: Case, event: Event, fact: e.CaseRated) -> Changes:
    return {"rating": Rating(score=fact.score, comment=fact.comment)}


def _appeal_filed(case: Case, event: Event, fact: e.AppealFiled) -> Changes:
    return {"appeal": Appeal(reason=fact.reason, by=_author(event))}


def _appeal_in(state: AppealState) -> Callable[[Case, Event, Any], Changes]:
    def reviewed(case: Case, event: Event, fact: object) -> Changes:
        appeal = case.appeal
        review = {"state": state, "reviewers": _with(appeal.reviewers if appeal else (), _author(event))}
        return {
            "appeal": appeal and appeal.model_copy(update=review),
            "exempt": case.exempt or state is AppealState.GRANTED,
        }

    return reviewed


def _reopened(case: Case, event: Event, fact: e.CaseReopened) -> Changes:
    """What was under supervision has been closed: its old date means nothing to the next round."""
    return {**_next_round(case, fact.limit, event.at), "supervision": None}


def _nothing(case: Case, event: Event, fact: object) -> Changes:
    return {}


def _deadline_passed(case: Case, event: Event, fact: e.DeadlinePassed) -> Changes:
    late: Changes = {"late_since": min(case.late_since or fact.due_at, fact.due_at)}
    if fact.clock is not ClockKind.UNIT:
        return late
    overdue = {"overdue": True, "overdue_since": case.overdue_since or fact.due_at, "round_overdue": True}
    return {**late, **overdue}


def _rung_fired(case: Case, event: Event, fact: e.RungFired) -> Changes:
    others = tuple(f for f in case.fired if f.id != fact.rung)
    return {
        "fired": (*others, FiredRung(id=fact.rung, due_at=fact.due_at, times=fact.times)),
        "escalation_level": max(case.escalation_level, fact.level),
    }


def _calendar_changed(case: Case, event: Event, fact: e.CalendarChanged) -> Changes:
    version = fact.calendar.version

    def moved(clock: Clock | None) -> Clock | None:
        if clock is None or clock.stopped_at is not None:
            return clock
        return clocks.change_calendar(clock, version, event.at)

    rules = Rules(policy=case.rules.policy, ladder=case.rules.ladder, calendar=fact.calendar)
    recalculated = {
        "rules": shared(rules),
        "unit_clock": moved(case.unit_clock),
        "stage_clock": moved(case.stage_clock),
    }
    return {**recalculated, **_relieved(case.model_copy(update=recalculated), event.at)}


def _relieved(case: Case, at: datetime) -> Changes:
    """Takes lateness back where the running deadline itself moved into the future. Earlier rounds' marks stay."""
    clock = case.unit_clock
    if case.late_since is None:
        return {}
    if not case.round_overdue or clock is None or clock.stopped_at is not None:
        return {} if _expired(case.stage_clock, case, at) else {"late_since": None}
    if _expired(clock, case, at):
        return {}
    earlier = case.overdue_since is not None and case.overdue_since < clock.started_at
    return {
        "round_overdue": False,
        "overdue": earlier,
        "overdue_since": case.overdue_since if earlier else None,
        "late_since": None,
    }


def _expired(clock: Clock | None, case: Case, at: datetime) -> bool:
    return clock is not None and clocks.expired(clock, case.rules.calendar, at)


def _archived(case: Case, event: Event, fact: e.CaseArchived) -> Changes:
    return {"stage": Stage.ARCHIVED, "stage_clock": None, "late_since": None}


def _imported(case: Case, event: Event, fact: e.CaseImported) -> Changes:
    """Whether it was late nobody here can tell: no clock of ours has run."""
    return {**_end(case, event, fact.outcome), "lead_unit": fact.unit}


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else (*names, name)


_CHANGES: dict[type, Callable[[Case, Event, Any], Changes]] = {
    e.CaseOpened: _opened,
    e.CaseSelfHandled: _self_handled,
    e.CaseVerified: _verified,
    e.CaseDismissed: _ended(Outcome.DISMISSED),
    e.CaseDispatched: _dispatched,
    e.CaseAccepted: _accepted,
    e.CaseReturned: _returned,
    e.MilestoneReported: _milestone_reported,
    e.MilestoneMissed: _milestone_missed,
    e.CoUnitSubmitted: _co_submitted,
    e.RectificationSubmitted: _submitted,
    e.ExtensionRequested: _extension_requested,
    e.ExtensionGranted: _extension_granted,
    e.ExtensionRefused: _extension_refused,
    e.CaseSuspended: _suspended,
    e.SuspensionEnded: _suspension_ended,
    e.InspectionPassed: _passed,
    e.InspectionFailed: _failed,
    e.InspectionImpossible: _impossible,
    e.CaseUrged: _urged,
    e.CaseSupervised: _supervised,
    e.SupervisionExpired: _supervision_expired,
    e.CaseWithdrawn: _ended(Outcome.WITHDRAWN),
    e.CaseForceClosed: _ended(Outcome.FORCE_CLOSED),
    e.CaseRated: _rated,
    e.AppealFiled: _appeal_filed,
    e.AppealSupported: _appeal_in(AppealState.SECOND_REVIEW),
    e.AppealGranted: _appeal_in(AppealState.GRANTED),
    e.AppealRefused: _appeal_in(AppealState.REFUSED),
    e.CaseReopened: _reopened,
    e.CommentAdded: _nothing,
    e.DeadlinePassed: _deadline_passed,
    e.RungFired: _rung_fired,
    e.CalendarChanged: _calendar_changed,
    e.CaseArchived: _archived,
    e.CaseImported: _imported,
}
