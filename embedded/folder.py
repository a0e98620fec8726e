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


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.temporal_database = self.path / "temporal.db"
        self.temporal_log = self.path / "temporal.log"
        self.tokens = self.path / "tokens.json"
        self._format = self.path / "format.json"
        self._lock = self.path / "lock"

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Nobody else has it inside the block. Refusal if somebody has, or if this release must leave it alone."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = self._lock.open("a+")
        except OSError as error:
            raise self._unwritable(error) from error
        with lock:
            self._take(lock)
            self._check_format()
            yield

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

    def _check_format(self) -> None:
        try:
            found = json.loads(self._format.read_text())["format"]
        except FileNotFoundError:
            self._write_format()
            return
        except OSError as error:
            raise self._unwritable(error) from error
        except (ValueError, KeyError, TypeError):
            found = None
        if not isinstance(found, int):
            raise Refusal(f"{self._format} 已损坏。", f"{self._format} is damaged; it should say {self._said()}")
        if found > FORMAT:
            raise self.newer(f"format {found} > {FORMAT}")

    def _write_format(self) -> None:
        try:
            self._format.write_text(self._said() + "\n")
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
