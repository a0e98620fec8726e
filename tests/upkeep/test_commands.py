"""The commands as an operator types them: what they print, and what their exit tells a script."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from directory.calendars import dump_calendar
from directory.demo_city import demo_directory
from directory.rules import default_ladder, default_policy
from store import directory, rules
from tests.support.cases import limit
from tests.support.engine import ROUND_THE_CLOCK, report
from tests.support.office import Office
from upkeep import publications


@pytest.fixture
async def city(installation: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Nobody opens cases beside the test, by whatever version."""
    monkeypatch.setattr(publications, "SETTLED", 0.0)
    await directory.save(installation.database, demo_directory(), ROUND_THE_CLOCK, default_policy(), default_ladder())
    return installation


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
    async def test_is_shown_and_edited(self, city: Office, tmp_path: Path) -> None:
        assert "周一 00:00-24:00" in (await typed("calendar", "show")).stdout
        file = tmp_path / "calendar.toml"
        file.write_text((await typed("calendar", "show", "--toml")).stdout, encoding="utf-8")
        assert file.read_text(encoding="utf-8") == dump_calendar(ROUND_THE_CLOCK)
        file.write_text("holidays = 7", encoding="utf-8")
        wrong = await typed("calendar", "publish", str(file))
        assert (wrong.exit_code, wrong.stderr.count("\n")) == (2, 1)

    async def test_is_foretold_and_published_once_it_is_confirmed(self, city: Office, tmp_path: Path) -> None:
        handle = await city.open(report(limit=limit("5 work_day")))
        file, listed = tmp_path / "calendar.toml", tmp_path / "moved.csv"
        tomorrow = report().opened_at.astimezone(ROUND_THE_CLOCK.tz).date() + timedelta(days=1)
        file.write_text(dump_calendar(ROUND_THE_CLOCK.model_copy(update={"holidays": (tomorrow,)})), encoding="utf-8")
        foretold = await typed("calendar", "preview", str(file), "--next", "--list", str(listed))
        assert foretold.exit_code == 0
        assert "期限变动 deadlines that move: 1" in foretold.stdout
        assert listed.read_text("utf-8-sig").splitlines()[1].startswith(f"{handle.id},sanitation,case,")
        unconfirmed = await typed("calendar", "publish", str(file), "--next")
        assert (unconfirmed.exit_code, "未发布" in unconfirmed.stderr) == (1, True)
        done = await typed("calendar", "publish", str(file), "--next", "--yes")
        assert done.exit_code == 0, done.stderr
        assert "taken by 1 cases; 1 deadlines moved" in done.stdout
        assert "已完成 done: 1 件 cases, 1 件期限变动 moved" in (await typed("publications", "list")).stdout
        assert (await typed("publications", "resume", "1")).exit_code == 0
        assert (await typed("publications", "resume", "9")).exit_code == 2
        assert "第 2 版" in (await typed("calendar", "versions")).stdout

    async def test_is_made_official_for_a_year_by_an_act(self, city: Office, tmp_path: Path) -> None:
        short = ROUND_THE_CLOCK.model_copy(update={"id": "short", "official_through": date(2026, 12, 31)})
        await rules.publish_calendar(city.database, short, "test", datetime.now(UTC))
        file = tmp_path / "2027.toml"
        file.write_text('holidays = ["2027-01-01..2027-01-03"]', encoding="utf-8")
        assert (await typed("calendar", "official", "2027")).exit_code == 2
        unknown = await typed("calendar", "official", "2099", "--from-package", "--calendar", "short")
        assert (unknown.exit_code, "没有 2099 年" in unknown.stderr) == (2, True)
        gap = await typed("calendar", "official", "2029", str(file), "--calendar", "short", "--yes")
        assert (gap.exit_code, gap.stderr.count("\n")) == (2, 1)
        done = await typed("calendar", "official", "2027", str(file), "--calendar", "short", "--yes")
        assert done.exit_code == 0, done.stderr
        made = await rules.calendar(city.database, "short")
        assert made is not None
        assert (made.version, made.official_through) == (2, date(2027, 12, 31))

    async def test_lists_what_is_provisional(self, city: Office) -> None:
        handle = await city.open()
        assert (await typed("calendar", "provisional")).stdout == ""
        await city.tamper("UPDATE cases SET provisional = :yes", yes=True)
        assert (await typed("calendar", "provisional")).stdout.startswith(handle.id)

    async def test_of_a_version_that_is_not_next_is_refused(self, city: Office, tmp_path: Path) -> None:
        file = tmp_path / "calendar.toml"
        file.write_text(dump_calendar(ROUND_THE_CLOCK.model_copy(update={"version": 9})), encoding="utf-8")
        result = await typed("calendar", "publish", str(file))
        assert result.exit_code == 2
        assert "--next" in result.stderr


class TestThePolicy:
    async def test_is_shown_edited_and_published(self, city: Office, tmp_path: Path) -> None:
        await city.open()
        file = tmp_path / "rules.json"
        shown = await typed("policy", "show", "--json")
        changed = json.loads(shown.stdout)
        changed["policy"]["returns"]["final_after"] = 5
        file.write_text(json.dumps(changed), encoding="utf-8")
        assert (await typed("policy", "publish", str(file), "--yes")).exit_code == 2
        assert "涉及 1 件" in (await typed("policy", "preview", str(file), "--next")).stdout
        done = await typed("policy", "publish", str(file), "--next", "--yes")
        assert done.exit_code == 0, done.stderr
        assert "taken by 1 cases; 0 deadlines moved" in done.stdout
        assert "5 次后终局" in (await typed("policy", "show")).stdout
