"""A catalogue as a file, CSV or TOML: a line for each condition, all as text. What it means is not known here."""

import csv
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from io import StringIO
from typing import Any, NamedTuple

from directory.rules import Problem

#: Columns that tell of the category; all its lines say the same.
SHARED = (
    "category",
    "kind",
    "big_zh",
    "big_en",
    "name_zh",
    "name_en",
    "place_types",
    "category_severity",
    "near_metres",
    "recurs_days",
)
_OF_CONDITION = ("condition", "text_zh", "text_en", "limit", "unit", "milestones", "closure_zh", "closure_en")
_TO_SAY = ("severity", "photos", "needs_plan", "source", "trust")
COLUMNS = (*SHARED[:6], *_OF_CONDITION, *SHARED[6:], *_TO_SAY)
#: May neither be missing nor empty. What is not said in English is said in Chinese.
NEEDED = ("category", "kind", "big_zh", "name_zh", "condition", "text_zh", "limit", "unit", "closure_zh")


class BadCatalogue(ValueError):
    """Everything that is wrong with a file, at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class Line(NamedTuple):
    """One condition with its category; `place` is where it stands in the file. Every column is there."""

    place: str
    cells: Mapping[str, str]

    def problem(self, column: str, zh: str, en: str) -> Problem:
        return Problem(f"{self.place} {column}", zh, en)


def csv_lines(text: str) -> list[Line]:
    """Raises BadCatalogue."""
    reader = csv.DictReader(StringIO(text.removeprefix("\ufeff")), restval="", strict=True)
    try:
        _refuse_columns("第 1 行 line 1", list(reader.fieldnames or ()))
        return [_csv_line(reader.line_num, row) for row in reader]
    except csv.Error as error:
        place = f"第 {reader.line_num} 行 line {reader.line_num}"
        raise BadCatalogue([Problem(place, "不是有效的 CSV。", f"not CSV: {error}")]) from None


def _csv_line(number: int, row: dict[str | Any, str | Any]) -> Line:
    place = f"第 {number} 行 line {number}"
    if None in row:
        raise BadCatalogue([Problem(place, "单元格多于列数。", "it has more cells than there are columns")])
    return Line(place, {column: (row.get(column) or "").strip() for column in COLUMNS})


def toml_lines(text: str) -> list[Line]:
    """`[[category]]`, and in each `[[category.conditions]]`. Lists may be lists. Raises BadCatalogue."""
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, InvalidOperation, RecursionError) as error:
        raise BadCatalogue([Problem("TOML", "不是有效的 TOML 文件。", f"not a TOML file: {error}")]) from None
    return list(_toml_lines(table))


def _toml_lines(table: Mapping[str, Any]) -> Iterator[Line]:
    for nth, category in enumerate(_tables(table, "category"), start=1):
        for which, condition in enumerate(_tables(category, "conditions"), start=1):
            place = f"category[{category.get('category', nth)}].conditions[{condition.get('condition', which)}]"
            given = {name: value for name, value in category.items() if name != "conditions"} | condition
            _refuse_columns(place, list(given))
            yield Line(place, {column: _text(given.get(column, "")) for column in COLUMNS})


def _tables(table: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = table.get(name)
    if isinstance(found, list) and found and all(isinstance(each, dict) for each in found):
        return found
    raise BadCatalogue([Problem(name, f"缺少 [[{name}]]。", f"there is no [[{name}]]")])


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return ";".join(map(str, value)) if isinstance(value, list) else str(value).strip()


def _refuse_columns(place: str, given: Sequence[str]) -> None:
    known = f"known are {', '.join(COLUMNS)}"
    problems = [
        Problem(f"{place} {name}", "未知的列，请检查拼写。", f"unknown column; {known}")
        for name in given
        if name not in COLUMNS
    ]
    problems += [
        Problem(f"{place} {name}", "缺少此列，请补上。", "the column is missing; add it")
        for name in NEEDED
        if name not in given
    ]
    if len(set(given)) < len(given):
        problems.append(Problem(place, "列名重复。", "a column is given twice"))
    if problems:
        raise BadCatalogue(problems)
