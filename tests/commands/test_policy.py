"""`rectify policy check FILE`."""

from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app

SHIPPED = files("directory") / "data"


def check(file: Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["policy", "check", str(file)])
    return result.exit_code, result.stdout, result.stderr


class TestAGoodFile:
    @pytest.mark.parametrize("name", ["policy.toml", "ladder.toml"])
    def test_is_summed_up_chinese_first(self, name: str) -> None:
        code, out, err = check(Path(str(SHIPPED / name)))
        assert (code, err) == (0, "")
        assert out.startswith(("政策", "阶梯"))

    def test_says_what_it_means(self) -> None:
        _, policy, _ = check(Path(str(SHIPPED / "policy.toml")))
        _, ladder, _ = check(Path(str(SHIPPED / "ladder.toml")))
        assert "返工时限 rework: 原时限的 50% of the limit" in policy
        assert "summon: 处置 rectification: 超期 overdue by 5工作日 5 work days, 每 every 5工作日 5 work days" in ladder
        assert "failed_thrice: 核查不通过 3 次 failed inspections → 黄牌 yellow card" in ladder


class TestTheHelp:
    def test_shows_the_names_of_the_tables(self) -> None:
        assert "[policy], [[rung]]" in CliRunner().invoke(app, ["policy", "check", "--help"]).stdout


class TestABadFile:
    def test_has_every_problem_on_a_line_of_its_own(self, tmp_path: Path) -> None:
        file = tmp_path / "policy.toml"
        file.write_text('[policy]\nid = "x"\nversion = 0\ncolour = "red"\n', encoding="utf-8")
        code, out, err = check(file)
        assert (code, out) == (1, "")
        assert [line.split(":")[0] for line in err.splitlines()] == ["policy.colour", "policy.version", "policy.limits"]

    @pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
    def test_that_cannot_be_read_is_another_matter(self, content: bytes | None, tmp_path: Path) -> None:
        file = tmp_path / "policy.toml"
        if content is not None:
            file.write_bytes(content)
        code, _, err = check(file)
        assert code == 2
        assert err.startswith("无法读取文件")
