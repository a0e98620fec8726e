"""Channels, and what went through them.

Revision ID: 0003
Revises: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Json, Serial

revision = "0003"
down_revision = "0002"

INT, BIG, BOOL, TEXT = sa.Integer(), sa.BigInteger(), sa.Boolean(), sa.String()
INSTANT, JSON, SERIAL = Instant(), Json(), Serial()


def upgrade() -> None:
    _create_channels()
    _create_deliveries()


def downgrade() -> None:
    op.drop_table("deliveries")
    op.drop_table("channels")


def _must(name: str, type_: sa.types.TypeEngine[Any] = TEXT) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False)


def _may(name: str, type_: sa.types.TypeEngine[Any] = TEXT) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=True)


def _create_channels() -> None:
    op.create_table(
        "channels",
        _must("id"),
        _must("service"),
        _must("url"),
        _must("audience"),
        _may("unit"),
        _may("area"),
        _must("per_minute", INT),
        _must("created_at", INSTANT),
        _may("removed_at", INSTANT),
        _must("planned_to", BIG),
        _must("sent", JSON),
        _must("failures", INT),
        _may("error"),
        _may("resume_at", INSTANT),
        _may("lease"),
        _may("lease_until", INSTANT),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        _must("id", SERIAL),
        _must("notice_id", BIG),
        _must("channel"),
        _must("status"),
        _must("urgent", BOOL),
        _must("not_before", INSTANT),
        _must("attempts", INT),
        _may("error"),
        _may("delivered_at", INSTANT),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["channel"], ["channels.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("notice_id", "channel", name="uq_deliveries_notice_channel"),
        sqlite_autoincrement=True,
    )
    pending, failed = sa.text("status = 'pending'"), sa.text("status = 'failed'")
    op.create_index(
        "ix_deliveries_pending",
        "deliveries",
        ["channel", "not_before"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
    op.create_index("ix_deliveries_failed", "deliveries", ["channel"], sqlite_where=failed, postgresql_where=failed)
