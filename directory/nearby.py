"""How close together two reports must lie to mean the same thing, and how soon the same thing has come back.

A phone is right within 10 m nineteen times in twenty under an open sky, and about half as good between houses: two
people who report one manhole cover from where they stand lie up to 30 m apart. What lies about is larger than a cover,
and a market or a compound larger still. That the same spot complained of again within a month counts against a unit is
how districts assess; a thing that was mended should last longer. A category may say otherwise for itself.
"""

from collections.abc import Mapping
from datetime import timedelta
from math import asin, cos, degrees, hypot, radians, sin
from typing import NamedTuple

from directory.model import Category
from directory.places import METRES_PER_DEGREE

#: By the kind of category.
NEAR_METRES: Mapping[str, int] = {"component": 30, "event": 50, "checkpoint": 100}
RECURS_DAYS: Mapping[str, int] = {"component": 90, "event": 30, "checkpoint": 30}
#: Degrees by which a box is larger than it must be, for what sines round off: some centimetres.
_ROUNDING = 2e-7
_POLE, _DATE_LINE = 90.0, 180.0


class Spot(NamedTuple):
    """WGS-84 degrees."""

    lon: float
    lat: float


class Box(NamedTuple):
    """WGS-84 degrees, borders included."""

    west: float
    south: float
    east: float
    north: float


def near_metres(category: Category) -> int:
    """0: at the same registered point only."""
    return NEAR_METRES[category.kind] if category.near_metres is None else category.near_metres


def recurs_within(category: Category) -> timedelta:
    """0: never."""
    return timedelta(days=RECURS_DAYS[category.kind] if category.recurs_days is None else category.recurs_days)


def metres(one: Spot, other: Spot) -> float:
    """On a sphere of the mean radius, which is right within 0.6 %: of 50 m, 0.3 m."""
    south, north = radians(one.lat), radians(other.lat)
    across = sin((north - south) / 2), sin(radians(other.lon - one.lon) / 2)
    chord = hypot(across[0], across[1] * (cos(south) * cos(north)) ** 0.5)
    return degrees(2 * asin(min(1.0, chord))) * METRES_PER_DEGREE


def around(spot: Spot, reach: float) -> Box:
    """Holds everything within `reach` metres, and the corners. At a pole or the date line: all degrees of longitude."""
    up = reach / METRES_PER_DEGREE + _ROUNDING
    south, north = max(-_POLE, spot.lat - up), min(_POLE, spot.lat + up)
    ratio = sin(radians(min(up, _POLE))) / max(cos(radians(spot.lat)), 1e-12)
    aside = degrees(asin(ratio)) + _ROUNDING if ratio < 1 else _DATE_LINE
    west, east = spot.lon - aside, spot.lon + aside
    if west < -_DATE_LINE or east > _DATE_LINE:
        west, east = -_DATE_LINE, _DATE_LINE
    return Box(west, south, east, north)
