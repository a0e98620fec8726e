"""Brings everything up, keeps it up, and takes it down in the order in which nothing is lost.

Temporal, worker, API and the sender of notices start at once and wait for each other by themselves; only after a
restore the last two wait till the lists agree with Temporal again. Going down, the API first answers what it has begun,
then the worker hands in its work, then Temporal closes its file.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn

import structlog

from embedded import ports, temporal_server
from embedded.children import Child, Program
from embedded.folder import Folder
from settings import Settings

_log = structlog.get_logger()

#: Seconds after the wish to stop at which each, in this order, is killed if it still lives.
_LAST_MOMENTS = {"notices": 2.0, "rebuild": 2.0, "api": 5.5, "worker": 7.5, "temporal": 9.0}
#: Exit code of `rectify rebuild` where differences are left, and how often it is asked to do better.
_DIFFERENCES, _TRIES = 1, 3
_AGAIN_AFTER = 2.0
#: `-P`: the folder we happen to stand in must not lend its modules.
_OURSELVES = (sys.executable, "-P", "-m", "cli")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def programs(settings: Settings, folder: Folder, search_attributes: Mapping[str, str]) -> tuple[Program, ...]:
    environment = settings.environment()
    return (
        temporal_server.program(settings, folder, search_attributes),
        Program("worker", (*_OURSELVES, "worker"), environment),
        Program("rebuild", (*_OURSELVES, "rebuild", "--remove-ghosts"), environment),
        Program("api", (*_OURSELVES, "serve"), environment),
        Program("notices", (*_OURSELVES, "notify"), environment),
    )


async def supervise(
    settings: Settings, folder: Folder, wanted: tuple[Program, ...], on_ready: Callable[[], None]
) -> None:
    """Returns when a signal has asked for the end and everything is down. Raises GaveUp, likewise after that."""
    children = {program.name: Child(program) for program in wanted}
    asked = _asked_to_stop()
    mended = asyncio.create_task(_mended(settings, folder, children["rebuild"]))
    lives = (
        children["temporal"].keep(),
        children["worker"].keep(),
        _keep_after(mended, children["notices"]),
        _keep_after(mended, children["api"]),
    )
    tasks = [asyncio.create_task(life) for life in lives]
    ready = asyncio.create_task(_announce(settings, on_ready), name="ready")
    try:
        done, _ = await asyncio.wait([asked, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancel([ready, mended, asked, *tasks])
        await _stop(children)
    for task in done - {asked}:
        await task


async def _keep_after(mended: asyncio.Task[None], child: Child) -> NoReturn:
    await asyncio.shield(mended)
    await child.keep()


async def _mended(settings: Settings, folder: Folder, rebuild: Child) -> None:
    """After a restore the lists may tell of what Temporal has never heard of: nobody is to read that, or be told."""
    if folder.restored.exists():
        await ports.listening(temporal_server.HOST, settings.temporal_port)
        await _mend(rebuild, folder)


async def _mend(rebuild: Child, folder: Folder) -> None:
    """However long it takes until it can be asked. What it cannot mend is for a person, and tried again next time."""
    tries = 0
    while (code := await rebuild.once()) != 0:
        tries += code == _DIFFERENCES
        _log.warning("lists_differ_after_restore", code=code)
        if tries == _TRIES:
            return
        await asyncio.sleep(_AGAIN_AFTER)
    folder.restored.unlink()


def _asked_to_stop() -> asyncio.Task[bool]:
    stop = asyncio.Event()
    for each in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    return asyncio.create_task(stop.wait(), name="asked to stop")


async def _announce(settings: Settings, on_ready: Callable[[], None]) -> None:
    await ports.listening(temporal_server.HOST, settings.temporal_port)
    await temporal_server.remember_closed_cases(settings)
    await ports.healthy(settings.host, settings.port, "/readyz")
    on_ready()


async def _cancel(tasks: list[asyncio.Task[None] | asyncio.Task[bool]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def _stop(children: Mapping[str, Child]) -> None:
    now = asyncio.get_running_loop().time()
    for name, seconds in _LAST_MOMENTS.items():
        await children[name].stop(until=now + seconds)
