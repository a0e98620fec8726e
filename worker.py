"""The worker: one of the two composition roots (the other is the API's). Chooses every adapter, knows no rule."""

from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from activities.recording import Recorder, RecordingActivities
from settings import Settings
from workflows.case import CaseWorkflow
from workflows.interface import TASK_QUEUE

#: Below the supervisor's and every orchestrator's kill time; a workflow task in flight needs far less.
GRACE = timedelta(seconds=8)
#: How long a case waits for the worker that has it in its cache, before any other may take it from history. Shorter
#: than a command's patience, so that a crashed worker costs its cases one slow answer, not a refusal.
STICKY = timedelta(seconds=3)


def plugin() -> SimplePlugin:
    """Converter and workflows as one unit: clients carry it, their workers inherit it, the replayer gets the same."""
    return SimplePlugin("rectify", data_converter=pydantic_data_converter, workflows=[CaseWorkflow])


async def connect(settings: Settings, *, lazy: bool = False, runtime: Runtime | None = None) -> Client:
    """`lazy`: connects with the first call instead of now."""
    options: dict[str, Any] = settings.temporal_connection()
    return await Client.connect(**options, plugins=[plugin()], lazy=lazy, runtime=runtime)


def sandbox() -> WorkflowRunner:
    """For tests and doubt: each case in its own sandbox. Production does without, see docs/adr/0004."""
    return SandboxedWorkflowRunner()


def build(  # noqa: PLR0913 - each is a choice of the caller's
    client: Client,
    recorder: Recorder,
    *,
    task_queue: str = TASK_QUEUE,
    runner: WorkflowRunner | None = None,
    max_cached_workflows: int = 2000,
    grace: timedelta = GRACE,
) -> Worker:
    """`client` must carry `plugin()`."""
    return Worker(
        client,
        task_queue=task_queue,
        activities=[RecordingActivities(recorder).record],
        workflow_runner=runner or UnsandboxedWorkflowRunner(),
        max_cached_workflows=max_cached_workflows,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=grace,
        sticky_queue_schedule_to_start_timeout=STICKY,
    )
