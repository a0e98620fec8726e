"""Lives a second: open, accept, submit, inspect over HTTP on the embedded stack, against the floor in the same run.

    python bench/lifecycles.py [--cases 300] [--at-once 30] [--pairs 3]

The two are measured in turn, so that a machine whose speed drifts does not favour either; the median ratio counts.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO

import httpx
from PIL import Image
from temporalio.client import Client

from bench import floor
from bench.stack import Stack, embedded, floor_worker

Life = Callable[[int], Awaitable[None]]


async def at_once(count: int, width: int, life: Life) -> float:
    """Lives a second."""
    numbers = iter(range(count))
    began = time.perf_counter()

    async def hand() -> None:
        for number in numbers:
            await life(number)

    await asyncio.gather(*(hand() for _ in range(width)))
    return count / (time.perf_counter() - began)


def photo() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (64, 48), "green").save(buffer, "JPEG")
    return buffer.getvalue()


class Hands:
    """The people a case passes through."""

    def __init__(self, stack: Stack, width: int) -> None:
        self.officer, self.inspector = stack.client("officer-1", width), stack.client("officer-2", width)
        self.units: dict[str, httpx.AsyncClient] = {
            entry["unit"]: stack.client(user, width) for user, entry in stack.users.items() if entry["role"] == "unit"
        }
        home = stack.users["officer-1"]
        self.report = {
            "category": "E0110",
            "description": "巷口生活垃圾",
            "location": {"lon": home["lon"], "lat": home["lat"]},
        }
        self.evidence: list[str] = []

    async def upload(self) -> None:
        answer = await self.officer.post("/evidence", files={"file": ("photo.jpg", photo(), "image/jpeg")})
        self.evidence = [answer.raise_for_status().json()["sha256"]]

    async def live(self, _number: int) -> None:
        opened = await self._post(self.officer, "/cases", self.report)
        case, unit = f"/cases/{opened['id']}", self.units[str(opened["lead_unit"])]
        await self._post(unit, f"{case}/accept", {})
        await self._post(unit, f"{case}/submit", {"note": "已清运", "evidence": self.evidence})
        closed = await self._post(self.inspector, f"{case}/inspect", {"result": "pass", "note": "合格"})
        assert closed["stage"] == "closure"

    async def _post(self, client: httpx.AsyncClient, path: str, body: Mapping[str, object]) -> dict[str, object]:
        answer = await client.post(path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
        document: dict[str, object] = answer.raise_for_status().json()
        return document


async def measure(stack: Stack, cases: int, width: int, pairs: int) -> list[tuple[float, float]]:
    temporal = await Client.connect(stack.temporal)
    hands = Hands(stack, width)
    await hands.upload()
    names = itertools.count()

    async def bare(_number: int) -> None:
        await floor.live(temporal, f"floor-{next(names)}")

    await at_once(width, width, hands.live)
    await at_once(width, width, bare)
    return [(await at_once(cases, width, bare), await at_once(cases, width, hands.live)) for _ in range(pairs)]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cases", type=int, default=300)
    arguments.add_argument("--at-once", type=int, default=30)
    arguments.add_argument("--pairs", type=int, default=3)
    asked = arguments.parse_args()
    with embedded() as stack, floor_worker(stack.temporal):
        rates = asyncio.run(measure(stack, asked.cases, asked.at_once, asked.pairs))
    for bare, ours in rates:
        print(f"floor {bare:6.1f}/s   rectify over HTTP {ours:6.1f}/s   ratio {ours / bare:.2f}")
    ratio = statistics.median(ours / bare for bare, ours in rates)
    print(json.dumps({"floor_ratio": round(ratio, 3), "cases": asked.cases, "at_once": asked.at_once}))


if __name__ == "__main__":
    main()
