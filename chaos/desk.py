"""How a careful client speaks to the API: one key for each command, repeated with the same key until it is answered."""

import asyncio
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import IO, Any

import httpx
import orjson
from PIL import Image

from chaos.judge.evidence import Json, Told

#: Seconds that a client waits for an answer: less than the API waits for the engine.
PATIENCE = 4.0
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 2.0
_AGAIN = 429
_BROKEN = 500
_FOUND = 200


@dataclass
class Journal:
    """What clients were told, in the order of the answers; also in a file, in case we are killed ourselves."""

    file: IO[bytes]
    told: list[Told] = field(default_factory=list)

    def write(self, told: Told) -> None:
        self.told.append(told)
        self.file.write(orjson.dumps(told) + b"\n")


@dataclass
class Desk:
    """One pair of hands. `closing` is set when the run is over: nothing new is begun, and what is begun is finished.

    `given_up` is set when there is no more time for that either.
    """

    user: str
    name: str
    client: httpx.AsyncClient
    journal: Journal
    closing: asyncio.Event
    given_up: asyncio.Event
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def key(self) -> str:
        return f"{self.name}-{next(self._numbers)}"

    async def look(self, path: str, **query: str | int) -> Json | None:
        """None if it cannot be had just now."""
        try:
            answer = await self.client.get(path, params=query)
            found: Json = answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        return found if answer.status_code == _FOUND else None

    async def give(self, key: str, command: str, case: str | None, body: Mapping[str, Any]) -> Json | None:
        """The answer's body if it was a success. Written down whatever it was."""
        path = "/cases" if case is None else f"/cases/{case}/{command}"
        told = Told(key, self.user, command, case, None, sent=time.time(), attempts=0, into=body.get("into"))
        wait = _FIRST_WAIT
        while not self.given_up.is_set():
            told = replace(told, attempts=told.attempts + 1)
            answer = await self._post(path, key, body)
            if answer is not None:
                return self._answered(told, answer)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)
        self.journal.write(told)
        return None

    async def _post(self, path: str, key: str, body: Mapping[str, Any]) -> httpx.Response | None:
        """None if nothing came that settles it."""
        try:
            answer = await self.client.post(path, json=body, headers={"Idempotency-Key": key})
            answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        return None if answer.status_code == _AGAIN or answer.status_code >= _BROKEN else answer

    def _answered(self, told: Told, answer: httpx.Response) -> Json | None:
        body: Json = answer.json()
        told = replace(told, status=answer.status_code, answered=time.time(), code=body.get("code"))
        if told.acknowledged:
            case = told.case if told.into else body["id"]  # a merger answers with the case that stays
            told = replace(told, case=case, version=body["version"], stage=body["stage"])
        self.journal.write(told)
        return body if told.acknowledged else None

    async def photo(self) -> str:
        """Uploads one, however long it takes; its name."""
        buffer = BytesIO()
        Image.new("RGB", (48, 32), (hash(self.name) % 256, 90, 60)).save(buffer, "JPEG")
        while True:
            try:
                answer = await self.client.post("/evidence", files={"file": ("p.jpg", buffer.getvalue(), "image/jpeg")})
                sha256: str = answer.raise_for_status().json()["sha256"]
            except (httpx.HTTPError, ValueError, KeyError):
                await asyncio.sleep(_FIRST_WAIT)
            else:
                return sha256


def client(url: str, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"{url}/api/v1",
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE,
        limits=httpx.Limits(max_connections=8, max_keepalive_connections=8),
    )
