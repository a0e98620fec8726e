"""Clients that dawdle, on real sockets, against the server as `rectify serve` sets it up: they hold up nobody.

Its patience is short here; what is tried is that it ends.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from api import problems
from api.middleware import LimitBody, Observe
from api.server import MAX_HEAD, server_config
from settings import Settings
from tests.api.answers import refused
from tests.support.stack import served_by

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEAD, BODY, SEND = 0.25, 0.3, 0.3
PATIENCE = {"header_timeout_seconds": HEAD, "body_timeout_seconds": BODY, "send_timeout_seconds": SEND}
#: Far longer than any wait above, far shorter than for ever.
LATEST = 5.0
POST = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@dataclass
class Door:
    """A server, and what has come to its application. `most`: how many may be there at once."""

    port: int
    ended: asyncio.Event
    wires: list[Wire] = field(default_factory=list)

    async def knock(self, said: bytes = b"") -> Wire:
        wire = await asyncio.open_connection("127.0.0.1", self.port)
        self.wires.append(wire)
        wire[1].write(said)
        await wire[1].drain()
        return wire

    async def is_served(self) -> bool:
        """Somebody who does not dawdle gets an answer, and soon."""
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"http://127.0.0.1:{self.port}/take", json={"a": 1}, timeout=LATEST)
        return answer.status_code == 200


def application(settings: Settings, ended: asyncio.Event) -> FastAPI:
    """What waits in the real one too: a body that is read, one that is refused unread, an answer without end."""
    app = FastAPI()
    problems.install(app)

    @app.post("/take")
    async def take(body: dict[str, int]) -> dict[str, int]:
        return body

    @app.post("/refuse", status_code=403)
    async def refuse() -> str:
        return "unread"

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def flood() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 65536
                    await asyncio.sleep(0)
            finally:
                ended.set()

        return StreamingResponse(flood())

    app.add_middleware(LimitBody, seconds=settings.body_timeout_seconds)
    app.add_middleware(Observe)
    return app


@asynccontextmanager
async def opened(folder: Path, **changes: float) -> AsyncIterator[Door]:
    settings = Settings(data=folder, **{**PATIENCE, **changes})  # type: ignore[arg-type]  # pydantic checks them
    ended = asyncio.Event()
    config = server_config(application(settings, ended), settings, loop="asyncio", timeout_keep_alive=1)
    async with served_by(config) as url:
        door = Door(int(url.rsplit(":", 1)[1]), ended)
        try:
            yield door
        finally:
            for _, writer in door.wires:
                writer.transport.abort()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with opened(tmp_path) as ready:
        yield ready


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything until the server closes, gently or not; TimeoutError if it never does."""
    said = b""
    async with asyncio.timeout(LATEST):
        with suppress(ConnectionError):
            while some := await reader.read(1 << 16):
                said = (said + some)[-(1 << 16) :]
    return said


async def drip(wire: Wire, drops: bytes, *, every: float) -> None:
    """A byte at a time, until the server has had enough."""
    for drop in drops:
        if wire[1].transport.is_closing() or wire[0].at_eof():
            return
        wire[1].write(bytes([drop]))
        await asyncio.sleep(every)  # what a slow client does


async def dripped(wire: Wire, drops: bytes, *, every: float = 0.02) -> bytes:
    """What the server says to that, up to its end."""
    dripping = asyncio.create_task(drip(wire, drops, every=every))
    try:
        return await rest(wire[0])
    finally:
        dripping.cancel()


async def taking(doing: Awaitable[bytes]) -> tuple[bytes, float]:
    began = time.monotonic()
    return await doing, time.monotonic() - began


def told(said: bytes, status: int, code: str) -> None:
    head, _, body = said.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    refused(httpx.Response(int(lines[0].split()[1]), headers=headers, content=body), status, code)
    assert headers["connection"] == "close"


class TestTheHead:
    async def test_that_never_ends_is_answered_408(self, door: Door) -> None:
        wire = await door.knock(b"GET /take HTTP/1.1\r\nHost: x\r\n")
        said, seconds = await taking(dripped(wire, b"X-A: b\r\n" * 1000))
        told(said, 408, "request_timeout")
        assert seconds >= HEAD * 0.8

    async def test_that_never_begins_is_no_reason_to_wait(self, door: Door) -> None:
        assert await rest((await door.knock())[0]) == b""

    async def test_that_follows_an_answer_is_waited_for_no_longer(self, door: Door) -> None:
        wire = await door.knock(POST + b"Content-Length: 7\r\n\r\n" + b'{"a":1}')
        await wire[0].readuntil(b'{"a":1}')
        said = await dripped(wire, b"\r\n" * 500)
        assert said == b""

    async def test_that_comes_behind_an_answer_still_going_out_is_timed_too(self, door: Door) -> None:
        wire = await door.knock(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\nGET /take HTTP/1.1\r\nX: ")
        await rest(wire[0])
        await door.ended.wait()

    async def test_may_not_be_long(self, door: Door) -> None:
        wire = await door.knock(b"GET /take HTTP/1.1\r\nX: " + b"y" * (MAX_HEAD + 1))
        told(await rest(wire[0]), 431, "headers_too_large")


class TestABody:
    async def test_that_drips_is_answered_408(self, door: Door) -> None:
        wire = await door.knock(POST + b"Content-Length: 500\r\n\r\n")
        told(await dripped(wire, b"{" * 500), 408, "request_timeout")

    async def test_that_stops_is_answered_408(self, door: Door) -> None:
        wire = await door.knock(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")
        told(await rest(wire[0]), 408, "request_timeout")

    async def test_that_nobody_reads_keeps_no_connection(self, door: Door) -> None:
        wire = await door.knock(POST.replace(b"take", b"refuse") + b"Content-Length: 60000\r\n\r\n")
        said = await dripped(wire, b"x" * 60000)
        assert b"403" in said.split(b"\r\n")[0]

    async def test_gets_a_second_for_every_8_kib(self, tmp_path: Path) -> None:
        """It takes twice as long as a body may that is hardly there."""
        async with opened(tmp_path) as door:
            wire = await door.knock(POST + b"Content-Length: 32775\r\n\r\n" + b'{"a":1')
            for _ in range(8):
                await asyncio.sleep(BODY / 4)  # the client's pace
                wire[1].write(b" " * 4096)
            wire[1].write(b"}")
            async with asyncio.timeout(LATEST):
                assert b"200" in await wire[0].readline()


class TestAReader:
    async def test_that_does_not_read_is_cut_off(self, door: Door) -> None:
        await door.knock(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(LATEST):
            await door.ended.wait()


class TestConnections:
    async def test_that_idle_between_requests_are_closed(self, door: Door) -> None:
        wire = await door.knock(POST + b"Content-Length: 7\r\n\r\n" + b'{"a":1}')
        assert (await rest(wire[0])).endswith(b'{"a":1}')

    async def test_in_crowds_do_not_keep_others_out(self, tmp_path: Path) -> None:
        """More of them than there may be, all with half a head: the oldest go, and whoever asks is answered."""
        async with opened(tmp_path, max_connections=40, header_timeout_seconds=60) as door:
            for _ in range(120):
                await door.knock(b"GET /take HTTP/1.1\r\nX-")
            assert all([await door.is_served() for _ in range(5)])
            assert await rest(door.wires[0][0]) == b""
            assert not door.wires[-1][0].at_eof()

    async def test_that_are_all_being_answered_send_the_next_one_away(self, tmp_path: Path) -> None:
        async with opened(tmp_path, max_connections=2, send_timeout_seconds=60) as door:
            for _ in range(2):
                wire = await door.knock(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
                await wire[0].readline()
            told(await rest((await door.knock())[0]), 503, "too_many_connections")


SLOW: dict[str, Callable[[Door], Awaitable[Wire]]] = {
    "heads": lambda door: door.knock(b"GET /take HTTP/1.1\r\nX-"),
    "bodies": lambda door: door.knock(POST + b"Content-Length: 500\r\n\r\n{"),
    "readers": lambda door: door.knock(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n"),
}


class TestOthers:
    @pytest.mark.parametrize("kind", SLOW)
    async def test_are_served_while_a_hundred_dawdle(self, tmp_path: Path, kind: str) -> None:
        patient = dict.fromkeys(PATIENCE, 60.0)
        async with opened(tmp_path, **patient) as door:
            for _ in range(100 if kind != "readers" else 20):
                await SLOW[kind](door)
            began = time.monotonic()
            assert all([await door.is_served() for _ in range(10)])
            assert time.monotonic() - began < LATEST
