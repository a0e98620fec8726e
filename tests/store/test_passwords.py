"""A password opens a session; failures in a row lock it, however many try at once and wherever."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from directory.demo_city import demo_directory
from store import directory, passwords, tokens
from store.city_tables import PasswordRow, UserRow
from store.database import open_engine, writing
from store.passwords import LONGEST_LOCK, locked_until
from tests.support.records import NOON, RULES

USER, HASH, NEW = "officer-1", "$argon2id$first", "$argon2id$second"
AFTER = 3


def later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=12)


@pytest.fixture
async def city(engine: AsyncEngine) -> AsyncEngine:
    await directory.save(engine, demo_directory(), RULES.calendar, RULES.policy, RULES.ladder)
    await passwords.put(engine, USER, HASH, must_change=False)
    return engine


async def retire(engine: AsyncEngine, user: str = USER) -> None:
    async with writing(engine) as connection:
        await connection.execute(update(UserRow).where(col(UserRow.id) == user).values(retired=True))


async def fail(engine: AsyncEngine, times: int, now: datetime = NOON) -> None:
    for _ in range(times):
        assert await passwords.knock(engine, USER, now, AFTER)


class TestKnocking:
    async def test_gives_what_to_compare_with(self, city: AsyncEngine) -> None:
        assert await passwords.knock(city, USER, NOON, AFTER) == (HASH, False)

    async def test_gives_nothing_for_whom_there_is_no_password(self, city: AsyncEngine) -> None:
        for user in ("officer-2", "nobody", ""):
            assert await passwords.knock(city, user, NOON, AFTER) is None
            assert await passwords.door(city, user) is None

    async def test_gives_nothing_for_a_retired_user(self, city: AsyncEngine) -> None:
        await retire(city)
        assert await passwords.knock(city, USER, NOON, AFTER) is None

    async def test_locks_after_so_many_failures_in_a_row(self, city: AsyncEngine) -> None:
        await fail(city, AFTER)
        assert await passwords.knock(city, USER, NOON + timedelta(seconds=59), AFTER) is None
        assert await passwords.knock(city, USER, NOON + timedelta(seconds=60), AFTER)

    async def test_while_it_is_locked_makes_it_no_longer(self, city: AsyncEngine) -> None:
        await fail(city, AFTER)
        before = await passwords.door(city, USER)
        for _ in range(20):
            await passwords.knock(city, USER, NOON + timedelta(seconds=30), AFTER)
        assert await passwords.door(city, USER) == before

    async def test_at_once_is_looked_at_no_more_often_than_in_turn(self, city: AsyncEngine) -> None:
        """Two engines, as two processes have them."""
        other = open_engine(city.url.render_as_string(hide_password=False))
        tries = [passwords.knock(each, USER, NOON, AFTER) for each in (city, other) * 5]
        seen = await asyncio.gather(*tries)
        await other.dispose()
        assert len([one for one in seen if one]) == AFTER

    async def test_locks_for_twice_as_long_each_time_up_to_an_hour(self) -> None:
        minutes = []
        for failures in range(AFTER, AFTER + 9):
            until = locked_until(failures, NOON, AFTER)
            assert until is not None
            minutes.append((until - NOON) // timedelta(minutes=1))
        assert minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60]
        assert timedelta(hours=1) == LONGEST_LOCK
        assert locked_until(AFTER - 1, NOON, AFTER) is None


class TestEntering:
    async def test_opens_a_session_and_takes_the_failures_back(self, city: AsyncEngine) -> None:
        await fail(city, AFTER)
        token = await passwords.enter(city, USER, HASH, None, later())
        assert token is not None
        session = await tokens.session_for(city, token, datetime.now(UTC), timedelta(hours=1))
        assert session is not None
        assert (session.actor.user, session.kind, session.must_change) == (USER, "password", False)
        door = await passwords.door(city, USER)
        assert door is not None
        assert (door.failures, door.locked_until) == (0, None)

    async def test_keeps_a_better_hash(self, city: AsyncEngine) -> None:
        assert await passwords.enter(city, USER, HASH, NEW, later())
        assert await passwords.knock(city, USER, NOON, AFTER) == (NEW, False)

    async def test_with_a_password_that_was_changed_meanwhile_opens_nothing(self, city: AsyncEngine) -> None:
        await passwords.put(city, USER, NEW, must_change=True)
        assert await passwords.enter(city, USER, HASH, HASH, later()) is None
        assert await passwords.knock(city, USER, NOON, AFTER) == (NEW, True)

    async def test_of_whom_was_retired_meanwhile_opens_nothing(self, city: AsyncEngine) -> None:
        await retire(city)
        assert await passwords.enter(city, USER, HASH, None, later()) is None
        assert await passwords.change(city, USER, HASH, NEW, later()) is None


class TestChanging:
    async def test_ends_every_session_but_the_new_one_and_no_issued_token(self, city: AsyncEngine) -> None:
        old = await passwords.enter(city, USER, HASH, None, later())
        issued, others = await tokens.issue(city, USER), await tokens.issue(city, "officer-2")
        new = await passwords.change(city, USER, HASH, NEW, later())
        assert old is not None
        assert new is not None
        good = [token for token in (old, issued, others, new) if await tokens.actor_for(city, token, NOON)]
        assert good == [issued, others, new]

    async def test_is_done_once_by_who_knew_the_old_one(self, city: AsyncEngine) -> None:
        assert await passwords.change(city, USER, HASH, NEW, later())
        assert await passwords.change(city, USER, HASH, "$argon2id$third", later()) is None

    async def test_takes_away_the_need_to(self, city: AsyncEngine) -> None:
        await passwords.put(city, USER, HASH, must_change=True)
        await passwords.change(city, USER, HASH, NEW, later())
        door = await passwords.door(city, USER)
        assert door is not None
        assert not door.must_change


class TestAnAdministrator:
    async def test_sets_a_password_that_has_to_be_changed(self, city: AsyncEngine) -> None:
        first = await passwords.enter(city, USER, HASH, None, later())
        assert await passwords.put(city, USER, NEW, must_change=True) == 1
        assert first is not None
        assert await tokens.actor_for(city, first, NOON) is None
        second = await passwords.enter(city, USER, NEW, None, later())
        assert second is not None
        session = await tokens.session_for(city, second, datetime.now(UTC), timedelta(hours=1))
        assert session is not None
        assert session.must_change
        assert await tokens.actor_for(city, second, NOON) is None

    async def test_leaves_issued_tokens_as_they_are(self, city: AsyncEngine) -> None:
        issued = await tokens.issue(city, USER)
        await passwords.put(city, USER, NEW, must_change=True)
        assert await tokens.actor_for(city, issued, NOON)

    async def test_sets_none_for_nobody(self, city: AsyncEngine) -> None:
        await retire(city, "officer-2")
        for user in ("nobody", "officer-2"):
            with pytest.raises(LookupError):
                await passwords.put(city, user, HASH, must_change=False)

    async def test_unlocks(self, city: AsyncEngine) -> None:
        await fail(city, AFTER)
        assert await passwords.unlock(city, USER)
        assert await passwords.knock(city, USER, NOON, AFTER)
        assert not await passwords.unlock(city, "officer-2")


class TestAtRest:
    async def test_a_hash_shows_in_no_representation(self, city: AsyncEngine) -> None:
        assert HASH not in repr(PasswordRow(user=USER, hash=HASH, changed_at=NOON))
