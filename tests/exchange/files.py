"""Files as officials and attackers make them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
from sqlalchemy.ext.asyncio import AsyncEngine

from directory.model import Directory, Point
from exchange import writing
from exchange.apply import Result, bring_in
from exchange.columns import TABLES
from exchange.files import Source
from exchange.merging import Mode

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
Cells = Sequence[Any]


def workbook(path: Path, sheets: Mapping[str, Sequence[Cells]]) -> Path:
    """By openpyxl, for our own writer makes nothing wrong."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def exported(path: Path, directory: Directory, points: Sequence[Point] = ()) -> Path:
    writing.write(path, list(TABLES.values()), directory, points)
    return path


async def take(
    engine: AsyncEngine, *paths: Path, mode: Mode = Mode.MERGE, dry_run: bool = False, by: str = "admin"
) -> Result:
    sources = [Source(path, path.name) for path in paths]
    return await bring_in(engine, sources, mode=mode, dry_run=dry_run, by=by, now=NOW)


def told(result: Result) -> list[tuple[str, str]]:
    """Code and place of each fault."""
    return [(each.code, str(each.place)) for each in result.report.faults.listed]
