"""The rules a city may set: limits of each stage, how often, who counts as trusted, and the ladder of escalation.

A case carries a snapshot of its `Rules`, so that nothing published later can change what was promised, and replay
never reads a table. The shipped values are in `directory/data/`; `rectify policy check FILE` validates a city's own.
"""

import hashlib
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from domain.base import Value
from domain.calendar import Calendar
from domain.limits import DayReading, Limit, LimitUnit

#: A rung that repeats more often than this would drown whoever it tells.
MOST_OFTEN = timedelta(hours=1)


class Source(StrEnum):
    """How a problem came to be known."""

    OFFICER = "officer"
    SUPERVISION = "supervision"
    RESIDENT = "resident"
    HOTLINE = "hotline"
    SYSTEM = "system"
    IMPORT = "import"


class Severity(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class ClockKind(StrEnum):
    """The clocks a case can be measured by. `unit` is the responsible unit's; the others belong to a stage."""

    UNIT = "unit"
    INTAKE = "intake"
    DISPATCH = "dispatch"
    ACCEPTANCE = "acceptance"
    INSPECTION = "inspection"
    WINDOW = "window"


class StageLimit(Value):
    """A stage's limit: `work` for ordinary conditions, `urgent` for those whose own limit runs day and night."""

    work: Limit
    urgent: Limit

    def for_(self, condition_limit: Limit) -> Limit:
        return self.urgent if condition_limit.unit.continuous else self.work


class StageLimits(Value):
    intake: StageLimit
    dispatch: StageLimit
    acceptance: StageLimit
    inspection: StageLimit
    window: Limit = Limit(value=Decimal(7), unit=LimitUnit.NATURAL_DAY)


class ReworkLimit(Value):
    """The next round's limit: a share of the condition's own limit."""

    share: Annotated[Decimal, Field(gt=0, le=10)] = Decimal("0.5")


class Acceptance(Value):
    on_expiry: Literal["deem_accepted", "escalate"] = "deem_accepted"


class Returns(Value):
    """After `final_after` returns the dispatcher's next assignment is final."""

    final_after: Annotated[int, Field(ge=1, le=100)] = 2
    in_rectification: bool = False


class Extensions(Value):
    max_granted: Annotated[int, Field(ge=0, le=100)] = 2


class Suspensions(Value):
    max_granted: Annotated[int, Field(ge=0, le=100)] = 1
    max_days: Annotated[int, Field(ge=1, le=3660)] = 366


class CoUnits(Value):
    """Each co-unit has a clock of its own. `lead_may_go_ahead`: the lead may submit before they have, with a reason."""

    lead_may_go_ahead: bool = True


class EvidenceRules(Value):
    """How many photos each step needs at least."""

    open: Annotated[int, Field(ge=0, le=20)] = 0
    submit: Annotated[int, Field(ge=0, le=20)] = 1
    inspect: Annotated[int, Field(ge=0, le=20)] = 0
    self_handled: Annotated[int, Field(ge=2, le=20)] = 2


class Policy(Value):
    id: str
    version: Annotated[int, Field(ge=1)]
    work_day_reading: DayReading = DayReading.HOURS
    trusted_sources: tuple[Source, ...] = (Source.OFFICER, Source.SUPERVISION, Source.SYSTEM, Source.IMPORT)
    limits: StageLimits
    rework: ReworkLimit = ReworkLimit()
    acceptance: Acceptance = Acceptance()
    returns: Returns = Returns()
    extensions: Extensions = Extensions()
    suspensions: Suspensions = Suspensions()
    evidence: EvidenceRules = EvidenceRules()
    co_units: CoUnits | None = None


class RungAction(StrEnum):
    REMIND = "remind"
    WARN = "warn"
    URGE = "urge"
    SUPERVISE = "supervise"
    YELLOW_CARD = "yellow_card"
    RED_CARD = "red_card"
    SUMMON = "summon"


class Audience(StrEnum):
    """Whom a rung tells, from the unit's contact up to the city."""

    UNIT = "unit"
    REPORTER = "reporter"
    OFFICERS = "officers"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    CITY = "city"


class When(Value):
    """Exactly one of four triggers.

    `used`: share of the limit that has run. `overdue`: how far past the deadline. `returns` and
    `failed_inspections`: how many there have been.
    """

    used: Annotated[Decimal | None, Field(gt=0, le=1)] = None
    overdue: Limit | None = None
    returns: Annotated[int | None, Field(ge=1)] = None
    failed_inspections: Annotated[int | None, Field(ge=1)] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise PydanticCustomError(
                "trigger",
                "a rung needs exactly one of used, overdue, returns, failed_inspections; this one has {given}",
                {"given": ", ".join(given) or "none"},
            )
        return self

    @property
    def counted(self) -> bool:
        """Whether it waits for a count rather than for an instant."""
        return self.returns is not None or self.failed_inspections is not None


class Rung(Value):
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    clock: ClockKind = ClockKind.UNIT
    when: When
    action: RungAction
    level: Annotated[int, Field(ge=0, le=9)]
    notify: tuple[Audience, ...]
    repeat: Limit | None = None


class Ladder(Value):
    id: str
    version: Annotated[int, Field(ge=1)]
    rungs: tuple[Rung, ...]

    @model_validator(mode="after")
    def _well_formed(self) -> Self:
        ids = [rung.id for rung in self.rungs]
        if len(set(ids)) != len(ids):
            twice = ", ".join(sorted({i for i in ids if ids.count(i) > 1}))
            raise PydanticCustomError("same_id", "two rungs have the same id: {ids}", {"ids": twice})
        for rung in self.rungs:
            if rung.repeat is not None and rung.when.overdue is None:
                raise PydanticCustomError(
                    "repeat", "rung {rung} repeats, but only one that is `overdue` by something may", {"rung": rung.id}
                )
            if rung.repeat is not None and rung.repeat.amount < MOST_OFTEN:
                raise PydanticCustomError(
                    "too_often", "rung {rung} repeats too often; leave at least an hour between", {"rung": rung.id}
                )
            if rung.when.counted and rung.clock is not ClockKind.UNIT:
                raise PydanticCustomError("clock", "rung {rung} counts events; leave its clock out", {"rung": rung.id})
        return self

    @cached_property
    def by_id(self) -> dict[str, Rung]:
        return {rung.id: rung for rung in self.rungs}


class UnitCalendar(Value):
    """The working time of a unit that does not keep the city's."""

    unit: str
    calendar: Calendar


class Rules(Value):
    """Everything a case is judged by, frozen at its opening; what is published later comes by an event.

    `units`: those of the case that have a calendar of their own.
    """

    policy: Policy
    ladder: Ladder
    calendar: Calendar
    units: tuple[UnitCalendar, ...] = ()

    def __hash__(self) -> int:
        # Cheap on purpose, like the calendar's. Equality is complete.
        parts: tuple[Policy | Ladder | Calendar, ...] = (self.policy, self.ladder, *self.calendars())
        return hash(tuple((part.id, part.version) for part in parts))

    @cached_property
    def digest(self) -> str:
        """Names this exact set of rules; equal rules have equal digests, whatever release made them."""
        silent = {"units": not self.units, "policy": {"co_units": True} if self.policy.co_units is None else False}
        left_out = {name: what for name, what in silent.items() if what}
        return hashlib.sha256(self.model_dump_json(exclude=left_out).encode()).hexdigest()[:16]

    def calendar_of(self, unit: str | None) -> Calendar:
        """The unit's own, or the city's."""
        return next((each.calendar for each in self.units if each.unit == unit), self.calendar)

    def calendars(self) -> tuple[Calendar, ...]:
        return (self.calendar, *(each.calendar for each in self.units))

    def changed(self, **parts: object) -> "Rules":
        """With these parts instead; `model_copy` would keep the digest of before."""
        return Rules(**{name: getattr(self, name) for name in type(self).model_fields} | parts)

    def with_calendar(self, calendar: Calendar) -> "Rules":
        """Wherever an earlier version of it was in use."""

        def newest(mine: Calendar) -> Calendar:
            return calendar if mine.id == calendar.id else mine

        units = (UnitCalendar(unit=each.unit, calendar=newest(each.calendar)) for each in self.units)
        return self.changed(calendar=newest(self.calendar), units=tuple(units))


@lru_cache(maxsize=256)
def shared(rules: Rules) -> Rules:
    """One object for all cases that go by equal rules: it is large, and what is worked out of it is kept with it."""
    return rules


#: Of what a case is made from, so that once read back it has no rules of its own: a fifth of its memory, else.
SharedRules = Annotated[Rules, AfterValidator(shared)]
