"""Cases as Temporal has them: the raw histories of all runs, and what the workflow answers, as plain JSON.

With Temporal's client alone: no model, no converter and no word of the code under test.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from chaos.judge import timers
from chaos.judge.evidence import Json, Timer, Truth, Update
from chaos.judge.lean import lean

_WORKFLOW = "case"
_AT_ONCE = 8
_PATIENCE = timedelta(seconds=20)


async def known_cases(address: str) -> set[str]:
    """Everything that visibility lists, running or not."""
    client = await Client.connect(address)
    return {each.id async for each in client.list_workflows(f"WorkflowType = '{_WORKFLOW}'")}


async def read(address: str, cases: Iterable[str]) -> dict[str, Truth]:
    """Raises what Temporal raises: asking again is the caller's business. Cases that it does not know are left out."""
    client = await Client.connect(address)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(case: str) -> Truth | None:
        async with gate:
            return await _truth(client, case)

    truths = await asyncio.gather(*(one(case) for case in cases))
    return {truth.case: truth for truth in truths if truth is not None}


async def _truth(client: Client, case: str) -> Truth | None:
    handle = client.get_workflow_handle(case)
    try:
        description = await handle.describe(rpc_timeout=_PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    runs = await _runs(client, case)
    said = Truth(
        case=case,
        at=time.time(),
        running=description.status is WorkflowExecutionStatus.RUNNING,
        updates=[update for run in runs for update in run.updates],
        log=[],
        snapshot={},
        timers=[timer for run in runs for timer in run.timers],
        tasks=[task for run in runs for task in run.tasks],
    )
    try:
        return await _asked(client, said, runs)
    except (RPCError, WorkflowQueryFailedError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        return replace(said, stuck=str(error))


async def _asked(client: Client, said: Truth, runs: Sequence["_Run"]) -> Truth:
    handles = [client.get_workflow_handle(said.case, run_id=run.id) for run in runs]
    snapshot: Json = await _look(handles[-1], "snapshot")
    logs: list[list[Json]] = [await _look(handle, "log") for handle in handles]
    return replace(said, at=time.time(), log=lean(_joined(logs)), snapshot=lean(snapshot))


async def _look(handle: WorkflowHandle[Any, Any], what: str) -> Any:  # noqa: ANN401 - JSON
    """By the refusal of an update, and by a query only of a run that has ended: docs/adr/0024."""
    try:
        await handle.execute_update("look", what, rpc_timeout=_PATIENCE)
    except WorkflowUpdateFailedError as answer:
        if isinstance(answer.cause, ApplicationError) and answer.cause.details:
            return answer.cause.details[0]
        raise
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    return await handle.query(what, rpc_timeout=_PATIENCE)


def _joined(logs: Sequence[Sequence[Json]]) -> list[Json]:
    """A run takes along what it had not recorded yet: those events stand in two runs, word by word the same."""
    log = list(logs[0])
    for following in logs[1:]:
        log += [event for event in following if event not in log]
    return log


@dataclass(frozen=True, slots=True)
class _Run:
    id: str
    updates: list[Update]
    timers: list[Timer]
    tasks: list[tuple[float, float]]


async def _runs(client: Client, case: str) -> list[_Run]:
    """Oldest first."""
    runs: list[_Run] = []
    run_id: str | None = None
    while run_id != "":
        handle = client.get_workflow_handle(case, run_id=run_id)
        history = [event async for event in handle.fetch_history_events(rpc_timeout=_PATIENCE)]
        started = history[0].workflow_execution_started_event_attributes
        found = _Run(started.original_execution_run_id, _updates(history), timers.armed(history), timers.tasks(history))
        runs.insert(0, found)
        run_id = started.continued_execution_run_id
    return runs


def _updates(history: Sequence[HistoryEvent]) -> list[Update]:
    names: dict[str, str] = {}
    updates: list[Update] = []
    for event in history:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            request = event.workflow_execution_update_accepted_event_attributes.accepted_request
            names[request.meta.update_id] = request.input.name
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
            done = event.workflow_execution_update_completed_event_attributes
            update_id, carried_out = done.meta.update_id, done.outcome.HasField("success")
            updates.append(Update(update_id, names.get(update_id, ""), carried_out))
    return updates
