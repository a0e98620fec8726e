"""A case that goes on in a new run: nothing lost, nothing twice, and nobody notices."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from temporalio.testing import WorkflowEnvironment

from domain.case import Stage
from domain.events import RungFired
from tests.support.cases import DISPATCHER, UNIT
from tests.support.engine import Desk, Handle, continued, current_details
from workflows import interface as i


@pytest.fixture(params=[1000, 0], ids=["cached", "uncached"])
def impatient_desk(request: pytest.FixtureRequest, impatient_temporal: WorkflowEnvironment) -> Desk:
    return Desk(impatient_temporal, max_cached_workflows=request.param)


async def comments(desk: Desk, handle: Handle, numbers: range) -> None:
    await asyncio.gather(
        *(desk.give(handle, "comment", UNIT, key=f"key-{number}", text=f"第 {number} 次") for number in numbers)
    )


class TestManyAtOnce:
    async def test_none_is_lost_and_none_comes_twice(self, impatient_desk: Desk) -> None:
        desk = impatient_desk
        async with desk.worker():
            handle = await desk.open()
            first = (await handle.describe()).run_id
            for start in range(0, 104, 8):  # the server takes ten at a time for one case
                await comments(desk, handle, range(start, start + 8))
            assert (await handle.describe()).run_id != first
            await desk.fakes.until(lambda: len(desk.fakes.events(handle.id)) == 106)
            events = desk.fakes.events(handle.id)
            assert [event.seq for event in events] == list(range(1, 107))
            given = [event.command_id for event in events if event.command_id]
            assert sorted(given) == sorted(f"key-{number}" for number in range(104))
            assert (await desk.case(handle)).version == 106
            versions = [record.case.version for record in desk.fakes.records]
            assert all(earlier <= later for earlier, later in pairwise(versions))


class TestTheLedger:
    async def test_answers_for_a_key_of_an_earlier_run(self, impatient_desk: Desk) -> None:
        desk = impatient_desk
        async with desk.worker():
            handle = await desk.open()
            await desk.give(handle, "accept", UNIT, key="k", digest="first")
            await continued(desk, handle)
            before = await desk.case(handle)
            again = await desk.give(handle, "accept", UNIT, key="k", digest="other")
            assert again == i.Receipt(case=before, digest="first")
            assert [event.command_id for event in desk.fakes.events(handle.id)].count("k") == 1


class TestWhatIsCarried:
    async def test_rungs_that_fired_do_not_fire_again(self, impatient_desk: Desk) -> None:
        desk = impatient_desk
        async with desk.worker():
            handle = await desk.open()
            await desk.advance(handle, timedelta(hours=13))
            await continued(desk, handle)
            await desk.advance(handle, timedelta(hours=4))
            fired = [event.fact.rung for event in desk.fakes.events(handle.id) if isinstance(event.fact, RungFired)]
            assert fired == ["remind", "warn", "urge"]

    async def test_what_an_absent_recorder_has_not_seen_is_not_lost(self, impatient_desk: Desk) -> None:
        desk = impatient_desk
        desk.fakes.fail = 1
        desk.fakes.open.clear()
        async with desk.worker():
            handle = await desk.open()
            await desk.give(handle, "accept", UNIT)
            await continued(desk, handle)
            assert desk.fakes.records == []
            desk.fakes.open.set()
            version = (await desk.case(handle)).version
            await desk.fakes.until(lambda: len(desk.fakes.events(handle.id)) == version)
            assert [event.seq for event in desk.fakes.events(handle.id)] == list(range(1, version + 1))
            assert desk.fakes.records[0].rules is not None

    async def test_a_reprojection_asked_for_before_is_still_done(self, impatient_desk: Desk) -> None:
        desk = impatient_desk
        desk.fakes.fail = 1
        desk.fakes.open.clear()
        async with desk.worker():
            handle = await desk.open()
            await desk.give(handle, "accept", UNIT)  # its record hangs, so the next one has to wait
            await desk.update(handle, i.REPROJECT)
            await continued(desk, handle)
            desk.fakes.open.set()
            await desk.fakes.until(lambda: any(record.rewrite for record in desk.fakes.records))
            (again,) = [record for record in desk.fakes.records if record.rewrite]
            assert [event.seq for event in again.events] == list(range(1, again.case.version + 1))

    async def test_operators_still_find_it_and_read_how_it_stands(self, impatient_desk: Desk) -> None:
        desk = impatient_desk
        async with desk.worker():
            handle = await desk.open()
            before = await handle.describe()
            await desk.give(handle, "urge", DISPATCHER, note="请尽快")
            await continued(desk, handle)
            after = await handle.describe()
            assert after.typed_search_attributes == before.typed_search_attributes
            assert Stage.ASSIGNMENT in await current_details(handle)
