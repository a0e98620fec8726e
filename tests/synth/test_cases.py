"""Synthetic cases are cases: they can be read, searched and told again, and they come about as often as a city says."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

from directory.calendars import default_calendar
from directory.demo_city import demo_directory
from directory.rules import default_ladder, default_policy
from domain.actors import Actor, Role
from domain.case import OPEN, RUNNING, Snapshot, Stage
from domain.events import Event
from domain.policy import Source
from store import case_files, cases, feed, migrate, overdue, tasks
from store.cases import CaseFilter, Sort
from store.database import open_engine, reading, sync_url
from store.recorder import Recorder
from store.rows import case_row
from store.tables import CaseReporterRow, CaseRow, CaseUnitRow, EventRow
from synth.cases import END, History
from synth.fill import NotEmpty, Wanted, fill
from synth.town import Town
from tests.support.records import Life

SIZE = 2_000
SUPERVISOR = Actor(user="supervisor", role=Role.SUPERVISOR, area="/qinghe")


def ignore(_done: int, _wanted: int) -> None:
    return


@pytest.fixture(scope="module")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AsyncEngine]:
    url = f"sqlite:///{tmp_path_factory.mktemp('synth') / 'rectify.db'}"
    migrate.upgrade(url)
    await fill(url, Wanted(SIZE), ignore)
    engine = open_engine(url)
    yield engine
    await engine.dispose()


async def every(engine: AsyncEngine, table: type[SQLModel]) -> Sequence[Any]:
    async with reading(engine) as connection:
        return (await connection.execute(select(table).order_by(*table.__table__.primary_key))).all()  # type: ignore[attr-defined]  # SQLModel does not declare it


@pytest.fixture(scope="module")
async def rows(filled: AsyncEngine) -> Sequence[Any]:
    return await every(filled, CaseRow)


@pytest.fixture(scope="module")
def snapshots(rows: Sequence[Any]) -> list[Snapshot]:
    return [Snapshot.model_validate_json(row.snapshot) for row in rows]


@pytest.fixture(scope="module")
async def events(filled: AsyncEngine) -> Sequence[Any]:
    return await every(filled, EventRow)


class TestEachCase:
    def test_is_in_its_row_as_the_recorder_would_have_put_it(
        self, rows: Sequence[Any], snapshots: list[Snapshot]
    ) -> None:
        assert len(rows) == SIZE
        for row, snapshot in zip(rows, snapshots, strict=True):
            assert {name: getattr(row, name) for name in CaseRow.model_fields} == case_row(snapshot) | {"begun": None}

    async def test_has_its_units(self, filled: AsyncEngine, snapshots: list[Snapshot]) -> None:
        there = {(row.case_id, row.unit, row.lead) for row in await every(filled, CaseUnitRow)}
        units = ((case, unit) for case in snapshots for unit in {case.lead_unit, *case.co_units} if unit)
        assert there == {(case.id, unit, unit == case.lead_unit) for case, unit in units}

    async def test_has_its_later_reporters(self, filled: AsyncEngine, snapshots: list[Snapshot]) -> None:
        there = {(row.case_id, row.user) for row in await every(filled, CaseReporterRow)}
        assert there == {(case.id, user) for case in snapshots for user in case.joined}
        assert len(there) > SIZE // 200

    def test_that_has_come_back_names_one_of_the_same_put_right_before(self, snapshots: list[Snapshot]) -> None:
        by_id = {case.id: case for case in snapshots}
        for case in snapshots:
            if case.recurrence_of is not None:
                before = by_id[case.recurrence_of]
                assert (before.category, before.area) == (case.category, case.area)
                assert before.closed_at is not None
                assert before.closed_at < case.opened_at

    def test_has_all_its_events_in_order(self, snapshots: list[Snapshot], events: Sequence[Any]) -> None:
        numbers: dict[str, list[int]] = {}
        for row in events:
            event = Event.model_validate_json(row.data)
            assert (event.seq, event.at, event.fact.type) == (row.seq, row.at, row.type)
            numbers.setdefault(row.case_id, []).append(event.seq)
        assert numbers == {case.id: list(range(1, case.version + 1)) for case in snapshots}

    async def test_told_again_from_its_events_is_what_is_recorded(
        self, filled: AsyncEngine, snapshots: list[Snapshot]
    ) -> None:
        ended = [case for case in snapshots if case.stage not in RUNNING][::40]
        files = [await case_files.read(filled, case.id) for case in ended]
        assert len(files) > SIZE // 80
        assert [file.case.id for file in files if file and not file.agrees] == []


class TestTheFeed:
    def test_is_in_the_order_in_which_it_happened(self, events: Sequence[Any]) -> None:
        assert all(before.at <= after.at for before, after in pairwise(events))
        assert events[-1].at <= END


class TestShares:
    def test_of_categories_are_those_of_a_city(self, snapshots: list[Snapshot]) -> None:
        share = {code: count / SIZE for code, count in Counter(case.category for case in snapshots).items()}
        assert share["E0135"] == pytest.approx(0.238, abs=0.05)
        assert share["E0110"] == pytest.approx(0.214, abs=0.05)
        assert sum(part for code, part in share.items() if code[0] == "C") == pytest.approx(0.125, abs=0.04)

    def test_of_sources_and_of_what_went_wrong(self, snapshots: list[Snapshot]) -> None:
        officers = [case for case in snapshots if case.source is Source.OFFICER]
        sent_out = [case for case in snapshots if case.dispatches]
        assert len(officers) / SIZE == pytest.approx(0.56, abs=0.07)
        assert sum(case.overdue for case in sent_out) / len(sent_out) == pytest.approx(0.04, abs=0.03)
        assert sum(case.failed_inspections > 0 for case in sent_out) / len(sent_out) < 0.03
        assert sum(case.stage is Stage.DISMISSED for case in snapshots) / SIZE == pytest.approx(0.06, abs=0.04)

    def test_of_events_are_about_twelve_for_a_life(self, snapshots: list[Snapshot]) -> None:
        ended = [case.version for case in snapshots if case.stage not in RUNNING]
        assert sum(ended) / len(ended) == pytest.approx(12, abs=2)  # few lives are cast many times

    def test_leave_some_open_and_some_late(self, snapshots: list[Snapshot]) -> None:
        still_open = [case for case in snapshots if case.stage in OPEN]
        assert 40 <= len(still_open) <= 250
        assert any(case.late_since for case in still_open)

    def test_of_what_comes_back_and_of_what_is_due_in_the_next_year_are_small(self, snapshots: list[Snapshot]) -> None:
        assert 5 < sum(case.recurrence_of is not None for case in snapshots) < SIZE // 10
        provisional = [case for case in snapshots if case.provisional]
        assert 5 < len(provisional) < SIZE // 10
        assert all(case.stage in OPEN and case.due_at and case.due_at.year > END.year for case in provisional)

    def test_of_arrivals_have_peaks_on_working_mornings(self, snapshots: list[Snapshot]) -> None:
        hours = Counter((case.opened_at.hour + 8) % 24 for case in snapshots)
        assert hours[9] + hours[10] > 5 * (hours[2] + hours[3] + 1)
        days = Counter(case.opened_at.weekday() for case in snapshots)
        assert days[0] > days[6]


class TestLists:
    async def test_show_them(self, filled: AsyncEngine, snapshots: list[Snapshot]) -> None:
        common = sum("垃圾" in f"{case.description}{case.address}" for case in snapshots)
        assert common > SIZE // 5
        assert len((await cases.search(filled, CaseFilter(q="垃圾"), SUPERVISOR)).items) == 50
        assert (await overdue.overdue(filled, SUPERVISOR)).total > 0
        assert (await tasks.tasks(filled, Actor(user="u", role=Role.UNIT, unit="sanitation"))).items
        assert len((await feed.after(filled, 0, SUPERVISOR)).items) == 100


SHAPE = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY 1",
    "postgresql": """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2""",
}


def shape(url: str) -> object:
    """Tables, indexes and constraints."""
    engine = create_engine(sync_url(url))
    with engine.connect() as connection:
        found = connection.exec_driver_sql(SHAPE[engine.dialect.name]).all()
    engine.dispose()
    return found


class TestTheRecurrentCasesOfAUnit:
    @pytest.mark.parametrize("of_late", [5, 300])
    @pytest.mark.parametrize("sort", ["opened_at", "-opened_at"])
    async def test_are_the_same_whichever_of_the_two_is_the_rarer(
        self,
        filled: AsyncEngine,
        snapshots: list[Snapshot],
        monkeypatch: pytest.MonkeyPatch,
        of_late: int,
        sort: Sort,
    ) -> None:
        monkeypatch.setattr(cases, "_OF_LATE", of_late)
        recurrent = [case for case in snapshots if case.recurrence_of]
        recurrent.sort(key=lambda case: (case.opened_at, case.id), reverse=sort.startswith("-"))
        for unit in ("sanitation", "roads", "gas"):
            wanted = CaseFilter(unit=unit, recurrent=True, sort=sort)
            found = (await cases.search(filled, wanted, SUPERVISOR, limit=200)).items
            assert [case.id for case in found] == [
                case.id for case in recurrent if unit in {case.lead_unit, *case.co_units}
            ]

    async def test_are_met_by_the_index_of_the_recurrent_if_the_unit_has_more(
        self, filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cases, "_OF_LATE", 5)
        async with reading(filled) as connection:
            assert await cases._outnumbers_recurrent(connection, "sanitation")
            assert not await cases._outnumbers_recurrent(connection, "nobody")


def contents(seed: int) -> Iterator[object]:
    town = Town(demo_directory(), default_calendar(), default_policy(), default_ladder(), seed)
    history = History(town, 8, seed, lambda at: at)
    for batch in history.batches(at_least=5):
        yield batch.tables, batch.texts


class TestTheSeed:
    def test_makes_the_same_cases_again_and_another_one_others(self) -> None:
        once = list(contents(7))
        assert list(contents(7)) == once
        assert list(contents(8)) != once


class TestFilling:
    async def test_leaves_a_database_that_goes_on_as_any_other(self, database_url: str) -> None:
        migrate.upgrade(database_url)
        tally = await fill(database_url, Wanted(12), ignore)
        engine = open_engine(database_url)
        before = await feed.last_position(engine)
        await Recorder(engine).record(Life().record())
        some = (await cases.search(engine, CaseFilter(), SUPERVISOR)).items
        rules = {await cases.rules(engine, case.rules) for case in some}
        assert (tally.cases, tally.events, len(some)) == (12, before, 12)
        assert None not in rules
        assert (await cases.search(engine, CaseFilter(q=some[0].description[:6]), SUPERVISOR)).items
        assert await feed.last_position(engine) > before
        with pytest.raises(NotEmpty):
            await fill(database_url, Wanted(12), ignore)
        await engine.dispose()

    async def test_recklessly_comes_to_the_same(self, database_url: str) -> None:
        migrate.upgrade(database_url)
        before = shape(database_url)
        await fill(database_url, Wanted(30, reckless=True), ignore)
        assert shape(database_url) == before
        assert migrate.check(database_url) == "current"
        engine = open_engine(database_url)
        found = (await cases.search(engine, CaseFilter(), SUPERVISOR)).items
        assert len(found) == 30
        assert (await cases.search(engine, CaseFilter(q=found[0].description[:6]), SUPERVISOR)).items
        await engine.dispose()
