"""Takes back what was recorded and then did not happen.

A record is first written inside a workflow task, before Temporal has the task: a reader sees his own write. If the
worker dies just then, or the task is not taken, the case does it again: later, and perhaps otherwise. What the tables
have by then never happened. **Of two events with one number the later is right**: an attempt that counted is begun
after every one that did not, and nothing is done again after one that counted. For the same reason a record whose case
was changed earlier than the row is an old one, whatever its version.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Delete, bindparam, delete, select
from sqlmodel import col

from store.rows import Rows
from store.tables import EventRow, NoticeRow


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a case is, by its row or by a record."""

    version: int
    updated_at: datetime

    def is_before(self, other: "Standing") -> bool:
        return (self.updated_at, self.version) < (other.updated_at, other.version)


def standing(record: Rows) -> Standing:
    return Standing(record.case["version"], record.case["updated_at"])


class Disputes:
    """Statements prepared once. Everything here happens under the lock of positions."""

    def __init__(self) -> None:
        ours = col(EventRow.case_id) == bindparam("case")
        self._recorded = select(col(EventRow.seq), col(EventRow.at)).where(
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
        case = {"case": record.case["id"]}
        found = connection.execute(self._recorded, {**case, "first": record.first_seq})
        old = standing(record).updated_at < known.updated_at
        wrong = _not_happened({row.seq: row.at for row in found}, record, old=old)
        for statement in self._taken_back if wrong else ():
            connection.execute(statement, {**case, "seqs": wrong})
        return _until(record, known.version) if old else record


def _not_happened(recorded: dict[int, datetime], record: Rows, *, old: bool) -> list[int]:
    """Numbers of those that the record has at a later instant, and of those after the case as the record leaves it."""
    right = {row["seq"]: row["at"] for row in record.events}
    ours = standing(record)
    replaced = [seq for seq, at in recorded.items() if seq in right and at < right[seq]]
    beyond = [seq for seq, at in recorded.items() if seq > ours.version and at < ours.updated_at and not old]
    return replaced + beyond


def _until(record: Rows, version: int) -> Rows:
    """An old record may fill a gap, but add nothing after what is known."""
    events = [row for row in record.events if row["seq"] <= version]
    return replace(record, events=events, notices=[row for row in record.notices if row["seq"] <= version])
