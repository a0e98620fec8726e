"""docs/security.md keeps its word: every test that it names is there, and every test of this folder is named."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
ROWS = [line for line in PAGE.split("## Threats")[1].split("\n## ")[0].splitlines() if line.startswith("| ")][1:]
NAMED = re.findall(r"`(tests/[\w/.]+\.py[\w:]*)`", PAGE)


def names(path: Path) -> set[str]:
    """`file.py`, and `file.py::Class`, `file.py::Class::test` of everything in it."""
    relative, found = str(path.relative_to(ROOT)), set[str]()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            found.add(f"{relative}::{node.name}")
            inner = (each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
            found |= {f"{relative}::{node.name}::{name}" for name in inner if name.startswith("test_")}
    return found | {relative}


def exists(named: str) -> bool:
    path = ROOT / named.split("::", maxsplit=1)[0]
    return path.is_file() and named in names(path)


class TestThePage:
    @pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:50])
    def test_names_for_each_threat_what_is_done_and_tests_that_are_there(self, row: str) -> None:
        _, threat, done, held, _ = row.split("|")
        assert threat.strip()
        assert done.strip()
        tests = re.findall(r"`([^`]+)`", held)
        assert tests
        assert [each for each in tests if not exists(each)] == []

    def test_has_many_threats(self) -> None:
        assert len(ROWS) > 20

    def test_names_every_class_of_this_folder(self) -> None:
        here = Path(__file__).parent
        ours = {name for path in here.glob("test_*.py") for name in names(path) if name.count("::") == 1}
        said = {"::".join(each.split("::")[:2]) for each in NAMED}
        assert ours - said - {"tests/security/test_the_page.py::TestThePage"} == set()

    @pytest.mark.parametrize("named", ["tests/security/test_nothing.py", "tests/security/test_the_page.py::TestNo"])
    def test_would_miss_what_is_not_there(self, named: str) -> None:
        assert not exists(named)
