"""Imports go one way. What the rules are for: the core can be read, tested and replayed without anything around it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: What each part may import of the project, beside itself. `api` is missing on the right: only roots know it.
MAY_IMPORT: dict[str, set[str]] = {
    "domain": set(),
    "directory": {"domain"},
    "workflows": {"domain"},
    "store": {"domain", "directory"},
    "activities": {"domain", "workflows", "store"},
    "ledger": {"domain", "directory"},
    "api": {"domain", "directory", "store", "exchange", "notices", "upkeep", "workflows", "settings", "worker"},
    "encryption": {"domain", "workflows"},
    "exchange": {"domain", "directory", "store"},
    "embedded": {"domain", "directory", "store", "workflows", "settings"},
    "notices": {"domain", "directory", "store"},
    "upkeep": {"domain", "directory", "store", "workflows", "settings"},
    "synth": {"domain", "directory", "store"},
    "demo": {"domain", "directory", "store", "workflows", "commands", "worker", "settings"},
}
#: Those that put the others together may import everything.
ROOTS = {"commands", "cli", "fuzz", "worker", "settings", "logs"}
#: Not shipped: they may use whatever they measure, break or test.
DEVELOPERS = {"bench", "chaos", "fuzz", "tests"}
#: Talks to workflows from outside and never runs inside one; tells the time that is good for a delay alone.
OUTSIDE = {"workflows/client.py", "workflows/outside.py"}
#: What the pure parts may import from outside the standard library.
FROM_OUTSIDE = {"domain": {"pydantic", "pydantic_core"}, "workflows": {"temporalio", "pydantic", "pydantic_core"}}


def modules(part: str) -> list[Path]:
    folder = ROOT / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [ROOT / f"{part}.py"]


def parts() -> set[str]:
    """Every top-level package and module but the tests."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    return packages | {path.stem for path in ROOT.glob("*.py")}


def imported(source: str) -> Iterator[str]:
    """Top-level names of everything a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def imports_of(part: str) -> set[tuple[str, str]]:
    return {(str(path.relative_to(ROOT)), name) for path in modules(part) for name in imported(path.read_text("utf-8"))}


class TestTheDirection:
    @pytest.mark.parametrize("part", sorted(MAY_IMPORT))
    def test_is_from_the_outside_to_the_core(self, part: str) -> None:
        allowed = MAY_IMPORT[part] | {part}
        wrong = {(path, name) for path, name in imports_of(part) if name in parts() and name not in allowed}
        assert not wrong

    def test_is_laid_down_for_every_part(self) -> None:
        assert parts() - DEVELOPERS <= set(MAY_IMPORT) | ROOTS

    def test_leads_to_the_api_from_the_roots_alone(self) -> None:
        users = {part for part in parts() - DEVELOPERS - {"api"} for _, name in imports_of(part) if name == "api"}
        assert users <= ROOTS


class TestThePureParts:
    @pytest.mark.parametrize("part", sorted(FROM_OUTSIDE))
    def test_import_next_to_nothing(self, part: str) -> None:
        allowed = sys.stdlib_module_names | parts() | FROM_OUTSIDE[part]
        assert not {(path, name) for path, name in imports_of(part) if name not in allowed and path not in OUTSIDE}


class TestTheCheckItself:
    @pytest.mark.parametrize(
        "source", ["import api", "from api.app import create", "def late() -> None:\n    import api.app"]
    )
    def test_sees_an_import_wherever_it_stands(self, source: str) -> None:
        assert list(imported(source)) == ["api"]
