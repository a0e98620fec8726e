"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, String, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _is_postgresql(dialect: Dialect) -> bool:
    return dialect.name == "postgresql"


class Instant(TypeDecorator[datetime]):
    """An aware datetime, given back in UTC: `timestamptz`, or on SQLite microseconds since 1970, which sort as numbers.

    A naive datetime is refused with ValueError: nobody can tell which instant it means.
    """

    impl = BigInteger
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if _is_postgresql(dialect) else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 - the driver's value
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value if _is_postgresql(dialect) else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401 - likewise
        if value is None:
            return None
        return value.astimezone(UTC) if _is_postgresql(dialect) else _EPOCH + timedelta(microseconds=value)


class Json(TypeDecorator[str]):
    """JSON as text on both sides: pydantic writes and reads it, so nothing in between needs to parse it.

    `jsonb` on PostgreSQL, for the operator's own queries; `open_engine` tells the driver to leave it alone.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(JSONB() if _is_postgresql(dialect) else Text())


class Key(TypeDecorator[str]):
    """Text compared by code points on both databases, so that a range of keys is the same range."""

    impl = String
    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        return str

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(collation="C") if _is_postgresql(dialect) else String())


class Serial(TypeDecorator[int]):
    """A number the database counts up. SQLite does that only for a column that is exactly INTEGER."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if _is_postgresql(dialect) else Integer())
