"""A worker with the production runtime, and its metrics as Prometheus would read them."""

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import httpx
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

import worker
from activities.recording import Recorder
from commands.worker import _runtime
from settings import Settings

_LINE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Sample(NamedTuple):
    name: str
    labels: dict[str, str]
    value: float


def samples(text: str) -> list[Sample]:
    """By hand: the client library's parser calls counters by other names than Prometheus does."""
    lines = (_LINE.fullmatch(line) for line in text.splitlines() if line and not line.startswith("#"))
    return [Sample(line[1], dict(_LABEL.findall(line[2] or "")), float(line[3])) for line in lines if line]


async def read(url: str) -> list[Sample]:
    async with httpx.AsyncClient() as client:
        return samples((await client.get(url)).text)


def value(found: list[Sample], name: str, **labels: str) -> float:
    """Summed up over all other labels; 0 where there is none."""
    return sum(each.value for each in found if each.name == name and labels.items() <= each.labels.items())


def free_address() -> str:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@dataclass
class Watched:
    """One more client of the server, with a runtime of its own."""

    settings: Settings

    @classmethod
    def of(cls, temporal: WorkflowEnvironment) -> "Watched":
        target = temporal.client.service_client.config.target_host
        return cls(Settings(temporal_address=target, worker_metrics_address=free_address()))

    @asynccontextmanager
    async def working(self, recorder: Recorder, task_queue: str, **choices: Any) -> AsyncIterator[Worker]:  # noqa: ANN401 - those of `worker.build`
        client = await worker.connect(self.settings, runtime=_runtime(self.settings))
        async with worker.build(client, recorder, task_queue=task_queue, grace=timedelta(0), **choices) as running:
            yield running

    async def metrics(self) -> list[Sample]:
        return await read(f"http://{self.settings.worker_metrics_address}/metrics")

    async def value(self, name: str, **labels: str) -> float:
        return value(await self.metrics(), name, **labels)

    async def until(self, name: str, at_least: float, **labels: str) -> float:
        """The server counts by itself and tells nobody: it is asked until it is so."""
        while (found := await self.value(name, **labels)) < at_least:
            pass
        return found
