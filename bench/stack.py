"""The embedded stack and the floor's worker, started for a benchmark on free ports and a temporary folder."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Stack:
    url: str
    temporal: str
    users: dict[str, dict[str, str]]

    def client(self, user: str, connections: int) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {self.users[user]['token']}"},
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            timeout=60,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def embedded() -> Iterator[Stack]:
    port, temporal = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cli", "up", "--data", folder, "--port", str(port)]
        environment = {**os.environ, "RECTIFY_LOG_LEVEL": "warning", "RECTIFY_REQUESTS_PER_SECOND": "100000"}
        with _running([*command, "--temporal-port", str(temporal)], environment):
            url = f"http://127.0.0.1:{port}"
            _await(f"{url}/readyz")
            users = json.loads((Path(folder) / "tokens.json").read_text())
            yield Stack(url, f"127.0.0.1:{temporal}", users)


@contextlib.contextmanager
def floor_worker(address: str) -> Iterator[None]:
    with _running(
        [sys.executable, str(HERE / "floor.py"), address], dict(os.environ), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield


@contextlib.contextmanager
def _running(
    command: list[str], environment: dict[str, str], stdout: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment, stdout=stdout, cwd=HERE.parent)  # noqa: S603 - our own
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def _await(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url).is_success:
                return
        time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")
