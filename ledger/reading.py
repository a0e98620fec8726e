"""Reads a ledger row by row: encoding, delimiter and quotes, whatever its length. Knows nothing of what rows mean."""

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Self

from ledger.mapping import File
from ledger.refusals import Row

_CHUNK = 1 << 20  # bytes
#: A stray quote swallows everything up to the next one; the rest of the file must not be lost with it.
_LONGEST_CELL = 1 << 17


class BadLedger(ValueError):
    """The file as a whole cannot be read. Its text is for the user, Chinese first."""


class LedgerFile:
    """To be used with `with`. `size` and `done` are bytes; `done` runs a little ahead of the rows.

    Raises OSError, and BadLedger for a header that lacks a column or has it twice.
    """

    def __init__(self, path: Path, layout: File, columns: Mapping[str, str]) -> None:
        self.size = path.stat().st_size
        self._raw = path.open("rb")
        encoding = _encoding(path, layout.encodings)
        self._text = TextIOWrapper(self._raw, encoding=encoding, errors="surrogateescape", newline="")
        self._reader = csv.reader(self._text, delimiter=layout.delimiter)
        try:
            self.header = tuple(name.strip() for name in next(self._reader, ()))
            _check(self.header, columns, encoding)
        except BaseException:
            self._text.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._text.close()

    @property
    def done(self) -> int:
        return self.size if self._raw.closed else self._raw.tell()

    def rows(self) -> Iterator[Row]:
        csv.field_size_limit(_LONGEST_CELL)
        number = 0
        while True:
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error:
                cells = [f"… line {self._reader.line_num}"]
            if cells:
                number += 1
                yield self._row(number, cells)

    def _row(self, number: int, cells: Sequence[str]) -> Row:
        width = len(self.header)
        if len(cells) != width:
            missing = [""] * (width - len(cells))
            raw = [*cells[: width - 1], ",".join(cells[width - 1 :])] if len(cells) > width else [*cells, *missing]
            return Row(number, raw, {}, "row_malformed")
        flaw = "encoding_invalid" if any(_unreadable(cell) for cell in cells) else None
        return Row(number, cells, dict(zip(self.header, map(str.strip, cells), strict=True)), flaw)


def _unreadable(cell: str) -> bool:
    """Whether a byte could not be decoded, and stands there as a lone surrogate."""
    return not cell.isascii() and any("\ud800" <= char <= "\udfff" for char in cell)


def _encoding(path: Path, encodings: Sequence[str]) -> str:
    """The first that fits the whole file; where none does, the first, and single rows will be refused."""
    if len(encodings) == 1:
        return encodings[0]
    return next((encoding for encoding in encodings if _fits(path, encoding)), encodings[0])


def _fits(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _check(header: Sequence[str], columns: Mapping[str, str], encoding: str) -> None:
    for column, key in columns.items():
        if column not in header:
            known = ", ".join(header)
            raise BadLedger(
                f"文件没有“{column}”列（{key}）。请修改映射；"
                f" there is no column {column!r} for {key}; read as {encoding}, the file has: {known}"
            )
        if header.count(column) > 1:
            raise BadLedger(f"“{column}”列（{key}）出现多次。 the column {column!r} for {key} stands there twice")
