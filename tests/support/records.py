"""Cases as workflows hand them over, for tests of what is done with them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from directory.calendars import default_calendar
from domain import commands as c
from domain.actors import Actor, Role
from domain.case import Case, Snapshot
from domain.events import Event
from domain.life import give, open_case, pass_time, snapshot
from domain.limits import Limit, LimitUnit
from domain.policy import (
    Audience,
    ClockKind,
    Ladder,
    Policy,
    Rules,
    Rung,
    RungAction,
    Severity,
    Source,
    StageLimit,
    StageLimits,
    When,
)
from domain.record import Record

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)  # a Monday, 12:00 in the city
PHOTO = "a" * 64
OTHER_PHOTO = "b" * 64

OFFICER = Actor(user="officer", role=Role.OFFICER, area="/city/east")
INSPECTOR = Actor(user="inspector", role=Role.OFFICER, area="/city/east")
UNIT = Actor(user="unit-roads", role=Role.UNIT, unit="roads", area="/city")
CO_UNIT = Actor(user="unit-water", role=Role.UNIT, unit="water", area="/city")
DISPATCHER = Actor(user="dispatcher", role=Role.DISPATCHER, area="/city")
SUPERVISOR = Actor(user="supervisor", role=Role.SUPERVISOR, area="/city")
RESIDENT = Actor(user="resident", role=Role.RESIDENT)
ADMIN = Actor(user="admin", role=Role.ADMIN)


def _limit(value: int) -> StageLimit:
    amount = Decimal(value)
    return StageLimit(
        work=Limit(value=amount, unit=LimitUnit.WORK_HOUR), urgent=Limit(value=amount, unit=LimitUnit.URGENT_HOUR)
    )


RULES = Rules(
    policy=Policy(
        id="test",
        version=1,
        limits=StageLimits(intake=_limit(4), dispatch=_limit(2), acceptance=_limit(4), inspection=_limit(8)),
    ),
    ladder=Ladder(
        id="test",
        version=1,
        rungs=(
            Rung(
                id="due",
                clock=ClockKind.UNIT,
                when=When(used=Decimal(1)),
                action=RungAction.WARN,
                level=2,
                notify=(Audience.UNIT, Audience.SUPERVISOR, Audience.CITY),
            ),
        ),
    ),
    calendar=default_calendar(),
)


class Life:
    """A case and everything that has happened to it. `at` is its last instant."""

    def __init__(self, number: int = 1, actor: Actor = OFFICER, **report: object) -> None:
        opening = c.Opening.model_validate({**_REPORT, "id": f"RC-{number:04}", "actor": actor, **report})
        self.at = opening.opened_at
        self.case: Case
        self.case, self.events = open_case(opening)

    @property
    def snapshot(self) -> Snapshot:
        return snapshot(self.case)

    def give(self, command: c.Command, actor: Actor, after: timedelta = timedelta(minutes=5)) -> "Life":
        self.at += after
        return self._add(give(self.case, command, actor, self.at, command_id=f"{self.case.id}-{self.case.version}"))

    def wait(self, span: timedelta) -> "Life":
        self.at += span
        return self._add(pass_time(self.case, self.at))

    def _add(self, step: tuple[Case, tuple[Event, ...]]) -> "Life":
        self.case, events = step
        self.events += events
        return self

    def record(self, since: int = 0, *, rewrite: bool = False) -> Record:
        """Everything after the event number `since`."""
        rules = self.case.rules if since == 0 else None
        return Record(case=self.snapshot, events=self.events[since:], rules=rules, rewrite=rewrite, begun=self.at)


_REPORT: dict[str, object] = {
    "opened_at": NOON,
    "discovered_at": NOON,
    "category": "C0101",
    "condition": "C0101-1",
    "description": "井盖破损",
    "location": None,
    "address": "青石街 8 号",
    "area": "/city/east/river",
    "grid": None,
    "place_type": None,
    "source": Source.OFFICER,
    "severity": Severity.NORMAL,
    "evidence": (PHOTO,),
    "external_ref": None,
    "limit": Limit(value=Decimal(8), unit=LimitUnit.WORK_HOUR),
    "proposed_unit": "roads",
    "rules": RULES,
}


def records_of_a_whole_life(number: int = 1) -> Iterator[Record]:
    """From opening to the archive, one record for each step."""
    life = Life(number, proposed_co_units=("water",))
    yield life.record()
    steps = (
        (c.Accept(), UNIT),
        (c.SubmitRectification(note="阀门已关", evidence=(OTHER_PHOTO,)), CO_UNIT),
        (c.SubmitRectification(note="已更换井盖", evidence=(OTHER_PHOTO,)), UNIT),
        (c.Inspect(result="pass", note="合格"), INSPECTOR),
    )
    for command, actor in steps:
        seen = life.case.version
        yield life.give(command, actor).record(seen)
    seen = life.case.version
    yield life.wait(timedelta(days=8)).record(seen)
