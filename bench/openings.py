"""Cases opened past the API, so that they may have begun earlier, or live by limits that a benchmark can wait for.

What the directory would have resolved comes from the demonstration city, as it would over HTTP.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

from temporalio.client import Client

import worker
from bench.stack import Stack
from directory.calendars import default_calendar, snapshot
from directory.demo_city import demo_directory
from directory.places import Places
from directory.reporting import City, Position, Receiving, Report, resolve
from directory.rules import default_rules
from domain.actors import Actor, Role
from domain.case_id import BITS, make
from domain.commands import Opening
from domain.limits import Limit, LimitUnit
from domain.policy import Policy, Rules
from settings import Settings
from workflows.client import CaseEngine

#: Runs day and night, whatever the day: the same figures at noon and on a Sunday.
TWO_DAYS = Limit(value=Decimal(2), unit=LimitUnit.NATURAL_DAY)
_PATIENCE = timedelta(seconds=30)


async def connect(stack: Stack) -> tuple[Client, CaseEngine]:
    """As the API does."""
    client = await worker.connect(Settings(temporal_address=stack.temporal))
    return client, CaseEngine(client, timeout=_PATIENCE)


@cache
def city() -> City:
    directory = demo_directory()
    return City(directory, Places(directory), default_rules(snapshot(default_calendar(), datetime.now(UTC))))


def opening(stack: Stack, limit: Limit, at: datetime | None = None, rules: Rules | None = None) -> Opening:
    """The officer's report that `bench.load.People` makes too; nobody else's id. `at`: when it was opened."""
    home = stack.users["officer-1"]
    report = Report(
        category="E0110",
        description="巷口生活垃圾",
        location=Position(lon=float(home["lon"]), lat=float(home["lat"])),
    )
    officer = next(user for user in city().directory.users if user.id == "officer-1")
    area = city().directory.path(officer.area) if officer.area else None
    actor = Actor(user=officer.id, role=Role.OFFICER, area=area)
    received = Receiving(actor=actor, at=at or datetime.now(UTC), case_id=make(secrets.randbits(BITS)))
    changes = {"limit": limit, "milestones": (), "rules": rules or city().rules}
    return resolve(city(), report, received).model_copy(update=changes)


def changed_policy(changes: Mapping[str, Mapping[str, object]]) -> Rules:
    """The default rules with these values in the parts of the policy."""
    rules = city().rules
    policy = rules.policy.model_dump()
    for name, values in changes.items():
        policy[name] |= values
    return rules.changed(policy=Policy.model_validate(policy))
