"""`rectify migrate`, and what refuses to start without it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner, Result

import logs
from cli import app
from store import migrate
from store.database import sync_url


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, words)


@pytest.fixture(autouse=True)
def only_options_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RECTIFY_DATABASE_URL", raising=False)
    monkeypatch.setenv("RECTIFY_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(logs, "configure", lambda _settings: None)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'rectify.db'}"


def at_revision(url: str, revision: str) -> None:
    engine = create_engine(sync_url(url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    engine.dispose()


class TestMigrating:
    def test_makes_the_tables_and_says_so_and_then_that_nothing_is_left(self, url: str) -> None:
        first, second = typed("migrate"), typed("migrate")
        assert (first.exit_code, second.exit_code) == (0, 0)
        assert f"空 → {migrate.head()}" in first.stdout
        assert "已是最新" in second.stdout
        assert migrate.check(url) == "current"

    def test_goes_where_it_is_told(self, tmp_path: Path) -> None:
        assert typed("migrate", "--data", str(tmp_path / "other")).exit_code == 0
        assert (tmp_path / "other" / "rectify.db").is_file()
        assert not (tmp_path / "data").exists()

    def test_leaves_a_newer_database_alone(self, url: str) -> None:
        typed("migrate")
        at_revision(url, "9999")
        refused = typed("migrate")
        assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert "9999" in refused.stderr
        assert migrate.current(url) == "9999"

    @pytest.mark.parametrize("other", ["mysql://host/db", "nonsense"])
    def test_of_what_is_no_database_is_one_line(self, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECTIFY_DATABASE_URL", other)
        refused = typed("migrate")
        assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)


def newer(url: str) -> None:
    typed("migrate")
    at_revision(url, "9999")


@pytest.mark.parametrize("command", ["serve", "worker"])
class TestStarting:
    @pytest.mark.parametrize(
        ("prepare", "advice"), [(lambda _url: None, "`rectify migrate`"), (newer, "newer release")]
    )
    def test_on_a_database_of_another_release_is_refused(
        self, command: str, url: str, prepare: Callable[[str], None], advice: str
    ) -> None:
        prepare(url)
        refused = typed(command)
        assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
        assert advice in refused.stderr

    def test_makes_no_database_by_looking_for_it(self, command: str, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        typed(command)
        assert list((tmp_path / "data").iterdir()) == []
