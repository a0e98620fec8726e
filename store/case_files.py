"""A case's file as the archive has it: every event with the case as it left it, told again from the log alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from domain import life
from domain.case import Case, Snapshot
from domain.events import CaseOpened, Event
from domain.evolve import begin, evolve
from domain.policy import Rules
from store import cases


@dataclass(frozen=True, slots=True)
class Entry:
    """`before` is None for the opening."""

    event: Event
    before: Case | None
    after: Case


@dataclass(frozen=True, slots=True)
class CaseFile:
    """`agrees`: the log, told again from its first event, ends in exactly the case that was recorded beside it."""

    case: Snapshot
    entries: tuple[Entry, ...]
    agrees: bool


async def read(engine: AsyncEngine, case_id: str) -> CaseFile | None:
    """None for a case that was never recorded, or without the rules it was judged by."""
    case = await cases.get(engine, case_id)
    rules = await cases.rules(engine, case.rules) if case else None
    if case is None or rules is None:
        return None
    events = [event for _, event in await cases.events(engine, case_id)]
    entries = _told(events, await _first_rules(engine, rules, events))
    return CaseFile(case, entries, agrees=bool(entries) and life.snapshot(entries[-1].after) == case)


def _told(events: Sequence[Event], rules: Rules) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for event in events:
        before = entries[-1].after if entries else None
        after = evolve(before, event) if before else begin(rules, event)
        entries.append(Entry(event, before, after))
    return tuple(entries)


async def _first_rules(engine: AsyncEngine, last: Rules, events: Sequence[Event]) -> Rules:
    """The rules at the opening, which its event names; a new calendar may have replaced them since."""
    opened = events[0].fact if events else None
    digest = opened.rulebook if isinstance(opened, CaseOpened) else None
    return (digest and await cases.rules(engine, digest)) or last
