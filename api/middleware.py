"""Around every request: its size, its log line, its place in the metrics. Plain ASGI, so that streams stay streams."""

import asyncio
import time

import structlog
from fastapi import HTTPException
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.evidence import MAX_UPLOAD
from api.exchange import MAX_IMPORT

_log = structlog.get_logger()

#: Of every body but a photo's and an import's: a command's argument goes into Temporal's history (see docs/adr/0003).
MAX_BODY = 64 * 1024
#: Bytes a second, on average, after the first seconds: a telephone at the edge of its network does better.
SLOWEST = 8 * 1024
#: Of a length that is one.
_DIGITS = 19
_UPLOADS = "/api/v1/evidence"
_IMPORTS = "/api/v1/directory/import"
#: The routes that decrypt: a page of a case's history at once, which Temporal keeps in payloads of 2 MB at most.
CODEC = "/api/v1/codec"
MAX_PAYLOADS = 4 * 1024 * 1024

#: Each becomes a series of its own; of others there are as many as a client can think of.
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

REQUESTS = Counter("rectify_http_requests_total", "Answered requests.", ("method", "route", "status"))
SECONDS = Histogram("rectify_http_request_seconds", "Time to the answer.", ("method", "route"))


class LimitBody:
    """Refuses a body that is too large as soon as that is known: by its header, or while it arrives.

    And one that comes too slowly: it has `seconds`, and one more for every 8 KiB that came.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, self._seconds)

        async def answer(message: Message) -> None:
            body.answered = True
            await send(message)

        await self._app(scope, body.receive, answer)


class _Body:
    """What comes in with one request. Once the answer has begun, nothing can be refused any more: then it just ends."""

    def __init__(self, scope: Scope, receive: Receive, seconds: float) -> None:
        self._most, self._code = _limit(scope["path"].rstrip("/"))
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        self._declared = int(declared) if declared.isdigit() and len(declared) < _DIGITS else 0
        self._receive = receive
        self._seconds = seconds
        self._began = time.monotonic()
        self._arrived = 0
        self._more = True
        self.answered = False

    async def receive(self) -> Message:
        if not self._more:
            return await self._receive()
        try:
            message = await self._in_time()
        except HTTPException:
            if self.answered:
                return {"type": "http.disconnect"}
            raise
        self._more = message.get("more_body", False)
        return message

    async def _in_time(self) -> Message:
        left = self._began + self._seconds + self._arrived / SLOWEST - time.monotonic()
        try:
            async with asyncio.timeout(left):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, ("request_timeout", {}), {"Connection": "close"}) from None
        self._arrived += len(message.get("body", b""))
        if max(self._declared, self._arrived) > self._most:
            raise HTTPException(413, (self._code, {"max_bytes": self._most}))
        return message


def _limit(path: str) -> tuple[int, str]:
    """How many bytes, and the code of the refusal."""
    if path == _UPLOADS:
        return MAX_UPLOAD, "evidence_too_large"
    if path == _IMPORTS:
        return MAX_IMPORT, "import_too_large"
    return MAX_PAYLOADS if path in {f"{CODEC}/decode", f"{CODEC}/encode"} else MAX_BODY, "body_too_large"


class Observe:
    """One log event and one count a request. Routes, not paths: a path may name a case."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            _note(scope, status, time.perf_counter() - began)


def _note(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    REQUESTS.labels(method, route, status).inc()
    SECONDS.labels(method, route).observe(seconds)
    _log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
