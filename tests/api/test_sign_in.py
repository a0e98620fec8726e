"""Signing in with a password: what it opens, what it tells, and how soon it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import update
from sqlmodel import col
from temporalio.testing import WorkflowEnvironment

from api import services as api_services
from api.doors import Doors, Failures, household
from api.problems import TooMany
from store import passwords, tokens
from store.city_tables import TokenRow, UserRow
from store.database import writing
from store.hashing import Hasher
from tests.api.answers import refused
from tests.support.hashing import cheap, with_cheap_doors
from tests.support.stack import Json, Stack, running, settings_for

USER, PASSWORD = "officer-1", "eleven rusty wheelbarrows"
NEW = "twelve rusty wheelbarrows"


@pytest.fixture(scope="module")
async def stack(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """One of its own: people are retired in it, and addresses refused."""
    folder = tmp_path_factory.mktemp("sign_in")
    settings = settings_for(temporal, f"sqlite:///{folder / 'rectify.db'}", folder)
    async with running(temporal, settings, with_worker=False) as ready:
        yield ready


@pytest.fixture(autouse=True)
async def doors(stack: Stack) -> None:
    """Each test has its own count of failures, and the user his password."""
    with_cheap_doors(stack, lock_after_failures=3)
    await give(stack, USER)


async def give(stack: Stack, user: str, *, must_change: bool = False) -> None:
    await passwords.put(stack.engines[0], user, await cheap().hash(PASSWORD), must_change=must_change)


async def knock(stack: Stack, password: str = PASSWORD, login: str = USER) -> httpx.Response:
    return await stack.client().post("/sign-in", json={"login": login, "password": password})


async def signed_in(stack: Stack, login: str = USER) -> Json:
    answer = await knock(stack, login=login)
    assert answer.status_code == 200, answer.text
    said: Json = answer.json()
    return said


@asynccontextmanager
async def client(stack: Stack, token: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=stack.client().base_url, headers=headers) as one:
        yield one


def let_time_pass(stack: Stack) -> None:
    """As if `FRESH_FOR` seconds had."""
    known = stack.services.tokens._known
    for token in known:
        known[token] = known[token]._replace(asked=-api_services.FRESH_FOR)


class TestSigningIn:
    async def test_opens_what_the_users_own_token_opens(self, stack: Stack) -> None:
        said = await signed_in(stack)
        assert (said["user"], said["role"], said["must_change"]) == (USER, "officer", False)
        async with client(stack, said["token"]) as mine:
            assert (await mine.get("/tasks")).status_code == 200
            assert (await mine.get("/notices/channels")).status_code == 403

    async def test_ends_after_as_many_hours_as_are_set(self, stack: Stack) -> None:
        said = await signed_in(stack)
        left = datetime.fromisoformat(said["expires_at"]) - datetime.now(UTC)
        assert timedelta(hours=11, minutes=59) < left <= timedelta(hours=12)

    async def test_is_kept_by_no_cache(self, stack: Stack) -> None:
        assert (await knock(stack)).headers["cache-control"] == "no-store"

    async def test_tells_nobody_what_was_wrong(self, stack: Stack) -> None:
        """A wrong password, nobody's login, a login without one, no login at all, a locked one: to the letter."""
        for _ in range(3):
            await knock(stack, "wrong", "officer-1")
        said = set()
        for login in (USER, "officer-2", "nobody", "", "林晓", "\u0000", "x" * 200, "admin' OR 1=1 --"):
            answer = await stack.client().post(
                "/sign-in",
                content=f'{{"login": {_json(login)}, "password": {_json(PASSWORD)}}}',
                headers={"Content-Type": "application/json"},
            )
            refused(answer, 401, "sign_in_failed")
            said.add(answer.text)
        assert len(said) == 1

    async def test_takes_any_password_for_what_it_is(self, stack: Stack) -> None:
        for password in ("", "x" * 1024, "\u0000", "１２３"):
            refused(await knock(stack, password, "nobody"), 401, "sign_in_failed")
        refused(await knock(stack, "x" * 1025, "nobody"), 422, "field_invalid")

    async def test_repeats_no_password_in_a_refusal(self, stack: Stack) -> None:
        wrong = "a-password-typed-wrongly"
        for body in ({"login": USER, "password": wrong, "x": wrong}, {"login": wrong, "password": [wrong]}):
            answer = await stack.client().post("/sign-in", json=body)
            assert answer.status_code == 422
            assert wrong not in answer.text

    async def test_hashes_anew_what_was_hashed_more_cheaply(self, stack: Stack) -> None:
        dearer = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
        doors = Doors(stack.services.database, stack.services.settings, Hasher(dearer))
        stack.app.state.services = replace(stack.services, doors=doors)
        await signed_in(stack)
        kept = await passwords.knock(stack.engines[0], USER, datetime.now(UTC), 3)
        assert kept is not None
        assert "m=16,t=2,p=1" in kept.hash
        await signed_in(stack)

    async def test_without_a_database_is_to_be_tried_again(self, stack: Stack) -> None:
        with stack.without_database():
            refused(await knock(stack), 503, "store_unavailable")


def _json(text: str) -> str:
    escaped = "".join(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else char for char in text)
    return f'"{escaped}"'


class TestALock:
    async def test_keeps_out_who_knows_the_password_too(self, stack: Stack) -> None:
        for _ in range(3):
            refused(await knock(stack, "wrong"), 401, "sign_in_failed")
        refused(await knock(stack), 401, "sign_in_failed")
        assert await passwords.unlock(stack.engines[0], USER)
        await signed_in(stack)

    async def test_does_not_end_the_sessions_there_are(self, stack: Stack) -> None:
        token = (await signed_in(stack))["token"]
        for _ in range(4):
            await knock(stack, "wrong")
        let_time_pass(stack)
        async with client(stack, token) as mine:
            assert (await mine.get("/me")).status_code == 200

    async def test_cannot_be_outrun_by_many_at_once(self, stack: Stack) -> None:
        answers = await asyncio.gather(*(knock(stack, f"guess {n}") for n in range(12)), knock(stack))
        assert {answer.status_code for answer in answers[:12]} == {401}
        door = await passwords.door(stack.engines[0], USER)
        assert door is not None
        assert door.failures <= 3

    async def test_is_lifted_by_a_new_password(self, stack: Stack) -> None:
        for _ in range(3):
            await knock(stack, "wrong")
        await give(stack, USER)
        await signed_in(stack)


class TestAnAddress:
    async def test_may_fail_so_often_whoever_is_asked_for(self, stack: Stack) -> None:
        with_cheap_doors(stack, failures_per_address=4)
        for n in range(4):
            refused(await knock(stack, login=f"nobody-{n}"), 401, "sign_in_failed")
        refused(await knock(stack), 429, "too_many_sign_ins")

    async def test_may_succeed_as_often_as_it_likes(self, stack: Stack) -> None:
        with_cheap_doors(stack, failures_per_address=2)
        for _ in range(5):
            await signed_in(stack)

    async def test_is_counted_before_the_password_is_looked_at(self) -> None:
        failures = Failures(2)
        async with AsyncExitStack() as waiting:
            for _ in range(2):
                await waiting.enter_async_context(failures.of("198.51.100.7"))
            with pytest.raises(TooMany):
                await waiting.enter_async_context(failures.of("198.51.100.7"))
            await waiting.enter_async_context(failures.of("198.51.100.8"))

    @pytest.mark.parametrize(
        ("address", "network"),
        [
            ("198.51.100.7", "198.51.100.7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("unknown", "unknown"),
        ],
    )
    def test_is_what_one_household_has(self, address: str, network: str) -> None:
        assert household(address) == network


class TestAFlood:
    async def test_of_the_door_is_told_to_come_again(self, stack: Stack) -> None:
        hasher = cheap(at_once=1, waiting=0)
        doors = Doors(stack.services.database, stack.services.settings, hasher)
        stack.app.state.services = replace(stack.services, doors=doors)
        async with hasher.turn():
            refused(await knock(stack), 503, "sign_in_busy")
            assert (await stack.client(USER).get("/tasks")).status_code == 200
        await signed_in(stack)


class TestSigningOut:
    async def test_ends_the_session_at_once(self, stack: Stack) -> None:
        token = (await signed_in(stack))["token"]
        async with client(stack, token) as mine:
            assert (await mine.post("/sign-out")).status_code == 204
            refused(await mine.get("/tasks"), 401, "unauthenticated")

    async def test_ends_no_other(self, stack: Stack) -> None:
        first, second = (await signed_in(stack))["token"], (await signed_in(stack))["token"]
        async with client(stack, first) as one, client(stack, second) as other:
            await one.post("/sign-out")
            let_time_pass(stack)
            assert (await other.get("/tasks")).status_code == 200

    async def test_is_not_for_tokens_that_were_issued(self, stack: Stack) -> None:
        refused(await stack.client(USER).post("/sign-out"), 403, "not_a_session")
        assert (await stack.client(USER).get("/tasks")).status_code == 200


class TestAFirstPassword:
    async def test_opens_nothing_but_its_change(self, stack: Stack) -> None:
        await give(stack, USER, must_change=True)
        said = await signed_in(stack)
        assert said["must_change"]
        async with client(stack, said["token"]) as mine:
            for path in ("/tasks", "/cases", "/events", "/events/stream"):
                refused(await mine.get(path), 403, "password_change_required")
            assert (await mine.get("/me")).json()["must_change"]
            changed = await mine.post("/password", json={"old": PASSWORD, "new": NEW})
            assert changed.status_code == 200
        async with client(stack, changed.json()["token"]) as mine:
            assert (await mine.get("/tasks")).status_code == 200
            assert not (await mine.get("/me")).json()["must_change"]


class TestAChangeOfPassword:
    async def change(self, stack: Stack, token: str, old: str = PASSWORD, new: str = NEW) -> httpx.Response:
        async with client(stack, token) as mine:
            return await mine.post("/password", json={"old": old, "new": new})

    async def test_ends_all_sessions_and_gives_a_new_one(self, stack: Stack) -> None:
        first, second = (await signed_in(stack))["token"], (await signed_in(stack))["token"]
        answer = await self.change(stack, first)
        assert answer.status_code == 200
        let_time_pass(stack)
        for token, status in ((first, 401), (second, 401), (answer.json()["token"], 200)):
            async with client(stack, token) as mine:
                assert (await mine.get("/tasks")).status_code == status
        refused(await knock(stack, PASSWORD), 401, "sign_in_failed")
        assert (await knock(stack, NEW)).status_code == 200

    async def test_asks_for_the_old_one_and_counts_failures(self, stack: Stack) -> None:
        token = (await signed_in(stack))["token"]
        for _ in range(3):
            refused(await self.change(stack, token, "wrong"), 403, "old_password_wrong")
        refused(await self.change(stack, token), 403, "old_password_wrong")

    @pytest.mark.parametrize(
        ("new", "code"),
        [
            (PASSWORD, "password_is_old"),
            ("Xk9!mQ2#vL7", "password_too_short"),
            ("password1234", "password_too_common"),
            ("officer-1officer-1", "password_is_login"),
            ("x" * 129, "password_too_long"),
        ],
    )
    async def test_is_refused_for_one_that_will_not_do(self, stack: Stack, new: str, code: str) -> None:
        token = (await signed_in(stack))["token"]
        problem = refused(await self.change(stack, token, new=new), 422, code)
        assert new not in str(problem)
        async with client(stack, token) as mine:
            assert (await mine.get("/tasks")).status_code == 200

    async def test_is_not_for_whom_has_none(self, stack: Stack) -> None:
        answer = await self.change(stack, stack.tokens["officer-2"])
        refused(answer, 403, "old_password_wrong")


class TestMe:
    async def test_says_who_and_how(self, stack: Stack) -> None:
        said = await signed_in(stack)
        async with client(stack, said["token"]) as mine:
            me = (await mine.get("/me")).json()
        assert me["name"]
        assert (me["user"], me["role"], me["unit"]) == (USER, "officer", None)
        assert (me["area"], me["how"]) == ("/qinghe/yunlan", "password")
        assert me["expires_at"] == said["expires_at"]

    async def test_of_an_issued_token_has_no_end(self, stack: Stack) -> None:
        me = (await stack.client("unit-roads").get("/me")).json()
        assert (me["unit"], me["how"], me["expires_at"]) == ("roads", "issued", None)


class TestASession:
    async def set(self, stack: Stack, token: str, **values: datetime) -> None:
        async with writing(stack.engines[0]) as connection:
            mine = col(TokenRow.hash) == tokens._hash(token)
            await connection.execute(update(TokenRow).where(mine).values(**values))

    async def test_ends_unused(self, stack: Stack) -> None:
        token = (await signed_in(stack))["token"]
        async with client(stack, token) as mine:
            await self.set(stack, token, used_at=datetime.now(UTC) - timedelta(minutes=59))
            assert (await mine.get("/tasks")).status_code == 200
            await self.set(stack, token, used_at=datetime.now(UTC) - timedelta(minutes=60))
            let_time_pass(stack)
            refused(await mine.get("/tasks"), 401, "unauthenticated")

    async def test_that_is_used_is_written_down(self, stack: Stack) -> None:
        token = (await signed_in(stack))["token"]
        async with client(stack, token) as mine:
            await self.set(stack, token, used_at=datetime.now(UTC) - timedelta(minutes=30))
            let_time_pass(stack)
            await mine.get("/tasks")
        (listed,) = [
            each
            for each in await tokens.listing(stack.engines[0], USER, datetime.now(UTC))
            if tokens._hash(token).startswith(each.id)
        ]
        assert listed.used_at is not None
        assert datetime.now(UTC) - listed.used_at < timedelta(minutes=1)

    async def test_ends_at_its_time_even_without_a_database(self, stack: Stack) -> None:
        token = (await signed_in(stack))["token"]
        known = stack.services.tokens._known
        over = replace(known[token].session, expires_at=datetime.now(UTC))
        known[token] = known[token]._replace(session=over)
        async with client(stack, token) as mine:
            with stack.without_database():
                refused(await mine.get("/cases/RC-0000-0000-0000"), 401, "unauthenticated")

    async def test_of_a_retired_user_ends_within_two_seconds(self, stack: Stack) -> None:
        await give(stack, "officer-3")
        token = (await signed_in(stack, "officer-3"))["token"]
        async with writing(stack.engines[0]) as connection:
            await connection.execute(update(UserRow).where(col(UserRow.id) == "officer-3").values(retired=True))
        let_time_pass(stack)
        async with client(stack, token) as mine:
            refused(await mine.get("/tasks"), 401, "unauthenticated")
        refused(await stack.client("officer-3").get("/tasks"), 401, "unauthenticated")
        refused(await knock(stack, login="officer-3"), 401, "sign_in_failed")

    async def test_is_remembered_for_so_many_at_most(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api_services, "_MOST_KNOWN", 3)
        cache = api_services.TokenCache(stack.services.database)
        for user in ("officer-1", "officer-2", "dispatcher", "supervisor", "admin"):
            assert await cache.actor(stack.tokens[user], datetime.now(UTC))
        assert len(cache._known) <= 3
