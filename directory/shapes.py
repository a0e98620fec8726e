"""The shapes of areas: how they are kept (well-known binary) and what they must be like."""

from collections.abc import Sequence

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

Ring = tuple[tuple[float, float], ...]


def polygon(ring: Ring, holes: Sequence[Ring] = ()) -> bytes:
    """From rings of WGS-84 (lon, lat). ValueError for fewer than three corners; whether it is sound: `fault`."""
    kept: bytes = shapely.to_wkb(Polygon(ring, holes))
    return kept


def read(shape: bytes) -> BaseGeometry:
    """Raises shapely.errors.ShapelyError for bytes that are none."""
    return shapely.from_wkb(shape)


def fault(shape: BaseGeometry) -> str | None:
    """What is wrong with it as the shape of an area, and where."""
    if shape.geom_type not in {"Polygon", "MultiPolygon"}:
        return f"a {shape.geom_type} is no area"
    if shape.is_empty:
        return "it is empty"
    return None if shape.is_valid else str(shapely.is_valid_reason(shape))
