"""What the workflow hands over to be written down: new events, and the case as they left it.

At least once, in order within a case; whoever writes it makes that exactly once (`seq` and `version` tell).
"""

from collections.abc import Iterable
from datetime import datetime

from domain.base import Value
from domain.case import CaseFacts, Snapshot
from domain.events import (
    AppealGranted,
    AppealRefused,
    CaseDismissed,
    CaseDispatched,
    CaseReopened,
    CaseReturned,
    CaseSupervised,
    CaseUrged,
    CoUnitLate,
    Event,
    ExtensionGranted,
    ExtensionRefused,
    Fact,
    InspectionFailed,
    InspectionPassed,
    MilestoneMissed,
    PlanApproved,
    PlanRefused,
    PlanSubmitted,
    ReportJoined,
    RungFired,
    SupervisionExpired,
)
from domain.policy import Audience, Rules


class Record(Value):
    """`rules` come along whenever the events may have changed them. `rewrite`: replace what is there of the events.

    `begun`: when the attempt at it was asked for, which the case itself does not know; None: before all that is known.
    """

    case: Snapshot
    events: tuple[Event, ...]
    rules: Rules | None = None
    rewrite: bool = False
    begun: datetime | None = None


#: Whom each kind of fact tells, beside the rungs, which name their own audience.
_TOLD: dict[type, tuple[Audience, ...]] = {
    CaseDispatched: (Audience.UNIT,),
    CaseReturned: (Audience.DISPATCHER,),
    CaseDismissed: (Audience.REPORTER,),
    CaseUrged: (Audience.UNIT,),
    CaseSupervised: (Audience.UNIT,),
    SupervisionExpired: (Audience.SUPERVISOR,),
    MilestoneMissed: (Audience.UNIT, Audience.DISPATCHER),
    CoUnitLate: (Audience.UNIT, Audience.DISPATCHER),
    PlanSubmitted: (Audience.DISPATCHER,),
    PlanApproved: (Audience.UNIT,),
    PlanRefused: (Audience.UNIT,),
    ReportJoined: (Audience.REPORTER,),
    ExtensionGranted: (Audience.UNIT,),
    ExtensionRefused: (Audience.UNIT,),
    InspectionFailed: (Audience.UNIT,),
    InspectionPassed: (Audience.UNIT, Audience.REPORTER),
    CaseReopened: (Audience.UNIT,),
    AppealGranted: (Audience.UNIT,),
    AppealRefused: (Audience.UNIT,),
}


def told(event: Event) -> tuple[Audience, ...]:
    """The audiences that get a notice of this event."""
    fact = event.fact
    return fact.notify if isinstance(fact, RungFired) else _TOLD.get(type(fact), ())


def holders(case: CaseFacts, events: Iterable[Event]) -> dict[int, str | None]:
    """The unit that held the case after each event, where `case` is as the last of them left it."""
    events = tuple(events)
    moves = [event.fact for event in events if isinstance(event.fact, CaseDispatched | CaseReturned)]
    unit = _before(moves[0]) if moves else case.lead_unit
    held: dict[int, str | None] = {}
    for event in events:
        if isinstance(event.fact, CaseDispatched | CaseReturned):
            unit = event.fact.unit if isinstance(event.fact, CaseDispatched) else None
        held[event.seq] = unit
    return held


def _before(move: CaseDispatched | CaseReturned) -> str | None:
    return move.unit if isinstance(move, CaseReturned) else move.instead_of


def recipients(audience: Audience, case: CaseFacts, unit: str | None, fact: Fact) -> tuple[str, ...]:
    """Who that is: units (the one that holds the case first), users, or the area whose role holders are meant."""
    match audience:
        case Audience.UNIT:
            return _units(case, unit, fact)
        case Audience.REPORTER:
            return fact.reporters if isinstance(fact, ReportJoined) else (case.reporter, *case.joined)
        case Audience.CITY:
            return ("/" + case.area.split("/")[1],)
        case _:
            return (case.area,)


def _units(case: CaseFacts, unit: str | None, fact: Fact) -> tuple[str, ...]:
    lead = (unit,) if unit else ()
    match fact:
        case CoUnitLate():
            return (fact.unit,)
        case CaseDispatched():
            return (*lead, *fact.co_units) if fact.tasks else lead
        case InspectionFailed() | CaseReopened():
            return (*lead, *(task.unit for task in case.co_tasks))
        case _:
            return lead
