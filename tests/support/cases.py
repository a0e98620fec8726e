"""Builders for cases, the people around them, and a driver that lives a case step by step."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self, TypeVar

from directory.calendars import default_calendar, snapshot
from directory.rules import default_ladder, default_policy
from domain import life
from domain.actors import Actor, Role
from domain.calendar import Calendar
from domain.case import Case, Stage
from domain.commands import (
    Accept,
    Assign,
    Command,
    Dismiss,
    ForceClose,
    Inspect,
    Opening,
    SelfHandling,
    SubmitRectification,
    Verify,
    Withdraw,
)
from domain.events import Event
from domain.evolve import begin, evolve
from domain.limits import Limit, parse_unit
from domain.policy import Ladder, Policy, Rules, Severity, Source, UnitCalendar

F = TypeVar("F")

CITY, DISTRICT, STREET = "/city", "/city/east", "/city/east/bridge"
OFFICER = Actor(user="officer-1", role=Role.OFFICER, area=STREET)
INSPECTOR = Actor(user="officer-2", role=Role.OFFICER, area=STREET)
OTHER_INSPECTOR = Actor(user="officer-3", role=Role.OFFICER, area=DISTRICT)
FAR_OFFICER = Actor(user="officer-9", role=Role.OFFICER, area="/city/west")
UNIT = Actor(user="unit-user-1", role=Role.UNIT, unit="sanitation")
UNIT_COLLEAGUE = Actor(user="unit-user-2", role=Role.UNIT, unit="sanitation")
CO_UNIT = Actor(user="co-user-1", role=Role.UNIT, unit="greening")
OTHER_UNIT = Actor(user="other-user-1", role=Role.UNIT, unit="water")
DISPATCHER = Actor(user="dispatcher-1", role=Role.DISPATCHER, area=DISTRICT)
FAR_DISPATCHER = Actor(user="dispatcher-9", role=Role.DISPATCHER, area="/city/west")
SUPERVISOR = Actor(user="supervisor-1", role=Role.SUPERVISOR, area=CITY)
RESIDENT = Actor(user="resident-1", role=Role.RESIDENT)
NEIGHBOUR = Actor(user="resident-2", role=Role.RESIDENT)
ADMIN = Actor(user="admin-1", role=Role.ADMIN)
EVERYBODY = (
    OFFICER,
    INSPECTOR,
    OTHER_INSPECTOR,
    FAR_OFFICER,
    UNIT,
    UNIT_COLLEAGUE,
    CO_UNIT,
    OTHER_UNIT,
    DISPATCHER,
    FAR_DISPATCHER,
    SUPERVISOR,
    RESIDENT,
    NEIGHBOUR,
    ADMIN,
)
PHOTO, OTHER_PHOTO = "a" * 64, "b" * 64


def shanghai(text: str) -> datetime:
    """`2026-03-02T08:00`, by the clocks of China."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


#: A Monday morning without a holiday near; working hours are 08:00-12:00 and 14:00-18:00.
MONDAY = shanghai("2026-03-02T08:00")
CALENDAR = snapshot(default_calendar(), MONDAY)


def limit(text: str) -> Limit:
    """`2 work_day`."""
    value, unit = text.split()
    return Limit(value=Decimal(value), unit=parse_unit(unit))


def policy(**changes: object) -> Policy:
    """The shipped policy with some of its parts replaced."""
    return Policy.model_validate({**default_policy().model_dump(), **changes})


def rules(calendar: Calendar = CALENDAR, ladder: Ladder | None = None, **policy_changes: object) -> Rules:
    return Rules(
        policy=policy(**policy_changes),
        ladder=default_ladder() if ladder is None else ladder,
        calendar=calendar,
    )


def opening(**changes: Any) -> Opening:  # noqa: ANN401 - whatever an opening may hold
    """An officer's report of Monday morning, routed to `sanitation`, to be put right within two work days."""
    report: dict[str, Any] = {
        "id": "RC-0000-0000-0000",
        "actor": OFFICER,
        "opened_at": MONDAY,
        "discovered_at": MONDAY - timedelta(minutes=5),
        "category": "E0101",
        "condition": "E0101-1",
        "description": "巷口堆放垃圾",
        "location": None,
        "address": "桥头巷 3 号",
        "area": STREET,
        "grid": None,
        "place_type": "背街小巷",
        "source": Source.OFFICER,
        "severity": Severity.NORMAL,
        "evidence": (PHOTO,),
        "external_ref": None,
        "limit": limit("2 work_day"),
        "proposed_unit": "sanitation",
        "rules": rules(),
    }
    return Opening(**{**report, **changes})


def by_resident(**changes: Any) -> Opening:  # noqa: ANN401 - likewise
    """A resident's report: it waits for somebody to verify it."""
    return opening(**{"actor": RESIDENT, "source": Source.RESIDENT, **changes})


def newer(calendar: Calendar, **changes: object) -> Calendar:
    """The next version of the calendar."""
    return Calendar.model_validate({**calendar.model_dump(), "version": calendar.version + 1, **changes})


def with_holidays(calendar: Calendar, *days: str) -> Calendar:
    return newer(calendar, holidays=(*calendar.holidays, *map(date.fromisoformat, days)))


class Life:
    """A case being lived: `case` as it is now, every event so far, and what time it is."""

    def __init__(self, report: Opening | None = None) -> None:
        self.report = report or opening()
        self.case, events = life.open_case(self.report)
        self.events: list[Event] = list(events)
        self.now = self.report.opened_at

    def give(
        self,
        command: Command,
        actor: Actor,
        at: datetime | None = None,
        *,
        calendars: tuple[UnitCalendar, ...] = (),
    ) -> tuple[Event, ...]:
        """The events it brought; a refusal is raised and leaves everything as it was, the time too."""
        at = at or self.now
        return self._step(life.give(self.case, command, actor, at, calendars=calendars), at)

    def pass_to(self, at: datetime) -> tuple[Event, ...]:
        return self._step(life.pass_time(self.case, at), at)

    def recalendar(self, calendar: Calendar, at: datetime | None = None) -> tuple[Event, ...]:
        return self._step(life.recalendar(self.case, calendar, at or self.now), at or self.now)

    def rerule(self, policy: Policy, at: datetime | None = None, ladder: Ladder | None = None) -> tuple[Event, ...]:
        at = at or self.now
        return self._step(life.rerule(self.case, policy, ladder or self.case.rules.ladder, at), at)

    def _step(self, step: life.Step, at: datetime) -> tuple[Event, ...]:
        self.case, events = step
        self.events += events
        self.now = max(at, self.now)
        return events

    def facts(self, kind: type[F]) -> list[F]:
        """Every fact of this kind so far."""
        return [event.fact for event in self.events if isinstance(event.fact, kind)]

    # --- the usual way through ---

    def accepted(self, at: datetime | None = None) -> Self:
        self.give(Accept(), UNIT, at)
        return self

    def submitted(self, at: datetime | None = None) -> Self:
        self.give(SubmitRectification(note="清理完毕", evidence=(OTHER_PHOTO,)), UNIT, at)
        return self

    def inspected(self, result: str, at: datetime | None = None, by: Actor = INSPECTOR) -> Self:
        self.give(Inspect.model_validate({"result": result, "note": "现场核查"}), by, at)
        return self


def in_stage(stage: Stage, **changes: Any) -> Life:  # noqa: ANN401 - likewise
    """A case that has just come to this stage, by the shortest way."""
    match stage:
        case Stage.INTAKE:
            return Life(by_resident(**changes))
        case Stage.ASSIGNMENT:
            return Life(opening(**changes))
        case Stage.RECTIFICATION:
            return Life(opening(**changes)).accepted()
        case Stage.REINSPECTION:
            return in_stage(Stage.RECTIFICATION, **changes).submitted()
        case Stage.CLOSURE:
            return in_stage(Stage.REINSPECTION, **changes).inspected("pass")
        case _:
            return _ended(stage, **changes)


def _ended(stage: Stage, **changes: Any) -> Life:  # noqa: ANN401 - likewise
    if stage is Stage.ARCHIVED:
        lived = in_stage(Stage.CLOSURE, **changes)
        lived.pass_to(lived.now + timedelta(days=7))
        return lived
    lived = in_stage(Stage.INTAKE, **changes)
    last: dict[Stage, tuple[Command, Actor]] = {
        Stage.DISMISSED: (Dismiss(reason="重复上报"), DISPATCHER),
        Stage.WITHDRAWN: (Withdraw(reason="误报"), RESIDENT),
        Stage.FORCE_CLOSED: (ForceClose(reason="拆迁区域"), SUPERVISOR),
    }
    lived.give(*last[stage])
    return lived


def verified(lived: Life) -> Life:
    lived.give(Verify(), DISPATCHER)
    return lived


def assigned(lived: Life, unit: str = "sanitation", co_units: tuple[str, ...] = ()) -> Life:
    lived.give(Assign(unit=unit, co_units=co_units), DISPATCHER)
    return lived


def self_handled(**changes: Any) -> Opening:  # noqa: ANN401 - likewise
    return opening(self_handled=SelfHandling(note="当场清理", evidence=(OTHER_PHOTO,)), **changes)


def replayed(lived: Life) -> Case:
    """The case once more, from its events alone."""
    first, *rest = lived.events
    case = begin(lived.report.rules, first)
    for event in rest:
        case = evolve(case, event)
    return case
