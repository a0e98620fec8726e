"""Which kind of file it is, by what is in it and never by its name alone; and the sheets of each kind."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, NamedTuple
from zipfile import ZipFile

from directory.positions import Datum
from exchange import archives, csvs, geojson, workbooks
from exchange.cells import BadFile, Sheet
from exchange.columns import Table, table_of
from exchange.faults import Report
from exchange.reading import Reading, guessed

_ZIP, _OLE, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"
_EMPTY_ZIP = b"PK\x05\x06"
_WORKBOOK, _BINARY_WORKBOOK = "xl/workbook.xml", "xl/workbook.bin"
_JSON = (b"{", b"\xef\xbb\xbf{")


class Source(NamedTuple):
    """`table`: what the sender says is in it, where that is one table."""

    path: Path
    name: str
    table: Table | None = None


def read(sources: Sequence[Source], datum: Datum = Datum.WGS84) -> Reading:
    """Everything of all files. What cannot be read is told of in the report, and the rest is read nevertheless."""
    reading = Reading(Report(), datum)
    for source in sources:
        try:
            for table, sheet in _sheets(source):
                reading.read(sheet, table)
        except BadFile as bad:
            reading.report.refuse(bad, source.name)
    if reading.report.sound and not reading.given:
        reading.report.refuse(BadFile("no_table"))
    return reading


def _sheets(source: Source) -> Iterator[tuple[Table | None, Sheet]]:
    with source.path.open("rb") as file:
        head = archives.begins(file)
        if head.startswith((_ZIP, _EMPTY_ZIP)):
            with archives.opened(source.path) as archive:
                yield from _of_archive(archive, source)
        elif head.startswith(_OLE):
            raise BadFile("old_excel")
        elif head.lstrip().startswith(_JSON):
            yield from geojson.sheets(file, source.name, source.table)
        elif head.startswith(_PDF) or b"\0" in head:
            raise BadFile("unknown_kind")
        else:
            yield _of_csv(file, source.name, source.table)


def _of_archive(archive: ZipFile, source: Source) -> Iterator[tuple[Table | None, Sheet]]:
    names = frozenset(archive.namelist())
    if _BINARY_WORKBOOK in names:
        raise BadFile("binary_workbook")
    if _WORKBOOK in names:
        yield from _of_workbook(archive, source)
        return
    tables = [name for name in archive.namelist() if name.lower().endswith((".csv", ".txt"))]
    if not tables:
        raise BadFile("no_workbook")
    for name in tables:
        yield from _of_packed(archive, name)


def _of_workbook(archive: ZipFile, source: Source) -> Iterator[tuple[Table | None, Sheet]]:
    """A single sheet may have any name, if the sender says what it is."""
    for sheet in workbooks.sheets(archive):
        yield (source.table if table_of(sheet.name) is None else None), sheet


def _of_packed(archive: ZipFile, name: str) -> Iterator[tuple[Table | None, Sheet]]:
    with TemporaryFile() as file:
        for piece in archives.chunks(archive, name):
            file.write(piece)
        file.seek(0)
        yield _of_csv(file, PurePosixPath(name).name, None)


def _of_csv(file: IO[bytes], name: str, table: Table | None) -> tuple[Table | None, Sheet]:
    """Its table by what the sender says, by its name, or by its columns."""
    lines = csvs.lines(file)
    if found := table or table_of(name):
        return found, Sheet(name, lines)
    first = next(lines, None)
    if first is None:
        return None, Sheet(name, iter(()))
    return guessed(iter(first.cells.values())), Sheet(name, chain((first,), lines))
