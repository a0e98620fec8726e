"""What keeps lists as fast over a million cases as over a thousand: see docs/performance.md.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from store.types import Instant

revision = "0004"
down_revision = "0003"

_FILL = """
UPDATE case_units SET (opened_at, category) = (
    SELECT opened_at, category FROM cases WHERE cases.id = case_units.case_id
)"""


def upgrade() -> None:
    op.drop_index("ix_case_units_unit", "case_units")
    op.add_column("case_units", sa.Column("opened_at", Instant(), nullable=True))
    op.add_column("case_units", sa.Column("category", sa.String(), nullable=True))
    op.execute(_FILL)
    with op.batch_alter_table("case_units") as table:
        table.alter_column("opened_at", nullable=False)
        table.alter_column("category", nullable=False)
    op.create_index("ix_case_units_unit", "case_units", ["unit", "opened_at", "case_id"])
    op.create_index("ix_case_units_category", "case_units", ["unit", "category", "opened_at", "case_id"])
    _partial("ix_cases_stage", ["stage", "opened_at", "id"], "stage <> 'archived'")
    _partial("ix_cases_escalated", ["opened_at", "id", "escalation_level", "area"], "escalation_level > 0")


def downgrade() -> None:
    op.drop_index("ix_cases_escalated", "cases")
    op.drop_index("ix_cases_stage", "cases")
    op.drop_index("ix_case_units_category", "case_units")
    op.drop_index("ix_case_units_unit", "case_units")
    with op.batch_alter_table("case_units") as table:
        table.drop_column("category")
        table.drop_column("opened_at")
    op.create_index("ix_case_units_unit", "case_units", ["unit", "case_id"])


def _partial(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "cases", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
