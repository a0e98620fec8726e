import pytest

from domain.limits import LimitUnit
from ledger.mapping import As, BadMap, parse_map
from tests.ledger.office import MAP


def keys(text: str) -> list[str]:
    with pytest.raises(BadMap) as bad:
        parse_map(text)
    return [problem.key for problem in bad.value.problems]


class TestWhatAMapSays:
    def test_closed_rows_go_to_the_archive_unless_it_says_otherwise(self) -> None:
        plan = parse_map(MAP)
        assert plan.closed is not None
        assert plan.closed.as_ is As.ARCHIVE

    def test_every_column_is_known_with_the_key_that_names_it(self) -> None:
        columns = parse_map(MAP).columns
        assert columns["编号"] == "reference"
        assert columns["问题"] == "description"
        assert columns["发现时间"] == "time.discovered"
        assert columns["区"] == "area.column"

    def test_a_limit_is_written_as_people_write_it(self) -> None:
        plan = parse_map(MAP.replace("[category]", '[category]\ncreate = true\nlimit = "5 工作日"'))
        assert plan.category.limit is not None
        assert plan.category.limit.unit is LimitUnit.WORK_DAY


class TestBadMaps:
    def test_an_unknown_key_is_named(self) -> None:
        assert keys(MAP.replace("[position]", '[position]\nlatt = "x"')) == ["position.latt"]

    def test_a_missing_key_is_named(self) -> None:
        assert keys(MAP.replace('reference = "编号"', "")) == ["reference"]

    def test_all_problems_are_told_at_once(self) -> None:
        wrong = MAP.replace("gcj02", "mars").replace('"Asia/Shanghai"\ndisc', '"Asia/Nowhere"\ndisc')
        assert keys(wrong) == ["time.zone", "position.datum"]

    def test_what_is_no_toml_is_told_in_one_line(self) -> None:
        assert keys("system = ") == ["TOML"]

    def test_an_encoding_that_does_not_exist_is_refused(self) -> None:
        assert "file.encodings.0" in keys(MAP.replace("[file]", '[file]\nencodings = ["gb1803"]'))

    def test_categories_are_not_created_without_a_limit(self) -> None:
        assert keys(MAP.replace("[category]", "[category]\ncreate = true")) == ["category"]

    @pytest.mark.parametrize("line", ['"店外经营" = "E0505"', '"0401 供水管道破裂" = "E0401-1"'])
    def test_classes_04_and_05_are_not_taken_by_the_numbers_of_old_systems(self, line: str) -> None:
        assert keys(MAP.replace("values = {", f"values = {{ {line},", 1)) == ["category"]

    @pytest.mark.parametrize("line", ['"店外经营" = "E0405"', '"0401 供水管道破裂" = "E0501-1"', '"0401" = "E0401"'])
    def test_classes_04_and_05_by_their_names_are_right(self, line: str) -> None:
        assert parse_map(MAP.replace("values = {", f"values = {{ {line},", 1)).category.values

    def test_a_map_must_say_where_things_are(self) -> None:
        without = MAP.replace('address = "{地址}"', "").replace("[position]", "[positions]")
        assert "positions" in keys(without)

    def test_levels_of_areas_go_downwards(self) -> None:
        assert keys(MAP + '[[area]]\nlevel = "district"\ncolumn = "区"\n') == ["map"]
