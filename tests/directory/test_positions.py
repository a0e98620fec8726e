"""Reference values: the published series once more, written as tables of (amplitude, frequency)."""

from math import asin, cos, hypot, inf, nan, pi, radians, sin, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directory.positions import Datum, from_wgs84, parse_datum, to_wgs84

SERIES_X = ((20, 6), (20, 2))
SERIES_EAST = ((20, 1), (40, 1 / 3), (150, 1 / 12), (300, 1 / 30))
SERIES_NORTH = ((20, 1), (40, 1 / 3), (160, 1 / 12), (320, 1 / 30))
CITIES = {
    "Yan'an": (109.49, 36.585),
    "Tongren": (109.19, 27.73),
    "Emeishan": (103.48, 29.60),
    "Longyan": (117.02, 25.08),
}
lons = st.floats(73.0, 135.0)
lats = st.floats(4.0, 53.0)


def series(terms: tuple[tuple[float, float], ...], at: float) -> float:
    return sum(amplitude * sin(frequency * at * pi) for amplitude, frequency in terms) * 2 / 3


def gcj02_by_tables(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon - 105, lat - 35
    polynomial_east = 300 + x + 2 * y + x * x / 10 + x * y / 10 + sqrt(abs(x)) / 10
    polynomial_north = -100 + 2 * x + 3 * y + y * y / 5 + x * y / 10 + sqrt(abs(x)) / 5
    east = polynomial_east + series(SERIES_X, x) + series(SERIES_EAST, x)
    north = polynomial_north + series(SERIES_X, x) + series(SERIES_NORTH, y)
    axis, eccentricity2 = 6378245.0, 0.00669342162296594323
    root = sqrt(1 - eccentricity2 * sin(radians(lat)) ** 2)
    length_of_radian_north = axis * (1 - eccentricity2) / root**3
    length_of_radian_east = axis / root * cos(radians(lat))
    return lon + east / length_of_radian_east / radians(1), lat + north / length_of_radian_north / radians(1)


def gcj02_from_bd09_by_the_published_inverse(lon: float, lat: float) -> tuple[float, float]:
    x, y, turn = lon - 0.0065, lat - 0.006, pi * 3000 / 180
    radius = hypot(x, y) - 0.00002 * sin(y * turn)
    sine = y / hypot(x, y)
    angle = asin(sine) - 0.000003 * cos(x * turn)
    return radius * cos(angle), radius * sin(angle)


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return hypot((a[0] - b[0]) * cos(radians(a[1])), a[1] - b[1]) * 111_195


class TestForward:
    @pytest.mark.parametrize("city", CITIES)
    def test_agrees_with_the_published_formula(self, city: str) -> None:
        assert metres(from_wgs84(*CITIES[city], Datum.GCJ02), gcj02_by_tables(*CITIES[city])) < 0.001

    @pytest.mark.parametrize("city", CITIES)
    def test_shifts_a_city_by_more_than_an_alley(self, city: str) -> None:
        assert 300 < metres(from_wgs84(*CITIES[city], Datum.GCJ02), CITIES[city]) < 700

    @pytest.mark.parametrize("city", CITIES)
    def test_bd09_agrees_with_its_published_inverse(self, city: str) -> None:
        back = gcj02_from_bd09_by_the_published_inverse(*from_wgs84(*CITIES[city], Datum.BD09))
        assert metres(back, from_wgs84(*CITIES[city], Datum.GCJ02)) < 1.0


class TestInverse:
    @pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
    @settings(deadline=None)
    @given(lon=lons, lat=lats)
    def test_comes_back_within_a_fifth_of_a_metre(self, datum: Datum, lon: float, lat: float) -> None:
        assert metres(to_wgs84(*from_wgs84(lon, lat, datum), datum), (lon, lat)) < 0.2

    @settings(deadline=None)
    @given(lon=lons, lat=lats)
    def test_undoes_the_published_formula(self, lon: float, lat: float) -> None:
        assert metres(to_wgs84(*gcj02_by_tables(lon, lat), Datum.GCJ02), (lon, lat)) < 0.2


class TestUnshifted:
    @pytest.mark.parametrize("datum", [Datum.WGS84, Datum.CGCS2000])
    def test_wgs84_and_cgcs2000_are_the_same_point(self, datum: Datum) -> None:
        assert to_wgs84(109.49, 36.585, datum) == from_wgs84(109.49, 36.585, datum) == (109.49, 36.585)

    @pytest.mark.parametrize("datum", list(Datum))
    @pytest.mark.parametrize("point", [(2.35, 48.86), (-118.24, 34.05), (151.2, -33.87), (180.0, 90.0)])
    def test_outside_china_nothing_moves(self, datum: Datum, point: tuple[float, float]) -> None:
        assert to_wgs84(*point, datum) == from_wgs84(*point, datum) == point


class TestRanges:
    @pytest.mark.parametrize("point", [(nan, 30.0), (110.0, inf), (180.1, 30.0), (36.6, 109.5), (110.0, -90.1)])
    @pytest.mark.parametrize("datum", list(Datum))
    def test_what_is_no_position_is_refused(self, datum: Datum, point: tuple[float, float]) -> None:
        with pytest.raises(ValueError, match=r"finite|not between"):
            to_wgs84(*point, datum)
        with pytest.raises(ValueError, match=r"finite|not between"):
            from_wgs84(*point, datum)


class TestNames:
    @pytest.mark.parametrize(
        ("text", "datum"),
        [
            ("WGS-84", Datum.WGS84),
            ("wgs 84", Datum.WGS84),
            ("GCJ-02", Datum.GCJ02),
            ("Gcj_02", Datum.GCJ02),
            ("BD-09", Datum.BD09),
            ("CGCS2000", Datum.CGCS2000),
        ],
    )
    def test_are_read_leniently(self, text: str, datum: Datum) -> None:
        assert parse_datum(text) is datum

    @pytest.mark.parametrize("text", ["", "mars", "epsg:4326"])
    def test_unknown_ones_are_refused_with_the_known(self, text: str) -> None:
        with pytest.raises(ValueError, match="known are wgs84, gcj02, bd09, cgcs2000"):
            parse_datum(text)
