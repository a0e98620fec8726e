"""The directory changes record by record, soundly, one after the other, and it is written down who did it."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from directory.changes import Item, Kind
from directory.demo_city import demo_directory
from directory.model import Area, AreaLevel, Contact, Point, RoutingRow, Unit, User
from directory.shapes import polygon
from domain.actors import Actor, Role
from domain.errors import Conflict, Forbidden, Invalid, NotVisible, RectifyError, Stale
from store import directory, points, tokens
from store.city_tables import CalendarRow
from store.database import insert, writing
from store.directory_changes import put, restore, retire
from store.directory_records import Filter, Kept, get, listing, log, summary
from store.recorder import Recorder
from tests.support.records import RULES, Life

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
ADMIN = Actor(user="admin", role=Role.ADMIN, area="/qinghe")
OF_YUNLAN = Actor(user="admin-yunlan", role=Role.ADMIN, area="/qinghe/yunlan")
TRIANGLE = polygon(((110.0, 38.2), (110.01, 38.2), (110.0, 38.21)))
GRID = Area(id="new-grid", parent="qingshi", level=AreaLevel.GRID, name_zh="新网格", name_en="New Grid", shape=TRIANGLE)
UNIT = Unit(id="new-unit", name_zh="新单位", name_en="New Unit", area="qinghe", contacts=(Contact(name="王某"),))
USER = User(id="new-user", role=Role.OFFICER, area="qingshi", name="李某")
POINT = Point(id="p-1", name_zh="东市场", place_type="market", area="qingshi-1-1", lon=110.001, lat=38.201)
ROW = RoutingRow(id="new-row", category="E0110", area="qingshi", unit="new-unit")


@pytest.fixture
async def city(engine: AsyncEngine) -> AsyncEngine:
    await directory.save(engine, demo_directory(), RULES.calendar, RULES.policy, RULES.ladder)
    return engine


async def make(city: AsyncEngine, *items: Item, by: Actor = ADMIN) -> list[Kept]:
    return [await put(city, item, None, by, NOW) for item in items]


async def change(city: AsyncEngine, kind: Kind, name: str, by: Actor = ADMIN, **changes: Any) -> Kept:  # noqa: ANN401 - any field
    kept = await need(city, kind, name)
    return await put(city, kept.item.model_copy(update=changes), kept.revision, by, NOW)


async def need(city: AsyncEngine, kind: Kind, name: str) -> Kept:
    kept = await get(city, kind, name)
    assert kept is not None
    return kept


async def end(city: AsyncEngine, kind: Kind, name: str, by: Actor = ADMIN) -> Kept:
    return await retire(city, kind, name, (await need(city, kind, name)).revision, by, NOW)


def refusal(caught: pytest.ExceptionInfo[RectifyError]) -> tuple[str, object]:
    return caught.value.code, caught.value.params.get("given")


class TestCreating:
    async def test_each_kind_is_kept_and_the_directory_counts(self, city: AsyncEngine) -> None:
        made = await make(city, GRID, UNIT, USER, POINT, ROW)
        assert [each.revision for each in made] == [2, 3, 4, 5, 6]
        for each in made:
            assert await need(city, Kind(_kind(each.item)), each.item.id) == each
        loaded = await directory.load(city)
        assert (loaded.version, loaded.areas[-1], loaded.units[-1], loaded.users[-1]) == (6, GRID, UNIT, USER)
        assert loaded.path("new-grid") == "/qinghe/yunlan/qingshi/new-grid"
        assert loaded.routing[-1] == ROW
        assert await points.get(city, "p-1") == POINT

    async def test_what_is_there_is_not_written_over(self, city: AsyncEngine) -> None:
        await make(city, UNIT)
        with pytest.raises(Stale, match="exists_already"):
            await make(city, UNIT.model_copy(update={"name_zh": "别的"}))
        assert (await need(city, Kind.UNIT, "new-unit")).item == UNIT

    async def test_nothing_is_changed_where_there_is_no_city(self, engine: AsyncEngine) -> None:
        with pytest.raises(LookupError):
            await make(engine, UNIT)


def _kind(item: Item) -> str:
    return "routing" if isinstance(item, RoutingRow) else type(item).__name__.lower()


class TestChanging:
    async def test_needs_the_revision_last_seen(self, city: AsyncEngine) -> None:
        (first,) = await make(city, UNIT)
        second = await put(city, UNIT.model_copy(update={"name_zh": "改一"}), first.revision, ADMIN, NOW)
        with pytest.raises(Stale, match="changed_since"):
            await put(city, UNIT.model_copy(update={"name_zh": "改二"}), first.revision, ADMIN, NOW)
        assert await need(city, Kind.UNIT, "new-unit") == second

    async def test_of_nothing_is_refused(self, city: AsyncEngine) -> None:
        with pytest.raises(NotVisible):
            await put(city, UNIT, 1, ADMIN, NOW)

    async def test_into_the_same_is_no_change(self, city: AsyncEngine) -> None:
        (first,) = await make(city, UNIT)
        assert await put(city, UNIT, first.revision, ADMIN, NOW) == first
        assert await directory.version(city) == first.revision
        assert len(await log(city)) == 1

    async def test_of_several_at_once_one_wins(self, city: AsyncEngine) -> None:
        (first,) = await make(city, UNIT)
        wanted = [UNIT.model_copy(update={"name_zh": f"改{n}"}) for n in range(8)]
        tried = [put(city, each, first.revision, ADMIN, NOW) for each in wanted]
        found = await asyncio.gather(*tried, return_exceptions=True)
        won = [each for each in found if isinstance(each, Kept)]
        assert len(won) == 1
        assert all(isinstance(each, Stale) for each in found if each not in won)
        assert await need(city, Kind.UNIT, "new-unit") == won[0]

    async def test_different_ones_at_once_all_count(self, city: AsyncEngine) -> None:
        units = [UNIT.model_copy(update={"id": f"u-{n}"}) for n in range(8)]
        made = await asyncio.gather(*(put(city, each, None, ADMIN, NOW) for each in units))
        assert sorted(each.revision for each in made) == list(range(2, 10))
        assert (await directory.load(city)).version == 9

    async def test_an_import_takes_no_revision_twice(self, city: AsyncEngine) -> None:
        """Whoever saw a record before the whole was replaced has not seen the newest."""
        seen = await need(city, Kind.UNIT, "sanitation")
        await directory.save(city, demo_directory(), RULES.calendar, RULES.policy, RULES.ladder)
        with pytest.raises(Stale):
            await retire(city, Kind.UNIT, "sanitation", seen.revision, ADMIN, NOW)


class TestMovingAnArea:
    async def test_takes_along_what_lies_in_it(self, city: AsyncEngine) -> None:
        await change(city, Kind.AREA, "qingshi", parent="songquan")
        loaded = await directory.load(city)
        assert loaded.path("qingshi-1") == "/qinghe/songquan/qingshi/qingshi-1"
        token = await tokens.issue(city, (await make(city, USER))[0].item.id)
        actor = await tokens.actor_for(city, token, NOW)
        assert actor is not None
        assert actor.area == "/qinghe/songquan/qingshi"
        found = await listing(city, Kind.AREA, Filter(area="songquan"), None, 1000)
        assert {each.item.id for each in found} == {
            each.id for each in loaded.areas if loaded.within(each.id, "songquan")
        }

    async def test_into_itself_is_refused(self, city: AsyncEngine) -> None:
        for parent in ("qingshi", "qingshi-1"):
            with pytest.raises(Conflict) as caught:
                await change(city, Kind.AREA, "qingshi", parent=parent)
            assert refusal(caught) == ("inside_itself", parent)
        assert (await directory.load(city)).path("qingshi-1") == "/qinghe/yunlan/qingshi/qingshi-1"


class TestSoundness:
    @pytest.mark.parametrize(
        ("item", "code", "given"),
        [
            (GRID.model_copy(update={"parent": "nowhere"}), "reference_unknown", "nowhere"),
            (GRID.model_copy(update={"fallback": "nobody"}), "reference_unknown", "nobody"),
            (GRID.model_copy(update={"parent": None}), "area_needs_parent", "new-grid"),
            (GRID.model_copy(update={"level": AreaLevel.DISTRICT}), "level_out_of_order", "district"),
            (UNIT.model_copy(update={"calendar": "lunar"}), "reference_unknown", "lunar"),
            (USER.model_copy(update={"area": None}), "user_needs", None),
            (POINT.model_copy(update={"place_type": "moon-base"}), "reference_unknown", "moon-base"),
            (ROW.model_copy(update={"unit": "roads", "category": "E9999"}), "reference_unknown", "E9999"),
            (ROW.model_copy(update={"unit": "roads", "co_units": ("nobody",)}), "reference_unknown", "nobody"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    async def test_is_kept(self, city: AsyncEngine, item: Item, code: str, given: str | None) -> None:
        with pytest.raises(Invalid) as caught:
            await make(city, item)
        assert refusal(caught) == (code, given)
        assert (await directory.version(city), await log(city)) == (1, [])

    async def test_of_the_tree_of_units_too(self, city: AsyncEngine) -> None:
        await make(city, UNIT, UNIT.model_copy(update={"id": "below", "parent": "new-unit"}))
        with pytest.raises(Conflict, match="inside_itself"):
            await change(city, Kind.UNIT, "new-unit", parent="below")

    async def test_a_calendar_that_is_there_is_taken(self, city: AsyncEngine) -> None:
        own = RULES.calendar.model_copy(update={"id": "own"})
        values = {"id": "own", "version": 1, "data": own.model_dump_json(), "published_at": NOW}
        async with writing(city) as connection:
            await connection.execute(insert(city, CalendarRow), values)
        (kept,) = await make(city, UNIT.model_copy(update={"calendar": "own"}))
        assert isinstance(kept.item, Unit)
        assert kept.item.calendar == "own"


class TestRetiring:
    async def test_shows_what_stands_in_the_way(self, city: AsyncEngine) -> None:
        unit_user = USER.model_copy(update={"role": Role.UNIT, "area": None, "unit": "new-unit"})
        keeper = POINT.model_copy(update={"keeper": "new-unit"})
        await make(city, UNIT, unit_user, keeper, ROW, GRID.model_copy(update={"fallback": "new-unit"}))
        with pytest.raises(Conflict) as caught:
            await end(city, Kind.UNIT, "new-unit")
        assert caught.value.code == "still_in_use"
        assert caught.value.params["obstacles"] == [
            {"kind": "area", "count": 1, "ids": ["new-grid"]},
            {"kind": "user", "count": 1, "ids": ["new-user"]},
            {"kind": "point", "count": 1, "ids": ["p-1"]},
            {"kind": "routing", "count": 1, "ids": ["new-row"]},
        ]
        assert not (await need(city, Kind.UNIT, "new-unit")).item.retired

    async def test_goes_through_once_nothing_does(self, city: AsyncEngine) -> None:
        await make(city, UNIT, ROW)
        await end(city, Kind.ROUTING, "new-row")
        assert (await end(city, Kind.UNIT, "new-unit")).item.retired
        loaded = await directory.load(city)
        assert loaded.unit_by_id["new-unit"].retired
        assert ROW.id not in {row.id for row in loaded.routing_in_force}
        assert (await summary(city)).counts[Kind.UNIT].retired == 1

    async def test_leaves_a_co_unit_and_an_area_with_points_where_they_are(self, city: AsyncEngine) -> None:
        await make(city, UNIT, ROW.model_copy(update={"unit": "roads", "co_units": ("new-unit",)}))
        await make(city, GRID, POINT.model_copy(update={"area": "new-grid"}))
        for kind, name, in_the_way in ((Kind.UNIT, "new-unit", "routing"), (Kind.AREA, "new-grid", "point")):
            with pytest.raises(Conflict) as caught:
                await end(city, kind, name)
            assert caught.value.params["standing"] == [in_the_way]

    async def test_waits_for_running_cases(self, city: AsyncEngine) -> None:
        """Also for those of an area that has been moved meanwhile."""
        await make(city, UNIT, GRID)
        case = _case("/qinghe/yunlan/qingshi/new-grid", "new-unit")
        await Recorder(city).record(case.record())
        await change(city, Kind.AREA, "new-grid", parent="minghu")
        for kind, name in ((Kind.UNIT, "new-unit"), (Kind.AREA, "new-grid")):
            with pytest.raises(Conflict) as caught:
                await end(city, kind, name)
            assert caught.value.params["obstacles"] == [{"kind": "case", "count": 1, "ids": [case.case.id]}]

    async def test_nothing_new_refers_to_what_is_retired(self, city: AsyncEngine) -> None:
        await make(city, UNIT)
        await end(city, Kind.UNIT, "new-unit")
        with pytest.raises(Conflict) as caught:
            await make(city, ROW)
        assert refusal(caught) == ("reference_retired", "new-unit")

    async def test_comes_back_if_all_it_refers_to_is_in_use(self, city: AsyncEngine) -> None:
        await make(city, UNIT, ROW)
        await end(city, Kind.ROUTING, "new-row")
        unit = await end(city, Kind.UNIT, "new-unit")
        row = await need(city, Kind.ROUTING, "new-row")
        with pytest.raises(Conflict, match="reference_retired"):
            await restore(city, Kind.ROUTING, "new-row", row.revision, ADMIN, NOW)
        await restore(city, Kind.UNIT, "new-unit", unit.revision, ADMIN, NOW)
        back = await restore(city, Kind.ROUTING, "new-row", row.revision, ADMIN, NOW)
        assert back.item == ROW

    async def test_twice_is_once(self, city: AsyncEngine) -> None:
        await make(city, UNIT)
        first = await end(city, Kind.UNIT, "new-unit")
        assert await end(city, Kind.UNIT, "new-unit") == first

    async def test_a_user_is_let_in_no_more_and_his_session_stays_over(self, city: AsyncEngine) -> None:
        await make(city, USER)
        issued = await tokens.issue(city, "new-user")
        session = await tokens.issue(city, "new-user", kind=tokens.Kind.PASSWORD)
        gone = await end(city, Kind.USER, "new-user")
        assert [await tokens.actor_for(city, each, NOW) for each in (issued, session)] == [None, None]
        await restore(city, Kind.USER, "new-user", gone.revision, ADMIN, NOW)
        assert await tokens.actor_for(city, issued, NOW) is not None
        assert await tokens.actor_for(city, session, NOW) is None

    async def test_oneself_is_refused(self, city: AsyncEngine) -> None:
        with pytest.raises(Conflict, match="not_yourself"):
            await end(city, Kind.USER, "admin")
        with pytest.raises(Conflict, match="not_yourself"):
            await change(city, Kind.USER, "admin", role=Role.SUPERVISOR)


def _case(area: str, unit: str) -> Life:
    return Life(area=area, proposed_unit=unit)


class TestAnAdministratorOfADistrict:
    @pytest.mark.parametrize(
        "item",
        [
            GRID,
            UNIT.model_copy(update={"area": "yunlan"}),
            USER,
            POINT,
            ROW.model_copy(update={"unit": "roads"}),
            USER.model_copy(update={"role": Role.ADMIN}),
        ],
        ids=lambda item: type(item).__name__,
    )
    async def test_changes_what_lies_in_it(self, city: AsyncEngine, item: Item) -> None:
        (kept,) = await make(city, item, by=OF_YUNLAN)
        assert kept.item == item

    @pytest.mark.parametrize(
        "item",
        [
            GRID.model_copy(update={"parent": "minghu"}),
            UNIT,
            USER.model_copy(update={"area": "minghu"}),
            USER.model_copy(update={"role": Role.ADMIN, "area": None}),
            USER.model_copy(update={"role": Role.ADMIN, "area": None, "unit": "city-mgmt-yunlan"}),
            USER.model_copy(update={"role": Role.UNIT, "unit": "roads"}),
            USER.model_copy(update={"role": Role.RESIDENT, "area": None}),
            POINT.model_copy(update={"area": "minghu"}),
            ROW.model_copy(update={"unit": "roads", "area": None}),
        ],
        ids=lambda item: type(item).__name__,
    )
    async def test_changes_nothing_else(self, city: AsyncEngine, item: Item) -> None:
        with pytest.raises(Forbidden, match="not_in_your_area"):
            await make(city, item, by=OF_YUNLAN)
        assert await directory.version(city) == 1

    async def test_moves_nothing_out_or_in_and_not_his_own_border(self, city: AsyncEngine) -> None:
        for name, parent in (("qingshi", "songquan"), ("minghu", "yunlan")):
            with pytest.raises(Forbidden):
                await change(city, Kind.AREA, name, OF_YUNLAN, parent=parent)
        with pytest.raises(Forbidden):
            await change(city, Kind.AREA, "yunlan", OF_YUNLAN, name_zh="别的区")
        with pytest.raises(Forbidden):
            await end(city, Kind.UNIT, "roads", OF_YUNLAN)


class TestTheLog:
    async def test_says_who_changed_what_and_how_it_was(self, city: AsyncEngine) -> None:
        await make(city, UNIT)
        await change(city, Kind.UNIT, "new-unit", name_zh="改名")
        gone = await end(city, Kind.UNIT, "new-unit")
        await restore(city, Kind.UNIT, "new-unit", gone.revision, ADMIN, NOW)
        found = await log(city, Kind.UNIT, "new-unit")
        assert [each.action for each in found] == ["create", "change", "retire", "restore"]
        assert {(each.by, each.at, each.kind) for each in found} == {("admin", NOW, "unit")}
        assert json.loads(found[0].before) is None
        names = [(json.loads(each.before or "{}") or {}).get("name_zh") for each in found]
        assert names == [None, "新单位", "改名", "改名"]
        assert [json.loads(each.after)["retired"] for each in found] == [False, False, True, False]

    async def test_keeps_a_shape_where_it_changes_and_only_there(self, city: AsyncEngine) -> None:
        await make(city, GRID)
        await change(city, Kind.AREA, "new-grid", name_zh="改名")
        await change(city, Kind.AREA, "new-grid", shape=None)
        told = [(json.loads(each.before), json.loads(each.after)) for each in await log(city, Kind.AREA)]
        assert told[0][1]["geometry"]["type"] == "Polygon"
        assert "geometry" not in told[1][0]
        assert (told[2][0]["geometry"]["type"], told[2][1]["geometry"]) == ("Polygon", None)

    async def test_is_read_on_from_a_number(self, city: AsyncEngine) -> None:
        await make(city, UNIT, GRID, USER)
        first = await log(city, limit=2)
        rest = await log(city, after=first[-1].id)
        assert [each.record for each in (*first, *rest)] == ["new-unit", "new-grid", "new-user"]


class TestLists:
    async def test_are_in_the_order_of_ids_and_go_on(self, city: AsyncEngine) -> None:
        whole = [each.item.id for each in await listing(city, Kind.UNIT, Filter(), None, 100)]
        assert whole == sorted(unit.id for unit in demo_directory().units)
        assert [each.item.id for each in await listing(city, Kind.UNIT, Filter(), whole[2], 2)] == whole[3:5]

    async def test_are_of_what_was_asked(self, city: AsyncEngine) -> None:
        await make(city, UNIT, POINT, ROW)
        asked: list[tuple[Kind, Filter]] = [
            (Kind.AREA, Filter(parent="qingshi")),
            (Kind.AREA, Filter(level="street", area="yunlan")),
            (Kind.USER, Filter(role="unit", unit="water")),
            (Kind.POINT, Filter(area="yunlan", place_type="market")),
            (Kind.ROUTING, Filter(unit="new-unit")),
            (Kind.UNIT, Filter(retired=True)),
        ]
        found = [[each.item.id for each in await listing(city, *one, None, 100)] for one in asked]
        assert found == [
            ["qingshi-1", "qingshi-2", "qingshi-3"],
            ["liuan", "qingshi", "zhonggu"],
            ["unit-water"],
            ["p-1"],
            ["new-row"],
            [],
        ]
