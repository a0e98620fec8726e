"""How a case that runs is asked for itself: without a query, without a trace. See docs/adr/0024-no-queries.md."""

import ast
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.errors import Unavailable
from tests.house.test_imports import ROOT, modules, parts
from tests.support.cases import OFFICER, UNIT
from tests.support.engine import Desk
from workflows import client
from workflows import interface as i

#: Asks runs that have ended.
ASKS = {"workflows/client.py", "chaos/judge/truth.py"}


class TestALook:
    async def test_tells_what_there_is(self, desk: Desk) -> None:
        handle = await desk.open()
        receipt = await desk.give(handle, "accept", UNIT)
        assert await desk.case(handle) == receipt.case
        assert [event.fact.type for event in await desk.log(handle)] == ["CaseOpened", "CaseDispatched", "CaseAccepted"]

    async def test_leaves_no_trace(self, desk: Desk) -> None:
        handle = await desk.open()
        await desk.give(handle, "accept", UNIT)
        await desk.fakes.until(lambda: len(desk.fakes.facts(handle.id)) == 3)
        before = len((await handle.fetch_history()).events)
        for _ in range(3):
            await desk.case(handle)
        assert len((await handle.fetch_history()).events) == before
        assert (await desk.give(handle, "comment", UNIT, text="照常")).case.version == 4

    async def test_at_what_has_ended_is_a_query(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        withdrawn = await quick_desk.give(handle, "withdraw", OFFICER, reason="误报")
        await handle.result()
        assert await quick_desk.case(handle) == withdrawn.case
        assert (await quick_desk.log(handle))[-1].fact.type == "CaseWithdrawn"

    async def test_does_not_disturb_a_timer(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        for _ in range(4):
            await quick_desk.advance(handle, timedelta(hours=5))
            await quick_desk.case(handle)
        assert quick_desk.fakes.facts(handle.id).count("RungFired") == 3


class TestACommandThatNoWorkerTookUp:
    async def test_may_be_given_again(self) -> None:
        """As Temporal says where a query has had a task done ahead, and nothing is left for the worker to do."""

        async def unprocessed() -> None:
            raise WorkflowUpdateFailedError(ApplicationError("rejected", type="UnprocessedUpdate"))

        with pytest.raises(Unavailable, match="engine_unavailable"):
            await client._translated(unprocessed())


def queries(source: str) -> list[int]:
    """Lines that call `.query(…)` with Temporal's patience."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "query"
        and any(each.arg == "rpc_timeout" for each in node.keywords)
    ]


class TestNobody:
    def test_asks_by_a_query_elsewhere(self) -> None:
        asking = {
            str(path.relative_to(ROOT)) for part in parts() for path in modules(part) if queries(path.read_text())
        }
        assert asking == ASKS

    def test_is_what_the_check_would_find(self) -> None:
        assert queries(f"handle.query({i.LOG!r}, rpc_timeout=patience)") == [1]
