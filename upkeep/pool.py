"""Many small jobs, some at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

_T = TypeVar("_T")

#: Enough to keep a worker busy, too few for the people at the counters to notice.
AT_ONCE = 16


async def each(items: Iterable[_T], work: Callable[[_T], Awaitable[object]]) -> None:
    """The first job that fails ends the others, and its error is raised."""
    waiting = iter(items)

    async def hand() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(hand())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
