"""The worker: one of the two composition roots (the other is the API's). Chooses every adapter, knows no rule."""

from datetime import timedelta
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime
from temporalio.worker import (
    PollerBehaviorAutoscaling,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerDeploymentConfig,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from activities.recording import Recorder, RecordingActivities
from encryption.converter import data_converter
from settings import Settings
from workflows.case import CaseWorkflow
from workflows.interface import TASK_QUEUE

#: Below the supervisor's and every orchestrator's kill time; a workflow task in flight needs far less.
GRACE = timedelta(seconds=8)
#: How long a case waits for the worker that has it in its cache, before any other may take it from history. Shorter
#: than a command's patience, so that a crashed worker costs its cases one slow answer, not a refusal.
STICKY = timedelta(seconds=3)
_BEHAVIOUR = {"pinned": VersioningBehavior.PINNED, "auto-upgrade": VersioningBehavior.AUTO_UPGRADE}


def plugin(settings: Settings | None = None) -> SimplePlugin:
    """Converter and workflows as one unit: clients carry it, their workers inherit it, the replayer gets the same.

    Encrypts by the key ring of the settings, without them in plain. Raises `encryption.ring.BadRing`.
    """
    converter = data_converter(settings.payload_keys if settings else None)
    return SimplePlugin("rectify", data_converter=converter, workflows=[CaseWorkflow])


async def connect(settings: Settings, *, lazy: bool = False, runtime: Runtime | None = None) -> Client:
    """`lazy`: connects with the first call instead of now."""
    options: dict[str, Any] = settings.temporal_connection()
    return await Client.connect(**options, plugins=[plugin(settings)], lazy=lazy, runtime=runtime)


def sandbox() -> WorkflowRunner:
    """For tests and doubt: each case in its own sandbox. Production does without, see docs/adr/0004."""
    return SandboxedWorkflowRunner()


def deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """What Temporal is told about this worker's build, so that it can tell builds apart. See docs/upgrades.md."""
    if settings.deployment is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.deployment, settings.build_id or build_id()),
        use_worker_versioning=True,
        default_versioning_behavior=_BEHAVIOUR[settings.versioning],
    )


def build_id() -> str:
    """The release and a digest of all code that runs inside a case: two builds of the same name behave the same."""
    root = Path(__file__).parent
    files = sorted(path for part in ("domain", "workflows") for path in (root / part).rglob("*.py"))
    code = sha256(b"".join(str(path.relative_to(root)).encode() + path.read_bytes() for path in files))
    return f"{version('rectify')}-{code.hexdigest()[:8]}"


def build(  # noqa: PLR0913 - each is a choice of the caller's
    client: Client,
    recorder: Recorder,
    *,
    task_queue: str = TASK_QUEUE,
    runner: WorkflowRunner | None = None,
    max_cached_workflows: int = 2000,
    grace: timedelta = GRACE,
    deployment: WorkerDeploymentConfig | None = None,
) -> Worker:
    """`client` must carry `plugin()`. What it measures shows where its runtime shows metrics."""
    meter = (client.service_client.config.runtime or Runtime.default()).metric_meter
    return Worker(
        client,
        task_queue=task_queue,
        activities=[RecordingActivities(recorder, meter).record],
        workflow_runner=runner or UnsandboxedWorkflowRunner(),
        max_cached_workflows=max_cached_workflows,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=grace,
        sticky_queue_schedule_to_start_timeout=STICKY,
        deployment_config=deployment,
    )
