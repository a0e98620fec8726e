"""Distances, and the boxes that an index can find them by."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.demo_city import demo_directory
from directory.model import Category
from directory.nearby import NEAR_METRES, RECURS_DAYS, Spot, around, metres, near_metres, recurs_within
from directory.places import METRES_PER_DEGREE

HALF_WAY_ROUND = 180 * METRES_PER_DEGREE
spots = st.builds(Spot, st.floats(-180, 180), st.floats(-90, 90))
in_china = st.builds(Spot, st.floats(73.5, 135.1), st.floats(3.8, 53.6))
reaches = st.floats(0, 5_000)
category = demo_directory().category_by_code["E0110"]


def of(kind: str, **changes: object) -> Category:
    return category.model_copy(update={"kind": kind, **changes})


class TestNear:
    @pytest.mark.parametrize("kind", ["component", "event", "checkpoint"])
    def test_is_by_the_kind_unless_the_category_says_otherwise(self, kind: str) -> None:
        assert near_metres(of(kind)) == NEAR_METRES[kind]
        assert near_metres(of(kind, near_metres=7)) == 7
        assert near_metres(of(kind, near_metres=0)) == 0

    def test_is_further_the_larger_the_thing(self) -> None:
        assert all(small < large for small, large in pairwise(NEAR_METRES.values()))

    @pytest.mark.parametrize("kind", ["component", "event", "checkpoint"])
    def test_is_for_so_many_days(self, kind: str) -> None:
        assert recurs_within(of(kind)) == timedelta(days=RECURS_DAYS[kind])
        assert recurs_within(of(kind, recurs_days=0)) == timedelta(0)

    def test_is_said_of_every_kind(self) -> None:
        kinds = {each.kind for each in demo_directory().categories}
        assert kinds <= NEAR_METRES.keys() == RECURS_DAYS.keys()


class TestMetres:
    @pytest.mark.parametrize(
        ("one", "other", "expected"),
        [
            (Spot(109.5, 36.6), Spot(109.5, 36.6), 0),
            (Spot(109.5, 36.6), Spot(109.5, 36.601), 111.195),
            (Spot(0, 0), Spot(0.001, 0), 111.195),
            (Spot(0, 60), Spot(0.001, 60), 55.597),
            (Spot(179.9995, 0), Spot(-179.9995, 0), 111.195),
            (Spot(12, 90), Spot(-77, 90), 0),
            (Spot(0, 0), Spot(180, 0), HALF_WAY_ROUND),
        ],
    )
    def test_are_those_of_the_sphere(self, one: Spot, other: Spot, expected: float) -> None:
        assert metres(one, other) == pytest.approx(expected, rel=1e-5, abs=1e-6)

    @given(spots, spots)
    def test_are_the_same_both_ways(self, one: Spot, other: Spot) -> None:
        assert metres(one, other) == pytest.approx(metres(other, one), abs=1e-6)
        assert 0 <= metres(one, other) <= HALF_WAY_ROUND + 1

    @given(spots, spots, spots)
    def test_are_never_shorter_by_a_detour(self, one: Spot, middle: Spot, other: Spot) -> None:
        assert metres(one, other) <= metres(one, middle) + metres(middle, other) + 0.5  # opposite sides round worst


class TestTheBox:
    @given(spots, reaches, st.floats(-1, 1), st.floats(-1, 1))
    def test_holds_all_that_is_within_reach(self, spot: Spot, reach: float, east: float, north: float) -> None:
        box = around(spot, reach)
        other = Spot(
            min(180.0, max(-180.0, spot.lon + 1.5 * east * (box.east - box.west))),
            min(90.0, max(-90.0, spot.lat + 1.5 * north * (box.north - box.south))),
        )
        if metres(spot, other) <= reach:
            assert box.west <= other.lon <= box.east
            assert box.south <= other.lat <= box.north

    @given(in_china, reaches)
    def test_is_hardly_larger_than_it_must_be(self, spot: Spot, reach: float) -> None:
        box = around(spot, reach)
        for corner in (Spot(box.west, spot.lat), Spot(box.east, spot.lat), Spot(spot.lon, box.south)):
            assert reach <= metres(spot, corner) <= reach * 1.001 + 0.1
