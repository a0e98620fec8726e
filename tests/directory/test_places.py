from math import cos, radians

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from directory.demo_city import CITY_BOX, demo_directory
from directory.model import Area, AreaLevel, Directory, GridKind
from directory.places import METRES_PER_DEGREE, Direction, Located, Nearest, Places
from directory.shapes import Ring, polygon

HOLE = ((112.2, 30.2), (112.8, 30.2), (112.8, 30.8), (112.2, 30.8))
DEMO = demo_directory()
DEMO_PLACES = Places(DEMO)
GRIDS = [area for area in DEMO.areas if area.kind is GridKind.BLOCK]


def square(west: float, south: float, size: float = 1.0) -> Ring:
    east, north = west + size, south + size
    return (west, south), (east, south), (east, north), (west, north)


def area(area_id: str, level: AreaLevel = AreaLevel.GRID, ring: Ring = (), holes: tuple[Ring, ...] = ()) -> Area:
    parent = None if level is AreaLevel.CITY else "city"
    shape = polygon(ring, holes) if ring else None
    return Area(id=area_id, parent=parent, level=level, name_zh="地", name_en="Area", shape=shape)


def kinds(**rings: Ring) -> Places:
    """Grids named by their kinds."""
    grids = [area(kind, ring=ring) for kind, ring in rings.items()]
    return places(*(grid.model_copy(update={"kind": GridKind(grid.id)}) for grid in grids))


def places(*areas: Area) -> Places:
    city = () if any(each.id == "city" for each in areas) else (area("city", AreaLevel.CITY),)
    return Places(
        Directory(
            city_zh="试验市",
            city_en="Testville",
            zone="Asia/Shanghai",
            areas=(*city, *areas),
            units=(),
            users=(),
            categories=(),
            routing=(),
        )
    )


@pytest.fixture(scope="module")
def ground() -> Places:
    """Neighbours b and a along 111° E, ring-shaped c, and d lying over the eastern part of c."""
    return places(
        area("b", ring=square(110, 30)),
        area("a", ring=square(111, 30)),
        area("c", ring=square(112, 30), holes=(HOLE,)),
        area("d", ring=square(112.9, 30)),
    )


def found(places: Places, lon: float, lat: float) -> str | None:
    located = places.locate(lon, lat)
    return None if located is None else located.area


class TestLocate:
    def test_a_point_inside_is_in_its_grid(self, ground: Places) -> None:
        assert ground.locate(110.5, 30.5) == Located(area="b", grid="b")

    def test_a_point_on_a_shared_border_is_in_the_smallest_id(self, ground: Places) -> None:
        assert found(ground, 111.0, 30.5) == "a"

    def test_a_point_on_a_corner_or_outer_border_is_inside(self, ground: Places) -> None:
        assert found(ground, 110.0, 30.0) == "b"
        assert found(ground, 110.5, 30.0) == "b"

    def test_a_point_in_a_hole_is_nowhere(self, ground: Places) -> None:
        assert ground.locate(112.5, 30.5) is None

    def test_a_point_on_the_border_of_a_hole_is_in_the_area_around_it(self, ground: Places) -> None:
        assert found(ground, 112.2, 30.5) == "c"

    def test_a_point_in_two_grids_is_in_the_smallest_id(self, ground: Places) -> None:
        assert found(ground, 112.95, 30.5) == "c"

    def test_a_point_in_no_grid_is_nowhere(self, ground: Places) -> None:
        assert ground.locate(109.9, 30.5) is None

    def test_the_order_of_the_areas_does_not_matter(self) -> None:
        one, two = area("a", ring=square(110, 30)), area("b", ring=square(111, 30))
        assert found(places(one, two), 111, 30.5) == found(places(two, one), 111, 30.5) == "a"

    def test_a_point_in_no_grid_falls_back_to_the_area_around(self) -> None:
        city = area("city", AreaLevel.CITY, ring=square(110, 30, 2))
        town = places(city, area("grid", ring=square(110, 30)))
        assert town.locate(110.5, 30.5) == Located(area="grid", grid="grid")
        assert town.locate(111.5, 31.5) == Located(area="city", grid=None)

    def test_without_any_shape_everything_is_nowhere(self) -> None:
        assert places(area("a")).locate(110.5, 30.5) is None


class TestSeveralGrids:
    """A position in a block, on a street and in a compound."""

    def test_a_compound_goes_first_then_the_block_then_the_street(self) -> None:
        town = kinds(line=square(110, 30), block=square(110, 30), compound=square(110, 30))
        assert town.locate(110.5, 30.5) == Located(area="compound", grid="compound", others=("block", "line"))

    def test_on_a_street_without_a_compound_the_block_is_meant(self) -> None:
        town = kinds(line=square(110, 30), block=square(110, 30), compound=square(115, 30))
        assert town.locate(110.5, 30.5) == Located(area="block", grid="block", others=("line",))

    def test_where_there_is_only_a_street_it_is_the_street(self) -> None:
        assert kinds(line=square(110, 30)).locate(110.5, 30.5) == Located(area="line", grid="line")

    def test_the_depth_of_a_street_in_the_tree_does_not_matter(self) -> None:
        deep = area("deep", AreaLevel.COMMUNITY)
        line = area("line", ring=square(110, 30)).model_copy(update={"kind": GridKind.LINE, "parent": "deep"})
        town = places(deep, line, area("zz", ring=square(110, 30)))
        assert town.locate(110.5, 30.5) == Located(area="zz", grid="zz", others=("line",))

    def test_a_border_is_in_both_and_the_smallest_id_is_meant(self, ground: Places) -> None:
        assert ground.locate(111.0, 30.5) == Located(area="a", grid="a", others=("b",))

    def test_areas_above_are_no_further_grids(self) -> None:
        city = area("city", AreaLevel.CITY, ring=square(110, 30, 2))
        assert places(city, area("grid", ring=square(110, 30))).locate(110.5, 30.5) == Located(area="grid", grid="grid")


class TestShapesOfSeveralParts:
    @pytest.fixture
    def parts(self) -> Places:
        apart = shapely.MultiPolygon([shapely.box(110, 30, 111, 31), shapely.box(113, 30, 114, 31)])
        return places(area("a").model_copy(update={"shape": shapely.to_wkb(apart)}))

    def test_hold_what_lies_in_any_of_them(self, parts: Places) -> None:
        assert found(parts, 110.5, 30.5) == found(parts, 113.5, 30.5) == "a"

    def test_do_not_hold_what_lies_between_them(self, parts: Places) -> None:
        assert found(parts, 112.0, 30.5) is None

    def test_are_measured_to_the_closest(self, parts: Places) -> None:
        nearest = parts.nearest(112.5, 30.5)
        assert nearest.direction is Direction.WEST
        assert nearest.metres == pytest.approx(47_900, rel=0.01)


class TestRetiredAreas:
    def test_are_not_on_the_map(self) -> None:
        old = area("a", ring=square(110, 30)).model_copy(update={"retired": True})
        town = places(old, area("b", ring=square(112, 30)))
        assert town.locate(110.5, 30.5) is None
        assert not town.contains("a", 110.5, 30.5)
        assert town.nearest(110.5, 30.5).area == "b"


class TestManyAtOnce:
    @settings(deadline=None)
    @given(st.lists(st.tuples(st.floats(109.9, 114), st.floats(29.9, 31.1)), max_size=30))
    def test_are_found_as_one_by_one(self, ground: Places, points: list[tuple[float, float]]) -> None:
        lons, lats = [lon for lon, _ in points], [lat for _, lat in points]
        assert ground.locate_many(lons, lats) == [ground.locate(lon, lat) for lon, lat in points]

    def test_more_than_are_looked_up_in_one_go(self, ground: Places) -> None:
        lons = [109.5, 110.5, 111.5] * 7000
        answers = ground.locate_many(lons, [30.5] * len(lons))
        assert [each and each.area for each in answers] == [None, "b", "a"] * 7000


class TestTheNextMap:
    def test_takes_over_what_is_the_same_and_reads_what_is_not(self) -> None:
        before = places(area("a", ring=square(110, 30)), area("b", ring=square(112, 30)))
        changed = places(area("a", ring=square(110, 30)), area("b", ring=square(113, 30)))
        after = Places(changed.directory, before)
        assert after.geometries["a"][1] is before.geometries["a"][1]
        assert after.locate(112.5, 30.5) is None
        assert found(after, 113.5, 30.5) == "b"

    def test_follows_names_kinds_and_retirement_without_a_new_shape(self) -> None:
        before = kinds(block=square(110, 30), line=square(110, 30))
        grids = [area for area in before.directory.areas if area.shape]
        areas = [grid.model_copy(update={"retired": grid.id == "block"}) for grid in grids]
        assert found(Places(places(*areas).directory, before), 110.5, 30.5) == "line"


class TestContains:
    def test_a_border_belongs_to_both_sides(self, ground: Places) -> None:
        assert ground.contains("a", 111.0, 30.5)
        assert ground.contains("b", 111.0, 30.5)

    def test_an_area_does_not_contain_its_hole(self, ground: Places) -> None:
        assert not ground.contains("c", 112.5, 30.5)

    def test_an_area_without_a_shape_contains_what_its_grids_do(self, ground: Places) -> None:
        assert ground.contains("city", 110.5, 30.5)
        assert not ground.contains("city", 109.0, 30.5)

    def test_an_unknown_area_is_an_error(self, ground: Places) -> None:
        with pytest.raises(KeyError):
            ground.contains("atlantis", 110.5, 30.5)


class TestNearest:
    def test_inside_it_is_the_grid_and_no_distance(self, ground: Places) -> None:
        assert ground.nearest(110.5, 30.5) == Nearest("b", 0.0, None)

    def test_outside_it_is_the_closest_grid_in_metres(self, ground: Places) -> None:
        nearest = ground.nearest(109.9, 30.5)
        assert nearest.area == "b"
        assert nearest.metres == pytest.approx(9_581, rel=0.01)

    @pytest.mark.parametrize(
        ("lon", "lat", "direction"),
        [
            (109.9, 30.5, Direction.WEST),
            (110.5, 29.9, Direction.SOUTH),
            (110.5, 31.1, Direction.NORTH),
            (114.0, 30.5, Direction.EAST),
            (109.9, 29.9, Direction.SOUTHWEST),
            (109.9, 31.1, Direction.NORTHWEST),
            (114.0, 31.1, Direction.NORTHEAST),
            (114.0, 29.9, Direction.SOUTHEAST),
        ],
    )
    def test_says_on_which_side(self, ground: Places, lon: float, lat: float, direction: Direction) -> None:
        assert ground.nearest(lon, lat).direction is direction

    @settings(deadline=None)
    @given(lon=st.floats(109, 115), lat=st.floats(29, 32))
    def test_no_grid_is_closer(self, ground: Places, lon: float, lat: float) -> None:
        squeeze = cos(radians(30.5))
        here = shapely.Point(lon * squeeze, lat)
        shapes = [shapely.transform(shape, lambda xy: xy * (squeeze, 1)) for _, shape in ground.geometries.values()]
        closest = min(shapely.distance(shape, here) for shape in shapes)
        assert ground.nearest(lon, lat).metres == pytest.approx(closest * METRES_PER_DEGREE)

    def test_a_degree_of_longitude_is_shorter_than_one_of_latitude(self) -> None:
        north = places(area("east", ring=square(111, 60)), area("south", ring=square(109.5, 58.4)))
        assert north.nearest(110.0, 60.0)[0] == "east"

    def test_of_two_equally_close_the_smallest_id(self, ground: Places) -> None:
        assert ground.nearest(111.0, 29.9)[0] == "a"

    def test_names_a_grid_even_when_the_city_has_a_shape(self) -> None:
        city = area("city", AreaLevel.CITY, ring=square(110, 30, 2))
        assert places(city, area("grid", ring=square(110, 30))).nearest(112.5, 30.5)[0] == "grid"

    def test_without_any_shape_there_is_none(self) -> None:
        with pytest.raises(ValueError, match="no area"):
            places(area("a")).nearest(110.5, 30.5)


class TestBadRings:
    def test_a_ring_that_crosses_itself_is_refused_by_name(self) -> None:
        bow_tie = ((110.0, 30.0), (111.0, 31.0), (111.0, 30.0), (110.0, 31.0))
        with pytest.raises(ValueError, match="area a: Self-intersection"):
            places(area("a", ring=bow_tie))

    def test_bytes_that_are_no_shape_are_refused_by_name(self) -> None:
        with pytest.raises(ValueError, match="area a: "):
            places(area("a").model_copy(update={"shape": b"\x01\x03"}))

    def test_a_ring_of_two_corners_is_refused(self) -> None:
        with pytest.raises(ValueError, match="linearring"):
            polygon(((110.0, 30.0), (111.0, 31.0)))


class TestPartition:
    @settings(deadline=None)
    @given(
        lon=st.integers(CITY_BOX.west, CITY_BOX.east),
        lat=st.integers(CITY_BOX.south, CITY_BOX.north),
        nudge=st.floats(0.1, 0.9),
    )
    def test_a_point_inside_the_demo_city_is_in_exactly_one_grid(self, lon: int, lat: int, nudge: float) -> None:
        x = min(lon + nudge, CITY_BOX.east - nudge) / 1e6
        y = min(lat + nudge, CITY_BOX.north - nudge) / 1e6
        holding = [grid.id for grid in GRIDS if DEMO_PLACES.contains(grid.id, x, y)]
        located = DEMO_PLACES.locate(x, y)
        assert located is not None
        assert [located.grid] == holding

    @settings(deadline=None)
    @given(lon=st.integers(CITY_BOX.west, CITY_BOX.east), lat=st.integers(CITY_BOX.south, CITY_BOX.north))
    def test_even_a_border_point_is_in_some_grid(self, lon: int, lat: int) -> None:
        located = DEMO_PLACES.locate(lon / 1e6, lat / 1e6)
        assert located is not None
        assert located.grid is not None
