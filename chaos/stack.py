"""`rectify up` as anybody runs it, started again when it ends, as a service manager would; and its children."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import httpx
import psutil

from bench.stack import free_pair, free_port

HOST = "127.0.0.1"
_PAUSE = 0.1
_AGAIN_AFTER = 0.5
_LAST_MOMENT = 15.0
_OK = 200

#: A word of the command line by which each child is known.
CHILDREN = {"temporal": "start-dev", "worker": "worker", "api": "serve"}


class Stack:
    """`plants` name faults of `chaos.planted` that its worker is to have."""

    def __init__(self, data: Path, database: str, log: Path, plants: Collection[str] = ()) -> None:
        self._data, self._database, self._log, self._plants = data, database, log, plants
        self._port, self._temporal = free_port(), free_pair()
        self._process: Process | None = None
        self._keeping: asyncio.Task[NoReturn] | None = None
        self.starts = 0

    @property
    def port(self) -> int:
        return self._port

    @property
    def temporal(self) -> str:
        return f"{HOST}:{self._temporal}"

    async def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep(), name="rectify up")

    async def _keep(self) -> NoReturn:
        while True:
            self.starts += 1
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(), stdin=DEVNULL, stdout=log, stderr=STDOUT, env=self._environment()
                )
            await self._process.wait()
            await asyncio.sleep(_AGAIN_AFTER)

    def _command(self) -> list[str]:
        how = ["-m", "cli"] if not self._plants else ["-m", "chaos.planted", "up"]
        ports = ["--port", str(self._port), "--temporal-port", str(self._temporal)]
        return [sys.executable, *how, "up", "--data", str(self._data), *ports]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "RECTIFY_DATABASE_URL": self._database,
            "RECTIFY_LOG_LEVEL": "warning",
            "RECTIFY_LOG_FORMAT": "json",
            "RECTIFY_REQUESTS_PER_SECOND": "10000",
            "CHAOS_PLANT": ",".join(self._plants),
        }

    def supervisor(self) -> psutil.Process | None:
        alive = self._process is not None and self._process.returncode is None
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self._process.pid) if alive and self._process is not None else None
        return None

    def child(self, name: str) -> psutil.Process | None:
        """None while it is not there."""
        with contextlib.suppress(psutil.Error):
            for process in self._children():
                if CHILDREN[name] in process.cmdline():
                    return process
        return None

    def _children(self) -> list[psutil.Process]:
        supervisor = self.supervisor()
        return supervisor.children() if supervisor else []

    async def ready(self, seconds: float) -> None:
        """TimeoutError if it does not get there."""
        async with asyncio.timeout(seconds), httpx.AsyncClient(timeout=2) as client:
            while not await _answers(client, f"http://{HOST}:{self._port}/readyz"):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(_PAUSE)

    async def stop(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _LAST_MOMENT)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == _OK
    except httpx.HTTPError:
        return False


def send(process: psutil.Process | None, what: signal.Signals) -> bool:
    """Whether there was anybody to send it to."""
    if process is None:
        return False
    with contextlib.suppress(psutil.Error):
        process.send_signal(what)
        return True
    return False


def each(process: psutil.Process | None, do: Callable[[psutil.Process], object]) -> None:
    """To a process and all below it."""
    if process is None:
        return
    with contextlib.suppress(psutil.Error):
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                do(one)


@contextlib.contextmanager
def no_growth(processes: Iterable[psutil.Process | None]) -> Iterator[None]:
    """Inside the block none of them can make a file longer. Whoever is started anew meanwhile can."""
    bound: list[tuple[psutil.Process, tuple[int, int]]] = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            if process is not None:
                bound.append((process, process.rlimit(psutil.RLIMIT_FSIZE)))
                process.rlimit(psutil.RLIMIT_FSIZE, (0, bound[-1][1][1]))
    try:
        yield
    finally:
        for process, before in bound:
            with contextlib.suppress(psutil.Error):
                process.rlimit(psutil.RLIMIT_FSIZE, before)
