"""Pages of cases, and the cursors that lead from one to the next.

A cursor names the last row seen, so that what is written meanwhile neither repeats nor hides a row. It belongs to
one question: with another sort or filter it means nothing, and is refused.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Label, Select, SQLColumnExpression, UnaryExpression, literal, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine
from sqlmodel import col

from domain.case import Snapshot
from store.tables import CaseRow

#: Of a cursor's text: a longer one is not ours.
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Page:
    items: tuple[Snapshot, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """By `key`, whose columns together are unique, all ascending or all descending. `question` names the rest."""

    key: tuple[SQLColumnExpression[Any], ...]
    question: str
    descending: bool = False

    def rows(self, where: ColumnElement[bool], cursor: str | None, limit: int) -> Select[Any]:
        """The snapshot, then the key."""
        query = select(col(CaseRow.snapshot), *self.key).where(where)
        return query.where(self._after(cursor)).order_by(*self._directed(self.key)).limit(limit)

    def sorted_rows(self, where: ColumnElement[bool], cursor: str | None, limit: int) -> Select[Any]:
        """The same, all that `where` says found first and then sorted: no planner may walk the order instead."""
        key: list[Label[Any]] = [column.label(f"key_{number}") for number, column in enumerate(self.key)]
        found = select(*key, col(CaseRow.id).label("case_id")).where(where, self._after(cursor)).cte("found")
        found = found.prefix_with("MATERIALIZED")
        first = select(found).order_by(*self._directed(tuple(found.c)[: len(key)])).limit(limit).subquery("first")
        columns = tuple(first.c)[: len(key)]
        query = select(col(CaseRow.snapshot), *columns).join(first, first.c.case_id == col(CaseRow.id))
        return query.order_by(*self._directed(columns))

    def cursor(self, values: tuple[Any, ...]) -> str:
        plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
        text = json.dumps([self._digest, *plain], separators=(",", ":"))
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @property
    def _digest(self) -> str:
        return sha256(f"{self.question} {self.descending}".encode()).hexdigest()[:12]

    @property
    def _types(self) -> Sequence[TypeEngine[Any]]:
        return tuple_(*self.key).type.types

    def _directed(self, columns: Iterable[SQLColumnExpression[Any]]) -> Iterator[UnaryExpression[Any]]:
        return (column.desc() if self.descending else column.asc() for column in columns)

    def _after(self, cursor: str | None) -> ColumnElement[bool]:
        return true() if cursor is None else self._beyond(self._decode(cursor))

    def _beyond(self, values: tuple[Any, ...]) -> ColumnElement[bool]:
        ours = tuple_(*self.key)
        theirs = tuple_(*(literal(value, kind) for value, kind in zip(values, self._types, strict=True)))
        return ours < theirs if self.descending else ours > theirs

    def _decode(self, cursor: str) -> tuple[Any, ...]:
        if len(cursor) > _LONGEST:
            raise ValueError("not a cursor of this list")
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            digest, *plain = json.loads(urlsafe_b64decode(padded))
            values = tuple(_typed(value, kind.python_type) for value, kind in zip(plain, self._types, strict=True))
        except (ValueError, TypeError) as error:
            raise ValueError("not a cursor of this list") from error
        if digest != self._digest:
            raise ValueError("the cursor belongs to another list")
        return values


def _typed(value: object, kind: type) -> object:
    """What a forged cursor may hold, no driver should have to meet."""
    if issubclass(kind, datetime):
        instant = datetime.fromisoformat(str(value))
        if instant.tzinfo is None:
            raise ValueError("no time zone")
        return instant
    if not isinstance(value, kind) or (isinstance(value, str) and not value.isprintable()):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


async def page(  # noqa: PLR0913 - a question and how it is asked
    connection: AsyncConnection,
    order: Order,
    where: ColumnElement[bool],
    cursor: str | None,
    limit: int,
    *,
    few: bool = False,
) -> Page:
    """At most `limit` cases, and a cursor if there are more. ValueError for a cursor that is not of this list.

    `few`: what `where` says of few cases only, and has an index for.
    """
    query = (order.sorted_rows if few else order.rows)(where, cursor, limit + 1)
    rows = (await connection.execute(query)).all()
    more = order.cursor(tuple(rows[limit - 1][1:])) if len(rows) > limit else None
    return Page(tuple(Snapshot.model_validate_json(row[0]) for row in rows[:limit]), more)
