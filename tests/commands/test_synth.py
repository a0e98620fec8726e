"""`rectify synth`: it fills an empty database and says so, and leaves one with cases alone unless told otherwise."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app


def typed(url: str, *words: str) -> Result:
    return CliRunner().invoke(app, ("synth", "--cases", "8", "--database-url", url, *words))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'new' / 'rectify.db'}"


class TestSynth:
    def test_fills_a_new_database_and_warns_of_what_it_is_not(self, url: str) -> None:
        result = typed(url)
        assert result.exit_code == 0
        assert "案卷 cases 8 ·" in result.stdout
        assert "模拟数据仅供测量" in result.stdout
        assert "ghosts" in result.stdout

    def test_leaves_cases_that_are_there_alone(self, url: str) -> None:
        typed(url)
        again = typed(url)
        assert again.exit_code == 2
        assert again.stderr.splitlines()[-1].startswith("库中已有 8 件案卷")

    def test_adds_to_them_where_it_is_told_to_and_has_another_seed(self, url: str) -> None:
        typed(url)
        assert typed(url, "--add", "--seed", "2").exit_code == 0
        same = typed(url, "--add")
        assert same.exit_code == 2
        assert same.stderr.splitlines()[-1].startswith("这个种子的案卷已在库中")

    def test_refuses_what_is_no_database(self) -> None:
        result = typed("mysql://nowhere/db")
        assert result.exit_code == 2
        assert result.stderr.startswith("无法打开数据库")
