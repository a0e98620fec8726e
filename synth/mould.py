"""One life as rows of tables, to be cast again and again: moved in time, and with numbers, words and people of its own.

A life takes the domain some milliseconds, a cast a tenth of one. A whole number of weeks leaves weekdays and hours as
they were; only that some of the other weeks have holidays is not seen.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

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


@dataclass(frozen=True, slots=True)
class _Pieces:
    """A text; at these places (its number among the pieces, the number of the slot) stands what a slot holds."""

    pieces: list[str]
    places: list[tuple[int, int]]

    def filled(self, values: list[Any]) -> str:
        pieces = self.pieces.copy()
        for piece, slot in self.places:
            pieces[piece] = values[slot]
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class _Row:
    cells: list[Any]
    slots: list[tuple[int, int]]
    texts: list[tuple[int, _Pieces]]

    def filled(self, values: list[Any]) -> Cells:
        cells = self.cells.copy()
        for cell, slot in self.slots:
            cells[cell] = values[slot]
        for cell, text in self.texts:
            cells[cell] = text.filled(values)
        return tuple(cells)


class Mould:
    """`happened`: the instants of its events; `put_right`: when, if it was. `columns`: of each table it has rows of."""

    def __init__(self, rows: Rows, column: Column) -> None:
        self._column = column
        self._instants: dict[datetime, int] = {}
        self._texts: dict[str, int] = {}
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
        values: list[Any] = [None] * (2 * len(self._instants) + len(self._texts))
        for instant, slot in self._instants.items():
            moved = instant + own.shift
            values[slot], values[slot + 1] = self._column(moved), f"{moved.isoformat()[:-6]}Z"
        for text, slot in self._texts.items():
            values[slot] = known[text] if text in known else _photo(own.id, text)
        return {table: [row.filled(values) for row in rows] for table, rows in self._rows.items()}

    def _row(self, row: Row) -> _Row:
        made = _Row(list(row.values()), [], [])
        for number, cell in enumerate(made.cells):
            if cell == FOREVER:
                made.cells[number] = self._column(FOREVER)
            elif cell == FORMER:
                made.slots.append((number, self._slot(FORMER)))
            elif isinstance(cell, datetime):
                made.slots.append((number, self._instant_slot(cell)))
            elif isinstance(cell, str) and _MARK.search(cell):
                made.texts.append((number, self._pieces(cell)))
        return made

    def _pieces(self, text: str) -> _Pieces:
        pieces: list[str] = []
        places: list[tuple[int, int]] = []
        end = 0
        for mark in _MARK.finditer(text):
            pieces += (text[end : mark.start()], "")
            places.append((len(pieces) - 1, self._slot(mark[0])))
            end = mark.end()
        return _Pieces([*pieces, text[end:]], places)

    def _slot(self, mark: str) -> int:
        if mark.endswith("Z"):
            return self._instant_slot(datetime.fromisoformat(mark)) + 1
        return self._texts.setdefault(mark, self._next)

    def _instant_slot(self, instant: datetime) -> int:
        """Of two: as a column takes it, and as JSON does."""
        return self._instants.setdefault(instant, self._next)

    @property
    def _next(self) -> int:
        return 2 * len(self._instants) + len(self._texts)


def _photo(case_id: str, mark: str) -> str:
    return sha256(f"{case_id} {int(mark, 16)}".encode()).hexdigest()
