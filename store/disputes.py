"""Takes back what was recorded and then did not happen.

A record is first written inside a workflow task, before Temporal has the task: a reader sees his own write. If the
worker dies just then, or the task is not taken, the case does it again: later, and perhaps otherwise. What the tables
have by then never happened. **Of two records of the same events the one that was asked for later is right**: an attempt
that counted is begun after every one that did not, and nothing is done again after one that counted. When they were
asked for is told by the clocks of Temporal and its workers, which must agree to a second; what happened in them is
dated when it fell due, and tells nothing.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Delete, bindparam, delete, select
from sqlmodel import col

from store.rows import Rows
from store.tables import EventRow, NoticeRow


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a case is, by its row or by a record, and when the attempt began that says so."""

    version: int
    begun: datetime | None

    def gives_way_to(self, record: Rows) -> bool:
        """To what follows it, and to a later attempt at the same."""
        other = standing(record)
        ours, theirs = (each.begun or _LONG_AGO for each in (self, other))
        return record.first_seq > self.version or (ours, self.version) < (theirs, other.version)


#: Before the first record, and before every attempt of which no table kept when it began.
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
NOTHING = Standing(0, None)


def standing(record: Rows) -> Standing:
    return Standing(record.case["version"], record.case["begun"])


class Disputes:
    """Statements prepared once. Everything here happens under the lock of positions."""

    def __init__(self) -> None:
        ours = col(EventRow.case_id) == bindparam("case")
        self._recorded = select(col(EventRow.seq), col(EventRow.data)).where(
            ours, col(EventRow.seq) >= bindparam("first")
        )
        self._taken_back: tuple[Delete, ...] = tuple(
            delete(table).where(
                col(table.case_id) == bindparam("case"), col(table.seq).in_(bindparam("seqs", expanding=True))
            )
            for table in (EventRow, NoticeRow)
        )

    def settle(self, connection: Connection, record: Rows, known: Standing) -> Rows:
        """Removes what the record shows never to have happened. Gives what is to be written of the record itself.

        To be asked where the row is already as far as the record's first event.
        """
        if not known.gives_way_to(record):
            return _until(record, known.version)
        case = {"case": record.case["id"]}
        found = connection.execute(self._recorded, {**case, "first": record.first_seq})
        wrong = _not_happened({row.seq: row.data for row in found}, record)
        for statement in self._taken_back if wrong else ():
            connection.execute(statement, {**case, "seqs": wrong})
        return record


def _not_happened(recorded: dict[int, str], record: Rows) -> list[int]:
    """Numbers of those that are others in the record, and of those after the case as the record leaves it."""
    right = {row["seq"]: json.loads(row["data"]) for row in record.events}
    return [seq for seq, data in recorded.items() if seq not in right or json.loads(data) != right[seq]]


def _until(record: Rows, version: int) -> Rows:
    """An old record may fill a gap, but add nothing after what is known."""
    events = [row for row in record.events if row["seq"] <= version]
    return replace(record, events=events, notices=[row for row in record.notices if row["seq"] <= version])
