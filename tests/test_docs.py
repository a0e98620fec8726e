"""The documents say what is true: their commands run, their links lead somewhere, their lists are complete."""

import asyncio
import os
import re
import sys
import tomllib
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from cli import app
from settings import Settings
from tests.embedded.test_up import Stack

ROOT = Path(__file__).parents[1]
README, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("[dr]e*/README.md")])
ADRS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
ADR_PARTS = ["Context", "Decision", "Alternatives", "Consequences", "Figures"]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
#: Tests alone read it: where data files lie that are not part of the repository.
NO_SETTINGS = {"RECTIFY_SHARED"}


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", text(path), re.MULTILINE | re.DOTALL)


def links(path: Path) -> list[str]:
    """Targets within the repository, without anchors."""
    found = re.findall(r"\]\(([^)\s#]+)", text(path))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


class TestTheWalkThrough:
    async def test_prints_what_the_readme_says(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECTIFY_TIME_TRAVEL", "true")
        stack = Stack(tmp_path / "data")
        await stack.start()
        try:
            said = await run("\n".join(blocks(README, "bash")[1:]), stack, tmp_path)
        finally:
            await stack.end()
        assert said == blocks(README, "text")[0]

    def test_is_the_same_in_both_languages(self) -> None:
        assert blocks(CHINESE, "bash") == blocks(README, "bash")
        assert blocks(CHINESE, "text") == blocks(README, "text")


async def run(script: str, stack: Stack, folder: Path) -> str:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "RECTIFY_PORT": str(stack.port),
        "RECTIFY_DATA": str(stack.data),
    }
    shell = ("bash", "-euo", "pipefail", "-c", script)
    process = await asyncio.create_subprocess_exec(*shell, cwd=folder, env=environment, stdout=PIPE, stderr=PIPE)
    said, complaint = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, said.decode() + complaint.decode()
    return said.decode()


class TestCommands:
    @pytest.mark.parametrize("path", DOCUMENTS, ids=name)
    def test_of_rectify_exist(self, path: Path) -> None:
        groups = {group.name for group in app.registered_groups}
        known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
        named = set(re.findall(r"`(?:\.venv/bin/)?rectify ([a-z]+)", text(path)))
        assert named <= known | groups

    @pytest.mark.parametrize("path", DOCUMENTS, ids=name)
    def test_of_make_exist(self, path: Path) -> None:
        verbs = set(re.findall(r"^([a-z]+):", text(ROOT / "Makefile"), re.MULTILINE))
        assert set(re.findall(r"`make ([a-z]+)", text(path))) <= verbs

    def test_are_the_same_in_both_readmes(self) -> None:
        first, second = (re.findall(r"`((?:make|rectify) [^`]+)`", text(path)) for path in (README, CHINESE))
        assert first == second


class TestLinks:
    @pytest.mark.parametrize("path", DOCUMENTS, ids=name)
    def test_lead_to_files(self, path: Path) -> None:
        assert [link for link in links(path) if not (path.parent / link).exists()] == []

    @pytest.mark.parametrize("path", sorted(ROOT.glob("*/*.py")), ids=name)
    def test_from_the_code_lead_to_documents(self, path: Path) -> None:
        named = re.findall(r"docs/[\w./-]*\w", text(path))
        assert [each for each in named if not (ROOT / each).exists() and not list(ROOT.glob(f"{each}-*.md"))] == []

    def test_lead_to_every_document(self) -> None:
        linked = {(path.parent / link).resolve() for path in DOCUMENTS for link in links(path)}
        assert [name(path) for path in DOCUMENTS if path.resolve() not in linked] == []


class TestSettings:
    @pytest.mark.parametrize("path", [*DOCUMENTS, *sorted((ROOT / "deploy").iterdir())], ids=name)
    def test_that_are_named_exist(self, path: Path) -> None:
        known = {f"RECTIFY_{field.upper()}" for field in Settings.model_fields} | NO_SETTINGS
        assert set(re.findall(r"\bRECTIFY_[A-Z_]+[A-Z]", text(path))) <= known


class TestDependencies:
    def test_have_a_reason_each(self) -> None:
        project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
        wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
        reasons = re.findall(r"^\| `([\w-]+)` \| \S", text(ROOT / "docs" / "dependencies.md"), re.MULTILINE)
        assert sorted(reasons) == sorted(re.split(r"[^\w-]", each)[0] for each in wanted)


class TestDecisions:
    @pytest.mark.parametrize("path", ADRS, ids=name)
    def test_are_told_in_five_parts(self, path: Path) -> None:
        assert re.findall(r"^## (.+)$", text(path), re.MULTILINE) == ADR_PARTS

    def test_are_numbered_without_a_gap_and_listed(self) -> None:
        assert [int(path.name[:4]) for path in ADRS] == list(range(1, len(ADRS) + 1))
        assert links(ROOT / "docs" / "adr" / "README.md") == [path.name for path in ADRS]


class TestTheArchitecture:
    @pytest.mark.parametrize("package", PACKAGES)
    def test_has_a_line_for_each_folder(self, package: str) -> None:
        assert f"| `{package}/` |" in text(ROOT / "docs" / "architecture.md")
