"""What is wrong only with the whole: it is told where it stands, and nothing is written."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from directory.changes import Kind
from directory.demo_city import demo_directory
from directory.positions import Datum, from_wgs84
from exchange import writing
from exchange.columns import CONDITIONS
from exchange.files import Source
from exchange.merging import Mode
from store import catalogues, directory, directory_bulk, directory_records
from tests.exchange.files import NOW, exported, take, told, workbook
from tests.support.records import RULES

DEMO = demo_directory()
AREAS = ("id", "parent", "level", "name_zh")
POINTS = ("id", "name_zh", "place_type", "area", "lon", "lat")


@pytest.fixture
async def city(engine: AsyncEngine) -> AsyncEngine:
    await directory.save(engine, DEMO, RULES.calendar, RULES.policy, RULES.ladder)
    return engine


class TestReferences:
    @pytest.mark.parametrize(
        ("sheets", "faults"),
        [
            (
                {"辖区": [AREAS, ("yunlan", "qingshi", "区县", "云澜区")]},
                [("cycle", "辖区!B2")],
            ),
            ({"辖区": [AREAS, ("other", None, "市", "另一市")]}, [("two_roots", "辖区!B2")]),
            (
                {
                    "单位": [
                        ("id", "name_zh", "area", "parent"),
                        ("a-1", "甲", "qinghe", "b-1"),
                        ("b-1", "乙", "qinghe", "a-1"),
                    ]
                },
                [("cycle", "单位!D2")],
            ),
            (
                {
                    "人员": [
                        ("id", "name", "role", "area"),
                        ("li", "李", "网格员", "yunlan"),
                        ("li", "李", "网格员", "yunlan"),
                    ]
                },
                [("double", "人员!A3")],
            ),
            (
                {"类别": [("code", "kind", "big_zh", "name_zh"), ("E9999", "事件", "大类", "小类")]},
                [("no_conditions", "类别!A2")],
            ),
            (
                {"辖区": [AREAS, ("lane", "yunlan", "市", "层级不对")]},
                [("rule", "辖区!C2")],
            ),
        ],
        ids=["cycle of areas", "two cities", "cycle of units", "one login twice", "no condition", "level"],
    )
    async def test_that_cannot_be_are_told_of(
        self, city: AsyncEngine, tmp_path: Path, sheets: dict[str, list[tuple[str, ...]]], faults: list[tuple[str, str]]
    ) -> None:
        assert told(await take(city, workbook(tmp_path / "a.xlsx", sheets))) == faults
        assert await directory.load(city) == DEMO

    async def test_to_what_is_retired_by_the_file_are_told_of(self, city: AsyncEngine, tmp_path: Path) -> None:
        sheet = [("id", "name_zh", "area", "停用"), ("gas", "燃气", "qinghe", "是")]
        found = told(await take(city, workbook(tmp_path / "a.xlsx", {"单位": sheet})))
        assert set(found) == {("still_needed", "单位!D2")}

    async def test_to_what_the_file_leaves_out_are_told_of_when_it_replaces(
        self, city: AsyncEngine, tmp_path: Path
    ) -> None:
        path = workbook(tmp_path / "a.xlsx", {"人员": [("id", "name", "role"), ("admin", "管理员", "管理员")]})
        assert ("still_needed", "人员 users") in told(await take(city, path, mode=Mode.REPLACE))
        assert (await take(city, path)).report.sound

    async def test_no_category_is_left_without_conditions(self, city: AsyncEngine, tmp_path: Path) -> None:
        kept = DEMO.model_copy(update={"categories": DEMO.categories[1:]})
        writing.write(tmp_path / "conditions.csv", [CONDITIONS], kept, ())
        found = await take(city, tmp_path / "conditions.csv", mode=Mode.REPLACE)
        assert told(found) == [("no_conditions", "类别 categories")]
        assert found.report.faults.listed[0].value == DEMO.categories[0].code

    async def test_nobody_shuts_himself_out(self, city: AsyncEngine, tmp_path: Path) -> None:
        path = workbook(
            tmp_path / "a.xlsx", {"人员": [("id", "name", "role", "停用"), ("admin", "管理员", "admin", "是")]}
        )
        assert ("rule", "人员!C2") in told(await take(city, path))


class TestPositions:
    @pytest.mark.parametrize(
        ("lon", "lat", "code"), [(38.2, 110.01, "swapped"), (200, 38.2, "off_earth"), (110.01, 38.2, None)]
    )
    async def test_of_points(self, city: AsyncEngine, tmp_path: Path, lon: float, lat: float, code: str | None) -> None:
        path = workbook(tmp_path / "a.xlsx", {"点位": [POINTS, ("p", "点", "market", "qinghe", lon, lat)]})
        assert told(await take(city, path)) == ([(code, "点位!E2")] if code else [])

    async def test_are_brought_from_their_datum_and_find_their_grid(self, city: AsyncEngine, tmp_path: Path) -> None:
        lon, lat = from_wgs84(110.01, 38.21, Datum.GCJ02)
        path = tmp_path / "p.csv"
        path.write_text(f"id,name_zh,place_type,lon,lat,坐标系\np,点,market,{lon!r},{lat!r},GCJ-02\n", encoding="utf-8")
        assert (await take(city, path)).report.sound
        _, points = await directory_bulk.everything(city)
        assert (points["p"].lon, points["p"].lat) == pytest.approx((110.01, 38.21), abs=2e-6)
        assert DEMO.area_by_id[points["p"].area].level == "grid"

    @pytest.mark.parametrize(
        ("shape", "words"),
        [
            ("POLYGON ((110 38, 110.1 38.1, 110.1 38, 110 38.1, 110 38))", "自相交"),
            ("POLYGON ((38 110, 38 110.1, 38.1 110.1, 38 110))", "经纬度写反"),
            ("LINESTRING (110 38, 110.1 38)", "不是面"),
            ("POLYGON ((", "无法读取"),
        ],
    )
    async def test_of_shapes(self, city: AsyncEngine, tmp_path: Path, shape: str, words: str) -> None:
        path = workbook(tmp_path / "a.xlsx", {"边界": [("area", "part", "shape"), ("yunlan", 1, shape)]})
        result = await take(city, path)
        assert told(result) == [("shape", "边界!C2")]
        assert words in result.report.faults.listed[0].zh

    async def test_overlapping_grids_are_let_in_and_told_of(self, city: AsyncEngine, tmp_path: Path) -> None:
        square = "POLYGON ((110 38.2, 110.05 38.2, 110.05 38.23, 110 38.23, 110 38.2))"
        path = workbook(tmp_path / "a.xlsx", {"边界": [("area", "part", "shape"), ("qingshi-1-1", 1, square)]})
        result = await take(city, path, dry_run=True)
        assert result.report.sound
        assert "map" in {each.code for each in result.report.warnings.listed}
        assert await directory.load(city) == DEMO


class TestWriting:
    async def test_is_logged_and_counts_once(self, city: AsyncEngine, tmp_path: Path) -> None:
        sheets: dict[str, list[tuple[object, ...]]] = {
            "单位": [("id", "name_zh", "area"), ("new", "新", "qinghe"), ("gas", "燃气", "qinghe")],
            "点位": [POINTS, ("p", "点", "market", "qinghe", 110.01, 38.2)],
        }
        result = await take(city, workbook(tmp_path / "a.xlsx", sheets), by="lin")
        assert result.version == 2
        assert result.counts == {"units": {"create": 1, "change": 1}, "points": {"create": 1}}
        log = await directory_records.log(city)
        assert [(each.by, each.at, each.action, each.kind, each.record) for each in log] == [
            ("lin", NOW, "change", "unit", "gas"),
            ("lin", NOW, "create", "unit", "new"),
            ("lin", NOW, "create", "point", "p"),
        ]
        kept = await directory_records.get(city, Kind.UNIT, "gas")
        assert kept is not None
        assert kept.revision == 2

    async def test_leaves_everything_as_it_was_if_one_record_fails(
        self, city: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(*_: object) -> None:
            raise RuntimeError("the power is off")

        monkeypatch.setattr(directory_bulk, "_log", fail)
        path = workbook(tmp_path / "a.xlsx", {"点位": [POINTS, ("p", "点", "market", "qinghe", 110.01, 38.2)]})
        with pytest.raises(RuntimeError, match="power"):
            await take(city, path)
        assert await directory_bulk.everything(city) == (DEMO, {})

    async def test_is_refused_where_somebody_was_quicker(
        self, city: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        everything = directory_bulk.everything

        async def a_moment_ago(engine: AsyncEngine) -> object:
            found = await everything(engine)
            await directory.add_unit(engine, DEMO.units[0].model_copy(update={"id": "quicker"}))
            return found

        monkeypatch.setattr(directory_bulk, "everything", a_moment_ago)
        path = workbook(tmp_path / "a.xlsx", {"点位": [POINTS, ("p", "点", "market", "qinghe", 110.01, 38.2)]})
        with pytest.raises(directory_bulk.Outdated):
            await take(city, path)
        assert (await everything(city))[1] == {}

    async def test_categories_make_the_next_edition(self, city: AsyncEngine, tmp_path: Path) -> None:
        first = DEMO.categories[0]
        row = (first.code, "事件", first.big_zh, "改了的名称")
        path = workbook(tmp_path / "a.xlsx", {"类别": [("code", "kind", "big_zh", "name_zh"), row]})
        assert (await take(city, path)).report.sound
        found = await directory.load(city)
        assert (found.catalogue.version, found.catalogue.valid_from) == (2, NOW)
        assert found.categories[0] == first.model_copy(update={"name_zh": "改了的名称"})

    async def test_nothing_new_hangs_from_what_a_coming_edition_lacks(self, city: AsyncEngine, tmp_path: Path) -> None:
        named = {code for row in DEMO.routing for code in (row.category, row.condition) if code}
        dropped = next(each for each in DEMO.categories if each.code not in named)
        staying = [each for each in DEMO.categories if each.code != dropped.code]
        await catalogues.publish(city, staying, NOW + timedelta(days=30), NOW)
        row = ("new", dropped.code, "gas")
        path = workbook(tmp_path / "a.xlsx", {"责任": [("id", "category", "unit"), row]})
        result = await take(city, path)
        assert [each.code for each in result.report.faults.listed] == ["dropped_later"]
        assert "new" not in {each.id for each in (await directory.load(city)).routing}

    async def test_an_area_that_moves_takes_along_what_lies_in_it(self, city: AsyncEngine, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", {"辖区": [AREAS, ("qingshi", "songquan", "街道乡镇", "青石街道")]})
        assert (await take(city, path)).report.sound
        found = await directory.load(city)
        assert found.path("qingshi-1") == "/qinghe/songquan/qingshi/qingshi-1"


async def test_a_city_is_not_founded_without_its_name(engine: AsyncEngine, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"辖区": [AREAS, ("qinghe", None, "市", "清和市")]})
    assert told(await take(engine, path)) == [("city_missing", "城市 city")]
    assert await directory.is_empty(engine)


async def test_files_may_come_together(engine: AsyncEngine, tmp_path: Path) -> None:
    city = exported(tmp_path / "a.xlsx", DEMO)
    more = workbook(tmp_path / "b.xlsx", {"点位": [POINTS, ("p", "点", "market", "qinghe", 110.01, 38.2)]})
    result = await take(engine, city, more)
    assert result.version == 1
    assert Source(city, "a.xlsx").table is None
