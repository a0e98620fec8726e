"""The command itself, up to the point where it needs a server; and the run on a real server and a real database."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from cli import app
from commands.importing import SqlArchive
from domain.actors import Actor, Role
from ledger.run import Engine
from store import cases
from store.database import open_engine, reading
from store.recorder import Recorder
from tests.ledger.office import MAP, Office, line, text
from tests.support.engine import Desk
from workflows.client import CaseEngine


@dataclass
class Shell:
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def run(
        self, ledger: str | None = None, plan: str = MAP, options: Sequence[str] = (), temporal: str = "127.0.0.1:1"
    ) -> Result:
        (self.folder / "map.toml").write_text(plan, encoding="utf-8")
        if ledger is not None:
            (self.folder / "ledger.csv").write_text(ledger, encoding="utf-8")
        self.monkeypatch.setenv("RECTIFY_DATA", str(self.folder))
        self.monkeypatch.setenv("RECTIFY_TEMPORAL_ADDRESS", temporal)
        arguments = [str(self.folder / "ledger.csv"), "--map", str(self.folder / "map.toml"), *options]
        return CliRunner().invoke(app, ["import", "cases", *arguments])


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, monkeypatch)


class TestWhatCannotBeImported:
    def test_a_bad_map_is_told_key_by_key(self, shell: Shell) -> None:
        result = shell.run(text(line()), MAP.replace("gcj02", "mars"))
        assert result.exit_code == 2
        assert "position.datum" in result.output

    def test_a_ledger_that_is_not_there(self, shell: Shell) -> None:
        result = shell.run()
        assert result.exit_code == 2
        assert "无法读取台账" in result.output

    def test_a_ledger_without_a_column_of_the_map(self, shell: Shell) -> None:
        result = shell.run(text().replace("结案时间", "办结"))
        assert result.exit_code == 2
        assert "there is no column '结案时间' for closed.column" in result.output

    def test_a_server_that_is_not_there_is_one_line(self, shell: Shell) -> None:
        result = shell.run(text(line()))
        assert result.exit_code == 2
        assert "cannot reach Temporal" in result.output

    def test_the_ledger_is_not_overwritten_by_its_own_refusals(self, shell: Shell) -> None:
        result = shell.run(text(line()), options=["--refused", str(shell.folder / "ledger.csv")])
        assert result.exit_code == 2
        assert (shell.folder / "ledger.csv").exists()


class TestOnTheRealThing:
    async def test_rows_run_as_cases_or_lie_in_the_archive_and_a_second_run_changes_nothing(
        self, office: Office, lonely_desk: Desk, engine: AsyncEngine
    ) -> None:
        cases_engine: Engine = CaseEngine(lonely_desk.client, task_queue=lonely_desk.task_queue)
        office.use(cases_engine, SqlArchive(engine, Recorder(engine)))
        plan = MAP.replace("old-town", lonely_desk.task_queue)  # cases of its own on the shared server
        ledger = text(line(), line(编号="A-2"), line(编号="A-3", 结案时间="2026-03-02 10:00"))
        first, second = await office.take_in(ledger, plan), await office.take_in(ledger, plan)
        assert (first.opened, first.archived) == (2, 1)
        assert (second.already, second.opened, second.archived) == (3, 0, 0)
        everybody = Actor(user="admin", role=Role.ADMIN, area=f"/{lonely_desk.task_queue}")
        found = await cases.search(engine, cases.CaseFilter(), everybody)
        assert len(found.items) == 1

    async def test_the_database_is_told_how_much_came(self, shell: Shell, lonely_desk: Desk) -> None:
        address = lonely_desk.client.service_client.config.target_host
        ledger = text(line(结案时间="2026-03-02 10:00"))
        result = await asyncio.to_thread(shell.run, ledger, options=["--create-missing"], temporal=address)
        assert result.exit_code == 0, result.output
        database = open_engine(f"sqlite:///{shell.folder / 'rectify.db'}")
        async with reading(database) as connection:
            counted = await connection.scalar(sql("SELECT stat FROM sqlite_stat1 WHERE tbl = 'cases'"))
        await database.dispose()
        assert counted.startswith("1 ")
