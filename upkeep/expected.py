"""What ought to be written down of a case, worked out from what happened. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from domain.case import Snapshot
from domain.events import CaseDispatched, Event
from domain.policy import Audience
from domain.record import Record
from store.rows import Row, Rows, rows

NoticeKey = tuple[int, str, str]


def written(case: Snapshot, events: Sequence[Event]) -> Rows:
    return rows(Record(case=case, events=tuple(events)))


def events(case: Snapshot, happened: Sequence[Event]) -> dict[int, Row]:
    return {row["seq"]: row for row in written(case, happened).events}


def notices(case: Snapshot, events: Sequence[Event]) -> dict[NoticeKey, Row]:
    """`events` must begin with the first, or some units of earlier times are not known."""
    return keyed(written(case, events).notices)


def keyed(rows: Iterable[Row]) -> dict[NoticeKey, Row]:
    """By event, audience and recipient; of units only which in turn: see `is_to_unit`."""
    turns: Counter[int] = Counter()
    found: dict[NoticeKey, Row] = {}
    for row in rows:
        turns[row["seq"]] += is_to_unit(row)
        who = str(turns[row["seq"]]) if is_to_unit(row) else row["recipient"]
        found[row["seq"], row["audience"], who] = row
    return found


def units(events: Iterable[Event]) -> set[str]:
    """Everybody who ever answered for the case."""
    facts = (event.fact for event in events if isinstance(event.fact, CaseDispatched))
    return {unit for fact in facts for unit in (fact.unit, *fact.co_units)}


def is_to_unit(row: Row) -> bool:
    """Whether the notice is one to a unit: whom it meant depends on when it was written."""
    return bool(row["audience"] == Audience.UNIT)
