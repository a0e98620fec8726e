"""The directory that requests are answered by: read again when it has changed, and kept while it cannot be."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.services import CityCache
from directory.demo_city import demo_directory
from directory.model import Area, Directory
from directory.rules import default_ladder, default_policy
from store import directory as stored
from store import migrate
from store.database import open_engine
from tests.support.engine import ROUND_THE_CLOCK
from tests.support.stack import HOME, LAT, LON

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DEMO = demo_directory()


@pytest.fixture
async def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncEngine]:
    """The demonstration city, asked anew at every look."""
    url = f"sqlite:///{tmp_path / 'rectify.db'}"
    migrate.upgrade(url)
    engine = open_engine(url)
    await save(engine, DEMO)
    monkeypatch.setattr("api.services.FRESH_FOR", 0.0)
    yield engine
    await engine.dispose()


async def save(engine: AsyncEngine, directory: Directory) -> None:
    await stored.save(engine, directory, ROUND_THE_CLOCK, default_policy(), default_ladder())


def with_home(**changes: object) -> Directory:
    def changed(area: Area) -> Area:
        return area.model_copy(update=changes) if area.id == HOME else area

    fields = {name: getattr(DEMO, name) for name in Directory.model_fields}
    return Directory(**fields | {"areas": tuple(changed(area) for area in DEMO.areas)})


class TestAChange:
    async def test_of_names_reads_no_shape_again(self, city: AsyncEngine) -> None:
        cities = CityCache(city)
        before = await cities.get(NOW)
        await save(city, with_home(name_zh="新名"))
        after = await cities.get(NOW)
        assert after.directory.area_by_id[HOME].name_zh == "新名"
        kept = [after.places.geometries[each][1] is shape for each, (_, shape) in before.places.geometries.items()]
        assert all(kept)
        assert len(kept) > 100

    async def test_of_one_shape_is_felt(self, city: AsyncEngine) -> None:
        cities = CityCache(city)
        located = (await cities.get(NOW)).places.locate(LON, LAT)
        assert located is not None
        assert located.grid == HOME
        await save(city, with_home(retired=True))
        located = (await cities.get(NOW)).places.locate(LON, LAT)
        assert located is not None
        assert located.grid != HOME

    async def test_that_no_directory_can_be_built_of_leaves_what_there_was(self, city: AsyncEngine) -> None:
        cities = CityCache(city)
        before = await cities.get(NOW)
        await save(city, with_home(shape=b"\x01\x03"))
        assert await cities.get(NOW) is before
        await save(city, with_home(name_zh="新名"))
        assert (await cities.get(NOW)).directory.area_by_id[HOME].name_zh == "新名"


class TestWhileItIsRead:
    async def test_others_go_on_with_what_there_was(self, city: AsyncEngine) -> None:
        cities = CityCache(city)
        before = await cities.get(NOW)
        await save(city, with_home(name_zh="新名"))
        answered = await asyncio.gather(cities.get(NOW), cities.get(NOW))
        assert answered[0].directory.area_by_id[HOME].name_zh == "新名"
        assert answered[1] is before
