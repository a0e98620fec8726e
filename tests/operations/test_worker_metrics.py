"""What goes wrong with cases shows at the worker's metrics, by the names that the alerts go by. Each is caused."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from activities import metrics as names
from tests.operations.watched import Watched
from tests.support.cases import UNIT
from tests.support.engine import Desk
from workflows import case

STUCK = "temporal_workflow_task_execution_failed"


@pytest.fixture
def watched(temporal: WorkflowEnvironment) -> Watched:
    return Watched.of(temporal)


def bug(*_: object) -> Any:  # noqa: ANN401 - never returns
    raise RuntimeError("a bug")


class TestAStuckCase:
    async def test_that_meets_a_bug_shows(
        self, watched: Watched, lonely_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with asyncio.timeout(20), watched.working(lonely_desk.fakes, lonely_desk.task_queue):
            assert await watched.value(STUCK) == 0
            with monkeypatch.context() as broken:
                broken.setattr(case.CaseWorkflow, "_hand_over", bug)
                await lonely_desk.open()
                await watched.until(STUCK, 1, failure_reason="WorkflowError", workflow_type="case")

    async def test_whose_code_has_changed_under_it_shows(
        self, watched: Watched, lonely_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with watched.working(lonely_desk.fakes, lonely_desk.task_queue, max_cached_workflows=0):
            handle = await lonely_desk.open()
            await lonely_desk.give(handle, "accept", UNIT)
            monkeypatch.setattr(case.CaseWorkflow, "_hand_over", lambda _self: None)
            giving = asyncio.create_task(lonely_desk.give(handle, "comment", UNIT, text="还在吗"))
            async with asyncio.timeout(20):
                await watched.until(STUCK, 1, failure_reason="NonDeterminismError", workflow_type="case")
            giving.cancel()
            await asyncio.gather(giving, return_exceptions=True)


class TestAFullOutbox:
    async def test_shows_until_it_is_empty(self, watched: Watched, lonely_desk: Desk) -> None:
        lonely_desk.fakes.fail = 3
        async with asyncio.timeout(30), watched.working(lonely_desk.fakes, lonely_desk.task_queue):
            assert await watched.value(names.FAILURES) == 0
            handle = await lonely_desk.open()
            await watched.until(names.WAITING, 1)
            await lonely_desk.fakes.until(lambda: bool(lonely_desk.fakes.facts(handle.id)))
            assert await watched.value(names.FAILURES) == 3
            while await watched.value(names.WAITING):
                pass

    async def test_forgets_whom_another_worker_has_taken_up(
        self, watched: Watched, lonely_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(names, "_FORGOTTEN_AFTER", 0.0)
        lonely_desk.fakes.fail = 1
        async with asyncio.timeout(30), watched.working(lonely_desk.fakes, lonely_desk.task_queue):
            await lonely_desk.open()
            await watched.until(names.FAILURES, 1)
            assert await watched.value(names.WAITING) == 0


class TestListsThatLagBehind:
    async def test_show_by_how_much(self, watched: Watched, lonely_desk: Desk) -> None:
        """After the second attempt in vain half a second goes by."""
        lonely_desk.fakes.fail = 2
        async with asyncio.timeout(30), watched.working(lonely_desk.fakes, lonely_desk.task_queue):
            await lonely_desk.open()
            await watched.until(f"{names.LAG}_count", 1)
            assert 0.5 < await watched.value(f"{names.LAG}_sum") < 15
            assert await watched.value(f"{names.LAG}_bucket", le="0.5") == 0
            assert await watched.value(f"{names.LAG}_bucket", le="30") == 1

    async def test_do_not_when_what_was_written_is_only_written_again(
        self, watched: Watched, lonely_desk: Desk
    ) -> None:
        async with asyncio.timeout(30), watched.working(lonely_desk.fakes, lonely_desk.task_queue):
            handle = await lonely_desk.open()
            await watched.until(f"{names.LAG}_count", 1)
            await lonely_desk.update(handle, "reproject")
            await lonely_desk.fakes.until(lambda: lonely_desk.fakes.records[-1].rewrite)
            assert await watched.value(f"{names.LAG}_count") == 1

    async def test_do_not_when_what_fell_due_is_caught_up(self, watched: Watched, lonely_desk: Desk) -> None:
        """It is dated when it fell due, however late a worker noticed."""
        async with asyncio.timeout(30), watched.working(lonely_desk.fakes, lonely_desk.task_queue):
            handle = await lonely_desk.open()
            await lonely_desk.advance(handle, timedelta(days=1))
            await lonely_desk.fakes.until(lambda: "RungFired" in lonely_desk.fakes.facts(handle.id))
            await lonely_desk.give(handle, "comment", UNIT, text="已到现场")
            await watched.until(f"{names.LAG}_count", 2)
            assert await watched.value(f"{names.LAG}_count") == 2

    async def test_are_never_ahead(self, watched: Watched, lonely_desk: Desk) -> None:
        async with asyncio.timeout(30), watched.working(lonely_desk.fakes, lonely_desk.task_queue):
            handle = await lonely_desk.open()
            await lonely_desk.advance(handle, timedelta(hours=1))
            await lonely_desk.give(handle, "accept", UNIT)
            await watched.until(f"{names.LAG}_count", 2)
            assert 0 <= await watched.value(f"{names.LAG}_sum") < 10
