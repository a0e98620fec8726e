from collections import Counter

import pytest
from shapely import union_all

from directory.demo_city import AVENUE, CITY, OFFICER_HOMES, demo_directory, officer_home
from directory.model import AreaLevel, GridKind
from directory.places import Places
from directory.routing import Question, Routed, route
from directory.routing_check import Checked, Hole, check
from directory.shapes import read
from domain.actors import Role

DEMO = demo_directory()
PLACES = Places(DEMO)


class TestShape:
    def test_has_the_levels_of_a_city(self) -> None:
        assert Counter(area.level for area in DEMO.areas) == {
            AreaLevel.CITY: 1,
            AreaLevel.DISTRICT: 3,
            AreaLevel.STREET: 8,
            AreaLevel.COMMUNITY: 24,
            AreaLevel.GRID: 101,
        }

    @pytest.mark.parametrize("level", list(AreaLevel))
    def test_every_level_tiles_the_city_exactly(self, level: AreaLevel) -> None:
        city = read(DEMO.area_by_id[CITY].shape or b"")
        tiles = [
            read(area.shape or b"") for area in DEMO.areas if area.level is level and area.kind is not GridKind.LINE
        ]
        assert union_all(tiles).symmetric_difference(city).area == 0
        assert sum(tile.area for tile in tiles) == pytest.approx(city.area, rel=1e-9)

    def test_every_area_lies_in_its_parent(self) -> None:
        for area in DEMO.areas:
            parent = DEMO.area_by_id[area.parent or area.id]
            assert read(parent.shape or b"").covers(read(area.shape or b""))


class TestPeople:
    def test_every_unit_has_its_user(self) -> None:
        assert len(DEMO.units) == 15
        assert {f"unit-{unit.id}": unit.id for unit in DEMO.units} == {
            user.id: user.unit for user in DEMO.users if user.role is Role.UNIT
        }

    def test_every_role_is_there(self) -> None:
        others = Counter(user.role for user in DEMO.users if user.role is not Role.UNIT)
        once = (Role.DISPATCHER, Role.SUPERVISOR, Role.RESIDENT, Role.ADMIN)
        assert others == {Role.OFFICER: 3, **dict.fromkeys(once, 1)}

    def test_dispatcher_and_supervisor_see_the_whole_city(self) -> None:
        assert DEMO.user_by_id["dispatcher"].area == DEMO.user_by_id["supervisor"].area == CITY

    def test_the_officers_share_a_district_but_not_a_home(self) -> None:
        assert len({DEMO.user_by_id[officer].area for officer in OFFICER_HOMES}) == 1
        assert len({officer_home(officer)[0] for officer in OFFICER_HOMES}) == 3

    @pytest.mark.parametrize("officer", OFFICER_HOMES)
    def test_an_officer_stands_in_his_home_grid_and_district(self, officer: str) -> None:
        grid, lon, lat = officer_home(officer)
        located = PLACES.locate(lon, lat)
        assert located is not None
        assert located.grid == grid
        assert DEMO.within(grid, DEMO.user_by_id[officer].area or "")


class TestRouting:
    def answer(self, category: str, area: str = "qingshi-1-2", **more: object) -> str | None:
        routed = route(Question(DEMO, category, area, **more))  # type: ignore[arg-type] # as the test says
        return None if routed is None else routed.unit

    def test_only_other_events_wait_for_a_dispatcher(self) -> None:
        unrouted = {each.code for each in DEMO.categories if self.answer(each.code) is None}
        assert unrouted == {"E0602", "E0604"}

    def test_and_not_in_the_district_that_names_a_fallback(self) -> None:
        assert self.answer("E0602", "fenghe-1-1") == "city-mgmt-wangxi"

    def test_an_illegal_structure_goes_to_the_bureau_of_its_district(self) -> None:
        assert self.answer("E0101", "qingshi-1-2") == "city-mgmt-yunlan"
        assert self.answer("E0101", "fenghe-1-1") == "city-mgmt-wangxi"

    def test_rubbish_in_a_market_goes_to_the_market_supervisors(self) -> None:
        assert self.answer("E0110") == "sanitation"
        assert self.answer("E0110", place_type="market") == "market-supervision"

    def test_a_cover_goes_to_whom_it_belongs(self) -> None:
        assert self.answer("C0123") == "roads"
        assert self.answer("C0123", owner="telecom") == "telecom"

    def test_a_stall_on_the_avenue_goes_to_two(self) -> None:
        hawker = Question(DEMO, "E0401", "minghu-2-2", others=(AVENUE,))
        assert route(hawker) == Routed(
            unit="city-mgmt-songquan",
            co_units=("traffic-police",),
            dispatcher="dispatcher",
            row_id=f"e04-{AVENUE}",
        )

    def test_every_unit_answers_for_something(self) -> None:
        assert {row.unit for row in DEMO.routing} == set(DEMO.unit_by_id)

    def test_has_no_fault_but_the_hole_that_is_meant(self) -> None:
        assert check(DEMO) == Checked(
            holes=(Hole(subjects=("E0602", "E0604"), areas=("yunlan", "songquan")),), ties=(), remarks=()
        )
