"""A subject of a provider is one user, and a user one subject."""

import asyncio

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from directory.demo_city import demo_directory
from domain.actors import Actor, Role
from store import directory, identities
from store.city_tables import UserRow
from store.database import open_engine, writing
from store.identities import Taken
from store.tokens import Granted
from tests.support.records import RULES

ISSUER, OTHER = "https://id.example", "https://id2.example"
USER = "officer-1"


@pytest.fixture
async def city(engine: AsyncEngine) -> AsyncEngine:
    await directory.save(engine, demo_directory(), RULES.calendar, RULES.policy, RULES.ladder)
    return engine


class TestLinking:
    async def test_finds_the_user_again_and_may_be_repeated(self, city: AsyncEngine) -> None:
        for _ in range(2):
            await identities.link(city, ISSUER, "sub-1", USER)
        assert await identities.user_of(city, ISSUER, "sub-1") == USER
        assert await identities.user_of(city, OTHER, "sub-1") is None
        assert [each[:2] for each in await identities.of_user(city, USER)] == [(ISSUER, "sub-1")]

    async def test_takes_no_bound_subject_and_no_bound_user(self, city: AsyncEngine) -> None:
        await identities.link(city, ISSUER, "sub-1", USER)
        for subject, user in (("sub-1", "officer-2"), ("sub-2", USER)):
            with pytest.raises(Taken):
                await identities.link(city, ISSUER, subject, user)
        await identities.link(city, OTHER, "sub-2", USER)
        assert await identities.user_of(city, ISSUER, "sub-2") is None

    async def test_at_once_binds_one(self, city: AsyncEngine) -> None:
        other = open_engine(city.url.render_as_string(hide_password=False))
        tries = [identities.link(each, ISSUER, f"sub-{n}", USER) for n, each in enumerate((city, other) * 3)]
        done = await asyncio.gather(*tries, return_exceptions=True)
        await other.dispose()
        assert [type(each) for each in done].count(Taken) == len(tries) - 1
        assert len(await identities.of_user(city, USER)) == 1

    async def test_knows_its_users(self, city: AsyncEngine) -> None:
        with pytest.raises(LookupError):
            await identities.link(city, ISSUER, "sub", "nobody")

    async def test_is_undone(self, city: AsyncEngine) -> None:
        await identities.link(city, ISSUER, "sub-1", USER)
        assert await identities.unlink(city, USER) == 1
        assert await identities.unlink(city, USER) == 0
        assert await identities.user_of(city, ISSUER, "sub-1") is None


class TestTheActor:
    async def test_is_as_the_directory_says(self, city: AsyncEngine) -> None:
        expected = Actor(user=USER, role=Role.OFFICER, area="/qinghe/yunlan")
        assert await identities.actor_of(city, USER, None) == expected

    async def test_is_as_was_granted(self, city: AsyncEngine) -> None:
        expected = Actor(user=USER, role=Role.DISPATCHER, area="/qinghe")
        assert await identities.actor_of(city, USER, Granted(Role.DISPATCHER, None, "qinghe")) == expected

    @pytest.mark.parametrize(
        "granted", [Granted(Role.OFFICER, None, "atlantis"), Granted(Role.UNIT, "atlantis", None)], ids=str
    )
    async def test_is_nobody_where_there_is_no_such_area_or_unit(self, city: AsyncEngine, granted: Granted) -> None:
        assert await identities.actor_of(city, USER, granted) is None

    async def test_is_nobody_for_a_retired_user(self, city: AsyncEngine) -> None:
        async with writing(city) as connection:
            await connection.execute(update(UserRow).where(col(UserRow.id) == USER).values(retired=True))
        assert await identities.actor_of(city, USER, None) is None
        assert await identities.actor_of(city, "nobody", None) is None
