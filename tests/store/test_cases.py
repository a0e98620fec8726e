"""Lists: what is asked for, in the order asked for, page by page without a gap."""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.case import Snapshot, Stage
from domain.clock import FOREVER
from domain.record import Record
from store import cases
from store.cases import CaseFilter, Sort
from store.database import reading
from store.recorder import Recorder
from tests.support.databases import listening
from tests.support.records import ADMIN, NOON, Life

HOUR = timedelta(hours=1)
BASE = Life().snapshot


def case(number: int, **changes: object) -> Snapshot:
    return BASE.model_copy(update={"id": f"RC-{number:04}", **changes})


POPULATION = (
    case(1, opened_at=NOON, due_at=NOON + 5 * HOUR, category="E01", description="Broken LAMP 100%"),
    case(2, opened_at=NOON + HOUR, due_at=None, stage=Stage.CLOSURE, lead_unit="water", external_ref="12345-A"),
    case(3, opened_at=NOON + HOUR, due_at=NOON + HOUR, overdue=True, escalation_level=3, co_units=("water",)),
    case(4, opened_at=NOON + 2 * HOUR, due_at=NOON + HOUR, area="/city/west", escalation_level=1, provisional=True),
    case(5, opened_at=NOON - HOUR, due_at=None, address="长亭街 3_号", stage=Stage.ARCHIVED, recurrence_of="RC-9"),
)


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    recorder = Recorder(engine, timeout=10)
    await asyncio.gather(*(recorder.record(Record(case=each, events=())) for each in POPULATION))
    return engine


async def numbers(engine: AsyncEngine, **wanted: object) -> list[int]:
    page = await cases.search(engine, CaseFilter.model_validate({"sort": "opened_at", **wanted}), ADMIN)
    return [int(item.id[-4:]) for item in page.items]


async def walk(engine: AsyncEngine, sort: Sort, limit: int) -> list[Snapshot]:
    found: list[Snapshot] = []
    cursor = None
    while True:
        page = await cases.search(engine, CaseFilter(sort=sort), ADMIN, cursor, limit)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


class TestFilter:
    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({}, [5, 1, 2, 3, 4]),
            ({"stages": ("closure", "archived")}, [5, 2]),
            ({"unit": "water"}, [2, 3]),
            ({"area": "/city/west"}, [4]),
            ({"area": "/city"}, [5, 1, 2, 3, 4]),
            ({"category": "E01"}, [1]),
            ({"provisional": True}, [4]),
            ({"provisional": True, "unit": "water"}, []),
            ({"provisional": False}, [5, 1, 2, 3]),
            ({"overdue": True}, [3]),
            ({"overdue": False}, [5, 1, 2, 4]),
            ({"recurrent": True}, [5]),
            ({"recurrent": False}, [1, 2, 3, 4]),
            ({"level": 1}, [3, 4]),
            ({"opened_from": NOON, "opened_to": NOON + HOUR}, [1]),
            ({"area": "/city", "unit": "water", "overdue": True}, [3]),
        ],
    )
    async def test_gives_what_was_asked_for(
        self, filled: AsyncEngine, wanted: dict[str, Any], expected: list[int]
    ) -> None:
        assert await numbers(filled, **wanted) == expected

    @pytest.mark.parametrize(
        ("q", "expected"),
        [
            ("长亭", [5]),
            ("lamp", [1]),
            ("rc-0003", [3]),
            ("12345-a", [2]),
            ("100%", [1]),
            ("0_号", []),
            ("3_号", [5]),
            ("青石街 8", [1, 2, 3, 4]),
            ("'; drop table cases; --", []),
        ],
    )
    async def test_finds_parts_of_the_text(self, filled: AsyncEngine, q: str, expected: list[int]) -> None:
        assert await numbers(filled, q=q) == expected

    @pytest.mark.parametrize("q", ["", "a\x00b", "\ud800", "x" * 129])
    async def test_refuses_what_no_text_contains(self, q: str) -> None:
        with pytest.raises(ValidationError):
            CaseFilter(q=q)


class TestOrder:
    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
    @pytest.mark.parametrize("sort", ["opened_at", "-opened_at", "due_at", "-due_at", "updated_at", "-updated_at"])
    async def test_every_case_comes_once_and_in_order(self, filled: AsyncEngine, sort: Sort, limit: int) -> None:
        def key(each: Snapshot) -> tuple[object, str]:
            return getattr(each, sort.lstrip("-")) or FOREVER, each.id

        found = await walk(filled, sort, limit)
        assert found == sorted(POPULATION, key=key, reverse=sort.startswith("-"))

    async def test_a_case_that_comes_meanwhile_repeats_none(self, filled: AsyncEngine) -> None:
        first = await cases.search(filled, CaseFilter(), ADMIN, limit=2)
        await Recorder(filled).record(Record(case=case(9, opened_at=NOON + 9 * HOUR), events=()))
        second = await cases.search(filled, CaseFilter(), ADMIN, first.next_cursor, limit=9)
        assert [each.id for each in (*first.items, *second.items)] == [f"RC-000{n}" for n in (4, 3, 2, 1, 5)]


def forged(cursor: str, change: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    digest, *values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return urlsafe_b64encode(json.dumps([digest, *change(values)]).encode()).decode().rstrip("=")


class TestCursor:
    async def test_belongs_to_one_list(self, filled: AsyncEngine) -> None:
        page = await cases.search(filled, CaseFilter(), ADMIN, limit=1)
        for other in (CaseFilter(sort="opened_at"), CaseFilter(level=0), CaseFilter(sort="-due_at")):
            with pytest.raises(ValueError, match="another list"):
                await cases.search(filled, other, ADMIN, page.next_cursor)

    @pytest.mark.parametrize("cursor", ["", "x", "é", "null", "W10", "e30", "bnVsbA", "A" * 10_000])
    async def test_that_we_never_gave_is_refused(self, filled: AsyncEngine, cursor: str) -> None:
        with pytest.raises(ValueError, match="list"):
            await cases.search(filled, CaseFilter(), ADMIN, cursor)

    @pytest.mark.parametrize(
        "change",
        [
            lambda v: [v[0]],
            lambda v: [*v, 1],
            lambda v: [None, v[1]],
            lambda v: ["2026-01-01T00:00:00", v[1]],
            lambda v: [v[0], 7],
            lambda v: [v[0], "RC\x00"],
            lambda v: [{"a": []}, v[1]],
        ],
    )
    async def test_whose_inside_was_changed_is_refused(self, filled: AsyncEngine, change: Any) -> None:  # noqa: ANN401 - see forged
        page = await cases.search(filled, CaseFilter(), ADMIN, limit=1)
        with pytest.raises(ValueError, match="list"):
            await cases.search(filled, CaseFilter(), ADMIN, forged(page.next_cursor or "", change))


class TestGet:
    async def test_knows_nothing_of_a_case_that_is_not_there(self, filled: AsyncEngine) -> None:
        assert await cases.get(filled, "RC-8888") is None
        assert await cases.events(filled, "RC-8888") == ()
        assert await cases.rules(filled, "0" * 16) is None


class TestIndexes:
    @pytest.mark.parametrize("module_engine", ["sqlite"], indirect=True)
    @pytest.mark.parametrize(
        ("wanted", "index"),
        [
            ({"recurrent": True}, "ix_cases_recurrent"),
            ({"recurrent": True, "sort": "-updated_at"}, "ix_cases_recurrent_updated"),
        ],
        ids=["by opening", "by change"],
    )
    async def test_have_the_recurrent_ones_in_order(
        self, filled: AsyncEngine, wanted: dict[str, Any], index: str
    ) -> None:
        plan = await plan_of(filled, **wanted)
        assert f"USING INDEX {index} " in f"{plan} "
        assert "TEMP B-TREE" not in plan


async def plan_of(engine: AsyncEngine, **wanted: object) -> str:
    """How SQLite goes about what a search asks last."""
    with listening(engine) as asked:
        await numbers(engine, **wanted)
    statement, parameters = asked[-1]
    async with reading(engine) as connection:
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(row.detail for row in rows)
