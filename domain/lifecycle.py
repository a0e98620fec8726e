"""The state machine, as one table: which command, in which stages, by whose hand, under which conditions.

`docs/states.md` is printed from it. The loop from report to closure is that of GB/T 30428.8; that nobody may ask for
more time after the limit, and whose hand may undo what, is as cities' running systems have it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from domain import commands as c
from domain import decisions as d
from domain.actors import Actor, Role
from domain.case import OPEN, RUNNING, AppealState, Case, CaseFacts, Stage
from domain.errors import Conflict, Forbidden, NotVisible, RectifyError
from domain.permissions import Hand, holds, may_see, role_could


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition on the case's state; `code` is the conflict when it does not hold."""

    code: str
    holds: Callable[[Case], bool]


@dataclass(frozen=True, slots=True)
class CallerGuard:
    """A condition on the caller and the facts together; raised as `error`."""

    code: str
    error: type[RectifyError]
    holds: Callable[[Actor, CaseFacts], bool]


EXTENSION_LEFT = Guard("extensions_used_up", lambda k: k.extensions < k.rules.policy.extensions.max_granted)
NO_EXTENSION_PENDING = Guard("extension_pending", lambda k: not k.extension_pending)
EXTENSION_PENDING = Guard("no_extension_pending", lambda k: k.extension_pending)
NOT_OVERDUE = Guard("already_overdue", lambda k: not k.round_overdue)
SUSPENSION_LEFT = Guard("suspensions_used_up", lambda k: k.suspensions < k.rules.policy.suspensions.max_granted)
NOT_SUSPENDED = Guard("already_suspended", lambda k: k.suspended_until is None)
SUSPENDED = Guard("not_suspended", lambda k: k.suspended_until is not None)
RETURNABLE = Guard(
    "return_not_allowed_after_acceptance",
    lambda k: k.stage is Stage.ASSIGNMENT or k.rules.policy.returns.in_rectification,
)
NOT_FINAL = Guard("assignment_is_final", lambda k: not k.final_assignment)
NOT_RATED = Guard("already_rated", lambda k: k.rating is None)
WAS_OVERDUE = Guard("nothing_to_appeal", lambda k: k.overdue)
NO_APPEAL = Guard("already_appealed", lambda k: k.appeal is None)
APPEAL_PENDING = Guard(
    "no_appeal_pending",
    lambda k: k.appeal is not None and k.appeal.state in {AppealState.PENDING, AppealState.SECOND_REVIEW},
)

NEEDS_PLAN = Guard("no_plan_needed", lambda k: k.needs_plan)
NO_PLAN_APPROVED = Guard("plan_already_approved", lambda k: not (k.plan and k.plan.approved))
PLAN_PENDING = Guard("no_plan_pending", lambda k: k.plan is not None and k.plan.approved is None)

NOT_JOINED = CallerGuard(
    "already_joined",
    Conflict,
    lambda a, k: a.role in {Role.DISPATCHER, Role.SUPERVISOR} or a.user not in {k.reporter, *k.joined},
)
CO_UNIT_ONCE = CallerGuard(
    "already_submitted", Conflict, lambda a, k: a.unit == k.lead_unit or a.unit not in k.co_submitted
)
OTHER_REVIEWER = CallerGuard(
    "separation_of_duties", Forbidden, lambda a, k: k.appeal is None or a.user not in k.appeal.reviewers
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `leads_to` is for the reader; what really happens is `decision`."""

    command: type[c.Command]
    decision: d.Decision
    stages: frozenset[Stage]
    hands: tuple[Hand, ...]
    leads_to: str
    guards: tuple[Guard, ...] = ()
    caller_guards: tuple[CallerGuard, ...] = ()


_MANAGERS = (Hand.DISPATCHER, Hand.SUPERVISOR)
_INTAKE = frozenset({Stage.INTAKE})
_ASSIGNMENT = frozenset({Stage.ASSIGNMENT})
_RECTIFICATION = frozenset({Stage.RECTIFICATION})
_REINSPECTION = frozenset({Stage.REINSPECTION})
_CLOSURE = frozenset({Stage.CLOSURE})
_BEFORE_INSPECTION = OPEN - _REINSPECTION

TABLE: tuple[Rule, ...] = (
    Rule(c.Verify, d.verify, _INTAKE, (Hand.OFFICER, *_MANAGERS), "assignment"),
    Rule(c.Dismiss, d.dismiss, _INTAKE, _MANAGERS, "dismissed ■"),
    Rule(c.Assign, d.assign, _ASSIGNMENT, _MANAGERS, "assignment (dispatched)"),
    Rule(c.Accept, d.accept, _ASSIGNMENT, (Hand.LEAD_UNIT,), "rectification"),
    Rule(
        c.Return,
        d.return_,
        _ASSIGNMENT | _RECTIFICATION,
        (Hand.LEAD_UNIT,),
        "assignment (waits for a dispatcher)",
        (RETURNABLE, NOT_FINAL),
    ),
    Rule(
        c.SubmitRectification,
        d.submit,
        _RECTIFICATION,
        (Hand.LEAD_UNIT, Hand.CO_UNIT),
        "reinspection (the lead's); stays (a co-unit's, a milestone's)",
        caller_guards=(CO_UNIT_ONCE,),
    ),
    Rule(
        c.SubmitPlan,
        d.submit_plan,
        _RECTIFICATION,
        (Hand.LEAD_UNIT,),
        "stays, its plan waits to be decided on",
        (NEEDS_PLAN, NO_PLAN_APPROVED),
    ),
    Rule(c.DecidePlan, d.decide_plan, _RECTIFICATION, _MANAGERS, "stays", (PLAN_PENDING,)),
    Rule(
        c.RequestExtension,
        d.request_extension,
        _RECTIFICATION,
        (Hand.LEAD_UNIT,),
        "stays",
        (NOT_OVERDUE, NO_EXTENSION_PENDING, EXTENSION_LEFT),
    ),
    Rule(
        c.DecideExtension,
        d.decide_extension,
        _RECTIFICATION,
        _MANAGERS,
        "stays, with one more limit if granted",
        (EXTENSION_PENDING,),
    ),
    Rule(
        c.Suspend,
        d.suspend,
        _RECTIFICATION,
        _MANAGERS,
        "stays, its clock stands still",
        (NOT_OVERDUE, NOT_SUSPENDED, SUSPENSION_LEFT),
    ),
    Rule(c.Resume, d.resume, _RECTIFICATION, _MANAGERS, "stays, its clock runs on", (SUSPENDED,)),
    Rule(
        c.Inspect,
        d.inspect,
        _REINSPECTION,
        (Hand.INSPECTOR,),
        "closure (pass); rectification, next round (fail); stays (unable)",
    ),
    Rule(c.Urge, d.urge, OPEN, _MANAGERS, "stays"),
    Rule(c.Supervise, d.supervise, OPEN, (Hand.SUPERVISOR,), "stays"),
    Rule(c.Withdraw, d.withdraw, _BEFORE_INSPECTION, (*_MANAGERS, Hand.REPORTER), "withdrawn ■"),
    Rule(c.ForceClose, d.force_close, OPEN, (Hand.SUPERVISOR,), "force_closed ■"),
    Rule(c.Rate, d.rate, _CLOSURE, (Hand.RESIDENT_REPORTER,), "stays", (NOT_RATED,)),
    Rule(c.FileAppeal, d.appeal, _CLOSURE, (Hand.LEAD_UNIT,), "stays", (WAS_OVERDUE, NO_APPEAL)),
    Rule(
        c.DecideAppeal,
        d.decide_appeal,
        _CLOSURE,
        _MANAGERS,
        "stays; exempt when both reviewers grant",
        (APPEAL_PENDING,),
        (OTHER_REVIEWER,),
    ),
    Rule(c.Reopen, d.reopen, _CLOSURE, _MANAGERS, "rectification, next round"),
    Rule(c.Join, d.join, OPEN, (Hand.WITNESS,), "stays, with another reporter", caller_guards=(NOT_JOINED,)),
    Rule(c.Comment, d.comment, RUNNING, (Hand.ANYBODY,), "stays"),
)
RULES: dict[str, Rule] = {rule.command.name: rule for rule in TABLE}


def decide(case: Case, command: c.Command, actor: Actor, now: datetime) -> d.Facts:
    """What `command` makes happen at `now`, or the error that says why it may not.

    Raises NotVisible, Forbidden, Conflict (with `stage` and the caller's `actions`) or Invalid, in that order.
    """
    rule = RULES[command.name]
    try:
        authorise(rule, actor, case)
        _check_state(rule, actor, case)
        return rule.decision(case, command, actor, now)
    except Conflict as conflict:
        raise Conflict(
            conflict.code,
            **{**conflict.params, "stage": case.stage.value, "actions": list(actions(case, actor))},
        ) from None


def state_allows(case: Case) -> tuple[str, ...]:
    """The commands that the state allows to somebody."""
    return tuple(rule.command.name for rule in TABLE if case.stage in rule.stages and _unmet(rule, case) is None)


def allowed(commands: tuple[str, ...], actor: Actor, case: CaseFacts) -> Iterator[str]:
    """Those of `commands` that this caller may give now."""
    if not may_see(actor, case):
        return
    for name in commands:
        rule = RULES[name]
        by_hand = any(holds(actor, hand, case) for hand in rule.hands)
        if by_hand and all(guard.holds(actor, case) for guard in rule.caller_guards):
            yield name


def actions(case: Case, actor: Actor) -> tuple[str, ...]:
    return tuple(allowed(state_allows(case), actor, case))


def authorise(rule: Rule, actor: Actor, case: CaseFacts) -> None:
    """Raises NotVisible or Forbidden unless one of the rule's hands is the caller's, whatever the stage.

    A witness need not see the case: that it is the same that he has found, the API makes sure of.
    """
    witness = Hand.WITNESS in rule.hands and holds(actor, Hand.WITNESS, case)
    if not may_see(actor, case) and not witness:
        raise NotVisible("case_not_found")
    if any(holds(actor, hand, case) for hand in rule.hands):
        return
    if Hand.INSPECTOR in rule.hands and role_could(actor, Hand.INSPECTOR):
        raise Forbidden("separation_of_duties")
    raise Forbidden("role_forbidden", command=rule.command.name, role=actor.role.value)


def _check_state(rule: Rule, actor: Actor, case: Case) -> None:
    if case.stage not in rule.stages:
        raise Conflict("stage_forbids", command=rule.command.name)
    unmet = _unmet(rule, case)
    if unmet is not None:
        raise Conflict(unmet.code)
    for guard in rule.caller_guards:
        if not guard.holds(actor, case):
            raise guard.error(guard.code)


def _unmet(rule: Rule, case: Case) -> Guard | None:
    return next((guard for guard in rule.guards if not guard.holds(case)), None)
