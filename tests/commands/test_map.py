"""`rectify directory check` on an installation of the demonstration city, sound and spoilt."""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import shapely
from typer.testing import CliRunner

from cli import app
from directory.calendars import default_calendar
from directory.demo_city import demo_directory
from directory.model import Directory
from directory.rules import default_ladder, default_policy
from store import directory, migrate
from store.database import open_engine

DEMO = demo_directory()
HOME = DEMO.area_by_id["qingshi-1-2"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    migrate.upgrade(f"sqlite:///{tmp_path / 'rectify.db'}")
    return tmp_path


def saved(data: Path, **changes: Mapping[str, object]) -> Path:
    async def save() -> None:
        engine = open_engine(f"sqlite:///{data / 'rectify.db'}")
        await directory.save(engine, city, default_calendar(), default_policy(), default_ladder())
        await engine.dispose()

    areas = tuple(area.model_copy(update=changes.get(area.id, {})) for area in DEMO.areas)
    city = Directory(**{name: getattr(DEMO, name) for name in Directory.model_fields} | {"areas": areas})
    asyncio.run(save())
    return data


def check(data: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["directory", "check", "--data", str(data), *options])
    return result.exit_code, result.output


class TestAMap:
    def test_that_is_sound_is_counted(self, data: Path) -> None:
        code, said = check(saved(data))
        assert code == 0
        assert said == (
            f"{len(DEMO.areas)} 个有图形的辖区 areas with a shape: "
            "图形有误 0，网格没有图形 0，同类辖区重叠 0，超出上级辖区 0，下级辖区未覆盖 0\n"
        )

    def test_with_a_grid_that_was_drawn_too_large_says_what_where_and_how_much(self, data: Path) -> None:
        west, south, east, north = shapely.from_wkb(HOME.shape or b"").bounds
        wide = shapely.box(west, south, east + 0.001, north)
        code, said = check(saved(data, **{HOME.id: {"shape": shapely.to_wkb(wide)}}))
        assert code == 1
        *overlaps, out, _ = said.splitlines()
        assert overlaps
        for line in overlaps:
            assert line.startswith(f"同类辖区重叠 areas of one kind overlap: {HOME.id}（{HOME.name_zh}） / qingshi-2-")
            assert re.search(r"\d (m²|ha) \(\d+\.\d%\) @ 110\.\d+, 38\.\d+$", line)
        assert out.startswith(f"超出上级辖区 it sticks out of the area above: {HOME.id}")

    def test_is_told_to_programs_too(self, data: Path) -> None:
        code, said = check(saved(data, **{HOME.id: {"shape": None}}), "--json")
        assert code == 0
        assert json.loads(said)["findings"] == [
            {"doubt": "no_shape", "areas": [HOME.id], "flaw": None, "square_metres": None, "share": None, "place": None}
        ]

    def test_without_a_city_there_is_none(self, data: Path) -> None:
        code, said = check(data)
        assert code != 0
        assert "还没有城市目录" in said
