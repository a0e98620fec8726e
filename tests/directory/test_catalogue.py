from collections.abc import Mapping
from decimal import Decimal

import pytest

from directory.catalogue import load_catalogue, read_catalogue
from directory.model import Category, Condition
from domain.limits import Limit, LimitUnit

MANHOLES = ("C0101", "C0102", "C0103", "C0123")
HEADER = (
    "category,kind,big_zh,big_en,name_zh,name_en,condition,text_zh,text_en,limit,unit,milestones,"
    "closure_zh,closure_en,place_types,source,trust"
)
LINE = (
    "E0110,event,市容环境,City appearance,垃圾,Rubbish,{id},有垃圾,Rubbish,{limit},{unit},{stages},"
    "清走,Removed,alley,YC,V1"
)


def line(id_: str = "E0110-1", limit: str = "4", unit: str = "work_hour", stages: str = "") -> str:
    return LINE.format(id=id_, limit=limit, unit=unit, stages=stages)


def limit(value: str, unit: LimitUnit) -> Limit:
    return Limit(value=Decimal(value), unit=unit)


@pytest.fixture(scope="module")
def categories() -> Mapping[str, Category]:
    return {category.code: category for category in load_catalogue()}


@pytest.fixture(scope="module")
def conditions() -> Mapping[str, Condition]:
    return {condition.id: condition for category in load_catalogue() for condition in category.conditions}


class TestShipped:
    def test_has_every_category_with_a_limit(
        self, categories: Mapping[str, Category], conditions: Mapping[str, Condition]
    ) -> None:
        assert len(categories) == 121
        assert len(conditions) == 151

    def test_counts_every_unit_of_time(self, conditions: Mapping[str, Condition]) -> None:
        units = [condition.limit.unit for condition in conditions.values()]
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
            assert condition.trust in {"V1", "V2", "SNIP", "CHK"}

    def test_a_proposed_limit_says_so(self, conditions: Mapping[str, Condition]) -> None:
        assert {key[0] for key, each in conditions.items() if each.trust == "CHK"} == {"W"}


class TestBadFile:
    def test_a_sound_line_is_read(self) -> None:
        assert read_catalogue([HEADER, line()])[0].conditions[0].limit == limit("4", LimitUnit.WORK_HOUR)

    @pytest.mark.parametrize(
        "bad",
        [
            line(limit="soon"),
            line(limit="0"),
            line(unit="fortnight"),
            line(unit=""),
            line(stages="围护:3 urgent_hour"),
            line(stages="围护/Fence off:3 urgent_hour"),
            "E0110",
        ],
    )
    def test_a_bad_line_is_named(self, bad: str) -> None:
        with pytest.raises(ValueError, match="catalogue line 3: "):
            read_catalogue([HEADER, line(), bad])

    def test_a_condition_given_twice_is_refused(self) -> None:
        with pytest.raises(ValueError, match="condition given twice: E0110-1"):
            read_catalogue([HEADER, line(), line()])

    def test_a_category_that_is_torn_apart_is_refused(self) -> None:
        other = line("E0111-1").replace("E0110", "E0111")
        with pytest.raises(ValueError, match="category given twice: E0110"):
            read_catalogue([HEADER, line(), other, line("E0110-2")])

    def test_lines_of_one_category_must_agree(self) -> None:
        with pytest.raises(ValueError, match="E0110 do not agree"):
            read_catalogue([HEADER, line(), line("E0110-2").replace("Rubbish,E", "Litter,E")])
