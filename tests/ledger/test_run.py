from datetime import UTC, datetime

import pytest

from directory.demo_city import demo_directory, officer_home
from directory.model import AreaLevel
from domain import case_id, life
from domain.case import Outcome, Stage
from domain.errors import Unavailable
from domain.evolve import begin, evolve
from domain.policy import Source
from ledger import run
from tests.ledger.office import MAP, NOW, Office, line, text

CLOSED_ON_MONDAY = "2026-03-02 10:00"


class TestOpening:
    async def test_a_row_opens_a_case_at_once_discovered_when_the_ledger_says(self, office: Office) -> None:
        tally = await office.take_in(text(line()))
        (opening,) = office.engine.openings.values()
        assert (tally.rows, tally.opened) == (1, 1)
        assert opening.opened_at == NOW
        assert opening.discovered_at == datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
        assert (opening.source, opening.actor.user) == (Source.IMPORT, "import:old-town")
        assert opening.id == case_id.from_key("import:old-town", "A-1")

    async def test_the_unit_of_the_ledger_has_the_case_and_its_area_is_where_it_lies(self, office: Office) -> None:
        await office.take_in(text(line(单位="Parks", 区="East")))
        (opening,) = office.engine.openings.values()
        assert opening.proposed_unit == "parks"
        assert opening.area == "/old-town/east"

    async def test_a_condition_of_the_map_brings_its_own_limit(self, office: Office) -> None:
        await office.take_in(text(line(类别="围栏")))
        (opening,) = office.engine.openings.values()
        assert (opening.category, opening.condition) == ("E0101", "E0101-2")

    async def test_a_city_without_shapes_takes_every_position_and_changes_the_datum(self, office: Office) -> None:
        await office.take_in(text(line(经度="116.40", 纬度="39.90")))
        (opening,) = office.engine.openings.values()
        assert opening.location is not None
        assert (opening.location.lon, opening.location.datum) == (116.40, "gcj02")
        assert 116.39 < opening.location.wgs84_lon < 116.40

    async def test_closed_rows_run_too_where_the_map_says_so(self, office: Office) -> None:
        plan = MAP.replace("[closed]", '[closed]\nas = "open"')
        tally = await office.take_in(text(line(结案时间=CLOSED_ON_MONDAY)), plan)
        assert (tally.opened, tally.archived) == (1, 0)


class TestArchiving:
    async def test_a_closed_row_is_history_with_the_ledgers_own_times(self, office: Office) -> None:
        tally = await office.take_in(text(line(结案时间=CLOSED_ON_MONDAY)))
        (record,) = office.archive.records.values()
        assert (tally.opened, tally.archived) == (0, 1)
        assert record.case.stage is Stage.ARCHIVED
        assert record.case.outcome is Outcome.RECTIFIED
        assert record.case.opened_at == datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
        assert record.case.closed_at == datetime(2026, 3, 2, 2, tzinfo=UTC)
        assert record.case.due_at is None
        assert record.case.commands == ()

    async def test_its_two_facts_make_the_case_again(self, office: Office) -> None:
        await office.take_in(text(line(结案时间=CLOSED_ON_MONDAY)))
        (record,) = office.archive.records.values()
        assert [event.fact.type for event in record.events] == ["CaseOpened", "CaseImported"]
        assert record.rules is not None
        opened, imported = record.events
        assert life.snapshot(evolve(begin(record.rules, opened), imported)) == record.case

    async def test_the_ledgers_word_for_the_end_decides_the_outcome(self, office: Office) -> None:
        status = '[closed]\nstatus = "问题"\noutcomes = { "误报" = "withdrawn" }'
        plan = MAP.replace("[closed]", status)
        await office.take_in(text(line(结案时间=CLOSED_ON_MONDAY, 问题="误报")), plan)
        (record,) = office.archive.records.values()
        assert (record.case.stage, record.case.outcome) == (Stage.WITHDRAWN, Outcome.WITHDRAWN)

    async def test_only_the_first_record_carries_the_rules(self, office: Office) -> None:
        rows = [line(编号=f"A-{number}", 结案时间=CLOSED_ON_MONDAY) for number in range(5)]
        await office.take_in(text(*rows))
        assert [record.rules is not None for record in office.archive.records.values()] == [True] + [False] * 4


class TestRunningTwice:
    async def test_the_second_run_finds_everything_there(self, office: Office) -> None:
        ledger = text(line(编号="A-1"), line(编号="A-2", 结案时间=CLOSED_ON_MONDAY))
        await office.take_in(ledger)
        tally = await office.take_in(ledger)
        assert (tally.rows, tally.already, tally.opened, tally.archived) == (2, 2, 0, 0)

    async def test_a_case_that_runs_is_not_written_to_the_archive_when_the_ledger_closes_it(
        self, office: Office
    ) -> None:
        await office.take_in(text(line()))
        tally = await office.take_in(text(line(结案时间=CLOSED_ON_MONDAY)))
        assert tally.already == 1
        assert office.archive.records == {}

    async def test_an_archived_case_does_not_begin_to_run_when_the_ledger_opens_it(self, office: Office) -> None:
        await office.take_in(text(line(结案时间=CLOSED_ON_MONDAY)))
        tally = await office.take_in(text(line()))
        assert tally.already == 1
        assert office.engine.openings == {}

    async def test_a_run_that_was_stopped_goes_on(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(run, "_PATIENCE", ())
        office.engine.away = 1
        ledger = text(*(line(编号=f"A-{number}") for number in range(3)))
        with pytest.raises(Unavailable):
            await office.take_in(ledger)
        tally = await office.take_in(ledger)
        assert tally.opened + tally.already == 3
        assert len(office.engine.openings) == 3

    async def test_an_engine_that_is_away_for_a_moment_is_waited_for(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run, "_PATIENCE", (0, 0))
        office.engine.away = 2
        assert (await office.take_in(text(line()))).opened == 1


REFUSED = [
    ({"编号": ""}, "reference_missing"),
    ({"编号": "x" * 129}, "text_too_long"),
    ({"发现时间": ""}, "time_missing"),
    ({"发现时间": "昨天"}, "time_unreadable"),
    ({"发现时间": "2026-03-02 18:00"}, "discovered_in_future"),
    ({"结案时间": "2026-02-28 09:00"}, "closed_before_opened"),
    ({"结案时间": "2026-03-05 09:00"}, "closed_in_future"),
    ({"结案时间": "不详"}, "time_unreadable"),
    ({"类别": "飞碟"}, "category_unmapped"),
    ({"类别": ""}, "category_unmapped"),
    ({"问题": ""}, "text_missing"),
    ({"问题": "长" * 2001}, "text_too_long"),
    ({"问题": "a\x07b"}, "text_invalid"),
    ({"地址": "长" * 257}, "text_too_long"),
    ({"地址": ""}, "location_missing"),
    ({"经度": "116.4"}, "coordinates_unreadable"),
    ({"经度": "东", "纬度": "北"}, "coordinates_unreadable"),
    ({"经度": "nan", "纬度": "39.9"}, "coordinates_invalid"),
    ({"经度": "39.9", "纬度": "116.4"}, "coordinates_invalid"),
    ({"单位": "外星局"}, "unit_unmapped"),
    ({"区": "月球"}, "area_unmapped"),
]


class TestRefusing:
    @pytest.mark.parametrize(("changes", "code"), REFUSED, ids=lambda each: each if isinstance(each, str) else "")
    async def test_a_bad_row_goes_to_the_file_and_the_others_go_on(
        self, office: Office, changes: dict[str, str], code: str
    ) -> None:
        await office.take_in(text(line(编号="B-1")))  # founds the city
        tally = await office.take_in(text(line(编号="B-2"), line(**changes), line(编号="B-3")))
        assert tally.refused == {code: 1}
        assert (tally.rows, tally.opened) == (3, 2)
        header, row = office.refused_rows()
        assert header.endswith("row_number,code,reason")
        assert f",2,{code}," in row
        assert " / " in row

    async def test_a_reference_that_stands_twice_in_a_file_is_refused_the_second_time(self, office: Office) -> None:
        tally = await office.take_in(text(line(), line(问题="另一个")))
        assert (tally.opened, tally.refused) == (1, {"reference_duplicate": 1})

    async def test_after_a_refused_row_a_good_one_of_the_same_reference_is_taken(self, office: Office) -> None:
        tally = await office.take_in(text(line(问题=""), line()))
        assert (tally.opened, tally.refused) == (1, {"text_missing": 1})

    async def test_without_refusals_there_is_no_file_and_an_old_one_goes(self, office: Office) -> None:
        await office.take_in(text(line(), line(编号="")))
        assert office.refused.exists()
        await office.take_in(text(line()))
        assert not office.refused.exists()

    async def test_the_refused_file_can_be_mended_and_imported(self, office: Office) -> None:
        await office.take_in(text(line(编号="A-1"), line(编号="A-2", 发现时间="x")))
        mended = office.refused.read_text(encoding="utf-8-sig").replace(",x,", ",2026-03-01 10:00,")
        assert (await office.take_in(mended)).opened == 1


class TestCitiesWithShapes:
    PLAN = (
        MAP.replace("gcj02", "wgs84")
        .replace('column = "区"', 'column = "区"\ndefault = "songquan"')
        .replace('column = "单位"', 'column = "单位"\ndefault = "sanitation"')
    )

    async def test_the_position_tells_the_area_whatever_the_ledger_says(self, office: Office) -> None:
        office.directory = demo_directory()
        grid, lon, lat = officer_home("officer-1")
        await office.take_in(text(line(经度=str(lon), 纬度=str(lat))), self.PLAN)
        (opening,) = office.engine.openings.values()
        assert opening.grid == grid
        assert opening.proposed_unit == "sanitation"

    async def test_a_row_with_an_address_alone_lies_where_the_ledger_says(self, office: Office) -> None:
        office.directory = demo_directory()
        await office.take_in(text(line()), self.PLAN)
        (opening,) = office.engine.openings.values()
        assert opening.area == "/qinghe/songquan"

    async def test_a_position_outside_is_refused(self, office: Office) -> None:
        office.directory = demo_directory()
        tally = await office.take_in(text(line(经度="1", 纬度="2")), self.PLAN)
        assert tally.refused == {"outside_city": 1}


class TestFounding:
    async def test_areas_units_and_the_city_come_from_the_columns(self, office: Office) -> None:
        await office.take_in(text(line(区="East", 单位="Parks"), line(编号="A-2", 区="West", 单位="Roads")))
        directory = office.directory
        assert directory is not None
        assert [(area.id, area.level) for area in directory.areas] == [
            ("old-town", AreaLevel.CITY),
            ("east", AreaLevel.DISTRICT),
            ("west", AreaLevel.DISTRICT),
        ]
        assert [unit.id for unit in directory.units] == ["parks", "roads"]

    async def test_a_category_is_routed_to_whoever_has_it_most_and_apart_where_others_do(self, office: Office) -> None:
        rows = [("East", "Parks"), ("East", "Parks"), ("East", "Roads"), ("West", "Roads")]
        await office.take_in(text(*(line(编号=f"A-{n}", 区=area, 单位=unit) for n, (area, unit) in enumerate(rows))))
        assert office.directory is not None
        routed = {(row.area, row.unit) for row in office.directory.routing}
        assert routed in ({(None, "parks"), ("west", "roads")}, {(None, "roads"), ("east", "parks")})

    async def test_a_value_without_a_category_becomes_one_where_the_map_says_so(self, office: Office) -> None:
        plan = MAP.replace("[category]", '[category]\ncreate = true\nlimit = "3 work_day"')
        await office.take_in(text(line(类别="Lost Dog")), plan)
        (opening,) = office.engine.openings.values()
        assert (opening.category, opening.condition) == ("X-lost-dog", "X-lost-dog-1")
        assert opening.limit.describe("en") == "3 work days"
