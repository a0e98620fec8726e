"""`rectify catalogue` and `rectify routing` on an installation of the demonstration city."""

import asyncio
import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from directory.calendars import default_calendar
from directory.catalogue import dump_catalogue, load_catalogue
from directory.demo_city import demo_directory
from directory.model import Directory, RoutingRow
from directory.rules import default_ladder, default_policy
from store import directory, migrate
from store.database import open_engine

DEMO = demo_directory()
SHIPPED = dump_catalogue(load_catalogue())
TOMORROW = date.today() + timedelta(days=2)  # noqa: DTZ011 - any day ahead


@pytest.fixture(scope="module")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("installation")
    migrate.upgrade(f"sqlite:///{data / 'rectify.db'}")
    return data


@pytest.fixture
def data(_installed: Path) -> Path:
    """With version 1 of the catalogue, and nothing else."""
    return saved(_installed, DEMO)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.csv"
    path.write_text(SHIPPED, encoding="utf-8")
    return path


def saved(data: Path, city: Directory) -> Path:
    async def save() -> None:
        from sqlmodel import SQLModel

        from store.database import writing

        engine = open_engine(f"sqlite:///{data / 'rectify.db'}")
        async with writing(engine) as connection:
            for table in reversed(SQLModel.metadata.sorted_tables):
                await connection.execute(table.delete())
        await directory.save(engine, city, default_calendar(), default_policy(), default_ladder())
        await engine.dispose()

    asyncio.run(save())
    return data


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.stdout, result.stderr


class TestCheckingAFile:
    def test_sums_it_up(self, file: Path) -> None:
        code, out, err = run("catalogue", "check", file)
        assert (code, err) == (0, "")
        assert out.startswith("126 个类别，156 条立案条件")
        assert "事件 events 75" in out

    def test_tells_every_problem_with_its_place(self, file: Path) -> None:
        lines = SHIPPED.splitlines()
        lines[1] = lines[1].replace("urgent_day", "fortnight")
        lines[2] = lines[2].replace(",event,", ",component,")
        file.write_text("\n".join(lines), encoding="utf-8")
        code, out, err = run("catalogue", "check", file)
        assert (code, out) == (1, "")
        assert sorted(line.split(": ")[0] for line in err.splitlines()) == [
            "第 2 行 line 2 unit",
            "第 3 行 line 3 category",
            "第 3 行 line 3 kind",
        ]

    def test_renumbers_a_list_of_the_old_order_on_request(self, file: Path) -> None:
        file.write_text(SHIPPED.replace("E04", "E0#").replace("E05", "E04").replace("E0#", "E05"), encoding="utf-8")
        code, _, err = run("catalogue", "check", file)
        assert code == 1
        assert "--old-order" in err
        assert run("catalogue", "check", "--old-order", file)[0] == 0

    @pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
    def test_that_cannot_be_read_is_another_matter(self, content: bytes | None, tmp_path: Path) -> None:
        path = tmp_path / "catalogue.csv"
        if content is not None:
            path.write_bytes(content)
        code, _, err = run("catalogue", "check", path)
        assert code == 2
        assert err.startswith("无法读取文件")

    def test_goes_by_the_ending_of_its_name(self, file: Path) -> None:
        code, _, err = run("catalogue", "check", file.rename(file.with_suffix(".toml")))
        assert code == 1
        assert err.startswith("TOML: ")


class TestPublishing:
    def test_makes_the_next_version_from_midnight_in_the_city(self, data: Path, file: Path) -> None:
        code, out, _ = run("catalogue", "publish", file, "--valid-from", TOMORROW, "--data", data)
        assert code == 0
        assert f"已发布：rectify 第 2 版，{TOMORROW}T00:00+08:00 起生效" in out

    def test_may_be_at_once_and_is_shown_then(self, data: Path, file: Path) -> None:
        file.write_text(SHIPPED.replace("暴露生活垃圾", "生活垃圾外露"), encoding="utf-8")
        assert run("catalogue", "publish", file, "--valid-from", "now", "--data", data)[0] == 0
        code, out, _ = run("catalogue", "show", "--data", data)
        assert code == 0
        assert out.startswith("rectify 第 2 版")
        assert "E0110 生活垃圾外露 " in out
        assert (
            "E0501-3 5工作日 供水管爆裂，须分段处置：先围护，再修复，后恢复路面（围护3紧急工作时→修复8紧急工作时" in out
        )
        assert "E0110 暴露生活垃圾 " in run("catalogue", "show", "--version", 1, "--data", data)[1]

    def test_is_refused_where_routing_rows_hang_from_what_is_gone(self, data: Path, file: Path) -> None:
        kept = [line for line in SHIPPED.splitlines() if not line.startswith("E0110,")]
        file.write_text("\n".join(kept), encoding="utf-8")
        code, out, err = run("catalogue", "publish", file, "--valid-from", TOMORROW, "--data", data)
        assert (code, out) == (1, "")
        assert err.splitlines()[1:] == ["  e0110: E0110", "  e0110-market: E0110"]
        assert run("catalogue", "show", "--version", 2, "--data", data)[0] == 2

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--valid-from", "2020-01-01"), "生效时间须晚于"),
            (("--valid-from", "soon"), "应形如"),
            (("--valid-from", "now", "--scheme", "Ünfit"), "编码体系"),
        ],
    )
    def test_of_what_cannot_be_is_refused(self, options: Sequence[str], said: str, data: Path, file: Path) -> None:
        code, _, err = run("catalogue", "publish", file, *options, "--data", data)
        assert code == 2
        assert said in err
        assert run("catalogue", "show", "--version", 2, "--data", data)[0] == 2

    def test_of_a_bad_file_is_refused_before_anything(self, tmp_path: Path) -> None:
        bad = tmp_path / "bad.csv"
        bad.write_text("category\nE0110\n", encoding="utf-8")
        assert run("catalogue", "publish", bad, "--valid-from", "now", "--data", tmp_path)[0] == 1


class TestShowing:
    def test_as_a_file_gives_what_was_published(self, data: Path) -> None:
        assert run("catalogue", "show", "--csv", "--data", data) == (0, SHIPPED, "")

    def test_without_a_city_says_so(self, tmp_path: Path) -> None:
        migrate.upgrade(f"sqlite:///{tmp_path / 'rectify.db'}")
        for command in (("catalogue", "show"), ("routing", "check")):
            code, _, err = run(*command, "--data", tmp_path)
            assert code == 2
            assert err.startswith("还没有城市名录")


class TestCheckingTheRouting:
    def test_names_the_hole_of_the_demonstration_city(self, data: Path) -> None:
        code, out, _ = run("routing", "check", "--data", data)
        assert code == 1
        assert out.splitlines() == [
            "漏洞 hole: 其他事件（E0602…E0604） @ yunlan 云澜区、songquan 松泉区: 无人负责 nobody answers",
            f"{len(DEMO.routing)} 条规则：漏洞 1，重复 0，失效 0 · rows: holes, ties, dead rows",
        ]

    def test_of_a_sound_city_ends_well(self, data: Path) -> None:
        rows = (*DEMO.routing, RoutingRow(id="rest", big_category="E06", unit="roads"))
        saved(data, Directory.model_validate({**dict(DEMO), "routing": rows}))
        code, out, _ = run("routing", "check", "--data", data)
        assert code == 0
        assert out.startswith(f"{len(rows)} 条规则：漏洞 0")

    def test_tells_of_ties_and_dead_rows(self, data: Path) -> None:
        more = (
            RoutingRow(id="a", unit="roads"),
            RoutingRow(id="b", unit="parks"),
            RoutingRow(id="c", big_category="E0110", unit="parks"),
        )
        saved(data, Directory.model_validate({**dict(DEMO), "routing": (*DEMO.routing, *more)}))
        code, out, _ = run("routing", "check", "--data", data)
        assert code == 1
        assert "重复 tie: a、b: 条件相同而结果不同，仅凭编号取 a it wins by its id alone" in out
        assert "失效 row: c: 处处被更具体的规则取代 a more specific row always goes before it: e0110" in out

    def test_gives_programs_the_same(self, data: Path) -> None:
        code, out, _ = run("routing", "check", "--json", "--data", data)
        assert code == 1
        assert json.loads(out)["holes"] == [
            {"subjects": ["E0602", "E0604"], "areas": ["yunlan", "songquan"], "but": []}
        ]
