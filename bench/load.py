"""Load: lives one after the other by so many hands at once, or commands at a steady rate; and who gives them.

The hands of ours speak HTTP, those of the floor the Temporal SDK's own client, as its users do.
"""

import asyncio
import itertools
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Protocol

import uvloop
from PIL import Image
from temporalio.client import Client
from temporalio.service import RPCError

from bench import bare
from bench.figures import Json
from bench.stack import Stack
from bench.wire import Caller, Refused

_numbers = itertools.count()


def run(measurement: Awaitable[Json]) -> Json:
    """On the loop that costs least."""

    async def measured() -> Json:
        return await measurement

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(measured())


@dataclass
class Log:
    """Seconds that commands took, and openings."""

    commands: list[float] = field(default_factory=list)
    openings: list[float] = field(default_factory=list)


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    into.append(time.perf_counter() - began)


class Hands(Protocol):
    """The people that a life passes through."""

    async def live(self, log: Log) -> None: ...


async def at_once(count: int, width: int, life: Callable[[], Awaitable[object]]) -> float:
    """Seconds that so many lives took."""
    numbers = iter(range(count))
    began = time.perf_counter()

    async def hand() -> None:
        for _ in numbers:
            await life()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(width, count)):
            group.create_task(hand())
    return time.perf_counter() - began


@dataclass
class Steady:
    """Commands at so many a second, each timed from when it was due: an answer that is late delays no other's clock."""

    per_second: float
    give: Callable[[int], Awaitable[object]]
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    async def until(self, end: asyncio.Event) -> None:
        began, tasks = time.perf_counter(), set()
        for number in itertools.count():
            due = began + number / self.per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if end.is_set():
                break
            tasks.add(asyncio.create_task(self._one(number, due)))
        await asyncio.gather(*tasks)

    async def _one(self, number: int, due: float) -> None:
        try:
            await self.give(number)
        except (Refused, RPCError, OSError, TimeoutError):  # of the floor: an update that the server gives up
            self.failed += 1
        self.seconds.append(time.perf_counter() - due)


class People:
    """Ours, over HTTP: open, accept, submit with a photo, inspect."""

    def __init__(self, stack: Stack) -> None:
        base = f"{stack.url}/api/v1"
        self._callers = {user: Caller(base, entry["token"]) for user, entry in stack.users.items()}
        self.officer, self.inspector = self._callers["officer-1"], self._callers["officer-2"]
        self.units = {
            entry["unit"]: self._callers[user] for user, entry in stack.users.items() if entry["role"] == "unit"
        }
        self._home = stack.users["officer-1"]
        self._dice = random.Random(1)  # noqa: S311 - nothing secret hangs on it
        self.evidence: list[object] = []

    def __getitem__(self, user: str) -> Caller:
        return self._callers[user]

    def report(self) -> Json:
        """Rubbish somewhere in the officer's district: a city's does not all lie in one place."""
        lon, lat = float(self._home["lon"]), float(self._home["lat"])
        location = {"lon": lon + self._dice.uniform(-0.005, 0.005), "lat": lat + self._dice.uniform(0, 0.05)}
        return {"category": "E0110", "description": "巷口生活垃圾", "location": location, "confirm_new": True}

    async def prepare(self) -> None:
        self.evidence = [(await self.officer.upload("/evidence", photo(), "photo.jpg", "image/jpeg"))["sha256"]]

    async def live(self, log: Log) -> None:
        with timed(log.openings):
            opened = await self.officer.insist("/cases", self.report())
        case, unit = f"/cases/{opened['id']}", self.units[str(opened["lead_unit"])]
        with timed(log.commands):
            await unit.insist(f"{case}/accept", {})
        with timed(log.commands):
            await unit.insist(f"{case}/submit", {"note": "已清运", "evidence": self.evidence})
        with timed(log.commands):
            closed = await self.inspector.insist(f"{case}/inspect", {"result": "pass", "note": "合格"})
        assert closed["stage"] == "closure", closed

    @property
    def repeated(self) -> int:
        """Requests that were made once more, because the server could not answer in time."""
        return sum(caller.repeated for caller in self._callers.values())

    def close(self) -> None:
        for caller in self._callers.values():
            caller.close()


class Bare:
    """The floor's: a start and as many updates."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def live(self, log: Log) -> None:
        with timed(log.openings):
            handle = await bare.open_floor(self._client, f"floor-{next(_numbers)}-{uuid.uuid4().hex[:8]}")
        for number in range(bare.COMMANDS):
            with timed(log.commands):
                await handle.execute_update(bare.Floor.give, str(number))


def photo() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (64, 48), "green").save(buffer, "JPEG")
    return buffer.getvalue()
