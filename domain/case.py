"""A case 案卷: one problem, from discovery to the archive. Only data here; what may happen to it is in `lifecycle`.

`CaseFacts` is what everybody may be told (subject to who they are); `Case` adds the rules it is judged by;
`Snapshot` is the same facts with what follows from the rules worked out, which is what leaves the workflow.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from domain.actors import Role
from domain.base import Value
from domain.calendar import Calendar
from domain.clock import Clock
from domain.limits import Limit
from domain.policy import Severity, SharedRules, Source


class Stage(StrEnum):
    INTAKE = "intake"
    ASSIGNMENT = "assignment"
    RECTIFICATION = "rectification"
    REINSPECTION = "reinspection"
    CLOSURE = "closure"
    ARCHIVED = "archived"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"
    FORCE_CLOSED = "force_closed"


#: Somebody still has to do something.
OPEN = frozenset({Stage.INTAKE, Stage.ASSIGNMENT, Stage.RECTIFICATION, Stage.REINSPECTION})
#: The workflow runs: `closure` counts as closed, but its window for ratings, appeals and reopening is still open.
RUNNING = OPEN | {Stage.CLOSURE}
#: The workflow has ended.
ENDED = frozenset(Stage) - RUNNING


class Outcome(StrEnum):
    RECTIFIED = "rectified"
    SELF_HANDLED = "self_handled"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"
    FORCE_CLOSED = "force_closed"


class Location(Value):
    """Where, as it was reported (`lon`, `lat` in `datum`) and in WGS-84 degrees."""

    lon: float
    lat: float
    datum: str
    wgs84_lon: float
    wgs84_lat: float


class Milestone(Value):
    """A part of a staged limit. Its limit is counted from the dispatch on the unit's clock, like the whole's."""

    name_zh: str
    name_en: str
    limit: Limit


class Submission(Value):
    at: datetime
    by: str
    unit: str
    note: str
    evidence: tuple[str, ...]


class CoTask(Value):
    """A co-unit's part, with the clock that measures it; `submitted_at` once it is done."""

    unit: str
    clock: Clock
    overdue: bool = False
    submitted_at: datetime | None = None


class Plan(Value):
    """What the lead unit means to do about works 方案. `approved`: None while nobody has decided."""

    text: str
    evidence: tuple[str, ...]
    by: str
    approved: bool | None = None


class Supervision(Value):
    requirement: str
    due: datetime | None
    by: str
    expired: bool = False


class AppealState(StrEnum):
    PENDING = "pending"
    SECOND_REVIEW = "second_review"
    GRANTED = "granted"
    REFUSED = "refused"


class Appeal(Value):
    reason: str
    by: str
    state: AppealState = AppealState.PENDING
    reviewers: tuple[str, ...] = ()


class Rating(Value):
    score: int
    comment: str | None


class Reported(Value):
    """What was found and where, and what the directory made of it. Times are aware; areas are materialised paths.

    `limit` is the condition's; `proposed_unit` is what routing says, by `routing_row`. `photos`: the condition's own
    number for a submission; `needs_plan`: an approved plan comes first. `recurrence_of`: the same was closed here not
    long ago. The same in the report, its event and the case.
    """

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
    discovered_at: datetime
    limit: Limit
    milestones: tuple[Milestone, ...] = ()
    proposed_unit: str | None = None
    proposed_co_units: tuple[str, ...] = ()
    point: str | None = None
    owner: str | None = None
    routing_row: str | None = None
    photos: int | None = None
    needs_plan: bool = False
    recurrence_of: str | None = None

    def reported(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in Reported.model_fields}


class CaseFacts(Reported):
    """Everything known of a case but the rules."""

    schema_version: int = 1
    id: str
    version: int
    stage: Stage
    round: int = 1
    reporter: str
    reporter_role: Role
    opened_at: datetime
    updated_at: datetime
    milestones_done: int = 0
    milestones_missed: int = 0
    lead_unit: str | None = None
    co_units: tuple[str, ...] = ()
    co_submitted: tuple[str, ...] = ()
    co_tasks: tuple[CoTask, ...] = ()
    plan: Plan | None = None
    joined: tuple[str, ...] = ()
    dispatched_at: datetime | None = None
    dispatches: int = 0
    accepted_at: datetime | None = None
    final_assignment: bool = False
    unit_clock: Clock | None = None
    stage_clock: Clock | None = None
    suspended_until: datetime | None = None
    suspensions: int = 0
    extension_pending: bool = False
    extensions: int = 0
    returns: int = 0
    failed_inspections: int = 0
    unable_by: tuple[str, ...] = ()
    submission: Submission | None = None
    fixers: tuple[str, ...] = ()
    overdue: bool = False
    overdue_since: datetime | None = None
    round_overdue: bool = False
    late_since: datetime | None = None
    escalation_level: int = 0
    urges: int = 0
    supervision: Supervision | None = None
    closed_at: datetime | None = None
    outcome: Outcome | None = None
    exempt: bool = False
    rating: Rating | None = None
    appeal: Appeal | None = None


class FiredRung(Value):
    """A rung that has fired since it was last armed; `times` counts the repetitions of one that repeats."""

    id: str
    due_at: datetime
    times: int = 1


class Case(CaseFacts):
    """The whole state of a case. Evolves only through `evolve`."""

    rules: SharedRules
    fired: tuple[FiredRung, ...] = ()

    @property
    def unit_calendar(self) -> Calendar:
        """The lead unit's working time."""
        return self.rules.calendar_of(self.lead_unit)

    @property
    def stage_calendar(self) -> Calendar:
        """The working time of those whom the stage waits for: while it waits to be accepted, the unit's."""
        return self.unit_calendar if self.stage is Stage.ASSIGNMENT else self.rules.calendar


class Snapshot(CaseFacts):
    """A case as the outside sees it: the facts, and what the rules make of them.

    `due_at` is the deadline of what the case waits for (the unit's from dispatch to submission, else the stage's own);
    `commands` are those that the state allows to somebody; `rules` is the digest of the rules; `co_due` the
    deadlines of co-units that have a clock of their own and have not submitted.
    """

    due_at: datetime | None
    stage_due_at: datetime | None
    provisional: bool
    commands: tuple[str, ...]
    rules: str
    co_due: Mapping[str, datetime] = Field(default_factory=dict)
