"""Cases that an older release opened are finished by this one, whatever state they are in when it takes over."""

import asyncio
import signal
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner

from domain import life
from domain.case import Case, Snapshot
from domain.events import Event
from domain.evolve import begin, evolve
from tests.support import previous
from tests.support.engine import Desk, Handle
from tests.support.kept_build import FOLDER, latest
from tests.support.lives import Given, Life, all_of_them, facts, late, suspended, told, unrecorded
from tests.support.previous import PreviousClient, PreviousWorker, previous_client, previous_worker
from workflows import interface as i
from workflows.client import CaseEngine

PATIENCE = timedelta(seconds=20)


@dataclass
class Lived:
    """A case, and what has been done to it."""

    life: Life
    desk: Desk
    keys: int = 0

    @property
    def handle(self) -> Handle:
        return self.desk.client.get_workflow_handle(self.life.opening.id)

    @property
    def engine(self) -> CaseEngine:
        return CaseEngine(self.desk.client, task_queue=self.desk.task_queue, timeout=PATIENCE)

    def key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    async def before(self, ask: PreviousClient) -> None:
        """All of it through the previous release: its client, its worker."""
        await ask("open", opening=self.life.opening)
        for step in self.life.before:
            if isinstance(step, Given):
                await ask("give", case=self.handle.id, name=step.name, order=order(step), key=self.key())
            else:
                await self.desk.advance(self.handle, step)

    async def after(self) -> Snapshot:
        """All of it through this release. First of all, somebody who got no answer asks again."""
        if self.life.before and isinstance(last := self.life.before[-1], Given):
            await self.engine.give(self.handle.id, last.name, order(last), f"key-{self.keys}")
        for step in self.life.after:
            if isinstance(step, Given):
                await self.engine.give(self.handle.id, step.name, order(step), self.key())
            else:
                await self.desk.advance(self.handle, step)
        await self.handle.result()
        return await self.engine.snapshot(self.handle.id)

    def from_events(self, events: list[Event]) -> Snapshot:
        """How the case must stand, by its events alone."""
        case: Case = begin(self.life.opening.rules, events[0])
        for event in events[1:]:
            case = evolve(case, event)
        return life.snapshot(case)


def order(step: Given) -> i.Order:
    return i.Order(actor=step.actor, body=step.body, digest=step.name)


async def lived_before(desk: Desk, lives: list[Lived], worker: PreviousWorker) -> None:
    async with previous_client(desk) as ask:
        for each in lives:
            await each.before(ask)
    unrecorded = [each.handle.id for each in lives if not each.life.recorded]
    await desk.fakes.until(lambda: all(worker.refused.count(case) >= 2 for case in unrecorded))


def with_something_under_way() -> tuple[Life, ...]:
    """A timer, rungs that have fired, a record that is tried again: what a replay for every task could lose."""
    return suspended(), late(), unrecorded()


class TestARunningCase:
    @pytest.mark.parametrize(
        ("cache", "end", "build"),
        [
            pytest.param(1000, signal.SIGTERM, latest(), id="stopped"),
            pytest.param(1000, signal.SIGKILL, latest(), id="killed"),
            pytest.param(0, signal.SIGTERM, latest(), id="uncached"),
            pytest.param(1000, signal.SIGTERM, FOLDER / "rectify-0.1.0.zip", id="oldest"),
        ],
    )
    async def test_is_finished_by_this_release(
        self,
        temporal: WorkflowEnvironment,
        cache: int,
        end: signal.Signals,
        build: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(previous, "latest", lambda: build)
        desk = Desk(temporal, max_cached_workflows=cache)
        lives = [Lived(each, desk) for each in (all_of_them() if cache else with_something_under_way())]
        refuse = [each.handle.id for each in lives if not each.life.recorded]
        async with previous_worker(desk, refuse=refuse) as worker:
            await lived_before(desk, lives, worker)
            assert await worker.end(end) == (0 if end is signal.SIGTERM else -end)
        async with desk.worker(runner=UnsandboxedWorkflowRunner()):
            if desk.max_cached_workflows:
                await asyncio.gather(*(finished(each) for each in lives))
            else:  # one by one: without a cache the SDK's core gives up local activities of others (sdk-rust#1482)
                for each in lives:
                    await finished(each)


async def finished(lived: Lived) -> None:
    desk, case, final = lived.desk, lived.handle.id, await lived.after()
    events = desk.fakes.events(case)
    assert facts(events) == lived.life.facts
    assert [event.seq for event in events] == list(range(1, final.version + 1))
    assert (await lived.handle.describe()).status is WorkflowExecutionStatus.COMPLETED
    records = [record for record in desk.fakes.records if record.case.id == case]
    assert {told(event) for event in desk.fakes.written(case)} == {told(event) for event in events}
    keys = [key for key, _ in groupby(event.command_id for event in events if event.command_id)]
    assert keys == [f"key-{number + 1}" for number in range(lived.keys)]
    assert records[0].rules == lived.life.opening.rules
    assert records[-1].case == final == lived.from_events(_of_the_last_attempt(desk.fakes.written(case)))


def _of_the_last_attempt(written: list[Event]) -> list[Event]:
    """As `store/disputes.py` decides: an old release dates what time does when it notices it, so a task that is done
    again leaves another instant. In the workflow's history is the last.
    """
    kept = {event.seq: event for event in written}
    return [kept[seq] for seq in sorted(kept)]
