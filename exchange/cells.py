"""What every file becomes before anything is made of it: sheets of lines of cells.

A cell is text, and its class says what the file made of it: plain `str` is text, a `Number` was stored as a number, a
`Day` as a number that is shown as a date, and a `Refused` is one whose value nobody should trust.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import NamedTuple, Self

_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)  # of Excel's days, from March 1900 on
_EPOCH_1904 = datetime(1904, 1, 1, tzinfo=UTC)
_MOST_DAYS = 2_958_465  # 9999-12-31
_LETTERS = 26
_MOST_DIGITS = 400  # more than any float has


class Reason(StrEnum):
    FORMULA = "formula"
    ERROR = "cell_error"


class Number(str):
    """A number as the file has it: `1`, `1.5`, `1E5`."""

    __slots__ = ()

    def plain(self) -> str:
        """Without exponent or trailing zeros, as a person would write it. What nobody would write stays as it is."""
        try:
            value = Decimal(self)
            if value.adjusted() > _MOST_DIGITS:
                return str(self)
            if value == value.to_integral_value():
                return str(int(value))
            return repr(float(value))
        except (InvalidOperation, ValueError, OverflowError):
            return str(self)


class Day(Number):
    """`date_1904` shifts the count by four years: workbooks that began on an old Mac have it."""

    __slots__ = ()

    def moment(self, *, date_1904: bool = False) -> datetime:
        """Its own wall clock, called UTC. ValueError where it is no date of Excel's."""
        days = float(self)
        if not 0 <= days <= _MOST_DAYS:
            raise ValueError(f"{self} is no date")
        try:
            found = (_EPOCH_1904 if date_1904 else _EPOCH) + timedelta(days=days)
        except OverflowError:
            raise ValueError(f"{self} is no date") from None
        return found.replace(microsecond=0)


class Refused(str):
    """The text is what is shown of it. Its `reason` is told, its value never used."""

    __slots__ = ("reason",)
    reason: Reason

    def __new__(cls, text: str, reason: Reason) -> Self:
        made = super().__new__(cls, text)
        made.reason = reason
        return made


class Line(NamedTuple):
    """`row` counts from 1, as Excel shows it; `cells` by column, from 0. Empty cells are left out."""

    row: int
    cells: Mapping[int, str]


@dataclass(slots=True)
class Sheet:
    """`lines` can be read once. `merged` is complete when they have been read to the end."""

    name: str
    lines: Iterator[Line]
    merged: list[str] = field(default_factory=list)
    date_1904: bool = False


class BadFile(Exception):
    """Nothing of it can be read. The code is one of `exchange.faults.TEXTS`; `params` fill its sentences."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code, self.params = code, params


def letter(column: int) -> str:
    """0 is A, 26 is AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, _LETTERS)
        name = chr(ord("A") + rest) + name
    return name


def column_of(letters: str) -> int:
    """The other way. Only capital letters mean anything."""
    column = 0
    for each in letters:
        column = column * _LETTERS + ord(each) - ord("A") + 1
    return column - 1
