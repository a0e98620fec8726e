"""`rectify token`: issued once, good until revoked."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from cli import app
from directory.demo_city import demo_directory
from store import directory, tokens
from tests.support.records import RULES


@pytest.fixture
async def city(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> AsyncEngine:
    monkeypatch.setenv("RECTIFY_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    await directory.save(engine, demo_directory(), RULES.calendar, RULES.policy, RULES.ladder)
    return engine


async def typed(*words: str, said: str | None = None) -> Result:
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["token", *words], input=said))


class TestIssuing:
    async def test_prints_a_token_of_that_user_and_nothing_else(self, city: AsyncEngine) -> None:
        token = (await typed("issue", "officer-1")).stdout.removesuffix("\n")
        actor = await tokens.actor_for(city, token, datetime.now(UTC) + timedelta(days=10_000))
        assert actor is not None
        assert actor.user == "officer-1"

    async def test_for_some_days_ends_after_them(self, city: AsyncEngine) -> None:
        token = (await typed("issue", "officer-1", "--days", "2")).stdout.strip()
        now = datetime.now(UTC)
        assert await tokens.actor_for(city, token, now + timedelta(hours=47)) is not None
        assert await tokens.actor_for(city, token, now + timedelta(hours=49)) is None

    async def test_to_nobody_is_refused_in_one_line(self, city: AsyncEngine) -> None:
        refused = await typed("issue", "nobody")
        assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert "没有用户 nobody" in refused.stderr

    async def test_without_a_database_is_refused_in_one_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("RECTIFY_DATABASE_URL", raising=False)
        refused = await typed("issue", "officer-1", "--data", str(tmp_path))
        assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)


class TestRevoking:
    @pytest.mark.parametrize("by", ["argument", "standard input"])
    async def test_ends_the_token_and_is_not_done_twice(self, city: AsyncEngine, by: str) -> None:
        token = await tokens.issue(city, "officer-1")
        words, said = (["revoke", token], None) if by == "argument" else (["revoke", "-"], f"{token}\n")
        first, second = await typed(*words, said=said), await typed(*words, said=said)
        assert (first.exit_code, second.exit_code, second.stderr.count("\n")) == (0, 2, 1)
        assert token not in first.output + second.output
        assert await tokens.actor_for(city, token, datetime.now(UTC)) is None
