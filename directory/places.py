"""Where a position lies: point in polygon over the areas, through a spatial index.

It knows only WGS-84; another datum is changed in `directory.positions` before it comes here. A border belongs
to every area that touches it (the border of a hole to the area around the hole). Of several grids that hold a
position one is meant, by `KINDS` and then by the smallest id: the answer depends on nothing but the map. A position
in no grid can still lie in a district whose shape is known; then the deepest area is meant. Retired areas are not on
the map. docs/map.md says the same for those who draw grids.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from math import atan2, cos, pi, radians
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Point, STRtree
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from directory import shapes
from directory.model import Area, AreaLevel, Directory, GridKind, Record

METRES_PER_DEGREE = 6_371_008.8 * pi / 180  # on a sphere of the mean radius
#: Which grid a case is counted in, where several hold the place. A compound 单位型 is cut out of the block around it; a
#: block 块状 goes before a street's line grid 条形, for blocks cover the ground once. One of no kind is a block.
KINDS: Mapping[GridKind | None, int] = {GridKind.COMPOUND: 0, GridKind.BLOCK: 1, None: 1, GridKind.LINE: 2}
#: Positions looked up in one go.
_AT_ONCE = 20_000


class Located(Record):
    """`area` is the area that is meant; `grid` is the same, if it is a grid.

    `others`: further grids that hold the position, in the order in which they would be meant.
    """

    area: str
    grid: str | None
    others: tuple[str, ...] = ()


class Direction(StrEnum):
    """As the wind rose has them, anticlockwise from the east: the order of the angles."""

    EAST = "east"
    NORTHEAST = "northeast"
    NORTH = "north"
    NORTHWEST = "northwest"
    WEST = "west"
    SOUTHWEST = "southwest"
    SOUTH = "south"
    SOUTHEAST = "southeast"


class Nearest(NamedTuple):
    """An area, the metres to it, and where the position lies as seen from it; None on its border or inside."""

    area: str
    metres: float
    direction: Direction | None


class Places:
    """The index over one directory; build it once per map, it is read-only afterwards.

    `before`: the index of an earlier directory; shapes that are still the same are taken over from it, unchecked and
    with what has been prepared for them. ValueError, naming the area, for a shape that is none or is not sound.
    """

    def __init__(self, directory: Directory, before: "Places | None" = None) -> None:
        self.directory = directory
        shaped = (area for area in directory.areas if area.shape is not None and not area.retired)
        self._areas = sorted(shaped, key=lambda area: _turn(area, len(directory.ancestors(area.id))))
        self._grids = sum(area.level is AreaLevel.GRID for area in self._areas)
        self._index = {area.id: index for index, area in enumerate(self._areas)}
        self._shapes = _shapes(self._areas, {} if before is None else before.geometries)
        self._tree = STRtree(self._shapes)

    @property
    def known(self) -> bool:
        """Whether any area has a shape. Without one, no position can be called outside."""
        return bool(self._areas)

    def locate(self, lon: float, lat: float) -> Located | None:
        """None when no area holds the position."""
        return self._located(self._at(lon, lat))

    def locate_many(self, lons: Sequence[float], lats: Sequence[float]) -> list[Located | None]:
        """As `locate`, one by one; for importers, several times as fast."""
        known: dict[tuple[int, ...], Located | None] = {}
        found: list[Located | None] = []
        for start in range(0, len(lons), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            for hits in self._at_many(np.asarray(lons[part], float), np.asarray(lats[part], float)):
                if hits not in known:
                    known[hits] = self._located(hits)
                found.append(known[hits])
        return found

    def contains(self, area_id: str, lon: float, lat: float) -> bool:
        """Whether the area holds the position; one without a shape does if an area within it does.

        KeyError for an unknown area.
        """
        if self.directory.area_by_id[area_id].shape is None:
            return any(self.directory.within(self._areas[hit].id, area_id) for hit in self._at(lon, lat))
        index = self._index.get(area_id)
        return index is not None and bool(shapely.intersects_xy(self._shapes[index], lon, lat))

    def nearest(self, lon: float, lat: float) -> Nearest:
        """The closest of the areas that are not divided further; 0 metres inside. Of equals, the one that is meant.

        Good to about 1 % near the city; far away it is an order of magnitude. ValueError without any shape.
        """
        if not self._areas:
            raise ValueError("no area of the directory has a shape")
        leaves, bounds, squeeze = self._leaves
        here = Point(lon * squeeze, lat)
        at_least = _distances(bounds, here)
        best, line = np.inf, None
        nearest = 0
        for index in np.argsort(at_least, kind="stable"):
            if at_least[index] > best:
                break
            tried = shapely.shortest_line(_squeezed(self._shapes[leaves[index]], squeeze), here)
            if (tried.length, leaves[index]) < (best, nearest):
                best, line, nearest = tried.length, tried, leaves[index]
        direction = _direction(line) if line is not None and best > 0 else None
        return Nearest(self._areas[nearest].id, float(best) * METRES_PER_DEGREE, direction)

    def _located(self, hits: Sequence[int]) -> Located | None:
        if not hits:
            return None
        area = self._areas[hits[0]].id
        if hits[0] >= self._grids:
            return Located(area=area, grid=None)
        others = tuple(self._areas[hit].id for hit in hits[1:] if hit < self._grids)
        return Located(area=area, grid=area, others=others)

    def _at(self, lon: float, lat: float) -> list[int]:
        """Every area that holds the position, the one that is meant first."""
        near = self._tree.query(shapely.points(lon, lat))
        if not near.size:
            return []
        return sorted(near[shapely.intersects_xy(self._shapes[near], lon, lat)].tolist())

    def _at_many(self, lons: NDArray[np.float64], lats: NDArray[np.float64]) -> Iterable[tuple[int, ...]]:
        asked, near = self._tree.query(shapely.points(lons, lats))
        holds = shapely.intersects_xy(self._shapes[near], lons[asked], lats[asked])
        asked, near = asked[holds], near[holds]
        order = np.lexsort((near, asked))
        ends = np.searchsorted(asked[order], np.arange(1, len(lons)))
        return (tuple(hits.tolist()) for hits in np.split(near[order], ends)) if len(lons) else ()

    @property
    def geometries(self) -> Mapping[str, tuple[bytes | None, BaseGeometry]]:
        """By id: the shape as the directory has it, and as it was read."""
        return {area.id: (area.shape, shape) for area, shape in zip(self._areas, self._shapes, strict=True)}

    @cached_property
    def _leaves(self) -> tuple[list[int], NDArray[np.float64], float]:
        """Undivided areas, and their bounds with east-west degrees squeezed to the length of north-south ones."""
        divided = {above for area in self._areas for above in self.directory.ancestors(area.id)[1:]}
        kept = [index for index, area in enumerate(self._areas) if area.id not in divided]
        bounds = shapely.bounds(self._shapes[kept])
        squeeze = cos(radians((bounds[:, 1].min() + bounds[:, 3].max()) / 2))
        return kept, bounds * (squeeze, 1, squeeze, 1), squeeze


def _turn(area: Area, depth: int) -> tuple[int, int, int, str]:
    """Grids first, by their kind; then the deeper one."""
    if area.level is AreaLevel.GRID:
        return 0, KINDS[area.kind], -depth, area.id
    return 1, 0, -depth, area.id


def _shapes(areas: Sequence[Area], kept: Mapping[str, tuple[bytes | None, BaseGeometry]]) -> NDArray[np.object_]:
    found = np.empty(len(areas), dtype=object)
    for index, area in enumerate(areas):
        shape, geometry = kept.get(area.id, (None, None))
        found[index] = geometry if shape == area.shape else _shape(area)
    shapely.prepare(found)
    return found


def _shape(area: Area) -> BaseGeometry:
    try:
        shape = shapes.read(area.shape or b"")
    except ShapelyError as error:
        raise ValueError(f"area {area.id}: {error}") from None
    if wrong := shapes.fault(shape):
        raise ValueError(f"area {area.id}: {wrong}")
    return shape


def _squeezed(shape: BaseGeometry, squeeze: float) -> BaseGeometry:
    return shapely.transform(shape, lambda xy: xy * (squeeze, 1))


def _distances(bounds: NDArray[np.float64], point: Point) -> NDArray[np.float64]:
    """From a point to boxes: never more than to what lies in them."""
    west, south, east, north = bounds.T
    aside = np.maximum(0, np.maximum(west - point.x, point.x - east))
    along = np.maximum(0, np.maximum(south - point.y, point.y - north))
    apart: NDArray[np.float64] = np.hypot(aside, along)
    return apart


def _direction(line: BaseGeometry) -> Direction:
    """Of its end, as seen from its start."""
    (from_x, from_y), (to_x, to_y) = line.coords
    turn = atan2(to_y - from_y, to_x - from_x) / (2 * pi)
    return list(Direction)[round(turn * len(Direction)) % len(Direction)]
