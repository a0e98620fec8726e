"""What an operator sees of a case in Temporal itself, and what he can and cannot do there."""

import asyncio
from datetime import timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from domain.case import Stage
from tests.support.cases import DISPATCHER, OFFICER, OTHER_PHOTO, STREET, UNIT
from tests.support.engine import Desk, Handle, continued, current_details
from workflows import attributes

UPSERT = EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES


async def found(desk: Desk, query: str) -> list[str]:
    return [execution.id async for execution in desk.client.list_workflows(query)]


async def found_in_the_end(desk: Desk, query: str) -> list[str]:
    """Visibility follows a moment later, and has no way to tell when."""
    async with asyncio.timeout(20):
        while not (ids := await found(desk, query)):  # noqa: ASYNC110 - the server announces nothing here
            await asyncio.sleep(0.02)
    return ids


class TestSearchAttributes:
    async def test_are_there_from_the_start(self, lonely_desk: Desk) -> None:
        handle = await lonely_desk.open()
        query = f"WorkflowId = '{handle.id}' AND CaseUnit = 'sanitation' AND CaseArea = '{STREET}'"
        assert await found_in_the_end(lonely_desk, query) == [handle.id]

    async def test_follow_the_case_to_another_unit(self, desk: Desk) -> None:
        handle = await desk.open()
        await desk.give(handle, "return", UNIT, reason="不归我管")
        await desk.give(handle, "assign", DISPATCHER, unit="roads", reason="按职责")
        query = f"WorkflowId = '{handle.id}' AND CaseUnit = 'roads'"
        assert await found_in_the_end(desk, query) == [handle.id]

    async def test_cost_nothing_from_stage_to_stage(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        await quick_desk.give(handle, "accept", UNIT)
        await quick_desk.give(handle, "submit", UNIT, note="清理完毕", evidence=[OTHER_PHOTO])
        events = (await handle.fetch_history()).events
        assert not [event for event in events if event.event_type == UPSERT]

    async def test_cost_nothing_when_a_herd_of_deadlines_passes(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        await quick_desk.advance(handle, timedelta(days=5))
        assert (await quick_desk.case(handle)).escalation_level > 0
        events = (await handle.fetch_history()).events
        assert not [event for event in events if event.event_type == UPSERT]

    async def test_of_an_earlier_release_do_not_stay_behind_in_a_new_run(
        self, impatient_temporal: WorkflowEnvironment
    ) -> None:
        desk = Desk(impatient_temporal)
        async with desk.worker():
            handle = await desk.open(manners=1)
            await desk.give(handle, "accept", UNIT)
            before = (await handle.describe()).typed_search_attributes
            assert before[attributes.STAGE] == "rectification"
            await continued(desk, handle)
            await desk.give(handle, "comment", UNIT, text="新的一程")
            kept = {attributes.UNIT.name, attributes.AREA.name}
            after = (await handle.describe()).typed_search_attributes
            assert {name for key, _ in after if (name := key.name).startswith("Case")} == kept


class TestTheCaseFile:
    async def test_has_a_summary_of_what_it_is(self, lonely_desk: Desk) -> None:
        handle = await lonely_desk.open()
        assert await (await handle.describe()).static_summary() == f"E0101-1 · {STREET} · normal"

    async def test_has_details_of_how_it_stands(self, desk: Desk) -> None:
        handle = await desk.open()
        assert Stage.ASSIGNMENT in await current_details(handle)
        await desk.give(handle, "accept", UNIT)
        details = await current_details(handle)
        assert Stage.RECTIFICATION in details
        assert "sanitation" in details

    async def test_names_nobody_and_no_place(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        await quick_desk.give(handle, "accept", UNIT)
        shown = await current_details(handle) + str(await (await handle.describe()).static_summary())
        for private in ("桥头巷", "堆放垃圾", OFFICER.user, UNIT.user):
            assert private not in shown


async def goes_on(desk: Desk, handle: Handle) -> None:
    receipt = await desk.give(handle, "accept", UNIT)
    assert receipt.case.stage is Stage.RECTIFICATION
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


class TestACancellation:
    async def test_changes_nothing(self, desk: Desk) -> None:
        handle = await desk.open()
        before = await desk.case(handle)
        await handle.cancel()
        assert await desk.case(handle) == before
        await goes_on(desk, handle)

    async def test_before_the_first_worker_came_changes_nothing(self, lonely_desk: Desk) -> None:
        handle = await lonely_desk.open()
        await handle.cancel()
        async with lonely_desk.worker():
            await goes_on(lonely_desk, handle)

    async def test_while_recording_changes_nothing(self, desk: Desk) -> None:
        desk.fakes.fail = 1
        desk.fakes.open.clear()
        handle = await desk.open()
        await desk.give(handle, "comment", UNIT, text="先说一句")
        await handle.cancel()
        await goes_on(desk, handle)
        desk.fakes.open.set()
        await desk.fakes.until(lambda: len(desk.fakes.events(handle.id)) == 4)
        assert desk.fakes.facts(handle.id)[-1] == "CaseAccepted"
