import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon

from directory.shapes import FLAWS, Fault, Flaw, fault, polygon, read

BOW_TIE = ((110.0, 30.0), (111.0, 31.0), (111.0, 30.0), (110.0, 31.0))
SQUARE = ((110.0, 30.0), (111.0, 30.0), (111.0, 31.0), (110.0, 31.0))
ELSEWHERE = ((112.0, 30.0), (112.5, 30.0), (112.5, 30.5))


def turned(ring: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    return tuple((lat, lon) for lon, lat in ring)


class TestFault:
    def test_a_sound_shape_has_none(self) -> None:
        assert fault(read(polygon(SQUARE))) is None
        assert fault(MultiPolygon([Polygon(SQUARE), Polygon(ELSEWHERE)])) is None

    def test_a_border_that_crosses_itself_is_told_with_the_place(self) -> None:
        assert fault(Polygon(BOW_TIE)) == Fault(Flaw.CROSSES_ITSELF, (110.5, 30.5), "Self-intersection")

    def test_a_hole_outside_is_unsound(self) -> None:
        found = fault(Polygon(SQUARE, [ELSEWHERE]))
        assert found is not None
        assert found.flaw is Flaw.UNSOUND

    def test_parts_that_overlap_are_refused(self) -> None:
        again = tuple((lon + 0.5, lat) for lon, lat in SQUARE)
        assert fault(MultiPolygon([Polygon(SQUARE), Polygon(again)])) is not None

    def test_a_point_is_no_area(self) -> None:
        assert fault(Point(110, 30)) == Fault(Flaw.NO_AREA, words="a Point is no area")

    def test_nothing_is_empty(self) -> None:
        assert fault(Polygon()) == Fault(Flaw.EMPTY)

    def test_swapped_axes_are_told_from_other_mistakes(self) -> None:
        assert fault(Polygon(turned(SQUARE))) == Fault(Flaw.SWAPPED)

    def test_metres_are_no_degrees(self) -> None:
        assert fault(shapely.box(500_000, 3_000_000, 500_100, 3_000_100)) == Fault(Flaw.OFF_EARTH)

    @given(west=st.floats(73, 134), south=st.floats(1, 54))
    def test_in_all_of_china_a_swap_is_seen_and_nothing_else_is_taken_for_one(self, west: float, south: float) -> None:
        box = shapely.box(west, south, west + 1, south + 1)
        assert fault(box) is None
        assert fault(shapely.transform(box, lambda xy: xy[:, ::-1])) == Fault(Flaw.SWAPPED)


class TestWords:
    def test_every_flaw_is_said_in_both_languages(self) -> None:
        assert set(FLAWS) == set(Flaw)

    @pytest.mark.parametrize(
        ("found", "said"),
        [
            (Fault(Flaw.SWAPPED), "longitude and latitude are swapped; longitude comes first"),
            (Fault(Flaw.CROSSES_ITSELF, (110.5, 30.5), "Self-intersection"), "Self-intersection at 110.5, 30.5"),
        ],
    )
    def test_a_fault_says_what_and_where(self, found: Fault, said: str) -> None:
        assert str(found) == said
