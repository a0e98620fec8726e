"""CSV: whatever Excel, WPS or a database wrote; and CSV that Excel opens as it is meant.

A cell that Excel would run (it begins with `=`, `+`, `-` or `@`, or with the wide forms of Chinese keyboards) gets an
apostrophe before it, and one more if apostrophes stand there already; reading takes one away. Numbers stay as they are.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from exchange.cells import BadFile, Line
from exchange.workbooks import MOST_ROWS

#: As Excel itself says of a cell.
_MOST_CHARACTERS = 32_767 * 4
_STARTS = r"[=+\-@＝＋－＠\t\r\n]"
_RUNS = re.compile(f"'*{_STARTS}")
_GUARDED = re.compile(f"'+{_STARTS}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_DELIMITERS = (",", "\t", ";", "，")
_BLOCK = 1 << 20


def lines(file: IO[bytes]) -> Iterator[Line]:
    """Raises BadFile, also in the midst of them. `row` is the line as Excel counts: a cell may hold line breaks."""
    text = io.TextIOWrapper(file, encoding=_encoding(file), newline="")
    head = text.readline(_MOST_CHARACTERS)
    text.seek(0)
    reader = csv.reader(text, delimiter=_delimiter(head), strict=True)
    csv.field_size_limit(_MOST_CHARACTERS)
    try:
        for row, cells in enumerate(reader, start=1):
            if row > MOST_ROWS:
                raise BadFile("too_many_cells", most=MOST_ROWS)
            yield Line(row, {index: unguarded(cell) for index, cell in enumerate(cells) if cell})
    except csv.Error as error:
        raise BadFile("broken_csv", why=f"{error} ({reader.line_num})") from None
    finally:
        if not file.closed:  # it is where nobody wanted the rest
            text.detach()


def _encoding(file: IO[bytes]) -> str:
    """UTF-8 if all of it is, otherwise GB18030 if all of it is: few texts are both, and those are ASCII."""
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        file.seek(0)
        try:
            while piece := file.read(_BLOCK):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        file.seek(0)
        return encoding
    raise BadFile("bad_encoding")


def _delimiter(head: str) -> str:
    """The one that is in the header most often; Excel writes `;` or tabs in some countries."""
    return max(_DELIMITERS, key=lambda each: (head.count(each), each == ","))


def write(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """With a mark at the beginning by which Excel knows UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    out.write("\ufeff")
    writer.writerow(header)
    for row in rows:
        writer.writerow([guarded(cell) for cell in row])
        if out.tell() > _BLOCK:
            yield _taken(out)
    yield _taken(out)


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode()


def guarded(cell: str) -> str:
    return f"'{cell}" if _RUNS.match(cell) and not _NUMBER.fullmatch(cell) else cell


def unguarded(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell
