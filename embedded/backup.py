"""A back-up of the data folder while everything runs: a folder of its own that `embedded/restore.py` understands.

    backup.json   what this is, of which release and moment
    SHA256SUMS    a line for each of the files below; `sha256sum -c` reads it too
    temporal.db  rectify.db  tokens.json  format.json  evidence/

**Of which moment.** Temporal's file is the truth and `rectify.db` its projection, two files that no transaction spans.
Both are *pinned* before either is copied: a read transaction holds a view of each as it is now, however long the
copying takes, and nobody's writing waits for it. So the two views are a fraction of a millisecond apart, not the
minutes that copying takes.

**In which order.** Temporal first. What a case knows to be recorded had been committed to `rectify.db` before the case
came to know it, so a projection that is pinned later lacks nothing that Temporal will not hand over again. It may be
*ahead* instead: events, and whole cases, that the restored Temporal has never heard of. These are found by looking at
what is there, and a rebuild takes them back. The other way round the projection would be *behind*, and a case that was
opened and archived in between would be in no list of either, so no rebuild could know what to look for.

Photos come last. They are complete before a case can mention them and never change or go, so all that either view
mentions is there.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

from pydantic import BaseModel, ConfigDict
from sqlalchemy import make_url

from embedded.folder import BACKUP, Folder
from embedded.refusals import Refusal
from settings import Settings
from store import migrate

#: Counts the changes of this layout after which an older release could not restore it.
FORMAT = 1
SUMS = "SHA256SUMS"
TEMPORAL, RECTIFY = "temporal.db", "rectify.db"
#: Pages between two looks at whether somebody wants to stop: 16 MB of the 4 KB that SQLite takes.
_PAGES = 4096
_PATIENCE = 30.0  # seconds, where somebody is just recovering the file


class Manifest(BaseModel):
    """`tables`: the revision of `rectify.db`; None if the projection is a database elsewhere and not in here.

    `sums`: the SHA-256 of the list, so that no line of it can get lost.
    """

    model_config = ConfigDict(frozen=True)

    format: int
    version: str
    at: datetime
    tables: str | None
    files: int
    size: int
    sums: str


@dataclass
class _Tally:
    files: int = 0
    size: int = 0


def make(settings: Settings, target: Path) -> Manifest:
    """Whole under `target`, or not there at all. Refusal with nothing left behind."""
    folder, target = Folder(settings.data), target.absolute()
    _refuse(folder, target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
        try:
            manifest = _fill(unfinished, settings, folder)
            unfinished.replace(target)
            sync_folder(target.parent)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    except (OSError, sqlite3.Error) as error:
        raise Refusal("备份失败，未留下任何文件。", f"the back-up failed, nothing was left behind: {error}") from error
    return manifest


def projection(settings: Settings) -> Path | None:
    """The file of the read model; None if it is in PostgreSQL."""
    url = make_url(settings.database)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refuse(folder: Folder, target: Path) -> None:
    if not folder.temporal_database.is_file() or folder.check() is None:
        raise Refusal(f"{folder.path} 不是数据目录。", f"{folder.path} is no data folder of `rectify up`; use --data")
    if target.is_relative_to(folder.path):
        raise Refusal("备份不能放在数据目录里。", "a back-up inside the data folder would be lost with it")
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise Refusal(f"{target} 已存在。", f"{target} is there already; a back-up overwrites nothing")


def _fill(place: Path, settings: Settings, folder: Folder) -> Manifest:
    beside = projection(settings)
    at = datetime.now(UTC)
    copies = _databases(place, folder.temporal_database, beside)
    tally = _Tally()
    (place / SUMS).touch(mode=0o600)
    with (place / SUMS).open("w", encoding="utf-8") as sums:
        for path in (*copies, *_small(place, folder), *_photos(place, settings.evidence)):
            with path.open("rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
            sums.write(f"{digest}  {path.relative_to(place)}\n")
            tally.files, tally.size = tally.files + 1, tally.size + path.stat().st_size
        sums.flush()
        os.fsync(sums.fileno())
    manifest = Manifest(
        format=FORMAT,
        version=version("rectify"),
        at=at,
        tables=migrate.current(settings.database) if beside else None,
        files=tally.files,
        size=tally.size,
        sums=sha256((place / SUMS).read_bytes()).hexdigest(),
    )
    _write(place / BACKUP, manifest.model_dump_json(indent=1).encode() + b"\n")
    sync_folder(place)
    return manifest


def _databases(place: Path, temporal: Path, beside: Path | None) -> Iterable[Path]:
    """See above for the order."""
    with pinned(temporal) as truth:
        if beside is None:
            return [_copied(truth, place / TEMPORAL)]
        with pinned(beside) as lists:
            return [_copied(truth, place / TEMPORAL), _copied(lists, place / RECTIFY)]


@contextmanager
def pinned(database: Path) -> Iterator[sqlite3.Connection]:
    """As it is when this is entered, till the end of the block: in WAL mode nobody waits for who reads."""
    address = f"{database.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=_PATIENCE)) as view:
        view.execute("BEGIN")
        view.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # only the first read takes the view
        yield view


def _copied(view: sqlite3.Connection, path: Path) -> Path:
    """Refusal if what was copied is no sound database: better to hear of it now."""
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # it is synchronised below, once
        view.backup(copy, pages=_PAGES)
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as copy:
        (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        where = verdict.splitlines()[0]
        raise Refusal(f"{path.name} 已损坏，未备份。", f"{path.name} is damaged, nothing was backed up: {where}")
    _sync(path)
    return path


def _small(place: Path, folder: Folder) -> Iterator[Path]:
    for source in (folder.format, folder.tokens):
        if source.exists():
            _write(place / source.name, source.read_bytes())
            yield place / source.name


def _photos(place: Path, evidence: Path) -> Iterator[Path]:
    """Names with a dot in front are being written. The folders are made as private as the rest."""
    for at, folders, names in os.walk(evidence):
        folders.sort()
        here = place / evidence.name / Path(at).relative_to(evidence)
        here.mkdir(mode=0o700)
        for name in sorted(names):
            if not name.startswith(".") and name.isprintable():
                _link(Path(at) / name, here / name)
                yield here / name
        sync_folder(here)


def _link(source: Path, target: Path) -> None:
    """The same file under a second name where that can be, for it never changes; a copy on another disk."""
    try:
        os.link(source, target)
    except OSError:
        _write(target, source.read_bytes())


def _write(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)
    _sync(path)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
