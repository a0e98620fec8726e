"""A token tells who calls, as long as it is valid, and is not kept."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from directory.demo_city import demo_directory
from domain.actors import Actor, Role
from store import directory, tokens
from store.city_tables import TokenRow
from store.database import reading
from tests.support.records import NOON, RULES


@pytest.fixture
async def city(engine: AsyncEngine) -> AsyncEngine:
    await directory.save(engine, demo_directory(), RULES.calendar, RULES.policy, RULES.ladder)
    return engine


class TestActor:
    @pytest.mark.parametrize(
        "expected",
        [
            Actor(user="officer-1", role=Role.OFFICER, area="/qinghe/yunlan"),
            Actor(user="unit-roads", role=Role.UNIT, unit="roads", area="/qinghe"),
            Actor(user="resident", role=Role.RESIDENT),
            Actor(user="admin", role=Role.ADMIN, area="/qinghe"),
        ],
        ids=lambda actor: actor.user,
    )
    async def test_is_the_user_with_the_path_of_his_area(self, city: AsyncEngine, expected: Actor) -> None:
        token = await tokens.issue(city, expected.user)
        assert await tokens.actor_for(city, token, NOON) == expected

    @pytest.mark.parametrize("token", ["", "rt_", "rt_" + "A" * 43, "\ud800", "é' OR 1=1 --", "x" * 100_000])
    async def test_is_nobody_for_a_token_we_never_gave(self, city: AsyncEngine, token: str) -> None:
        assert await tokens.actor_for(city, token, NOON) is None

    async def test_ends_at_the_instant_of_expiry(self, city: AsyncEngine) -> None:
        token = await tokens.issue(city, "officer-1", expires_at=NOON)
        assert await tokens.actor_for(city, token, NOON - timedelta(microseconds=1)) is not None
        assert await tokens.actor_for(city, token, NOON) is None

    async def test_ends_when_the_token_is_revoked(self, city: AsyncEngine) -> None:
        token, other = await tokens.issue(city, "officer-1"), await tokens.issue(city, "officer-1")
        assert await tokens.revoke(city, token)
        assert not await tokens.revoke(city, token)
        assert await tokens.actor_for(city, token, NOON) is None
        assert await tokens.actor_for(city, other, NOON) is not None

    async def test_outlives_a_new_directory_but_not_the_user(self, city: AsyncEngine) -> None:
        token = await tokens.issue(city, "officer-1")
        demo = demo_directory()
        await directory.save(city, demo, RULES.calendar, RULES.policy, RULES.ladder)
        assert await tokens.actor_for(city, token, NOON) is not None
        fewer = demo.model_copy(update={"users": demo.users[1:]})
        await directory.save(city, fewer, RULES.calendar, RULES.policy, RULES.ladder)
        assert await tokens.actor_for(city, token, NOON) is None


class TestIssue:
    async def test_looks_like_one_of_ours_and_is_kept_nowhere(self, city: AsyncEngine) -> None:
        token = await tokens.issue(city, "officer-1")
        assert token.startswith("rt_")
        assert len(token) == 46
        async with reading(city) as connection:
            kept = (await connection.execute(select(TokenRow.__table__))).all()  # type: ignore[attr-defined]  # SQLModel sets it
        assert len(kept) == 1
        assert token not in str(kept)

    async def test_says_when(self, city: AsyncEngine) -> None:
        before = datetime.now(UTC)
        await tokens.issue(city, "officer-1")
        async with reading(city) as connection:
            issued_at = await connection.scalar(select(col(TokenRow.issued_at)))
        assert issued_at is not None
        assert before <= issued_at <= datetime.now(UTC)

    async def test_knows_its_users(self, city: AsyncEngine) -> None:
        with pytest.raises(LookupError, match="no user nobody"):
            await tokens.issue(city, "nobody")
