"""Why a deadline is what it is: what was counted, what was not, and by whose calendar."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from api.auth import Caller
from api.problems import RESPONSES
from api.reading import rules_of, visible_case, zone_of
from api.services import Injected
from domain.alarms import waits_on
from domain.calendar import Calendar
from domain.case import Snapshot, Stage
from domain.clock import Clock
from domain.errors import Invalid
from domain.explain import Explanation, explain
from domain.policy import ClockKind

_FURTHEST = timedelta(days=3653)

router = APIRouter(prefix="/cases", tags=["cases"], responses=RESPONSES)


class WholeLife(BaseModel):
    """From discovery to closure; nothing pauses it."""

    since: datetime
    until: datetime | None
    seconds: float


class DeadlineView(BaseModel):
    """`clock` says whose deadline `due_at` is; `explanation` is that clock's, or the unit's once the case is closed.

    All clocks of the case stand below, each by the calendar of those whom it measures; `co_units` by unit.
    """

    case: str
    clock: ClockKind | None
    due_at: datetime | None
    provisional: bool
    explanation: Explanation | None
    unit_clock: Explanation | None
    stage_clock: Explanation | None
    co_units: dict[str, Explanation]
    whole_life: WholeLife


@router.get("/{case_id}/deadline", name="get_case_deadline")
async def get_deadline(
    services: Injected,
    actor: Caller,
    case_id: str,
    at: Annotated[AwareDatetime | None, Query(description="As of when; default: now. Ten years ahead at most.")] = None,
) -> DeadlineView:
    """Why the deadline is what it is: the intervals counted, the pauses, the calendar."""
    case = await visible_case(services, actor, case_id)
    rules = await rules_of(services, case)
    now = max(_as_of(at, services.now()), case.updated_at)

    def explained(clock: Clock, calendar: Calendar) -> Explanation:
        return explain(clock, calendar, now, resume_at=case.suspended_until)

    of_unit = rules.calendar_of(case.lead_unit)
    of_stage = of_unit if case.stage is Stage.ASSIGNMENT else rules.calendar
    unit = case.unit_clock and explained(case.unit_clock, of_unit)
    stage = case.stage_clock and explained(case.stage_clock, of_stage)
    kind = waits_on(case)
    due_at = case.due_at.astimezone(await zone_of(services)) if case.due_at else None
    return DeadlineView(
        case=case.id,
        clock=kind,
        due_at=due_at,
        provisional=case.provisional,
        explanation=unit if kind in {None, ClockKind.UNIT} else stage,
        unit_clock=unit,
        stage_clock=stage,
        co_units={task.unit: explained(task.clock, rules.calendar_of(task.unit)) for task in case.co_tasks},
        whole_life=_whole_life(case, now),
    )


def _as_of(wanted: datetime | None, now: datetime) -> datetime:
    """Counting working time costs some milliseconds a year: nobody may have centuries counted."""
    if wanted is not None and wanted > now + _FURTHEST:
        raise Invalid("field_invalid", field="at", reason="at most ten years from now")
    return wanted or now


def _whole_life(case: Snapshot, now: datetime) -> WholeLife:
    lived: timedelta = (case.closed_at or now) - case.discovered_at
    return WholeLife(since=case.discovered_at, until=case.closed_at, seconds=lived.total_seconds())
