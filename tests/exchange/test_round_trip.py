"""What is exported and imported is no different; into an empty database it is the same city."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from directory.demo_city import demo_directory
from directory.model import Directory, Point
from exchange import writing
from exchange.columns import AREAS, POINTS, TABLES, USERS
from exchange.files import Source, read
from exchange.merging import Before, Mode
from exchange.plan import Plan, plan
from store import directory, directory_bulk
from tests.exchange.cities import cities
from tests.exchange.files import exported, take
from tests.support.records import RULES

DEMO = demo_directory()
MARKET = Point(
    id="market-001",
    name_zh="东门市场",
    place_type="market",
    area="yunlan",
    lon=110.01234567890123,
    lat=38.2,
    keeper="parks",
)
FORMATS = (".xlsx", ".zip")


def brought(path: Path, before: Before, mode: Mode) -> Plan:
    planned = plan(read([Source(path, path.name)]), before, mode)
    assert [str(each) for each in planned.reading.report.faults.listed] == []
    return planned


class TestAnyCity:
    @settings(
        max_examples=25,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(city=cities())
    @pytest.mark.parametrize("suffix", FORMATS)
    def test_comes_back_as_it_was(self, tmp_path: Path, suffix: str, city: tuple[Directory, tuple[Point, ...]]) -> None:
        there, points = city
        path = exported(tmp_path / f"city{suffix}", there, points)
        before = Before(there, {point.id: point for point in points})
        for mode in Mode:
            planned = brought(path, before, mode)
            assert (planned.changes, planned.categories, planned.city_changed) == ([], None, False)
        founded = brought(path, Before(), Mode.REPLACE)
        assert founded.after == there
        assert founded.records.points == before.points


class TestTheDemonstrationCity:
    @pytest.mark.parametrize("suffix", FORMATS)
    async def test_is_the_same_in_an_empty_database(self, engine: AsyncEngine, tmp_path: Path, suffix: str) -> None:
        path = exported(tmp_path / f"city{suffix}", DEMO, [MARKET])
        assert (await take(engine, path)).version == 1
        assert await directory_bulk.everything(engine) == (DEMO, {MARKET.id: MARKET})
        again = await take(engine, path, mode=Mode.REPLACE)
        assert (again.counts, again.version) == ({}, None)
        assert await directory.version(engine) == 1

    @pytest.mark.parametrize(("table", "name"), [(AREAS, "areas"), (POINTS, "places"), (USERS, "people")])
    @pytest.mark.parametrize("suffix", [".csv", ".geojson"])
    def test_is_known_by_the_columns_of_each_file(self, tmp_path: Path, table: object, name: str, suffix: str) -> None:
        if suffix == ".geojson" and table is USERS:
            return
        path = tmp_path / f"{name}{suffix}"
        writing.write(path, [table], DEMO, [MARKET])  # type: ignore[list-item]
        planned = brought(path, Before(DEMO, {MARKET.id: MARKET}), Mode.MERGE)
        assert planned.changes_nothing
        assert table.name in planned.reading.tables  # type: ignore[attr-defined]


class TestSaved:
    async def test_what_a_save_kept_is_no_different(self, engine: AsyncEngine, tmp_path: Path) -> None:
        await directory.save(engine, DEMO, RULES.calendar, RULES.policy, RULES.ladder)
        result = await take(engine, exported(tmp_path / "city.xlsx", DEMO), mode=Mode.REPLACE)
        assert (result.report.sound, result.counts, result.version) == (True, {}, None)


class TestTheTables:
    @pytest.mark.parametrize("name", TABLES)
    def test_have_each_header_once(self, name: str) -> None:
        table = TABLES[name]
        assert len(table.by_name) == len({way for each in table.columns for way in (each.field, each.zh, each.header)})

    def test_have_every_field_of_what_they_hold(self) -> None:
        from directory import model

        kinds: dict[str, type[BaseModel]] = {
            "areas": model.Area,
            "units": model.Unit,
            "users": model.User,
            "points": model.Point,
        }
        more: dict[str, type[BaseModel]] = {
            "routing": model.RoutingRow,
            "categories": model.Category,
            "contacts": model.Contact,
        }
        elsewhere = {"shape", "contacts", "conditions"}
        for name, kind in (kinds | more | {"conditions": model.Condition}).items():
            assert set(kind.model_fields) - elsewhere <= set(TABLES[name].by_field)
