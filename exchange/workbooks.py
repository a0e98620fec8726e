"""Workbooks (.xlsx) read straight from their XML, row by row: no formula is computed, no cached value trusted.

Own work and not a library's, because what is refused here is what libraries hide: which cell is a formula, which cells
are merged, whether a number is shown as a date, whether the XML declares entities (docs/adr/0018-exchange.md has the
figures). Memory is the shared strings and one row.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from posixpath import join, normpath
from typing import NamedTuple
from xml.parsers import expat
from zipfile import ZipFile

from exchange.archives import chunks
from exchange.cells import BadFile, Day, Line, Number, Reason, Refused, Sheet, column_of

#: Cells and rows of one workbook: what takes ten times the largest city.
MOST_CELLS, MOST_ROWS = 20_000_000, 1_048_576
MOST_STRINGS = 10_000_000
_CELL_LENGTH = 32_767
_DAY_FORMATS = frozenset({*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)})
_NO_DATE = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_DATE = re.compile(r"[ymdhs]", re.IGNORECASE)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_DIGITS = re.compile(r"[0-9]{1,8}")  # no row, string or format has a higher number
_MACROS = "vbaProject.bin"

Start = Callable[[str, dict[str, str]], None]


def sheets(archive: ZipFile) -> Iterator[Sheet]:
    """In the order of the workbook; hidden ones too. Each is to be read before the next is asked for."""
    names = frozenset(archive.namelist())
    if any(name.endswith(_MACROS) for name in names):
        raise BadFile("macros")
    if "xl/workbook.xml" not in names:
        raise BadFile("no_workbook")
    book = _book(archive)
    strings = _strings(archive) if "xl/sharedStrings.xml" in names else []
    days = _day_styles(archive) if "xl/styles.xml" in names else frozenset()
    for name, part in book.sheets:
        if part in names:
            reader = _SheetReader(strings, days)
            yield Sheet(name, reader.lines(chunks(archive, part)), reader.merged, book.date_1904)


# --- the parts around the sheets ---


class _Book(NamedTuple):
    sheets: list[tuple[str, str]]
    date_1904: bool


def _book(archive: ZipFile) -> _Book:
    targets: dict[str, str] = {}
    listed: list[tuple[str, str]] = []
    dates: list[bool] = []

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            targets[attributes.get("Id", "")] = normpath(join("/xl", attributes.get("Target", ""))).lstrip("/")

    def part(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            related = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            listed.append((attributes.get("name", ""), targets.get(related, "")))
        elif name == "workbookPr":
            dates.append(attributes.get("date1904") in {"1", "true"})

    with suppress(KeyError):
        _walk(archive, "xl/_rels/workbook.xml.rels", relation)
    _walk(archive, "xl/workbook.xml", part)
    return _Book(listed, any(dates))


def _strings(archive: ZipFile) -> list[str]:
    """Formatted runs are put together; what only tells how to pronounce them is left out."""
    found: list[str] = []
    pieces: list[str] = []
    state = {"text": False, "sound": False}

    def start(name: str, _: dict[str, str]) -> None:
        if name == "rPh":
            state["sound"] = True
        state["text"] = name == "t" and not state["sound"]

    def end(name: str) -> None:
        state["text"] = False
        if name == "rPh":
            state["sound"] = False
        elif name == "si":
            found.append(_unescaped("".join(pieces)))
            pieces.clear()
            if len(found) > MOST_STRINGS:
                raise BadFile("too_many_cells", most=MOST_STRINGS)

    def text(data: str) -> None:
        if state["text"]:
            pieces.append(data)

    _walk(archive, "xl/sharedStrings.xml", start, end, text)
    return found


def _day_styles(archive: ZipFile) -> frozenset[str]:
    """The styles that show a number as a date, by their index."""
    custom: dict[str, bool] = {}
    formats: list[str] = []
    inside = {"cellXfs": False}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            shown = _NO_DATE.sub("", attributes.get("formatCode", ""))
            custom[attributes.get("numFmtId", "")] = bool(_DATE.search(shown))
        elif name == "cellXfs":
            inside["cellXfs"] = True
        elif name == "xf" and inside["cellXfs"]:
            formats.append(attributes.get("numFmtId", "0"))

    def end(name: str) -> None:
        if name == "cellXfs":
            inside["cellXfs"] = False

    _walk(archive, "xl/styles.xml", start, end)
    return frozenset(str(nth) for nth, each in enumerate(formats) if custom.get(each, _is_day(each)))


def _is_day(number: str) -> bool:
    return _whole(number) in _DAY_FORMATS


# --- sheets ---


class _SheetReader:
    """Holds one row at a time."""

    def __init__(self, strings: list[str], days: frozenset[str]) -> None:
        self.merged: list[str] = []
        self._strings, self._days = strings, days
        self._ready: list[Line] = []
        self._cells: dict[int, str] = {}
        self._row, self._column, self._seen = 0, -1, 0
        self._kind, self._style = "n", ""
        self._pieces: list[str] = []
        self._text = self._formula = self._sound = False

    def lines(self, data: Iterator[bytes]) -> Iterator[Line]:
        parser = _parser(self._start, self._end, self._characters)
        for piece in data:
            _feed(parser, piece)
            yield from self._ready
            self._ready.clear()
        _feed(parser, b"", final=True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name == "v" or (name == "t" and not self._sound):
            self._text = True
        elif name == "row":
            given = _whole(attributes.get("r", ""))
            self._row = self._row + 1 if given is None else given
            self._cells, self._column = {}, -1
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._sound = True
        elif name == "mergeCell":
            self.merged.append(attributes.get("ref", ""))

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        place = _PLACE.fullmatch(attributes.get("r", ""))
        self._column = column_of(place[1]) if place else self._column + 1
        self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
        self._formula = False
        self._pieces.clear()

    def _end(self, name: str) -> None:
        if name == "c":
            self._end_cell()
        elif name in {"v", "t"}:
            self._text = False
        elif name == "rPh":
            self._sound = False
        elif name == "row" and self._cells:
            self._ready.append(Line(self._row, self._cells))
            self._cells = {}
            if self._row > MOST_ROWS:
                raise BadFile("too_many_cells", most=MOST_ROWS)

    def _characters(self, data: str) -> None:
        if self._text:
            self._pieces.append(data)

    def _end_cell(self) -> None:
        self._seen += 1
        if self._seen > MOST_CELLS:
            raise BadFile("too_many_cells", most=MOST_CELLS)
        raw = "".join(self._pieces)
        if self._formula:
            self._cells[self._column] = Refused(raw[:_CELL_LENGTH] or "=", Reason.FORMULA)
        elif raw:
            self._cells[self._column] = self._value(raw)

    def _value(self, raw: str) -> str:
        if self._kind == "s":
            index = _whole(raw)
            if index is None or index >= len(self._strings):
                raise BadFile("broken_workbook")
            return self._strings[index]
        if self._kind in {"inlineStr", "str"}:
            return _unescaped(raw)
        if self._kind == "e":
            return Refused(raw, Reason.ERROR)
        return Day(raw) if self._style in self._days else Number(raw)


def _whole(text: str) -> int | None:
    return int(text) if _DIGITS.fullmatch(text) else None


def _unescaped(text: str) -> str:
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


# --- XML ---


def _nothing(_: str) -> None:
    """For what is of no interest."""


def _walk(
    archive: ZipFile,
    part: str,
    start: Start,
    end: Callable[[str], None] = _nothing,
    text: Callable[[str], None] = _nothing,
) -> None:
    parser = _parser(start, end, text)
    for piece in chunks(archive, part):
        _feed(parser, piece)
    _feed(parser, b"", final=True)


def _parser(start: Start, end: Callable[[str], None], text: Callable[[str], None]) -> expat.XMLParserType:
    """Names without their prefix. A declaration of a document type is refused: entities come from there."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_declaration
    parser.StartElementHandler = lambda name, attributes: start(_local(name), attributes)
    parser.EndElementHandler = lambda name: end(_local(name))
    parser.CharacterDataHandler = text
    return parser


def _local(name: str) -> str:
    return name.rpartition(":")[2] if ":" in name else name


def _refuse_declaration(*_: object) -> None:
    raise BadFile("xml_declares_entities")


def _feed(parser: expat.XMLParserType, piece: bytes, *, final: bool = False) -> None:
    try:
        parser.Parse(piece, final)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: of encodings
        raise BadFile("broken_workbook") from error
