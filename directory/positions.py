"""Datums at the border of the system: whatever a device declares becomes WGS-84 here, and nowhere else.

Phones give WGS-84, Gaode and Tencent maps GCJ-02, Baidu maps BD-09, surveyors CGCS2000. GCJ-02 and BD-09 are
not in the EPSG register; the formula is the one that every open implementation shares (an ellipsoid of
Krasovsky with a published series of sines). CGCS2000 (EPSG:4490) is taken as equal to WGS-84: PROJ knows only
the identity ("ballpark") transformation between the two, and for a point in a street they agree within
centimetres. The raw position and its datum are for the caller to keep; this module stores nothing.
"""

from collections.abc import Callable
from enum import StrEnum
from math import atan2, cos, hypot, isfinite, pi, sin, sqrt

SEMI_MAJOR = 6_378_245.0  # metres, Krasovsky 1940
ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943
BD_TURN = pi * 3000 / 180
BD_SHIFT_LON, BD_SHIFT_LAT = 0.0065, 0.006  # degrees
CLOSE_ENOUGH = 1e-9  # degrees, about 0.1 mm
MOST_STEPS = 10
WEST, EAST, SOUTH, NORTH = 72.004, 137.8347, 0.8293, 55.8271  # outside, nothing is shifted

Point = tuple[float, float]


class Datum(StrEnum):
    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"
    CGCS2000 = "cgcs2000"


def parse_datum(text: str) -> Datum:
    """Lenient about case, spaces, hyphens and underscores: "WGS-84", "gcj 02". ValueError if unknown."""
    plain = "".join(char for char in text.lower() if char.isalnum())
    try:
        return Datum(plain)
    except ValueError:
        known = ", ".join(datum.value for datum in Datum)
        raise ValueError(f"unknown datum {text!r}; known are {known}") from None


def to_wgs84(lon: float, lat: float, datum: Datum) -> Point:
    """In degrees, exact within 0.2 m; unchanged outside China. ValueError if not a position on Earth."""
    _check(lon, lat)
    if not _in_china(lon, lat):
        return lon, lat
    if datum is Datum.GCJ02:
        return _invert(_gcj02, (lon, lat))
    if datum is Datum.BD09:
        return _invert(_gcj02, _invert(_bd09, (lon, lat)))
    return lon, lat


def from_wgs84(lon: float, lat: float, datum: Datum) -> Point:
    """The other way, for maps that expect a shifted datum. ValueError if not a position on Earth."""
    _check(lon, lat)
    if not _in_china(lon, lat):
        return lon, lat
    if datum is Datum.GCJ02:
        return _gcj02((lon, lat))
    if datum is Datum.BD09:
        return _bd09(_gcj02((lon, lat)))
    return lon, lat


def _check(lon: float, lat: float) -> None:
    if not (isfinite(lon) and isfinite(lat)):
        raise ValueError("longitude and latitude must be finite numbers")
    if abs(lon) > 180:  # noqa: PLR2004 - the range of a longitude
        raise ValueError(f"longitude {lon} is not between -180 and 180")
    if abs(lat) > 90:  # noqa: PLR2004 - the range of a latitude
        raise ValueError(f"latitude {lat} is not between -90 and 90; longitude comes first")


def _in_china(lon: float, lat: float) -> bool:
    """The rectangle that the shared formula uses; it holds some neighbours too, as every map does."""
    return WEST <= lon <= EAST and SOUTH <= lat <= NORTH


def _gcj02(point: Point) -> Point:
    lon, lat = point
    east, north = _shift_metres(lon - 105.0, lat - 35.0)
    phi = lat / 180 * pi
    flat = 1 - ECCENTRICITY_SQUARED * sin(phi) ** 2
    meridian = SEMI_MAJOR * (1 - ECCENTRICITY_SQUARED) / (flat * sqrt(flat))
    parallel = SEMI_MAJOR / sqrt(flat) * cos(phi)
    return lon + east / parallel * 180 / pi, lat + north / meridian * 180 / pi


def _shift_metres(x: float, y: float) -> Point:
    """The series of the published formula; `x`, `y` in degrees from 105° E, 35° N."""
    shared = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    root = sqrt(abs(x))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + shared
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + shared
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y / 30 * pi)) * 2 / 3
    return east, north


def _bd09(point: Point) -> Point:
    lon, lat = point
    radius = hypot(lon, lat) + 0.00002 * sin(lat * BD_TURN)
    angle = atan2(lat, lon) + 0.000003 * cos(lon * BD_TURN)
    return radius * cos(angle) + BD_SHIFT_LON, radius * sin(angle) + BD_SHIFT_LAT


def _invert(shift: Callable[[Point], Point], wanted: Point) -> Point:
    """Fixed-point iteration: the shift hardly changes over its own length, so a few steps are enough."""
    lon, lat = wanted
    for _ in range(MOST_STEPS):
        got = shift((lon, lat))
        off_lon, off_lat = wanted[0] - got[0], wanted[1] - got[1]
        lon, lat = lon + off_lon, lat + off_lat
        if abs(off_lon) < CLOSE_ENOUGH and abs(off_lat) < CLOSE_ENOUGH:
            break
    return lon, lat
