"""What happened to a case, in the past tense. The log of these is the case file; nothing is ever taken back.

An `Event` is a fact (`Fact`, one class per kind) with its number in the case, its instant and its author.
`by` is None for what the clock did by itself.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_serializer

from domain.actors import Actor
from domain.base import Value
from domain.calendar import Calendar
from domain.case import Location, Outcome, Reported
from domain.limits import Limit
from domain.policy import Audience, ClockKind, Ladder, Policy, RungAction, UnitCalendar


class CaseOpened(Reported):
    """Dispatched to `proposed_unit` once it counts as real: at once if `trusted`, otherwise when it is verified.

    `rulebook` is the digest of the rules it was opened under.
    """

    type: Literal["CaseOpened"] = "CaseOpened"
    case: str
    trusted: bool
    rulebook: str | None = None


class CaseSelfHandled(Value):
    type: Literal["CaseSelfHandled"] = "CaseSelfHandled"
    note: str
    evidence: tuple[str, ...]


class CaseVerified(Value):
    type: Literal["CaseVerified"] = "CaseVerified"
    note: str | None


class CaseDismissed(Value):
    type: Literal["CaseDismissed"] = "CaseDismissed"
    reason: str


class CaseDispatched(Value):
    """The unit's clock starts here. `routed`: by the routing table at opening, not by a dispatcher.

    `instead_of`: the unit that had the case until then, and did not return it. `calendars`: of those of its units that
    have their own. `tasks`: each co-unit has a clock and hears of it.
    """

    type: Literal["CaseDispatched"] = "CaseDispatched"
    unit: str
    co_units: tuple[str, ...] = ()
    final: bool = False
    routed: bool = False
    reason: str | None = None
    instead_of: str | None = None
    calendars: tuple[UnitCalendar, ...] = ()
    tasks: bool = False


class CaseAccepted(Value):
    """`deemed`: the acceptance limit ran out and policy takes silence for acceptance, at `accepted_at`."""

    type: Literal["CaseAccepted"] = "CaseAccepted"
    accepted_at: datetime
    deemed: bool = False


class CaseReturned(Value):
    type: Literal["CaseReturned"] = "CaseReturned"
    unit: str
    reason: str
    suggested_unit: str | None = None


class MilestoneReported(Value):
    type: Literal["MilestoneReported"] = "MilestoneReported"
    milestone: int
    note: str
    evidence: tuple[str, ...]
    late: bool


class MilestoneMissed(Value):
    type: Literal["MilestoneMissed"] = "MilestoneMissed"
    milestone: int
    due_at: datetime


class CoUnitSubmitted(Value):
    type: Literal["CoUnitSubmitted"] = "CoUnitSubmitted"
    unit: str
    note: str
    evidence: tuple[str, ...]


class CoUnitLate(Value):
    """A co-unit's own limit ran out at `due_at`, and it has not submitted."""

    type: Literal["CoUnitLate"] = "CoUnitLate"
    unit: str
    due_at: datetime


class PlanSubmitted(Value):
    """What the unit means to do, for works that need a plan 方案 first."""

    type: Literal["PlanSubmitted"] = "PlanSubmitted"
    text: str
    evidence: tuple[str, ...]


class PlanApproved(Value):
    type: Literal["PlanApproved"] = "PlanApproved"
    reason: str


class PlanRefused(Value):
    type: Literal["PlanRefused"] = "PlanRefused"
    reason: str


class ReportJoined(Value):
    """The same was found by others: `reporters`, who from now on hear of the case."""

    type: Literal["ReportJoined"] = "ReportJoined"
    reporters: tuple[str, ...]
    description: str
    evidence: tuple[str, ...]
    location: Location | None = None


class RectificationSubmitted(Value):
    """Stops the unit's clock. `used_seconds` of `limit_seconds`, in the limit's own kind of time.

    `without`: co-units that had not submitted, for the reason `ahead_because`.
    """

    type: Literal["RectificationSubmitted"] = "RectificationSubmitted"
    unit: str
    note: str
    evidence: tuple[str, ...]
    used_seconds: int
    limit_seconds: int
    without: tuple[str, ...] = ()
    ahead_because: str | None = None


class ExtensionRequested(Value):
    type: Literal["ExtensionRequested"] = "ExtensionRequested"
    reason: str


class ExtensionGranted(Value):
    type: Literal["ExtensionGranted"] = "ExtensionGranted"
    reason: str
    limit: Limit
    due_at: datetime | None


class ExtensionRefused(Value):
    type: Literal["ExtensionRefused"] = "ExtensionRefused"
    reason: str


class CaseSuspended(Value):
    type: Literal["CaseSuspended"] = "CaseSuspended"
    reason: str
    until: datetime


class SuspensionEnded(Value):
    """The clock runs on from `resumed_at`: the agreed date, or earlier by a `resume`."""

    type: Literal["SuspensionEnded"] = "SuspensionEnded"
    resumed_at: datetime
    early: bool


class InspectionPassed(Value):
    type: Literal["InspectionPassed"] = "InspectionPassed"
    note: str
    evidence: tuple[str, ...]


class InspectionFailed(Value):
    """Starts the next round, with `limit`."""

    type: Literal["InspectionFailed"] = "InspectionFailed"
    note: str
    evidence: tuple[str, ...]
    limit: Limit


class InspectionImpossible(Value):
    """Nobody could look (locked gate, flooded lane); another officer takes over, the inspection limit starts anew."""

    type: Literal["InspectionImpossible"] = "InspectionImpossible"
    note: str
    evidence: tuple[str, ...]


class CaseUrged(Value):
    type: Literal["CaseUrged"] = "CaseUrged"
    note: str


class CaseSupervised(Value):
    type: Literal["CaseSupervised"] = "CaseSupervised"
    requirement: str
    due: datetime | None


class SupervisionExpired(Value):
    type: Literal["SupervisionExpired"] = "SupervisionExpired"
    due: datetime


class CaseWithdrawn(Value):
    type: Literal["CaseWithdrawn"] = "CaseWithdrawn"
    reason: str


class CaseForceClosed(Value):
    type: Literal["CaseForceClosed"] = "CaseForceClosed"
    reason: str


class CaseRated(Value):
    type: Literal["CaseRated"] = "CaseRated"
    score: int
    comment: str | None


class AppealFiled(Value):
    type: Literal["AppealFiled"] = "AppealFiled"
    reason: str
    evidence: tuple[str, ...]


class AppealSupported(Value):
    """The first of the two reviewers agrees with the unit; the second decides."""

    type: Literal["AppealSupported"] = "AppealSupported"
    reason: str


class AppealGranted(Value):
    """The case no longer counts in scores. That it was overdue stays visible."""

    type: Literal["AppealGranted"] = "AppealGranted"
    reason: str


class AppealRefused(Value):
    type: Literal["AppealRefused"] = "AppealRefused"
    reason: str


class CaseReopened(Value):
    type: Literal["CaseReopened"] = "CaseReopened"
    reason: str
    limit: Limit


class CommentAdded(Value):
    type: Literal["CommentAdded"] = "CommentAdded"
    text: str
    evidence: tuple[str, ...]


class DeadlinePassed(Value):
    """The deadline of `clock` passed at `due_at` with nothing done. For the unit's clock this is the overdue mark."""

    type: Literal["DeadlinePassed"] = "DeadlinePassed"
    clock: ClockKind
    due_at: datetime


class RungFired(Value):
    """A rung of the escalation ladder, due at `due_at`. `share` or `count` says what set it off."""

    type: Literal["RungFired"] = "RungFired"
    rung: str
    clock: ClockKind
    action: RungAction
    level: int
    notify: tuple[Audience, ...]
    round: int
    dispatch: int
    times: int = 1
    due_at: datetime
    share: Decimal | None = None
    count: int | None = None


class CalendarChanged(Value):
    """A new calendar version reached the running case; the deadline moved from `due_before` to `due_after`."""

    type: Literal["CalendarChanged"] = "CalendarChanged"
    calendar: Calendar
    due_before: datetime | None
    due_after: datetime | None


class RulesChanged(Value):
    """A new policy or ladder reached the running case; the deadline moved from `due_before` to `due_after`."""

    type: Literal["RulesChanged"] = "RulesChanged"
    policy: Policy
    ladder: Ladder
    due_before: datetime | None
    due_after: datetime | None


class CaseArchived(Value):
    type: Literal["CaseArchived"] = "CaseArchived"


class CaseImported(Value):
    """It had ended, as the ledger of `system` tells, before it came here at `imported_at`. Nothing else is known.

    `status` is the ledger's own word for it. The event's instant is the one at which the ledger says it ended.
    """

    type: Literal["CaseImported"] = "CaseImported"
    system: str
    status: str | None
    unit: str | None
    outcome: Outcome
    imported_at: datetime


Fact = (
    CaseOpened
    | CaseSelfHandled
    | CaseVerified
    | CaseDismissed
    | CaseDispatched
    | CaseAccepted
    | CaseReturned
    | MilestoneReported
    | MilestoneMissed
    | CoUnitSubmitted
    | CoUnitLate
    | PlanSubmitted
    | PlanApproved
    | PlanRefused
    | ReportJoined
    | RectificationSubmitted
    | ExtensionRequested
    | ExtensionGranted
    | ExtensionRefused
    | CaseSuspended
    | SuspensionEnded
    | InspectionPassed
    | InspectionFailed
    | InspectionImpossible
    | CaseUrged
    | CaseSupervised
    | SupervisionExpired
    | CaseWithdrawn
    | CaseForceClosed
    | CaseRated
    | AppealFiled
    | AppealSupported
    | AppealGranted
    | AppealRefused
    | CaseReopened
    | CommentAdded
    | DeadlinePassed
    | RungFired
    | CalendarChanged
    | RulesChanged
    | CaseArchived
    | CaseImported
)


class Event(Value):
    """`seq` counts from 1 without gaps within a case. `command_id` is the update that caused it, if one did."""

    seq: int
    at: datetime
    by: Actor | None
    command_id: str | None = None
    fact: Annotated[Fact, Field(discriminator="type")]

    @field_serializer("fact", mode="wrap")
    def _with_its_type(self, fact: Fact, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Also where defaults are left out: without it nobody could tell what it is."""
        return {**dump(fact), "type": fact.type}
