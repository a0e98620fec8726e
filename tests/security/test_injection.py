"""Text that would be something else: SQL, patterns, log lines, headers, labels, queries to Temporal.

Bodies that JSON stumbles over, NUL, lone surrogates and text that reads backwards are in tests/api/test_bad_reports.py;
log lines and metrics in test_leaks.py; photos in tests/store/test_images.py.
"""

import csv
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
from pydantic import ValidationError

import api
from directory.demo_city import demo_directory
from domain.actors import Actor, Role
from exchange import csvs, writing
from exchange.columns import UNITS
from exchange.faults import Place, Report
from settings import Settings
from store import cases
from store.cases import CaseFilter
from tests.api.answers import refused
from tests.house.test_imports import MAY_IMPORT
from tests.support.stack import Json, Stack

SQL = (
    "' OR '1'='1",
    "'; DROP TABLE cases; --",
    '" OR ""="',
    "1); DELETE FROM events; --",
    "x' UNION SELECT hash FROM tokens --",
    "\\'; --",
    "%",
    "_",
    "%%%%%%%%%%",
    "$1",
    ":q",
    "?",
    "{0}",
    'NEAR("a" "b")',
    'a" OR "b',
    "*",
    "^",
)
FILTERS = ("unit", "area", "category", "q")
ROOT = Path(api.__path__[0]).parent
#: The packages that a request can come to.
REACHED = {"api"} | {part for part in MAY_IMPORT["api"] if (ROOT / part).is_dir()}
#: What Excel and WPS would run; the wide forms come from Chinese keyboards.
FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠a", "\t=1", "\r=1", "\n=1", "'=1", "''@x")


@pytest.fixture(scope="module")
async def case(stack: Stack) -> Json:
    return await stack.recorded(await stack.open(description="注入试验的案卷", address="百分号巷"))


class TestSql:
    async def test_in_any_filter_is_only_text(self, stack: Stack, case: Json) -> None:
        client = stack.client("admin")
        for nth, text in enumerate(SQL):
            for name in FILTERS if nth < 5 else FILTERS[-1:]:
                answer = await client.get("/cases", params={name: text})
                assert answer.status_code in {200, 422}, (name, text, answer.text)
                assert answer.status_code == 422 or answer.json()["items"] == [], (name, text)
        assert (await client.get(f"/cases/{case['id']}")).status_code == 200

    async def test_wildcards_find_themselves_and_nothing_else(self, stack: Stack) -> None:
        await stack.recorded(await stack.open(description="降价 50%_off 的广告"))
        client = stack.client("admin")
        for q, found in (("50%_off", 1), ("5__%_off", 0), ("50%off", 0)):
            items = (await client.get("/cases", params={"q": q})).json()["items"]
            assert len(items) == found, q

    async def test_in_an_id_or_a_digest_is_refused(self, stack: Stack) -> None:
        client = stack.client("admin")
        for text in (*SQL, "RC-0000-0000-0000'--", "RC-0000-0000-0000\0", "RC-0000-0000-0000/..", "\ud800"):
            answer = await client.get(f"/cases/{quote(text, safe='', errors='surrogatepass')}")
            assert answer.status_code in {404, 422}, text

    @pytest.mark.parametrize("sort", ["id; drop table cases", "snapshot", "-words", "opened_at desc"])
    async def test_in_the_order_is_refused(self, stack: Stack, sort: str) -> None:
        refused(await stack.client("admin").get("/cases", params={"sort": sort}), 422, "field_invalid")

    @pytest.mark.parametrize(
        "values",
        [
            ["' OR 1=1 --", "RC-0000-0000-0000"],
            ["2026-01-01T00:00:00+00:00", {"$ne": None}],
            ["2026-01-01T00:00:00+00:00", "x' UNION SELECT 1 --"],
            [10**400, "a"],
            [None, None],
            ["9999-12-31T23:59:59.999999-14:00", "RC-0000-0000-0000"],
            [],
        ],
    )
    async def test_in_a_forged_cursor_moves_nothing(self, stack: Stack, values: list[Any]) -> None:
        """Even with the right digest in front, which anybody may take from a cursor of his own."""
        client = stack.client("admin")
        for _ in range(2):
            await stack.recorded(await stack.open())
        true = (await client.get("/cases", params={"limit": 1})).json()["next_cursor"]
        digest = json.loads(_decoded(true))[0]
        forged = urlsafe_b64encode(json.dumps([digest, *values]).encode()).decode().rstrip("=")
        answer = await client.get("/cases", params={"cursor": forged[:600]})
        assert answer.status_code in {200, 422}, answer.text
        assert answer.status_code == 200 or answer.json()["code"] in {"cursor_invalid", "field_invalid"}

    async def test_is_nowhere_put_together_from_text(self) -> None:
        """Of what the API can reach: no statement is made by formatting."""
        made = re.compile(
            r"(?:text|execute|exec_driver_sql)\(\s*f[\"']|\.format\(.*(?:select|insert)|%\s*\(.*select", re.IGNORECASE
        )
        found = {
            str(path.relative_to(ROOT)): made.findall(path.read_text("utf-8"))
            for part in sorted(REACHED)
            for path in (ROOT / part).rglob("*.py")
        }
        assert {name: each for name, each in found.items() if each and name not in OUR_OWN_NAMES} == {}


#: Files where what is put in is a name of ours, never a value.
OUR_OWN_NAMES = {"store/bulk.py"}


def _decoded(cursor: str) -> bytes:
    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


class TestHeaders:
    async def test_repeat_nothing_that_was_sent(self, stack: Stack, case: Json) -> None:
        marked = {
            "Accept-Language": "xx-MARK",
            "Origin": "https://evil.example",
            "X-Request-Id": "MARK",
            "Host": "evil",
        }
        answer = await stack.client("officer-1").get(f"/cases/{case['id']}", headers=marked)
        assert answer.status_code == 200
        assert not any("MARK" in value or "evil" in value for value in answer.headers.values())
        assert "access-control-allow-origin" not in answer.headers


class TestNumbers:
    @pytest.mark.parametrize("number", ["-1", "0", "1e9", "9" * 30, "9" * 5000, "NaN", "0x10", "１０", "1_0", " 1 "])
    async def test_that_are_none_or_too_large_are_refused_or_bounded(self, stack: Stack, number: str) -> None:
        for path, name in (("/cases", "limit"), ("/cases", "level"), ("/events", "after"), ("/events", "limit")):
            answer = await stack.client("admin").get(path, params={name: number})
            assert answer.status_code in {200, 422}, (path, name, number, answer.text[:200])

    async def test_of_years_far_away_are_answered(self, stack: Stack, case: Json) -> None:
        client = stack.client("admin")
        for when in (
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59-14:00",
            "9999-12-31T23:59:59Z",
            "-0001-01-01T00:00:00Z",
        ):
            for path, name in (("/cases", "opened_from"), (f"/cases/{case['id']}/deadline", "at")):
                answer = await client.get(path, params={name: when})
                assert answer.status_code in {200, 422}, (path, when, answer.text[:200])


class TestTemporal:
    @pytest.mark.parametrize("queue", ["x' OR TaskQueue != '", "x'", 'x"', "x\\", ""])
    async def test_is_not_asked_another_question_by_the_name_of_a_queue(self, queue: str) -> None:
        """The only query that is put together from text; such a name is refused before anything starts."""
        with pytest.raises(ValidationError):
            Settings(task_queue=queue)

    async def test_is_asked_for_cases_by_ids_that_are_ids(self, stack: Stack) -> None:
        for wrong in ("other-workflow", "RC-0000-0000-0001", "temporal-sys-scheduler", "..", "*"):
            answer = await stack.client("admin").get(f"/cases/{wrong}")
            assert answer.status_code in {404, 422}


class TestSpreadsheets:
    def test_are_written_by_four_files(self) -> None:
        """Two guard each cell; the other two give back what an operator has written, as it came: docs/security.md."""
        makes = re.compile(r"csv\.writer\(|DictWriter\(|xlsxwriter\.Workbook\(|openpyxl")
        writers = {
            str(path.relative_to(ROOT))
            for package in ROOT.glob("*/__init__.py")
            for path in package.parent.rglob("*.py")
            if package.parent.name != "tests" and makes.search(path.read_text("utf-8"))
        }
        assert writers == {"exchange/csvs.py", "exchange/writing.py", "ledger/refusals.py", "directory/catalogue.py"}

    @pytest.mark.parametrize("text", FORMULAS)
    def test_get_no_formula_as_csv_and_what_comes_back_is_the_same(self, text: str) -> None:
        data = b"".join(csvs.write(["a", "b"], [[text, "x"]]))
        _, (cell, _) = csv.reader(StringIO(data.decode("utf-8-sig"), newline=""))
        assert cell == f"'{text}"
        assert [line.cells for line in csvs.lines(BytesIO(data))][1:] == [{0: text, 1: "x"}]

    @pytest.mark.parametrize("text", FORMULAS[:8])
    def test_get_no_formula_as_a_workbook(self, tmp_path: Path, text: str) -> None:
        """A cell of text, also once somebody has edited it: Excel shows the apostrophe that the mark stands for."""
        demo = demo_directory()
        units = (demo.units[0].model_copy(update={"name_zh": text}), *demo.units[1:])
        writing.write(tmp_path / "a.xlsx", [UNITS], demo.model_copy(update={"units": units}), [])
        assert found(tmp_path / "a.xlsx", text) == {("s", True)}

    def test_get_no_formula_in_the_report_of_an_import(self, tmp_path: Path) -> None:
        told = Report()
        told.faults.add("empty", Place("units", 2, 0, "id"), "=1+1")
        writing.report(tmp_path / "a.xlsx", told)
        assert found(tmp_path / "a.xlsx", "=1+1") == {("s", True)}


def found(path: Path, text: str) -> set[tuple[str, bool]]:
    """The kinds of cells with this text, and whether they are marked; no cell is a formula."""
    cells = [cell for sheet in openpyxl.load_workbook(path) for row in sheet.iter_rows() for cell in row]
    assert not any(cell.data_type == "f" for cell in cells)
    return {(cell.data_type, cell.quotePrefix) for cell in cells if cell.value == text}


class TestAFilter:
    async def test_of_everybody_is_still_within_what_he_may_see(self, stack: Stack, case: Json) -> None:
        stranger = Actor(user="x' OR '1'='1", role=Role.RESIDENT)
        for viewer in (stranger, stranger.model_copy(update={"role": Role.UNIT, "unit": "' OR '1'='1"})):
            found = await cases.search(
                stack.engines[0], CaseFilter(opened_from=datetime(2000, 1, 1, tzinfo=UTC)), viewer
            )
            assert found.items == ()
