"""A session ends: at its time, unused, with its user, by hand. A code becomes one, once."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from directory.demo_city import demo_directory
from domain.actors import Actor, Role
from store import directory, tokens
from store.city_tables import TokenRow, UserRow
from store.database import reading, writing
from store.tokens import HANDOVER, Granted, Kind, challenge_of
from tests.support.records import RULES

USER = "officer-1"
IDLE = timedelta(hours=1)
VERIFIER = "a-verifier-of-at-least-forty-three-characters"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def city(engine: AsyncEngine) -> AsyncEngine:
    await directory.save(engine, demo_directory(), RULES.calendar, RULES.policy, RULES.ladder)
    return engine


async def opened(engine: AsyncEngine, user: str = USER, kind: Kind = Kind.PASSWORD) -> str:
    return await tokens.issue(engine, user, now() + timedelta(hours=12), kind)


async def is_good(engine: AsyncEngine, token: str, at: datetime | None = None) -> bool:
    return await tokens.session_for(engine, token, at or now(), IDLE) is not None


class TestASession:
    async def test_ends_at_its_time_even_if_it_is_used(self, city: AsyncEngine) -> None:
        token = await opened(city)
        end = now() + timedelta(hours=12)
        await tokens.touch(city, token, end - timedelta(minutes=5))
        assert await is_good(city, token, end - timedelta(minutes=1))
        assert not await is_good(city, token, end + timedelta(minutes=1))

    async def test_ends_unused(self, city: AsyncEngine) -> None:
        token = await opened(city)
        assert await is_good(city, token, now() + IDLE - timedelta(minutes=1))
        assert not await is_good(city, token, now() + IDLE)
        await tokens.touch(city, token, now() + IDLE)
        assert await is_good(city, token, now() + IDLE + timedelta(minutes=59))

    async def test_that_was_issued_as_a_token_does_not(self, city: AsyncEngine) -> None:
        token = await tokens.issue(city, USER)
        assert await is_good(city, token, now() + timedelta(days=10_000))

    @pytest.mark.parametrize("kind", [Kind.ISSUED, Kind.PASSWORD, Kind.OIDC])
    async def test_of_a_retired_user_opens_nothing(self, city: AsyncEngine, kind: Kind) -> None:
        token = await opened(city, kind=kind)
        async with writing(city) as connection:
            await connection.execute(update(UserRow).where(col(UserRow.id) == USER).values(retired=True))
        assert not await is_good(city, token)
        assert await tokens.actor_for(city, token, now()) is None
        with pytest.raises(LookupError):
            await tokens.issue(city, USER)

    async def test_is_listed_and_ended_by_hand(self, city: AsyncEngine) -> None:
        first, second, issued = await opened(city), await opened(city), await tokens.issue(city, USER)
        stranger = await opened(city, "officer-2")
        listed = await tokens.listing(city, USER, now())
        assert [each.kind for each in listed].count("password") == 2
        (one,) = (each.id for each in listed if tokens._hash(first).startswith(each.id))
        assert not await tokens.revoke_id(city, "officer-2", one)
        assert not await tokens.revoke_id(city, USER, "%")
        assert await tokens.revoke_id(city, USER, one)
        assert [await is_good(city, token) for token in (first, second, issued)] == [False, True, True]
        assert await tokens.revoke_all(city, USER) == 2
        assert [await is_good(city, token) for token in (second, issued, stranger)] == [False, False, True]
        assert await tokens.listing(city, USER, now()) == ()

    async def test_long_past_is_forgotten_at_the_next(self, city: AsyncEngine) -> None:
        await opened(city)
        issued = await tokens.issue(city, USER)
        async with writing(city) as connection:
            await connection.execute(update(TokenRow).values(expires_at=now() - timedelta(days=31)))
        await opened(city)
        async with reading(city) as connection:
            left = await connection.scalar(select(func.count()).select_from(TokenRow))
            kept = await connection.scalar(select(col(TokenRow.kind)).where(col(TokenRow.hash) == tokens._hash(issued)))
        assert (left, kept) == (2, "issued")

    async def test_by_claims_has_their_role_and_area(self, city: AsyncEngine) -> None:
        granted = Granted(Role.SUPERVISOR, None, "yunlan")
        token = await tokens.issue(city, USER, now() + timedelta(hours=1), Kind.OIDC, granted)
        session = await tokens.session_for(city, token, now(), IDLE)
        assert session is not None
        assert session.actor == Actor(user=USER, role=Role.SUPERVISOR, area="/qinghe/yunlan")


class TestAHandover:
    async def code(self, engine: AsyncEngine, granted: Granted | None = None) -> str:
        return await tokens.hand_over(engine, USER, granted, challenge_of(VERIFIER), now())

    async def redeemed(self, engine: AsyncEngine, code: str, verifier: str = VERIFIER) -> str | None:
        return await tokens.redeem(engine, code, verifier, now(), now() + timedelta(hours=12))

    async def test_is_worth_a_session_once(self, city: AsyncEngine) -> None:
        code = await self.code(city, Granted(Role.OFFICER, None, "qinghe"))
        token = await self.redeemed(city, code)
        assert token is not None
        session = await tokens.session_for(city, token, now(), IDLE)
        assert session is not None
        assert (session.kind, session.actor.area) == (Kind.OIDC, "/qinghe")
        assert await self.redeemed(city, code) is None

    async def test_opens_nothing_by_itself(self, city: AsyncEngine) -> None:
        code = await self.code(city)
        for token in (code, f"{code}.{challenge_of(VERIFIER)}"):
            assert not await is_good(city, token)
            assert await tokens.actor_for(city, token, now()) is None

    async def test_is_worth_nothing_to_who_lacks_the_verifier(self, city: AsyncEngine) -> None:
        code = await self.code(city)
        for verifier in ("", VERIFIER + "x", challenge_of(VERIFIER)):
            assert await self.redeemed(city, code, verifier) is None
        assert await self.redeemed(city, code) is not None

    async def test_is_worth_nothing_after_a_minute(self, city: AsyncEngine) -> None:
        code = await self.code(city)
        late = now() + HANDOVER
        assert await tokens.redeem(city, code, VERIFIER, late, late + timedelta(hours=1)) is None

    async def test_is_worth_nothing_after_a_change_of_password(self, city: AsyncEngine) -> None:
        code = await self.code(city)
        async with writing(city) as connection:
            await tokens.end_sessions(connection, USER)
        assert await self.redeemed(city, code) is None

    def test_has_the_challenge_of_the_rfc(self) -> None:
        """RFC 7636, appendix B."""
        verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
