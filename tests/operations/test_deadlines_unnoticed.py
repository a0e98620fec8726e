"""A deadline that has passed and is not marked shows at the API's metrics, whatever kept it from being marked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from math import isnan

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from domain.case import Stage
from store.database import reading, writing
from store.recorder import Recorder
from store.tables import CaseRow
from store.unnoticed import unnoticed
from tests.operations.watched import read, value
from tests.support.records import NOON, Life
from tests.support.stack import Json, Stack

NAME = "rectify_deadlines_unnoticed"


async def change(engine: AsyncEngine, case: str, **columns: object) -> None:
    async with writing(engine) as connection:
        await connection.execute(update(CaseRow).where(col(CaseRow.id) == case).values(**columns))


class TestTheCount:
    @pytest.fixture
    async def case(self, engine: AsyncEngine) -> str:
        """Dispatched, with a deadline, not late."""
        life = Life()
        await Recorder(engine).record(life.record())
        return life.case.id

    async def test_is_of_running_cases_that_should_be_late_and_are_not(self, engine: AsyncEngine, case: str) -> None:
        assert await unnoticed(engine, NOON) == 0
        assert await unnoticed(engine, NOON + timedelta(days=300)) == 1

    @pytest.mark.parametrize("stage", [Stage.CLOSURE, Stage.ARCHIVED])
    async def test_is_not_of_cases_that_wait_for_nobody(self, engine: AsyncEngine, case: str, stage: Stage) -> None:
        await change(engine, case, stage=stage, running=stage is Stage.CLOSURE)
        assert await unnoticed(engine, NOON + timedelta(days=300)) == 0

    async def test_is_not_of_cases_that_are_marked(self, engine: AsyncEngine, case: str) -> None:
        await change(engine, case, late_since=NOON)
        assert await unnoticed(engine, NOON + timedelta(days=300)) == 0


@asynccontextmanager
async def neglected(stack: Stack, case: Json) -> AsyncIterator[None]:
    """As if its deadline had passed an hour ago and nobody had told the lists."""
    async with reading(stack.engines[0]) as connection:
        due = await connection.scalar(select(col(CaseRow.due_at)).where(col(CaseRow.id) == case["id"]))
    await change(stack.engines[0], case["id"], due_at=datetime.now(UTC) - timedelta(hours=1))
    yield
    await change(stack.engines[0], case["id"], due_at=due)


class TestTheMetric:
    async def shown(self, stack: Stack) -> float:
        return value(await read(f"{stack.url}/metrics"), NAME)

    async def test_shows_what_is_neglected_now(self, stack: Stack) -> None:
        case = await stack.recorded(await stack.open())
        before = await self.shown(stack)
        async with neglected(stack, case):
            assert await self.shown(stack) == before + 1
        assert await self.shown(stack) == before

    async def test_says_nothing_and_hides_nothing_else_without_a_database(self, stack: Stack) -> None:
        with stack.without_database():
            found = await read(f"{stack.url}/metrics")
        assert isnan(value(found, NAME))
        assert value(found, "rectify_http_requests_total", route="/metrics") >= 0
        assert {sample.name for sample in found} >= {"rectify_http_requests_total"}
