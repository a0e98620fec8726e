"""What a caller is shown of a case: the facts, what he may do now; who reported it only if that is his to know."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from domain.actors import Actor, Role
from domain.case import (
    Appeal,
    CoTask,
    Location,
    Milestone,
    Outcome,
    Plan,
    Rating,
    Snapshot,
    Stage,
    Submission,
    Supervision,
)
from domain.events import Event, ReportJoined
from domain.lifecycle import allowed
from domain.limits import Limit
from domain.permissions import may_see
from domain.policy import Severity, Source

#: Those who put things right do not learn who reported it: people have been threatened for that.
_BLIND = frozenset({Role.UNIT})
_HIDDEN = frozenset({Role.OFFICER, Role.RESIDENT})
#: Are told of those who reported the same that there are some, and not who.
_STRANGERS = frozenset({Role.UNIT, Role.RESIDENT})


class CoTaskView(BaseModel):
    """A co-unit's part. `due_at` is null once it has submitted, or while the case is suspended without a date."""

    unit: str
    due_at: datetime | None
    overdue: bool
    submitted_at: datetime | None


class CaseView(BaseModel):
    """A case. Times in the city's zone; `area` is the path of areas; `actions`: what this caller may do now.

    `reporters` counts whoever reported it; `reporter` and `joined` say who, as far as the caller may know.
    `recurrence_of`: the case of the same that had been put right here not long before.
    """

    model_config = ConfigDict(from_attributes=True)

    id: str
    stage: Stage
    round: int
    version: int
    category: str
    condition: str
    description: str
    location: Location | None
    address: str | None
    area: str
    grid: str | None
    place_type: str | None
    source: Source
    severity: Severity
    evidence: tuple[str, ...]
    external_ref: str | None
    reporter: str | None
    joined: tuple[str, ...]
    reporters: int
    recurrence_of: str | None
    point: str | None
    owner: str | None
    routing_row: str | None
    needs_plan: bool
    plan: Plan | None
    co_tasks: tuple[CoTaskView, ...]
    lead_unit: str | None
    co_units: tuple[str, ...]
    co_submitted: tuple[str, ...]
    final_assignment: bool
    discovered_at: datetime
    opened_at: datetime
    updated_at: datetime
    dispatched_at: datetime | None
    accepted_at: datetime | None
    limit: Limit
    milestones: tuple[Milestone, ...]
    milestones_done: int
    milestones_missed: int
    due_at: datetime | None
    stage_due_at: datetime | None
    provisional: bool
    overdue: bool
    overdue_since: datetime | None
    late_since: datetime | None
    escalation_level: int
    suspended_until: datetime | None
    suspensions: int
    extensions: int
    extension_pending: bool
    returns: int
    failed_inspections: int
    urges: int
    submission: Submission | None
    supervision: Supervision | None
    closed_at: datetime | None
    outcome: Outcome | None
    exempt: bool
    rating: Rating | None
    appeal: Appeal | None
    actions: tuple[str, ...]


_TIMES = tuple(name for name, info in CaseView.model_fields.items() if "datetime" in str(info.annotation))
_BY_CALLER = frozenset({"actions", "reporter", "joined", "reporters", "co_tasks"})
_FACTS = tuple(name for name in CaseView.model_fields if name not in {*_BY_CALLER, *_TIMES})


def case_view(case: Snapshot, actor: Actor, zone: ZoneInfo) -> CaseView:
    facts: dict[str, Any] = {name: getattr(case, name) for name in _FACTS}
    times: dict[str, Any] = {name: _local(getattr(case, name), zone) for name in _TIMES}
    return CaseView.model_construct(
        **facts,
        **times,
        reporter=next(iter(_known_to(actor, (case.reporter,))), None),
        joined=_known_to(actor, case.joined),
        reporters=1 + len(case.joined),
        co_tasks=tuple(_co_task(task, case, zone) for task in case.co_tasks),
        actions=tuple(allowed(case.commands, actor, case)),
    )


def _co_task(task: CoTask, case: Snapshot, zone: ZoneInfo) -> CoTaskView:
    due, done = _local(case.co_due.get(task.unit), zone), _local(task.submitted_at, zone)
    return CoTaskView(unit=task.unit, due_at=due, overdue=task.overdue, submitted_at=done)


def _known_to(actor: Actor, reporters: tuple[str, ...]) -> tuple[str, ...]:
    """Those of them that the caller may know: of strangers, himself alone."""
    if actor.role in _BLIND:
        return ()
    return tuple(user for user in reporters if actor.role not in _STRANGERS or user == actor.user)


class CaseInFull(CaseView):
    """`recurrences`: how often the same has come back after it; `recurred`: and before, one upon the other.

    Null while the database is away.
    """

    recurrences: int | None
    recurred: int | None


def case_in_full(view: CaseView, recurrences: int | None, recurred: int | None) -> CaseInFull:
    return CaseInFull.model_construct(**dict(view), recurrences=recurrences, recurred=recurred)


class CandidateView(BaseModel):
    """An open case that may be the same. `distance` in metres; null where the registered point is the same instead.

    `address` and `description` only where the caller may see the case.
    """

    id: str
    distance: int | None
    stage: Stage
    opened_at: datetime
    address: str | None = None
    description: str | None = None


def candidate_view(case: Snapshot, metres: float | None, actor: Actor, zone: ZoneInfo) -> CandidateView:
    seen = {"address": case.address, "description": case.description} if may_see(actor, case) else {}
    distance = None if metres is None else round(metres)
    opened_at = case.opened_at.astimezone(zone)
    return CandidateView(id=case.id, distance=distance, stage=case.stage, opened_at=opened_at, **seen)


def _local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    return at.astimezone(zone) if at else None


class Author(BaseModel):
    """`user` is withheld from units and from other residents where it would tell who reported."""

    user: str | None
    role: Role
    unit: str | None


class EventView(BaseModel):
    """`position` counts through all cases, `seq` within this one. `data` depends on `type`."""

    case: str
    position: int | None
    seq: int
    at: datetime
    type: str
    by: Author | None
    data: dict[str, object]


def event_view(case_id: str, position: int | None, event: Event, actor: Actor, zone: ZoneInfo) -> EventView:
    return EventView(
        case=case_id,
        position=position,
        seq=event.seq,
        at=event.at.astimezone(zone),
        type=event.fact.type,
        by=_author(event, actor),
        data=_data(event, actor),
    )


def _data(event: Event, actor: Actor) -> dict[str, object]:
    data: dict[str, object] = event.fact.model_dump(mode="json", exclude={"type"})
    if isinstance(event.fact, ReportJoined):
        data["reporters"] = list(_known_to(actor, event.fact.reporters))
    return data


def _author(event: Event, actor: Actor) -> Author | None:
    if event.by is None:
        return None
    stranger = event.by.role is Role.RESIDENT and actor.role in _STRANGERS and event.by.user != actor.user
    hidden = stranger or (actor.role in _BLIND and event.by.role in _HIDDEN)
    return Author(user=None if hidden else event.by.user, role=event.by.role, unit=event.by.unit)
