"""Plays a scenario on the engine, step by step, and judges the case file that was recorded meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256

from demo.engine import Stage
from directory import calendars
from directory.demo_city import demo_directory
from directory.places import Places
from directory.reporting import City, Receiving, Report, resolve
from directory.rules import default_rules
from domain import case_id
from domain.actors import Actor
from domain.calendar import Calendar
from domain.errors import RectifyError
from domain.words import Words
from store import case_files
from store.case_files import CaseFile
from workflows.interface import Order


@dataclass(frozen=True, slots=True)
class Give:
    """A command. `refused`: the code with which the engine is expected to refuse it."""

    at: datetime
    by: str
    command: str
    body: Mapping[str, object] = field(default_factory=dict)
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Publish:
    """A new version of the calendar reaches the running case."""

    at: datetime
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must be true of the recorded case file."""

    says: Words
    holds: Callable[[CaseFile], bool]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`remark` is for the reader: what is not as it would be in a real city."""

    name: str
    title: Words
    by: str
    report: Report
    opened: datetime
    calendar: Calendar
    steps: tuple[Give | Publish, ...]
    checks: tuple[Check, ...]
    remark: Words | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    step: Give
    error: RectifyError


@dataclass(frozen=True, slots=True)
class Played:
    """`file` is None and `failure` says why where the scenario could not be played to its end."""

    scenario: Scenario
    file: CaseFile | None
    refusals: tuple[Refusal, ...] = ()
    failure: str | None = None

    @property
    def unmet(self) -> tuple[Check, ...]:
        return tuple(check for check in self.scenario.checks if self.file is None or not check.holds(self.file))

    @property
    def good(self) -> bool:
        return self.file is not None and self.file.agrees and self.failure is None and not self.unmet


class Unexpected(Exception):
    """The engine carried out what it should have refused, or refused for another reason."""


async def play(stage: Stage, scenario: Scenario) -> Played:
    """Never raises for what a scenario does: one that fails must not hide the others."""
    case = case_id.from_key("demo", scenario.name)
    refusals: list[Refusal] = []
    failure = None
    try:
        await _open(stage, scenario, case)
        for number, step in enumerate(scenario.steps, start=1):
            await stage.advance(case, step.at)
            await _take(stage, case, step, f"{scenario.name}-{number}", refusals)
        await stage.finish(case)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this scenario's failure
        failure = f"{type(error).__name__}: {error}"
    return Played(scenario, await case_files.read(stage.store, case), tuple(refusals), failure)


async def _open(stage: Stage, scenario: Scenario, case: str) -> None:
    directory, calendar = demo_directory(), calendars.snapshot(scenario.calendar, scenario.opened)
    city = City(directory, _places(), default_rules(calendar))
    received = Receiving(_actor(scenario.by), scenario.opened, case, f"{scenario.name}-0")
    seen = scenario.report.model_copy(update={"discovered_at": scenario.opened - timedelta(minutes=10)})
    await stage.open(resolve(city, seen, received), _digest(scenario.name))


async def _take(stage: Stage, case: str, step: Give | Publish, update_id: str, refusals: list[Refusal]) -> None:
    if isinstance(step, Publish):
        await stage.cases.recalendar(case, calendars.snapshot(step.calendar, step.at))
        return
    order = Order(actor=_actor(step.by), body=dict(step.body), digest=_digest(update_id))
    try:
        await stage.cases.give(case, step.command, order, update_id)
    except RectifyError as error:
        if error.code != step.refused:
            raise Unexpected(f"{step.command} by {step.by} was refused: {error.code}") from None
        refusals.append(Refusal(step, error))
    else:
        if step.refused:
            raise Unexpected(f"{step.command} by {step.by} was not refused")


@cache
def _places() -> Places:
    return Places(demo_directory())


def _actor(user_id: str) -> Actor:
    directory = demo_directory()
    user = directory.user_by_id[user_id]
    area = directory.path(user.area) if user.area else None
    return Actor(user=user.id, role=user.role, unit=user.unit, area=area)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
