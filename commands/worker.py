"""`rectify worker`: runs the cases; any number of them may run. `worker.py` says of what it is made."""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog
import typer
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio import activity, workflow
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError

import logs
import worker as root
from activities.metrics import LAG, LAG_BUCKETS
from commands.installation import refuse_bad_keys, refuse_unfit
from commands.memory import cases_in_memory
from settings import Settings
from store.database import open_engine
from store.recorder import Recorder
from upkeep.publications import Carrier
from workflows.attributes import REGISTERED
from workflows.client import CaseEngine

_log = structlog.get_logger()

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0
#: New objects before the young ones are looked through; rounds of these before the older ones are, and then all.
#: By default, a herd beyond the cache looks through everything every three seconds: docs/performance.md, the herd.
_GARBAGE = (50_000, 10, 10)
#: For a case to take new rules: nobody stands at a counter and waits for it.
_PATIENCE = timedelta(seconds=15)


class Unregistered(Exception):
    """Cases would get stuck at their first change."""


def run() -> None:
    settings = Settings()
    logs.configure(settings)
    refuse_unfit(settings.database)
    refuse_bad_keys(settings.payload_keys)
    workflow.logger.workflow_info_on_message = False  # the ids come as fields
    activity.logger.activity_info_on_message = False
    Runtime.set_default(_runtime(settings))
    spare_the_cases()
    try:
        asyncio.run(_work(settings))
    except Unregistered as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def spare_the_cases() -> None:
    """Looks through thousands of cached cases for garbage seldom: each time all of them stand still for a second."""
    gc.freeze()
    gc.set_threshold(*_GARBAGE)


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    client = await _unless(stop, _connected(settings))
    if client is None:
        return
    await _check_search_attributes(client)
    engine = open_engine(settings.database)
    deployment = root.deployment(settings)
    try:
        async with root.build(
            client,
            Recorder(engine),
            task_queue=settings.task_queue,
            runner=root.sandbox() if settings.sandbox else None,
            max_cached_workflows=cases_in_memory(settings),
            deployment=deployment,
        ):
            build = deployment.version.to_canonical_string() if deployment else None
            _log.info("worker_ready", task_queue=settings.task_queue, build=build)
            async with _carrying(CaseEngine(client, task_queue=settings.task_queue, timeout=_PATIENCE), engine):
                await stop.wait()
            _log.info("worker_draining")
    finally:
        await engine.dispose()


@asynccontextmanager
async def _carrying(cases: CaseEngine, database: AsyncEngine) -> AsyncIterator[None]:
    """Inside the block, new calendars and policies are taken to the running cases."""
    carrying = asyncio.create_task(Carrier(cases, database).run(), name="publications")
    try:
        yield
    finally:
        carrying.cancel()
        with suppress(asyncio.CancelledError):
            await carrying


async def _unless(stop: asyncio.Event, wanted: Awaitable[Client]) -> Client | None:
    """None if the wish to stop comes first."""
    task, stopping = asyncio.ensure_future(wanted), asyncio.create_task(stop.wait())
    await asyncio.wait([task, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if task.done():
        return task.result()
    task.cancel()
    return None


async def _connected(settings: Settings) -> Client:
    """However long it takes until Temporal is there."""
    wait = _FIRST_WAIT
    while True:
        try:
            return await root.connect(settings)
        except (RuntimeError, RPCError) as error:
            _log.warning("temporal_unreachable", where=settings.temporal_address, error=str(error)[:200], again_in=wait)
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)


async def _check_search_attributes(client: Client) -> None:
    """Raises Unregistered. Who may not ask (Temporal Cloud has another way) is believed to have seen to it."""
    try:
        found = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as error:
        _log.warning("search_attributes_unchecked", error=error.message)
        return
    missing = [
        f"--name {name} --type {kind}" for name, kind in REGISTERED.items() if name not in found.custom_attributes
    ]
    if missing:
        command = f"temporal operator search-attribute create --namespace {client.namespace} {' '.join(missing)}"
        raise Unregistered(
            f"命名空间 {client.namespace} 缺少搜索属性。 search attributes are missing; register them: {command}"
        )


def _runtime(settings: Settings) -> Runtime:
    """The SDK's core speaks through our logs, and shows its metrics where it is told to."""
    address = settings.worker_metrics_address
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(
                filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
                forwarding=LogForwardingConfig(logger=logging.getLogger("temporalio.core")),
            ),
            metrics=PrometheusConfig(address, histogram_bucket_overrides={LAG: LAG_BUCKETS}) if address else None,
        )
    )
