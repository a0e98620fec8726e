"""The floor: a bare Temporal workflow with as many updates as a case gets commands. No rules, no recording, no HTTP."""

import asyncio
import sys

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

TASK_QUEUE = "floor"
COMMANDS = 3


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


async def serve(address: str) -> None:
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Floor],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=2000,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
    )
    async with worker:
        print("ready", flush=True)
        await asyncio.Event().wait()


async def live(client: Client, name: str) -> None:
    handle = await client.start_workflow(Floor.run, COMMANDS, id=name, task_queue=TASK_QUEUE)
    for number in range(COMMANDS):
        await handle.execute_update(Floor.give, str(number))


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
