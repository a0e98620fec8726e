"""The read model as its database has it, by SQL of our own."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from chaos.judge.evidence import CaseLine, EventLine, Json, Lists, NoticeLine
from chaos.judge.lean import lean

_CASES = "SELECT id, version, running, stage, snapshot FROM cases"
_EVENTS = "SELECT position, case_id, seq, type, command_id, data FROM events ORDER BY position"
_NOTICES = "SELECT case_id, seq, audience, recipient, kind FROM notices"


def read(url: str) -> Lists:
    """From `sqlite:///path` or `postgresql://…`, all in one snapshot. Raises what the driver raises."""
    cases, events, notices = _postgresql(url) if url.startswith("postgresql:") else _sqlite(url)
    return Lists(
        cases={row[0]: CaseLine(row[1], bool(row[2]), row[3], _json(row[4])) for row in cases},
        events=[EventLine(row[0], row[1], row[2], row[3], row[4], _json(row[5])) for row in events],
        notices=[NoticeLine(*row) for row in notices],
    )


def _sqlite(url: str) -> Iterator[list[tuple[Any, ...]]]:
    path = Path(url.removeprefix("sqlite:///"))
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=10)
    try:
        connection.execute("BEGIN")
        for query in (_CASES, _EVENTS, _NOTICES):
            yield connection.execute(query).fetchall()
    finally:
        connection.close()


def _postgresql(url: str) -> Iterator[list[tuple[Any, ...]]]:
    with psycopg.connect(url, connect_timeout=10) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for query in (_CASES, _EVENTS, _NOTICES):
            yield connection.execute(query).fetchall()


def _json(value: object) -> Json:
    """Text from the one, parsed by the driver from the other."""
    found: Json = lean(json.loads(value) if isinstance(value, str) else value)
    return found
