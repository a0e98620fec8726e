"""What a change may not do, without any database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.changes import (
    MODELS,
    REFERENCES,
    Ground,
    Item,
    Kind,
    Obstacle,
    Reference,
    check,
    check_hand,
    check_retiring,
    new_references,
    references,
    scope,
    seats,
)
from directory.demo_city import demo_directory
from directory.model import Area, AreaLevel, Point, RoutingRow, Unit, User
from domain.actors import Actor, Role
from domain.errors import Conflict, Forbidden, Invalid

DEMO = demo_directory()
UNIT = Unit(id="u", name_zh="单位", name_en="", area="a", parent="p", calendar="c")
POINT = Point(id="x", name_zh="点位", place_type="market", area="a", lon=110, lat=38, keeper="u")
ROW = RoutingRow(id="r", unit="u", co_units=("v", "w"), dispatcher="d", category="E0110", area="a")
LEVELS = st.sampled_from(AreaLevel)


def actor(area: str | None) -> Actor:
    return Actor(user="boss", role=Role.ADMIN, area=area)


class TestReferences:
    def test_are_all_that_a_record_names(self) -> None:
        assert set(references(UNIT)) == {
            Reference("area", Kind.AREA, "a"),
            Reference("parent", Kind.UNIT, "p"),
            Reference("calendar", Kind.CALENDAR, "c"),
        }
        assert [each.id for each in references(ROW) if each.field == "co_units"] == ["v", "w"]

    @pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.__name__)
    def test_are_fields_that_there_are(self, model: type[Item]) -> None:
        assert set(REFERENCES[model]) <= set(model.model_fields)

    def test_of_the_demonstration_city_all_lead_somewhere(self) -> None:
        known = {Kind.AREA: DEMO.area_by_id, Kind.UNIT: DEMO.unit_by_id, Kind.USER: DEMO.user_by_id}
        items: list[Item] = [*DEMO.areas, *DEMO.units, *DEMO.users, *DEMO.routing]
        found = [each for item in items for each in references(item) if each.kind in known]
        assert len(found) > len(DEMO.areas)
        assert all(each.id in known[each.kind] for each in found)

    def test_that_were_there_before_are_not_new(self) -> None:
        moved = UNIT.model_copy(update={"area": "b"})
        assert new_references(UNIT, moved) == (Reference("area", Kind.AREA, "b"),)

    def test_are_all_new_to_what_is_new_or_comes_back(self) -> None:
        retired = UNIT.model_copy(update={"retired": True})
        assert new_references(None, UNIT) == new_references(retired, UNIT) == tuple(references(UNIT))


class TestChecking:
    def test_asks_that_they_be_there_and_in_use(self) -> None:
        every = dict.fromkeys(references(POINT), True)
        check(None, POINT, Ground(every))
        for each in every:
            with pytest.raises(Invalid, match="reference_unknown"):
                check(None, POINT, Ground({one: True for one in every if one != each}))
            with pytest.raises(Conflict, match="reference_retired"):
                check(None, POINT, Ground(every | {each: False}))

    @given(above=LEVELS, own=LEVELS, below=LEVELS)
    def test_lets_levels_only_sink(self, above: AreaLevel, own: AreaLevel, below: AreaLevel) -> None:
        area = Area(id="n", parent="a", level=own, name_zh="区", name_en="")
        ground = Ground(dict.fromkeys(references(area), True), ("a",), above, frozenset({below}))
        order = list(AreaLevel)
        if order.index(above) < order.index(own) < order.index(below):
            check(None, area, ground)
        else:
            with pytest.raises(Invalid, match="level_out_of_order"):
                check(None, area, ground)

    @pytest.mark.parametrize("role", Role)
    def test_asks_of_each_role_what_it_sees_by(self, role: Role) -> None:
        user = User(id="u", role=role, name="某")
        needs = {Role.UNIT: "unit", Role.OFFICER: "area", Role.DISPATCHER: "area", Role.SUPERVISOR: "area"}
        if role not in needs:
            check(None, user, Ground({}))
            return
        with pytest.raises(Invalid) as caught:
            check(None, user, Ground({}))
        assert caught.value.params["field"] == needs[role]

    def test_counts_what_stands_in_the_way(self) -> None:
        check_retiring(UNIT, [Obstacle(Kind.POINT, 0, ())])
        with pytest.raises(Conflict) as caught:
            check_retiring(UNIT, [Obstacle(Kind.POINT, 0, ()), Obstacle(Kind.CASE, 7, ("RC-1",))])
        assert caught.value.params["obstacles"] == [{"kind": "case", "count": 7, "ids": ["RC-1"]}]


class TestTheHand:
    def test_of_the_city_reaches_everywhere(self) -> None:
        for area in (None, "/city"):
            assert scope(actor(area)) is None
            check_hand(actor(area), None, UNIT, [None])

    @pytest.mark.parametrize("path", [None, "/city", "/city/d10", "/city/d2/s"])
    def test_of_a_district_does_not_reach_out_of_it(self, path: str | None) -> None:
        check_hand(actor("/city/d1"), None, UNIT, ["/city/d1", "/city/d1/s/c"])
        with pytest.raises(Forbidden, match="not_in_your_area"):
            check_hand(actor("/city/d1"), None, UNIT, ["/city/d1", path])

    def test_reaches_for_no_user_who_would_see_more(self) -> None:
        """A user sits in everything he is given; without any of it, in the whole city."""
        admin = User(id="u", role=Role.ADMIN, unit="v", name="某")
        assert seats(admin) == (Reference("unit", Kind.UNIT, "v"), None)
        assert seats(admin.model_copy(update={"role": Role.UNIT})) == (Reference("unit", Kind.UNIT, "v"),)
        assert seats(admin.model_copy(update={"unit": None})) == (None,)

    def test_does_not_cut_itself_off(self) -> None:
        boss = User(id="boss", role=Role.ADMIN, name="某")
        check_hand(actor(None), boss, boss.model_copy(update={"name": "改名"}), [None])
        for change in ({"role": Role.OFFICER}, {"retired": True}):
            with pytest.raises(Conflict, match="not_yourself"):
                check_hand(actor(None), boss, boss.model_copy(update=change), [None])
