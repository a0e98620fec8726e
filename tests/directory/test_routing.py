import pytest

from directory.catalogue import load_catalogue
from directory.model import Area, AreaLevel, Directory, RoutingRow, Unit
from directory.routing import route


def directory(*rows: RoutingRow) -> Directory:
    levels = (
        ("city", None, AreaLevel.CITY),
        ("d1", "city", AreaLevel.DISTRICT),
        ("g1", "d1", AreaLevel.GRID),
    )
    more = (("d2", "city", AreaLevel.DISTRICT),)
    return Directory(
        city_zh="试验市",
        city_en="Testville",
        zone="Asia/Shanghai",
        areas=tuple(
            Area(id=key, parent=parent, level=level, name_zh=key, name_en=key) for key, parent, level in levels + more
        ),
        units=tuple(Unit(id=key, name_zh=key, name_en=key, area="city") for key in ("one", "two")),
        users=(),
        categories=load_catalogue(),
        routing=rows,
    )


def winner(*rows: RoutingRow, category: str = "E0110", area: str = "g1", place_type: str | None = None) -> str | None:
    routed = route(directory(*rows), category=category, area=area, place_type=place_type)
    return None if routed is None else routed.row_id


ANY = RoutingRow(id="any", unit="one")
EVENTS = RoutingRow(id="events", big_category="E", unit="one")
BIG = RoutingRow(id="big", big_category="E01", unit="one")
EXACT = RoutingRow(id="exact", category="E0110", unit="two", co_units=("one",))
BIG_HERE = RoutingRow(id="big-here", big_category="E01", area="g1", place_type="market", unit="one")
ANY_HERE = RoutingRow(id="any-here", area="g1", place_type="market", unit="one")
IN_D1 = RoutingRow(id="in-d1", category="E0110", area="d1", unit="one")
IN_MARKET = RoutingRow(id="in-market", category="E0110", place_type="market", unit="one")
IN_D2 = RoutingRow(id="in-d2", category="E0110", area="d2", unit="one")


class TestOrder:
    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ((BIG_HERE, EXACT), "exact"),
            ((ANY_HERE, BIG), "big"),
            ((EVENTS, BIG), "big"),
            ((EXACT, IN_D1), "in-d1"),
            ((IN_MARKET, IN_D1), "in-d1"),
            ((EXACT, IN_MARKET), "in-market"),
            ((EXACT.model_copy(update={"id": "b"}), EXACT.model_copy(update={"id": "a"})), "a"),
        ],
        ids=lambda value: value if isinstance(value, str) else " ".join(row.id for row in value),
    )
    def test_the_most_specific_row_wins_in_either_order(self, rows: tuple[RoutingRow, ...], expected: str) -> None:
        assert winner(*rows, place_type="market") == expected
        assert winner(*reversed(rows), place_type="market") == expected


class TestMatching:
    def test_a_row_of_another_district_does_not_match(self) -> None:
        assert winner(IN_D2) is None

    def test_a_row_of_the_district_covers_its_grids(self) -> None:
        assert winner(IN_D1) == "in-d1"

    def test_a_row_for_a_grid_does_not_cover_the_district(self) -> None:
        assert winner(BIG_HERE, area="d1", place_type="market") is None

    def test_a_row_for_a_place_type_needs_that_place_type(self) -> None:
        assert winner(IN_MARKET) is None
        assert winner(IN_MARKET, place_type="park") is None

    def test_another_category_of_the_class_does_not_match_an_exact_row(self) -> None:
        assert winner(EXACT, category="E0112") is None

    def test_without_a_row_a_dispatcher_decides(self) -> None:
        assert winner() is None

    def test_an_unknown_area_is_an_error(self) -> None:
        with pytest.raises(KeyError):
            winner(ANY, area="atlantis")


class TestAnswer:
    def test_names_units_and_every_row_that_matched_best_first(self) -> None:
        rows = (ANY, BIG, IN_D2, EXACT)
        routed = route(directory(*rows), category="E0110", area="g1", place_type=None)
        assert routed is not None
        assert (routed.unit, routed.co_units, routed.row_id) == ("two", ("one",), "exact")
        assert routed.why == ("exact", "big", "any")
