from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.model import RoutingRow
from directory.routing import MEANING, ORDER, Criterion, Question, Routed, explain, route
from tests.support.small_city import AREAS, UNITS, directory

RUBBISH, MANHOLE = "E0110", "C0101"


def row(row_id: str, unit: str = "one", **narrowed: str) -> RoutingRow:
    return RoutingRow(id=row_id, unit=unit, **narrowed)


def ask(rows: tuple[RoutingRow, ...], category: str = RUBBISH, area: str = "g1", **more: object) -> Question:
    return Question(directory(*rows), category, area, **more)  # type: ignore[arg-type] # as the test says


def winner(*rows: RoutingRow, category: str = RUBBISH, area: str = "g1", **more: object) -> str | None:
    routed = route(ask(rows, category, area, **more))
    return None if routed is None else routed.row_id


ANY = row("any")
CLASS = row("class", big_category="E")
BIG = row("big", big_category="E01")
EXACT = RoutingRow(id="exact", category=RUBBISH, unit="two", co_units=("one",))
NAMED = row("named", condition="E0110-1")
BIG_HERE = row("big-here", big_category="E01", area="g1", place_type="market")
ANY_HERE = row("any-here", area="g1", place_type="market")
IN_D1 = row("in-d1", category=RUBBISH, area="d1")
IN_D2 = row("in-d2", category=RUBBISH, area="d2")
IN_MARKET = row("in-market", category=RUBBISH, place_type="market")
HERE = row("here", category=RUBBISH, area="g1")
ON_LINE = row("on-line", category=RUBBISH, area="line")
ON_LINE_2 = row("a-on-line-2", category=RUBBISH, area="line-2")
IN_YARD = row("in-yard", category=RUBBISH, area="yard")
OWNED = row("owned", category=RUBBISH, owner="power")
PIPE = row("pipe", category=MANHOLE, area="g1", place_type="market")
OWNERS = row("owners", owner="power")


class TestOrder:
    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ((EXACT, NAMED), "named"),
            ((BIG_HERE, EXACT), "exact"),
            ((ANY_HERE, BIG), "big"),
            ((CLASS, BIG), "big"),
            ((EXACT, IN_D1), "in-d1"),
            ((IN_MARKET, IN_D1), "in-d1"),
            ((IN_D1, HERE), "here"),
            ((EXACT, IN_MARKET), "in-market"),
            ((EXACT, OWNED), "owned"),
            ((IN_MARKET, OWNED), "in-market"),
            ((IN_D1, OWNED), "in-d1"),
            ((EXACT.model_copy(update={"id": "b"}), EXACT.model_copy(update={"id": "a"})), "a"),
        ],
        ids=lambda value: value if isinstance(value, str) else " ".join(each.id for each in value),
    )
    def test_of_events_is_the_place_before_the_owner(self, rows: tuple[RoutingRow, ...], expected: str) -> None:
        for given_in in (rows, rows[::-1]):
            assert winner(*given_in, condition="E0110-1", place_type="market", owner="power") == expected

    def test_of_components_is_the_owner_before_everything(self) -> None:
        assert winner(PIPE, OWNERS, category=MANHOLE, place_type="market", owner="power") == "owners"
        assert winner(PIPE, OWNERS, category=MANHOLE, place_type="market", owner="two") == "pipe"

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [((HERE, ON_LINE), "on-line"), ((ON_LINE, IN_YARD), "in-yard"), ((IN_D1, ON_LINE), "on-line")],
        ids=lambda value: value if isinstance(value, str) else " ".join(each.id for each in value),
    )
    def test_of_grids_is_the_one_drawn_for_a_purpose_first(self, rows: tuple[RoutingRow, ...], expected: str) -> None:
        assert winner(*rows, others=("line", "yard")) == expected

    def test_where_two_streets_cross_the_cases_own_grid_decides(self) -> None:
        assert winner(ON_LINE, ON_LINE_2, area="line", others=("line-2",)) == "on-line"
        assert winner(ON_LINE, ON_LINE_2, area="line-2", others=("line",)) == "a-on-line-2"

    @pytest.mark.parametrize("kind", ORDER)
    def test_is_total_and_says_what_it_means(self, kind: str) -> None:
        assert set(ORDER[kind]) == set(Criterion) - {Criterion.RETIRED, Criterion.KEEPER}
        assert ORDER[kind][-1] is Criterion.ROW_ID
        assert set(MEANING) == set(Criterion)

    def test_stands_in_the_document(self) -> None:
        text = (Path(__file__).parents[2] / "docs" / "routing.md").read_text("utf-8")
        told = [line.split("|")[2:4] for line in text.splitlines() if line.startswith("| ") and line[2].isdigit()]
        assert tuple(component.strip().strip("`") for component, _ in told) == ORDER["component"]
        assert tuple(event.strip().strip("`") for _, event in told) == ORDER["event"] == ORDER["checkpoint"]


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

    def test_a_row_for_an_owner_needs_that_owner(self) -> None:
        assert winner(OWNED) is None
        assert winner(OWNED, owner="two") is None

    def test_a_row_for_a_condition_needs_that_condition(self) -> None:
        assert winner(NAMED) is None
        assert winner(NAMED, condition="E0110-2") is None

    def test_another_category_of_the_class_does_not_match_an_exact_row(self) -> None:
        assert winner(EXACT, category="E0112") is None

    def test_a_row_that_contradicts_itself_never_matches(self) -> None:
        assert winner(row("torn", category=RUBBISH, big_category="C")) is None

    def test_a_row_of_a_retired_unit_leaves_the_place_to_the_next(self) -> None:
        assert winner(row("best", unit="gone", category=RUBBISH), CLASS) == "class"

    def test_without_a_row_a_dispatcher_decides(self) -> None:
        assert route(ask(())) is None

    def test_an_unknown_area_is_an_error(self) -> None:
        with pytest.raises(KeyError):
            winner(ANY, area="atlantis")

    def test_an_unknown_category_is_an_event(self) -> None:
        assert winner(OWNERS, row("here", area="g1"), category="X-1", owner="power") == "here"


class TestFallback:
    def test_of_the_nearest_area_answers_for_what_nobody_owns(self) -> None:
        routed = route(Question(directory(city="one", d1="two"), RUBBISH, "g1"))
        assert routed == Routed(unit="two", fallback_area="d1")

    def test_of_a_retired_unit_is_passed_over(self) -> None:
        routed = route(Question(directory(city="one", d1="gone"), RUBBISH, "g1"))
        assert routed == Routed(unit="one", fallback_area="city")

    def test_is_taken_from_the_narrower_of_two_grids(self) -> None:
        routed = route(Question(directory(g1="one", line="two"), RUBBISH, "g1", others=("line",)))
        assert routed == Routed(unit="two", fallback_area="line")

    def test_is_not_asked_where_a_row_matches(self) -> None:
        assert route(Question(directory(ANY, g1="two"), RUBBISH, "g1")) == Routed(unit="one", row_id="any")


class TestTheKeeper:
    """Of a registered place."""

    CHECKPOINT = "W-MKT-01"

    def test_answers_for_what_checkpoints_find(self) -> None:
        explained = explain(ask((ANY,), self.CHECKPOINT, keeper="two"))
        assert explained.routed == Routed(unit="two")
        assert [(each.row.id, each.lost_by) for each in explained.rows] == [("any", Criterion.KEEPER)]

    def test_does_not_answer_for_what_happens_there(self) -> None:
        assert winner(ANY, keeper="two") == "any"

    @pytest.mark.parametrize("keeper", ["gone", "nobody"])
    def test_who_is_no_longer_there_answers_for_nothing(self, keeper: str) -> None:
        assert winner(ANY, category=self.CHECKPOINT, keeper=keeper) == "any"


class TestAnswer:
    def test_names_lead_co_units_and_dispatcher_but_nobody_retired(self) -> None:
        full = {"co_units": ("two", "gone"), "dispatcher": "shen"}
        rows = (row("a", category=RUBBISH).model_copy(update=full), row("b", unit="two", dispatcher="left"))
        assert route(ask(rows)) == Routed(unit="one", co_units=("two",), dispatcher="shen", row_id="a")
        assert route(ask(rows, "E0602")) == Routed(unit="two", row_id="b")


class TestExplanation:
    def test_lists_what_matched_best_first_and_why_the_others_lost(self) -> None:
        rows = (ANY, BIG, IN_D2, EXACT, IN_D1, row("retired", unit="gone", condition="E0110-1"))
        explained = explain(ask(rows, condition="E0110-1"))
        assert explained.routed == Routed(unit="one", row_id="in-d1")
        assert [(each.row.id, each.lost_by) for each in explained.rows] == [
            ("in-d1", None),
            ("exact", Criterion.LEVEL),
            ("big", Criterion.SUBJECT),
            ("any", Criterion.SUBJECT),
            ("retired", Criterion.RETIRED),
        ]

    def test_of_a_component_says_that_the_owner_decided(self) -> None:
        explained = explain(ask((PIPE, OWNERS), MANHOLE, place_type="market", owner="power"))
        assert [(each.row.id, each.lost_by) for each in explained.rows] == [
            ("owners", None),
            ("pipe", Criterion.OWNER),
        ]

    def test_of_a_fallback_names_its_area_and_no_row(self) -> None:
        explained = explain(Question(directory(row("r", unit="gone"), city="two"), RUBBISH, "g1"))
        assert explained.routed == Routed(unit="two", fallback_area="city")
        assert [each.lost_by for each in explained.rows] == [Criterion.RETIRED]


# --- laws ---

CODES = (RUBBISH, "E0112", MANHOLE, "C0102", "W-MKT-01")
maybe = {
    "category": st.sampled_from((None, *CODES)),
    "big_category": st.sampled_from((None, "E", "E01", "C01", "C", "W-", "E011")),
    "condition": st.sampled_from((None, "E0110-1", "C0101-1", "C0101-2")),
    "area": st.sampled_from((None, *(area.id for area in AREAS))),
    "place_type": st.sampled_from((None, "market", "park")),
    "owner": st.sampled_from((None, "power", "two")),
}
one_row = st.fixed_dictionaries({"unit": st.sampled_from(UNITS), **maybe})
tables = st.lists(one_row, max_size=25).map(
    lambda drawn: tuple(RoutingRow(id=f"r{n:02}", **each) for n, each in enumerate(drawn))
)


@st.composite
def questions(draw: st.DrawFn) -> Callable[[tuple[RoutingRow, ...]], Question]:
    code = draw(st.sampled_from(CODES))
    own, others = draw(st.sampled_from((("g1", ()), ("g1", ("line", "yard")), ("line", ("line-2", "g1")), ("d2", ()))))
    more = {
        "condition": draw(st.sampled_from((None, f"{code}-1", "C0101-2"))),
        "place_type": draw(st.sampled_from((None, "market"))),
        "owner": draw(st.sampled_from((None, "power"))),
        "others": others,
    }
    fallbacks = draw(st.sampled_from(({}, {"d1": "one", "city": "two"})))
    return lambda rows: Question(directory(*rows, **fallbacks), code, own, **more)  # type: ignore[arg-type] # drawn


def fits(row: RoutingRow, asked: Question) -> bool:
    """Said once more, slowly."""
    return (
        row.category in {None, asked.category}
        and asked.category.startswith(row.big_category or "")
        and row.condition in {None, asked.condition}
        and (row.area is None or any(asked.directory.within(each, row.area) for each in (asked.area, *asked.others)))
        and row.place_type in {None, asked.place_type}
        and row.owner in {None, asked.owner}
    )


class TestLaws:
    @given(tables, questions())
    def test_exactly_the_rows_that_fit_are_weighed(
        self, rows: tuple[RoutingRow, ...], to: Callable[[tuple[RoutingRow, ...]], Question]
    ) -> None:
        asked = to(rows)
        assert sorted(each.row.id for each in explain(asked).rows) == [each.id for each in rows if fits(each, asked)]

    @given(tables, questions(), st.randoms(use_true_random=False))
    def test_the_order_of_the_table_means_nothing(
        self, rows: tuple[RoutingRow, ...], to: Callable[[tuple[RoutingRow, ...]], Question], random: Random
    ) -> None:
        shuffled = list(rows)
        random.shuffle(shuffled)
        assert explain(to(tuple(shuffled))) == explain(to(rows))

    @given(tables, questions())
    def test_the_answer_and_its_explanation_agree(
        self, rows: tuple[RoutingRow, ...], to: Callable[[tuple[RoutingRow, ...]], Question]
    ) -> None:
        explained, routed = explain(to(rows)), route(to(rows))
        assert explained.routed == routed
        first = [each.row.id for each in explained.rows if each.lost_by is None]
        assert first == ([routed.row_id] if routed and routed.row_id else [])

    @given(tables, questions())
    def test_a_row_narrowed_further_goes_before_the_winner(
        self, rows: tuple[RoutingRow, ...], to: Callable[[tuple[RoutingRow, ...]], Question]
    ) -> None:
        asked = to(rows)
        routed = route(asked)
        best = next((each for each in rows if routed and each.id == routed.row_id), None)
        if best is None:
            return
        known = {name: getattr(asked, name) for name in ("condition", "place_type", "owner")}
        narrower = [{name: value} for name, value in known.items() if getattr(best, name) is None and value]
        narrower += [{"area": asked.area}] if best.area is None else []
        narrower += [{"category": asked.category}] if best.subject[0] < 2 else []
        for change in narrower:
            narrowed = best.model_copy(update={**change, "id": "z"})
            found = route(to((*rows, narrowed)))
            assert found is not None
            assert found.row_id == "z"

    @given(tables, questions())
    def test_nobody_retired_is_sent_anything(
        self, rows: tuple[RoutingRow, ...], to: Callable[[tuple[RoutingRow, ...]], Question]
    ) -> None:
        routed = route(to(rows))
        assert routed is None or routed.unit != "gone"
