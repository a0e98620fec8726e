"""From lines of cells to the values of records, each still knowing where it stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from directory.positions import Datum
from exchange.cells import Day, Line, Number, Refused, Sheet
from exchange.columns import TABLES, Column, Table, table_of
from exchange.faults import Place, Report
from exchange.values import BadCell

#: Sheets that are not read: notes for people, and what an empty workbook begins with (if nothing is on it).
NOTES = ("说明", "notes", "readme", "sheet", "工作表")


class Header(NamedTuple):
    """Where the columns of a table stand in one sheet."""

    sheet: str
    columns: Mapping[str, int]
    names: Mapping[str, str]

    def place(self, row: int | None, name: str | None = None) -> Place:
        if name is None or name not in self.columns:
            return Place(self.sheet, row)
        return Place(self.sheet, row, self.columns[name], self.names[name])


@dataclass(frozen=True, slots=True)
class Given:
    """What one line says: only of columns that are there. An empty cell is None."""

    header: Header
    row: int
    values: dict[str, Any]

    def place(self, name: str | None = None) -> Place:
        return self.header.place(self.row, name)


@dataclass(slots=True)
class Reading:
    """Everything that the files say. `tables`: those that were there, be they empty.

    `datum`: of the positions that do not say theirs.
    """

    report: Report
    datum: Datum = Datum.WGS84
    given: dict[str, list[Given]] = field(default_factory=dict)

    @property
    def tables(self) -> frozenset[str]:
        return frozenset(self.given)

    def lines(self, table: Table) -> list[Given]:
        return self.given.get(table.name, [])

    def read(self, sheet: Sheet, table: Table | None = None) -> None:
        """`table`: where it is known already. Notes are passed over."""
        found = table or table_of(sheet.name)
        lines = sheet.lines
        first = next(lines, None)
        if found is None:
            if first is not None and not sheet.name.lower().startswith(NOTES):
                known = "、".join(each.title for each in TABLES.values())
                self.report.faults.add("unknown_sheet", Place(sheet.name), known=known)
            return
        self.given.setdefault(found.name, [])
        if first is not None and (header := self._header(sheet, found, first)):
            reader = _LineReader(found, header, sheet.date_1904, self.report)
            self.given[found.name].extend(filter(None, map(reader.read, lines)))
        for area in [*sheet.merged]:
            self.report.faults.add("merged", Place(sheet.name), area)

    def _header(self, sheet: Sheet, table: Table, line: Line) -> Header | None:
        """None if the lines below cannot be understood."""
        columns: dict[str, int] = {}
        names: dict[str, str] = {}
        faults = self.report.faults
        before = faults.total
        for index, cell in sorted(line.cells.items()):
            if not (name := cell.strip().rstrip("*").strip()):
                continue
            place = Place(sheet.name, line.row, index, name)
            column = table.by_name.get(name.lower())
            if column is None:
                faults.add("unknown_column", place, name, known="、".join(each.header for each in table.columns))
            elif column.field in columns:
                faults.add("column_twice", place, name)
            else:
                columns[column.field], names[column.field] = index, name
        for column in table.columns:
            if column.needed and column.field not in columns:
                faults.add("column_missing", Place(sheet.name, line.row), header=column.header)
        return Header(sheet.name, columns, names) if faults.total == before else None


class _LineReader:
    def __init__(self, table: Table, header: Header, date_1904: bool, report: Report) -> None:  # noqa: FBT001 - a fact of the sheet
        self._header, self._report = header, report
        self._columns = [(table.by_field[name], index) for name, index in header.columns.items()]
        self._date_1904 = date_1904

    def read(self, line: Line) -> Given | None:
        """None for a blank line."""
        cells = {index: text for index, cell in line.cells.items() if (text := cell.strip() and cell)}
        if not cells:
            return None
        values: dict[str, Any] = {}
        for column, index in self._columns:
            cell = cells.get(index)
            try:
                values[column.field] = self._value(column, cell, line.row)
            except BadCell as bad:
                place = self._header.place(line.row, column.field)
                self._report.faults.add(bad.code, place, cell or "", **bad.params)
        given = Given(self._header, line.row, values)
        return given if len(values) == len(self._columns) else None

    def _value(self, column: Column, cell: str | None, row: int) -> Any:  # noqa: ANN401 - what the column holds
        if cell is None:
            if column.needed:
                raise BadCell("empty")
            return None
        if isinstance(cell, Refused):
            raise BadCell(cell.reason)
        text = cell.strip().replace("\r\n", "\n")
        if isinstance(cell, Number):
            text = self._number(column, cell, row)
        return column.kind.parse(text)

    def _number(self, column: Column, cell: Number, row: int) -> str:
        if isinstance(cell, Day):
            if column.kind.number or column.field != "valid_from":
                raise BadCell("became_date")
            return self._day(cell)
        if column.kind.number:
            return cell.plain()
        text = cell.plain()
        if column.kind.identity:
            self._report.warnings.add("number_as_text", self._header.place(row, column.field), str(cell), read=text)
        return text

    def _day(self, cell: Day) -> str:
        try:
            return cell.moment(date_1904=self._date_1904).isoformat()
        except ValueError:
            raise BadCell("bad_date") from None


def guessed(names: Iterator[str]) -> Table | None:
    """The table whose columns these are: all that it needs are there, and most of the others."""
    given = {name.strip().rstrip("*").strip().lower() for name in names}
    best, most = None, 0
    for table in TABLES.values():
        known = {table.by_name[name].field for name in given if name in table.by_name}
        needed = {column.field for column in table.columns if column.needed}
        if needed <= known and len(known) > most and len(known) * 2 > len(given):
            best, most = table, len(known)
    return best
