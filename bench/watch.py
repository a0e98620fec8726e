"""Reads the event log of an embedded stack on as it grows, as a consumer of the feed would."""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

from bench.stack import Stack

_PATIENCE = 1200.0


class Fired(NamedTuple):
    """A rung's firing. `seen`: when a reader of SQL could know of it."""

    case: str
    seen: float


class Watch:
    def __init__(self, database: sqlite3.Connection, rung: str) -> None:
        self._database = database
        self._rung = f'"rung":"{rung}"'
        self._position = 0
        self.opened = 0
        self.fired: list[Fired] = []

    def look(self) -> None:
        asked = "SELECT position, case_id, type, data FROM events WHERE position > ? ORDER BY position"
        now = time.time()
        for position, case, kind, data in self._database.execute(asked, (self._position,)):
            self._position = position
            self.opened += kind == "CaseOpened"
            if kind == "RungFired" and self._rung in data.replace(" ", ""):
                self.fired.append(Fired(case, now))

    async def until_opened(self, cases: int) -> None:
        await until(lambda: self._looked().opened >= cases)

    async def until_fired(self, cases: int) -> None:
        await until(lambda: len(self._looked().fired) >= cases)

    def _looked(self) -> "Watch":
        self.look()
        return self

    def duplicates(self) -> int:
        return sum(count - 1 for count in Counter(each.case for each in self.fired).values())


@contextmanager
def watching(stack: Stack, rung: str = "urge") -> Iterator[Watch]:
    path = stack.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
        yield Watch(database, rung)


async def until(done: Callable[[], bool]) -> None:
    """Looked at ten times a second. TimeoutError after twenty minutes."""
    deadline = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not done after {_PATIENCE:.0f} s")
        await asyncio.sleep(0.1)
