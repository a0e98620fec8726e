"""Many small jobs, some at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import TypeVar

_T = TypeVar("_T")
#: Is told how many are done, of how many.
Progress = Callable[[int, int], None]

#: Enough to keep a worker busy, too few for the people at the counters to notice.
AT_ONCE = 16
#: Seconds. A job that takes longer says that others wait too.
SLOW = 1.0
#: Seconds that a slow job's place stays empty at most.
_LONGEST_REST = 5.0
_LESS = 0.8


def nobody(_done: int, _all: int) -> None:
    """Looks at no progress."""


class Pace:
    """How many jobs at a time: fewer while they are slow, as many as before once they are quick again."""

    def __init__(self, most: int = AT_ONCE, slow: float = SLOW) -> None:
        self.allowed = float(most)
        self._most = most
        self._slow = slow
        self._working = 0
        self._free = asyncio.Condition()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The job is done inside the block, and its place kept empty for a while if it was slow."""
        async with self._free:
            await self._free.wait_for(lambda: self._working < int(self.allowed))
            self._working += 1
        began = time.monotonic()
        try:
            yield
            await asyncio.sleep(self.took(time.monotonic() - began))
        finally:
            async with self._free:
                self._working -= 1
                self._free.notify_all()

    def took(self, seconds: float) -> float:
        """For how long the next job is to be kept waiting."""
        if seconds <= self._slow:
            self.allowed = min(self._most, self.allowed + 1 / self.allowed)
            return 0.0
        self.allowed = max(1.0, self.allowed * _LESS)
        return min(seconds - self._slow, _LONGEST_REST)


async def each(
    items: Collection[_T],
    work: Callable[[_T], Awaitable[object]],
    *,
    progress: Progress = nobody,
    done_before: int = 0,
) -> None:
    """The first job that fails ends the others, and its error is raised. `done_before` counts in the progress too."""
    waiting, done, goal = iter(items), done_before, done_before + len(items)

    async def hand() -> None:
        nonlocal done
        for item in waiting:
            await work(item)
            done += 1
            progress(done, goal)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(hand())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
