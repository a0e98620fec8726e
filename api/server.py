"""The HTTP server around the application: how long a client may keep it waiting, and how many may be there at once.

uvicorn waits for ever for headers, for the rest of a refused body and for a reader that does not read. A body that
somebody does read has its time limit in `api/middleware.py`, where it can be answered as every other error.
"""

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.problems import MEDIA_TYPE, RETRY_AFTER_SECONDS, document
from settings import Settings

#: Of a request's line and headers together, in bytes.
MAX_HEAD = 64 * 1024
#: Seconds that a connection may lie idle between two requests.
KEEP_ALIVE = 5
#: Seconds for requests in flight when the server ends; below the supervisor's and every orchestrator's kill time.
GRACE = 5
_LATE, _FULL = HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.SERVICE_UNAVAILABLE
_LONG = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
_RETRY = f"Retry-After: {RETRY_AFTER_SECONDS}\r\n"


@dataclass(frozen=True, slots=True)
class Patience:
    """Of one process. `head`: seconds for a request's head, and for the rest of a body that nobody reads any more.

    `send`: seconds for a client that takes nothing of its answer. `connections`: how many at once.
    """

    head: float
    send: float
    connections: int


def server_config(app: FastAPI, settings: Settings, **changes: Any) -> uvicorn.Config:  # noqa: ANN401 - any option of uvicorn
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop",
        "http": _protocol(settings),
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_keep_alive": KEEP_ALIVE,
        "timeout_graceful_shutdown": GRACE,
    }
    return uvicorn.Config(app, **{**options, **changes})


def _protocol(settings: Settings) -> type[HttpToolsProtocol]:
    patience = Patience(
        head=settings.header_timeout_seconds,
        send=settings.send_timeout_seconds,
        connections=settings.max_connections,
    )
    return type("PatientFor", (Bounded,), {"patience": patience})


class Bounded(HttpToolsProtocol):
    """One connection. At any time at most one of its waits is timed, apart from sending: `_wait_for`."""

    patience: Patience

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self._waiting: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._in_head = self._in_body = False
        self._head = 0  # bytes of it so far
        self._since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._since = self.loop.time()
        self._wait_for(self._head_is_late)
        if len(self.connections) > self.patience.connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_sending()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return
        self._head += len(data) * self._in_head
        if self._head > MAX_HEAD:
            self._refuse(_LONG, "headers_too_large")
        elif self._waiting is None and self._is_idle and self.timeout_keep_alive_task is None:
            self._wait_for(self._head_is_late)  # also for bytes between requests, which end uvicorn's own wait

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head = True, 0
        if self._waiting is None:
            self._wait_for(self._head_is_late)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._in_head, self._in_body, self._head, self._since = False, True, 0, self.loop.time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._stop_waiting()
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The client is told to go on; what it still sends of this body is thrown away, for a while."""
        super().on_response_complete()
        self._since = self.loop.time()
        if self._in_body and not self.transport.is_closing():
            self._wait_for(self.transport.close)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_sending()
        self._sending = self.loop.call_later(self.patience.send, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_sending()

    @property
    def _is_idle(self) -> bool:
        """No request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _wait_for(self, late: Any) -> None:  # noqa: ANN401 - a function without arguments
        self._stop_waiting()
        self._waiting = self.loop.call_later(self.patience.head, late)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _stop_sending(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def _head_is_late(self) -> None:
        if self._in_head:
            self._refuse(_LATE, "request_timeout")
        self.transport.close()

    def _make_room(self) -> None:
        """Whoever has been idle longest goes. If all are being answered, the new one is told to come again."""
        idle = [each for each in self.connections if isinstance(each, Bounded) and each._is_idle and each is not self]  # noqa: SLF001 - of the same class
        if idle:
            min(idle, key=lambda each: each._since).transport.abort()  # noqa: SLF001 - likewise
        else:
            self._refuse(_FULL, "too_many_connections")

    def _refuse(self, status: HTTPStatus, code: str) -> None:
        """Says why before there is a request to answer, so in Chinese, and closes. Not into another answer."""
        if not self._is_idle:
            self.transport.abort()
            return
        body = json.dumps(document(status, code, {}, "zh"), ensure_ascii=False).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Language: zh\r\n"
            f"Content-Length: {len(body)}\r\n{_RETRY * (status == _FULL)}Connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
