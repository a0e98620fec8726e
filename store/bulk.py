"""Many new rows at once, for loaders: COPY on PostgreSQL, one statement for all rows of a table on SQLite."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.exc import IntegrityError

from store import text_index
from store.database import insert, loading, sync_engine
from store.recorder import POSITIONS
from store.rows import Row
from store.tables import RulebookRow
from store.types import Instant

Cells = Sequence[Any]
#: Of SQLite while it loads, in KB: what comes in no order (ids of cases) is then changed in memory, not on disk.
_CACHE = 400_000
_UNSAFE = ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -1200000")

#: How each index is dropped, and how it is made: on PostgreSQL also keys, but for those that others point at.
_INDEXES = {
    "sqlite": """
SELECT 'DROP INDEX ' || name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL""",
    "postgresql": """
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE contype = 'u' AND conrelid IN ('events'::regclass, 'notices'::regclass)
   OR contype = 'p' AND conrelid = 'case_evidence'::regclass
UNION ALL
SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)""",
}


class AlreadyThere(Exception):
    """One of the rows is."""


class Loader:
    """Takes rows as cells in the order of their columns; what may not be there yet is the caller's to know.

    `reckless`: for many rows into empty tables. Indexes are made at the end, and nothing is safe before: a database
    whose loading was broken off is to be thrown away.
    """

    def __init__(self, url: str, *, reckless: bool = False) -> None:
        self._engine = sync_engine(url)
        self._postgresql = self._engine.dialect.name == "postgresql"
        if not self._postgresql:
            event.listen(self._engine, "connect", _careless if reckless else _enlarge_cache)
        self._aside = tuple(self._set_aside()) if reckless else ()

    def column(self, at: datetime) -> Any:  # noqa: ANN401 - what the driver takes for an instant
        return at.isoformat() if self._postgresql else Instant().process_bind_param(at, self._engine.dialect)

    def write(
        self,
        tables: Mapping[str, Sequence[Cells]],
        columns: Mapping[str, Sequence[str]],
        texts: Sequence[tuple[str, str]],
        rulebooks: Sequence[Row],
    ) -> None:
        """In one transaction. Like the recorder's it holds its lock, so that positions become visible in order.

        `texts`: id and words of each case. Raises AlreadyThere, and then nothing is written.
        """
        with self._wary(), loading(self._engine) as connection:
            if self._postgresql:
                connection.execute(select(func.pg_advisory_xact_lock(POSITIONS)))
            if rulebooks:
                connection.execute(insert(self._engine, RulebookRow).on_conflict_do_nothing(), rulebooks)
            for table, rows in tables.items():
                if rows:
                    self._add(connection, table, columns[table], rows)
            self._index(connection, texts)

    @contextmanager
    def _wary(self) -> Iterator[None]:
        """What the driver raises where SQLAlchemy is not asked."""
        try:
            yield
        except (IntegrityError, self._engine.dialect.loaded_dbapi.IntegrityError) as error:
            raise AlreadyThere from error

    def finish(self) -> None:
        """Counts the tables, so that the first list is as fast as all others."""
        with loading(self._engine) as connection:
            if self._postgresql:
                connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '1GB'")
            for make in self._aside:
                connection.exec_driver_sql(make)
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE" if self._postgresql else "ANALYZE")
        self._engine.dispose()

    def _set_aside(self) -> Iterator[str]:
        """Drops the indexes. What makes each of them again."""
        with loading(self._engine) as connection:
            for drop, make in connection.execute(text(_INDEXES[self._engine.dialect.name])).all():
                connection.exec_driver_sql(drop)
                yield make

    def _add(self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Cells]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        if self._postgresql:
            with _cursor(connection).copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            places = ", ".join("?" * len(columns))
            _cursor(connection).executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)  # noqa: S608 - names of our own tables

    def _index(self, connection: Connection, texts: Sequence[tuple[str, str]]) -> None:
        if self._postgresql:
            rows = (text_index.copied(case_id, words) for case_id, words in texts)
            self._add(connection, "case_grams", ("case_id", "grams"), rows)
        else:
            text_index.put(connection, texts)


def _cursor(connection: Connection) -> Any:  # noqa: ANN401 - psycopg's or sqlite3's
    return connection.connection.cursor()


def _enlarge_cache(dbapi_connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3's
    dbapi_connection.execute(f"PRAGMA cache_size = -{_CACHE}")


def _careless(dbapi_connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3's
    for pragma in _UNSAFE:
        dbapi_connection.execute(pragma)
