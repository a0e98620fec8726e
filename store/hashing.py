"""Argon2id by RFC 9106's second recommendation: 64 MiB and some tenths of a second of a processor for each try.

In threads of low priority, few at once: whoever floods the door with tries slows down the door and nothing else.
"""

import asyncio
import base64
import os
import secrets
import sys
import threading
import unicodedata
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from domain.errors import Unavailable

_T = TypeVar("_T")
#: Of a process, in hashes: together they take as many cores as `parallelism` says, each.
_AT_ONCE = max(1, (os.cpu_count() or 1) // 4)
#: How many may wait for their turn; at some tries a second the last of them waits some seconds.
_WAITING = 32
#: Against 0 of everything else: a tenth of the processor's time, where there is a choice.
_NICENESS = 10


class Verdict(NamedTuple):
    """`outdated`: right, but hashed by older parameters than ours."""

    right: bool
    outdated: bool


class Hasher:
    """Of one process. Tests pass cheap parameters."""

    def __init__(self, argon: PasswordHasher | None = None, at_once: int = _AT_ONCE, waiting: int = _WAITING) -> None:
        self._argon = argon or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._turns = asyncio.Semaphore(at_once)
        self._room = at_once + waiting
        self._threads = ThreadPoolExecutor(at_once, "passwords", initializer=_step_back)
        self._nobodys = self._unmatched()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """To be held around one try. Unavailable at once if too many wait."""
        if self._room == 0:
            raise Unavailable("sign_in_busy")
        self._room -= 1
        try:
            async with self._turns:
                yield
        finally:
            self._room += 1

    async def hash(self, password: str) -> str:
        return await self._run(self._argon.hash, plain(password))

    async def check(self, password: str, kept: str | None) -> Verdict:
        """None, for whom there is nothing to compare with, takes as long and is never right."""
        right = await self._run(self._matches, kept or self._nobodys, plain(password))
        return Verdict(right, right and kept is not None and self._argon.check_needs_rehash(kept))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[..., _T], *given: str | bytes) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)

    def _matches(self, kept: str, password: bytes) -> bool:
        try:
            return self._argon.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    def _unmatched(self) -> str:
        """As of a password that nobody knows, without the work of hashing one."""
        argon = self._argon
        salt, digest = (_text(secrets.token_bytes(size)) for size in (argon.salt_len, argon.hash_len))
        costs = f"m={argon.memory_cost},t={argon.time_cost},p={argon.parallelism}"
        return f"$argon2id$v=19${costs}${salt}${digest}"


def plain(password: str) -> bytes:
    """One form of what is typed in several ways: full-width letters, composed accents."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode()


def _step_back() -> None:
    """On Linux priorities are of threads, and what Argon2 starts inherits this one's."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS)
