"""The directory as rows of text, by the columns of `exchange.columns`; and those rows as files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

import xlsxwriter

from directory.model import Directory, Point
from exchange import columns as c
from exchange import csvs, geojson
from exchange.columns import TABLES, Column, Table
from exchange.faults import Report
from exchange.geometry import parts

Row = Sequence[str]
#: Of the text in one cell of a workbook.
_MOST_IN_A_CELL = 32_000
_MOST_ROWS = 1_048_575


def columns(table: Table) -> tuple[Column, ...]:
    """That are written."""
    return tuple(column for column in table.columns if not column.only_in)


def rows(table: Table, directory: Directory, points: Iterable[Point]) -> Iterator[Row]:
    """As text. None is an empty cell."""
    wanted = columns(table)
    for record in _records(table, directory, points):
        yield [_cell(column, record) for column in wanted]


def _cell(column: Column, record: Mapping[str, Any] | object) -> str:
    value = record[column.field] if isinstance(record, dict) else getattr(record, column.field)
    return "" if value is None else column.kind.show(value)


def _records(table: Table, directory: Directory, points: Iterable[Point]) -> Iterator[Any]:
    if table is c.POINTS:
        yield from points
    elif table is c.CITY:
        names = {name: getattr(directory, name) for name in ("city_zh", "city_en", "zone")}
        yield names | directory.catalogue.model_dump()
    elif table is c.SHAPES:
        for area in directory.areas:
            for nth, text in enumerate(parts(area.shape, _MOST_IN_A_CELL) if area.shape else (), start=1):
                yield {"area": area.id, "part": nth, "shape": text}
    else:
        yield from _MORE[table.name](directory) if table.name in _MORE else getattr(directory, table.name)


def _contacts(directory: Directory) -> Iterator[Any]:
    return ({"unit": unit.id, **contact.model_dump()} for unit in directory.units for contact in unit.contacts)


def _conditions(directory: Directory) -> Iterator[Any]:
    for category in directory.categories:
        for each in category.conditions:
            yield {**dict(each), "limit": each.limit.value, "unit": each.limit.unit.value}


_MORE = {"contacts": _contacts, "conditions": _conditions}


def write(path: Path, tables: Sequence[Table], directory: Directory, points: Sequence[Point]) -> None:
    """By the file's name: .xlsx, .zip (of CSV), .csv or .geojson; the last two of one table."""
    sheets = {table: rows(table, directory, points) for table in tables}
    if path.suffix == ".xlsx":
        workbook(path, sheets)
    elif path.suffix == ".zip":
        packed_csvs(path, sheets)
    else:
        with path.open("wb") as out:
            if path.suffix == ".csv":
                csv(out, tables[0], sheets[tables[0]])
            else:
                features(out, tables[0], directory, points)


# --- workbooks ---


def workbook(path: Path, sheets: Mapping[Table, Iterable[Row]], *, template: bool = False) -> None:
    """One sheet for each table, and one that explains the columns. `template`: with an example in each."""
    options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
    with xlsxwriter.Workbook(str(path), options | {"strings_to_urls": False, "strings_to_numbers": False}) as book:
        formats = {
            "head": book.add_format({"bold": True, "bg_color": "#DDE8F0", "num_format": "@"}),
            "text": book.add_format({"num_format": "@"}),
            "danger": book.add_format({"num_format": "@", "quote_prefix": True}),
        }
        for table, lines in sheets.items():
            _sheet(book.add_worksheet(table.title), formats, table, lines)
        _notes(book.add_worksheet("说明"), formats, sheets.keys(), template=template)


def _sheet(sheet: Any, formats: Mapping[str, Any], table: Table, lines: Iterable[Row]) -> None:  # noqa: ANN401 - xlsxwriter has no types
    wanted = columns(table)
    sheet.freeze_panes(1, 0)
    for index, column in enumerate(wanted):
        sheet.set_column(index, index, 16, None if column.kind.number else formats["text"])
        if column.kind.choices:
            choices = {"validate": "list", "source": [*column.kind.choices], "error_type": "warning"}
            sheet.data_validation(1, index, _MOST_ROWS, index, choices)
        sheet.write_string(0, index, column.header + ("*" if column.needed else ""), formats["head"])
    for row, cells in enumerate(lines, start=1):
        for index, cell in enumerate(cells):
            if cell:
                _write(sheet, row, index, cell, wanted[index], formats)


def _write(sheet: Any, row: int, index: int, cell: str, column: Column, formats: Mapping[str, Any]) -> None:  # noqa: ANN401, PLR0913, PLR0917 - a cell and where it goes
    """A number as one where Excel's 16 digits hold it; else as text, which is read as the same."""
    if column.kind.number and float(f"{float(cell):.16G}") == float(cell):
        sheet.write_number(row, index, float(cell))
    else:
        sheet.write_string(row, index, cell, formats["danger" if csvs.guarded(cell) != cell else "text"])


def _notes(sheet: Any, formats: Mapping[str, Any], tables: Iterable[Table], *, template: bool) -> None:  # noqa: ANN401 - likewise
    heads = ("工作表 sheet", "列 column", "必填 needed", "可填 choices", "示例 example", "说明 note")
    for index, head in enumerate(heads):
        sheet.set_column(index, index, 24)
        sheet.write_string(0, index, head, formats["head"])
    lines = ((table, column) for table in tables for column in (table.columns if template else columns(table)))
    for row, (table, column) in enumerate(lines, start=1):
        refers = f"见“{TABLES[column.refers].zh}”" if column.refers else ""
        note = "；".join(part for part in (column.note, refers) if part)
        told = ("是" if column.needed else "", "、".join(column.kind.choices), column.example, note)
        for index, cell in enumerate((table.title, column.header, *told)):
            sheet.write_string(row, index, cell, formats["text"])


# --- CSV, GeoJSON ---


def csv(out: IO[bytes], table: Table, lines: Iterable[Row]) -> None:
    for piece in csvs.write([column.header for column in columns(table)], lines):
        out.write(piece)


def packed_csvs(path: Path, sheets: Mapping[Table, Iterable[Row]]) -> None:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for table, lines in sheets.items():
            with archive.open(f"{table.name}.csv", "w") as out:
                csv(out, table, lines)


def features(out: IO[bytes], table: Table, directory: Directory, points: Iterable[Point]) -> None:
    """Areas or points."""
    for piece in geojson.write(table, _features(table, directory, points)):
        out.write(piece)


def _features(
    table: Table, directory: Directory, points: Iterable[Point]
) -> Iterator[tuple[Mapping[str, str], Mapping[str, Any] | None]]:
    wanted = [column for column in columns(table) if column.field not in {"lon", "lat"}]
    for record in _records(table, directory, points):
        properties = {column.field: text for column in wanted if (text := _cell(column, record))}
        if isinstance(record, Point):
            yield properties, {"type": "Point", "coordinates": (record.lon, record.lat)}
        else:
            yield properties, geojson.polygon(record.shape)


def template(path: Path, tables: Iterable[Table]) -> None:
    """Empty, with an example on the sheet that explains."""
    workbook(path, dict.fromkeys(tables, ()), template=True)


def report(path: Path, found: Report) -> None:
    """Faults and warnings as a workbook, a line each."""
    heads = (
        "级别",
        "工作表 sheet",
        "行 row",
        "列 column",
        "列名 header",
        "值 value",
        "问题与改法",
        "what and what to do",
    )
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet, danger = book.add_worksheet("问题 faults"), book.add_format({"quote_prefix": True})
        sheet.write_row(0, 0, heads)
        listed = [("问题", each) for each in found.faults.listed] + [("提醒", each) for each in found.warnings.listed]
        for row, (kind, fault) in enumerate(listed, start=1):
            place = fault.place
            cells = (kind, place.sheet, place.row, place.letter, place.header, fault.value, fault.zh, fault.en)
            for index, text in enumerate("" if cell is None else str(cell) for cell in cells):
                sheet.write_string(row, index, text, danger if csvs.guarded(text) != text else None)
