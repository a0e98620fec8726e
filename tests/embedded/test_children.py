"""A child is started again for as long as that makes sense, and does not outlive its time."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from embedded import children
from embedded.children import Child, GaveUp, Program

_STUBBORN = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).write_text("up")
signal.pause()
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_FIRST_WAIT", 0.0)


def program(code: str, *arguments: str, output: Path | None = None) -> Program:
    return Program("child", (sys.executable, "-I", "-c", code, *arguments), output=output)


@asynccontextmanager
async def kept(child: Child) -> AsyncIterator[None]:
    keeping = asyncio.create_task(child.keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


@pytest.fixture
def up(tmp_path: Path) -> Path:
    """A pipe with a name: a child that has come up writes to it."""
    os.mkfifo(tmp_path / "up")
    return tmp_path / "up"


async def heard_from(up: Path) -> None:
    await asyncio.wait_for(asyncio.to_thread(up.read_text), 20)


class TestChild:
    async def test_one_that_never_starts_is_given_up(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        with pytest.raises(GaveUp) as given_up:
            await asyncio.wait_for(Child(program("print('x'); raise SystemExit(3)", output=log)).keep(), 30)
        assert (given_up.value.code, log.read_text().count("x")) == (3, 5)

    async def test_one_that_is_killed_is_started_however_often(self, tmp_path: Path, up: Path) -> None:
        tries = tmp_path / "tries"
        code = f"""
import os, pathlib, signal
tries = pathlib.Path({str(tries)!r})
tries.open("a").write("x")
if len(tries.read_text()) < 8:
    os.kill(os.getpid(), signal.SIGKILL)
pathlib.Path({str(up)!r}).write_text("up")
signal.pause()
"""
        child = Child(program(code))
        async with kept(child):
            await heard_from(up)
        await child.stop(until=asyncio.get_running_loop().time() + 5)
        assert tries.read_text() == "x" * 8

    async def test_one_that_does_not_listen_is_killed_in_time(self, up: Path) -> None:
        child, loop = Child(program(_STUBBORN, str(up))), asyncio.get_running_loop()
        async with kept(child):
            await heard_from(up)
        began = loop.time()
        await child.stop(until=began + 0.2)
        assert 0.2 <= loop.time() - began < 2
