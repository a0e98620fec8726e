"""GeoJSON (RFC 7946): areas as polygons, points as points, the columns of their tables as properties.

Out it is WGS-84, as the standard wants it. In, `datum` among the members of the file or of a feature's properties
says otherwise. A feature is told of by its number, counted from 1, as a row.
"""

from collections.abc import Iterator, Mapping
from typing import IO, Any

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from exchange.cells import BadFile, Line, Number, Sheet
from exchange.columns import AREAS, POINTS, SHAPES, Table

_POINT = "Point"
_AREAL = frozenset({"Polygon", "MultiPolygon"})


def sheets(file: IO[bytes], name: str, table: Table | None = None) -> Iterator[tuple[Table, Sheet]]:
    """As the sheets that a workbook would have. BadFile for what is no collection of features of one kind."""
    collection = _parsed(file)
    features = collection["features"]
    if table is None:
        kinds = {_kind(feature) for feature in features}
        table = POINTS if kinds and kinds <= {_POINT} else AREAS
    datum = collection.get("datum")
    if table is POINTS:
        yield POINTS, Sheet(name, _point_lines(features, datum))
    else:
        yield AREAS, Sheet(name, _area_lines(features))
        yield SHAPES, Sheet(name, _shape_lines(features, datum))


def _parsed(file: IO[bytes]) -> dict[str, Any]:
    try:
        found = orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        raise BadFile("broken_geojson", why=str(error)) from None
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list) or not all(isinstance(each, dict) for each in features):
        raise BadFile("broken_geojson", why="FeatureCollection?")
    return dict(found)


def _kind(feature: Mapping[str, Any]) -> str:
    geometry = feature.get("geometry")
    return str(geometry.get("type")) if isinstance(geometry, dict) else ""


def _properties(feature: Mapping[str, Any]) -> dict[str, Any]:
    found = feature.get("properties")
    kept = dict(found) if isinstance(found, dict) else {}
    if "id" not in kept and isinstance(feature.get("id"), str | int):
        kept["id"] = feature["id"]
    return kept


def _named(features: list[dict[str, Any]], without: frozenset[str], more: tuple[str, ...] = ()) -> list[str]:
    names = dict.fromkeys(name for feature in features for name in _properties(feature))
    return [*(name for name in names if name not in without), *more]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        return Number(repr(value))
    return ";".join(map(str, value)) if isinstance(value, list) else str(value)


def _line(row: int, names: list[str], values: Mapping[str, Any]) -> Line:
    return Line(row, {index: text for index, name in enumerate(names) if (text := _cell(values.get(name)))})


def _header(names: list[str]) -> Line:
    return Line(0, dict(enumerate(names)))


def _point_lines(features: list[dict[str, Any]], datum: object) -> Iterator[Line]:
    names = _named(features, frozenset({"lon", "lat", "datum"}), ("lon", "lat", "datum"))
    yield _header(names)
    for row, feature in enumerate(features, start=1):
        values = _properties(feature)
        lon, lat = _position(feature)
        yield _line(row, names, {**values, "lon": lon, "lat": lat, "datum": values.get("datum", datum)})


def _position(feature: Mapping[str, Any]) -> tuple[Any, Any]:
    """Nothing where there is none: an empty cell is told of like any other."""
    coordinates = (feature.get("geometry") or {}).get("coordinates") if _kind(feature) == _POINT else None
    if isinstance(coordinates, list) and len(coordinates) >= 2:  # noqa: PLR2004 - longitude and latitude
        return coordinates[0], coordinates[1]
    return None, None


def _area_lines(features: list[dict[str, Any]]) -> Iterator[Line]:
    names = _named(features, frozenset({"datum"}))
    yield _header(names)
    for row, feature in enumerate(features, start=1):
        yield _line(row, names, _properties(feature))


def _shape_lines(features: list[dict[str, Any]], datum: object) -> Iterator[Line]:
    names = ["area", "part", "shape", "datum"]
    yield _header(names)
    for row, feature in enumerate(features, start=1):
        if feature.get("geometry") is None:
            continue
        values = _properties(feature)
        area = values.get("id", values.get("编号", values.get("编号 id")))
        shape = _wkt(feature["geometry"], row)
        yield _line(row, names, {"area": area, "part": 1, "shape": shape, "datum": values.get("datum", datum)})


def _wkt(geometry: object, row: int) -> str:
    try:
        read: BaseGeometry = shapely.from_geojson(orjson.dumps(geometry))
    except (shapely.errors.ShapelyError, ValueError, TypeError) as error:
        raise BadFile("broken_geojson", why=f"features[{row - 1}]: {str(error)[:80]}") from None
    return str(shapely.to_wkt(shapely.force_2d(read), rounding_precision=-1))


def write(table: Table, rows: Iterator[tuple[Mapping[str, str], Mapping[str, Any] | None]]) -> Iterator[bytes]:
    """From properties, and the geometry of each."""
    yield b'{"type":"FeatureCollection","name":"%s","features":[\n' % table.name.encode()
    between = b""
    for properties, geometry in rows:
        yield between + orjson.dumps({"type": "Feature", "properties": properties, "geometry": geometry})
        between = b",\n"
    yield b"\n]}\n"


def polygon(shape: bytes | None) -> Mapping[str, Any] | None:
    """Every digit of the coordinates is kept."""
    if shape is None:
        return None
    return dict(shapely.geometry.mapping(shapely.from_wkb(shape)))
