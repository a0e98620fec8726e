"""How the database is opened, read and written: the only file that begins and commits transactions.

SQLite serves one machine, in WAL mode: readers never wait, and writers of this process queue here instead of in
the driver. PostgreSQL serves any number. Nothing else in `store/` knows which of the two it is, but for the
dialect's own `insert` below.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel import SQLModel

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA foreign_keys = ON",
)
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}
_WRITERS: WeakKeyDictionary[Engine, asyncio.Lock] = WeakKeyDictionary()


def open_engine(url: str) -> AsyncEngine:
    """From `sqlite:///path` or `postgresql://…`. Nothing is connected yet. ValueError for any other database."""
    driven = _driven(url)
    if driven.get_backend_name() == "postgresql":
        return create_async_engine(
            driven,
            pool_size=10,
            pool_pre_ping=True,
            json_serializer=_as_is,
            json_deserializer=_text,
            connect_args={"connect_timeout": 5},
        )
    engine = create_async_engine(driven)
    event.listen(engine.sync_engine, "connect", _configure_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def sync_url(url: str) -> str:
    """The same database for a driver without asyncio, as the migrations need it."""
    driven = _driven(url)
    if driven.get_backend_name() == "sqlite":
        driven = driven.set(drivername="sqlite")
    return driven.render_as_string(hide_password=False)


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """For queries; nothing written here is kept."""
    async with engine.connect() as connection:
        yield connection


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, committed if the block ends without an error. On SQLite there is one such block at a time."""
    async with AsyncExitStack() as stack:
        if engine.dialect.name == "sqlite":
            await stack.enter_async_context(_WRITERS.setdefault(engine.sync_engine, asyncio.Lock()))
        connection = await stack.enter_async_context(engine.connect())
        await connection.execution_options(rectify_writes=True)
        async with connection.begin():
            yield connection


async def refresh_statistics(engine: AsyncEngine) -> None:
    """To be called at every start and once a day: SQLite chooses its indexes by them and never counts by itself.

    Reads a sample, some milliseconds whatever the size. PostgreSQL does this on its own.
    """
    if engine.dialect.name == "sqlite":
        async with writing(engine) as connection:
            await connection.exec_driver_sql("PRAGMA analysis_limit = 1000")
            await connection.exec_driver_sql("ANALYZE")


def insert(engine: AsyncEngine, table: type[SQLModel]) -> Any:  # noqa: ANN401 - the two have no common base with on_conflict_…
    """An `insert` that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def _driven(url: str) -> URL:
    parsed = make_url(url)
    driver = _DRIVERS.get(parsed.drivername.split("+")[0])
    if driver is None:
        raise ValueError(f"{parsed.drivername} is no database for rectify; use sqlite:///… or postgresql://…")
    return parsed.set(drivername=driver)


def _configure_sqlite(dbapi_connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's adapter has no public type
    dbapi_connection.isolation_level = None  # the driver begins nothing by itself; `_begin_sqlite` does
    cursor = dbapi_connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: one that began as a reader could only fail, not wait."""
    writes = connection.get_execution_options().get("rectify_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _as_is(text: str) -> str:
    return text


def _text(raw: bytes | str) -> str:
    return raw.decode() if isinstance(raw, bytes) else raw
