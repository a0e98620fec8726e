"""The city: revisions, shapes, points, editions of the catalogue, publications, the log of changes, sign-in.

Revision ID: 0005
Revises: 0004
"""

import json
from datetime import MAXYEAR, UTC, datetime
from typing import Any

import shapely
import sqlalchemy as sa
from alembic import op
from shapely import Polygon

from store.types import Instant, Json, Key, Serial

revision = "0005"
down_revision = "0004"

INT, BIG, BOOL, FLOAT, TEXT, BYTES = (
    sa.Integer(),
    sa.BigInteger(),
    sa.Boolean(),
    sa.Float(),
    sa.String(),
    sa.LargeBinary(),
)
INSTANT, JSON, KEY, SERIAL = Instant(), Json(), Key(), Serial()
_REVISED = ("areas", "units", "users", "routing_rows")
_CREATED = ("case_reporters", "points", "catalogues", "publications", "directory_changes", "passwords", "identities")

_POSITIONS = {
    "sqlite": """
UPDATE cases SET lon = json_extract(snapshot, '$.location.wgs84_lon'),
                 lat = json_extract(snapshot, '$.location.wgs84_lat')""",
    "postgresql": """
UPDATE cases SET lon = (snapshot #>> '{location,wgs84_lon}')::float8,
                 lat = (snapshot #>> '{location,wgs84_lat}')::float8""",
}
#: `domain.clock.FOREVER`.
_FOREVER = datetime(MAXYEAR, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    for name in _REVISED:
        op.add_column(name, sa.Column("revision", INT, nullable=False, server_default="1"))
    op.add_column("users", sa.Column("retired", BOOL, nullable=False, server_default=sa.false()))
    op.add_column("areas", sa.Column("shape", BYTES, nullable=True))
    _shape_rings()
    _edit_catalogue()
    _create_points()
    _create_publications()
    _create_changes()
    _create_doors()
    _widen_cases()
    _widen_case_units()
    _create_case_reporters()
    _tell_several()


def downgrade() -> None:
    for name in _CREATED:
        op.drop_table(name)
    for name in ("provisional", "recurrent", "recurrence", "point", "nearby"):
        op.drop_index(f"ix_cases_{name}", "cases")
    with op.batch_alter_table("notices", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint("uq_notices_event_recipient", type_="unique")
        table.create_unique_constraint("uq_notices_event_audience", ["case_id", "seq", "audience"])
    _drop("case_units", "due_at", "done")
    _drop("cases", "point", "lon", "lat", "recurrence_of")
    _drop_editions()
    _drop("tokens", "kind", "used_at", "role", "unit", "area")
    _drop("areas", "shape")
    _drop("users", "retired")
    for name in _REVISED:
        _drop(name, "revision")


def _drop(name: str, *columns: str) -> None:
    with op.batch_alter_table(name) as table:
        for column in columns:
            table.drop_column(column)


def _must(name: str, type_: sa.types.TypeEngine[Any] = TEXT) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False)


def _may(name: str, type_: sa.types.TypeEngine[Any] = TEXT) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=True)


def _shape_rings() -> None:
    """Until now an area's corners were a part of its JSON."""
    connection = op.get_bind()
    area = sa.table("areas", sa.column("id", TEXT), sa.column("data", JSON), sa.column("shape", BYTES))
    for area_id, data in connection.execute(sa.select(area.c.id, area.c.data)).all():
        told = data if isinstance(data, dict) else json.loads(data)  # PostgreSQL's driver parses it
        ring, holes = told.pop("ring", None), told.pop("holes", None)
        shape = shapely.to_wkb(Polygon(ring, holes or ())) if ring else None
        values = {"data": json.dumps(told, ensure_ascii=False), "shape": shape}
        connection.execute(sa.update(area).where(area.c.id == area_id).values(values))


def _edit_catalogue() -> None:
    """What is there becomes the first edition."""
    op.create_table(
        "catalogues",
        _must("scheme"),
        _must("version", INT),
        _must("valid_from", INSTANT),
        _must("published_at", INSTANT),
        sa.PrimaryKeyConstraint("scheme", "version"),
    )
    op.create_table(
        "editions",
        _must("scheme"),
        _must("version", INT),
        _must("code"),
        _must("ordinal", INT),
        _must("data", JSON),
        sa.PrimaryKeyConstraint("scheme", "version", "code"),
    )
    op.execute("INSERT INTO editions SELECT 'rectify', 1, code, ordinal, data FROM categories")
    op.drop_table("categories")
    op.rename_table("editions", "categories")


def _drop_editions() -> None:
    """Only the first stays."""
    columns = (_must("code"), _must("ordinal", INT), _must("data", JSON), sa.PrimaryKeyConstraint("code"))
    op.create_table("edition", *columns)
    op.execute(
        "INSERT INTO edition SELECT code, ordinal, data FROM categories WHERE scheme = 'rectify' AND version = 1"
    )
    op.drop_table("categories")
    op.rename_table("edition", "categories")


def _create_points() -> None:
    op.create_table(
        "points",
        _must("id", KEY),
        _must("revision", INT),
        _must("area"),
        _must("place_type"),
        _must("lon", FLOAT),
        _must("lat", FLOAT),
        _may("keeper"),
        _must("retired", BOOL),
        _must("data", JSON),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_points_area", "points", ["area", "id"])
    op.create_index("ix_points_place_type", "points", ["place_type", "id"])


def _create_publications() -> None:
    op.create_table(
        "publications",
        _must("id", SERIAL),
        _must("kind"),
        _must("name"),
        _must("version", INT),
        _may("ladder"),
        _may("ladder_version", INT),
        _must("by"),
        _must("started_at", INSTANT),
        _may("finished_at", INSTANT),
        _may("superseded_by", BIG),
        *(_must(name, INT) for name in ("total", "took", "moved", "silent")),
        _may("lease"),
        _may("lease_until", INSTANT),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )


def _create_changes() -> None:
    op.create_table(
        "directory_changes",
        _must("id", SERIAL),
        _must("at", INSTANT),
        _must("by"),
        _must("action"),
        _must("kind"),
        _must("record", KEY),
        _must("before", JSON),
        _must("after", JSON),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_directory_changes_record", "directory_changes", ["kind", "record", "id"])


def _create_doors() -> None:
    op.add_column("tokens", sa.Column("kind", TEXT, nullable=False, server_default="issued"))
    for column in (_may("used_at", INSTANT), _may("role"), _may("unit"), _may("area")):
        op.add_column("tokens", column)
    op.create_table(
        "passwords",
        _must("user"),
        _must("hash"),
        _must("changed_at", INSTANT),
        _must("must_change", BOOL),
        _must("failures", INT),
        _may("locked_until", INSTANT),
        sa.PrimaryKeyConstraint("user"),
    )
    op.create_table(
        "identities",
        _must("issuer"),
        _must("subject"),
        _must("user"),
        _must("linked_at", INSTANT),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_index("ix_identities_user", "identities", ["user", "issuer"], unique=True)


def _widen_cases() -> None:
    for column in (_may("point"), _may("lon", FLOAT), _may("lat", FLOAT), _may("recurrence_of")):
        op.add_column("cases", column)
    op.execute(_POSITIONS[op.get_bind().dialect.name])
    for name, columns, where in (
        ("ix_cases_nearby", ["category", "lat", "lon"], sa.text("lat IS NOT NULL")),
        ("ix_cases_point", ["point", "category"], sa.text("point IS NOT NULL")),
        ("ix_cases_recurrence", ["recurrence_of"], sa.text("recurrence_of IS NOT NULL")),
        ("ix_cases_recurrent", ["opened_at", "id"], sa.text("recurrence_of IS NOT NULL")),
    ):
        op.create_index(name, "cases", columns, sqlite_where=where, postgresql_where=where)
    op.create_index(
        "ix_cases_provisional",
        "cases",
        ["opened_at", "id"],
        sqlite_where=sa.text("provisional = 1"),
        postgresql_where=sa.text("provisional"),
    )


def _create_case_reporters() -> None:
    op.create_table(
        "case_reporters",
        _must("case_id", KEY),
        _must("user"),
        _must("opened_at", INSTANT),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", "user"),
    )
    op.create_index("ix_case_reporters_user", "case_reporters", ["user", "opened_at", "case_id"])


def _widen_case_units() -> None:
    op.add_column("case_units", _may("due_at", INSTANT))
    op.add_column("case_units", _may("done", BOOL))
    units = sa.table("case_units", sa.column("due_at", INSTANT), sa.column("done", BOOL))
    op.execute(sa.update(units).values(due_at=_FOREVER, done=False))
    with op.batch_alter_table("case_units") as table:
        table.alter_column("due_at", nullable=False)
        table.alter_column("done", nullable=False)


def _tell_several() -> None:
    """Of one audience: everybody who has reported the same."""
    with op.batch_alter_table("notices", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint("uq_notices_event_audience", type_="unique")
        table.create_unique_constraint("uq_notices_event_recipient", ["case_id", "seq", "audience", "recipient"])
