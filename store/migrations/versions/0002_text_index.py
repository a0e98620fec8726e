"""The index of text search: store/text_index.py.

Revision ID: 0002
Revises: 0001
"""

from alembic import op
from sqlalchemy import Connection, text

from store import text_index

revision = "0002"
down_revision = "0001"

#: Cases indexed at a time.
_BATCH = 5_000

_NUMBERS = """
CREATE TABLE case_grams_number (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id VARCHAR NOT NULL UNIQUE REFERENCES cases (id) ON DELETE CASCADE
)"""
#: Only which cases have a gram is kept: neither the grams of a case again, nor where in its text they are.
_GRAMS = """
CREATE VIRTUAL TABLE case_grams USING fts5 (
    grams, content = '', columnsize = 0, detail = none, tokenize = ascii
)"""
_ARRAYS = """
CREATE TABLE case_grams (
    case_id VARCHAR COLLATE "C" PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    grams INTEGER[] NOT NULL
)"""
#: What is not merged yet is read by every search, so it is kept short (in KB).
_INDEX = """
CREATE INDEX ix_case_grams ON case_grams USING gin (grams) WITH (gin_pending_list_limit = 512)"""


def upgrade() -> None:
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    for statement in (_NUMBERS, _GRAMS) if sqlite else (_ARRAYS,):
        op.execute(statement)
    _fill(connection)
    if not sqlite:
        op.execute(_INDEX)


def downgrade() -> None:
    op.execute("DROP TABLE case_grams")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE case_grams_number")


def _fill(connection: Connection) -> None:
    after = text("SELECT id, words FROM cases WHERE id > :last ORDER BY id LIMIT :batch")
    last = ""
    while found := connection.execute(after, {"last": last, "batch": _BATCH}).all():
        text_index.put(connection, [(row.id, row.words) for row in found])
        last = found[-1].id
