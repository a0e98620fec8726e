"""`rectify demo`, once as it is typed and once with scenarios that must fail."""

import dataclasses
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from cli import app
from commands.case_lines import TITLES
from demo import scenarios
from demo.play import Check, Scenario
from demo.scenarios import all_scenarios, happy_path
from domain.events import Fact

ROOT = Path(__file__).parents[2]
#: An ordinary day, New Year's Eve, and the middle of a National Day week.
ANY_DAYS = [
    datetime(2026, 11, 22, 19, tzinfo=UTC),
    datetime(2026, 12, 31, 20, tzinfo=UTC),
    datetime(2028, 10, 3, tzinfo=UTC),
]


@pytest.fixture(scope="module")
def printed() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import cli; cli.main()", "demo"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)  # noqa: S603 - our own command


@pytest.fixture(scope="module")
def files(printed: subprocess.CompletedProcess[str]) -> list[str]:
    """What was printed for each scenario, on single lines, and the summary last."""
    return [
        " ".join(part.split()) for part in re.split(r"^\d / 7 (?!个)|^汇总 ", printed.stdout, flags=re.MULTILINE)[1:]
    ]


class TestTheDemonstration:
    def test_ends_well_and_prints_nothing_but_case_files(self, printed: subprocess.CompletedProcess[str]) -> None:
        assert (printed.returncode, printed.stderr) == (0, "")
        assert "7 / 7 个场景符合预期" in printed.stdout
        assert "FAILED" not in printed.stdout
        assert "BROKE OFF" not in printed.stdout

    def test_prints_seven_cases_and_a_summary(self, files: list[str]) -> None:
        titles = [scenario.title[0] for scenario in all_scenarios(datetime.now(UTC))]
        assert len(files) == len(titles) + 1
        assert all(file.startswith(title) for file, title in zip(files, titles, strict=False))
        assert all(title in files[-1] for title in titles if "：" not in title)

    def test_shows_of_every_case_that_its_log_was_recorded_completely(self, files: list[str]) -> None:
        assert all("重演日志与案卷一致" in file for file in files[:7])

    @pytest.mark.parametrize(
        ("scenario", "lines"),
        [
            (
                0,
                [
                    "核实 verified",
                    "用时 used 11:40 / 16:00 h (73 %)",
                    "评价 rated 5 分",
                    "整改完成 rectified，结案 closed",
                ],
            ),
            (1, ["视为签收", "黄牌 yellow card 3 级", "约谈 summon 5 级 level 5", "64:50 / 16:00 h (405 %) 超期 late"]),
            (2, ["limit now 2.5 工作日", "督办 supervise", "第 3 轮 round 3: 9:20 / 20:00 h"]),
            (3, ["终局派遣，不得退回", "被拒 refused", "此次派遣为终局派遣", "This assignment is final"]),
            (4, ["同意延期 extension granted", "原为 was", "不同意延期 extension refused", "77:20 / 80:00 h"]),
            (5, ["挂账 suspended", "石材厂国庆停产", "到期自动恢复 by itself", "22:50 / 40:00 h"]),
            (6, ["暂定 provisional", "日历更新 calendar changed", "正式 official 原为 was"]),
        ],
    )
    def test_shows_what_each_scenario_is_about(self, files: list[str], scenario: int, lines: list[str]) -> None:
        text = files[scenario].replace("工作日", " 工作日")
        assert [line for line in lines if line not in text] == []


class TestAScenarioThatFails:
    def test_is_shown_and_makes_the_command_fail(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scenarios, "_ALL", (hopeful, clumsy))
        result = CliRunner().invoke(app, ["demo"])
        assert result.exit_code == 1
        assert "✗ 未达到 FAILED" in result.stdout
        assert "✗ 中断 BROKE OFF" in result.stdout
        assert "accept by unit-roads was refused: stage_forbids" in result.stdout
        assert "0 / 2 个场景符合预期" in result.stdout


class TestTheScenarios:
    @pytest.mark.parametrize("now", ANY_DAYS, ids=str)
    def test_begin_in_the_future_and_go_forwards_whatever_the_day(self, now: datetime) -> None:
        for scenario in all_scenarios(now):
            instants = [scenario.opened, *(step.at for step in scenario.steps)]
            assert instants == sorted(instants)
            assert instants[0] > now

    def test_have_a_name_of_their_own_each(self) -> None:
        names = [scenario.name for scenario in all_scenarios(ANY_DAYS[0])]
        assert len(set(names)) == len(names)


class TestACaseFile:
    def test_has_words_for_every_kind_of_event(self) -> None:
        assert set(TITLES) == set(get_args(Fact))


def hopeful(now: datetime) -> Scenario:
    """Everything happens as planned, but one expectation is wrong."""
    wrong = Check(("从未结案", "never closed"), lambda file: file.case.closed_at is None)
    return dataclasses.replace(happy_path(now), name="hopeful", checks=(wrong,))


def clumsy(now: datetime) -> Scenario:
    """A unit accepts before anybody has verified the report."""
    good = happy_path(now)
    return dataclasses.replace(good, name="clumsy", by="officer-1", steps=(good.steps[1], good.steps[1]))
