"""What each command makes happen, once `lifecycle` has found that this caller may give it now.

One function per command: `(case, command, actor, now) -> facts`. It may still refuse for what only the body tells
(no photo, a date too far). None of them changes anything.
"""

from collections.abc import Callable
from datetime import MINYEAR, UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from domain import clock as clocks
from domain import commands as c
from domain import events as e
from domain.actors import Actor, Role
from domain.case import AppealState, Case, Reported
from domain.errors import Conflict, Forbidden, Invalid
from domain.events import Fact
from domain.limits import LEAST, MOST, Limit, LimitUnit
from domain.policy import Policy

#: A case that so many have reported is known well enough, and its state must stay small.
MOST_REPORTERS = 200

Facts = tuple[Fact, ...]
Decision = Callable[[Case, Any, Actor, datetime], Facts]


def need_photos(needed: int, given: tuple[str, ...]) -> None:
    if len(set(given)) < needed:
        raise Invalid("evidence_required", needed=needed, given=len(set(given)))


def verify(case: Case, command: c.Verify, actor: Actor, now: datetime) -> Facts:
    return (e.CaseVerified(note=command.note), *routed(case, case.rules.policy))


def routed(case: Reported, policy: Policy) -> Facts:
    """The dispatch that follows by itself where the routing table names a unit; otherwise a dispatcher decides."""
    unit = case.proposed_unit
    if not unit:
        return ()
    others = tuple(dict.fromkeys(co_unit for co_unit in case.proposed_co_units if co_unit != unit))
    return (e.CaseDispatched(unit=unit, co_units=others, routed=True, tasks=_have_tasks(policy, others)),)


def _have_tasks(policy: Policy, co_units: tuple[str, ...]) -> bool:
    return policy.co_units is not None and bool(co_units)


def dismiss(case: Case, command: c.Dismiss, actor: Actor, now: datetime) -> Facts:
    return (e.CaseDismissed(reason=command.reason),)


def assign(case: Case, command: c.Assign, actor: Actor, now: datetime) -> Facts:
    co_units = tuple(dict.fromkeys(command.co_units))
    if command.unit in co_units:
        raise Invalid("unit_twice", unit=command.unit)
    policy = case.rules.policy
    dispatched = e.CaseDispatched(
        unit=command.unit,
        co_units=co_units,
        final=case.returns >= policy.returns.final_after,
        reason=command.reason,
        instead_of=case.lead_unit,
        tasks=_have_tasks(policy, co_units),
    )
    return (dispatched,)


def accept(case: Case, command: c.Accept, actor: Actor, now: datetime) -> Facts:
    return (e.CaseAccepted(accepted_at=now),)


def return_(case: Case, command: c.Return, actor: Actor, now: datetime) -> Facts:
    unit = case.lead_unit or ""
    return (e.CaseReturned(unit=unit, reason=command.reason, suggested_unit=command.suggested_unit),)


def submit(case: Case, command: c.SubmitRectification, actor: Actor, now: datetime) -> Facts:
    need_photos(max(case.rules.policy.evidence.submit, case.photos or 0), command.evidence)
    if actor.unit != case.lead_unit:
        if command.milestone is not None:
            raise Invalid("milestone_not_yours")
        return (e.CoUnitSubmitted(unit=actor.unit or "", note=command.note, evidence=command.evidence),)
    if command.milestone is not None:
        return (_milestone(case, command, command.milestone, now),)
    if case.needs_plan and not (case.plan and case.plan.approved):
        raise Conflict("plan_required")
    pending = tuple(unit for unit in case.co_units if unit not in case.co_submitted)
    if pending and not _may_go_ahead(case, command):
        raise Conflict("co_units_pending", units=list(pending))
    return (_submission(case, command, actor, now, pending),)


def _may_go_ahead(case: Case, command: c.SubmitRectification) -> bool:
    co_units = case.rules.policy.co_units
    return command.ahead_because is not None and co_units is not None and co_units.lead_may_go_ahead


def _milestone(case: Case, command: c.SubmitRectification, number: int, now: datetime) -> Fact:
    following = case.milestones_done + 1
    if number != following or number >= len(case.milestones):
        raise Conflict("milestone_not_next", next=following, of=len(case.milestones))
    return e.MilestoneReported(
        milestone=number,
        note=command.note,
        evidence=command.evidence,
        late=case.milestones_missed >= number,
    )


def _submission(
    case: Case, command: c.SubmitRectification, actor: Actor, now: datetime, pending: tuple[str, ...]
) -> Fact:
    clock, calendar = case.unit_clock, case.unit_calendar
    used = clocks.elapsed(clock, calendar, now) if clock else timedelta(0)
    limit = clocks.total(clock, calendar) if clock else timedelta(0)
    return e.RectificationSubmitted(
        unit=actor.unit or "",
        note=command.note,
        evidence=command.evidence,
        used_seconds=round(used.total_seconds()),
        limit_seconds=round(limit.total_seconds()),
        without=pending,
        ahead_because=command.ahead_because if pending else None,
    )


def submit_plan(case: Case, command: c.SubmitPlan, actor: Actor, now: datetime) -> Facts:
    return (e.PlanSubmitted(text=command.text, evidence=command.evidence),)


def decide_plan(case: Case, command: c.DecidePlan, actor: Actor, now: datetime) -> Facts:
    decided = e.PlanApproved if command.grant else e.PlanRefused
    return (decided(reason=command.reason),)


def join(case: Case, command: c.Join, actor: Actor, now: datetime) -> Facts:
    if command.on_behalf_of and actor.role not in {Role.DISPATCHER, Role.SUPERVISOR}:
        raise Forbidden("on_behalf_not_yours")
    found_it = command.on_behalf_of or (actor.user,)
    new = tuple(user for user in dict.fromkeys(found_it) if user not in {case.reporter, *case.joined})
    if not new:
        raise Conflict("already_joined")
    if len(case.joined) + len(new) > MOST_REPORTERS:
        raise Conflict("too_many_joined", most=MOST_REPORTERS)
    joined = e.ReportJoined(
        reporters=new, description=command.description, evidence=command.evidence, location=command.location
    )
    return (joined,)


def request_extension(case: Case, command: c.RequestExtension, actor: Actor, now: datetime) -> Facts:
    return (e.ExtensionRequested(reason=command.reason),)


def decide_extension(case: Case, command: c.DecideExtension, actor: Actor, now: datetime) -> Facts:
    clock = case.unit_clock
    if not command.grant or clock is None:
        return (e.ExtensionRefused(reason=command.reason),)
    limit = _limit(clock.current_limit.value + clock.limit.value, clock.limit.unit)
    longer = clocks.change_limit(clock, limit, now)
    due = clocks.due_at(longer, case.unit_calendar, resume_at=case.suspended_until)
    return (e.ExtensionGranted(reason=command.reason, limit=limit, due_at=due),)


def suspend(case: Case, command: c.Suspend, actor: Actor, now: datetime) -> Facts:
    until = _instant(command, case.rules.calendar.zone)
    if until <= now:
        raise Invalid("suspension_in_the_past", until=until.isoformat())
    most = case.rules.policy.suspensions.max_days
    if until > now + timedelta(days=most):
        raise Invalid("suspension_too_long", max_days=most)
    return (e.CaseSuspended(reason=command.reason, until=until),)


def _instant(command: c.Suspend, zone: str) -> datetime:
    until = command.until
    if isinstance(until, datetime):
        return _utc(until)
    return _utc(datetime(until.year, until.month, until.day, tzinfo=ZoneInfo(zone)))


def _utc(at: datetime) -> datetime:
    """The nearest instant that UTC can name: 9999-12-31T23:00-12:00 has no such name."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if at.year > MINYEAR else datetime.min.replace(tzinfo=UTC)


def resume(case: Case, command: c.Resume, actor: Actor, now: datetime) -> Facts:
    return (e.SuspensionEnded(resumed_at=now, early=True),)


def inspect(case: Case, command: c.Inspect, actor: Actor, now: datetime) -> Facts:
    if command.result == "unable":
        return (e.InspectionImpossible(note=command.note, evidence=command.evidence),)
    need_photos(case.rules.policy.evidence.inspect, command.evidence)
    if command.result == "pass":
        return (e.InspectionPassed(note=command.note, evidence=command.evidence),)
    return (e.InspectionFailed(note=command.note, evidence=command.evidence, limit=_rework_limit(case)),)


def _rework_limit(case: Case) -> Limit:
    return _limit(case.limit.value * case.rules.policy.rework.share, case.limit.unit)


def _limit(value: Decimal, unit: LimitUnit) -> Limit:
    """As near to `value` as a limit can be."""
    return Limit(value=min(max(round(value, 6), LEAST), MOST), unit=unit)


def urge(case: Case, command: c.Urge, actor: Actor, now: datetime) -> Facts:
    return (e.CaseUrged(note=command.note),)


def supervise(case: Case, command: c.Supervise, actor: Actor, now: datetime) -> Facts:
    due = command.due and _utc(command.due)
    if due is not None and due <= now:
        raise Invalid("supervision_due_in_the_past", due=due.isoformat())
    return (e.CaseSupervised(requirement=command.requirement, due=due),)


def withdraw(case: Case, command: c.Withdraw, actor: Actor, now: datetime) -> Facts:
    return (e.CaseWithdrawn(reason=command.reason),)


def force_close(case: Case, command: c.ForceClose, actor: Actor, now: datetime) -> Facts:
    return (e.CaseForceClosed(reason=command.reason),)


def rate(case: Case, command: c.Rate, actor: Actor, now: datetime) -> Facts:
    return (e.CaseRated(score=command.score, comment=command.comment),)


def appeal(case: Case, command: c.FileAppeal, actor: Actor, now: datetime) -> Facts:
    return (e.AppealFiled(reason=command.reason, evidence=command.evidence),)


def decide_appeal(case: Case, command: c.DecideAppeal, actor: Actor, now: datetime) -> Facts:
    if not command.grant:
        return (e.AppealRefused(reason=command.reason),)
    if case.appeal is not None and case.appeal.state is AppealState.SECOND_REVIEW:
        return (e.AppealGranted(reason=command.reason),)
    return (e.AppealSupported(reason=command.reason),)


def reopen(case: Case, command: c.Reopen, actor: Actor, now: datetime) -> Facts:
    return (e.CaseReopened(reason=command.reason, limit=_rework_limit(case)),)


def comment(case: Case, command: c.Comment, actor: Actor, now: datetime) -> Facts:
    return (e.CommentAdded(text=command.text, evidence=command.evidence),)


def opened_by(report: c.Opening, *, trusted: bool) -> e.CaseOpened:
    return e.CaseOpened(case=report.id, trusted=trusted, rulebook=report.rules.digest, **report.reported())


def opening(report: c.Opening) -> Facts:
    """The facts a report begins with: opened, and then dispatched, self-handled, or waiting for somebody."""
    policy = report.rules.policy
    need_photos(policy.evidence.open, report.evidence)
    trusted = report.source in policy.trusted_sources and report.actor.role is not Role.RESIDENT
    opened = opened_by(report, trusted=trusted)
    if report.self_handled is not None:
        need_photos(policy.evidence.self_handled, report.evidence + report.self_handled.evidence)
        handled = e.CaseSelfHandled(note=report.self_handled.note, evidence=report.self_handled.evidence)
        return (opened, handled)
    return (opened, *routed(report, policy)) if trusted else (opened,)
