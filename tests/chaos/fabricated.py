"""Evidence made by hand: one case that lived well, and ways to spoil it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chaos.judge.evidence import (
    CaseLine,
    EventLine,
    Evidence,
    Feed,
    Heard,
    Json,
    Lists,
    NoticeLine,
    Told,
    Truth,
    Update,
)
from chaos.judge.ladder import Rules
from chaos.judge.words import marked

CASE = "RC-0001"
START = datetime(2026, 3, 2, 4, tzinfo=UTC)
RULES = Rules.read(
    """
[policy.limits]
dispatch = { work = "1 urgent_hour", urgent = "1 urgent_hour" }
acceptance = { work = "1 urgent_hour", urgent = "1 urgent_hour" }
inspection = { work = "1 urgent_hour", urgent = "1 urgent_hour" }
[[rung]]
id = "remind"
when = { used = 0.5 }
[[rung]]
id = "late"
when = { overdue = "1 urgent_hour" }
[[rung]]
id = "returned"
when = { returns = 1 }
"""
)
_OFFICER = {"user": "officer-1", "role": "officer"}
_OTHER = {"user": "officer-2", "role": "officer"}
_UNIT = {"user": "unit-roads", "role": "unit", "unit": "roads"}
_DISPATCHER = {"user": "dispatcher", "role": "dispatcher"}


def at(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def event(seq: int, minutes: float, by: Json | None, kind: str, command: str | None = None, **fact: Any) -> Json:  # noqa: ANN401 - JSON
    made: Json = {"seq": seq, "at": at(minutes), "fact": {"type": kind, **fact}}
    return made | ({"by": by} if by else {}) | ({"command_id": command} if command else {})


def log() -> list[Json]:
    """Two hours to put it right; accepted after ten minutes, reminded after an hour, done after ninety minutes."""
    limit = {"value": "2", "unit": "urgent_hour"}
    return [
        event(1, 0, _OFFICER, "CaseOpened", "open-1", description=marked("x", "a-1"), trusted=True, limit=limit),
        event(2, 0, _OFFICER, "CaseDispatched", "open-1", unit="roads"),
        event(3, 10, _UNIT, "CaseAccepted", "k-1", accepted_at=at(10)),
        event(4, 20, _DISPATCHER, "CaseUrged", "k-2", note=marked("x", "b-1")),
        event(5, 60, None, "RungFired", rung="remind", due_at=at(60), notify=["unit"]),
        event(6, 90, _UNIT, "RectificationSubmitted", "k-3", unit="roads", note=marked("x", "c-1")),
        event(7, 95, _OTHER, "InspectionPassed", "k-4", note=marked("x", "d-1")),
    ]


def told() -> list[Told]:
    def line(key: str, user: str, command: str, version: int) -> Told:
        return Told(key, user, command, CASE, 200, sent=float(version), answered=version + 0.5, version=version)

    return [
        replace(line("a-1", "officer-1", "open", 2), status=201),
        line("u-1", "unit-roads", "accept", 3),
        line("b-1", "dispatcher", "urge", 4),
        line("c-1", "unit-roads", "submit", 6),
        line("d-1", "officer-2", "inspect", 7),
        replace(line("e-1", "dispatcher", "urge", 8), status=409, code="stage_forbids", version=None),
    ]


def evidence(change: Callable[[list[Json]], object] = len) -> Evidence:
    """All of it in order. `change` is done to the log before anything is made of it."""
    events = log()
    change(events)
    snapshot = {"version": len(events), "stage": "closure", "lead_unit": "roads"}
    updates = [Update(f"k-{n}", "", carried_out=True) for n in range(1, 5)]
    truth = Truth(
        CASE, (START + timedelta(hours=2)).timestamp(), running=True, updates=updates, log=events, snapshot=snapshot
    )
    rows = [EventLine(10 + n, CASE, e["seq"], e["fact"]["type"], e.get("command_id"), e) for n, e in enumerate(events)]
    return Evidence(
        told(),
        {CASE: truth},
        Lists({CASE: CaseLine(len(events), running=True, stage="closure", snapshot=snapshot)}, rows, notices(events)),
        Feed([Heard(0, row.position, CASE, row.seq, row.type) for row in rows], rows[-1].position),
    )


def notices(events: list[Json]) -> list[NoticeLine]:
    told_of = {"CaseDispatched": "unit", "CaseUrged": "unit", "RungFired": "unit", "InspectionPassed": "reporter"}
    kinds = [(e["seq"], e["fact"]["type"]) for e in events]
    return [NoticeLine(CASE, seq, told_of[kind], "somebody", kind) for seq, kind in kinds if kind in told_of]
