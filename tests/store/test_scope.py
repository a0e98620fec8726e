"""What SQL shows to a caller is exactly what `may_see` allows: every kind of caller against every kind of case."""

import asyncio
from collections.abc import Iterator
from itertools import chain, product

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.actors import Actor, Role
from domain.case import Snapshot
from domain.permissions import may_see
from domain.record import Record
from store import cases, feed
from store.cases import CaseFilter
from store.recorder import Recorder
from tests.support.records import Life

AREAS = ("/city", "/city/east", "/city/east/river", "/city/eastern", "/city/east0", "/city/East", "/other")
SCOPES = (None, "", "/", "/city", "/city/east", "/city/east/river", "/city/eas", "/elsewhere")
UNITS = (None, "roads", "water", "Roads", "")
USERS = ("officer", "resident", "nobody")
TEAMS: tuple[tuple[str | None, tuple[str, ...]], ...] = (
    (None, ()),
    ("roads", ()),
    ("water", ("roads",)),
    ("roads", ("water", "parks")),
)


def population() -> list[Snapshot]:
    some = Life().snapshot
    kinds = product(AREAS, ("officer", "resident"), TEAMS)
    return [
        some.model_copy(
            update={"id": f"RC-{n:04}", "area": area, "reporter": user, "lead_unit": lead, "co_units": others}
        )
        for n, (area, user, (lead, others)) in enumerate(kinds)
    ]


POPULATION = population()


#: Found again by others; nobody joins as a unit.
JOINED = [
    case.model_copy(update={"id": f"RC-9{case.id[-3:]}", "joined": ("resident", "nobody")})
    for case in population()[::5]
]


def callers(role: Role) -> Iterator[Actor]:
    """All scopes with one unit, and all units with one scope."""
    scopes = ((scope, "roads") for scope in SCOPES)
    units = (("/city/east", unit) for unit in UNITS)
    for user, (area, unit) in product(USERS, chain(scopes, units)):
        yield Actor(user=user, role=role, unit=unit, area=area)


@pytest.mark.parametrize("role", list(Role))
async def test_sql_and_the_rule_agree(engine: AsyncEngine, role: Role) -> None:
    recorder = Recorder(engine, timeout=10)
    there = [*POPULATION, *JOINED] if role is not Role.UNIT else POPULATION
    await asyncio.gather(*(recorder.record(Record(case=case, events=())) for case in there))
    for viewer in callers(role):
        found = await cases.search(engine, CaseFilter(sort="opened_at"), viewer, limit=100)
        assert [case.id for case in found.items] == [case.id for case in there if may_see(viewer, case)]


async def test_the_feed_shows_events_of_those_cases_only(engine: AsyncEngine) -> None:
    recorder = Recorder(engine, timeout=10)
    await recorder.record(Life(1, area="/city/east").record())
    await recorder.record(Life(2, area="/city/west").record())
    viewer = Actor(user="somebody", role=Role.OFFICER, area="/city/west")
    seen = await feed.after(engine, 0, viewer)
    assert {item.case_id for item in seen.items} == {"RC-0002"}
    assert seen.position == await feed.last_position(engine)
