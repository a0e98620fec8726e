"""A disk that can be filled: a small file system under the data folder, or, where none may be mounted, a limit.

`enter` has to come first in the life of the process: it starts itself again in a mount namespace of its own, so that
the file system is seen by nobody else and is gone with us.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from chaos.stack import CHILDREN, Stack, no_growth

_INSIDE = "CHAOS_MOUNT_NAMESPACE"
_MS_REMOUNT = 32
_ROOMY = 2 << 30
_WAYS = (("--mount",), ("--user", "--map-current-user", "--keep-caps", "--mount"))


def enter(command: Sequence[str]) -> None:
    """Becomes `command` in a namespace in which it may mount, if there is a way; otherwise returns.

    As root a mount namespace is enough; others need one of users too, in which they stay who they are.
    """
    unshare = shutil.which("unshare")
    if unshare is None or _INSIDE in os.environ:
        return
    for way in _WAYS if os.geteuid() == 0 else _WAYS[1:]:
        probe = [unshare, *way, sys.executable, "-c", "pass"]
        if subprocess.run(probe, check=False, capture_output=True, timeout=30).returncode == 0:  # noqa: S603 - ours
            os.execve(unshare, [unshare, *way, *command], os.environ | {_INSIDE: "1"})  # noqa: S606 - ours


class Disk:
    """`way` says how it is filled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._mounted = _INSIDE in os.environ and _mount(folder, 0, _ROOMY)
        self.way = "a small file system (tmpfs)" if self._mounted else "a limit on the size of files (RLIMIT_FSIZE)"

    @contextlib.asynccontextmanager
    async def full(self, stack: Stack) -> AsyncIterator[str]:
        if self._mounted:
            _mount(self._folder, _MS_REMOUNT, self._used())
            try:
                yield "no space left on the file system of the data folder"
            finally:
                _mount(self._folder, _MS_REMOUNT, _ROOMY)
        else:
            with no_growth([stack.child(name) for name in CHILDREN]):
                yield "no file of temporal, worker and api may grow"

    def _used(self) -> int:
        there = os.statvfs(self._folder)
        return (there.f_blocks - there.f_bfree) * there.f_frsize

    def close(self) -> None:
        if self._mounted:
            _libc().umount2(os.fsencode(self._folder), 2)


def _mount(folder: Path, flags: int, size: int) -> bool:
    """By the system call: the program of that name insists on being root."""
    options = f"size={size}".encode()
    return bool(_libc().mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options) == 0)


def _libc() -> Any:  # noqa: ANN401 - ctypes has no better type
    return ctypes.CDLL(None)
