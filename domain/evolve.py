"""How each fact changes the case. No rule is judged here: what happened, happened.

`evolve(case, event)` is total: every fact has exactly one function below, and each returns only what changes.
"""

from collections.abc import Callable
from typing import Any

from domain import clock as clocks
from domain import events as e
from domain.case import (
    Appeal,
    AppealState,
    Case,
    CoTask,
    FiredRung,
    Outcome,
    Plan,
    Rating,
    Stage,
    Submission,
    Supervision,
)
from domain.changed_rules import calendar_changed, relieved, rules_changed
from domain.events import Event
from domain.passages import (
    Changes,
    close,
    co_tasks,
    end,
    enter,
    next_round,
    on_tasks,
    rearmed,
    stage_clock,
    unit_clock,
)
from domain.policy import ClockKind, Rules, shared


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
        stage_clock=stage_clock(rules, fact.limit, kind, event.at),
        rules=rules,
        **fact.reported(),
    )


def evolve(case: Case, event: Event) -> Case:
    changes = _CHANGES[type(event.fact)](case, event, event.fact)
    return case.model_copy(update={"version": event.seq, "updated_at": event.at, **changes})


def _ended(outcome: Outcome) -> Callable[[Case, Event, object], Changes]:
    return lambda case, event, _: end(case, event, outcome)


def author(event: Event) -> str:
    return event.by.user if event.by else "system"


def _opened(case: Case, event: Event, fact: e.CaseOpened) -> Changes:
    raise TypeError(f"{case.id} was opened already")


def _self_handled(case: Case, event: Event, fact: e.CaseSelfHandled) -> Changes:
    return {
        **close(case, event.at, Outcome.SELF_HANDLED),
        "submission": _submission(event, "", fact),
        "fixers": (author(event),),
    }


def _submission(event: Event, unit: str, fact: e.CaseSelfHandled | e.RectificationSubmitted) -> Submission:
    return Submission(at=event.at, by=author(event), unit=unit, note=fact.note, evidence=fact.evidence)


def _verified(case: Case, event: Event, fact: e.CaseVerified) -> Changes:
    return enter(case, Stage.ASSIGNMENT, event.at, ClockKind.DISPATCH)


def _dispatched(case: Case, event: Event, fact: e.CaseDispatched) -> Changes:
    rules = {"rules": shared(case.rules.changed(units=fact.calendars))} if fact.calendars else {}
    return {
        **rules,
        **enter(case, Stage.ASSIGNMENT, event.at, ClockKind.ACCEPTANCE),
        "fired": rearmed(case, ClockKind.ACCEPTANCE, ClockKind.UNIT),
        "lead_unit": fact.unit,
        "co_units": fact.co_units,
        "co_submitted": (),
        "co_tasks": co_tasks(case, fact.co_units if fact.tasks else (), case.limit, event.at),
        "plan": None,
        "final_assignment": fact.final,
        "dispatched_at": event.at,
        "dispatches": case.dispatches + 1,
        "accepted_at": None,
        "unit_clock": unit_clock(case, case.limit, event.at),
        "round_overdue": False,
        "milestones_done": 0,
        "milestones_missed": 0,
    }


def _accepted(case: Case, event: Event, fact: e.CaseAccepted) -> Changes:
    late = case.late_since if case.round_overdue else None
    return {
        **enter(case, Stage.RECTIFICATION, event.at, None),
        "accepted_at": fact.accepted_at,
        "late_since": late,
    }


def _returned(case: Case, event: Event, fact: e.CaseReturned) -> Changes:
    return {
        **enter(case, Stage.ASSIGNMENT, event.at, ClockKind.DISPATCH),
        "lead_unit": None,
        "co_units": (),
        "co_tasks": (),
        "dispatched_at": None,
        "accepted_at": None,
        "unit_clock": None,
        "extension_pending": False,
        "suspended_until": None,
        "returns": case.returns + 1,
    }


def _milestone_reported(case: Case, event: Event, fact: e.MilestoneReported) -> Changes:
    return {"milestones_done": fact.milestone, "fixers": _with(case.fixers, author(event))}


def _milestone_missed(case: Case, event: Event, fact: e.MilestoneMissed) -> Changes:
    return {"milestones_missed": fact.milestone}


def _co_submitted(case: Case, event: Event, fact: e.CoUnitSubmitted) -> Changes:
    def done(task: CoTask) -> CoTask:
        if task.unit != fact.unit:
            return task
        return task.model_copy(update={"clock": clocks.stop(task.clock, event.at), "submitted_at": event.at})

    return {
        "co_submitted": _with(case.co_submitted, fact.unit),
        "co_tasks": tuple(done(task) for task in case.co_tasks),
        "fixers": _with(case.fixers, author(event)),
    }


def _co_unit_late(case: Case, event: Event, fact: e.CoUnitLate) -> Changes:
    late = (task.model_copy(update={"overdue": True}) if task.unit == fact.unit else task for task in case.co_tasks)
    return {"co_tasks": tuple(late)}


def _plan_submitted(case: Case, event: Event, fact: e.PlanSubmitted) -> Changes:
    return {"plan": Plan(text=fact.text, evidence=fact.evidence, by=author(event))}


def _plan_decided(*, approved: bool) -> Callable[[Case, Event, object], Changes]:
    return lambda case, *_: {"plan": case.plan and case.plan.model_copy(update={"approved": approved})}


def _joined(case: Case, event: Event, fact: e.ReportJoined) -> Changes:
    return {"joined": tuple(dict.fromkeys((*case.joined, *fact.reporters)))}


def _submitted(case: Case, event: Event, fact: e.RectificationSubmitted) -> Changes:
    clock = case.unit_clock
    return {
        **enter(case, Stage.REINSPECTION, event.at, ClockKind.INSPECTION),
        "unit_clock": clock and clocks.stop(clock, event.at),
        "co_tasks": on_tasks(case, lambda its: clocks.stop(its, event.at)),
        "suspended_until": None,
        "extension_pending": False,
        "milestones_done": len(case.milestones),
        "submission": _submission(event, fact.unit, fact),
        "fixers": _with(case.fixers, author(event)),
    }


def _extension_requested(case: Case, event: Event, fact: e.ExtensionRequested) -> Changes:
    return {"extension_pending": True}


def _extension_granted(case: Case, event: Event, fact: e.ExtensionGranted) -> Changes:
    clock = case.unit_clock and clocks.change_limit(case.unit_clock, fact.limit, event.at)
    tasks = on_tasks(case, lambda its: clocks.change_limit(its, fact.limit, event.at))
    longer = {
        "extension_pending": False,
        "extensions": case.extensions + 1,
        "unit_clock": clock,
        "co_tasks": tuple(task.model_copy(update={"overdue": False}) for task in tasks),
    }
    return {**longer, **relieved(case.model_copy(update=longer), event.at)}


def _extension_refused(case: Case, event: Event, fact: e.ExtensionRefused) -> Changes:
    return {"extension_pending": False}


def _suspended(case: Case, event: Event, fact: e.CaseSuspended) -> Changes:
    return {
        "suspended_until": fact.until,
        "suspensions": case.suspensions + 1,
        "unit_clock": case.unit_clock and clocks.pause(case.unit_clock, event.at),
        "co_tasks": on_tasks(case, lambda clock: clocks.pause(clock, event.at)),
    }


def _suspension_ended(case: Case, event: Event, fact: e.SuspensionEnded) -> Changes:
    return {
        "suspended_until": None,
        "unit_clock": case.unit_clock and clocks.resume(case.unit_clock, fact.resumed_at),
        "co_tasks": on_tasks(case, lambda clock: clocks.resume(clock, fact.resumed_at)),
    }


def _passed(case: Case, event: Event, fact: e.InspectionPassed) -> Changes:
    return close(case, event.at, Outcome.RECTIFIED)


def _failed(case: Case, event: Event, fact: e.InspectionFailed) -> Changes:
    return {**next_round(case, fact.limit, event.at), "failed_inspections": case.failed_inspections + 1}


def _impossible(case: Case, event: Event, fact: e.InspectionImpossible) -> Changes:
    """The limit starts anew, the rungs that fired do not: each fires once per round."""
    return {
        **enter(case, Stage.REINSPECTION, event.at, ClockKind.INSPECTION),
        "fired": case.fired,
        "unable_by": _with(case.unable_by, author(event)),
    }


def _urged(case: Case, event: Event, fact: e.CaseUrged) -> Changes:
    return {"urges": case.urges + 1}


def _supervised(case: Case, event: Event, fact: e.CaseSupervised) -> Changes:
    return {"supervision": Supervision(requirement=fact.requirement, due=fact.due, by=author(event))}


def _supervision_expired(case: Case, event: Event, fact: e.SupervisionExpired) -> Changes:
    return {"supervision": case.supervision and case.supervision.model_copy(update={"expired": True})}


def _rated(case: Case, event: Event, fact: e.CaseRated) -> Changes:
    return {"rating": Rating(score=fact.score, comment=fact.comment)}


def _appeal_filed(case: Case, event: Event, fact: e.AppealFiled) -> Changes:
    return {"appeal": Appeal(reason=fact.reason, by=author(event))}


def _appeal_in(state: AppealState) -> Callable[[Case, Event, Any], Changes]:
    def reviewed(case: Case, event: Event, fact: object) -> Changes:
        appeal = case.appeal
        review = {"state": state, "reviewers": _with(appeal.reviewers if appeal else (), author(event))}
        return {
            "appeal": appeal and appeal.model_copy(update=review),
            "exempt": case.exempt or state is AppealState.GRANTED,
        }

    return reviewed


def _reopened(case: Case, event: Event, fact: e.CaseReopened) -> Changes:
    """What was under supervision has been closed: its old date means nothing to the next round."""
    return {**next_round(case, fact.limit, event.at), "supervision": None}


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


def _archived(case: Case, event: Event, fact: e.CaseArchived) -> Changes:
    return {"stage": Stage.ARCHIVED, "stage_clock": None, "late_since": None}


def _imported(case: Case, event: Event, fact: e.CaseImported) -> Changes:
    """Whether it was late nobody here can tell: no clock of ours has run."""
    return {**end(case, event, fact.outcome), "lead_unit": fact.unit}


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
    e.CoUnitLate: _co_unit_late,
    e.PlanSubmitted: _plan_submitted,
    e.PlanApproved: _plan_decided(approved=True),
    e.PlanRefused: _plan_decided(approved=False),
    e.ReportJoined: _joined,
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
    e.CalendarChanged: calendar_changed,
    e.RulesChanged: rules_changed,
    e.CaseArchived: _archived,
    e.CaseImported: _imported,
}
