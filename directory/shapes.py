"""The shapes of areas: how they are kept (well-known binary), what they must be like, and what is wrong with one."""

import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from directory.positions import EAST, NORTH, SOUTH, WEST
from domain.words import Words

Ring = tuple[tuple[float, float], ...]
#: What GEOS says of a broken shape: the words, then where, if it knows.
_REASON = re.compile(r"(?P<words>[^\[]*)(?:\[(?P<x>\S+) (?P<y>\S+)\])?")
_CROSSINGS = ("Self-intersection", "Ring Self-intersection")
_MOST_LON, _MOST_LAT = 180, 90


class Flaw(StrEnum):
    UNREADABLE = "unreadable"
    NO_AREA = "no_area"
    EMPTY = "empty"
    SWAPPED = "swapped"
    OFF_EARTH = "off_earth"
    CROSSES_ITSELF = "crosses_itself"
    UNSOUND = "unsound"


FLAWS: Mapping[Flaw, Words] = {
    Flaw.UNREADABLE: ("无法读取", "it cannot be read"),
    Flaw.NO_AREA: ("不是面（Polygon 或 MultiPolygon）", "it is no area (Polygon or MultiPolygon)"),
    Flaw.EMPTY: ("图形为空", "it is empty"),
    Flaw.SWAPPED: ("经纬度写反了，应先经度后纬度", "longitude and latitude are swapped; longitude comes first"),
    Flaw.OFF_EARTH: ("坐标超出经纬度范围", "its coordinates are not degrees of longitude and latitude"),
    Flaw.CROSSES_ITSELF: ("边界自相交", "its border crosses itself"),
    Flaw.UNSOUND: ("图形不成立，例如孔在外边界之外", "its rings make no area, a hole outside it for instance"),
}


class Fault(NamedTuple):
    """`place`: (lon, lat) of the fault, if it has one. `words`: the geometry library's own, in English."""

    flaw: Flaw
    place: tuple[float, float] | None = None
    words: str = ""

    def __str__(self) -> str:
        said = self.words or FLAWS[self.flaw][1]
        return f"{said} at {self.place[0]:.7g}, {self.place[1]:.7g}" if self.place else said


def polygon(ring: Ring, holes: Sequence[Ring] = ()) -> bytes:
    """From rings of WGS-84 (lon, lat). ValueError for fewer than three corners; whether it is sound: `fault`."""
    kept: bytes = shapely.to_wkb(Polygon(ring, holes))
    return kept


def read(shape: bytes) -> BaseGeometry:
    """Raises shapely.errors.ShapelyError for bytes that are none."""
    return shapely.from_wkb(shape)


def from_geojson(geometry: Mapping[str, Any]) -> bytes:
    """From a GeoJSON geometry in WGS-84; heights are dropped. ValueError for what is none; soundness: `fault`."""
    try:
        found = shapely.force_2d(shapely.from_geojson(json.dumps(geometry)))
    except (shapely.errors.ShapelyError, ValueError, RecursionError) as error:
        raise ValueError("no geometry of GeoJSON") from error
    kept: bytes = shapely.to_wkb(found)
    return kept


def to_geojson(shape: bytes) -> dict[str, Any]:
    """A GeoJSON geometry."""
    told: dict[str, Any] = json.loads(shapely.to_geojson(read(shape)))
    return told


def fault(shape: BaseGeometry) -> Fault | None:
    """What is wrong with it as the shape of an area; the first that is found."""
    if shape.geom_type not in {"Polygon", "MultiPolygon"}:
        return Fault(Flaw.NO_AREA, words=f"a {shape.geom_type} is no area")
    if shape.is_empty:
        return Fault(Flaw.EMPTY)
    if flaw := _misplaced(*shape.bounds):
        return Fault(flaw)
    return None if shape.is_valid else _broken(str(shapely.is_valid_reason(shape)))


def swapped(west: float, south: float, east: float, north: float) -> bool:
    """Whether bounds lie in China if longitude and latitude change places, and only then."""
    return _in_china(south, west, north, east) and not _in_china(west, south, east, north)


def _in_china(west: float, south: float, east: float, north: float) -> bool:
    """The rectangle of the datums, whose longitudes and latitudes have no number in common."""
    return west >= WEST and east <= EAST and south >= SOUTH and north <= NORTH


def _misplaced(west: float, south: float, east: float, north: float) -> Flaw | None:
    if swapped(west, south, east, north):
        return Flaw.SWAPPED
    on_earth = west >= -_MOST_LON and east <= _MOST_LON and south >= -_MOST_LAT and north <= _MOST_LAT
    return None if on_earth else Flaw.OFF_EARTH


def _broken(reason: str) -> Fault:
    found = _REASON.match(reason)
    words, x, y = found.group("words", "x", "y") if found else (reason, None, None)
    flaw = Flaw.CROSSES_ITSELF if words in _CROSSINGS else Flaw.UNSOUND
    return Fault(flaw, (float(x), float(y)) if x and y else None, words)
