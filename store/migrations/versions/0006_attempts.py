"""When the attempt began that a case's row is from. Rows that are there keep None: before every other attempt.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from store.types import Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("cases", sa.Column("begun", Instant(), nullable=True))
