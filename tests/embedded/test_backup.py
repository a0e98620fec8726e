"""A back-up under load becomes a city that goes on: nothing acknowledged is lost, and nothing untrue is told."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from embedded import backup
from settings import Settings
from tests.embedded.test_up import Stack
from tests.operations.watched import free_address, read, value
from tests.support import photos

Json = dict[str, Any]


async def rectify(*words: str) -> tuple[int, str]:
    """As an operator types it: the exit code and all that is said."""
    command = (sys.executable, "-P", "-m", "cli", *words)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=subprocess.STDOUT)
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, said.decode()


@dataclass
class City:
    """People at work on a running stack, and what they were told: the version of each case, and which ones ended."""

    stack: Stack
    client: httpx.AsyncClient
    acknowledged: dict[str, int] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def call(self, user: str, path: str, body: Json, status: int = 200) -> Json:
        headers = {**self.stack.headers(user), "Idempotency-Key": str(uuid4())}
        answer = await self.client.post(f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        case: Json = answer.json()
        self.acknowledged[case["id"]] = case["version"]
        return case

    async def open(self, **more: object) -> str:
        officer = json.loads((self.stack.data / "tokens.json").read_text())["officer-1"]
        place = {"lon": officer["lon"], "lat": officer["lat"], "datum": "wgs84"}
        report = {"category": "C0101", "description": "井盖缺失", "location": place, "confirm_new": True, **more}
        return str((await self.call("officer-1", "/cases", report, 201))["id"])

    async def photo(self) -> str:
        files, headers = {"file": ("photo", photos.photo(), "image/jpeg")}, self.stack.headers("officer-1")
        return str((await self.client.post("/api/v1/evidence", files=files, headers=headers)).json()["sha256"])

    async def comment(self, case: str) -> Json:
        return await self.call("supervisor", f"/cases/{case}/comment", {"text": "又"})

    async def see(self, path: str) -> httpx.Response:
        return await self.client.get(f"/api/v1{path}", headers=self.stack.headers("supervisor"))

    async def work(self, first: str) -> None:
        """Cases that are only begun, one that goes on, cases that end."""
        while True:
            await self.open()
            await self.comment(first)
            case = await self.open()
            await self.call("officer-1", f"/cases/{case}/withdraw", {"reason": "误报"})
            async with self.changed:
                self.ended.append(case)
                self.changed.notify_all()

    async def until_ended(self, count: int) -> None:
        async with self.changed, asyncio.timeout(30):
            await self.changed.wait_for(lambda: len(self.ended) >= count)

    async def until_archived(self, cases: list[str]) -> None:
        """The lists follow by milliseconds."""
        async with asyncio.timeout(30):
            for case in cases:
                while (await self.see(f"/cases?q={case}")).json()["items"][0]["stage"] != "withdrawn":
                    pass


@contextmanager
def parted(begun: threading.Event, enough: threading.Event) -> Iterator[None]:
    """Between the two views, which are a moment apart in truth, a lot happens."""
    pinned = backup.pinned

    @contextmanager
    def slowly(database: Path) -> Iterator[sqlite3.Connection]:
        with pinned(database) as view:
            begun.set()
            assert enough.wait(30)
            yield view

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup, "pinned", slowly)
        yield


@dataclass(frozen=True)
class Story:
    """`before` was acknowledged before the back-up began, `ended` between its two views."""

    city: City
    first: str
    photo: str
    pixels: bytes
    before: dict[str, int]
    after: dict[str, int]
    ended: list[str]
    said: str
    metrics: str


async def backed_up(city: City, first: str, target: Path) -> tuple[dict[str, int], list[str]]:
    """Under load: what had been acknowledged before it began, and which cases ended while it was made."""
    load = [asyncio.create_task(city.work(first)) for _ in range(2)]
    begun, enough = threading.Event(), threading.Event()
    await city.until_ended(2)
    before = dict(city.acknowledged)
    with parted(begun, enough):
        making = asyncio.create_task(asyncio.to_thread(backup.make, Settings(data=city.stack.data), target))
        await asyncio.to_thread(begun.wait, 10)
        had_ended = len(city.ended)
        await city.until_ended(had_ended + 3)
        ended = city.ended[had_ended:]
        await city.until_archived(ended)
        enough.set()
        await making
    for task in load:
        task.cancel()
    await asyncio.gather(*load, return_exceptions=True)
    return before, ended


@pytest.fixture(scope="class")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    place = tmp_path_factory.mktemp("story")
    old, new = Stack(place / "data"), Stack(place / "restored")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECTIFY_TIME_TRAVEL", "true")
        await old.start()
        async with old.client() as client:
            city = City(old, client)
            photo = await city.photo()
            first = await city.open(evidence=[photo])
            before, ended = await backed_up(city, first, place / "backup")
            pixels = (await city.see(f"/evidence/{photo}")).content
        await old.end(signal.SIGKILL)
        code, said = await rectify("restore", str(place / "backup"), "--data", str(new.data))
        assert code == 0, said
        patch.setenv("RECTIFY_WORKER_METRICS_ADDRESS", metrics := free_address())
        said += await new.start()
    async with new.client() as client:
        yield Story(City(new, client), first, photo, pixels, before, city.acknowledged, ended, said, metrics)
    await new.end()


class TestARestoredCity:
    async def test_is_audited_clean(self, story: Story) -> None:
        code, said = await rectify("audit", "--data", str(story.city.stack.data))
        assert code == 0, said

    async def test_has_everything_that_was_acknowledged_before(self, story: Story) -> None:
        for case, version in story.before.items():
            seen = (await story.city.see(f"/cases/{case}")).json()
            assert seen["version"] >= version
            listed = (await story.city.see(f"/cases?q={case}")).json()["items"]
            assert [each["version"] for each in listed] == [seen["version"]]

    async def test_tells_nothing_of_a_running_case_that_it_does_not_know_itself(self, story: Story) -> None:
        assert "removed (unknown to Temporal)    0" not in story.said
        seen = (await story.city.see(f"/cases/{story.first}")).json()
        assert seen["version"] < story.after[story.first]
        events = (await story.city.see(f"/cases/{story.first}/events")).json()["items"]
        assert [event["seq"] for event in events] == list(range(1, seen["version"] + 1))

    async def test_keeps_the_files_of_cases_that_began_and_ended_meanwhile(self, story: Story) -> None:
        for case in story.ended:
            assert (await story.city.see(f"/cases/{case}")).status_code == 200

    async def test_shows_the_photos(self, story: Story) -> None:
        assert story.pixels.startswith(b"\xff\xd8")
        assert (await story.city.see(f"/evidence/{story.photo}")).content == story.pixels

    async def test_goes_on_where_it_was(self, story: Story) -> None:
        version = (await story.city.see(f"/cases/{story.first}")).json()["version"]
        assert (await story.city.comment(story.first))["version"] == version + 1

    async def test_gives_no_position_twice(self, story: Story) -> None:
        case = await story.city.open()
        await story.city.comment(case)
        events = (await story.city.see(f"/cases/{case}/events")).json()["items"]
        assert min(event["position"] for event in events) > 1_000_000

    async def test_still_rings_when_something_falls_due(self, story: Story) -> None:
        later = await story.city.call("supervisor", "/dev/advance", {"case": story.first, "by": "P30D"})
        assert later["overdue"]

    async def test_is_an_ordinary_one_from_then_on(self, story: Story) -> None:
        assert "restored: the lists are made to agree" in story.said
        assert not (story.city.stack.data / "restored.json").exists()

    async def test_shows_what_its_worker_measures_where_it_is_told_to(self, story: Story) -> None:
        shown = await read(f"http://{story.metrics}/metrics")
        assert value(shown, "temporal_worker_start") == 1
        assert {"rectify_records_waiting", "rectify_record_failures_total"} <= {sample.name for sample in shown}
