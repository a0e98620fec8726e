"""Scenarios whose histories are kept: what a case of every release looks like to the code of all later ones.

`python -m tests.support.histories` lives each on a real server and writes `tests/histories/<name>.<version>.json`.
A file that is there is never written again: it is what a case that is running somewhere has in its past.
"""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from domain.commands import Opening
from tests.support import defaults
from tests.support.cases import (
    CO_UNIT,
    DISPATCHER,
    INSPECTOR,
    NEIGHBOUR,
    OTHER_PHOTO,
    RESIDENT,
    SUPERVISOR,
    UNIT,
    by_resident,
    with_holidays,
)
from tests.support.cases import rules as city_rules
from tests.support.engine import ROUND_THE_CLOCK, Desk, Handle, report, start_server
from workflows import interface as i

FOLDER = Path(__file__).parents[1] / "histories"

Scenario = Callable[[Desk], Awaitable[Handle]]


async def _submit(desk: Desk, handle: Handle) -> None:
    await desk.give(handle, "submit", UNIT, note="清理完毕", evidence=[OTHER_PHOTO])


async def _inspect(desk: Desk, handle: Handle, result: str) -> None:
    await desk.give(handle, "inspect", INSPECTOR, result=result, note="现场核查")


async def six_commands(desk: Desk, opening: Opening | None = None) -> Handle:
    """Accepted, extended, failed once, passed, archived: the life that the figures are about."""
    handle = await desk.open(opening)
    await desk.fakes.until(lambda: bool(desk.fakes.records))
    await desk.give(handle, "accept", UNIT)
    await desk.give(handle, "request-extension", UNIT, reason="连日下雨")
    await desk.give(handle, "decide-extension", SUPERVISOR, grant=True, reason="情况属实")
    await _submit(desk, handle)
    await _inspect(desk, handle, "fail")
    await _submit(desk, handle)
    await _inspect(desk, handle, "pass")
    await desk.advance(handle, timedelta(days=8))
    await handle.result()
    return handle


async def late_to_the_summons(desk: Desk) -> Handle:
    handle = await desk.open()
    await desk.advance(handle, timedelta(hours=57))
    return handle


async def returned_and_suspended(desk: Desk) -> Handle:
    """A resident's report, verified, returned, assigned anew, suspended till it resumes by itself, and recalendared."""
    base = report()
    opening = by_resident(id=base.id, opened_at=base.opened_at, discovered_at=base.discovered_at, rules=base.rules)
    handle = await desk.open(opening)
    await desk.give(handle, "verify", DISPATCHER, note="属实")
    await desk.give(handle, "return", UNIT, reason="不归我管")
    await desk.give(handle, "assign", DISPATCHER, unit="sanitation", reason="按职责")
    await desk.give(handle, "accept", UNIT)
    until = (opening.opened_at + timedelta(days=2)).isoformat()
    await desk.give(handle, "suspend", SUPERVISOR, reason="等设备", until=until)
    await desk.advance(handle, timedelta(days=2, hours=1))
    tomorrow = (opening.opened_at + timedelta(days=4)).date().isoformat()
    await desk.update(handle, i.RECALENDAR, i.Publication(calendar=with_holidays(ROUND_THE_CLOCK, tomorrow)))
    await _submit(desk, handle)
    await _inspect(desk, handle, "pass")
    await desk.give(handle, "rate", RESIDENT, score=5)
    return handle


async def recorder_away(desk: Desk) -> Handle:
    """The first attempt to record fails, an ordinary activity follows; then everything is written down again."""
    desk.fakes.fail = 1
    handle = await desk.open()
    await desk.give(handle, "accept", UNIT)
    await desk.fakes.until(lambda: bool(desk.fakes.records))
    await desk.update(handle, i.REPROJECT)
    await desk.fakes.until(lambda: desk.fakes.records[-1].rewrite)
    await handle.cancel()
    await desk.give(handle, "comment", UNIT, text="照常进行")
    return handle


async def whole_city(desk: Desk) -> Handle:
    """Helped by a late co-unit, joined by a neighbour, by a plan, under a new policy, then by a unit of own hours."""
    rules = city_rules(calendar=ROUND_THE_CLOCK, co_units={"lead_may_go_ahead": True})
    handle = await desk.open(report(proposed_co_units=("greening",), needs_plan=True, rules=rules))
    await desk.give(handle, "join", NEIGHBOUR, description="我也看到了")
    await desk.advance(handle, timedelta(days=3))
    policy = rules.policy.model_copy(update={"version": rules.policy.version + 1})
    await desk.update(handle, i.RERULE, i.NewRules(policy=policy, ladder=rules.ladder))
    await desk.give(handle, "submit-plan", UNIT, text="分段开挖")
    await desk.give(handle, "decide-plan", DISPATCHER, grant=True, reason="可行")
    await desk.give(handle, "submit", CO_UNIT, note="补种完毕", evidence=[OTHER_PHOTO])
    await _submit(desk, handle)
    await _inspect(desk, handle, "fail")
    await desk.give(handle, "submit", UNIT, note="清理完毕", evidence=[OTHER_PHOTO], ahead_because="绿化须待春季")
    return handle


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (six_commands, late_to_the_summons, returned_and_suspended, recorder_away, whole_city)
}


async def lived(scenario: Scenario, desk: Desk) -> WorkflowHistory:
    async with desk.worker():
        handle = await scenario(desk)
        return await handle.fetch_history()


async def write_missing() -> list[Path]:
    release = re.sub(r"[^0-9.]", "", version("rectify"))
    missing = {FOLDER / f"{name}.{release}.json": scenario for name, scenario in SCENARIOS.items()}
    missing = {path: scenario for path, scenario in missing.items() if not path.exists()}
    temporal = await start_server()
    for path, scenario in missing.items():
        history = await lived(scenario, Desk(temporal))
        path.write_text(json.dumps(_clean(history.to_json_dict()), ensure_ascii=False, indent=1) + "\n")
    await temporal.shutdown()
    await asyncio.sleep(1)  # the SDK's own threads end after the loop; an interpreter that leaves before them aborts
    return list(missing)


def _clean(part: Any) -> Any:  # noqa: ANN401 - whatever JSON may hold
    """Without stack traces: they tell of the machine, and replay does not read them."""
    if isinstance(part, dict):
        return {key: _clean(value) for key, value in part.items() if key != "stackTrace"}
    return [_clean(value) for value in part] if isinstance(part, list) else part


def load(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(f"case-of-{path.stem}", path.read_text())


if __name__ == "__main__":
    defaults.add_new()
    for written in asyncio.run(write_missing()):
        events = load(written).events
        size = sum(event.ByteSize() for event in events)
        sys.stdout.write(f"{written.name}: {len(events)} events, {size} bytes\n")
