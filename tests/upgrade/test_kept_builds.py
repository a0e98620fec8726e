"""Of every release before this one the worker is kept, as it was."""

import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.kept_build import FOLDER, ROOT, keep, latest, release_of

_RELEASED = re.compile(r"^## \[([0-9.]+)\] – \d", re.MULTILINE)
_SOURCES = {
    "worker.py": "from part import thing\n",
    "part/__init__.py": "",
    "part/thing.py": "def late() -> None:\n    import other\n",
    "other.py": "import json\n",
    "api/app.py": "import worker\n",
    "README.md": "hello\n",
}


def git(folder: Path, *arguments: str) -> int:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", "-C", str(folder), *who, *arguments], check=False, capture_output=True).returncode  # noqa: S603, S607 - our own arguments, the git of whoever runs this


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, source in _SOURCES.items():
        path = tmp_path / "repository" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    folder = tmp_path / "repository"
    steps = (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "first"), ("tag", "v9.8.7"))
    assert [git(folder, *step) for step in steps] == [0, 0, 0, 0]
    (folder / "worker.py").write_text("later = 1\n")
    return folder


class TestAKeptBuild:
    def test_holds_what_the_worker_of_the_tag_needs_and_no_more(self, repository: Path, tmp_path: Path) -> None:
        with ZipFile(keep("v9.8.7", repository=repository, folder=tmp_path)) as kept:
            assert kept.namelist() == ["other.py", "part/__init__.py", "part/thing.py", "worker.py"]
            assert kept.read("worker.py").decode() == _SOURCES["worker.py"]

    def test_is_made_alike_every_time(self, repository: Path, tmp_path: Path) -> None:
        first = keep("v9.8.7", repository=repository, folder=tmp_path).read_bytes()
        assert keep("v9.8.7", repository=repository, folder=tmp_path).read_bytes() == first

    @pytest.mark.parametrize("build", sorted(FOLDER.glob("*.zip")), ids=lambda path: path.stem)
    def test_is_what_its_tag_says(self, build: Path, tmp_path: Path) -> None:
        tag = "v" + build.stem.removeprefix("rectify-")
        if git(ROOT, "rev-parse", "--verify", f"refs/tags/{tag}"):
            pytest.skip("this clone has no tags")
        assert keep(tag, folder=tmp_path).read_bytes() == build.read_bytes()


class TestTheKeptBuilds:
    def test_are_of_every_release_before_this_one(self) -> None:
        this = version("rectify")
        released = set(_RELEASED.findall((ROOT / "CHANGELOG.md").read_text("utf-8"))) - {this}
        assert released
        assert {path.stem for path in FOLDER.glob("*.zip")} == {f"rectify-{each}" for each in released}

    def test_have_a_latest_by_number(self, tmp_path: Path) -> None:
        names = ["rectify-0.9.0.zip", "rectify-0.10.0.zip", "rectify-0.2.11.zip"]
        assert max((tmp_path / name for name in names), key=release_of).name == "rectify-0.10.0.zip"
        assert latest().parent == FOLDER
