"""The real engine in a temporary folder, for as long as a demonstration lasts, with a clock for each case to be moved.

Temporal's development server in memory with time skipping, the worker, a migrated SQLite database and the recorder:
nothing here is a stand-in. Knows no scenario.
"""

import asyncio
import logging
import shutil
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

import worker
from domain.commands import Opening
from store import database, migrate
from store.recorder import Recorder
from workflows import attributes
from workflows.client import CaseEngine

#: Time skipping; and look for skipped timers every 20 ms instead of every second.
_SETTINGS = ("frontend.WorkflowTimeSkippingEnabled=true", 'history.timerProcessorMaxTimeShift="20ms"')
#: Several cases at once on a small machine: no hurry.
_TIMEOUT = timedelta(seconds=30)
_PAST_EVERYTHING = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Stage:
    cases: CaseEngine
    store: AsyncEngine
    temporal: WorkflowEnvironment

    async def open(self, opening: Opening, digest: str) -> None:
        """The case begins at `opened_at`, however far ahead that lies, and its clock stands there."""
        now = datetime.now(UTC)
        await self.cases.open(opening, digest, start_delay=max(opening.opened_at - now, timedelta(0)))
        await self.advance(opening.id, opening.opened_at)

    async def advance(self, case_id: str, to: datetime) -> None:
        """Returns when every timer due by then has rung and what it led to has been done."""
        handle = self.cases.handle(case_id)
        ahead = to - await self.temporal.get_current_time(handle)
        if ahead > timedelta(0):
            await self.temporal.fast_forward(handle, ahead)

    async def finish(self, case_id: str) -> None:
        """Lets the closure window pass. A case that does not end then raises TimeoutError."""
        handle = self.cases.handle(case_id)
        await self.temporal.fast_forward(handle, _PAST_EVERYTHING)
        async with asyncio.timeout(_TIMEOUT.total_seconds()):
            await handle.result()


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        stack.enter_context(_quiet())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rectify-demo-"))
        url = f"sqlite:///{Path(folder) / 'rectify.db'}"
        await asyncio.to_thread(migrate.upgrade, url)
        store = database.open_engine(url)
        stack.push_async_callback(store.dispose)
        temporal = await _temporal()
        stack.push_async_callback(temporal.shutdown)
        runs = worker.build(temporal.client, Recorder(store), grace=timedelta(seconds=1))
        await stack.enter_async_context(runs)
        yield Stage(CaseEngine(temporal.client, timeout=_TIMEOUT), store, temporal)


async def _temporal() -> WorkflowEnvironment:
    settings = [part for setting in _SETTINGS for part in ("--dynamic-config-value", setting)]
    searchable = [
        part for name, kind in attributes.REGISTERED.items() for part in ("--search-attribute", f"{name}={kind}")
    ]
    return await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),  # no clock moves by itself
        dev_server_existing_path=shutil.which("temporal", path=sysconfig.get_path("scripts")),
        dev_server_log_level="never",
        dev_server_extra_args=[*settings, *searchable, "--output", "none"],
        plugins=[worker.plugin()],
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """A demonstration prints case files, not log lines."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        yield
    finally:
        structlog.configure(**before)
