"""Every history that was ever kept still replays: no running case can meet code that disagrees with its past."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

import worker
from tests.support.histories import FOLDER, SCENARIOS, load
from workflows import interface as i
from workflows.case import CaseWorkflow
from workflows.conversion import LeanPayloadConverter

LESSON = """{name} no longer replays: {error}

A case somewhere has this history in its past, and its worker would now fail on it. Do not write the file again.
Keep the old behaviour for old cases: put the change behind `if workflow.patched("what-changed"):`,
and run `make histories` after raising the version, so that the new behaviour has its history too."""


async def replay(history: WorkflowHistory) -> None:
    await Replayer(workflows=[], plugins=[worker.plugin()]).replay_workflow(history)


def manners(history: WorkflowHistory) -> int:
    """By which the run began."""
    (start,) = history.events[0].workflow_execution_started_event_attributes.input.payloads
    case: i.CaseInput = LeanPayloadConverter().from_payload(start, i.CaseInput)
    return case.manners


class TestStoredHistories:
    @pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
    async def test_still_replays(self, path: Path) -> None:
        try:
            await replay(load(path))
        except NondeterminismError as error:
            pytest.fail(LESSON.format(name=path.name, error=error))
        assert load(path).events

    def test_there_is_one_of_every_scenario(self) -> None:
        assert {path.name.split(".")[0] for path in FOLDER.glob("*.json")} >= set(SCENARIOS)

    def test_there_is_one_of_every_manners(self) -> None:
        assert {manners(load(path)) for path in FOLDER.glob("*.json")} == set(range(1, i.MANNERS + 1))


class TestTheCheckItself:
    async def test_notices_a_workflow_that_changed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        arm = CaseWorkflow._arm

        def arm_twice(case: CaseWorkflow) -> None:
            arm(case)
            case.extra = asyncio.create_task(workflow.sleep(timedelta(hours=1)))  # type: ignore[attr-defined] # the fault

        monkeypatch.setattr(CaseWorkflow, "_arm", arm_twice)
        replayer = Replayer(workflows=[], plugins=[worker.plugin()], workflow_runner=UnsandboxedWorkflowRunner())
        with pytest.raises(NondeterminismError):
            await replayer.replay_workflow(load(next(FOLDER.glob("six_commands.*.json"))))
