"""An HTTP client that costs next to nothing, so that the server is what is measured: JSON over kept connections.

A small request costs some 30 µs of CPU here, 120 through aiohttp, 900 through httpx (measured on one machine, uvloop).
Understands what our API and the peer's send, a body with `Content-Length`, and nothing else.
"""

import asyncio
import contextlib
import time
import uuid
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import orjson

from bench.figures import Json

_SERVER_ERRORS = 500
_PATIENCE = 60.0
_AGAIN = 0.05


class Refused(Exception):
    """The answer was not 2xx."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status} {body[:300].decode(errors='replace')}")
        self.status = status

    @property
    def worth_repeating(self) -> bool:
        return self.status >= _SERVER_ERRORS


@dataclass(frozen=True, slots=True)
class _Line:
    """A connection that is kept."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        body = await self.reader.readexactly(_length(head))
        return status, body


class Caller:
    """One user of an API, with as many connections as are needed at once."""

    def __init__(self, base: str, token: str = "") -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._prefix = parts.path
        self._common = (
            f"Host: {self._host}:{self._port}\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n"
        )
        self._idle: list[_Line] = []
        #: How often it had to insist.
        self.repeated = 0

    async def post(self, path: str, document: Json, key: str | None = None) -> Json:
        """Refused unless it is answered with 2xx. `key`: the Idempotency-Key, otherwise one that nobody else has."""
        head = f"Content-Type: application/json\r\nIdempotency-Key: {key or uuid.uuid4().hex}\r\n"
        return await self._ask("POST", path, head, orjson.dumps(document))

    async def insist(self, path: str, document: Json) -> Json:
        """As `post`, but asks again, with the same key, while the server says that it cannot just now."""
        key, deadline = uuid.uuid4().hex, time.monotonic() + _PATIENCE
        while True:
            try:
                return await self.post(path, document, key)
            except Refused as refused:
                if not refused.worth_repeating or time.monotonic() > deadline:
                    raise
            self.repeated += 1
            await asyncio.sleep(_AGAIN)

    async def upload(self, path: str, content: bytes, name: str, media_type: str) -> Json:
        border = uuid.uuid4().hex
        part = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = f"{part}Content-Type: {media_type}\r\n\r\n".encode() + content + f"\r\n--{border}--\r\n".encode()
        return await self._ask("POST", path, f"Content-Type: multipart/form-data; boundary={border}\r\n", body)

    async def get(self, path: str) -> Json:
        return await self._ask("GET", path, "", b"")

    async def _ask(self, method: str, path: str, head: str, body: bytes) -> Json:
        request = (
            f"{method} {self._prefix}{path} HTTP/1.1\r\n{self._common}{head}Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        async with asyncio.timeout(_PATIENCE):
            status, answer = await self._answer(request)
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP
            raise Refused(status, answer)
        document: Json = orjson.loads(answer)
        return document

    async def _answer(self, request: bytes) -> tuple[int, bytes]:
        """A kept connection may be closed by the server at any moment; then the same is asked on a new one."""
        while self._idle:
            line = self._idle.pop()
            if not line.reader.at_eof():
                with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                    return await self._exchange(line, request)
        return await self._exchange(_Line(*await asyncio.open_connection(self._host, self._port)), request)

    async def _exchange(self, line: _Line, request: bytes) -> tuple[int, bytes]:
        try:
            answer = await line.ask(request)
        except BaseException:
            line.writer.close()  # what it would say next belongs to this question
            raise
        self._idle.append(line)
        return answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().writer.close()


def _length(head: bytes) -> int:
    found = head.lower().find(b"\r\ncontent-length:")
    if found < 0:
        raise ValueError(f"an answer without Content-Length: {head[:200]!r}")
    return int(head[found + 17 :].split(b"\r\n", 1)[0])
