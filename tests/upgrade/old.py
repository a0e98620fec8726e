"""A worker or a client of a kept build, in a process of its own: `python -P old.py BUILD worker|client OPTIONS`.

OPTIONS is JSON: `address`, `task_queue`, and for a worker `max_cached_workflows` and `refuse`, the cases of which
nothing is to be recorded. Speaks JSON lines: a worker says `{"ready": true}`, `{"record": …}`, `{"refused": CASE}`;
a client answers each line it reads with `{"value": …}` or `{"error": CODE}`.

The code is that of the build, so nothing of it is known to mypy here, and nothing newer than 0.1.0 may be used.
"""

import asyncio
import json
import logging
import os
import signal
import sys
from datetime import timedelta
from importlib import import_module
from typing import Any

#: What we say; the SDK's core prints to standard output, too, and is sent elsewhere.
_OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
_PATIENCE = timedelta(seconds=20)


def say(**what: object) -> None:
    """At once and whole: whoever kills this process has got all that it did before."""
    _OUT.write(json.dumps(what) + "\n")
    _OUT.flush()


class Recorder:
    """Tells whoever started us what would be written down."""

    def __init__(self, refuse: list[str]) -> None:
        self._refuse = refuse

    async def record(self, record: Any) -> None:  # noqa: ANN401 - the build's own
        if record.case.id in self._refuse:
            say(refused=record.case.id)
            raise ConnectionError("the database is away")
        say(record=record.model_dump(mode="json"))


async def work(client: Any, options: dict[str, Any]) -> None:  # noqa: ANN401 - likewise
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    recorder = Recorder(options["refuse"])
    async with import_module("worker").build(
        client,
        recorder,
        task_queue=options["task_queue"],
        max_cached_workflows=options["max_cached_workflows"],
    ):
        say(ready=True)
        await stop.wait()


async def serve(client: Any, options: dict[str, Any]) -> None:  # noqa: ANN401 - likewise
    calls = Calls(client, options["task_queue"])
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        try:
            say(value=await getattr(calls, asked.pop("call"))(**asked))
        except import_module("domain.errors").RectifyError as refusal:
            say(error=refusal.code)


class Calls:
    """What that release's API asks of a case."""

    def __init__(self, client: Any, task_queue: str) -> None:  # noqa: ANN401 - likewise
        self._engine = import_module("workflows.client").CaseEngine(client, task_queue=task_queue, timeout=_PATIENCE)

    async def open(self, opening: dict[str, Any]) -> dict[str, Any]:
        told = import_module("domain.commands").Opening.model_validate(opening)
        return dict((await self._engine.open(told, "digest")).case.model_dump(mode="json"))

    async def give(self, case: str, name: str, order: dict[str, Any], key: str) -> dict[str, Any]:
        told = import_module("workflows.interface").Order.model_validate(order)
        return dict((await self._engine.give(case, name, told, key)).model_dump(mode="json"))

    async def snapshot(self, case: str) -> dict[str, Any]:
        return dict((await self._engine.snapshot(case)).model_dump(mode="json"))

    async def log(self, case: str) -> list[dict[str, Any]]:
        return [event.model_dump(mode="json") for event in await self._engine.log(case)]

    async def beginning(self, case: str) -> dict[str, Any]:
        return dict((await self._engine.beginning(case)).model_dump(mode="json"))

    async def recalendar(self, case: str, calendar: dict[str, Any]) -> bool:
        told = import_module("domain.calendar").Calendar.model_validate(calendar)
        return bool(await self._engine.recalendar(case, told))

    async def reproject(self, case: str) -> int:
        return int(await self._engine.reproject(case))


async def main(build: str, role: str, options: dict[str, Any]) -> None:
    sys.path.insert(0, build)
    root = import_module("worker")
    if not str(root.__file__).startswith(build):
        raise SystemExit(f"{root.__file__} is not of {build}")
    import_module("structlog").configure(
        wrapper_class=import_module("structlog").make_filtering_bound_logger(logging.CRITICAL)
    )
    client = await import_module("temporalio.client").Client.connect(options["address"], plugins=[root.plugin()])
    await {"worker": work, "client": serve}[role](client, options)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
    os._exit(0)  # the SDK's own threads end after the loop; an interpreter that leaves before them aborts
