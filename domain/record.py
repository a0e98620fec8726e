"""What the workflow hands over to be written down: new events, and the case as they left it.

At least once, in order within a case; whoever writes it makes that exactly once (`seq` and `version` tell).
"""

from collections.abc import Iterable

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
    Event,
    ExtensionGranted,
    ExtensionRefused,
    InspectionFailed,
    InspectionPassed,
    MilestoneMissed,
    RungFired,
    SupervisionExpired,
)
from domain.policy import Audience, Rules


class Record(Value):
    """`rules` come along whenever the events may have changed them. `rewrite`: replace what is there of the events."""

    case: Snapshot
    events: tuple[Event, ...]
    rules: Rules | None = None
    rewrite: bool = False


#: Whom each kind of fact tells, beside the rungs, which name their own audience.
_TOLD: dict[type, tuple[Audience, ...]] = {
    CaseDispatched: (Audience.UNIT,),
    CaseReturned: (Audience.DISPATCHER,),
    CaseDismissed: (Audience.REPORTER,),
    CaseUrged: (Audience.UNIT,),
    CaseSupervised: (Audience.UNIT,),
    SupervisionExpired: (Audience.SUPERVISOR,),
    MilestoneMissed: (Audience.UNIT, Audience.DISPATCHER),
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


def recipient(audience: Audience, case: CaseFacts, unit: str | None) -> str:
    """Who that is: `unit`, a user, or the area whose role holders are meant. Empty where nobody holds that part."""
    if audience is Audience.UNIT:
        return unit or ""
    if audience is Audience.REPORTER:
        return case.reporter
    return "/" + case.area.split("/")[1] if audience is Audience.CITY else case.area
