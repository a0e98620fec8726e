"""The supervisor's board counts everything that is late, and shows the worst first."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.case import Stage
from domain.record import Record
from store.overdue import GroupBy, overdue
from store.recorder import Recorder
from tests.support.records import ADMIN, DISPATCHER, NOON, OFFICER, SUPERVISOR, Life

HOUR = timedelta(hours=1)
BASE = Life().snapshot
LATE: tuple[Mapping[str, object], ...] = (
    {"area": "/city/east/river", "lead_unit": "roads", "late_since": NOON, "escalation_level": 2},
    {"area": "/city/east", "lead_unit": "roads", "late_since": NOON - HOUR, "escalation_level": 3},
    {"area": "/city/west/a/b", "lead_unit": None, "late_since": NOON - 2 * HOUR, "category": "E01"},
    {"area": "/city/west/a", "lead_unit": "water", "late_since": NOON + HOUR, "category": "E01"},
)
NOT_LATE: tuple[Mapping[str, object], ...] = (
    {"area": "/city/east", "late_since": None, "overdue": True},
    {"area": "/city/east", "late_since": NOON, "stage": Stage.CLOSURE},
)


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    recorder = Recorder(engine, timeout=10)
    for number, changes in enumerate((*LATE, *NOT_LATE), 1):
        case = BASE.model_copy(update={"id": f"RC-{number:04}", **changes})
        await recorder.record(Record(case=case, events=()))
    return engine


class TestRows:
    async def test_come_worst_first_page_by_page(self, filled: AsyncEngine) -> None:
        first = await overdue(filled, SUPERVISOR, limit=3)
        rest = await overdue(filled, SUPERVISOR, cursor=first.next_cursor, limit=3)
        assert [item.id[-1] for item in (*first.items, *rest.items)] == ["3", "2", "1", "4"]
        assert rest.next_cursor is None

    async def test_are_those_asked_for(self, filled: AsyncEngine) -> None:
        by_unit = await overdue(filled, SUPERVISOR, unit="roads")
        by_area = await overdue(filled, SUPERVISOR, area="/city/west")
        assert [item.id[-1] for item in by_unit.items] == ["2", "1"]
        assert [item.id[-1] for item in by_area.items] == ["3", "4"]
        assert by_area.total == 2

    async def test_are_those_the_viewer_may_see(self, filled: AsyncEngine) -> None:
        viewer = DISPATCHER.model_copy(update={"user": "somebody", "area": "/city/west/a/b"})
        board = await overdue(filled, viewer)
        assert [item.id[-1] for item in board.items] == ["3"]
        assert board.total == 1

    async def test_are_for_an_officer_also_those_known_only_by_an_area_above_his(self, filled: AsyncEngine) -> None:
        viewer = OFFICER.model_copy(update={"user": "somebody", "area": "/city/west/a/b"})
        assert [item.id[-1] for item in (await overdue(filled, viewer)).items] == ["3", "4"]


class TestTotals:
    @pytest.mark.parametrize(
        ("group_by", "expected"),
        [
            ("unit", [("roads", 2), (None, 1), ("water", 1)]),
            ("area", [("/city/west", 2), ("/city/east", 2)]),
            ("category", [("E01", 2), ("C0101", 2)]),
            ("level", [(0, 2), (3, 1), (2, 1)]),
        ],
    )
    async def test_count_more_than_the_page(
        self, filled: AsyncEngine, group_by: GroupBy, expected: list[tuple[object, int]]
    ) -> None:
        board = await overdue(filled, SUPERVISOR, group_by=group_by, limit=1)
        assert [(total.key, total.count) for total in board.totals] == expected
        assert board.total == 4

    async def test_say_since_when_the_worst_waits(self, filled: AsyncEngine) -> None:
        board = await overdue(filled, SUPERVISOR, group_by="area")
        assert [total.longest_since for total in board.totals] == [NOON - 2 * HOUR, NOON - HOUR]

    @pytest.mark.parametrize(
        ("area", "expected"),
        [
            ("/city/west", {"/city/west/a"}),
            ("/city/west/a", {"/city/west/a", "/city/west/a/b"}),
            ("/city/east", {"/city/east", "/city/east/river"}),
        ],
    )
    async def test_go_down_one_level_of_areas(self, filled: AsyncEngine, area: str, expected: set[str]) -> None:
        board = await overdue(filled, SUPERVISOR, area=area, group_by="area")
        assert {total.key for total in board.totals} == expected

    async def test_begin_at_the_top_for_who_has_no_area(self, filled: AsyncEngine) -> None:
        board = await overdue(filled, ADMIN, group_by="area")
        assert [(total.key, total.count) for total in board.totals] == [("/city", 4)]
