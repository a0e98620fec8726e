"""`rectify user`: a password, what opens to somebody, and the end of it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from cli import app
from directory.demo_city import demo_directory
from store import directory, hashing, identities, passwords, tokens
from store.tokens import Kind
from tests.support.hashing import CHEAP
from tests.support.records import RULES

USER, PASSWORD = "officer-1", "eleven rusty wheelbarrows"
ISSUER = "https://id.example"


@pytest.fixture
async def city(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> AsyncEngine:
    monkeypatch.setenv("RECTIFY_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    await directory.save(engine, demo_directory(), RULES.calendar, RULES.policy, RULES.ladder)
    return engine


async def typed(*words: str, said: str | None = None) -> Result:
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["user", *words], input=said))


async def session(engine: AsyncEngine, user: str = USER) -> str:
    return await tokens.issue(engine, user, datetime.now(UTC) + timedelta(hours=1), Kind.PASSWORD)


async def is_good(engine: AsyncEngine, token: str) -> bool:
    return await tokens.actor_for(engine, token, datetime.now(UTC)) is not None


class TestAPassword:
    async def test_is_taken_from_standard_input_and_has_to_be_changed(self, city: AsyncEngine) -> None:
        before = await session(city)
        done = await typed("password", USER, said=f"{PASSWORD}\n")
        assert (done.exit_code, PASSWORD in done.output) == (0, False)
        assert not await is_good(city, before)
        kept = await passwords.knock(city, USER, datetime.now(UTC), 5)
        assert kept is not None
        assert kept.must_change
        assert (await hashing.Hasher(CHEAP).check(PASSWORD, kept.hash)).right

    async def test_is_made_up_and_printed_alone(self, city: AsyncEngine) -> None:
        done = await typed("password", USER, "--made-up", "--lasting")
        made_up = done.stdout.strip()
        assert (done.exit_code, len(made_up)) == (0, 16)
        kept = await passwords.knock(city, USER, datetime.now(UTC), 5)
        assert kept is not None
        assert not kept.must_change
        assert (await hashing.Hasher(CHEAP).check(made_up, kept.hash)).right

    @pytest.mark.parametrize(
        ("login", "password", "why"),
        [(USER, "Xk9!mQ2#vL7", "密码过短"), (USER, "password1234", "太常见"), ("nobody", PASSWORD, "没有用户 nobody")],
    )
    async def test_is_refused_in_one_line(self, city: AsyncEngine, login: str, password: str, why: str) -> None:
        refused = await typed("password", login, said=f"{password}\n")
        assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert why in refused.stderr
        assert password not in refused.stderr
        assert await passwords.door(city, login) is None

    async def test_is_unlocked(self, city: AsyncEngine) -> None:
        await passwords.put(city, USER, "x", must_change=False)
        for _ in range(2):
            await passwords.knock(city, USER, datetime.now(UTC), 2)
        assert "锁定至" in (await typed("sessions", USER)).stdout
        assert (await typed("unlock", USER)).exit_code == 0
        assert await passwords.knock(city, USER, datetime.now(UTC), 2)
        assert (await typed("unlock", "officer-2")).exit_code == 2


class TestSessions:
    async def test_are_listed_without_their_tokens(self, city: AsyncEngine) -> None:
        token, issued = await session(city), await tokens.issue(city, USER)
        await identities.link(city, ISSUER, "sub-1", USER)
        table = await typed("sessions", USER)
        found = json.loads((await typed("sessions", USER, "--json")).stdout)
        assert {each["kind"] for each in found["tokens"]} == {"password", "issued"}
        assert found["password"] is None
        assert [each["subject"] for each in found["identities"]] == ["sub-1"]
        for output in (table.stdout, json.dumps(found)):
            assert not any(secret in output for secret in (token, issued))

    async def test_are_ended_one_by_one(self, city: AsyncEngine) -> None:
        first, issued = await session(city), await tokens.issue(city, USER)
        found = json.loads((await typed("sessions", USER, "--json")).stdout)
        (one,) = (each["id"] for each in found["tokens"] if each["kind"] == "password")
        assert (await typed("revoke", USER, one)).exit_code == 0
        assert [await is_good(city, token) for token in (first, issued)] == [False, True]
        again = await typed("revoke", USER, one)
        assert (again.exit_code, again.stderr.count("\n")) == (2, 1)

    async def test_are_ended_all_at_once(self, city: AsyncEngine) -> None:
        opened = [await session(city), await session(city), await tokens.issue(city, USER)]
        assert "ended: 3" in (await typed("revoke", USER)).stdout
        assert [await is_good(city, token) for token in opened] == [False] * 3


class TestAnAccount:
    async def test_is_linked_and_unlinked(self, city: AsyncEngine) -> None:
        linked = await typed("link", USER, "sub-1", "--issuer", ISSUER)
        assert linked.exit_code == 0
        assert await identities.user_of(city, ISSUER, "sub-1") == USER
        taken = await typed("link", "officer-2", "sub-1", "--issuer", ISSUER)
        assert (taken.exit_code, taken.stderr.count("\n")) == (2, 1)
        assert (await typed("unlink", USER)).exit_code == 0
        assert (await typed("unlink", USER)).exit_code == 2

    async def test_needs_a_provider_and_a_user(self, city: AsyncEngine) -> None:
        assert "--issuer" in (await typed("link", USER, "sub-1")).stderr
        assert "nobody" in (await typed("link", "nobody", "sub-1", "--issuer", ISSUER)).stderr
