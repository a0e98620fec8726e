import csv
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.catalogue import dump_catalogue, load_catalogue, read_catalogue
from directory.catalogue_lines import COLUMNS, NEEDED, BadCatalogue
from directory.model import Category, Condition
from domain.case import Milestone
from domain.limits import Limit, LimitUnit
from domain.policy import Severity

MANHOLES = ("C0101", "C0102", "C0103", "C0123")
#: What a city must say of a condition, and no more.
RUBBISH = {
    "category": "E0110",
    "kind": "event",
    "big_zh": "市容环境",
    "name_zh": "垃圾",
    "condition": "E0110-1",
    "text_zh": "有垃圾",
    "limit": "4",
    "unit": "work_hour",
    "closure_zh": "清走",
}
MANHOLE = {**RUBBISH, "category": "C0101", "kind": "component", "condition": "C0101-1", "name_zh": "井盖"}
#: As lists before the current order number them.
HAWKER = {**RUBBISH, "category": "E0501", "condition": "E0501-1", "name_zh": "无照经营游商", "big_zh": "街面秩序"}
BURST = {**RUBBISH, "category": "E0401", "condition": "E0401-1", "name_zh": "供水管道破裂", "big_zh": "突发事件"}
TOML = """
[[category]]
category = "E0501"
kind = "event"
big_zh = "突发事件"
name_zh = "供水管道破裂"
place_types = ["alley", "street"]
near_metres = 100

[[category.conditions]]
condition = "E0501-1"
text_zh = "爆管"
limit = 5
unit = "工作日"
milestones = ["围护/Fence off:3 urgent_hour", "恢复:5 工作日"]
closure_zh = "恢复"
needs_plan = true
photos = 2
severity = "high"
"""


def file(*lines: Mapping[str, str]) -> str:
    columns = dict.fromkeys(name for line in lines for name in line)
    cells = [[line.get(name, "") for name in columns] for line in lines]
    return "\n".join(",".join(f'"{cell}"' for cell in row) for row in [list(columns), *cells])


def problems(*lines: Mapping[str, str], old_order: bool = False) -> list[str]:
    with pytest.raises(BadCatalogue) as raised:
        read_catalogue(file(*lines), old_order=old_order)
    for problem in raised.value.problems:
        assert problem.zh
        assert problem.en
    return [each.key for each in raised.value.problems]


def limit(value: str, unit: LimitUnit) -> Limit:
    return Limit(value=Decimal(value), unit=unit)


@pytest.fixture(scope="module")
def categories() -> Mapping[str, Category]:
    return {category.code: category for category in load_catalogue()}


@pytest.fixture(scope="module")
def conditions() -> Mapping[str, Condition]:
    return {condition.id: condition for category in load_catalogue() for condition in category.conditions}


class TestShipped:
    def test_has_every_category(self, categories: Mapping[str, Category], conditions: Mapping[str, Condition]) -> None:
        assert len(categories) == 126
        assert len(conditions) == 156

    @pytest.mark.skipif("RECTIFY_SHARED" not in os.environ, reason="RECTIFY_SHARED is not set")
    def test_has_every_fact_that_was_gathered(self, conditions: Mapping[str, Condition]) -> None:
        """But five that name neither code nor limit: those are our proposal."""
        with (Path(os.environ["RECTIFY_SHARED"]) / "catalogue.csv").open(encoding="utf-8") as lines:
            gathered = [line for line in csv.DictReader(lines) if line["limit_value"]]
        units = {"urgent_work_hour": "urgent_hour", "urgent_work_day": "urgent_day"}
        told = {(each.category, each.limit.describe("en")) for each in conditions.values()}
        for line in gathered:
            unit = LimitUnit(units.get(line["limit_unit"], line["limit_unit"]))
            wanted = line["code"] + ("-1" if line["code"].startswith("W") else "")
            code = conditions[wanted].category if wanted in conditions else line["code"]
            assert (code, limit(line["limit_value"], unit).describe("en")) in told
        assert len(gathered) == 147

    def test_counts_every_unit_of_time(self, conditions: Mapping[str, Condition]) -> None:
        units = [condition.limit.unit for condition in conditions.values() if condition.trust != "MEM"]
        assert {unit: units.count(unit) for unit in LimitUnit} == {
            LimitUnit.URGENT_HOUR: 28,
            LimitUnit.URGENT_DAY: 2,
            LimitUnit.NATURAL_DAY: 0,
            LimitUnit.WORK_HOUR: 33,
            LimitUnit.WORK_DAY: 88,
        }

    @pytest.mark.parametrize("code", MANHOLES)
    def test_a_manhole_cover_has_four_conditions(self, code: str, categories: Mapping[str, Category]) -> None:
        assert [(each.text_en.split()[1], each.limit) for each in categories[code].conditions] == [
            ("missing,", limit("2", LimitUnit.URGENT_HOUR)),
            ("broken", limit("4", LimitUnit.WORK_HOUR)),
            ("rattles,", limit("2", LimitUnit.WORK_DAY)),
            ("within", limit("5", LimitUnit.WORK_DAY)),
        ]

    @pytest.mark.parametrize(
        ("condition", "stages"),
        [
            ("E0501-3", ("3紧急工作时", "8紧急工作时", "5工作日")),
            ("E0502-2", ("3紧急工作时", "2紧急工作日", "5工作日")),
        ],
    )
    def test_a_burst_pipe_is_dealt_with_in_stages(
        self, condition: str, stages: tuple[str, ...], conditions: Mapping[str, Condition]
    ) -> None:
        assert tuple(each.limit.describe() for each in conditions[condition].milestones) == stages
        assert conditions[condition].milestones[-1].limit == conditions[condition].limit

    def test_conditions_are_numbered_within_their_category(self, categories: Mapping[str, Category]) -> None:
        for code, category in categories.items():
            numbered = [f"{code}-{nth}" for nth in range(1, len(category.conditions) + 1)]
            assert [each.id for each in category.conditions] == numbered
            assert category.default_condition.id == f"{code}-1"

    def test_the_kind_agrees_with_the_code(self, categories: Mapping[str, Category]) -> None:
        kinds = {"C": "component", "E": "event", "W": "checkpoint"}
        assert all(category.kind == kinds[code[0]] for code, category in categories.items())

    def test_street_order_is_class_04_and_emergencies_class_05(self, categories: Mapping[str, Category]) -> None:
        assert categories["E0401"].big_zh == "街面秩序"
        assert categories["E0501"].big_zh == "突发事件"

    def test_every_sentence_is_there_in_both_languages(self, conditions: Mapping[str, Condition]) -> None:
        for condition in conditions.values():
            assert all((condition.text_zh, condition.text_en, condition.closure_zh, condition.closure_en))
            assert condition.source
            assert condition.trust in {"V1", "V2", "SNIP", "CHK", "MEM"}

    def test_a_proposed_limit_says_so(self, conditions: Mapping[str, Condition]) -> None:
        assert {key[0] for key, each in conditions.items() if each.trust == "CHK"} == {"W"}
        proposed = {each.category for each in conditions.values() if each.trust == "MEM"}
        assert proposed == {"E0187", "E0188", "E0189", "E0403", "E0407"}

    def test_danger_to_life_is_urgent(self, conditions: Mapping[str, Condition]) -> None:
        assert conditions["E0502-1"].severity is Severity.URGENT
        assert conditions["C0101-1"].severity is Severity.HIGH
        assert conditions["E0110-1"].severity is None


class TestAFile:
    def test_needs_nothing_more_than_that(self) -> None:
        (category,) = read_catalogue(file(RUBBISH))
        assert set(RUBBISH) == set(NEEDED)
        assert (category.code, category.name_en, category.place_types) == ("E0110", "垃圾", ())
        assert category.conditions == (
            Condition(
                id="E0110-1",
                category="E0110",
                text_zh="有垃圾",
                text_en="有垃圾",
                limit=limit("4", LimitUnit.WORK_HOUR),
                closure_zh="清走",
                closure_en="清走",
                source="OWN",
                trust="OWN",
            ),
        )

    def test_may_be_toml(self) -> None:
        (category,) = read_catalogue(TOML, toml=True)
        condition = category.default_condition
        assert (category.near_metres, category.place_types) == (100, ("alley", "street"))
        assert (condition.photos, condition.severity, condition.needs_plan) == (2, Severity.HIGH, True)
        assert condition.milestones == (
            Milestone(name_zh="围护", name_en="Fence off", limit=limit("3", LimitUnit.URGENT_HOUR)),
            Milestone(name_zh="恢复", name_en="恢复", limit=limit("5", LimitUnit.WORK_DAY)),
        )

    def test_may_carry_a_byte_order_mark_as_spreadsheets_write_it(self) -> None:
        assert read_catalogue("\ufeff" + file(RUBBISH)) == read_catalogue(file(RUBBISH))

    def test_written_out_reads_as_the_same(self) -> None:
        for told in (load_catalogue(), read_catalogue(TOML, toml=True)):
            assert read_catalogue(dump_catalogue(told)) == told

    def test_of_the_product_is_as_it_would_be_written(self) -> None:
        shipped = Path(__file__).parents[2] / "directory" / "data" / "catalogue.csv"
        assert dump_catalogue(load_catalogue()) == shipped.read_text("utf-8")


class TestABadFile:
    @pytest.mark.parametrize(
        ("change", "column"),
        [
            ({"limit": "soon"}, "limit"),
            ({"limit": "0"}, "limit"),
            ({"limit": "NaN"}, "limit"),
            ({"limit": "0.0000001"}, "limit"),
            ({"unit": "fortnight"}, "unit"),
            ({"closure_zh": ""}, "closure_zh"),
            ({"text_zh": ""}, "text_zh"),
            ({"category": "E 0110"}, "category"),
            ({"kind": "thing"}, "kind"),
            ({"kind": "component"}, "kind"),
            ({"milestones": "围护/Fence off:3 urgent_hour"}, "milestones"),
            ({"milestones": "围护/Fence off"}, "milestones"),
            ({"milestones": "围护:3 fortnight"}, "milestones"),
            ({"photos": "many"}, "photos"),
            ({"photos": "21"}, "photos"),
            ({"severity": "apocalyptic"}, "severity"),
            ({"needs_plan": "perhaps"}, "needs_plan"),
            ({"near_metres": "-1"}, "near_metres"),
        ],
    )
    def test_is_told_line_and_column(self, change: dict[str, str], column: str) -> None:
        assert problems({**RUBBISH, **change}) == [f"第 2 行 line 2 {column}"]

    def test_is_told_everything_at_once(self) -> None:
        assert problems({**RUBBISH, "limit": "0"}, {**MANHOLE, "closure_zh": ""}) == [
            "第 3 行 line 3 closure_zh",
            "第 2 行 line 2 limit",
        ]

    def test_without_a_column_or_with_one_misspelt_is_refused(self) -> None:
        bad = {**{name: text for name, text in RUBBISH.items() if name != "closure_zh"}, "closing_zh": "清走"}
        assert problems(bad) == ["第 1 行 line 1 closing_zh", "第 1 行 line 1 closure_zh"]

    def test_with_a_condition_given_twice_is_refused(self) -> None:
        doubles = ["第 2 行 line 2 condition", "第 3 行 line 3 condition"]
        assert problems(RUBBISH, RUBBISH) == doubles

    def test_with_a_category_that_is_torn_apart_is_refused(self) -> None:
        assert problems(RUBBISH, MANHOLE, {**RUBBISH, "condition": "E0110-2"}) == ["第 4 行 line 4 category"]

    def test_with_lines_of_a_category_that_do_not_agree_is_refused(self) -> None:
        other = {**RUBBISH, "condition": "E0110-2", "name_zh": "垃圾堆"}
        assert problems(RUBBISH, other) == ["第 3 行 line 3 name_zh"]

    def test_with_one_number_for_a_component_and_an_event_is_refused(self) -> None:
        event = {**RUBBISH, "category": "0101", "condition": "0101-1"}
        component = {**event, "kind": "component", "condition": "0101-2"}
        assert problems(event, component) == ["第 3 行 line 3 category"]

    @pytest.mark.parametrize(
        "text",
        ["", "\n\n", '"category', "category,kind\nE0110,event,too,many", "\x00", "category,category"],
    )
    def test_that_is_no_catalogue_is_refused(self, text: str) -> None:
        with pytest.raises(BadCatalogue):
            read_catalogue(text)

    @pytest.mark.parametrize(
        "text", ["", "[[category", "category = 1", "[[category]]\nkind = 'event'", "x = 1e999999999"]
    )
    def test_that_is_no_toml_catalogue_is_refused(self, text: str) -> None:
        with pytest.raises(BadCatalogue):
            read_catalogue(text, toml=True)

    @given(st.text(max_size=200), st.booleans())
    def test_of_any_text_is_refused_in_words(self, text: str, toml: bool) -> None:  # noqa: FBT001 - hypothesis gives it
        with pytest.raises(BadCatalogue):
            read_catalogue(text, toml=toml)


class TestTheOldOrder:
    """Class 04 emergencies and class 05 street order, as lists before the current order have them."""

    def test_is_noticed_and_refused_with_the_remedy(self) -> None:
        with pytest.raises(BadCatalogue, match="--old-order") as raised:
            read_catalogue(file(RUBBISH, BURST, HAWKER))
        assert [each.key for each in raised.value.problems] == ["第 3 行 line 3 category"]

    def test_is_noticed_by_the_names_of_categories_alone(self) -> None:
        bare = [{**line, "big_zh": "其他"} for line in (BURST, HAWKER)]
        assert problems(*bare) == ["第 2 行 line 2 category"]

    def test_is_noticed_in_a_list_without_letters(self) -> None:
        bare = [{**line, "category": line["category"][1:]} for line in (BURST, HAWKER)]
        assert problems(*bare) == ["第 2 行 line 2 category"]

    def test_is_renumbered_on_request(self) -> None:
        read = read_catalogue(file(RUBBISH, BURST, HAWKER), old_order=True)
        assert [(each.code, each.default_condition.id, each.name_zh) for each in read] == [
            ("E0110", "E0110-1", "垃圾"),
            ("E0501", "E0501-1", "供水管道破裂"),
            ("E0401", "E0401-1", "无照经营游商"),
        ]

    def test_is_not_taken_for_granted(self) -> None:
        today = [{**HAWKER, "category": "E0401"}, {**BURST, "category": "E0501"}]
        assert problems(*today, old_order=True) == ["第 2 行 line 2 category"]
        assert len(read_catalogue(file(self._numbered("E0401", HAWKER), self._numbered("E0501", BURST)))) == 2

    def test_of_components_means_nothing(self) -> None:
        tree = {**MANHOLE, "category": "C0402", "condition": "C0402-1", "name_zh": "行道树倒塌"}
        assert read_catalogue(file(tree))[0].code == "C0402"

    def test_of_the_whole_shipped_list_is_noticed_and_undone(self) -> None:
        swapped = dump_catalogue(load_catalogue()).replace("E04", "E0#").replace("E05", "E04").replace("E0#", "E05")
        with pytest.raises(BadCatalogue, match="old order"):
            read_catalogue(swapped)
        assert read_catalogue(swapped, old_order=True) == load_catalogue()

    @staticmethod
    def _numbered(code: str, line: Mapping[str, str]) -> Mapping[str, str]:
        return {**line, "category": code, "condition": f"{code}-1"}


class TestTheColumns:
    def test_are_all_in_the_document(self) -> None:
        text = (Path(__file__).parents[2] / "docs" / "catalogue.md").read_text("utf-8")
        assert [name for name in COLUMNS if f"`{name}`" not in text] == []
