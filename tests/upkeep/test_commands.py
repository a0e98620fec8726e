"""The commands as an operator types them: what they print, and what their exit tells a script."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from directory.calendars import dump_calendar
from directory.demo_city import demo_directory
from directory.rules import default_ladder, default_policy
from store import directory
from tests.support.engine import ROUND_THE_CLOCK
from tests.support.office import Office


@pytest.fixture
def installation(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The commands find their way by the environment."""
    address = office.desk.client.service_client.config.target_host
    monkeypatch.setenv("RECTIFY_TEMPORAL_ADDRESS", address)
    monkeypatch.setenv("RECTIFY_TASK_QUEUE", office.desk.task_queue)
    monkeypatch.setenv("RECTIFY_DATABASE_URL", office.database.url.render_as_string(hide_password=False))
    return office


async def typed(*words: str) -> Result:
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, words))


class TestAuditAndRebuild:
    async def test_tell_by_their_exit_whether_all_is_well(self, installation: Office) -> None:
        handle = await installation.open()
        assert (await typed("audit")).exit_code == 0
        await installation.tamper("UPDATE cases SET stage = 'closure', words = 'secret'")
        found = await typed("audit", "--json")
        assert found.exit_code == 1
        assert "secret" not in found.stdout
        assert {"case": handle.id, "what": "cases.stage", "expected": "rectification", "found": "closure"} in (
            json.loads(found.stdout)["differences"]
        )
        mended = await typed("rebuild")
        assert mended.exit_code == 0
        assert "核对案卷 1 件，全部一致" in mended.stdout

    async def test_say_one_line_where_there_is_no_database(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("RECTIFY_DATABASE_URL", raising=False)
        for command in (("audit",), ("rebuild",), ("calendar", "show")):
            result = await typed(*command, "--data", str(tmp_path))
            assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
            assert "没有数据库" in result.stderr
        assert await asyncio.to_thread(lambda: [*tmp_path.iterdir()]) == []


class TestTheCalendar:
    async def test_is_shown_edited_and_published(self, installation: Office, tmp_path: Path) -> None:
        rules = default_policy(), default_ladder()
        await directory.save(installation.database, demo_directory(), ROUND_THE_CLOCK, *rules)
        assert "周一 00:00-24:00" in (await typed("calendar", "show")).stdout
        file = tmp_path / "calendar.toml"
        file.write_text((await typed("calendar", "show", "--toml")).stdout, encoding="utf-8")
        assert file.read_text(encoding="utf-8") == dump_calendar(ROUND_THE_CLOCK)
        file.write_text("holidays = 7", encoding="utf-8")
        wrong = await typed("calendar", "publish", str(file))
        assert (wrong.exit_code, wrong.stderr.count("\n")) == (2, 1)

    async def test_of_a_version_that_is_not_next_is_refused(self, installation: Office, tmp_path: Path) -> None:
        rules = default_policy(), default_ladder()
        await directory.save(installation.database, demo_directory(), ROUND_THE_CLOCK, *rules)
        file = tmp_path / "calendar.toml"
        file.write_text(dump_calendar(ROUND_THE_CLOCK.model_copy(update={"version": 9})), encoding="utf-8")
        result = await typed("calendar", "publish", str(file))
        assert result.exit_code == 2
        assert "--next" in result.stderr
