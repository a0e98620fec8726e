"""How the database is opened, read and written: the only file that begins and commits transactions.

SQLite serves one machine, in WAL mode: readers never wait, and writers of this process queue here instead of in
the driver. PostgreSQL serves any number. Nothing else in `store/` knows which of the two it is, but for the
dialect's own `insert` below.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
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
#: Seconds that closing an engine waits for its thread: one that is stuck is left behind.
_FAREWELL = 1.0

#: What a transaction does, in one go.
Work = Callable[[Connection], None]

_WRITERS: WeakKeyDictionary[Engine, asyncio.Lock] = WeakKeyDictionary()
_THREADS: "WeakKeyDictionary[Engine, _Thread]" = WeakKeyDictionary()


def open_engine(url: str) -> AsyncEngine:
    """From `sqlite:///path` or `postgresql://…`. Nothing is connected yet. ValueError for any other database.

    Errors leave out the parameters: they end up in logs, and rows say who lives where.
    """
    driven = _driven(url)
    if driven.get_backend_name() == "postgresql":
        return create_async_engine(
            driven,
            hide_parameters=True,
            pool_size=10,
            pool_pre_ping=True,
            json_serializer=_as_is,
            json_deserializer=_text,
            connect_args={"connect_timeout": 5},
        )
    engine = create_async_engine(driven, hide_parameters=True)
    _prepare_sqlite(engine.sync_engine)
    event.listen(engine.sync_engine, "engine_disposed", _end_thread)
    return engine


@contextmanager
def loading(engine: Engine) -> Iterator[Connection]:
    """`writing` for loaders, with an engine of `sync_engine`."""
    with engine.begin() as connection:
        yield connection


def sync_engine(url: str) -> Engine:
    """The same database without asyncio, each transaction a writing one from its start."""
    options: dict[str, Any] = {"hide_parameters": True, "execution_options": {"rectify_writes": True}}
    if _driven(url).get_backend_name() == "postgresql":
        return create_engine(sync_url(url), json_serializer=_as_is, json_deserializer=_text, **options)
    engine = create_engine(sync_url(url), **options)
    _prepare_sqlite(engine)
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
            await stack.enter_async_context(_turn(engine))
        connection = await stack.enter_async_context(engine.connect())
        await connection.execution_options(rectify_writes=True)
        async with connection.begin():
            yield connection


async def write(engine: AsyncEngine, work: Work) -> None:
    """`writing` for what needs no `await` in between, at a fraction of the time.

    On SQLite the whole transaction is one hop to a thread. Who is cancelled while it runs does not stop it: it may
    still be committed, but before whatever is written after it this way.
    """
    if engine.dialect.name == "sqlite":
        async with _turn(engine):
            await asyncio.wrap_future(_thread(engine).do(work))
    else:
        async with writing(engine) as connection:
            await connection.run_sync(work)


async def refresh_statistics(engine: AsyncEngine) -> None:
    """To be called at every start and once a day: SQLite chooses its indexes by them and never counts by itself.

    Reads a sample, some milliseconds whatever the size. PostgreSQL does this on its own.
    """
    if engine.dialect.name == "sqlite":
        async with writing(engine) as connection:
            await connection.exec_driver_sql("PRAGMA analysis_limit = 1000")
            await connection.exec_driver_sql("ANALYZE")


def insert(engine: AsyncEngine | Engine, table: type[SQLModel]) -> Any:  # noqa: ANN401 - the two have no common base with on_conflict_…
    """An `insert` that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


class _Thread:
    """Runs transactions on SQLite one after the other. It is a daemon, so that nobody has to wait for a stuck one."""

    def __init__(self, url: URL) -> None:
        options = {"rectify_writes": True}
        self._engine = create_engine(url.set(drivername="sqlite"), hide_parameters=True, execution_options=options)
        _prepare_sqlite(self._engine)
        self._jobs: SimpleQueue[tuple[Work, Future[None]] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    def do(self, work: Work) -> Future[None]:
        """Cancelled before its turn it is not done at all."""
        done: Future[None] = Future()
        self._jobs.put((work, done))
        return done

    def end(self) -> None:
        self._jobs.put(None)
        self._thread.join(_FAREWELL)

    def _run(self) -> None:
        while job := self._jobs.get():
            work, done = job
            if done.set_running_or_notify_cancel():
                self._write(work, done)
        self._engine.dispose()

    def _write(self, work: Work, done: Future[None]) -> None:
        try:
            with self._engine.begin() as connection:
                work(connection)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to who waits
            done.set_exception(error)
        else:
            done.set_result(None)


def _turn(engine: AsyncEngine) -> asyncio.Lock:
    """Held by the one who writes. Without it they would wait in the driver, where nobody's turn ever comes for sure."""
    return _WRITERS.setdefault(engine.sync_engine, asyncio.Lock())


def _thread(engine: AsyncEngine) -> _Thread:
    if engine.sync_engine not in _THREADS:
        _THREADS[engine.sync_engine] = _Thread(engine.url)
    return _THREADS[engine.sync_engine]


def _end_thread(engine: Engine) -> None:
    if thread := _THREADS.pop(engine, None):
        thread.end()


def _driven(url: str) -> URL:
    parsed = make_url(url)
    driver = _DRIVERS.get(parsed.drivername.split("+")[0])
    if driver is None:
        raise ValueError(f"{parsed.drivername} is no database for rectify; use sqlite:///… or postgresql://…")
    return parsed.set(drivername=driver)


def _prepare_sqlite(engine: Engine) -> None:
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


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
