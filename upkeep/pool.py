"""Many small jobs, some at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

_T = TypeVar("_T")
#: Is told how many are done, of how many.
Progress = Callable[[int, int], None]

#: Enough to keep a worker busy, too few for the people at the counters to notice.
AT_ONCE = 16


def nobody(_done: int, _all: int) -> None:
    """Looks at no progress."""


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
