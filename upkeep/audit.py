"""Compares the read model with what the running cases themselves say, while everything runs.

What is written down follows the cases by milliseconds, so a difference counts only if it is still the same one
each time it is looked at again.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncEngine

from upkeep.compare import Difference, differences
from upkeep.found import found, running
from upkeep.pool import AT_ONCE, Progress, nobody
from upkeep.truth import Silent, ask
from workflows.client import CaseEngine

#: Seconds before each further look.
LOOKS = (0.1, 0.3, 0.6, 1.0, 2.0)


class NoAnswer(Exception):
    """There are cases, and no worker that answers for any of them."""


@dataclass(frozen=True, slots=True)
class Report:
    """`cases`: how many were compared."""

    cases: int
    differences: tuple[Difference, ...]


async def audit(
    engine: CaseEngine, database: AsyncEngine, *, looks: Sequence[float] = LOOKS, progress: Progress = nobody
) -> Report:
    """Raises NoAnswer, and what the database and Temporal raise when they are not there."""
    listed = {case_id async for case_id in engine.running()}
    ids = sorted(listed | await running(database))
    suspects = await _compared(engine, database, ids, listed, progress)
    for wait in looks:
        if not suspects:
            break
        await asyncio.sleep(wait)
        again = await _compared(engine, database, suspects, set(), nobody)
        suspects = {each: kept for each in again if (kept := [d for d in again[each] if d in suspects[each]])}
    return Report(len(ids), tuple(each for case in suspects.values() for each in case))


async def _compared(
    engine: CaseEngine, database: AsyncEngine, ids: Iterable[str], listed: set[str], progress: Progress
) -> dict[str, list[Difference]]:
    """The cases that differ, and in what."""
    wanted, done, differing = list(ids), 0, {}
    remaining = iter(wanted)
    while some := list(islice(remaining, AT_ONCE)):
        words = await asyncio.gather(*(ask(engine, each, listed=each in listed) for each in some))
        if done == 0 and all(isinstance(word, Silent) for word in words):
            raise NoAnswer
        rows = await found(database, some)
        for each, word in zip(some, words, strict=True):
            if lines := differences(each, word, rows[each]):
                differing[each] = lines
        done += len(some)
        progress(done, len(wanted))
    return differing
