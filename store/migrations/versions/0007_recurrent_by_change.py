"""Recurrent cases in the order of their last change: SQLite sorted all of them for the first fifty.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_RECURRENT = sa.text("recurrence_of IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_cases_recurrent_updated",
        "cases",
        ["updated_at", "id"],
        sqlite_where=_RECURRENT,
        postgresql_where=_RECURRENT,
    )


def downgrade() -> None:
    op.drop_index("ix_cases_recurrent_updated", "cases")
