"""The data folder: whose it is, whether this release understands it, and where things lie in it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from embedded.refusals import Refusal

#: Counts the changes after which an older release would do damage. Tables have their own count, the migrations.
FORMAT = 1
#: In a back-up (`embedded/backup.py`), and in a folder that one is being restored to.
BACKUP = "backup.json"
UNFINISHED = ".restore.part"


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.temporal_database = self.path / "temporal.db"
        self.temporal_log = self.path / "temporal.log"
        self.tokens = self.path / "tokens.json"
        self.format = self.path / "format.json"
        #: There from a restore till the lists agree with Temporal.
        self.restored = self.path / "restored.json"
        self._lock = self.path / "lock"

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Nobody else has it inside the block. Refusal if somebody has, or if this release must leave it alone."""
        self._refuse_backup()  # before anything is written into it
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = self._lock.open("a+")
        except OSError as error:
            raise self._unwritable(error) from error
        with lock:
            self._take(lock)
            if self.check() is None:
                self._write_format()
            yield

    def refuse_taken(self) -> None:
        """Refusal if somebody has it. Writes nothing where nobody ever had."""
        if self._lock.exists():
            with self.taken():
                pass

    def check(self) -> int | None:
        """The format of what is there, if it says one. Refusal if this release must leave it alone. Writes nothing."""
        self._refuse_backup()
        if (self.path / UNFINISHED).exists():
            raise Refusal(
                f"{self.path} 的恢复未完成，请清空后重新恢复。",
                f"{self.path}: a restore was interrupted; empty the folder and restore again",
            )
        return self._read_format()

    def _refuse_backup(self) -> None:
        if (self.path / BACKUP).exists():
            raise Refusal(f"{self.path} 是备份，请先恢复。", f"{self.path} is a back-up: `rectify restore` it first")

    def _take(self, lock: IO[str]) -> None:
        """The kernel gives the lock back when this process ends, however it ends; no child inherits it."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise self._in_use(lock.read().strip()) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()

    def _read_format(self) -> int | None:
        try:
            found = json.loads(self.format.read_text())["format"]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unwritable(error) from error
        except (ValueError, KeyError, TypeError):
            found = None
        if not isinstance(found, int):
            raise Refusal(f"{self.format} 已损坏。", f"{self.format} is damaged; it should say {self._said()}")
        if found > FORMAT:
            raise self.newer(f"format {found} > {FORMAT}")
        return found

    def _write_format(self) -> None:
        try:
            self.format.write_text(self._said() + "\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def _said(self) -> str:
        return json.dumps({"format": FORMAT})

    def newer(self, what: str) -> Refusal:
        return Refusal(
            f"数据目录 {self.path} 来自更新的版本,请升级本程序。",
            f"the data folder {self.path} belongs to a newer version ({what}); upgrade this one",
        )

    def _in_use(self, by: str) -> Refusal:
        return Refusal(
            f"数据目录 {self.path} 正被另一个实例使用。",
            f"the data folder {self.path} is in use by another instance (process {by or 'unknown'})",
        )

    def _unwritable(self, error: OSError) -> Refusal:
        return Refusal(
            f"无法写入数据目录 {self.path}。", f"cannot write to the data folder {self.path}: {error.strerror}"
        )
