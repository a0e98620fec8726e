"""Child processes: kept running until they are told to stop, and never left behind."""

import asyncio
import ctypes
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn

import structlog

_log = structlog.get_logger()

#: Seconds. Who lives shorter has failed to start; so many failures in a row are enough.
_STARTED_AFTER = 5.0
_ENOUGH = 5
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 10.0
_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """`output`: a file for what it prints; None: where the supervisor prints."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    output: Path | None = None


class GaveUp(Exception):
    """A program does not start, however often it is tried."""

    def __init__(self, program: Program, code: int) -> None:
        super().__init__(program.name)
        self.program = program
        self.code = code


class Child:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: Process | None = None

    async def keep(self) -> NoReturn:
        """Starts it again whenever it ends. Cancelling this leaves it running. Raises GaveUp.

        Only an exit of its own with an error counts as failing to start: a process that was killed is just started
        again, after a wait that grows while it happens soon after each start.
        """
        failures = quick_ends = 0
        while True:
            born = time.monotonic()
            self._process = await self._start()
            code = await self._process.wait()
            quick = time.monotonic() - born < _STARTED_AFTER
            quick_ends = quick_ends + 1 if quick else 0
            failures = failures + 1 if quick and code > 0 else 0
            if failures == _ENOUGH:
                raise GaveUp(self._program, code)
            wait = min(_FIRST_WAIT * 2**quick_ends, _LONGEST_WAIT)
            _log.warning("child_ended", child=self._program.name, code=code, again_in_seconds=wait)
            await asyncio.sleep(wait)

    async def once(self) -> int:
        """Its exit code."""
        self._process = await self._start()
        return await self._process.wait()

    async def stop(self, until: float) -> None:
        """Asks it to end, and ends it at `until` (of the loop's clock)."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout_at(until):
                await process.wait()
        except TimeoutError:
            _log.warning("child_killed", child=self._program.name)
            process.kill()
            await process.wait()

    async def _start(self) -> Process:
        """In a session of its own: Ctrl-C at the terminal reaches the supervisor alone, who knows the order."""
        output = None if self._program.output is None else self._program.output.open("ab")
        try:
            process = await asyncio.create_subprocess_exec(
                *self._program.command,
                stdin=DEVNULL,
                stdout=output,
                stderr=None if output is None else STDOUT,
                env={**os.environ, **self._program.environment},
                start_new_session=True,
                preexec_fn=partial(_end_with, os.getpid()),
            )
        finally:
            if output is not None:
                output.close()
        _log.info("child_started", child=self._program.name, pid=process.pid)
        return process


def _end_with(supervisor: int) -> None:
    """Runs in the child before the program: on Linux the kernel ends it when the supervisor dies, even by SIGKILL.

    At once and without farewell: everything is durable, and the next start must find the ports free. Elsewhere there
    is no such thing.
    """
    if _libc is None:
        return
    _libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:  # it died before the kernel was asked
        os._exit(1)
