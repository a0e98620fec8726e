"""The previous release, alive: its worker and its client, each in a process of its own, from the kept build."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from domain.errors import RectifyError
from domain.record import Record
from tests.support.engine import Desk
from tests.support.kept_build import latest

_PROGRAM = Path(__file__).parents[1] / "upgrade" / "old.py"
#: A record holds the whole case.
_LONGEST_LINE = 2**22
_PATIENCE = 30


@asynccontextmanager
async def _running(role: str, desk: Desk, **options: object) -> AsyncIterator[Process]:
    """Killed at the end, if it still lives."""
    told = {"address": desk.client.service_client.config.target_host, "task_queue": desk.task_queue, **options}
    command = (sys.executable, "-P", str(_PROGRAM), str(latest()), role, json.dumps(told))
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=_LONGEST_LINE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@dataclass
class PreviousWorker:
    """What it records lands where the desk's own worker records. `refused`: the case of each attempt that failed."""

    process: Process
    desk: Desk
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    refused: list[str] = field(default_factory=list)

    async def listen(self) -> None:
        """Returns when it has ended and all that it said has been heard."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            said = json.loads(line)
            if "record" in said:
                await self.desk.fakes.record(Record.model_validate(said["record"]))
            elif "refused" in said:
                await self._heard_of_refusal(said["refused"])
            else:
                self.ready.set()

    async def _heard_of_refusal(self, case: str) -> None:
        self.refused.append(case)
        async with self.desk.fakes.changed:
            self.desk.fakes.changed.notify_all()

    async def end(self, by: signal.Signals) -> int:
        """The exit code. SIGTERM is how a supervisor asks; SIGKILL does not ask."""
        self.process.send_signal(by)
        async with asyncio.timeout(_PATIENCE):
            return await self.process.wait()


@asynccontextmanager
async def previous_worker(desk: Desk, *, refuse: Sequence[str] = ()) -> AsyncIterator[PreviousWorker]:
    """`refuse`: cases that it cannot record."""
    options = {"max_cached_workflows": desk.max_cached_workflows, "refuse": refuse}
    async with asyncio.TaskGroup() as tasks, _running("worker", desk, **options) as process:
        worker = PreviousWorker(process, desk)
        tasks.create_task(worker.listen())
        async with asyncio.timeout(_PATIENCE):
            await worker.ready.wait()
        yield worker


@dataclass
class PreviousClient:
    """What that release's API would hear. Raises `RectifyError` with the code that it got."""

    process: Process

    async def __call__(self, call: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON, as that release wrote it
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = json.dumps({"call": call, **arguments}, default=_as_json)
        self.process.stdin.write(asked.encode() + b"\n")
        async with asyncio.timeout(_PATIENCE):
            answer = json.loads(await self.process.stdout.readline())
        if "error" in answer:
            raise RectifyError(answer["error"])
        return answer["value"]


@asynccontextmanager
async def previous_client(desk: Desk) -> AsyncIterator[PreviousClient]:
    async with _running("client", desk) as process:
        yield PreviousClient(process)


def _as_json(value: object) -> object:
    assert isinstance(value, BaseModel)
    return value.model_dump(mode="json")
