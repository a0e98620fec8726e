"""What ought to be written down of a case, worked out from what happened. Pure."""

from collections.abc import Iterable, Sequence

from domain.case import Snapshot
from domain.events import CaseDispatched, Event
from domain.policy import Audience
from domain.record import Record
from store.rows import Row, Rows, rows

NoticeKey = tuple[int, str]


def written(case: Snapshot, events: Sequence[Event]) -> Rows:
    return rows(Record(case=case, events=tuple(events)))


def events(case: Snapshot, happened: Sequence[Event]) -> dict[int, Row]:
    return {row["seq"]: row for row in written(case, happened).events}


def notices(case: Snapshot, events: Sequence[Event]) -> dict[NoticeKey, Row]:
    """`events` must begin with the first, or some units of earlier times are not known."""
    return {(row["seq"], row["audience"]): row for row in written(case, events).notices}


def units(events: Iterable[Event]) -> set[str]:
    """Everybody who ever answered for the case."""
    return {event.fact.unit for event in events if isinstance(event.fact, CaseDispatched)}


def is_to_unit(row: Row) -> bool:
    """Whether the notice is one to a unit: whom it meant depends on when it was written."""
    return bool(row["audience"] == Audience.UNIT)
