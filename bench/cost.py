"""What a life costs: history events and bytes, actions as Temporal Cloud bills them, bytes in SQL.

Lived over HTTP on the embedded stack, in real time: the closure window is set to two seconds, so that each history is
complete and holds no skipped time. Limits run day and night, so that the figures do not depend on the hour.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from statistics import fmean

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from bench.figures import Json
from bench.load import People, at_once, run
from bench.openings import TWO_DAYS, changed_policy, connect, opening
from bench.progress import say
from bench.results import Outcome
from bench.stack import Stack, embedded
from domain.policy import Rules
from workflows.client import CaseEngine

#: How many of each, for the bytes in SQL: a table grows by whole pages.
LIVES = {"four_calls": 100, "six_commands": 100, "long": 10}
QUICK = {"four_calls": 5, "six_commands": 5, "long": 1}
#: The one that the goals are about.
MAIN = "six_commands"
ROUNDS, EXTENSIONS, URGES = 10, 3, 100
_AT_ONCE = 5
_PATIENCE = 60

#: https://docs.temporal.io/cloud/actions: a start (continue-as-new too), a timer, an update (a rejected one too, which
#: leaves no event), a signal, an activity's start, an upsert of search attributes: one each, whatever it holds. All
#: local activities of one workflow task together: one. Attributes that come with the start are free, retries are not.
_BILLED = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: "starts",
    EventType.EVENT_TYPE_TIMER_STARTED: "timers",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "updates",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signals",
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED: "activities",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "search_attributes",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: "options",
}

Give = Callable[..., Awaitable[Json]]
Story = Callable[[People, str, str], Awaitable[None]]


def actions(events: Iterable[HistoryEvent]) -> Counter[str]:
    """By kind. Markers belong to the workflow task that completed just before them."""
    billed: Counter[str] = Counter()
    tasks_with_markers = set()
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            tasks_with_markers.add(event.marker_recorded_event_attributes.workflow_task_completed_event_id)
        elif event.event_type in _BILLED:
            attempts = event.activity_task_started_event_attributes.attempt or 1
            billed[_BILLED[event.event_type]] += attempts
    if tasks_with_markers:
        billed["local_activities"] = len(tasks_with_markers)
    return billed


def measure(*, quick: bool) -> Outcome:
    lives = QUICK if quick else LIVES
    with embedded() as stack:
        found = run(_measure(stack, lives))
    main = found[MAIN]
    assert isinstance(main, dict)
    figures: Json = {
        "events_per_life": main["events"],
        "bytes_per_life": main["history_bytes"],
        "actions_per_life": main["actions"],
        "sql_bytes_per_case": main["sql_bytes"],
    }
    size: Json = {"story": MAIN, "lives": lives[MAIN]}
    return Outcome(size, figures, {"by_story": found})


async def _measure(stack: Stack, lives: dict[str, int]) -> Json:
    people = People(stack)
    await people.prepare()
    client, engine = await connect(stack)
    window = {"value": "0.00002", "unit": "natural_day"}
    rules = changed_policy({"limits": {"window": window}, "extensions": {"max_granted": EXTENSIONS}})
    teller = Teller(stack, people, client, engine, rules)
    found: Json = {}
    for name, count in lives.items():
        found[name] = await teller.told(STORIES[name], count)
        say(f"cost, {name}: {found[name]}")
    people.close()
    return found


@dataclass
class Teller:
    """Lives stories and looks at what they left behind."""

    stack: Stack
    people: People
    client: Client
    engine: CaseEngine
    rules: Rules

    async def told(self, story: Story, count: int) -> Json:
        cases: list[str] = []
        before = _used(self.stack)

        async def live() -> None:
            case = (await self.engine.open(opening(self.stack, TWO_DAYS, rules=self.rules), "bench")).case
            await story(self.people, f"/cases/{case.id}", str(case.lead_unit))
            cases.append(case.id)

        await at_once(count, _AT_ONCE, live)
        histories = [await self._history(case) for case in cases]
        sql = _used(self.stack) - before
        return {**_averages(histories), "sql_bytes": round(sql / count), "lives": count}

    async def _history(self, case_id: str) -> list[Sequence[HistoryEvent]]:
        """Every run's, once the case has ended."""
        handle = self.engine.handle(case_id)
        await asyncio.wait_for(handle.result(), _PATIENCE)
        earlier = [run async for run in self.engine.earlier_runs(case_id)]
        handles = [handle, *(self.client.get_workflow_handle(case_id, run_id=run) for run in earlier)]
        return [(await each.fetch_history()).events for each in handles]


def _averages(histories: Sequence[Sequence[Sequence[HistoryEvent]]]) -> Json:
    billed = [sum((actions(run) for run in runs), Counter[str]()) for runs in histories]
    kinds = sum(billed, Counter[str]())
    size = [sum(event.ByteSize() for run in runs for event in run) for runs in histories]
    return {
        "events": round(fmean(sum(map(len, runs)) for runs in histories), 1),
        "history_bytes": round(fmean(size)),
        "runs": round(fmean(map(len, histories)), 2),
        "actions": round(fmean(each.total() for each in billed), 1),
        "actions_by_kind": {kind: round(count / len(histories), 2) for kind, count in sorted(kinds.items())},
        "bytes_by_event": _by_event([event for runs in histories for run in runs for event in run], len(histories)),
    }


def _by_event(events: Iterable[HistoryEvent], lives: int) -> Json:
    """How many of each kind a life has, and their bytes."""
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for event in events:
        name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower()
        counts[name] += 1
        sizes[name] += event.ByteSize()
    return {name: [round(counts[name] / lives, 2), round(size / lives)] for name, size in sizes.most_common()}


def _used(stack: Stack) -> int:
    """Bytes of the read model's file that hold something."""
    with closing(sqlite3.connect(stack.database_url.removeprefix("sqlite:///"))) as database:
        pages, free, size = (
            database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size)


# --- the stories ---


async def _submitted(people: People, case: str, unit: str) -> None:
    await people.units[unit].insist(f"{case}/submit", {"note": "清理完毕", "evidence": people.evidence})


async def _inspected(people: People, case: str, result: str) -> None:
    await people.inspector.insist(f"{case}/inspect", {"result": result, "note": "现场核查"})


async def _extended(people: People, case: str, unit: str) -> None:
    await people.units[unit].insist(f"{case}/request-extension", {"reason": "连日下雨"})
    await people["supervisor"].insist(f"{case}/decide-extension", {"grant": True, "reason": "情况属实"})


async def four_calls(people: People, case: str, unit: str) -> None:
    """Accepted, submitted, passed: what most cases are."""
    await people.units[unit].insist(f"{case}/accept", {})
    await _submitted(people, case, unit)
    await _inspected(people, case, "pass")


async def six_commands(people: People, case: str, unit: str) -> None:
    """Accepted, extended, failed once, passed: as in the tests' stored histories."""
    await people.units[unit].insist(f"{case}/accept", {})
    await _extended(people, case, unit)
    await _submitted(people, case, unit)
    await _inspected(people, case, "fail")
    await _submitted(people, case, unit)
    await _inspected(people, case, "pass")


async def urged(times: int, people: People, case: str, unit: str) -> None:
    for _ in range(times):
        await people["supervisor"].insist(f"{case}/urge", {"note": "请尽快处理"})
    await four_calls(people, case, unit)


async def long(people: People, case: str, unit: str) -> None:
    await people.units[unit].insist(f"{case}/accept", {})
    for number in range(1, ROUNDS + 1):
        if number <= EXTENSIONS:
            await _extended(people, case, unit)
        for _ in range(URGES // ROUNDS):
            await people["supervisor"].insist(f"{case}/urge", {"note": "请尽快处理"})
        await _submitted(people, case, unit)
        await _inspected(people, case, "pass" if number == ROUNDS else "fail")


STORIES: dict[str, Story] = {"four_calls": four_calls, "six_commands": six_commands, "long": long}
