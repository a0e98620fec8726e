"""A back-up of `embedded/backup.py` becomes a data folder again, whole or not at all.

Every file is checked while it is copied, aside; only then it gets its place. The folder is marked as restored: until
`rectify up` has made the lists agree with Temporal once, nobody is served from it.
"""

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from embedded.backup import FORMAT, RECTIFY, SUMS, TEMPORAL, Manifest, sync_folder
from embedded.folder import BACKUP, UNFINISHED, Folder
from embedded.refusals import Refusal
from store import migrate

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_CHUNK = 1 << 20
#: More positions a second than the recorder can hand out, and some for clocks that disagree.
_POSITIONS_PER_SECOND = 10_000
_AT_LEAST = 1_000_000


def restore(backup: Path, folder: Folder) -> Manifest:
    """Refusal with the folder as it was: empty, or not there."""
    backup, existed = backup.absolute(), folder.path.exists()
    manifest = read(backup)
    _refuse_used(folder)
    with folder.taken():
        try:
            _fill(backup, manifest, folder)
        except BaseException as error:
            _clear(folder.path, existed=existed)
            if isinstance(error, OSError | sqlite3.Error):
                raise Refusal("恢复失败，未留下任何文件。", f"nothing was restored: {error}") from error
            raise
    return manifest


def read(backup: Path) -> Manifest:
    """Refusal for what is no back-up, damaged, or of a newer release."""
    try:
        manifest = Manifest.model_validate_json((backup / BACKUP).read_bytes())
    except FileNotFoundError:
        raise Refusal(f"{backup} 不是完整的备份。", f"{backup} is no back-up, or one that was never finished") from None
    except (OSError, ValidationError) as error:
        raise damaged(BACKUP) from error
    if manifest.format > FORMAT or (manifest.tables and manifest.tables > migrate.head()):
        what = f"{manifest.version}, format {manifest.format}, tables {manifest.tables}"
        raise Refusal(
            "备份来自更新的版本，请升级本程序。", f"the back-up is of a newer release ({what}); upgrade this one"
        )
    return manifest


def damaged(name: str) -> Refusal:
    return Refusal(f"备份已损坏（{name}），未恢复任何内容。", f"the back-up is damaged ({name}), nothing was restored")


def _refuse_used(folder: Folder) -> None:
    if not folder.path.exists():
        return
    if not folder.path.is_dir() or any(folder.path.iterdir()):
        folder.refuse_taken()
        raise Refusal(f"{folder.path} 不是空目录。", f"{folder.path} is not empty; restore into an empty folder")


def _fill(backup: Path, manifest: Manifest, folder: Folder) -> None:
    aside = folder.path / UNFINISHED
    aside.mkdir(mode=0o700)
    for digest, name in _listed(backup, manifest):
        _copy(backup / name, aside / name, digest)
    Folder(aside).check()
    if manifest.tables:
        _leave_room(aside / RECTIFY, manifest.at)
    folder.restored.write_text(manifest.model_dump_json(indent=1) + "\n")
    for each in sorted(aside.iterdir()):
        each.replace(folder.path / each.name)
    sync_folder(folder.path)
    aside.rmdir()


def _listed(backup: Path, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Digest and name of each file."""
    try:
        text = (backup / SUMS).read_bytes()
    except OSError as error:
        raise damaged(SUMS) from error
    if sha256(text).hexdigest() != manifest.sums:
        raise damaged(SUMS)
    for line in text.decode().splitlines():
        found = _LINE.fullmatch(line)
        if found is None or not _is_ours(found[2]):
            raise damaged(SUMS)
        yield found[1], found[2]


def _is_ours(name: str) -> bool:
    path = PurePosixPath(name)
    known = path.parts[0] == "evidence" or name in {TEMPORAL, RECTIFY, "tokens.json", "format.json"}
    return known and ".." not in path.parts


def _copy(source: Path, target: Path, digest: str) -> None:
    """Refusal if it is another file than the one that was backed up."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.touch(mode=0o600)
    seen = sha256()
    try:
        file = source.open("rb")
    except OSError as error:
        raise damaged(str(source)) from error
    with file, target.open("wb") as copy:
        while chunk := file.read(_CHUNK):
            seen.update(chunk)
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    if seen.hexdigest() != digest:
        raise damaged(str(source))


def _leave_room(lists: Path, at: datetime) -> None:
    """No event gets a position that another one had after the back-up: who has read up to there would never see it."""
    room = max(_AT_LEAST, int((datetime.now(UTC) - at).total_seconds() * _POSITIONS_PER_SECOND))
    with closing(sqlite3.connect(lists, isolation_level=None)) as database:
        database.execute("UPDATE sqlite_sequence SET seq = seq + ? WHERE name IN ('events', 'notices')", (room,))


def _clear(path: Path, *, existed: bool) -> None:
    for each in path.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()
    if not existed:
        path.rmdir()
