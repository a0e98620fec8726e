"""The tables of what a city says about itself, and of who may come in. Those of cases are in `store/tables.py`.

`ordinal` keeps the order in which the directory gave its records. `revision` is the version of the directory that a
record was last changed by: who sends back an older one has not seen the newest. It grows, whatever is imported.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel

from store.types import Instant, Json, Key, Serial


class AreaRow(SQLModel, table=True):
    """`shape` is well-known binary, and no part of `data`."""

    __tablename__ = "areas"

    id: str = Field(primary_key=True)
    ordinal: int
    revision: int = 1
    path: str = Field(sa_type=Key)
    data: str = Field(sa_type=Json)
    shape: bytes | None = Field(default=None, sa_type=LargeBinary, repr=False)


class UnitRow(SQLModel, table=True):
    __tablename__ = "units"

    id: str = Field(primary_key=True)
    ordinal: int
    revision: int = 1
    data: str = Field(sa_type=Json)


class UserRow(SQLModel, table=True):
    """A `retired` one does not come in, whatever he knows."""

    __tablename__ = "users"

    id: str = Field(primary_key=True)
    ordinal: int
    revision: int = 1
    role: str
    unit: str | None
    area: str | None
    retired: bool = False
    data: str = Field(sa_type=Json)


class PointRow(SQLModel, table=True):
    """WGS-84 degrees. `area` is an id, not a path."""

    __tablename__ = "points"
    __table_args__ = (Index("ix_points_area", "area", "id"), Index("ix_points_place_type", "place_type", "id"))

    id: str = Field(primary_key=True, sa_type=Key)
    revision: int = 1
    area: str
    place_type: str
    lon: float
    lat: float
    keeper: str | None
    retired: bool
    data: str = Field(sa_type=Json)


class CatalogueRow(SQLModel, table=True):
    """In force: of the scheme, the latest whose `valid_from` has come."""

    __tablename__ = "catalogues"

    scheme: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    valid_from: datetime = Field(sa_type=Instant)
    published_at: datetime = Field(sa_type=Instant)


class CategoryRow(SQLModel, table=True):
    """With its conditions."""

    __tablename__ = "categories"

    scheme: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    code: str = Field(primary_key=True)
    ordinal: int
    data: str = Field(sa_type=Json)


class RoutingTableRow(SQLModel, table=True):
    __tablename__ = "routing_rows"

    id: str = Field(primary_key=True)
    ordinal: int
    revision: int = 1
    data: str = Field(sa_type=Json)


class CalendarRow(SQLModel, table=True):
    __tablename__ = "calendars"

    id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    data: str = Field(sa_type=Json)
    published_at: datetime = Field(sa_type=Instant)


class PolicyRow(SQLModel, table=True):
    """`kind`: policy or ladder."""

    __tablename__ = "policies"

    kind: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    data: str = Field(sa_type=Json)


class PublicationRow(SQLModel, table=True):
    """New rules on their way to the running cases. `kind`: calendar, or rules (a policy and a ladder).

    Unfinished: to be gone on with, by whoever holds the lease. `total`: cases that it is meant for, so far as known;
    `took` and `moved` are counted from their events in the end; `silent` ones did not answer when asked last.
    """

    __tablename__ = "publications"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    kind: str
    name: str
    version: int
    ladder: str | None = None
    ladder_version: int | None = None
    by: str
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    superseded_by: int | None = Field(default=None, sa_type=BigInteger)
    total: int = 0
    took: int = 0
    moved: int = 0
    silent: int = 0
    lease: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=Instant)


class ChangeRow(SQLModel, table=True):
    """Who changed what of the directory. `before` and `after` are the record as JSON, null where there is none."""

    __tablename__ = "directory_changes"
    __table_args__ = (Index("ix_directory_changes_record", "kind", "record", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    at: datetime = Field(sa_type=Instant)
    by: str
    action: str
    kind: str
    record: str = Field(sa_type=Key)
    before: str = Field(sa_type=Json)
    after: str = Field(sa_type=Json)


class SettingRow(SQLModel, table=True):
    """What there is one of: the city's names, its zone, the directory's version, the rules in force."""

    __tablename__ = "settings"

    key: str = Field(primary_key=True)
    value: str


class TokenRow(SQLModel, table=True):
    """`hash` is the SHA-256 of a bearer token. The token itself is nowhere. `kind`: `store.tokens.Kind`.

    `used_at`, to the minute, is of sessions. Where a provider's claims said the `role`, they said unit and area too
    (its id, not its path); otherwise the three are null, and it is the directory that says them.
    """

    __tablename__ = "tokens"
    __table_args__ = (Index("ix_tokens_user", "user"),)

    hash: str = Field(primary_key=True)
    user: str
    kind: str = "issued"
    issued_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(sa_type=Instant)
    role: str | None = None
    unit: str | None = None
    area: str | None = None


class PasswordRow(SQLModel, table=True):
    """`hash` is Argon2's own format. So many `failures` in a row, and the door is locked until `locked_until`."""

    __tablename__ = "passwords"

    user: str = Field(primary_key=True)
    hash: str = Field(repr=False)
    changed_at: datetime = Field(sa_type=Instant)
    must_change: bool = False
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=Instant)


class IdentityRow(SQLModel, table=True):
    """Who a user is to an OIDC provider."""

    __tablename__ = "identities"
    __table_args__ = (Index("ix_identities_user", "user", "issuer", unique=True),)

    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    user: str
    linked_at: datetime = Field(sa_type=Instant)
