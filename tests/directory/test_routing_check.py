"""Each fault of a table is found, and what is found is true: every place of a small city is tried."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directory.model import Directory, RoutingRow
from directory.routing import Question, route
from directory.routing_check import HARMLESS, WHY, Checked, Hole, Remark, Tie, Why, check
from tests.support.small_city import AREAS, UNITS, directory

#: Nobody answers for anything else, but that is another matter.
REST = RoutingRow(id="rest", unit="one")


def row(row_id: str, unit: str = "one", **narrowed: str) -> RoutingRow:
    return RoutingRow(id=row_id, unit=unit, **narrowed)


def remarks(*rows: RoutingRow) -> list[tuple[str, Why]]:
    return [(each.row, each.why) for each in check(directory(*rows, REST)).remarks]


class TestHoles:
    def test_the_whole_city_is_one_hole_without_a_row(self) -> None:
        (hole,) = check(directory()).holes
        assert hole.areas == ("city",)
        assert hole.subjects == tuple(category.code for category in directory().categories)

    def test_are_told_by_the_highest_area_that_is_open_throughout(self) -> None:
        found = check(directory(row("e", big_category="E"), row("w", big_category="W"), row("c", area="c1")))
        (hole,) = found.holes
        assert hole.areas == ("line", "line-2", "yard", "d2")
        assert all(code.startswith("C") for code in hole.subjects)

    def test_brothers_that_are_open_alike_are_told_as_one(self) -> None:
        split = (row("a", area="d1", place_type="market"), row("b", area="d2", place_type="market"))
        assert check(directory(*split)).holes[0].areas == ("city",)
        assert check(directory(*split)).holes[0].but == ("market",)

    def test_of_a_condition_name_the_condition(self) -> None:
        rows = (row("e", big_category="E"), row("w", big_category="W"), row("c", condition="C0101-1"))
        subjects = check(directory(*rows)).holes[0].subjects
        assert {"C0101-2", "C0101-3", "C0101-4", "C0102"} <= set(subjects)
        assert not {"C0101", "C0101-1", "C0102-1"} & set(subjects)

    def test_are_none_under_a_fallback(self) -> None:
        assert check(directory(city="one")).holes == ()
        assert check(directory(d1="one")).holes[0].areas == ("d2",)
        assert check(directory(city="gone")).holes[0].areas == ("city",)

    def test_are_not_filled_by_who_answers_for_an_owner_alone(self) -> None:
        assert check(directory(row("o", owner="power"))).holes[0].areas == ("city",)

    def test_of_a_city_without_areas_are_none(self) -> None:
        empty = Directory(
            city_zh="空", city_en="Void", zone="UTC", areas=(), units=(), users=(), categories=(), routing=()
        )
        assert check(empty) == Checked(holes=(), ties=(), remarks=())


class TestTies:
    def test_are_rows_that_match_the_very_same(self) -> None:
        rows = (row("b", category="E0110"), row("a", "two", category="E0110"), row("c", category="E0110", area="d1"))
        found = check(directory(*rows, REST))
        assert found.ties == (Tie(rows=("a", "b"), same=False),)
        assert found.remarks == ()

    def test_with_one_answer_are_told_apart(self) -> None:
        assert check(directory(row("b"), row("a"))).ties == (Tie(rows=("a", "b"), same=True),)

    def test_with_a_retired_unit_are_none(self) -> None:
        assert check(directory(row("b"), row("a", "gone"))).ties == ()


class TestRows:
    @pytest.mark.parametrize(
        ("bad", "why"),
        [
            (row("r", "gone"), Why.UNIT_RETIRED),
            (row("r", owner="gone"), Why.OWNER_RETIRED),
            (row("r", place_type="moon"), Why.PLACE_TYPE_UNKNOWN),
            (row("r", big_category="Z"), Why.MATCHES_NOTHING),
            (row("r", category="E0110", big_category="C"), Why.MATCHES_NOTHING),
            (row("r", category="E0110", condition="C0101-1"), Why.MATCHES_NOTHING),
            (row("r", area="old"), Why.AREA_RETIRED),
            (row("r", area="old-1"), Why.AREA_RETIRED),
            (row("r", category="E0110", dispatcher="left"), Why.DISPATCHER_RETIRED),
            (row("r", category="E0110").model_copy(update={"co_units": ("gone",)}), Why.CO_UNIT_RETIRED),
        ],
    )
    def test_that_are_good_for_nothing_are_named(self, bad: RoutingRow, why: Why) -> None:
        assert remarks(bad) == [("r", why)]

    def test_that_others_always_go_before_are_named_with_these(self) -> None:
        rows = (row("class", big_category="E06"), row("one", category="E0602"), row("two", category="E0604"))
        assert check(directory(*rows, REST)).remarks == (Remark(row="class", why=Why.COVERED, by=("one", "two")),)

    def test_that_win_for_a_single_condition_are_alive(self) -> None:
        assert remarks(row("a", category="C0101"), row("b", condition="C0101-1")) == []

    def test_that_win_for_no_grid_are_mentioned(self) -> None:
        rows = (
            row("wide", category="E0602"),
            row("a", category="E0602", area="d1"),
            row("b", category="E0602", area="d2"),
        )
        found = check(directory(*rows, REST))
        assert found.remarks == (Remark(row="wide", why=Why.ONLY_WITHOUT_GRID),)
        assert found.sound

    def test_faults_have_words(self) -> None:
        assert set(WHY) == set(Why)


# --- every place is tried ---

CODES = {"E0110": 1, "E0602": 1, "C0101": 4}
maybe = {
    "category": st.sampled_from((None, None, *CODES)),
    "big_category": st.sampled_from((None, "E", "E01", "C", "C01")),
    "condition": st.sampled_from((None, None, None, "C0101-1", "E0110-1")),
    "area": st.sampled_from((None, *(area.id for area in AREAS))),
    "place_type": st.sampled_from((None, None, "market", "park")),
    "owner": st.sampled_from((None, None, None, "power")),
}
one_row = st.fixed_dictionaries({"unit": st.sampled_from(UNITS), **maybe})
tables = st.lists(one_row, max_size=14).map(
    lambda drawn: tuple(RoutingRow(id=f"r{n:02}", **each) for n, each in enumerate(drawn))
)
fallbacks = st.sampled_from(({}, {"d2": "one"}, {"c1": "two", "s1": "gone"}))
PLACE_TYPES = (None, "market", "park", "alley")


def small(rows: tuple[RoutingRow, ...], named: dict[str, str]) -> Directory:
    whole = directory(*rows, **named)
    kept = tuple(each for each in whole.categories if each.code in CODES)
    used = tuple(row for row in whole.routing if row.category in {None, *CODES})
    return Directory(**{**dict(whole), "categories": kept, "routing": used})


def living(city: Directory) -> list[str]:
    return [area.id for area in city.areas if not any(city.area_by_id[up].retired for up in city.ancestors(area.id))]


def leaves(city: Directory) -> list[str]:
    parents = {city.area_by_id[area].parent for area in living(city)}
    return [area for area in living(city) if area not in parents]


def told(hole: Hole, city: Directory, area: str, code: str, condition: str, place_type: str | None) -> bool:
    return (
        bool({code, condition} & set(hole.subjects))
        and any(city.within(area, each) for each in hole.areas)
        and place_type not in hole.but
    )


class TestLaws:
    @settings(max_examples=60)
    @given(tables, fallbacks)
    def test_exactly_what_nobody_answers_for_is_a_hole(
        self, rows: tuple[RoutingRow, ...], named: dict[str, str]
    ) -> None:
        city = small(rows, named)
        holes = check(city).holes
        for area, category, place_type in product(leaves(city), city.categories, PLACE_TYPES):
            for condition in category.conditions:
                nobody = route(Question(city, category.code, area, condition.id, place_type)) is None
                within = [told(hole, city, area, category.code, condition.id, place_type) for hole in holes]
                assert sum(within) == nobody

    @settings(max_examples=60)
    @given(tables)
    def test_exactly_the_rows_that_never_win_are_dead(self, rows: tuple[RoutingRow, ...]) -> None:
        city = small(rows, {})
        won: dict[str, set[str]] = {}
        for area, category, place_type, owner in product(living(city), city.categories, PLACE_TYPES, (None, "power")):
            for condition in category.conditions:
                routed = route(Question(city, category.code, area, condition.id, place_type, owner))
                if routed is not None and routed.row_id is not None:
                    won.setdefault(routed.row_id, set()).add(area)
        found = check(city)
        beaten = {each for tie in found.ties for each in tie.rows[1:]}
        never = {each.row for each in found.remarks if each.why not in HARMLESS}
        assert {row.id for row in city.routing} - set(won) == never | (beaten - set(won))
        assert not beaten & set(won)
        only_above = {key for key, areas in won.items() if not areas & set(leaves(city))}
        assert {each.row for each in found.remarks if each.why in HARMLESS} == only_above
