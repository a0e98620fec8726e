"""The whole system in one process for tests: Temporal, a worker with the real recorder, a database, the API on a port.

One stack for the session; every test opens cases of its own. The demonstration city works round the clock here, so that
a test means the same on a Sunday night. Time passes only where a test moves a case's clock.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

import worker as root
from api.app import PREFIX, create_app
from api.services import Services
from directory.demo_city import OFFICER_HOMES, demo_directory, officer_home
from directory.rules import default_ladder, default_policy
from domain.record import Record
from settings import Settings
from store import directory, migrate, tokens
from store.database import open_engine
from store.recorder import Recorder
from tests.support import photos
from tests.support.databases import _empty_database
from tests.support.engine import ROUND_THE_CLOCK

Json = dict[str, Any]
USERS = tuple(user.id for user in demo_directory().users)
#: Of `officer-1`, in the district of all three officers.
HOME, LON, LAT = officer_home("officer-1")
#: In a district of no officer.
FAR = {"lon": 110.05, "lat": 38.23}


class _Server(uvicorn.Server):
    """Leaves the signals to pytest, and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The address of the app, on a free port."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=300,
    )
    async with served_by(config) as url:
        yield url


@asynccontextmanager
async def served_by(config: uvicorn.Config) -> AsyncIterator[str]:
    door = socket.create_server(("127.0.0.1", 0))
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[door]))
    await server.up.wait()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        door.close()


class WatchedRecorder(Recorder):
    """Says what has been written down, so that a test can wait for it."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self._versions: dict[str, int] = {}
        self._changed = asyncio.Condition()

    async def record(self, record: Record) -> None:
        await super().record(record)
        async with self._changed:
            self._versions[record.case.id] = record.case.version
            self._changed.notify_all()

    async def until(self, case_id: str, version: int) -> None:
        async with self._changed, asyncio.timeout(30):
            await self._changed.wait_for(lambda: self._versions.get(case_id, 0) >= version)


@dataclass
class Stack:
    """`client(user)` talks to the API as that user. `engines`: of the API and of the worker."""

    app: FastAPI
    url: str
    tokens: dict[str, str]
    engines: tuple[AsyncEngine, ...]
    recorder: WatchedRecorder
    _clients: dict[str | None, httpx.AsyncClient] = field(default_factory=dict)
    _photos: dict[tuple[str, int], str] = field(default_factory=dict)

    def client(self, user: str | None = None) -> httpx.AsyncClient:
        if user not in self._clients:
            headers = {"Authorization": f"Bearer {self.tokens[user]}"} if user else {}
            self._clients[user] = httpx.AsyncClient(base_url=self.url + PREFIX, headers=headers, timeout=60)
        return self._clients[user]

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    @property
    def services(self) -> Services:
        found: Services = self.app.state.services
        return found

    @contextmanager
    def without_database(self) -> Iterator[None]:
        """Nobody reads or writes till the end of the block."""

        def fail(_connection: object) -> None:
            raise OperationalError("BEGIN", {}, ConnectionError("the database is away"))

        for engine in self.engines:
            event.listen(engine.sync_engine, "begin", fail, insert=True)
        try:
            yield
        finally:
            for engine in self.engines:
                event.remove(engine.sync_engine, "begin", fail)

    # --- what people do ---

    async def upload(self, user: str, data: bytes | None = None, kind: str = "image/jpeg") -> httpx.Response:
        files = {"file": ("photo", photos.photo() if data is None else data, kind)}
        return await self.client(user).post("/evidence", files=files)

    async def photo(self, user: str = "officer-1", seed: int = 0) -> str:
        """The digest of a photo that this user has uploaded."""
        if (user, seed) not in self._photos:
            answer = await self.upload(user, photos.photo(seed))
            assert answer.status_code == 201, answer.text
            self._photos[user, seed] = answer.json()["sha256"]
        return self._photos[user, seed]

    async def report(self, user: str = "officer-1", *, key: str | None = None, **changes: Any) -> httpx.Response:  # noqa: ANN401 - any member
        headers = {"Idempotency-Key": key} if key else {}
        return await self.client(user).post("/cases", json=report(**changes), headers=headers)

    async def open(self, user: str = "officer-1", **changes: Any) -> Json:  # noqa: ANN401 - any member
        answer = await self.report(user, **changes)
        assert answer.status_code == 201, answer.text
        case: Json = answer.json()
        return case

    async def recorded(self, case: Json) -> Json:
        """The same case, once the lists know it: a case is open before that."""
        await self.recorder.until(case["id"], case["version"])
        return case

    async def give(
        self, user: str, case: Json, command: str, *, key: str | None = None, **body: object
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.client(user).post(f"/cases/{case['id']}/{command}", json=body, headers=headers)

    async def do(self, user: str, case: Json, command: str, **body: Any) -> Json:  # noqa: ANN401 - any member
        """Like `give`, where the command must be taken: the case afterwards."""
        answer = await self.give(user, case, command, **body)
        assert answer.status_code == 200, answer.text
        after: Json = answer.json()
        return after

    async def see(self, user: str, case: Json) -> Json:
        answer = await self.client(user).get(f"/cases/{case['id']}")
        assert answer.status_code == 200, answer.text
        seen: Json = answer.json()
        return seen

    async def advance(self, case: Json, by: str) -> Json:
        """`by`: an ISO 8601 duration."""
        answer = await self.client("supervisor").post("/dev/advance", json={"case": case["id"], "by": by})
        assert answer.status_code == 200, answer.text
        after: Json = answer.json()
        return after


def report(**changes: object) -> Json:
    """Rubbish in front of an officer's door, for `sanitation`, within four working hours. None leaves a member out.

    A new case, however much of it lies there already.
    """
    body = {
        "category": "E0110",
        "description": "巷口生活垃圾外溢",
        "location": {"lon": LON, "lat": LAT},
        "confirm_new": True,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


async def seed(engine: AsyncEngine) -> dict[str, str]:
    """The demonstration city, and a token for each user."""
    await directory.save(engine, demo_directory(), ROUND_THE_CLOCK, default_policy(), default_ladder())
    return {user: await tokens.issue(engine, user) for user in USERS}


def settings_for(temporal: WorkflowEnvironment, database_url: str, folder: Path, **changes: Any) -> Settings:  # noqa: ANN401 - any setting
    options: Json = {
        "data": folder,
        "database_url": database_url,
        "temporal_address": temporal.client.service_client.config.target_host,
        "task_queue": f"api-{uuid4()}",
        "time_travel": True,
        "update_timeout_seconds": 20,
        "requests_per_second": 100_000,
    }
    return Settings(**{**options, **changes})


@asynccontextmanager
async def running(
    temporal: WorkflowEnvironment, settings: Settings, *, with_worker: bool = True
) -> AsyncIterator[Stack]:
    """A stack on an empty database."""
    await asyncio.to_thread(migrate.upgrade, settings.database)
    async with AsyncExitStack() as stack:
        engine = open_engine(settings.database)
        stack.push_async_callback(engine.dispose)
        issued = await seed(engine)
        recorder = WatchedRecorder(engine)
        if with_worker:
            await stack.enter_async_context(_worker(temporal, recorder, settings))
        app = create_app(settings)
        url = await stack.enter_async_context(served(app))
        ready = Stack(app, url, issued, (engine, app.state.services.database), recorder)
        stack.push_async_callback(ready.close)
        yield ready


def _worker(temporal: WorkflowEnvironment, recorder: Recorder, settings: Settings) -> Worker:
    """As in production, without the sandbox: what that would find, `tests/workflows` finds."""
    return root.build(temporal.client, recorder, task_queue=settings.task_queue, grace=timedelta(0))


@pytest.fixture(scope="session")
async def stack(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    async with running(temporal, settings_for(temporal, f"sqlite:///{folder / 'rectify.db'}", folder)) as ready:
        yield ready


@pytest.fixture
async def postgresql_stack(temporal: WorkflowEnvironment, postgresql: str, tmp_path: Path) -> AsyncIterator[Stack]:
    for url in _empty_database(postgresql):
        async with running(temporal, settings_for(temporal, url, tmp_path)) as ready:
            yield ready


@pytest.fixture
async def lonely_stack(temporal: WorkflowEnvironment, tmp_path: Path) -> AsyncIterator[Stack]:
    """No worker runs, and nobody waits long for one."""
    settings = settings_for(temporal, f"sqlite:///{tmp_path / 'rectify.db'}", tmp_path, update_timeout_seconds=0.3)
    async with running(temporal, settings, with_worker=False) as ready:
        yield ready


async def expired_token(stack: Stack, user: str) -> str:
    return await tokens.issue(stack.engines[0], user, datetime.now(UTC) - timedelta(seconds=1))


OFFICERS = tuple(OFFICER_HOMES)
