"""What is handed over to be written down: in order, complete, and never in the way of the case."""

import asyncio
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from temporalio.client import WorkflowExecutionStatus

from domain.case import Stage
from domain.record import Record
from tests.support.cases import OFFICER, SUPERVISOR, UNIT
from tests.support.engine import Desk, Handle
from workflows import interface as i


@pytest.fixture
async def hanging(desk: Desk) -> Handle:
    """A case whose opening could not be written down at once, and is being written down for ever."""
    desk.fakes.fail = 1
    desk.fakes.open.clear()
    handle = await desk.open()
    await desk.give(handle, "comment", UNIT, text="先说一句")
    return handle


class TestARecorderThatFails:
    async def test_is_asked_again_by_an_ordinary_activity(self, desk: Desk) -> None:
        desk.fakes.fail = 1
        handle = await desk.open()
        await desk.give(handle, "accept", UNIT)
        await desk.fakes.until(lambda: len(desk.fakes.facts(handle.id)) == 3)
        assert desk.fakes.facts(handle.id) == ["CaseOpened", "CaseDispatched", "CaseAccepted"]
        assert desk.fakes.attempts == len(desk.fakes.records) + 1

    async def test_gets_everything_in_order_once_it_works_again(self, desk: Desk) -> None:
        desk.fakes.fail = 3
        handle = await desk.open()
        for number in range(10):
            await desk.give(handle, "comment", UNIT, text=f"第 {number} 次")
        await desk.fakes.until(lambda: len(desk.fakes.events(handle.id)) == 12)
        assert [event.seq for event in desk.fakes.events(handle.id)] == list(range(1, 13))


class TestARecorderThatHangs:
    async def test_does_not_keep_commands_waiting(self, desk: Desk, hanging: Handle) -> None:
        started = monotonic()
        for number in range(5):
            await desk.give(hanging, "comment", UNIT, text=f"第 {number} 次")
        assert monotonic() - started < 2
        assert desk.fakes.records == []
        desk.fakes.open.set()
        await desk.fakes.until(lambda: len(desk.fakes.events(hanging.id)) == 8)
        assert [event.seq for event in desk.fakes.events(hanging.id)] == list(range(1, 9))

    async def test_keeps_the_first_command_waiting_for_one_attempt_only(self, quick_desk: Desk) -> None:
        quick_desk.fakes.open.clear()
        started = monotonic()
        handle = await quick_desk.open()
        await quick_desk.give(handle, "accept", UNIT)
        assert monotonic() - started < i.RECORD_AT_ONCE.total_seconds() + 2
        quick_desk.fakes.open.set()
        await quick_desk.fakes.until(lambda: len(quick_desk.fakes.events(handle.id)) == 3)

    async def test_does_not_let_time_pass_when_an_attempt_ends(self, quick_desk: Desk) -> None:
        """The instant of that end is another one in replay. What a timer was armed for is the same for ever."""
        handle = await quick_desk.open()
        await quick_desk.give(handle, "accept", UNIT)
        quick_desk.fakes.open.clear()
        due = datetime.now(UTC) + timedelta(milliseconds=500)
        order = quick_desk.give(handle, "supervise", SUPERVISOR, requirement="马上处理", due=due.isoformat())
        giving = asyncio.create_task(order)
        await asyncio.sleep(0.8)  # the attempt has to end after the deadline
        quick_desk.fakes.open.set()
        await giving
        await quick_desk.fakes.until(lambda: "SupervisionExpired" in quick_desk.fakes.facts(handle.id))
        assert (await quick_desk.log(handle))[-1].at == due

    async def test_does_not_keep_an_earlier_deadline_waiting(self, desk: Desk, hanging: Handle) -> None:
        due = datetime.now(UTC) + timedelta(milliseconds=500)
        await desk.give(hanging, "supervise", SUPERVISOR, requirement="马上处理", due=due.isoformat())
        await desk.rung(hanging)
        async with asyncio.timeout(10):  # a look into the task of the ring sees the case before it
            while [event.fact.type for event in await desk.log(hanging)][-1] != "SupervisionExpired":
                pass
        assert desk.fakes.records == []
        desk.fakes.open.set()
        await desk.fakes.until(lambda: "SupervisionExpired" in desk.fakes.facts(hanging.id))
        assert [event.seq for event in desk.fakes.events(hanging.id)] == list(range(1, 6))


class TestTheEnd:
    async def test_comes_only_after_everything_is_recorded(self, desk: Desk, hanging: Handle) -> None:
        withdrawn = await desk.give(hanging, "withdraw", OFFICER, reason="误报")
        assert withdrawn.case.stage is Stage.WITHDRAWN
        assert (await hanging.describe()).status is WorkflowExecutionStatus.RUNNING
        desk.fakes.open.set()
        await hanging.result()
        assert desk.fakes.facts(hanging.id)[-1] == "CaseWithdrawn"


class TestReprojection:
    async def test_writes_everything_down_again(self, desk: Desk) -> None:
        handle = await desk.open()
        await desk.give(handle, "accept", UNIT)
        before = list(desk.fakes.records)
        assert await desk.update(handle, i.REPROJECT) == 3
        await desk.fakes.until(lambda: desk.fakes.records[-1].rewrite)
        (again,) = desk.fakes.records[len(before) :]
        assert again == Record(
            case=await desk.case(handle),
            events=tuple(event for record in before for event in record.events),
            rules=before[0].rules,
            rewrite=True,
            begun=again.begun,
        )

    async def test_is_begun_after_what_it_writes_again(self, quick_desk: Desk) -> None:
        """By this the tables tell which of two attempts is right."""
        opened = datetime.now(UTC)
        handle = await quick_desk.open()
        await quick_desk.update(handle, i.REPROJECT)
        await quick_desk.fakes.until(lambda: quick_desk.fakes.records[-1].rewrite)
        begun = [record.begun for record in quick_desk.fakes.records if record.begun]
        assert opened <= begun[0] <= begun[-1] <= datetime.now(UTC)

    async def test_is_not_forgotten_while_the_recorder_is_away(self, desk: Desk, hanging: Handle) -> None:
        await desk.update(hanging, i.REPROJECT)
        desk.fakes.open.set()
        await desk.fakes.until(lambda: any(record.rewrite for record in desk.fakes.records))
        assert desk.fakes.records[-1].case == await desk.case(hanging)
