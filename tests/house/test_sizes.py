"""Functions that fit into a head, files that fit onto a few screens."""

import ast
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

from tests.house.test_imports import ROOT, modules, parts

MOST_LINES_OF_A_FUNCTION, MOST_LINES_OF_A_FILE = 60, 400
SOURCES = sorted(path for part in parts() for path in modules(part))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


@cache
def functions(path: Path) -> list[tuple[str, int]]:
    return [
        (f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


class TestFunctions:
    @pytest.mark.parametrize("files", [SOURCES, TESTS], ids=["sources", "tests"])
    def test_are_short(self, files: list[Path]) -> None:
        sizes = [size for path in files for _, size in functions(path)]
        assert median(sizes) <= 10
        assert quantiles(sizes, n=10)[-1] <= 30

    def test_are_never_long(self) -> None:
        long = [
            (name, size)
            for path in SOURCES + TESTS
            for name, size in functions(path)
            if size > MOST_LINES_OF_A_FUNCTION
        ]
        assert long == []


class TestFiles:
    @pytest.mark.parametrize("path", SOURCES + TESTS, ids=lambda path: str(path.relative_to(ROOT)))
    def test_are_short(self, path: Path) -> None:
        assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES_OF_A_FILE
