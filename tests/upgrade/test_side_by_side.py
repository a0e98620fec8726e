"""While processes are exchanged, an API of one release talks to a worker of the other: both ways must understand.

Workers go first, see docs/upgrades.md: a case that this release opens may live by manners that the previous worker
does not know of. So it is the previous client that opens what the previous worker runs.
"""

import gc
import logging
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from domain import life
from domain.case import Snapshot, Stage
from domain.errors import Conflict, RectifyError
from tests.support.cases import UNIT, with_holidays
from tests.support.engine import ROUND_THE_CLOCK, Desk, Handle, told
from tests.support.lives import ACCEPT, COMMENT, SUBMIT, Given, plain_report
from tests.support.previous import previous_client, previous_worker
from workflows import attributes
from workflows import interface as i
from workflows.client import CaseEngine

NEWER = with_holidays(ROUND_THE_CLOCK, "2099-01-01")


def order(step: Given) -> i.Order:
    return i.Order(actor=step.actor, body=step.body, digest=step.name)


def as_that_release_says(case: Snapshot, said: dict[str, Any]) -> dict[str, Any]:
    """`case`, as far as that release knows of it."""
    ours = case.model_dump(mode="json")
    return {name: ours[name] for name in said}


class TestThisClient:
    async def test_understands_a_worker_of_the_previous_release(self, temporal: WorkflowEnvironment) -> None:
        desk = Desk(temporal)
        engine = CaseEngine(desk.client, task_queue=desk.task_queue, timeout=timedelta(seconds=20))
        opening = plain_report()
        async with previous_worker(desk), previous_client(desk) as ask:
            opened = await ask("open", opening=opening)
            assert (await engine.open(opening, "digest")).created is False
            first = await engine.give(opening.id, "accept", order(ACCEPT), "k1")
            assert (first.case.stage, first.digest) == (Stage.RECTIFICATION, "accept")
            assert (await engine.give(opening.id, "accept", order(ACCEPT), "k1")).digest == "accept"
            with pytest.raises(Conflict, match="stage_forbids") as refused:
                await engine.give(opening.id, "accept", order(ACCEPT), "k2")
            assert "submit" in str(refused.value.params["actions"])
            assert await engine.recalendar(opening.id, NEWER)
            last = await engine.give(opening.id, "submit", order(SUBMIT), "k3")
            assert last.case == await engine.snapshot(opening.id)
            assert last.case.commands == ("inspect", "urge", "supervise", "force-close", "comment")
            assert [event.seq for event in await engine.log(opening.id)] == list(range(1, last.case.version + 1))
            assert await engine.reproject(opening.id) == last.case.version
            beginning = await engine.beginning(opening.id)
            assert beginning.model_copy(update={"commands": ()}) == Snapshot.model_validate({**opened, "commands": ()})
            await desk.fakes.until(lambda: desk.fakes.records[-1].rewrite)
        assert desk.fakes.records[-1].case == last.case


class TestThisWorker:
    async def test_is_understood_by_a_client_of_the_previous_release(self, temporal: WorkflowEnvironment) -> None:
        desk = Desk(temporal)
        opening = plain_report()
        case = opening.id
        async with desk.worker(), previous_client(desk) as ask:
            opened = await ask("open", opening=opening)
            first = await ask("give", case=case, name="accept", order=order(ACCEPT), key="k1")
            assert first["digest"] == "accept"
            again = await ask("give", case=case, name="accept", order=order(COMMENT), key="k1")
            assert again["digest"] == "accept", "a key that was used for something else shows by this"
            with pytest.raises(RectifyError, match="stage_forbids"):
                await ask("give", case=case, name="accept", order=order(ACCEPT), key="k2")
            assert await ask("recalendar", case=case, calendar=NEWER)
            last = await ask("give", case=case, name="submit", order=order(SUBMIT), key="k3")
            now = await desk.case(desk.client.get_workflow_handle(case))
            assert last["case"] == await ask("snapshot", case=case) == as_that_release_says(now, last["case"])
            assert [event["seq"] for event in await ask("log", case=case)] == list(range(1, now.version + 1))
            assert await ask("reproject", case=case) == now.version
            assert await ask("beginning", case=case) == opened
            await desk.fakes.until(lambda: desk.fakes.records[-1].rewrite)
        assert set(opened) <= set(Snapshot.model_fields)
        assert [event.by for event in desk.fakes.events(case) if event.fact.type == "CaseAccepted"] == [UNIT]


class TestACaseOfALaterRelease:
    @pytest.mark.filterwarnings("ignore:coroutine .*run_workflow:RuntimeWarning")  # the SDK's own, see below
    async def test_waits_for_a_worker_that_knows_its_manners(
        self, temporal: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.CRITICAL, logger="temporalio")  # a logged traceback would keep that coroutine alive
        desk = Desk(temporal)
        opening = plain_report()
        start = i.CaseInput(manners=i.MANNERS + 1, opening=opening)
        found = attributes.at_opening(life.snapshot(life.open_case(opening)[0]))
        async with desk.worker():
            case = await desk.client.start_workflow(
                i.WORKFLOW, start, id=opening.id, task_queue=desk.task_queue, search_attributes=found
            )
            await failed(case)
            assert (await case.describe()).status is WorkflowExecutionStatus.RUNNING
        assert desk.fakes.attempts == 0
        await case.terminate()
        gc.collect()  # the SDK drops the coroutine of a run whose `__init__` has failed


async def failed(case: Handle) -> None:
    """Wait till a worker has given a task back."""
    await told(case, "workflow_task_failed_event_attributes")
