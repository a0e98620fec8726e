"""Where the read model differs from the truth, line by line. Pure.

A line names case and column; values are shown only where they cannot tell anything about a person.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from domain.case import Snapshot
from domain.clock import FOREVER
from domain.events import Event
from domain.record import told
from store.rows import Part, Row, case_row, part
from upkeep import expected
from upkeep.found import Found, readable
from upkeep.truth import Gone, Silent, Truth, Word

#: Columns of words whose values may be printed; numbers, instants and marks may be anyway.
_PLAIN = {"stage", "lead_unit", "unit", "outcome", "appeal_state", "rules", "severity", "source", "type", "kind"}


@dataclass(frozen=True, slots=True)
class Difference:
    case: str
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.case} {self.what}: 应为 expected {self.expected}, 实为 found {self.found}"


def differences(case_id: str, word: Word, found: Found) -> list[Difference]:
    return [Difference(case_id, *line) for line in _lines(word, found)]


_Line = tuple[str, str, str]


def _lines(word: Word, found: Found) -> Iterator[_Line]:
    match word:
        case Truth():
            yield from _case(word.case, found.case)
            yield from _units(word.case, found.units)
            if found.case and found.case["rules"] == word.case.rules and word.case.rules not in found.rules:
                yield "rulebooks", *_absent()
            yield from _history(word, found)
        case Gone(fate=None) if found.case and found.has_ended():
            yield "cases.running", "False", "True"
        case Gone():
            yield "workflow", "运行 running", word.fate or "无 unknown to Temporal"
        case Silent():
            yield "workflow", "答复 an answer", "无 none"


def _absent() -> tuple[str, str]:
    return "有 there", "无 missing"


def _surplus() -> tuple[str, str]:
    return "无 nothing", "有 there"


def _case(case: Snapshot, row: Row | None) -> Iterator[_Line]:
    if row is None:
        yield "cases", *_absent()
        return
    for column, value in case_row(case).items():
        if column == "snapshot":
            yield from _snapshot(json.loads(value), _parsed(row[column]))
        elif row[column] != value:
            yield f"cases.{column}", _shown(column, value), _shown(column, row[column])


def _snapshot(right: dict[str, Any], there: Any) -> Iterator[_Line]:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(there, dict):
        yield "cases.snapshot", *_hidden()
        return
    for name in sorted(right.keys() | there.keys()):
        if right.get(name) != there.get(name) or (name in right) != (name in there):
            yield f"cases.snapshot.{name}", _shown(name, right.get(name)), _shown(name, there.get(name))


def _units(case: Snapshot, rows: Sequence[Row]) -> Iterator[_Line]:
    right = {row["unit"]: part(row) for row in expected.written(case, ()).units}
    there = {row["unit"]: part(row) for row in rows}
    if right != there:
        yield "case_units", _parts(right), _parts(there)


def _parts(units: dict[str, Part]) -> str:
    return ", ".join(_part(unit, each) for unit, each in sorted(units.items())) or "无 none"


def _part(unit: str, its: Part) -> str:
    due = "" if its.due_at == FOREVER else f" {its.due_at.isoformat()}"
    return f"{unit}{'*' if its.lead else ''}{due}{' ✓' if its.done else ''}"


# --- what happened ---


def _history(truth: Truth, found: Found) -> Iterator[_Line]:
    last = truth.case.version
    numbers = {row["seq"] for row in found.events}
    for span in _spans(set(range(1, last + 1)) - numbers):
        yield f"events[{span}]", *_absent()
    for span in _spans(numbers - set(range(1, last + 1))):
        yield f"events[{span}]", *_surplus()
    events = known(truth, found)
    happened = [events[seq] for seq in sorted(events)]
    right = expected.events(truth.case, happened)
    for row in found.events:
        if 1 <= row["seq"] <= last:
            yield from ((f"events[{row['seq']}].{name}", *_hidden()) for name in wrong_columns(right, row))
    yield from _mentions(truth.case, happened, found)


def known(truth: Truth, found: Found) -> dict[int, Event]:
    """Of all that happened, what the workflow still holds; before that, what is written down and can be read."""
    stored = (readable(row) for row in found.events if 1 <= row["seq"] <= truth.case.version)
    return {event.seq: event for event in stored if event} | {event.seq: event for event in truth.events}


def wrong_columns(right: Mapping[int, Row], row: Row) -> list[str]:
    """By the right rows. What cannot be read and is not known either is wrong in its `data`."""
    expected_row = right.get(row["seq"], {"data": None})
    return [name for name, value in expected_row.items() if _differ(name, value, row[name])]


def _differ(name: str, right: Any, there: Any) -> bool:  # noqa: ANN401 - any column
    return bool(right is None or _parsed(right) != _parsed(there)) if name == "data" else bool(right != there)


def _mentions(case: Snapshot, events: Sequence[Event], found: Found) -> Iterator[_Line]:
    there = expected.keyed(found.notices).keys()
    for seq, audience, _ in sorted(expected.notices(case, events).keys() - there):
        yield f"notices[{seq} {audience}]", *_absent()
    for row in wrong_notices(case, events, found):
        yield f"notices[{row['seq']} {row['audience']}]", *_hidden()
    right, kept = photos(case, events), {row["sha256"] for row in found.photos}
    for digest in sorted(right - kept):
        yield f"case_evidence[{digest[:12]}]", *_absent()
    if len(events) == case.version:
        for digest in sorted(kept - right):
            yield f"case_evidence[{digest[:12]}]", *_surplus()


def photos(case: Snapshot, events: Sequence[Event]) -> set[str]:
    return {row["sha256"] for row in expected.written(case, events).evidence}


def wrong_notices(case: Snapshot, events: Sequence[Event], found: Found) -> list[Row]:
    """Those that nobody should have got, or somebody else. One to any unit that ever held the case may be right."""
    by_seq = {event.seq: event for event in events}
    right = expected.notices(case, events)
    units = expected.units(events)
    return [row for row in found.notices if not _may_stand(row, by_seq, right, units, case.version)]


def _may_stand(
    row: Row, events: dict[int, Event], right: dict[expected.NoticeKey, Row], units: Collection[str], last: int
) -> bool:
    event = events.get(row["seq"])
    if event is None:
        return bool(1 <= row["seq"] <= last)  # nobody knows any more
    if row["audience"] not in told(event) or (row["kind"], row["at"]) != (event.fact.type, event.at):
        return False
    if expected.is_to_unit(row):
        return row["recipient"] in units
    return (row["seq"], row["audience"], row["recipient"]) in right


# --- how it is said ---


def _spans(numbers: Collection[int]) -> Iterator[str]:
    """`3` or `3..7`."""
    for _, group in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        yield str(run[0]) if len(run) == 1 else f"{run[0]}..{run[-1]}"


def _shown(name: str, value: object) -> str:
    if value is None or isinstance(value, bool | int | float | datetime):
        return str(value)
    if name in _PLAIN or name.endswith(("_at", "_since", "_until")):
        return str(value)
    return "…"


def _hidden() -> tuple[str, str]:
    return "…", "不同 different"


def _parsed(text: object) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(str(text))
    except ValueError:
        return None
