"""Puts a synthetic history into a database: its city first, if there is none, then the cases."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import col

from directory.calendars import default_calendar
from directory.demo_city import demo_directory
from directory.rules import default_ladder, default_policy
from store import directory
from store.bulk import Loader
from store.database import open_engine, reading
from store.tables import CaseRow
from synth.cases import History, Tally
from synth.town import Town

#: Cases written, and how many there are to be.
Progress = Callable[[int, int], None]


#: Cases written in one go.
_SOME, _MANY = 2_000, 20_000


class NotEmpty(Exception):
    """There are cases already; the argument says how many."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`add`: also to a database that has cases. The same seed twice would give the same numbers to two cases.

    `reckless`: sooner, and what is broken off is lost (`store.bulk`).
    """

    cases: int
    seed: int = 1
    add: bool = False
    reckless: bool = False


async def fill(url: str, wanted: Wanted, progress: Progress) -> Tally:
    """The database must be of this release. Raises NotEmpty."""
    town = await _town(url, wanted)
    loader = Loader(url, reckless=wanted.reckless)
    history = History(town, wanted.cases, wanted.seed, loader.column)
    for batch in history.batches(_MANY if wanted.reckless else _SOME):
        loader.write(batch.tables, history.columns, batch.texts, batch.rulebooks)
        progress(history.tally.cases, wanted.cases)
    loader.finish()
    return history.tally


async def _town(url: str, wanted: Wanted) -> Town:
    engine = open_engine(url)
    try:
        async with reading(engine) as connection:
            there = await connection.scalar(select(func.count(col(CaseRow.id)))) or 0
        if there and not wanted.add:
            raise NotEmpty(there)
        if await directory.is_empty(engine):
            await directory.save(engine, demo_directory(), default_calendar(), default_policy(), default_ladder())
        policy, ladder, calendar = await directory.current_rules(engine)
        return Town(await directory.load(engine), calendar, policy, ladder, wanted.seed)
    finally:
        await engine.dispose()
