"""The first tables.

Revision ID: 0001
Revises:
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from store.types import Instant, Json, Key, Serial

revision = "0001"
down_revision = None

INT, BOOL, FLOAT, TEXT = sa.Integer(), sa.Boolean(), sa.Float(), sa.String()
INSTANT, JSON, KEY, SERIAL = Instant(), Json(), Key(), Serial()


def upgrade() -> None:
    _create_cases()
    _create_case_units()
    _create_events()
    _create_notices()
    _create_rulebooks()
    _create_case_evidence()
    _create_evidence()
    _create_evidence_uploads()
    _create_areas()
    _create_units()
    _create_users()
    _create_categories()
    _create_routing_rows()
    _create_calendars()
    _create_policies()
    _create_settings()
    _create_tokens()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


TABLES = (
    "cases",
    "case_units",
    "events",
    "notices",
    "rulebooks",
    "case_evidence",
    "evidence",
    "evidence_uploads",
    "areas",
    "units",
    "users",
    "categories",
    "routing_rows",
    "calendars",
    "policies",
    "settings",
    "tokens",
)


def _must(name: str, type_: sa.types.TypeEngine[Any] = TEXT) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False)


def _may(name: str, type_: sa.types.TypeEngine[Any] = TEXT) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=True)


def _index(table: str, name: str, *columns: str, where: str | None = None) -> None:
    condition = sa.text(where) if where else None
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _create_cases() -> None:
    op.create_table(
        "cases",
        _must("id", KEY),
        _must("version", INT),
        _must("running", BOOL),
        _must("stage"),
        _must("round", INT),
        _must("category"),
        _must("condition"),
        _must("area", KEY),
        _may("grid"),
        _may("place_type"),
        _must("source"),
        _must("severity"),
        _may("lead_unit"),
        _must("reporter"),
        _may("external_ref"),
        _must("discovered_at", INSTANT),
        _must("opened_at", INSTANT),
        _must("updated_at", INSTANT),
        _may("dispatched_at", INSTANT),
        _must("due_at", INSTANT),
        _may("stage_due_at", INSTANT),
        _must("provisional", BOOL),
        _must("overdue", BOOL),
        _may("overdue_since", INSTANT),
        _may("late_since", INSTANT),
        _must("escalation_level", INT),
        _must("extension_pending", BOOL),
        _may("appeal_state"),
        _may("suspended_until", INSTANT),
        _may("closed_at", INSTANT),
        _may("outcome"),
        _must("exempt", BOOL),
        _must("rules"),
        _must("words"),
        _must("snapshot", JSON),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("cases", "ix_cases_area_opened", "area", "opened_at")
    _index("cases", "ix_cases_category", "category", "opened_at")
    _index("cases", "ix_cases_due", "due_at", "id")
    _index("cases", "ix_cases_external_ref", "external_ref", where="external_ref IS NOT NULL")
    _index("cases", "ix_cases_late", "late_since", "id", where="late_since IS NOT NULL")
    _index("cases", "ix_cases_opened", "opened_at", "id")
    _index("cases", "ix_cases_reporter", "reporter", "opened_at")
    op.create_index(
        "ix_cases_running",
        "cases",
        ["stage", "due_at", "id"],
        sqlite_where=sa.text("running = 1"),
        postgresql_where=sa.text("running"),
    )
    _index("cases", "ix_cases_updated", "updated_at", "id")


def _create_case_units() -> None:
    op.create_table(
        "case_units",
        _must("case_id", KEY),
        _must("unit"),
        _must("lead", BOOL),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", "unit"),
    )
    _index("case_units", "ix_case_units_unit", "unit", "case_id")


def _create_events() -> None:
    op.create_table(
        "events",
        _must("position", SERIAL),
        _must("case_id", KEY),
        _must("seq", INT),
        _must("at", INSTANT),
        _must("type"),
        _may("actor"),
        _may("command_id"),
        _must("data", JSON),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("case_id", "seq", name="uq_events_case_seq"),
        sqlite_autoincrement=True,
    )
    _index("events", "ix_events_command", "command_id", where="command_id IS NOT NULL")


def _create_notices() -> None:
    op.create_table(
        "notices",
        _must("id", SERIAL),
        _must("case_id", KEY),
        _must("seq", INT),
        _must("audience"),
        _must("recipient", KEY),
        _must("at", INSTANT),
        _must("kind"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "seq", "audience", name="uq_notices_event_audience"),
        sqlite_autoincrement=True,
    )
    _index("notices", "ix_notices_recipient", "recipient", "audience", "id")


def _create_rulebooks() -> None:
    op.create_table(
        "rulebooks",
        _must("digest"),
        _must("data", JSON),
        sa.PrimaryKeyConstraint("digest"),
    )


def _create_case_evidence() -> None:
    op.create_table(
        "case_evidence",
        _must("sha256"),
        _must("case_id", KEY),
        sa.PrimaryKeyConstraint("sha256", "case_id"),
    )


def _create_evidence() -> None:
    op.create_table(
        "evidence",
        _must("sha256"),
        _must("media_type"),
        _must("clean_type"),
        _must("size", INT),
        _must("width", INT),
        _must("height", INT),
        _may("captured_at", INSTANT),
        _may("captured_lon", FLOAT),
        _may("captured_lat", FLOAT),
        _must("stored_at", INSTANT),
        sa.PrimaryKeyConstraint("sha256"),
    )


def _create_evidence_uploads() -> None:
    op.create_table(
        "evidence_uploads",
        _must("sha256"),
        _must("user"),
        _must("at", INSTANT),
        sa.ForeignKeyConstraint(["sha256"], ["evidence.sha256"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sha256", "user"),
    )


def _create_areas() -> None:
    op.create_table(
        "areas",
        _must("id"),
        _must("ordinal", INT),
        _must("path", KEY),
        _must("data", JSON),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_units() -> None:
    op.create_table(
        "units",
        _must("id"),
        _must("ordinal", INT),
        _must("data", JSON),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_users() -> None:
    op.create_table(
        "users",
        _must("id"),
        _must("ordinal", INT),
        _must("role"),
        _may("unit"),
        _may("area"),
        _must("data", JSON),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_categories() -> None:
    op.create_table(
        "categories",
        _must("code"),
        _must("ordinal", INT),
        _must("data", JSON),
        sa.PrimaryKeyConstraint("code"),
    )


def _create_routing_rows() -> None:
    op.create_table(
        "routing_rows",
        _must("id"),
        _must("ordinal", INT),
        _must("data", JSON),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_calendars() -> None:
    op.create_table(
        "calendars",
        _must("id"),
        _must("version", INT),
        _must("data", JSON),
        _must("published_at", INSTANT),
        sa.PrimaryKeyConstraint("id", "version"),
    )


def _create_policies() -> None:
    op.create_table(
        "policies",
        _must("kind"),
        _must("id"),
        _must("version", INT),
        _must("data", JSON),
        sa.PrimaryKeyConstraint("kind", "id", "version"),
    )


def _create_settings() -> None:
    op.create_table(
        "settings",
        _must("key"),
        _must("value"),
        sa.PrimaryKeyConstraint("key"),
    )


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        _must("hash"),
        _must("user"),
        _must("issued_at", INSTANT),
        _may("expires_at", INSTANT),
        _may("revoked_at", INSTANT),
        sa.PrimaryKeyConstraint("hash"),
    )
    _index("tokens", "ix_tokens_user", "user")
