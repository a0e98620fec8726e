"""Boxes of a hundredth of a degree about 30° N: 963 m by 1,112 m."""

from collections.abc import Sequence

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from bench import lattice
from directory.demo_city import demo_directory
from directory.map_check import DOUBTS, Checked, Doubt, Finding, check
from directory.model import Area, AreaLevel, GridKind
from directory.shapes import Flaw

STEP = 0.01
SQUARE_METRES = 963.0 * 1112.0
SQUARE = 5  # of them in a row


def box(column: float, row: float, width: float = 1, height: float = 1) -> BaseGeometry:
    west, south = 110 + column * STEP, 30 + row * STEP
    return shapely.box(west, south, west + width * STEP, south + height * STEP)


def grid(area_id: str, shape: BaseGeometry | None, parent: str = "c", kind: GridKind | None = None) -> Area:
    return area(area_id, parent, AreaLevel.GRID, shape).model_copy(update={"kind": kind})


def area(area_id: str, parent: str | None, level: AreaLevel, shape: BaseGeometry | None = None) -> Area:
    wkb = None if shape is None else shapely.to_wkb(shape)
    return Area(id=area_id, parent=parent, level=level, name_zh="地", name_en="Area", shape=wkb)


def community(shape: BaseGeometry | None, *grids: Area) -> Checked:
    above = (area("city", None, AreaLevel.CITY), area("c", "city", AreaLevel.COMMUNITY, shape))
    return check((*above, *grids))


def only(checked: Checked) -> Finding:
    (finding,) = checked.findings
    return finding


def row(count: int) -> Sequence[Area]:
    return [grid(f"g{nth}", box(nth, 0)) for nth in range(count)]


class TestASoundMap:
    def test_of_the_demo_city_has_nothing_to_be_said_about(self) -> None:
        assert check(demo_directory().areas) == Checked(findings=())

    def test_of_crooked_borders_has_nothing_to_be_said_about(self) -> None:
        assert check(lattice.city(100, corners=40).areas) == Checked(findings=())

    def test_without_any_shape_is_sound(self) -> None:
        assert community(None, grid("g", None)).findings == ()

    def test_retired_areas_are_not_on_it(self) -> None:
        old = grid("old", box(0, 0)).model_copy(update={"retired": True})
        assert community(box(0, 0), grid("g", box(0, 0)), old).sound


class TestBadShapes:
    def test_are_told_with_flaw_and_place_and_do_not_hide_the_rest(self) -> None:
        crossing = Polygon([(110.0, 30.0), (110.01, 30.01), (110.01, 30.0), (110.0, 30.01)])
        found = community(None, grid("a", crossing), grid("b", box(3, 0)), grid("d", box(3.5, 0))).findings
        assert found[0] == Finding(
            doubt=Doubt.BAD_SHAPE, areas=("a",), flaw=Flaw.CROSSES_ITSELF, place=(110.005, 30.005)
        )
        assert [each.doubt for each in found[1:]] == [Doubt.OVERLAP]

    def test_swapped_axes_are_one(self) -> None:
        turned = shapely.transform(box(0, 0), lambda xy: xy[:, ::-1])
        assert only(community(None, grid("a", turned))).flaw is Flaw.SWAPPED

    def test_bytes_that_are_no_shape_are_one(self) -> None:
        broken = grid("a", None).model_copy(update={"shape": b"\x01\x02"})
        assert only(community(None, broken)).flaw is Flaw.UNREADABLE

    def test_a_missing_one_is_told_and_no_fault(self) -> None:
        checked = community(None, grid("a", box(0, 0)), grid("b", None))
        assert only(checked) == Finding(doubt=Doubt.NO_SHAPE, areas=("b",))
        assert checked.sound


class TestOverlaps:
    def test_of_blocks_are_measured(self) -> None:
        finding = only(community(None, grid("a", box(0, 0)), grid("b", box(0.75, 0))))
        assert (finding.doubt, finding.areas) == (Doubt.OVERLAP, ("a", "b"))
        assert finding.share == pytest.approx(0.25)
        assert finding.square_metres == pytest.approx(SQUARE_METRES / 4, rel=0.01)
        assert finding.place is not None
        assert 110.0075 < finding.place[0] < 110.01

    def test_of_neighbours_that_share_a_border_are_none(self) -> None:
        assert community(None, *row(3)).sound

    def test_narrower_than_a_metre_are_slivers(self) -> None:
        half_a_metre = 0.5 / 963
        assert community(None, grid("a", box(0, 0)), grid("b", box(1 - half_a_metre, 0))).sound
        assert not community(None, grid("a", box(0, 0)), grid("b", box(1 - 4 * half_a_metre, 0))).sound

    def test_of_grids_of_different_kinds_are_meant(self) -> None:
        kinds = [grid(kind.value, box(0, 0), kind=kind) for kind in GridKind]
        assert community(None, *kinds).sound

    def test_of_streets_that_cross_are_meant(self) -> None:
        one = grid("one", box(0, 0.45, 1, 0.1), kind=GridKind.LINE)
        other = grid("other", box(0.45, 0, 0.1, 1), kind=GridKind.LINE)
        assert community(None, one, other).sound

    def test_of_a_street_that_is_there_twice_are_found(self) -> None:
        streets = [grid(name, box(0, 0.45, 1, 0.1), kind=GridKind.LINE) for name in ("one", "other")]
        assert only(community(None, *streets)).share == pytest.approx(1.0)

    def test_of_districts_are_found_too(self) -> None:
        city = area("city", None, AreaLevel.CITY)
        districts = [area(name, "city", AreaLevel.DISTRICT, box(nth / 2, 0)) for nth, name in enumerate("ab")]
        assert only(check((city, *districts))).areas == ("a", "b")


class TestStickingOut:
    def test_is_measured_against_the_next_area_above_that_has_a_shape(self) -> None:
        city = area("city", None, AreaLevel.CITY, box(0, 0, 1, 1))
        middle = area("c", "city", AreaLevel.COMMUNITY)
        inside, outside = grid("inside", box(0, 0, 0.5)), grid("outside", box(0.5, 0))
        finding = only(check((city, middle, inside, outside)))
        assert (finding.doubt, finding.areas) == (Doubt.STICKS_OUT, ("outside", "city"))
        assert finding.share == pytest.approx(0.5)

    def test_by_less_than_a_metre_is_a_sliver(self) -> None:
        assert community(box(0, 0), grid("a", box(0, 0, 1 + 0.5 / 963))).sound

    def test_a_circle_of_parents_is_survived(self) -> None:
        one, other = area("a", "b", AreaLevel.STREET, box(0, 0)), area("b", "a", AreaLevel.STREET, box(3, 0))
        assert {finding.doubt for finding in check((one, other)).findings} == {Doubt.STICKS_OUT}


class TestGaps:
    def test_are_measured_with_a_place_inside(self) -> None:
        finding = only(community(box(0, 0, 4), *row(3)))
        assert (finding.doubt, finding.areas) == (Doubt.GAP, ("c",))
        assert finding.share == pytest.approx(0.25)
        assert finding.place is not None
        assert 110.03 < finding.place[0] < 110.04

    def test_are_holes_where_the_parent_has_no_shape(self) -> None:
        ring = shapely.difference(box(0, 0, 3, 3), box(1, 1))
        finding = only(community(None, grid("ring", ring)))
        assert finding.doubt is Doubt.GAP
        assert finding.share == pytest.approx(1 / 9, rel=0.01)

    def test_that_a_compound_fills_are_none(self) -> None:
        ring = shapely.difference(box(0, 0, 3, 3), box(1, 1))
        yard = grid("yard", box(1, 1), parent="city", kind=GridKind.COMPOUND)
        assert community(box(0, 0, 3, 3), grid("ring", ring), yard).sound

    def test_are_not_filled_by_a_street(self) -> None:
        street = grid("street", box(1, 0), kind=GridKind.LINE)
        assert only(community(box(0, 0, 2), grid("a", box(0, 0)), street)).doubt is Doubt.GAP

    def test_are_unknown_while_a_grid_has_no_shape(self) -> None:
        found = community(box(0, 0, 2), grid("a", box(0, 0)), grid("b", None)).findings
        assert [each.doubt for each in found] == [Doubt.NO_SHAPE]

    def test_between_areas_above_are_found_through_those_without_a_shape(self) -> None:
        city = area("city", None, AreaLevel.CITY, box(0, 0, 2))
        districts = [area(name, "city", AreaLevel.DISTRICT) for name in "de"]
        grids = [grid("g", box(0, 0), parent="d"), grid("h", box(1.5, 0, 0.5), parent="e")]
        assert only(check((city, *districts, *grids))).share == pytest.approx(0.25)


class TestLaws:
    @settings(deadline=None, max_examples=30)
    @given(left=st.sets(st.integers(0, SQUARE - 1), max_size=SQUARE - 1), late=st.integers(0, SQUARE - 2))
    def test_what_is_left_out_is_the_gap_and_what_is_drawn_twice_the_overlap(self, left: set[int], late: int) -> None:
        grids = [each for nth, each in enumerate(row(SQUARE)) if nth not in left]
        found = {each.doubt: each for each in community(box(0, 0, SQUARE), *grids).findings}
        assert (Doubt.GAP in found) == bool(left)
        if left:
            assert found[Doubt.GAP].share == pytest.approx(len(left) / SQUARE, abs=1e-3)
        twice = community(None, *row(SQUARE), grid("again", box(late, 0, 2)))
        assert {each.areas for each in twice.findings} == {(f"g{late}", "again"), (f"g{late + 1}", "again")}


class TestWords:
    def test_every_doubt_is_said_in_both_languages(self) -> None:
        assert set(DOUBTS) == set(Doubt)
