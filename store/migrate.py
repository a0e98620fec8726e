"""Brings a database's tables to what this code expects, and says how far they are from it.

Alembic does the work and is imported only where there is some: a start on a current database must be quick.
"""

from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, make_url, select, text

from store.database import sync_url

State = Literal["empty", "current", "behind", "ahead"]

_FOLDER = Path(__file__).parent / "migrations"
#: The advisory lock of whoever migrates: several processes may start at once.
_MIGRATION = 0x6D69_6772


def revisions() -> tuple[str, ...]:
    """All that this code knows, oldest first: the numbers its migration files begin with."""
    return tuple(sorted(path.name.split("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*.py")))


def head() -> str:
    return revisions()[-1]


def current(url: str) -> str | None:
    """The revision of the database; None if it has no tables of ours, or is a file that nobody has made yet."""
    if not _exists(url):
        return None
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            return _current(connection)
    finally:
        engine.dispose()


def check(url: str) -> State:
    """`ahead`: a newer release wrote it, and this one must leave it alone."""
    revision = current(url)
    if revision is None:
        return "empty"
    if revision == head():
        return "current"
    return "behind" if revision in revisions() else "ahead"


def upgrade(url: str) -> None:
    """To `head()`, in one transaction; does nothing if it is there. RuntimeError if the database is ahead."""
    state = check(url)
    if state == "ahead":
        raise RuntimeError(f"the database is at {current(url)}, newer than this release, which knows {head()}")
    if state != "current":
        _upgrade(url)


def _upgrade(url: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION)))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def _exists(url: str) -> bool:
    """To look at SQLite's file would make it."""
    parsed = make_url(sync_url(url))
    return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").is_file()


def _engine(url: str) -> Engine:
    parsed = make_url(sync_url(url))
    waiting = {"connect_timeout": 5} if parsed.get_backend_name() == "postgresql" else {}
    engine = create_engine(parsed, hide_parameters=True, connect_args=waiting)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_transactions_alone)
        event.listen(engine, "begin", _begin_immediately)
    return engine


def _leave_transactions_alone(dbapi_connection: object, _record: object) -> None:
    """The driver would commit before every change to a table: a failed migration would stay half done."""
    dbapi_connection.isolation_level = None  # type: ignore[attr-defined]  # sqlite3.Connection


def _begin_immediately(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision
