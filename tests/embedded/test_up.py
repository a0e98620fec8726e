"""The whole stack as a user starts it: it comes up, survives what is killed, stops in time and carries on."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from bench.stack import free_pair, free_port
from store import migrate


def free_ports() -> tuple[int, int]:
    """For the API and for Temporal, whose web UI lives 1000 above its own."""
    return free_port(), free_pair()


class Stack:
    def __init__(self, data: Path) -> None:
        self.data = data
        self.port, self.temporal_port = free_ports()
        self.supervisor: Process | None = None

    async def launch(self, *options: str) -> Process:
        where = ("--data", str(self.data), "--port", str(self.port), "--temporal-port", str(self.temporal_port))
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "cli", "up", *where, *options, stdout=PIPE, stderr=PIPE
        )

    async def start(self) -> str:
        """What it says up to being ready, the log apart."""
        self.supervisor = await self.launch()
        assert self.supervisor.stdout is not None
        said = await asyncio.wait_for(self.supervisor.stdout.readuntil(b"Ctrl-C"), 40)
        return said.decode()

    async def end(self, how: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """The exit code and the log, once it is gone."""
        assert self.supervisor is not None
        self.supervisor.send_signal(how)
        _, log = await asyncio.wait_for(self.supervisor.communicate(), 12)
        assert self.supervisor.returncode is not None
        return self.supervisor.returncode, log.decode()

    async def refusal(self, *options: str) -> str:
        """The one line it says instead of starting."""
        process = await self.launch(*options)
        _, said = await asyncio.wait_for(process.communicate(), 30)
        lines = said.decode().splitlines()
        assert (process.returncode, len(lines)) == (2, 1), said.decode()
        return lines[0]

    async def child(self, name: str, *, other_than: int = 0) -> int:
        """The process id of a child, once it is another than this."""
        assert self.supervisor is not None
        while True:
            found = [pid for pid in _children(self.supervisor.pid) if name in _command(pid) and pid != other_than]
            if found:
                return found[0]
            await asyncio.sleep(0.02)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=20)

    def headers(self, user: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {json.loads((self.data / 'tokens.json').read_text())[user]['token']}"}


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


@contextmanager
def listening(port: int) -> Iterator[None]:
    with closing(socket.socket()) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        yield


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    stack = Stack(tmp_path / "data")
    yield stack
    if stack.supervisor is not None and stack.supervisor.returncode is None:
        await stack.end(signal.SIGKILL)


class TestRefusals:
    async def test_the_port_of_the_api_is_taken(self, stack: Stack) -> None:
        with listening(stack.port):
            assert f"127.0.0.1:{stack.port}" in await stack.refusal()

    async def test_the_port_of_temporal_is_taken(self, stack: Stack) -> None:
        with listening(stack.temporal_port):
            assert f"127.0.0.1:{stack.temporal_port}" in await stack.refusal()

    async def test_the_database_is_of_a_newer_version(self, stack: Stack) -> None:
        stack.data.mkdir()
        migrate.upgrade(f"sqlite:///{stack.data}/rectify.db")
        with closing(sqlite3.connect(stack.data / "rectify.db")) as database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
            database.commit()
        assert "newer version" in await stack.refusal()

    async def test_the_database_is_not_there(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECTIFY_DATABASE_URL", f"postgresql://somebody@127.0.0.1:{stack.port}/nothing")
        assert "cannot open the database" in await stack.refusal()

    async def test_a_setting_cannot_be(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECTIFY_LOG_LEVEL", "loud")
        assert "log_level" in await stack.refusal()

    async def test_two_servers_cannot_have_the_same_port(self, stack: Stack) -> None:
        assert "--temporal-port" in await stack.refusal("--port", str(stack.temporal_port))


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
class TestOneDay:
    async def test_it_comes_up_survives_stops_in_time_and_carries_on(self, stack: Stack) -> None:
        said = await stack.start()
        assert said.count(" rt_") == len(json.loads((stack.data / "tokens.json").read_text()))
        async with stack.client() as client:
            case = await open_case(client, stack)
        assert "in use by another instance" in await stack.refusal()

        worker = await stack.child("worker")
        os.kill(worker, signal.SIGKILL)
        assert await asyncio.wait_for(stack.child("worker", other_than=worker), 10) != worker
        async with stack.client() as client:
            await comment(client, stack, case, "after the worker")

        code, log = await stack.end()
        assert (code, "child_ended" in log, "child_killed" in log) == (0, True, False)

        assert " rt_" not in await stack.start()
        async with stack.client() as client:
            await comment(client, stack, case, "after the night")
        await stack.end(signal.SIGKILL)
        await stack.start()  # nothing was left behind on the ports
        async with stack.client() as client:
            await comment(client, stack, case, "after the crash")
            events = (await client.get(f"/api/v1/cases/{case}/events", headers=stack.headers("supervisor"))).json()
        assert all(f"after the {what}" in json.dumps(events) for what in ("worker", "night", "crash"))
        assert (await stack.end(signal.SIGTERM))[0] == 0


async def open_case(client: httpx.AsyncClient, stack: Stack) -> str:
    officer = json.loads((stack.data / "tokens.json").read_text())["officer-1"]
    report = {
        "category": "C0101",
        "description": "井盖缺失",
        "location": {"lon": officer["lon"], "lat": officer["lat"], "datum": "wgs84"},
        "source": "officer",
        "confirm_new": True,
    }
    answer = await client.post("/api/v1/cases", json=report, headers=stack.headers("officer-1"))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def comment(client: httpx.AsyncClient, stack: Stack, case: str, text: str) -> None:
    """As a client does it: with a key, again while the answer is 503."""
    headers = {**stack.headers("supervisor"), "Idempotency-Key": str(uuid4())}
    async with asyncio.timeout(30):
        while True:
            answer = await client.post(f"/api/v1/cases/{case}/comment", json={"text": text}, headers=headers)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
    assert answer.status_code == httpx.codes.OK, answer.text
