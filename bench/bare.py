"""The floor: bare Temporal workflows. No rules, no recording, no HTTP.

`python -m bench.bare ADDRESS` runs their worker.
`Floor` takes as many updates as a case gets commands; `Bell` waits for an instant, then, like a case, for a later one.
"""

import asyncio
import os
import sys
import time
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

from commands.memory import cases_in_memory
from settings import Settings

TASK_QUEUE = "floor"
#: What `live` gives: a case's life here is accept, submit, inspect.
COMMANDS = 3
_LATER = timedelta(days=7)


@workflow.defn
class Floor:
    def __init__(self) -> None:
        self._given = 0

    @workflow.run
    async def run(self, commands: int) -> None:
        await workflow.wait_condition(lambda: self._given == commands)

    @workflow.update
    def give(self, name: str) -> str:
        self._given += 1
        return name


@workflow.defn
class Bell:
    @workflow.run
    async def run(self, at: datetime) -> None:
        await workflow.sleep(at - workflow.now())
        if not workflow.unsafe.is_replaying():
            _tell(workflow.info().workflow_id, (workflow.now() - at).total_seconds())
        await workflow.sleep(_LATER)


def _tell(name: str, late: float) -> None:
    """In one piece: workflows run in several threads."""
    os.write(sys.stdout.fileno(), f"{name} {late:.6f} {time.time():.6f}\n".encode())


async def serve(address: str) -> None:
    """Prints `ready`, then a line for each bell that rings: its id, how late by history, when by the wall's clock."""
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Floor, Bell],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=cases_in_memory(Settings()),  # as our own worker
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
    )
    async with worker:
        print("ready", flush=True)
        while True:
            await asyncio.sleep(0.2)
            sys.stdout.flush()


async def open_floor(client: Client, name: str, commands: int = COMMANDS) -> WorkflowHandle[Floor, None]:
    return await client.start_workflow(Floor.run, commands, id=name, task_queue=TASK_QUEUE)


async def open_bell(client: Client, name: str, at: datetime) -> None:
    await client.start_workflow(Bell.run, at, id=name, task_queue=TASK_QUEUE)


if __name__ == "__main__":
    try:
        asyncio.run(serve(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(0)
