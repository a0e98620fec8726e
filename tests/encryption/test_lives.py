"""Whole lives on a real server: what Temporal gets to see of them, and how they go on when keys change."""

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

import worker
from domain.errors import Conflict
from encryption.ring import edit, load
from encryption.sealed import KeyMissing, is_sealed
from settings import Settings
from tests.encryption.desks import SealedDesk, founded, in_plain, keys_in, payloads, rotated
from tests.support.cases import INSPECTOR, OTHER_PHOTO, UNIT
from tests.support.engine import Desk, Handle, current_details, report, told
from tests.support.histories import FOLDER
from tests.support.histories import load as stored
from workflows import interface as i
from workflows.client import CaseEngine

SECRETS = {
    "description": "王家门前的垃圾",
    "address": "槐荫巷三号",
    "external_ref": "13800000000",
    "note": "已联系张三清运",
    "reason": "李四不同意",
    "text": "王五的评论",
    "failure": "the database is away",
    "digest": "d1935t",
}


async def opened(desk: Desk) -> Handle:
    """As the API opens a case: with memo, summary and details."""
    engine = CaseEngine(desk.client, task_queue=desk.task_queue)
    opening = report(**{name: SECRETS[name] for name in ("description", "address", "external_ref")})
    await engine.open(opening, SECRETS["digest"])
    return desk.client.get_workflow_handle(opening.id)


async def opened_in_haste(desk: Desk) -> Handle:
    """A task that fails a second time is given to a worker again after a second, not after ten."""
    opening = report(description=SECRETS["description"])
    begin = i.CaseInput(opening=opening)
    second = timedelta(seconds=1)
    return await desk.client.start_workflow(
        i.WORKFLOW, begin, id=opening.id, task_queue=desk.task_queue, task_timeout=second
    )


async def refused(desk: Desk, handle: Handle) -> None:
    with pytest.raises(Conflict) as refusal:
        await desk.give(handle, "request-extension", UNIT, reason=SECRETS["reason"])
    assert refusal.value.params["stage"]


async def lived(desk: Desk) -> Handle:
    """From report to archive, with a refusal, a failed record, a timer and a comment."""
    desk.fakes.fail = 1
    handle = await opened(desk)
    await desk.give(handle, "comment", UNIT, text=SECRETS["text"])
    await refused(desk, handle)
    await desk.give(handle, "accept", UNIT)
    await desk.advance(handle, timedelta(hours=12))
    await desk.give(handle, "submit", UNIT, note=SECRETS["note"], evidence=[OTHER_PHOTO])
    await desk.give(handle, "inspect", INSPECTOR, result="pass", note=SECRETS["note"])
    await desk.advance(handle, timedelta(days=8))
    await handle.result()
    return handle


async def failure_of_a_task(handle: Handle) -> str:
    """What was at the bottom of the first workflow task that failed, as anybody may read it."""
    failed = await told(handle, "workflow_task_failed_event_attributes")
    failure = failed.workflow_task_failed_event_attributes.failure
    while failure.HasField("cause"):
        failure = failure.cause
    return failure.message


def text(history: WorkflowHistory) -> bytes:
    return b"".join(event.SerializeToString() for event in history.events)


class TestTemporal:
    async def test_sees_nothing_of_a_life_but_search_attributes(self, desk: SealedDesk) -> None:
        async with desk.worker():
            handle = await lived(desk)
            history = await handle.fetch_history()
        assert in_plain(history) == []
        assert [name for name, secret in SECRETS.items() if secret.encode() in text(history)] == []
        assert len(keys_in(history)) == 1

    async def test_sees_as_much_of_a_life_in_plain(self, temporal: WorkflowEnvironment) -> None:
        """The check above can fail: of all secrets only the refusal is not in a history."""
        desk = SealedDesk(temporal)
        async with desk.worker():
            history = await (await lived(desk)).fetch_history()
        seen = {name for name, secret in SECRETS.items() if secret.encode() in text(history)}
        assert seen == set(SECRETS) - {"reason"}
        assert len(in_plain(history)) > 10

    async def test_sees_nothing_in_what_it_tells_of_a_running_case(self, desk: SealedDesk) -> None:
        async with desk.worker():
            handle = await opened(desk)
            assert "责任单位 unit: sanitation" in await current_details(handle)
            told = await desk.client.workflow_service.describe_workflow_execution(
                DescribeWorkflowExecutionRequest(
                    namespace="default", execution=WorkflowExecution(workflow_id=handle.id)
                )
            )
            description = await handle.describe()
        assert told.workflow_execution_info.memo.fields
        assert told.execution_config.user_metadata.HasField("summary")
        assert all(is_sealed(payload) for payload in payloads(told))
        assert await description.memo_value("digest") == SECRETS["digest"]
        assert await description.static_summary()

    async def test_sees_no_text_of_a_refusal(self, desk: SealedDesk, temporal: WorkflowEnvironment) -> None:
        """It is in no history, but passes through the server."""
        blind = SealedDesk(temporal).client
        order = i.Order(actor=UNIT, body={"reason": SECRETS["reason"]}, digest="")
        async with desk.worker():
            handle = await desk.open()
            with pytest.raises(KeyMissing):
                await blind.get_workflow_handle(handle.id).execute_update("request-extension", order)
            request = UpdateWorkflowExecutionRequest(namespace="default")
            request.workflow_execution.workflow_id = handle.id
            request.wait_policy.lifecycle_stage = (
                UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
            )
            request.request.meta.update_id = "refused"
            request.request.input.name = "request-extension"
            request.request.input.args.payloads.extend(await desk.client.data_converter.encode([order]))
            failure = (await desk.client.workflow_service.update_workflow_execution(request)).outcome.failure
        assert failure.message == "Encoded failure"
        assert [is_sealed(payload) for payload in payloads(failure)] == [True, True]


class TestACase:
    async def test_goes_on_through_a_rotation(self, desk: SealedDesk, ring: Path, watchful: None) -> None:
        async with desk.worker(max_cached_workflows=0):
            handle = await opened(desk)
            first = load(ring).current
            second = rotated(ring)
            await desk.give(handle, "accept", UNIT)
            history = await handle.fetch_history()
            assert keys_in(history) == {first, second}
            assert (await desk.case(handle)).description == SECRETS["description"]

    async def test_goes_on_when_encryption_begins_and_ends(
        self, temporal: WorkflowEnvironment, desk: SealedDesk, ring: Path, watchful: None
    ) -> None:
        plain = SealedDesk(temporal, task_queue=desk.task_queue)
        async with plain.worker():
            handle = await opened(plain)
            await plain.fakes.until(lambda: bool(plain.fakes.records))
        handle = desk.client.get_workflow_handle(handle.id)
        async with desk.worker():
            await desk.give(handle, "accept", UNIT)
            edit(ring, lambda keys: keys.encrypting_with(None))
            await desk.give(handle, "comment", UNIT, text=SECRETS["text"])
            history = await handle.fetch_history()
            assert (await desk.case(handle)).description == SECRETS["description"]
        seen = text(history)
        assert SECRETS["description"].encode() in seen
        assert SECRETS["text"].encode() in seen
        assert keys_in(history)

    async def test_takes_its_state_along_encrypted(self, impatient_temporal: WorkflowEnvironment, ring: Path) -> None:
        desk = SealedDesk(impatient_temporal, ring=ring)
        async with desk.worker():
            handle = await opened(desk)
            first = (await handle.describe()).run_id
            while (await handle.describe()).run_id == first:
                await desk.give(handle, "comment", UNIT, text=SECRETS["text"])
            history = await desk.client.get_workflow_handle(handle.id).fetch_history()
            assert (await desk.case(handle)).address == SECRETS["address"]
        assert history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        assert in_plain(history) == []

    @pytest.mark.parametrize("lacking", ["another ring", "no ring"])
    async def test_waits_for_its_key_and_loses_nothing(
        self, temporal: WorkflowEnvironment, desk: SealedDesk, ring: Path, tmp_path: Path, lacking: str
    ) -> None:
        other = founded(tmp_path / "other.json") if lacking == "another ring" else None
        handle = await opened_in_haste(desk)
        async with SealedDesk(temporal, task_queue=desk.task_queue, ring=other).worker():
            message = await failure_of_a_task(handle)
        assert message == f"payload_key_missing: {load(ring).current} is not in the key ring"
        async with desk.worker():
            await desk.give(handle, "accept", UNIT)
            assert (await desk.case(handle)).description == SECRETS["description"]

    async def test_does_not_read_what_was_written_for_another(self, desk: SealedDesk) -> None:
        async with desk.worker():
            handle = await opened(desk)
            began = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
            request = StartWorkflowExecutionRequest(
                namespace="default",
                workflow_id=f"{handle.id}-2",
                request_id="moved",
                workflow_type=WorkflowType(name=i.WORKFLOW),
                task_queue=TaskQueue(name=desk.task_queue),
                input=began.input,
            )
            await desk.client.workflow_service.start_workflow_execution(request)
            moved = desk.client.get_workflow_handle(f"{handle.id}-2")
            assert await failure_of_a_task(moved) == "payload_misplaced"
            await moved.terminate()


class TestHistories:
    async def test_that_are_encrypted_replay(self, desk: SealedDesk, ring: Path) -> None:
        async with desk.worker():
            handle = await opened(desk)
            await desk.give(handle, "accept", UNIT)
            history = await handle.fetch_history()
        replayer = Replayer(workflows=[], plugins=[worker.plugin(Settings(payload_keys=ring))])
        replayed = await replayer.replay_workflow(WorkflowHistory.from_json(handle.id, history.to_json()))
        assert replayed.replay_failure is None

    @pytest.mark.parametrize("path", sorted(FOLDER.glob("six_commands.*.json")), ids=lambda path: path.stem)
    async def test_that_were_kept_in_plain_still_replay(self, ring: Path, path: Path) -> None:
        replayer = Replayer(workflows=[], plugins=[worker.plugin(Settings(payload_keys=ring))])
        assert (await replayer.replay_workflow(stored(path))).replay_failure is None
