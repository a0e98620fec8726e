"""What a record becomes in the tables. Pure: the database is not known here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from domain.case import RUNNING, Snapshot
from domain.clock import FOREVER
from domain.events import Event
from domain.record import Record, holders, recipients, told
from store.tables import CaseRow

Row = dict[str, Any]

#: Columns that do not simply repeat the snapshot's field of the same name.
_DERIVED = {"running", "due_at", "lon", "lat", "appeal_state", "words", "snapshot", "begun"}
_COPIED = tuple(name for name in CaseRow.model_fields if name not in _DERIVED)


class Part(NamedTuple):
    """A unit's in a case: what of it may change."""

    lead: bool
    due_at: datetime
    done: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """One record, ready to be written."""

    case: Row
    first_seq: int
    rewrite: bool
    rulebooks: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    notices: list[Row] = field(default_factory=list)
    evidence: list[Row] = field(default_factory=list)
    units: list[Row] = field(default_factory=list)
    reporters: list[Row] = field(default_factory=list)


def rows(record: Record) -> Rows:
    case, rules = record.case, record.rules
    held = holders(case, record.events)
    return Rows(
        case=case_row(case) | {"begun": record.begun},
        first_seq=record.events[0].seq if record.events else case.version + 1,
        rewrite=record.rewrite,
        rulebooks=[{"digest": rules.digest, "data": rules.model_dump_json()}] if rules else [],
        events=[_event(case.id, event) for event in record.events],
        notices=[notice for event in record.events for notice in _notices(case, event, held[event.seq])],
        evidence=_evidence(record),
        units=_units(case),
        reporters=[{"case_id": case.id, "user": user, "opened_at": case.opened_at} for user in case.joined],
    )


def case_row(case: Snapshot) -> Row:
    """All that the case itself says."""
    return {
        **{name: getattr(case, name) for name in _COPIED},
        "running": case.stage in RUNNING,
        "due_at": case.due_at or FOREVER,
        "lon": case.location and case.location.wgs84_lon,
        "lat": case.location and case.location.wgs84_lat,
        "appeal_state": case.appeal and case.appeal.state,
        "words": words(case.id, case.external_ref, case.description, case.address),
        "snapshot": case.model_dump_json(),
    }


def part(row: Mapping[str, Any]) -> Part:
    return Part(row["lead"], row["due_at"], row["done"])


def words(*texts: str | None) -> str:
    """What a search looks in, and for: without regard to case on either database."""
    return "\n".join(text.casefold() for text in texts if text)


def _event(case_id: str, event: Event) -> Row:
    return {
        "case_id": case_id,
        "seq": event.seq,
        "at": event.at,
        "type": event.fact.type,
        "actor": event.by and event.by.user,
        "command_id": event.command_id,
        "data": event.model_dump_json(),
    }


def _notices(case: Snapshot, event: Event, unit: str | None) -> list[Row]:
    """Nobody is told where nobody holds that part: a case without a unit has no unit to remind."""
    told_to = (
        (audience, who)
        for audience in dict.fromkeys(told(event))
        for who in dict.fromkeys(recipients(audience, case, unit, event.fact))
    )
    return [
        {
            "case_id": case.id,
            "seq": event.seq,
            "audience": audience,
            "recipient": who,
            "at": event.at,
            "kind": event.fact.type,
        }
        for audience, who in told_to
    ]


def _evidence(record: Record) -> list[Row]:
    digests = dict.fromkeys(sha for event in record.events for sha in getattr(event.fact, "evidence", ()))
    return [{"sha256": sha256, "case_id": record.case.id} for sha256 in digests]


def _units(case: Snapshot) -> list[Row]:
    units = dict.fromkeys((case.lead_unit, *case.co_units))
    common = {"case_id": case.id, "opened_at": case.opened_at, "category": case.category}
    return [
        {
            **common,
            "unit": unit,
            "lead": unit == case.lead_unit,
            "due_at": case.co_due.get(unit, FOREVER),
            "done": unit in case.co_submitted,
        }
        for unit in units
        if unit
    ]
