"""What time alone does, on the real engine, with a case's clock moved by hand."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import workflow
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner

from domain.case import Stage
from domain.errors import Conflict
from domain.events import RungFired
from tests.support.cases import DISPATCHER, INSPECTOR, OTHER_PHOTO, SUPERVISOR, UNIT, limit, with_holidays
from tests.support.engine import ROUND_THE_CLOCK, Desk, Handle, report, told
from workflows import interface as i

#: The unit's two work days of eight hours, and the ladder up to a summons five work days later.
TO_THE_SUMMONS = timedelta(hours=16 + 40, minutes=1)
LADDER = ["remind", "warn", "urge", "supervise", "yellow_card", "red_card", "summon"]


def firings(desk: Desk, handle: Handle) -> list[tuple[datetime, RungFired]]:
    """With the instant of each event."""
    return [(event.at, event.fact) for event in desk.fakes.events(handle.id) if isinstance(event.fact, RungFired)]


def rungs(desk: Desk, handle: Handle) -> list[str]:
    return [fact.rung for _, fact in firings(desk, handle)]


class TestALateUnit:
    async def test_climbs_the_ladder_to_a_summons_each_rung_once(self, desk: Desk) -> None:
        handle = await desk.open()
        await desk.advance(handle, TO_THE_SUMMONS)
        assert rungs(desk, handle) == LADDER
        case = await desk.case(handle)
        assert (case.escalation_level, case.overdue) == (5, True)

    async def test_meets_each_rung_in_its_own_hour(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        await quick_desk.advance(handle, timedelta(hours=7, minutes=59))
        assert rungs(quick_desk, handle) == []
        await quick_desk.advance(handle, timedelta(minutes=2))
        assert rungs(quick_desk, handle) == ["remind"]
        await quick_desk.advance(handle, timedelta(hours=4, minutes=48))
        assert rungs(quick_desk, handle) == ["remind", "warn"]

    async def test_is_summoned_again_and_again(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        await quick_desk.advance(handle, TO_THE_SUMMONS + timedelta(hours=80))
        assert rungs(quick_desk, handle) == [*LADDER, "summon", "summon"]

    async def test_may_no_longer_ask_for_more_time(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        await quick_desk.give(handle, "accept", UNIT)
        await quick_desk.advance(handle, timedelta(hours=17))
        with pytest.raises(Conflict) as refusal:
            await quick_desk.give(handle, "request-extension", UNIT, reason="下雨")
        assert refusal.value.code == "already_overdue"


class TestTheInstantOfWhatTimeDoes:
    """It is what the timer was armed for: `now`, on which a worker and its replay may differ, has no say in it."""

    async def test_is_the_one_at_which_it_fell_due(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        await quick_desk.advance(handle, TO_THE_SUMMONS)
        fired = firings(quick_desk, handle)
        assert [at for at, _ in fired] == [fact.due_at for _, fact in fired]
        assert len(fired) == len(LADDER)

    async def test_is_kept_by_a_clock_that_stands_still(
        self, temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As if the worker's own run had taken each instant for the one at which the case was opened."""
        desk, opening = Desk(temporal), report()
        monkeypatch.setattr(workflow, "now", lambda: opening.opened_at)
        async with desk.worker(runner=UnsandboxedWorkflowRunner()):
            handle = await desk.open(opening)
            await desk.advance(handle, TO_THE_SUMMONS)
            assert rungs(desk, handle) == LADDER
        monkeypatch.undo()
        async with desk.worker():  # another worker, with a clock that goes
            log = await desk.log(handle)
            assert [event.at for event in log] == [event.at for event in desk.fakes.events(handle.id)]

    async def test_was_the_clock_s_until_0_2(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open(manners=i.QUIET)
        await quick_desk.advance(handle, timedelta(hours=9))
        ((at, fact),) = firings(quick_desk, handle)
        assert fact.due_at < at < fact.due_at + timedelta(minutes=1)


class TestAWorkerThatWasDown:
    async def test_catches_up_at_once(self, lonely_desk: Desk) -> None:
        async with lonely_desk.worker():
            handle = await lonely_desk.open()
            await lonely_desk.give(handle, "accept", UNIT)
        skipped = asyncio.create_task(lonely_desk.advance(handle, TO_THE_SUMMONS))
        await lonely_desk.rung(handle)
        async with lonely_desk.worker():
            await skipped
            await lonely_desk.fakes.until(lambda: len(rungs(lonely_desk, handle)) == len(LADDER))
            assert rungs(lonely_desk, handle) == LADDER

    async def test_repeats_what_repeats_each_at_its_own_instant(self, lonely_desk: Desk) -> None:
        async with lonely_desk.worker():
            handle = await lonely_desk.open()
            await lonely_desk.give(handle, "accept", UNIT)
        skipped = asyncio.create_task(lonely_desk.advance(handle, TO_THE_SUMMONS + timedelta(hours=3 * 40)))
        await lonely_desk.rung(handle)
        async with lonely_desk.worker():
            await skipped
            await lonely_desk.fakes.until(lambda: len(rungs(lonely_desk, handle)) == len(LADDER) + 3)
            assert [(at, fact.times) for at, fact in firings(lonely_desk, handle)[-3:]] == [
                (fact.due_at, times) for times, (_, fact) in enumerate(firings(lonely_desk, handle)[-3:], start=2)
            ]

    async def test_misses_nothing_of_a_case_that_it_never_saw(self, lonely_desk: Desk) -> None:
        """A week passes between the start and the first task."""
        before = report()
        week_ago = before.opened_at - timedelta(days=7)
        handle = await lonely_desk.open(before.model_copy(update={"opened_at": week_ago, "discovered_at": week_ago}))
        async with lonely_desk.worker():
            await lonely_desk.fakes.until(lambda: "summon" in rungs(lonely_desk, handle))
            assert rungs(lonely_desk, handle) == LADDER

    async def test_leaves_nothing_out_when_its_clock_is_moved(self, lonely_desk: Desk) -> None:
        """The server passes over a timer of no time at all, up to where the clock is moved to."""
        week_ago = datetime.now(UTC) - timedelta(days=7)
        handle = await lonely_desk.open(report(opened_at=week_ago, discovered_at=week_ago))
        skipped = asyncio.create_task(lonely_desk.advance(handle, timedelta(hours=1)))
        await told(handle, "workflow_execution_options_updated_event_attributes")
        async with lonely_desk.worker():
            await skipped
            assert (await lonely_desk.case(handle)).escalation_level == 5

    async def test_puts_off_nothing_that_fell_due_meanwhile(
        self, lonely_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Even if it takes the present for an earlier time, as it does when a query comes before the task."""
        due = datetime.now(UTC) + timedelta(seconds=0.5)
        opened = due - timedelta(hours=8)  # for the reminder
        handle = await lonely_desk.open(report(opened_at=opened, discovered_at=opened))
        monkeypatch.setattr(workflow, "now", lambda: opened)
        await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
        async with lonely_desk.worker(runner=UnsandboxedWorkflowRunner()):
            assert timedelta(0) < await first_delay(handle) < timedelta(seconds=0.1)
            await lonely_desk.fakes.until(lambda: rungs(lonely_desk, handle) == ["remind"])


async def first_delay(handle: Handle) -> timedelta:
    event = await told(handle, "timer_started_event_attributes")
    return event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()


class TestAStaleTimer:
    async def test_rings_for_nothing(self, desk: Desk) -> None:
        handle = await desk.open()
        await desk.give(handle, "accept", UNIT)
        await desk.give(handle, "suspend", SUPERVISOR, reason="等设备", until=_in_days(30))
        version = (await desk.case(handle)).version
        await desk.advance(handle, timedelta(days=20))
        assert (await desk.case(handle)).version == version
        assert len(desk.fakes.events(handle.id)) == version


class TestASuspension:
    async def test_ends_by_itself_and_the_clock_runs_on(self, desk: Desk) -> None:
        handle = await desk.open()
        await desk.give(handle, "accept", UNIT)
        suspended = await desk.give(handle, "suspend", DISPATCHER, reason="等设备", until=_in_days(3))
        assert suspended.case.suspended_until is not None
        await desk.advance(handle, timedelta(days=3, minutes=1))
        case = await desk.case(handle)
        assert (case.suspended_until, case.suspensions, case.overdue) == (None, 1, False)
        assert desk.fakes.facts(handle.id)[-1] == "SuspensionEnded"
        await desk.advance(handle, timedelta(hours=17))
        assert (await desk.case(handle)).overdue


class TestTheClosureWindow:
    async def test_archives_the_case_and_ends_the_workflow(self, desk: Desk) -> None:
        handle = await desk.open()
        await desk.give(handle, "accept", UNIT)
        await desk.give(handle, "submit", UNIT, note="清理完毕", evidence=[OTHER_PHOTO])
        await desk.give(handle, "inspect", INSPECTOR, result="pass", note="已整改")
        await desk.advance(handle, timedelta(days=7, minutes=1))
        await handle.result()
        assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
        assert desk.fakes.facts(handle.id)[-1] == "CaseArchived"
        assert desk.fakes.records[-1].case.stage is Stage.ARCHIVED


class TestANewCalendar:
    async def test_moves_the_deadline_and_its_rungs(self, desk: Desk) -> None:
        opening = report()
        handle = await desk.open(opening)
        before = (await desk.give(handle, "accept", UNIT)).case
        assert before.due_at is not None
        days = [(opening.opened_at + timedelta(days=n)).date().isoformat() for n in range(-1, 4)]
        published = i.Publication(calendar=with_holidays(ROUND_THE_CLOCK, *days))
        assert await desk.update(handle, i.RECALENDAR, published) is True
        after = await desk.case(handle)
        assert after.due_at is not None
        assert after.due_at > before.due_at + timedelta(days=2)
        await desk.advance(handle, timedelta(days=2))
        assert rungs(desk, handle) == []
        await desk.advance_to(handle, after.due_at + timedelta(minutes=1))
        assert rungs(desk, handle) == ["remind", "warn", "urge"]

    async def test_that_comes_earlier_arms_an_earlier_timer(self, quick_desk: Desk) -> None:
        opening = report(limit=limit("9 work_day"))
        slow = with_holidays(
            ROUND_THE_CLOCK, *((opening.opened_at + timedelta(days=n)).date().isoformat() for n in range(9))
        )
        handle = await quick_desk.open(opening.model_copy(update={"rules": opening.rules.changed(calendar=slow)}))
        quick = ROUND_THE_CLOCK.model_copy(update={"version": slow.version + 1})
        assert await quick_desk.update(handle, i.RECALENDAR, i.Publication(calendar=quick)) is True
        await quick_desk.advance(handle, timedelta(hours=37))
        assert rungs(quick_desk, handle) == ["remind"]

    async def test_of_an_older_or_another_version_changes_nothing(self, desk: Desk) -> None:
        handle = await desk.open()
        await desk.give(handle, "accept", UNIT)
        for calendar in (ROUND_THE_CLOCK, ROUND_THE_CLOCK.model_copy(update={"id": "elsewhere", "version": 9})):
            assert await desk.update(handle, i.RECALENDAR, i.Publication(calendar=calendar)) is False
        assert (await desk.case(handle)).version == 3

    async def test_travels_with_the_rules_to_the_record(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        calendar = ROUND_THE_CLOCK.model_copy(update={"version": 2})
        await quick_desk.update(handle, i.RECALENDAR, i.Publication(calendar=calendar))
        last = quick_desk.fakes.records[-1]
        assert last.rules is not None
        assert last.rules.calendar.version == 2


def _in_days(days: int) -> str:
    return (report().opened_at + timedelta(days=days)).isoformat()
