"""The rules of the house that no other tool knows. Each check is shown to notice what it is for."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.workflow import _Definition, _UpdateDefinition

from tests.house.test_imports import OUTSIDE, ROOT, modules, parts
from workflows.case import CaseWorkflow

#: Modules whose import alone brings the clock on the wall, chance or the world outside into a pure part.
IMPURE_MODULES = {"http", "logging", "os", "pathlib", "random", "secrets", "socket", "subprocess", "time", "uuid"}
IMPURE_CALLS = {"now", "utcnow", "today", "fromtimestamp", "open", "input", "print", "urandom"}
#: `workflow.now()` is the time in history, `workflow.sleep` a timer: both replay.
REPLAYABLE = {"workflow.now"}
#: Where transactions begin and end.
TRANSACTIONS = {"store/database.py", "store/migrate.py"}
#: Refuse nothing, so there is nothing to validate.
WITHOUT_VALIDATOR = {"recalendar", "rerule", "reproject"}
#: What `print` may be used by: what runs in a terminal.
TERMINAL = {"commands", "bench", "chaos", "demo", "fuzz"}


def impure(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in IMPURE_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in IMPURE_MODULES:
            yield node.module or ""
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name.split(".")[-1] in IMPURE_CALLS and name not in REPLAYABLE:
                yield name


def methods(source: str) -> set[str]:
    """The names of all methods called."""
    called = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {function.attr for function in called if isinstance(function, ast.Attribute)}


def sources() -> Iterator[tuple[str, str]]:
    for part in sorted(parts()):
        for path in modules(part):
            yield str(path.relative_to(ROOT)), path.read_text("utf-8")


def committed() -> list[Path]:
    """Files under version control that are still there; this folder names what it forbids."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)  # noqa: S607 - git is on the path of whoever has a clone
    return [ROOT / name for name in listed.stdout.split("\0") if name and _is_meant(name)]


def _is_meant(name: str) -> bool:
    return not name.startswith("tests/house/") and (ROOT / name).is_file()


class TestThePureParts:
    @pytest.mark.parametrize("part", ["domain", "workflows"])
    def test_know_no_clock_no_chance_and_no_world(self, part: str) -> None:
        found = {
            (str(path.relative_to(ROOT)), name)
            for path in modules(part)
            if str(path.relative_to(ROOT)) not in OUTSIDE
            for name in impure(path.read_text("utf-8"))
        }
        assert not found

    @pytest.mark.parametrize(
        "fault",
        ["datetime.now(UTC)", "date.today()", "import random", "from time import time", "import os.path", "open('x')"],
    )
    def test_would_be_caught_if_they_did(self, fault: str) -> None:
        assert list(impure(fault))

    def test_may_ask_for_the_time_in_history(self) -> None:
        assert not list(impure("workflow.now()"))


class TestTransactions:
    def test_begin_and_end_in_one_place(self) -> None:
        assert {path for path, source in sources() if {"commit", "begin"} & methods(source)} == TRANSACTIONS


class TestUpdateHandlers:
    def test_validate_what_they_may_refuse(self) -> None:
        definition = _Definition.must_from_class(CaseWorkflow)
        bare = {update.name for update in definition.updates.values() if update.validator is None}
        assert bare == WITHOUT_VALIDATOR

    @pytest.mark.parametrize(
        "update", _Definition.must_from_class(CaseWorkflow).updates.values(), ids=lambda u: str(u.name)
    )
    def test_never_wait(self, update: _UpdateDefinition) -> None:
        """A handler without an await is atomic: it needs no lock, and a case never ends in the middle of one."""
        import inspect

        assert not inspect.iscoroutinefunction(update.fn)


class TestOutput:
    def test_is_printed_only_where_somebody_reads_it(self) -> None:
        printing = {path for path, source in sources() if "print" in re.findall(r"(?<![\w.])print(?=\()", source)}
        assert {path for path in printing if path.split("/")[0] not in TERMINAL} == set()


class TestTheTree:
    MACHINE = re.compile(r"(?<![\w.])/(?:work|home|root|Users)/|\.\./shared")

    @pytest.mark.parametrize("path", committed(), ids=lambda path: str(path.relative_to(ROOT)))
    def test_names_no_machine_and_no_place_beside_it(self, path: Path) -> None:
        text = path.read_text("utf-8", errors="replace")
        assert "RECTIFY_SHARED" in text or not self.MACHINE.search(text)
