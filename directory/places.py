"""Where a position lies: point in polygon over the areas, through a spatial index.

It knows only WGS-84; another datum is changed in `directory.positions` before it comes here. A border belongs
to every area that touches it (the border of a hole to the area around the hole). Of all areas that hold a
point the deepest in the tree is meant, and of several equally deep the one with the smallest id: the answer
depends on nothing but the map. A point in no grid can still lie in a district whose shape is known.
"""

from collections.abc import Iterator
from functools import cached_property
from math import cos, pi, radians

import shapely
from shapely import Point, STRtree
from shapely.geometry.base import BaseGeometry

from directory import shapes
from directory.model import Area, AreaLevel, Directory, Record

METRES_PER_DEGREE = 6_371_008.8 * pi / 180  # on a sphere of the mean radius


class Located(Record):
    """`area` is the deepest area that holds the position; `grid` is the same, if it is a grid."""

    area: str
    grid: str | None


class Places:
    """The index over one directory; build it once per version, it is read-only afterwards.

    ValueError, naming the area, for a shape that is none or crosses itself.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        shaped = (area for area in directory.areas if area.shape is not None and not area.retired)
        self._areas = sorted(shaped, key=lambda area: (-len(directory.ancestors(area.id)), area.id))
        self._shapes = [_shape(area) for area in self._areas]
        shapely.prepare(self._shapes)
        self._tree = STRtree(self._shapes)

    @property
    def known(self) -> bool:
        """Whether any area has a shape. Without one, no position can be called outside."""
        return bool(self._areas)

    def locate(self, lon: float, lat: float) -> Located | None:
        """None when no area holds the position."""
        area = next(self._areas_at(lon, lat), None)
        if area is None:
            return None
        return Located(area=area.id, grid=area.id if area.level is AreaLevel.GRID else None)

    def contains(self, area_id: str, lon: float, lat: float) -> bool:
        """Whether the area holds the position; one without a shape does if an area within it does.

        KeyError for an unknown area.
        """
        if self._directory.area_by_id[area_id].shape is not None:
            return any(area.id == area_id for area in self._areas_at(lon, lat))
        return any(self._directory.within(area.id, area_id) for area in self._areas_at(lon, lat))

    def nearest(self, lon: float, lat: float) -> tuple[str, float]:
        """The closest of the areas that are not divided further, and the metres to it, 0 inside.

        Good to about 1 % near the city; far away it is an order of magnitude. ValueError without any shape.
        """
        if not self._areas:
            raise ValueError("no area of the directory has a shape")
        leaves, tree, squeeze = self._leaves
        hits, distances = tree.query_nearest(Point(lon * squeeze, lat), return_distance=True)
        return leaves[int(hits.min())].id, float(distances[0]) * METRES_PER_DEGREE

    def _areas_at(self, lon: float, lat: float) -> Iterator[Area]:
        """Every area that holds the position, the one that is meant first."""
        for index in sorted(self._tree.query(Point(lon, lat))):
            if shapely.intersects_xy(self._shapes[index], lon, lat):
                yield self._areas[index]

    @cached_property
    def _leaves(self) -> tuple[list[Area], STRtree, float]:
        """Undivided areas in an index where east-west degrees are squeezed to the length of north-south ones.

        Apart from the exact index, because squeezing rounds, and built only when something has to be said.
        """
        divided = {ancestor for area in self._areas for ancestor in self._directory.ancestors(area.id)[1:]}
        kept = [index for index, area in enumerate(self._areas) if area.id not in divided]
        _, south, _, north = shapely.total_bounds(self._shapes)
        squeeze = cos(radians((south + north) / 2))
        shapes = shapely.transform([self._shapes[index] for index in kept], lambda xy: xy * (squeeze, 1))
        return [self._areas[index] for index in kept], STRtree(shapes), squeeze


def _shape(area: Area) -> BaseGeometry:
    shape = shapes.read(area.shape or b"")
    if wrong := shapes.fault(shape):
        raise ValueError(f"area {area.id}: {wrong}")
    return shape
