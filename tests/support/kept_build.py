"""The worker of a release, kept as it was: `python -m tests.support.kept_build v0.1.0` makes it of a git tag.

A zip to import from, with what a worker and a client of that release are made of and nothing else. In the repository,
because a clone need not have the tags. The same tag gives the same bytes, on every machine.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from tests.house.test_imports import imported

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "upgrade" / "builds"
_WORKER = "worker"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100644 << 16


def keep(tag: str, *, repository: Path = ROOT, folder: Path = FOLDER) -> Path:
    """Not compressed: what a compressor makes of it depends on its version, and git compresses by itself."""
    path = folder / f"rectify-{tag.removeprefix('v')}.zip"
    with ZipFile(path, "w", ZIP_STORED) as kept:
        for name, source in sorted(_needed(_sources(tag, repository))):
            member = ZipInfo(name, date_time=_LONG_AGO)
            member.external_attr = _PLAIN_FILE
            member.create_system = 3  # as on Unix, wherever this runs
            kept.writestr(member, source)
    return path


def release_of(build: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in build.stem.removeprefix("rectify-").split("."))


def latest() -> Path:
    """Of the release before this one."""
    return max(FOLDER.glob("rectify-*.zip"), key=release_of)


def _sources(tag: str, repository: Path) -> dict[str, bytes]:
    names = _git(repository, "ls-tree", "-r", "-z", "--name-only", tag).decode().split("\0")
    return {name: _git(repository, "show", f"{tag}:{name}") for name in names if name.endswith(".py")}


def _needed(sources: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The worker's module and every package that it or they import, whole."""
    needed, found = {_WORKER}, set[str]()
    while needed - found:
        found |= needed
        ours = {name: source for name, source in sources.items() if _part(name) in found}
        needed |= {name for source in ours.values() for name in imported(source.decode())}
    return ((name, source) for name, source in sources.items() if _part(name) in found)


def _part(name: str) -> str:
    return name.split("/", maxsplit=1)[0].removesuffix(".py")


def _git(repository: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True).stdout  # noqa: S603, S607 - our own arguments, the git of whoever runs this


if __name__ == "__main__":
    for each in sys.argv[1:]:
        made = keep(each)
        sys.stdout.write(f"{made.relative_to(ROOT)}: {made.stat().st_size} bytes\n")
