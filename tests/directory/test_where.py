"""Where a report lies, by the demonstration city: positions outside, swapped, of another datum; registered places."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directory.calendars import default_calendar, snapshot
from directory.demo_city import AVENUE, CITY_BOX, demo_directory, officer_home
from directory.model import Directory, Point
from directory.places import METRES_PER_DEGREE, Places
from directory.positions import Datum, from_wgs84
from directory.reporting import POINT_METRES, City, Ledger, Position, Receiving, Report, resolve
from directory.rules import default_rules
from directory.shapes import read
from domain.actors import Actor, Role
from domain.case_id import make
from domain.commands import Opening
from domain.errors import Invalid
from domain.sentences import sentence

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DEMO = demo_directory()
RULES = default_rules(snapshot(default_calendar(), NOW))
CITY = City(DEMO, Places(DEMO), RULES)
HOME, LON, LAT = officer_home("officer-1")
#: Due west and south of the city; a metre of latitude in degrees.
WEST_EDGE, SOUTH_EDGE = CITY_BOX.west / 1e6, CITY_BOX.south / 1e6
METRE = 1 / METRES_PER_DEGREE
MARKET = Point(id="market-1", name_zh="市场", place_type="market", area=HOME, lon=LON, lat=LAT, keeper="parks")


def redrawn(**changes: Mapping[str, object]) -> City:
    """The city with these changes to areas, by id; under `every`, to all of them."""
    areas = [area.model_copy(update=changes.get("every", changes.get(area.id, {}))) for area in DEMO.areas]
    fields = {name: getattr(DEMO, name) for name in Directory.model_fields}
    directory = Directory(**fields | {"areas": tuple(areas)})
    return City(directory, Places(directory), RULES)


def unmapped() -> City:
    return redrawn(every={"shape": None})


def opened(
    city: City = CITY,
    registered: Point | None = None,
    ledger: Ledger | None = None,
    **report: Any,  # noqa: ANN401 - JSON
) -> Opening:
    """`registered`: what the store has under the report's `point`."""
    actor = Actor(user="officer-1", role=Role.OFFICER)
    received = Receiving(actor=actor, at=NOW, case_id=make(1), point=registered, ledger=ledger)
    return resolve(city, Report(**{"category": "E0110", "description": "巷口生活垃圾"} | report), received)


def refused(**report: Any) -> Invalid:  # noqa: ANN401 - JSON
    with pytest.raises(Invalid) as refusal:
        opened(**report)
    return refusal.value


def at(lon: float, lat: float, datum: Datum = Datum.WGS84) -> Position:
    return Position(lon=lon, lat=lat, datum=datum.value)


class TestOutside:
    def test_names_the_nearest_grid_its_distance_and_direction(self) -> None:
        error = refused(location=at(LON, SOUTH_EDGE - 350 * METRE))
        assert error.code == "outside_city"
        nearest = CITY.directory.area_by_id[str(error.params["nearest"])]
        assert (error.params["nearest_zh"], error.params["nearest_en"]) == (nearest.name_zh, nearest.name_en)
        assert (error.params["metres"], error.params["direction"], error.params["fitting"]) == (350, "south", None)

    def test_is_said_in_both_languages(self) -> None:
        error = refused(location=at(LON, SOUTH_EDGE - 350 * METRE))
        name = CITY.directory.area_by_id[str(error.params["nearest"])].name_zh
        assert f"{name}（{error.params['nearest']}）南侧约 350 米处" in sentence(error.code, error.params, "zh")
        assert "about 350 m south of" in sentence(error.code, error.params, "en")

    def test_says_by_which_datum_the_place_would_be_inside(self) -> None:
        edge = CITY_BOX.east / 1e6 - 10 * METRE, LAT
        error = refused(location=at(*from_wgs84(*edge, Datum.BD09)))
        assert error.params["fitting"] == ("bd09",)
        assert "若坐标系为 BD-09（百度），则在范围内" in sentence(error.code, error.params, "zh")

    @settings(deadline=None)
    @given(metres=st.integers(2, 50_000), across=st.floats(0.01, 0.99))
    def test_says_the_distance(self, metres: int, across: float) -> None:
        lon = (CITY_BOX.west + across * (CITY_BOX.east - CITY_BOX.west)) / 1e6
        error = refused(location=at(lon, CITY_BOX.north / 1e6 + metres * METRE))
        assert error.params["metres"] == pytest.approx(metres, abs=1)


class TestSwapped:
    def test_is_said_with_the_right_order(self) -> None:
        error = refused(location=at(LAT, LON))
        assert (error.code, error.params) == ("coordinates_swapped", {"lon": LON, "lat": LAT})

    def test_is_seen_in_any_datum(self) -> None:
        lon, lat = from_wgs84(LON, LAT, Datum.GCJ02)
        assert refused(location=at(lat, lon, Datum.GCJ02)).code == "coordinates_swapped"

    def test_of_a_place_elsewhere_is_none(self) -> None:
        assert refused(location=at(38.23, 88.0)).code == "outside_city"
        assert refused(location=at(38.23, 116.0)).code == "coordinates_invalid"

    def test_in_a_city_without_shapes_there_is_nothing_to_tell_it_by(self) -> None:
        assert refused(city=unmapped(), location=at(LAT, LON)).code == "coordinates_invalid"


class TestSeveralGrids:
    MIDDLE = read(DEMO.area_by_id[AVENUE].shape or b"").centroid

    def test_on_an_avenue_the_case_is_counted_in_the_block_and_rows_of_the_avenue_are_heard(self) -> None:
        case = opened(location=at(self.MIDDLE.x, self.MIDDLE.y), category="E0401")
        assert case.grid != AVENUE
        assert case.routing_row == f"e04-{AVENUE}"

    def test_whoever_says_that_he_means_the_avenue_is_believed(self) -> None:
        case = opened(location=at(self.MIDDLE.x, self.MIDDLE.y), grid=AVENUE)
        assert (case.grid, case.area) == (AVENUE, DEMO.path(AVENUE))


class TestGrids:
    def test_only_a_grid_is_one(self) -> None:
        assert refused(location=at(LON, LAT), grid="qingshi").code == "unknown_grid"

    def test_a_retired_one_takes_no_reports_but_old_rows_of_ledgers(self) -> None:
        city = redrawn(**{HOME: {"retired": True}})
        assert refused(city=city, address="槐荫街 1 号", grid=HOME).code == "unknown_grid"
        assert opened(city, ledger=Ledger(), address="槐荫街 1 号", grid=HOME).grid == HOME


class TestRegisteredPlaces:
    def test_give_position_area_and_place_type(self) -> None:
        case = opened(registered=MARKET, point="market-1")
        assert case.location is not None
        assert (case.location.lon, case.location.lat, case.location.datum) == (LON, LAT, "wgs84")
        assert (case.grid, case.place_type, case.point) == (HOME, "market", "market-1")

    def test_do_not_go_before_what_the_report_says_itself(self) -> None:
        east = at(LON + 100 * METRE, LAT)
        case = opened(registered=MARKET, point="market-1", place_type="park", location=east)
        assert case.place_type == "park"
        assert case.location is not None
        assert case.location.lon == east.lon

    def test_give_their_area_in_a_city_without_shapes(self) -> None:
        assert opened(unmapped(), registered=MARKET, point="market-1").area == DEMO.path(HOME)

    @pytest.mark.parametrize("registered", [None, MARKET.model_copy(update={"retired": True})])
    def test_that_are_unknown_or_retired_are_refused(self, registered: Point | None) -> None:
        error = refused(registered=registered, point="market-1", location=at(LON, LAT))
        assert (error.code, error.params) == ("unknown_point", {"point": "market-1"})

    def test_refuse_a_position_elsewhere_and_tell_the_distance(self) -> None:
        away = at(LON, LAT + (POINT_METRES + 100) * METRE)
        error = refused(registered=MARKET, point="market-1", location=away)
        assert error.code == "point_elsewhere"
        assert error.params == {"point": "market-1", "metres": POINT_METRES + 100, "most": POINT_METRES}

    def test_are_their_keepers_where_a_checkpoint_finds_something(self) -> None:
        checkpoint = next(each for each in DEMO.categories if each.kind == "checkpoint")
        case = opened(registered=MARKET, point="market-1", category=checkpoint.code)
        assert case.proposed_unit == "parks"
