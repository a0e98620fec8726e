from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from directory.calendars import default_calendar
from directory.catalogue import load_catalogue
from directory.demo_city import demo_directory
from directory.model import Catalogue, Directory, RoutingRow
from directory.rules import default_ladder, default_policy
from domain.actors import Actor, Role
from domain.errors import Invalid
from store import catalogues, directory, directory_changes
from store.catalogues import InUse, Missing, TooEarly, in_force, lacking
from store.city_tables import RoutingTableRow
from store.database import insert, writing

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
SPRING = datetime(2027, 3, 1, tzinfo=UTC)
DEMO = demo_directory()
ALL = load_catalogue()
#: Without what no routing row of the demonstration city names.
FEWER = tuple(category for category in ALL if category.code != "E0602")
DAY = timedelta(days=1)
GONE = RoutingRow(id="gone", category="E0602", unit="roads")


@pytest.fixture
async def city(engine: AsyncEngine) -> AsyncEngine:
    await directory.save(engine, DEMO, default_calendar(), default_policy(), default_ladder())
    return engine


class TestPublishing:
    async def test_makes_the_next_version_and_keeps_those_before(self, city: AsyncEngine) -> None:
        made = await catalogues.publish(city, FEWER, SPRING, NOW)
        assert made == Catalogue(scheme="rectify", version=2, valid_from=SPRING)
        assert [(each.version, each.valid_from) for each in await catalogues.editions(city)] == [
            (2, SPRING),
            (1, DEMO.catalogue.valid_from),
        ]
        assert await catalogues.get(city, "rectify", 1) == ALL
        assert await catalogues.get(city, "rectify", 2) == FEWER
        assert await catalogues.get(city, "rectify", 3) == ()

    async def test_changes_what_is_in_force_on_its_day(self, city: AsyncEngine) -> None:
        await catalogues.publish(city, FEWER, SPRING, NOW)
        before = await directory.load(city, SPRING - timedelta(microseconds=1))
        after = await directory.load(city, SPRING)
        assert (before.catalogue.version, before.categories) == (1, ALL)
        assert (after.catalogue.version, after.categories) == (2, FEWER)

    async def test_counts_as_a_change_of_the_directory(self, city: AsyncEngine) -> None:
        await catalogues.publish(city, FEWER, SPRING, NOW)
        assert await directory.version(city) == 2

    async def test_may_be_at_once(self, city: AsyncEngine) -> None:
        await catalogues.publish(city, FEWER, NOW, NOW)
        assert (await directory.load(city, NOW)).catalogue.version == 2

    async def test_of_another_scheme_begins_at_one(self, city: AsyncEngine) -> None:
        assert (await catalogues.publish(city, FEWER, SPRING, NOW, "gb-2027")).version == 1
        assert (await catalogues.publish(city, ALL, SPRING + DAY, NOW)).scheme == "rectify"
        later = SPRING + 2 * DAY
        assert (await catalogues.publish(city, ALL, later, SPRING)).scheme == "gb-2027"

    @pytest.mark.parametrize("valid_from", [NOW - timedelta(seconds=1), DEMO.catalogue.valid_from, SPRING])
    async def test_before_now_or_another_edition_is_refused(self, city: AsyncEngine, valid_from: datetime) -> None:
        await catalogues.publish(city, FEWER, SPRING, NOW)
        with pytest.raises(TooEarly) as raised:
            await catalogues.publish(city, ALL, valid_from, NOW)
        assert raised.value.after == SPRING
        assert len(await catalogues.editions(city)) == 2
        assert await directory.version(city) == 2

    async def test_that_leaves_a_row_hanging_is_refused_and_changes_nothing(self, city: AsyncEngine) -> None:
        without = tuple(each for each in ALL if each.code not in {"E0110", "E0112"} and not each.code.startswith("C05"))
        with pytest.raises(InUse) as raised:
            await catalogues.publish(city, without, SPRING, NOW)
        assert set(raised.value.missing) == {
            Missing("e0110", "E0110"),
            Missing("e0110-market", "E0110"),
            Missing("e0112", "E0112"),
            Missing("e0112-market", "E0112"),
            Missing("c05", "C05…"),
        }
        assert await directory.version(city) == 1
        assert len(await catalogues.editions(city)) == 1

    async def test_may_drop_what_only_retired_rows_name(self, city: AsyncEngine) -> None:
        old = RoutingRow(id="old", category="E0602", unit="roads", retired=True)
        kept = Directory.model_validate({**dict(DEMO), "routing": (*DEMO.routing, old)})
        await directory.save(city, kept, default_calendar(), default_policy(), default_ladder())
        await catalogues.publish(city, FEWER, SPRING, NOW)
        assert old in (await directory.load(city, SPRING)).routing

    async def test_needs_a_city(self, engine: AsyncEngine) -> None:
        with pytest.raises(LookupError):
            await catalogues.publish(engine, ALL, SPRING, NOW)
        assert await directory.version(engine) == 0


class TestLooking:
    async def test_ahead_tells_when_another_edition_comes(self, city: AsyncEngine) -> None:
        assert await catalogues.next_change(city, NOW) is None
        await catalogues.publish(city, FEWER, SPRING, NOW)
        await catalogues.publish(city, ALL, SPRING + DAY, NOW)
        assert await catalogues.next_change(city, NOW) == SPRING
        assert await catalogues.next_change(city, SPRING) == SPRING + DAY

    async def test_at_the_editions_tells_which_is_in_force(self, city: AsyncEngine) -> None:
        await catalogues.publish(city, FEWER, SPRING, NOW)
        editions = await catalogues.editions(city)
        instants = (SPRING - DAY, SPRING, datetime(2020, 1, 1, tzinfo=UTC))
        assert [in_force(editions, at).version for at in instants] == [1, 2, 1]
        loaded = [(await directory.load(city, at)).catalogue.version for at in instants]
        assert loaded == [1, 2, 1]


class TestARowThatHangs:
    async def test_cannot_be_made_while_an_edition_waits_that_lacks_it(self, city: AsyncEngine) -> None:
        await catalogues.publish(city, FEWER, SPRING, NOW)
        admin = Actor(user="admin", role=Role.ADMIN, area="/qinghe")
        with pytest.raises(Invalid):
            await directory_changes.put(city, GONE, None, admin, NOW)
        await directory_changes.put(city, GONE.model_copy(update={"category": "E0604"}), None, admin, NOW)

    async def test_counts_as_retired_rather_than_making_the_city_unreadable(self, city: AsyncEngine) -> None:
        """As a restored back-up may have it, or another version of the program."""
        await catalogues.publish(city, FEWER, SPRING, NOW)
        async with writing(city) as connection:
            values = {"id": GONE.id, "ordinal": 999, "revision": 1, "data": GONE.model_dump_json()}
            await connection.execute(insert(city, RoutingTableRow), values)
        assert {row.id for row in (await directory.load(city, NOW)).routing_in_force} >= {GONE.id}
        later = await directory.load(city, SPRING)
        assert [row.retired for row in later.routing if row.id == GONE.id] == [True]


class TestHanging:
    def test_rows_are_named_with_the_narrowest_they_ask_for(self) -> None:
        rows = (
            RoutingRow(id="a", condition="E0602-1", category="E0602", unit="x"),
            RoutingRow(id="b", category="E0602", big_category="E06", unit="x"),
            RoutingRow(id="c", big_category="E06", unit="x"),
            RoutingRow(id="d", big_category="Z", unit="x"),
            RoutingRow(id="e", unit="x"),
            RoutingRow(id="f", category="E0602", unit="x", retired=True),
        )
        assert lacking(FEWER, rows) == [Missing("a", "E0602-1"), Missing("b", "E0602"), Missing("d", "Z…")]
