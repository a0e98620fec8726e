"""Whatever is changed, in whatever order, the directory stays sound; and points by the thousand."""

import random
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from directory.changes import Item, Kind, references
from directory.demo_city import demo_directory
from directory.model import Point
from domain.actors import Actor, Role
from domain.errors import Conflict, Invalid
from store import directory, points
from store.directory_changes import put, restore, retire
from store.directory_records import Filter, get, listing
from tests.support.records import RULES

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
ADMIN = Actor(user="admin", role=Role.ADMIN, area="/qinghe")
POINT = Point(id="p-1", name_zh="东市场", place_type="market", area="qingshi-1-1", lon=110.001, lat=38.201)


@pytest.fixture
async def city(engine: AsyncEngine) -> AsyncEngine:
    await directory.save(engine, demo_directory(), RULES.calendar, RULES.policy, RULES.ladder)
    return engine


class TestTheLaws:
    """After whatever changes, in whatever order: nothing in use refers to what is retired, and all of it is sound."""

    @pytest.mark.parametrize("seed", range(2))
    async def test_hold(self, city: AsyncEngine, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - the same every time
        taken = 0
        for step in range(50):
            try:
                await _anything(city, chance, step)
                taken += 1
            except (Conflict, Invalid):
                continue
        loaded = await directory.load(city)
        gone = {
            (kind, each.id)
            for kind, items in (
                (Kind.AREA, loaded.areas),
                (Kind.UNIT, loaded.units),
                (Kind.USER, loaded.users),
            )
            for each in items
            if each.retired
        }
        used: list[Item] = [*loaded.areas, *loaded.units, *loaded.users, *loaded.routing]
        assert not {one for each in used if not each.retired for one in references(each) if (one.kind, one.id) in gone}
        assert gone
        assert 10 < taken < 50
        for area in ("qingshi", "yunlan", "qinghe"):
            found = await listing(city, Kind.AREA, Filter(area=area), None, 1000)
            within = {each.id for each in loaded.areas if loaded.within(each.id, area) and not each.retired}
            assert {each.item.id for each in found} == within


async def _anything(city: AsyncEngine, chance: random.Random, step: int) -> None:
    """One change, sound or not."""
    kind = chance.choice((Kind.AREA, Kind.UNIT, Kind.USER, Kind.ROUTING))
    some = await listing(city, kind, Filter(retired=chance.random() < 0.2), None, 200)
    if not some:
        return
    kept = chance.choice(some)
    way = chance.choice((retire, retire, restore, None))
    if way is not None:
        await way(city, kind, kept.item.id, kept.revision, ADMIN, NOW)
        return
    units = await listing(city, Kind.UNIT, Filter(retired=chance.random() < 0.3), None, 200)
    areas = await listing(city, Kind.AREA, Filter(level="street"), None, 200)
    unit = chance.choice(units).item.id if units else "roads"
    area = chance.choice(areas).item.id
    said = {Kind.AREA: {"fallback": unit, "parent": area}, Kind.UNIT: {"parent": unit}, Kind.USER: {"unit": unit}}
    changed = kept.item.model_copy(update=said.get(kind, {"unit": unit, "area": area}))
    if chance.random() < 0.3:
        await put(city, changed.model_copy(update={"id": f"new-{step}"}), None, ADMIN, NOW)
    else:
        await put(city, changed, kept.revision, ADMIN, NOW)


class TestPoints:
    async def test_many_are_put_at_once_and_read_again(self, city: AsyncEngine) -> None:
        many = [POINT.model_copy(update={"id": f"p-{n:05}"}) for n in range(2500)]
        assert await points.put(city, many) == 2500
        moved = many[7].model_copy(update={"name_zh": "新市场", "retired": True})
        assert await points.put(city, [moved]) == 1
        found = [each async for each in points.every(city)]
        assert found == [*many[:7], moved, *many[8:]]
        assert await points.count(city) == 2500
        assert [each async for each in points.every(city, area="minghu")] == []
        kept = await get(city, Kind.POINT, "p-00007")
        assert kept is not None
        assert (kept.item, kept.revision) == (moved, 3)
