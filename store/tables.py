"""The tables. `migrations/` builds them; a test proves that both say the same.

Cases and events are a projection of the workflows: the snapshot is what is read, the other columns of a case are
there to be searched and sorted by, and every one of them is taken from the snapshot.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from store.types import Instant, Json, Key, Serial


class CaseRow(SQLModel, table=True):
    """`due_at` is FOREVER where nothing is due, so that lists can be sorted by it. `words` is what `q` looks in.

    `lon` and `lat` are WGS-84 degrees. The archive is a thousand times what runs: a query that means running cases says
    so, to be served by their index. `begun`: of the record that the row is from, see `store/disputes.py`.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_opened", "opened_at", "id"),
        Index("ix_cases_due", "due_at", "id"),
        Index("ix_cases_updated", "updated_at", "id"),
        Index("ix_cases_area_opened", "area", "opened_at"),
        Index("ix_cases_reporter", "reporter", "opened_at"),
        Index(
            "ix_cases_running",
            "stage",
            "due_at",
            "id",
            sqlite_where=text("running = 1"),
            postgresql_where=text("running"),
        ),
        Index("ix_cases_category", "category", "opened_at"),
        Index(
            "ix_cases_nearby",
            "category",
            "lat",
            "lon",
            sqlite_where=text("lat IS NOT NULL"),
            postgresql_where=text("lat IS NOT NULL"),
        ),
        Index(
            "ix_cases_point",
            "point",
            "category",
            sqlite_where=text("point IS NOT NULL"),
            postgresql_where=text("point IS NOT NULL"),
        ),
        Index(
            "ix_cases_recurrence",
            "recurrence_of",
            sqlite_where=text("recurrence_of IS NOT NULL"),
            postgresql_where=text("recurrence_of IS NOT NULL"),
        ),
        Index(
            "ix_cases_recurrent",
            "opened_at",
            "id",
            sqlite_where=text("recurrence_of IS NOT NULL"),
            postgresql_where=text("recurrence_of IS NOT NULL"),
        ),
        Index(
            "ix_cases_recurrent_updated",
            "updated_at",
            "id",
            sqlite_where=text("recurrence_of IS NOT NULL"),
            postgresql_where=text("recurrence_of IS NOT NULL"),
        ),
        Index(
            "ix_cases_provisional",
            "opened_at",
            "id",
            sqlite_where=text("provisional = 1"),
            postgresql_where=text("provisional"),
        ),
        Index(
            "ix_cases_stage",
            "stage",
            "opened_at",
            "id",
            sqlite_where=text("stage <> 'archived'"),
            postgresql_where=text("stage <> 'archived'"),
        ),
        Index(
            "ix_cases_escalated",
            "opened_at",
            "id",
            "escalation_level",
            "area",
            sqlite_where=text("escalation_level > 0"),
            postgresql_where=text("escalation_level > 0"),
        ),
        Index(
            "ix_cases_late",
            "late_since",
            "id",
            sqlite_where=text("late_since IS NOT NULL"),
            postgresql_where=text("late_since IS NOT NULL"),
        ),
        Index(
            "ix_cases_external_ref",
            "external_ref",
            sqlite_where=text("external_ref IS NOT NULL"),
            postgresql_where=text("external_ref IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True, sa_type=Key)
    version: int
    running: bool
    stage: str
    round: int
    category: str
    condition: str
    area: str = Field(sa_type=Key)
    grid: str | None
    place_type: str | None
    point: str | None
    lon: float | None
    lat: float | None
    source: str
    severity: str
    lead_unit: str | None
    reporter: str
    external_ref: str | None
    recurrence_of: str | None
    discovered_at: datetime = Field(sa_type=Instant)
    opened_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    dispatched_at: datetime | None = Field(sa_type=Instant)
    due_at: datetime = Field(sa_type=Instant)
    stage_due_at: datetime | None = Field(sa_type=Instant)
    provisional: bool
    overdue: bool
    overdue_since: datetime | None = Field(sa_type=Instant)
    late_since: datetime | None = Field(sa_type=Instant)
    escalation_level: int
    extension_pending: bool
    appeal_state: str | None
    suspended_until: datetime | None = Field(sa_type=Instant)
    closed_at: datetime | None = Field(sa_type=Instant)
    outcome: str | None
    exempt: bool
    rules: str
    words: str
    snapshot: str = Field(sa_type=Json)
    begun: datetime | None = Field(sa_type=Instant)


class CaseUnitRow(SQLModel, table=True):
    """The units that answer for a case: the lead and the co-units.

    `opened_at` and `category` are the case's, and never change: a unit's lists go by them. `due_at` is a
    co-unit's own deadline, FOREVER where it has none (the lead's is the case's); `done`: it has submitted its part.
    """

    __tablename__ = "case_units"
    __table_args__ = (
        Index("ix_case_units_unit", "unit", "opened_at", "case_id"),
        Index("ix_case_units_category", "unit", "category", "opened_at", "case_id"),
    )

    case_id: str = Field(primary_key=True, foreign_key="cases.id", ondelete="CASCADE", sa_type=Key)
    unit: str = Field(primary_key=True)
    lead: bool
    due_at: datetime = Field(sa_type=Instant)
    done: bool
    opened_at: datetime = Field(sa_type=Instant)
    category: str


class CaseReporterRow(SQLModel, table=True):
    """Whoever has found the same after the case's reporter. `opened_at` is the case's: his list goes by it."""

    __tablename__ = "case_reporters"
    __table_args__ = (Index("ix_case_reporters_user", "user", "opened_at", "case_id"),)

    case_id: str = Field(primary_key=True, foreign_key="cases.id", ondelete="CASCADE", sa_type=Key)
    user: str = Field(primary_key=True)
    opened_at: datetime = Field(sa_type=Instant)


class EventRow(SQLModel, table=True):
    """`position` orders the events of all cases; who has read up to one will never find a new one below it."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("case_id", "seq", name="uq_events_case_seq"),
        Index(
            "ix_events_command",
            "command_id",
            sqlite_where=text("command_id IS NOT NULL"),
            postgresql_where=text("command_id IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    position: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    case_id: str = Field(sa_type=Key)
    seq: int
    at: datetime = Field(sa_type=Instant)
    type: str
    actor: str | None
    command_id: str | None
    data: str = Field(sa_type=Json)


class NoticeRow(SQLModel, table=True):
    """Who is to be told of an event: a unit, a user, or (by area) the holders of a role."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("case_id", "seq", "audience", "recipient", name="uq_notices_event_recipient"),
        Index("ix_notices_recipient", "recipient", "audience", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    case_id: str = Field(sa_type=Key)
    seq: int
    audience: str
    recipient: str = Field(sa_type=Key)
    at: datetime = Field(sa_type=Instant)
    kind: str


class ChannelRow(SQLModel, table=True):
    """Where notices leave the house. `url` holds secrets and is shown to nobody; empty once `removed_at` is set.

    Notices up to the number `planned_to` have their deliveries. Whoever sends through it holds the lease. `sent` lists
    the latest messages (seconds since 1970), `failures` those that failed in a row.
    """

    __tablename__ = "channels"

    id: str = Field(primary_key=True)
    service: str
    url: str = Field(repr=False)
    audience: str
    unit: str | None
    area: str | None
    per_minute: int
    created_at: datetime = Field(sa_type=Instant)
    removed_at: datetime | None = Field(sa_type=Instant)
    planned_to: int = Field(sa_type=BigInteger)
    sent: str = Field(sa_type=Json)
    failures: int
    error: str | None
    resume_at: datetime | None = Field(sa_type=Instant)
    lease: str | None
    lease_until: datetime | None = Field(sa_type=Instant)


class DeliveryRow(SQLModel, table=True):
    """One notice through one channel. `status`: pending, delivered, failed; a pending one waits for `not_before`."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("notice_id", "channel", name="uq_deliveries_notice_channel"),
        Index(
            "ix_deliveries_pending",
            "channel",
            "not_before",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_deliveries_failed",
            "channel",
            sqlite_where=text("status = 'failed'"),
            postgresql_where=text("status = 'failed'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    notice_id: int = Field(foreign_key="notices.id", ondelete="CASCADE", sa_type=BigInteger)
    channel: str = Field(foreign_key="channels.id", ondelete="CASCADE")
    status: str
    urgent: bool
    not_before: datetime = Field(sa_type=Instant)
    attempts: int
    error: str | None
    delivered_at: datetime | None = Field(sa_type=Instant)


class RulebookRow(SQLModel, table=True):
    """The rules that cases are judged by, each once."""

    __tablename__ = "rulebooks"

    digest: str = Field(primary_key=True)
    data: str = Field(sa_type=Json)


class CaseEvidenceRow(SQLModel, table=True):
    """Which photos a case's events mention; whoever may see the case may see them."""

    __tablename__ = "case_evidence"

    sha256: str = Field(primary_key=True)
    case_id: str = Field(primary_key=True, sa_type=Key)


class EvidenceRow(SQLModel, table=True):
    __tablename__ = "evidence"

    sha256: str = Field(primary_key=True)
    media_type: str
    clean_type: str
    size: int
    width: int
    height: int
    captured_at: datetime | None = Field(sa_type=Instant)
    captured_lon: float | None
    captured_lat: float | None
    stored_at: datetime = Field(sa_type=Instant)


class EvidenceUploadRow(SQLModel, table=True):
    """Everybody who uploaded these very bytes, and when first."""

    __tablename__ = "evidence_uploads"

    sha256: str = Field(primary_key=True, foreign_key="evidence.sha256", ondelete="CASCADE")
    user: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
