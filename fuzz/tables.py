"""A directory's files, nearly right: its tables with cells spoilt, in each form that an import reads."""

import json
import re
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from hypothesis import strategies as st

from directory.demo_city import demo_directory
from directory.model import Directory, Point
from exchange import csvs, writing
from exchange.cells import letter
from exchange.columns import AREAS, POINTS, TABLES
from fuzz import samples

#: What cells stumble over, besides what texts do.
TOKENS = (
    "",
    "200",
    "38.26",
    "110.001",
    "²",
    "1e400",
    "NaN",
    "sNaN",
    "-0.0",
    "0.5",
    "1e-9",
    "2958466",
    "９",
    "qinghe",
    "yunlan",
    "sanitation",
    "E0110",
    "bd09",
    "是",
    "_xD800_",
    "_x0000_",
    "'=1",
    "a:b;c/d",
    "\\",
    "围护/Fence off:NaN urgent_hour",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "POINT EMPTY",
    "POLYGON ((110 38, 111 38, 111 39, 110 38))",
    "POLYGON ((110 nan, 111 38, 111 39, 110 nan))",
    "POLYGON ((110 38, inf 38, 111 39, 110 38))",
    "CURVEPOLYGON (CIRCULARSTRING (0 0, 1 1, 2 0, 1 -1, 0 0))",
)
#: Types and styles of a workbook's cells; the second style is a date's.
_KINDS, _STYLES = ("inlineStr", "str", "s", "n", "b", "e", "d", ""), ("0", "1", "9", "x")
_NUMBERS = ("0", "1", "²", "45000", "45000.5", "-1", "2958465", "2958466", "1E5", "1E99999", "9" * 5000, "nan")
_ENCODINGS = (*["UTF-8"] * 15, "utf-7", "utf-16", "gb18030", "rot13", "x")
_STRINGS = "<si><t>sanitation</t></si><si><r><t>a</t></r><rPh><t>b</t></rPh></si>"
#: What XML cannot hold at all: such cells would only end the reading.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FEW = 6
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


class Sheet(NamedTuple):
    """The first row is the header."""

    name: str
    title: str
    rows: list[list[str]]


@cache
def points() -> tuple[Point, ...]:
    return tuple(
        Point(
            id=f"p-{n}",
            name_zh="公厕",
            place_type="公厕",
            area="qinghe",
            lon=110.001 * (1 + n / 1e5),
            lat=38.26,
            keeper=keeper,
        )
        for n, keeper in enumerate((None, "sanitation"))
    )


@cache
def _sound() -> tuple[Sheet, ...]:
    """The head of every table of the demonstration's city, and all of none."""
    city = demo_directory()
    return tuple(
        Sheet(
            name,
            table.title,
            [
                [column.header for column in writing.columns(table)],
                *(list(row) for row in writing.rows(table, city, points())),
            ],
        )
        for name, table in TABLES.items()
    )


def _cells() -> st.SearchStrategy[str]:
    return st.sampled_from(TOKENS) | st.sampled_from(samples.TOKENS) | st.text(max_size=9) | st.integers().map(str)


@st.composite
def sheets(draw: st.DrawFn) -> list[Sheet]:
    """One to three tables, a few rows of each, and a few cells of these exchanged."""
    chosen = draw(st.lists(st.sampled_from(_sound()), min_size=1, max_size=3, unique_by=lambda each: each.name))
    found = []
    for name, title, rows in chosen:
        start = draw(st.integers(1, max(1, len(rows) - 1)))
        kept = [list(row) for row in (rows[0], *rows[start : start + draw(st.integers(1, _FEW))])]
        for _ in range(draw(st.integers(0, 2))):
            _spoil(draw, kept)
        found.append(Sheet(name, draw(st.sampled_from((*[title] * 9, name, "x"))), kept))
    return found


def _spoil(draw: st.DrawFn, rows: list[list[str]]) -> None:
    """The header seldom: nothing below a wrong one is looked at."""
    which = draw(st.integers(1, len(rows) - 1)) if len(rows) > 1 and draw(st.integers(0, 7)) else 0
    row = rows[which]
    how = draw(st.sampled_from(("cell", "cell", "cell", "copy", "copy", "row", "shift")))
    if how == "row":
        rows.append(list(row))
    elif how == "shift":
        row.insert(draw(st.integers(0, len(row))), draw(_cells()))
    elif row:
        at = draw(st.integers(0, len(row) - 1))
        others = [line[at] for line in rows[1:] if at < len(line)] or [""]
        row[at] = draw(st.sampled_from(others)) if how == "copy" else draw(_cells())


# --- as CSV ---


def csv(sheet: Sheet) -> bytes:
    header, *rows = sheet.rows
    text = b"".join(csvs.write([_plain(cell) for cell in header], [[_plain(cell) for cell in row] for row in rows]))
    return bytes(text)


def _plain(cell: str) -> str:
    """Without what no encoding can hold."""
    return cell.encode(errors="ignore").decode()


@st.composite
def csv_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """One table, or several packed; sometimes with a few bytes spoilt."""
    given = draw(sheets())
    files = [(f"{each.name}.csv", _maybe_damaged(draw, csv(each))) for each in given]
    if len(files) == 1:
        return files[0]
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return "city.zip", out.getvalue()


def _maybe_damaged(draw: st.DrawFn, data: bytes) -> bytes:
    return draw(samples.damaged(data)) if draw(st.integers(0, 4)) == 0 else data


# --- as a workbook ---


@st.composite
def workbooks(draw: st.DrawFn) -> tuple[str, bytes]:
    """By hand: no library would write such cells. Sometimes the XML of one part is spoilt."""
    given = draw(sheets())
    parts = _parts(draw, given)
    if draw(st.integers(0, 2)) == 0:
        name = draw(st.sampled_from(sorted(parts)))
        parts[name] = draw(samples.spoilt(parts[name]))
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text.encode(errors="replace"))
    return "city.xlsx", out.getvalue()


def _parts(draw: st.DrawFn, given: Sequence[Sheet]) -> dict[str, str]:
    listed = "".join(f'<sheet name={quoteattr(s.title)} sheetId="{n}" r:id="r{n}"/>' for n, s in enumerate(given))
    related = "".join(f'<Relationship Id="r{n}" Target="worksheets/s{n}.xml"/>' for n in range(len(given)))
    old, encoding = draw(st.sampled_from(("0", "1"))), draw(st.sampled_from(_ENCODINGS))
    book = f'<workbookPr date1904="{old}"/><sheets>{listed}</sheets>'
    styles = '<numFmts><numFmt numFmtId="170" formatCode="yyyy\\-mm"/></numFmts><cellXfs><xf numFmtId="0"/>'
    return {
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}">{book}</workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{related}</Relationships>",
        "xl/styles.xml": f'<styleSheet>{styles}<xf numFmtId="170"/></cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f'<?xml version="1.0" encoding="{encoding}"?><sst>{_STRINGS}</sst>',
        **{f"xl/worksheets/s{n}.xml": _sheet(draw, sheet.rows) for n, sheet in enumerate(given)},
    }


def _sheet(draw: st.DrawFn, rows: list[list[str]]) -> str:
    places = [(y, x) for y, row in enumerate(rows) for x in range(len(row))] or [(0, 0)]
    odd = draw(st.sets(st.sampled_from(places), max_size=3))
    lines = (
        f'<row r="{y + 1}">{"".join(_cell(draw, cell, (y, x), odd=(y, x) in odd) for x, cell in enumerate(row))}</row>'
        for y, row in enumerate(rows)
    )
    merged = '<mergeCells><mergeCell ref="A1:B2"/></mergeCells>' if draw(st.integers(0, 9)) == 0 else ""
    return f"<worksheet><sheetData>{''.join(lines)}</sheetData>{merged}</worksheet>"


def _cell(draw: st.DrawFn, text: str, at: tuple[int, int], *, odd: bool) -> str:
    """As text; an odd one as anything."""
    kind, style = (draw(st.sampled_from(_KINDS)), draw(st.sampled_from(_STYLES))) if odd else ("inlineStr", "0")
    if odd and draw(st.booleans()):
        text = draw(st.sampled_from(_NUMBERS) | _cells())
    shown = escape(_CONTROL.sub("", text))
    inner = "<f>1</f>" if odd and draw(st.integers(0, 7)) == 0 else ""
    inner += f"<is><t>{shown}</t></is>" if kind == "inlineStr" else f"<v>{shown}</v>"
    return f'<c r="{letter(at[1])}{at[0] + 1}" t="{kind}" s="{style}">{inner}</c>'


# --- as GeoJSON ---


@cache
def _features() -> tuple[str, ...]:
    found = []
    for table in (AREAS, POINTS):
        out = BytesIO()
        writing.features(out, table, demo_directory(), points())
        found.append(out.getvalue().decode())
    return tuple(found)


_NODES: st.SearchStrategy[Any] = (
    _cells() | st.none() | st.booleans() | st.floats() | st.integers() | st.just([]) | st.just({}) | st.just([[[]]])
)


@st.composite
def geojsons(draw: st.DrawFn) -> tuple[str, bytes]:
    """A few features with a few nodes of their tree exchanged; sometimes the text of it is spoilt as well."""
    whole = json.loads(draw(st.sampled_from(_features())))
    start = draw(st.integers(0, len(whole["features"]) - 1))
    whole["features"] = whole["features"][start : start + draw(st.integers(1, 3))]
    for _ in range(draw(st.integers(0, 4))):
        _exchange(draw, whole)
    text = json.dumps(whole, ensure_ascii=False)
    if draw(st.integers(0, 3)) == 0:
        text = draw(samples.spoilt(text))
    return "city.geojson", text.encode(errors="replace")


def _exchange(draw: st.DrawFn, node: Any) -> None:  # noqa: ANN401 - any node of JSON
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        if not isinstance(node[key], dict | list) or draw(st.integers(0, 4)) == 0:
            break
        node = node[key]
    node[key] = deepcopy(draw(st.sampled_from((node[keys[0]], [node[key]])) | _NODES))
    if isinstance(node, dict) and draw(st.integers(0, 4)) == 0:
        node[draw(st.sampled_from(("datum", "id", "编号", "type", "coordinates")))] = draw(_NODES)


# --- whole, and their bytes damaged ---


@cache
def exported() -> tuple[tuple[str, bytes], ...]:
    """What our own writer makes of a small part of the city."""
    city = _part(demo_directory())
    with TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("city.xlsx", "city.zip")]
        for path in files:
            writing.write(path, list(TABLES.values()), city, points())
        return tuple((path.name, path.read_bytes()) for path in files)


def _part(city: Directory) -> Directory:
    return city.model_copy(update={"categories": city.categories[:2], "routing": (), "areas": city.areas[:9]})


@st.composite
def archives(draw: st.DrawFn) -> tuple[str, bytes]:
    """Damaged anywhere; half of them at the end, where the directory of the archive stands."""
    name, data = draw(st.sampled_from(exported()))
    tail = data.rindex(b"PK\x01\x02") if draw(st.booleans()) else 0
    return name, data[:tail] + draw(samples.damaged(data[tail:]))
