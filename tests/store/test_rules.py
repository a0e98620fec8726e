"""Editions follow each other by one; each is published once, and is on its way till somebody has carried it."""

from datetime import date, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from directory.demo_city import demo_directory
from domain.calendar import Calendar
from store import directory, publications, rules
from store.publications import LEASE
from store.rules import NotInForce, NotNext
from tests.support.records import NOON, RULES

FOLLOWING = RULES.calendar.model_copy(update={"version": 2, "official_through": date(2027, 12, 31)})
POLICY = RULES.policy.model_copy(update={"trusted_sources": (), "version": 2})
LADDER = RULES.ladder.model_copy(update={"rungs": (), "version": 2})


@pytest.fixture
async def city(engine: AsyncEngine) -> AsyncEngine:
    await directory.save(engine, demo_directory(), RULES.calendar, RULES.policy, RULES.ladder)
    return engine


async def publish(engine: AsyncEngine, calendar: Calendar = FOLLOWING) -> int:
    return await rules.publish_calendar(engine, calendar, "admin", NOON)


class TestACalendar:
    async def test_is_in_force_for_new_cases_at_once(self, city: AsyncEngine) -> None:
        before = await directory.version(city)
        await publish(city)
        assert (await directory.current_rules(city))[2] == FOLLOWING
        assert await directory.version(city) > before

    @pytest.mark.parametrize("change", [{"version": 1}, {"version": 3}, {"id": "other", "version": 2}])
    async def test_that_is_not_the_next_is_refused(self, city: AsyncEngine, change: dict[str, object]) -> None:
        wanted = FOLLOWING.model_copy(update=change)
        with pytest.raises(NotNext, match="next version"):
            await publish(city, wanted)
        with pytest.raises(NotNext):
            await rules.check_calendar(city, wanted)
        assert (await directory.current_rules(city))[2] == RULES.calendar

    async def test_of_another_name_is_not_the_citys(self, city: AsyncEngine) -> None:
        await publish(city, RULES.calendar.model_copy(update={"id": "night-shift"}))
        assert (await directory.current_rules(city))[2] == RULES.calendar
        found = [(each.calendar.id, each.city, each.latest) for each in await rules.calendars(city)]
        assert found == [(RULES.calendar.id, True, True), ("night-shift", False, True)]

    async def test_is_listed_with_every_version(self, city: AsyncEngine) -> None:
        await publish(city)
        found = [(each.calendar.version, each.latest) for each in await rules.calendars(city)]
        assert found == [(2, True), (1, False)]
        assert await rules.calendar(city, version=1) == RULES.calendar
        assert await rules.calendar(city) == FOLLOWING
        assert await rules.calendar(city, "atlantis") is None

    async def test_published_again_is_the_same_publication(self, city: AsyncEngine) -> None:
        assert await publish(city) == await publish(city)

    async def test_in_force_since_the_founding_can_be_published_too(self, city: AsyncEngine) -> None:
        number = await publish(city, RULES.calendar)
        assert await publish(city, RULES.calendar) == number


class TestRules:
    async def test_one_of_the_two_may_change(self, city: AsyncEngine) -> None:
        first = await rules.publish_rules(city, POLICY, None, "admin", NOON)
        second = await rules.publish_rules(city, None, LADDER, "admin", NOON)
        assert (await directory.current_rules(city))[:2] == (POLICY, LADDER)
        assert await rules.publish_rules(city, POLICY, LADDER, "admin", NOON) == second
        assert [each.id for each in await publications.listing(city)] == [second, first]
        latest = {(each.kind, each.version) for each in await rules.editions(city) if each.latest}
        assert latest == {("policy", 2), ("ladder", 2)}

    async def test_of_another_name_are_refused(self, city: AsyncEngine) -> None:
        with pytest.raises(NotInForce):
            await rules.publish_rules(city, POLICY.model_copy(update={"id": "other"}), None, "admin", NOON)

    async def test_refused_in_one_part_are_refused_as_a_whole(self, city: AsyncEngine) -> None:
        with pytest.raises(NotNext):
            await rules.publish_rules(city, POLICY, LADDER.model_copy(update={"version": 9}), "admin", NOON)
        assert (await directory.current_rules(city))[:2] == (RULES.policy, RULES.ladder)

    async def test_cannot_be_published_where_there_are_none(self, engine: AsyncEngine) -> None:
        with pytest.raises(LookupError):
            await rules.publish_rules(engine, POLICY, None, "admin", NOON)


class TestAPublication:
    async def test_is_in_one_pair_of_hands(self, city: AsyncEngine) -> None:
        number = await publish(city)
        taken = await publications.take(city, "one", NOON)
        assert taken is not None
        assert taken.id == number
        assert await publications.take(city, "two", NOON) is None
        assert await publications.take(city, "one", NOON) is not None
        assert await publications.keep(city, number, "one", NOON, took=3)
        assert not await publications.keep(city, number, "two", NOON, took=9)
        await publications.release(city, number, "one")
        assert await publications.take(city, "two", NOON) is not None

    async def test_falls_to_another_when_the_lease_has_ended(self, city: AsyncEngine) -> None:
        await publish(city)
        await publications.take(city, "one", NOON)
        assert await publications.take(city, "two", NOON + LEASE - timedelta(seconds=1)) is None
        assert await publications.take(city, "two", NOON + LEASE) is not None

    async def test_that_is_finished_is_taken_by_nobody_until_it_is_reopened(self, city: AsyncEngine) -> None:
        number = await publish(city)
        await publications.take(city, "one", NOON)
        assert await publications.finish(city, number, "one", NOON, took=7, moved=2)
        assert await publications.take(city, "two", NOON + LEASE) is None
        done = await publications.get(city, number)
        assert done is not None
        assert (done.took, done.moved, done.finished_at) == (7, 2, NOON)
        await publications.reopen(city, number)
        assert await publications.take(city, "two", NOON) is not None

    async def test_takes_the_place_of_an_earlier_one_of_its_name(self, city: AsyncEngine) -> None:
        first = await publish(city)
        other = await publish(city, RULES.calendar.model_copy(update={"id": "night-shift"}))
        second = await publish(city, FOLLOWING.model_copy(update={"version": 3}))
        found = {each.id: each.superseded_by for each in await publications.listing(city)}
        assert found == {first: second, other: None, second: None}
        await publications.reopen(city, first)
        assert [each.id for each in await publications.latest(city)] == [other, second]
        reopened = await publications.get(city, first)
        assert reopened is not None
        assert reopened.finished_at is not None
