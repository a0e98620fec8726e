"""One life as rows of tables, to be cast again and again: moved in time, and with numbers, words and people of its own.

A life takes the domain some milliseconds, a cast a tenth of one. A whole number of weeks leaves weekdays and hours as
they were; only that some of the other weeks have holidays is not seen.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from operator import itemgetter
from typing import Any, NamedTuple

from domain.case import Outcome, Stage
from domain.clock import FOREVER
from store.rows import Row, Rows
from synth.lives import ADDRESS, DESCRIPTION, FORMER, ID, NEIGHBOUR, REFERENCE, REPORTER

#: The tables whose rows a case has, in an order that foreign keys allow.
TABLES = ("cases", "case_units", "case_reporters", "events", "notices", "case_evidence")

_QUOTED = f'"{FORMER}"'
_TEXTS = (ID, ID.casefold(), DESCRIPTION, ADDRESS, REFERENCE, REPORTER, NEIGHBOUR, _QUOTED)
_MARK = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z|0{60}[0-9a-f]{4}|" + "|".join(_TEXTS))

#: What may come back, as `store.nearby` has it.
_PUT_RIGHT = {Outcome.RECTIFIED, Outcome.SELF_HANDLED}

Cells = tuple[Any, ...]
#: Makes of an instant what a column of the database takes.
Column = Callable[[datetime], Any]


@dataclass(frozen=True, slots=True)
class Own:
    """What is a case's own. `shift` moves all its instants; `former`: of which it is the recurrence."""

    id: str
    description: str
    address: str
    reference: str
    resident: str
    neighbour: str
    former: str | None
    shift: timedelta

    def texts(self) -> dict[str, str | None]:
        """In place of which mark stands what."""
        former = f'"{self.former}"' if self.former else "null"
        people = (self.resident, self.neighbour)
        written = (self.id, self.id.casefold(), self.description, self.address, self.reference, *people, former)
        return {**dict(zip(_TEXTS, written, strict=True)), FORMER: self.former}


class _Text(NamedTuple):
    """What of the values in `slots` becomes the one in `slot`."""

    slot: int
    template: str
    slots: Callable[[Sequence[Any]], Any]


class Mould:
    """`happened`: the instants of its events; `put_right`: when, if it was. `columns`: of each table it has rows of."""

    def __init__(self, rows: Rows, column: Column) -> None:
        self._column = column
        self._values: list[Any] = []
        self._instants: dict[datetime, int] = {}
        self._marks: dict[str, int] = {}
        self._texts: list[_Text] = []
        self.opened_at: datetime = rows.case["opened_at"]
        self.updated_at: datetime = rows.case["updated_at"]
        self.category: str = rows.case["category"]
        self.area: str = rows.case["area"]
        self.stage = Stage(rows.case["stage"])
        self.late: bool = rows.case["late_since"] is not None
        self.put_right: datetime | None = rows.case["closed_at"] if rows.case["outcome"] in _PUT_RIGHT else None
        self.happened: tuple[datetime, ...] = tuple(row["at"] for row in rows.events)
        lists = ([rows.case], rows.units, rows.reporters, rows.events, rows.notices, rows.evidence)
        self.columns = {table: tuple(each[0]) for table, each in zip(TABLES, lists, strict=True) if each}
        self._rows = {table: [self._row(row) for row in each] for table, each in zip(TABLES, lists, strict=True)}

    def cast(self, own: Own) -> dict[str, list[Cells]]:
        """The rows of each table; their columns in the order in which `store.rows` names them."""
        known = own.texts()
        values = self._values.copy()
        for instant, slot in self._instants.items():
            moved = instant + own.shift
            values[slot], values[slot + 1] = self._column(moved), f"{moved.isoformat()[:-6]}Z"
        for mark, slot in self._marks.items():
            values[slot] = known[mark] if mark in known else _photo(own.id, mark)
        for slot, template, slots in self._texts:
            values[slot] = template % slots(values)
        return {table: [row(values) for row in rows] for table, rows in self._rows.items()}

    def _row(self, row: Row) -> Callable[[Sequence[Any]], Cells]:
        return itemgetter(*map(self._cell, row.values()))

    def _cell(self, cell: object) -> int:
        """The slot that holds it."""
        if cell == FOREVER:
            return self._slot(self._column(FOREVER))
        if cell == FORMER:
            return self._marked(FORMER)
        if isinstance(cell, datetime):
            return self._instant(cell)
        if isinstance(cell, str) and _MARK.search(cell):
            return self._text(cell)
        return self._slot(cell)

    def _text(self, text: str) -> int:
        slots = [self._marked(mark) for mark in _MARK.findall(text)]
        template = "%s".join(piece.replace("%", "%%") for piece in _MARK.split(text))
        self._texts.append(_Text(self._slot(None), template, itemgetter(*slots)))
        return self._texts[-1].slot

    def _marked(self, mark: str) -> int:
        if mark.endswith("Z"):
            return self._instant(datetime.fromisoformat(mark)) + 1
        if mark not in self._marks:
            self._marks[mark] = self._slot(None)
        return self._marks[mark]

    def _instant(self, instant: datetime) -> int:
        """Of two: as a column takes it, and as JSON does."""
        if instant not in self._instants:
            self._instants[instant] = self._slot(None, None)
        return self._instants[instant]

    def _slot(self, *values: object) -> int:
        self._values += values
        return len(self._values) - len(values)


def _photo(case_id: str, mark: str) -> str:
    return sha256(f"{case_id} {int(mark, 16)}".encode()).hexdigest()
