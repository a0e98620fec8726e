"""How everything outside talks to cases: open, command, ask. The only place that knows what Temporal's errors mean.

Used by the API, the importer, the demonstration and the audit; runs no worker.
"""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from pydantic import TypeAdapter
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.converter import WorkflowSerializationContext
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain import life
from domain.calendar import Calendar
from domain.case import Snapshot
from domain.commands import Opening
from domain.errors import Conflict, NotVisible, RectifyError, Unavailable
from domain.events import Event
from domain.policy import Ladder, Policy, Severity
from workflows import attributes
from workflows import interface as i
from workflows.casefile import details, summary

#: Temporal's priority keys: 1 is served first.
_PRIORITY = {Severity.URGENT: 1, Severity.HIGH: 2, Severity.NORMAL: 3, Severity.LOW: 4}
_DIGEST = "digest"
_log = structlog.get_logger()
_T = TypeVar("_T")


class NotRunning(NotVisible):
    """No such workflow, or it has ended: the server does not tell which. The archive does."""

    def __init__(self) -> None:
        super().__init__("case_not_found")


@dataclass(frozen=True, slots=True)
class Opened:
    """`created` is False where the same report had opened the case before; `case` is then how it began."""

    case: Snapshot
    created: bool


class CaseEngine:
    """`timeout` bounds every call; a case needs a live worker to answer one, but none to be opened."""

    def __init__(
        self, client: Client, *, task_queue: str = i.TASK_QUEUE, timeout: timedelta = timedelta(seconds=5)
    ) -> None:
        self._client = client
        self._task_queue = task_queue
        self._timeout = timeout

    async def open(self, opening: Opening, digest: str, *, start_delay: timedelta | None = None) -> Opened:
        """Durable when it returns. Raises Conflict when the id was opened from another report (`digest` differs).

        `start_delay`: for demonstrations of another season, until an `opened_at` that has yet to come.
        """
        case = life.snapshot(life.open_case(opening)[0])
        try:
            await _translated(self._start(opening, case, digest, start_delay))
        except WorkflowAlreadyStartedError:
            return Opened(await _translated(self._same(opening.id, digest)), created=False)
        return Opened(case, created=True)

    async def _start(self, opening: Opening, case: Snapshot, digest: str, start_delay: timedelta | None) -> object:
        return await self._client.start_workflow(
            i.WORKFLOW,
            i.CaseInput(manners=i.MANNERS, opening=opening),
            id=case.id,
            task_queue=self._task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            search_attributes=attributes.at_opening(case),
            memo={_DIGEST: digest},
            static_summary=summary(case),
            static_details=details(case),
            priority=Priority(priority_key=_PRIORITY[case.severity], fairness_key=_district(case.area)),
            start_delay=start_delay,
            rpc_timeout=self._timeout,
        )

    async def _same(self, case_id: str, digest: str) -> Snapshot:
        description = await self._handle(case_id).describe(rpc_timeout=self._timeout)
        if await description.memo_value(_DIGEST, None) != digest:
            raise Conflict("idempotency_key_reused")
        return await self._began(case_id)

    async def beginning(self, case_id: str) -> Snapshot:
        """How the case began, or went on in a new run: all that can be told of it with no worker alive."""
        return await _translated(self._began(case_id))

    async def _began(self, case_id: str) -> Snapshot:
        first = await anext(self._handle(case_id).fetch_history_events(page_size=1, rpc_timeout=self._timeout))
        if first.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            raise RectifyError("internal_error")
        payloads = first.workflow_execution_started_event_attributes.input.payloads
        context = WorkflowSerializationContext(namespace=self._client.namespace, workflow_id=case_id)
        converter = self._client.data_converter.with_context(context)
        start: i.CaseInput = (await converter.decode(payloads, [i.CaseInput]))[0]
        if start.carried is not None:
            return life.snapshot(start.carried.case)
        if start.opening is None:
            raise NotRunning
        return life.snapshot(life.open_case(start.opening)[0])

    async def give(self, case_id: str, name: str, order: i.Order, update_id: str) -> i.Receipt:
        """Raises what the core raises, NotRunning for a case that is not running, Unavailable with no worker alive."""
        update: Awaitable[i.Receipt] = self._handle(case_id).execute_update(
            name, order, id=update_id, result_type=i.Receipt, rpc_timeout=self._timeout
        )
        return await _translated(update)

    async def recalendar(self, case_id: str, calendar: Calendar) -> bool:
        """Whether the case took it. Repeating it is harmless: the update id is the calendar's version."""
        update: Awaitable[bool] = self._handle(case_id).execute_update(
            i.RECALENDAR,
            i.Publication(calendar=calendar),
            id=f"recalendar-{calendar.id}-{calendar.version}",
            result_type=bool,
            rpc_timeout=self._timeout,
        )
        return await _translated(update)

    async def rerule(self, case_id: str, policy: Policy, ladder: Ladder) -> bool:
        """Whether the case took them. Repeating it is harmless, as above."""
        update: Awaitable[bool] = self._handle(case_id).execute_update(
            i.RERULE,
            i.NewRules(policy=policy, ladder=ladder),
            id=f"rerule-{policy.id}-{policy.version}-{ladder.id}-{ladder.version}",
            result_type=bool,
            rpc_timeout=self._timeout,
        )
        return await _translated(update)

    async def reproject(self, case_id: str) -> int:
        """Has the case written down again; returns the version that will then be there."""
        update: Awaitable[int] = self._handle(case_id).execute_update(
            i.REPROJECT, result_type=int, rpc_timeout=self._timeout
        )
        return await _translated(update)

    async def snapshot(self, case_id: str) -> Snapshot:
        return await _translated(look(self._handle(case_id), i.SNAPSHOT, Snapshot, self._timeout))

    async def log(self, case_id: str, run_id: str | None = None) -> list[Event]:
        """The events of the present run, or of an earlier one that Temporal still keeps."""
        handle = self._client.get_workflow_handle(case_id, run_id=run_id)
        return await _translated(look(handle, i.LOG, list[Event], self._timeout))

    async def running(self) -> AsyncIterator[str]:
        """Ids of all running cases of this task queue, from visibility: one opened this very second may be missing."""
        ours = f"WorkflowType = '{i.WORKFLOW}' AND TaskQueue = '{self._task_queue}'"
        found = self._client.list_workflows(f"{ours} AND ExecutionStatus = 'Running'")
        async for workflow in found:
            yield workflow.id

    async def fate(self, case_id: str) -> str | None:
        """`running`, `completed`, `terminated`, … of the latest run; None if Temporal does not know the case."""
        try:
            description = await _translated(self._handle(case_id).describe(rpc_timeout=self._timeout))
        except NotRunning:
            return None
        return description.status.name.lower() if description.status else None

    async def earlier_runs(self, case_id: str) -> AsyncIterator[str]:
        """Runs before the present one that Temporal still keeps, latest first."""
        run_id = None
        while True:
            handle = self._client.get_workflow_handle(case_id, run_id=run_id)
            beginning = anext(handle.fetch_history_events(page_size=1, rpc_timeout=self._timeout))
            try:
                first = await _translated(beginning)
            except NotRunning:
                return
            if run_id is not None:
                yield run_id
            run_id = first.workflow_execution_started_event_attributes.continued_execution_run_id
            if not run_id:
                return

    def handle(self, case_id: str) -> WorkflowHandle[object, object]:
        return self._handle(case_id)

    def _handle(self, case_id: str) -> WorkflowHandle[object, object]:
        return self._client.get_workflow_handle(case_id)


async def look(handle: WorkflowHandle[Any, Any], what: str, kind: type[_T], patience: timedelta) -> _T:
    """Of a run that goes on, told by the refusal of an update; of one that has ended, by a query: docs/adr/0024."""
    try:
        await handle.execute_update(i.LOOK, what, rpc_timeout=patience)
    except WorkflowUpdateFailedError as answer:  # a worker of 0.2 does not know what is meant
        if isinstance(answer.cause, ApplicationError) and answer.cause.type == i.TOLD:
            return TypeAdapter(kind).validate_python(answer.cause.details[0])
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    told: _T = await handle.query(what, result_type=kind, rpc_timeout=patience)
    return told


def _district(area: str) -> str:
    """The second level of the path: under load, one district's herd must not starve the others."""
    return "/".join(area.split("/")[1:3])[:64]


async def _translated(call: Awaitable[_T]) -> _T:
    try:
        return await call
    except WorkflowUpdateFailedError as failure:
        raise _refusal(failure) from None
    except (WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowQueryFailedError) as error:  # a query by a busy worker
        raise _unavailable(error) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotRunning from None
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    _log.warning("engine_unavailable", error=type(error).__name__, cause=str(error)[:200])
    return Unavailable("engine_unavailable")


def _refusal(failure: WorkflowUpdateFailedError) -> RectifyError:
    cause = failure.cause
    if not isinstance(cause, ApplicationError):
        return RectifyError("internal_error")
    if cause.type == i.REFUSAL:
        return i.Refusal.model_validate(cause.details[0]).revived()
    if cause.type == "AcceptedUpdateCompletedWorkflow":
        return NotRunning()
    if cause.type == "UnprocessedUpdate":  # the worker's, whose task had been done ahead: docs/adr/0024
        return _unavailable(failure)
    return RectifyError("internal_error")
