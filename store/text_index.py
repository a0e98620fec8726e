"""Finds cases by parts of their text, by characters and pairs of characters: Chinese has no blanks to split at.

The index only says which cases may contain a text; `contains` looks whether they do. What an index of words or of
three characters cannot find, 垃圾 or 井盖, is what people search for most. The tables `case_grams…` belong to this
module alone: they differ between the databases, and no model in `store/tables.py` stands for them.

On SQLite the index is FTS5 over numbers that are given out once: an entry that is no longer meant keeps a number
that no case has. On PostgreSQL it is an array under a GIN index.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    tablesample,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Integer, String, Text
from sqlmodel import col

from store.tables import CaseRow

#: More cases than this that may contain the text: it is found sooner by looking at them in the order of the list.
FEW = 4_000

#: Cases looked at to see whether a text is common, and of how many cases at least that is worth it. One in so many of
#: them has a common text.
_SAMPLE, _WORTH_IT, _ONE_IN = 1_000, 50_000, 50

#: Grams looked up: each more takes its time, and leaves hardly fewer candidates.
_ENOUGH = 8

_BITS = 32
#: What nearly every case number holds tells no case from another, and is not in the index.
_EVERYWHERE = frozenset("0123456789abcdefghjkmnpqrstvwxyz-") | {"rc", "c-"}

#: For the transaction. PostgreSQL would read the whole table where it takes grams for frequent that seldom meet, and
#: call workers that take longer to come than their work takes. The last is about how many cases there are.
_PREPARE = text("""
SELECT set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true), reltuples
FROM pg_class WHERE oid = to_regclass('cases')""")
_SQLITE = (
    text("DELETE FROM case_grams_number WHERE case_id = :case_id"),
    text("INSERT INTO case_grams_number (case_id) VALUES (:case_id)"),
    text("INSERT INTO case_grams (rowid, grams) SELECT number, :grams FROM case_grams_number WHERE case_id = :case_id"),
)
_POSTGRESQL = (
    text(
        "INSERT INTO case_grams (case_id, grams) VALUES (:case_id, :grams)"
        " ON CONFLICT (case_id) DO UPDATE SET grams = excluded.grams"
    ).bindparams(bindparam("grams", type_=ARRAY(Integer))),
)


def grams(words: str) -> set[int]:
    """The numbers of every character and pair of neighbours in each line of the text; nobody searches across lines.

    Two may share a number, which costs a look at a case in vain.
    """
    found: set[int] = set()
    for line in words.split("\n"):
        codes = [ord(char) for char in line]
        found.update(codes)
        found.update(_number(*pair) for pair in pairwise(codes))
    return found - _UNTOLD


def _number(first: int, second: int) -> int:
    return (first << _BITS // 2 ^ second) & (1 << _BITS) - 1


_UNTOLD = frozenset(ord(each) if len(each) == 1 else _number(*map(ord, each)) for each in _EVERYWHERE)


def contains(dialect: str, words: str) -> ColumnElement[bool]:
    """Whether a row of `cases` has the text. The planner takes this for likely, other than LIKE."""
    place = func.instr if dialect == "sqlite" else func.strpos
    return place(col(CaseRow.words), words) > 0


async def among_few(connection: AsyncConnection, words: str) -> Select[str] | None:
    """The ids of the cases that may have the text, if these are few; else None.

    Looked up once: PostgreSQL takes nearly as long to count candidates as to name them.
    """
    dialect = connection.dialect.name
    wanted = _wanted(words)
    if (dialect == "postgresql" and await _is_common(connection, words)) or not wanted:
        return None
    hits = (await connection.scalars(_hits(dialect, wanted).limit(FEW + 1))).all()
    if len(hits) > FEW:
        return None
    return _numbered(hits) if dialect == "sqlite" else select(func.unnest(literal(hits, ARRAY(Text))))


async def _is_common(connection: AsyncConnection, words: str) -> bool:
    """By a sample of the cases: to name up to `FEW`, PostgreSQL looks up all that have a gram before the first."""
    cases = (await connection.execute(_PREPARE)).one().reltuples
    if cases < _WORTH_IT:
        return False
    some = tablesample(CaseRow.__table__, func.system(100 * _SAMPLE / cases))  # type: ignore[attr-defined]  # SQLModel does not declare it
    having = func.count().filter(func.strpos(some.c.words, words) > 0)
    return bool(await connection.scalar(select(having * _ONE_IN > func.count()).select_from(some)))


def put(connection: Connection, texts: Iterable[tuple[str, str]]) -> None:
    """Indexes cases (id and words) that are in `cases` already; what was indexed of them before is gone."""
    sqlite = connection.dialect.name == "sqlite"
    rows = [{"case_id": case_id, "grams": _stored(words, sqlite=sqlite)} for case_id, words in texts]
    for statement in (_SQLITE if sqlite else _POSTGRESQL) if rows else ():
        connection.execute(statement, rows)


def copied(case_id: str, words: str) -> tuple[str, str]:
    """What PostgreSQL's COPY takes for the columns of `case_grams`."""
    numbers = ",".join(str(_signed(number)) for number in grams(words))
    return case_id, f"{{{numbers}}}"


def _stored(words: str, *, sqlite: bool) -> str | list[int]:
    numbers = grams(words)
    return " ".join(map(str, numbers)) if sqlite else [_signed(number) for number in numbers]


def _signed(number: int) -> int:
    return number - (1 << _BITS) if number >> _BITS - 1 else number


def _wanted(words: str) -> list[int]:
    """Pairs where there are any: a pair says more than its characters. Of a long text only some, from all over it."""
    codes = [ord(char) for char in words]
    numbers = [_number(*pair) for pair in pairwise(codes)] or codes
    telling = [number for number in dict.fromkeys(numbers) if number not in _UNTOLD]
    spread = {nth * (len(telling) - 1) // (_ENOUGH - 1) for nth in range(_ENOUGH)}
    return [telling[nth] for nth in sorted(spread)] if len(telling) > _ENOUGH else telling


def _hits(dialect: str, wanted: list[int]) -> Select[Any]:
    """Numbers on SQLite, ids of cases on PostgreSQL."""
    if dialect == "sqlite":
        match = literal_column("case_grams").op("MATCH")(" ".join(map(str, wanted)))
        return select(literal_column("rowid", Integer)).select_from(table("case_grams")).where(match)
    found = table("case_grams", column("case_id", String), column("grams", ARRAY(Integer)))
    return select(found.c.case_id).where(found.c.grams.contains([_signed(number) for number in wanted]))


def _numbered(hits: Sequence[int]) -> Select[str]:
    numbers = table("case_grams_number", column("number", Integer), column("case_id", Text))
    listed = func.json_each(json.dumps(hits)).table_valued("value")
    return select(numbers.c.case_id).where(numbers.c.number.in_(select(listed.c.value)))
