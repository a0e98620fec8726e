"""What the judge has before it: what clients were told, what Temporal and the tables hold, what the feed said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """One command of one client and its last answer. `status` is None if it never got one.

    `sent` and `answered` are seconds since 1970, of the first sending and the last answer; `version` and `stage` are
    those of the case in the answer. `case` is None for an opening that was not answered with 201. `into`: the case
    that a merger leaves, and then it is the one that the answer shows.
    """

    key: str
    user: str
    command: str
    case: str | None
    status: int | None
    sent: float
    answered: float | None = None
    code: str | None = None
    version: int | None = None
    stage: str | None = None
    attempts: int = 1
    into: str | None = None

    @property
    def acknowledged(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - the class of HTTP's successes


@dataclass(frozen=True, slots=True)
class Update:
    """A command in Temporal's history. `carried_out`: it was answered with success."""

    id: str
    name: str
    carried_out: bool


@dataclass(frozen=True, slots=True)
class Timer:
    """Started in the history at `started`, and rung or cancelled at `ended`, or neither (infinity).

    `meant`: the instant that the workflow task which armed it must have had in mind, by its own beginning.
    """

    started: float
    meant: float
    ended: float


@dataclass(frozen=True, slots=True)
class Truth:
    """A case as Temporal has it at `at` (seconds since 1970): histories of all runs, and what the workflow says.

    `stuck`: why it says nothing; then log and snapshot are empty. `tasks`: when each workflow task that was carried
    through began and ended.
    """

    case: str
    at: float
    running: bool
    updates: Sequence[Update]
    log: Sequence[Json]
    snapshot: Json
    stuck: str | None = None
    timers: Sequence[Timer] = ()
    tasks: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A row of the table of cases."""

    version: int
    running: bool
    stage: str
    snapshot: Json


@dataclass(frozen=True, slots=True)
class EventLine:
    """A row of the table of events."""

    position: int
    case: str
    seq: int
    type: str
    command_id: str | None
    data: Json


@dataclass(frozen=True, slots=True)
class NoticeLine:
    case: str
    seq: int
    audience: str
    recipient: str
    kind: str


@dataclass(frozen=True, slots=True)
class Lists:
    """The read model. Events are in the order of their positions."""

    cases: Mapping[str, CaseLine] = field(default_factory=dict)
    events: Sequence[EventLine] = ()
    notices: Sequence[NoticeLine] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """An event as a follower of the feed got it; `asked_after` is the position it had asked for."""

    asked_after: int
    position: int
    case: str
    seq: int
    type: str


@dataclass(frozen=True, slots=True)
class Feed:
    """What a follower heard during the run, in its order, and up to which position it has read."""

    heard: Sequence[Heard] = ()
    position: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    told: Sequence[Told]
    truths: Mapping[str, Truth]
    lists: Lists
    feed: Feed


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken promise. `kind` is one of `verdict.KINDS`."""

    kind: str
    case: str | None
    what: str
