"""What a city tells us about itself comes back as it was, and every change of it is noticed."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from directory.demo_city import demo_directory
from directory.model import Area, AreaLevel, Directory, Unit
from domain.policy import Policy
from store import directory
from tests.support.records import RULES

DEMO = demo_directory()
NEW_GRID = Area(id="new-grid", parent="qingshi", level=AreaLevel.GRID, name_zh="新网格", name_en="New Grid")
NEW_UNIT = Unit(id="new-unit", name_zh="新单位", name_en="New Unit", area="qinghe")


async def save(engine: AsyncEngine, what: Directory = DEMO, policy: Policy = RULES.policy) -> int:
    return await directory.save(engine, what, RULES.calendar, policy, RULES.ladder)


class TestEmpty:
    async def test_is_noticed(self, engine: AsyncEngine) -> None:
        assert await directory.is_empty(engine)
        assert await directory.version(engine) == 0

    async def test_cannot_be_loaded(self, engine: AsyncEngine) -> None:
        with pytest.raises(LookupError):
            await directory.load(engine)
        with pytest.raises(LookupError):
            await directory.current_rules(engine)


class TestSave:
    async def test_comes_back_as_it_was(self, engine: AsyncEngine) -> None:
        assert await save(engine) == 1
        assert await directory.load(engine) == DEMO
        assert await directory.current_rules(engine) == (RULES.policy, RULES.ladder, RULES.calendar)
        assert not await directory.is_empty(engine)

    async def test_replaces_what_was_there_and_counts(self, engine: AsyncEngine) -> None:
        await save(engine)
        smaller = DEMO.model_copy(update={"users": DEMO.users[:3], "routing": (), "city_en": "Other"})
        assert await save(engine, smaller) == 2
        assert await directory.load(engine) == smaller.model_copy(update={"version": 2})

    async def test_refuses_other_rules_under_the_same_version(self, engine: AsyncEngine) -> None:
        await save(engine)
        changed = RULES.policy.model_copy(update={"trusted_sources": ()})
        with pytest.raises(ValueError, match="policy test has another version 1"):
            await save(engine, policy=changed)
        assert await directory.version(engine) == 1

    async def test_takes_their_next_version(self, engine: AsyncEngine) -> None:
        await save(engine)
        following = RULES.policy.model_copy(update={"trusted_sources": (), "version": 2})
        await save(engine, policy=following)
        assert (await directory.current_rules(engine))[0] == following


class TestAdd:
    async def test_an_area_stands_below_its_parent(self, engine: AsyncEngine) -> None:
        await save(engine)
        await directory.add_area(engine, NEW_GRID)
        found = await directory.load(engine)
        assert found.path("new-grid") == "/qinghe/yunlan/qingshi/new-grid"
        assert found.areas == (*DEMO.areas, NEW_GRID)
        assert found.version == 2

    async def test_a_unit_is_found_afterwards(self, engine: AsyncEngine) -> None:
        await save(engine)
        await directory.add_unit(engine, NEW_UNIT)
        assert (await directory.load(engine)).units == (*DEMO.units, NEW_UNIT)

    async def test_adding_again_changes_nothing(self, engine: AsyncEngine) -> None:
        await save(engine)
        for _ in range(2):
            await directory.add_area(engine, NEW_GRID)
            await directory.add_unit(engine, NEW_UNIT)
        assert await directory.version(engine) == 3

    async def test_nothing_hangs_in_the_air(self, engine: AsyncEngine) -> None:
        await save(engine)
        with pytest.raises(LookupError, match="no area nowhere"):
            await directory.add_area(engine, NEW_GRID.model_copy(update={"parent": "nowhere"}))
        with pytest.raises(LookupError, match="no area nowhere"):
            await directory.add_unit(engine, NEW_UNIT.model_copy(update={"area": "nowhere"}))
