"""Bearer tokens: who calls. Only their SHA-256 is kept; with 256 random bits they need neither salt nor stretching.

A session is a token that ends: at its expiry, and when it has not been used for a while.
"""

import base64
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, and_, case, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from domain.actors import Actor, Role
from store.city_tables import AreaRow, PasswordRow, TokenRow, UserRow
from store.database import insert, reading, writing

PREFIX = "rt_"
#: How long a code from a provider's sign-in can be turned into a session.
HANDOVER = timedelta(minutes=1)
#: How often at most the use of a session is written down.
USE_EVERY = timedelta(minutes=1)
#: How long a session that has ended is kept, for whoever asks what happened.
_KEPT = timedelta(days=30)
#: Digits of a token's hash that name it to an administrator.
_ID = 12


class Kind(StrEnum):
    """`issued`: by an administrator, for a program or a script. `provider`: the OIDC provider's own, kept nowhere.

    `handover` opens nothing: it can be exchanged for an `oidc` session, once.
    """

    ISSUED = "issued"
    PASSWORD = "password"  # noqa: S105 - the word
    OIDC = "oidc"
    PROVIDER = "provider"
    HANDOVER = "handover"


SESSIONS = frozenset({Kind.PASSWORD, Kind.OIDC})


class Granted(NamedTuple):
    """What a provider's claims say instead of the directory. `area` is an id."""

    role: Role
    unit: str | None
    area: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """Who a token stands for. `must_change`: he may do nothing but choose a password."""

    actor: Actor
    kind: Kind
    expires_at: datetime | None
    used_at: datetime | None = None
    must_change: bool = False


class Listed(NamedTuple):
    id: str
    kind: str
    issued_at: datetime
    used_at: datetime | None
    expires_at: datetime | None


async def issue(
    engine: AsyncEngine,
    user: str,
    expires_at: datetime | None = None,
    kind: Kind = Kind.ISSUED,
    granted: Granted | None = None,
) -> str:
    """A new token, to be shown once. LookupError if there is no such user, or a retired one."""
    async with writing(engine) as connection:
        return await put(engine, connection, user, expires_at, kind, granted)


async def put(  # noqa: PLR0913, PLR0917 - `issue`, in somebody's transaction
    engine: AsyncEngine,
    connection: AsyncConnection,
    user: str,
    expires_at: datetime | None,
    kind: Kind,
    granted: Granted | None = None,
) -> str:
    await need_user(connection, user)
    token = PREFIX + secrets.token_urlsafe(32)
    await _insert(engine, connection, _hash(token), user, expires_at, kind, granted)
    return token


async def need_user(connection: AsyncConnection, user: str) -> None:
    """LookupError if there is none whom anything may open to."""
    here = select(col(UserRow.id)).where(col(UserRow.id) == user, col(UserRow.retired).is_(False))
    if await connection.scalar(here) is None:
        raise LookupError(f"there is no user {user}")


async def session_for(engine: AsyncEngine, token: str, now: datetime, idle: timedelta) -> Session | None:
    """None if the token is unknown, expired, revoked or, of a session, unused for `idle`; or its user is gone."""
    async with reading(engine) as connection:
        found = (await connection.execute(_who(_hash(token)))).first()
    if found is None or _is_over(found, now, idle):
        return None
    return Session(
        actor=Actor(user=found.id, role=Role(found.role), unit=found.unit, area=found.path),
        kind=Kind(found.kind),
        expires_at=found.expires_at,
        used_at=found.used_at,
        must_change=bool(found.must_change) and found.kind == Kind.PASSWORD,
    )


async def actor_for(engine: AsyncEngine, token: str, now: datetime) -> Actor | None:
    """Whose token it is, however long unused. None also for one who has to choose a password first."""
    session = await session_for(engine, token, now, timedelta.max)
    return None if session is None or session.must_change else session.actor


async def touch(engine: AsyncEngine, token: str, now: datetime) -> None:
    """The session is being used."""
    mine = col(TokenRow.hash) == _hash(token)
    async with writing(engine) as connection:
        await connection.execute(update(TokenRow).where(mine).values(used_at=now))


async def revoke(engine: AsyncEngine, token: str) -> bool:
    """Whether there was such a token and it had not been revoked before."""
    async with writing(engine) as connection:
        return await _end(connection, col(TokenRow.hash) == _hash(token)) > 0


async def revoke_id(engine: AsyncEngine, user: str, token_id: str) -> bool:
    """By what `listing` calls it. Whether there was such a one."""
    if len(token_id) != _ID:
        return False
    mine = and_(col(TokenRow.user) == user, col(TokenRow.hash).startswith(token_id, autoescape=True))
    async with writing(engine) as connection:
        return await _end(connection, mine) > 0


async def revoke_all(engine: AsyncEngine, user: str) -> int:
    """Sessions and tokens. How many still were good."""
    async with writing(engine) as connection:
        return await _end(connection, and_(col(TokenRow.user) == user, _not_expired(datetime.now(UTC))))


async def end_sessions(connection: AsyncConnection, user: str) -> int:
    """In somebody's transaction. Issued tokens stay: no password opened them."""
    return await _end(connection, and_(col(TokenRow.user) == user, _is_of({*SESSIONS, Kind.HANDOVER})))


async def listing(engine: AsyncEngine, user: str, now: datetime) -> tuple[Listed, ...]:
    """What opens to this user as of now, the newest first."""
    row = TokenRow
    kinds = _is_of({Kind.ISSUED, *SESSIONS})
    query = (
        select(col(row.hash), col(row.kind), col(row.issued_at), col(row.used_at), col(row.expires_at))
        .where(col(row.user) == user, col(row.revoked_at).is_(None), kinds, _not_expired(now))
        .order_by(col(row.issued_at).desc(), col(row.hash))
    )
    async with reading(engine) as connection:
        found = (await connection.execute(query)).all()
    return tuple(Listed(each.hash[:_ID], each.kind, each.issued_at, each.used_at, each.expires_at) for each in found)


async def hand_over(engine: AsyncEngine, user: str, granted: Granted | None, challenge: str, now: datetime) -> str:
    """A code for a browser to carry: with the verifier of this challenge (RFC 7636, S256) it is worth a session."""
    code = secrets.token_urlsafe(32)
    async with writing(engine) as connection:
        await need_user(connection, user)
        name = _hash(f"{code}.{challenge}")
        await _insert(engine, connection, name, user, now + HANDOVER, Kind.HANDOVER, granted)
    return code


async def redeem(engine: AsyncEngine, code: str, verifier: str, now: datetime, expires_at: datetime) -> str | None:
    """A session in exchange for a code, once. None for a code or verifier that is not good, or no longer."""
    challenge = challenge_of(verifier)
    mine = and_(col(TokenRow.hash) == _hash(f"{code}.{challenge}"), _is_of({Kind.HANDOVER}), _not_expired(now))
    row = TokenRow
    what = select(col(row.user), col(row.role), col(row.unit), col(row.area)).where(mine)
    async with writing(engine) as connection:
        found = (await connection.execute(what)).first()
        if found is None or not await _end(connection, mine):
            return None
        granted = Granted(Role(found.role), found.unit, found.area) if found.role else None
        try:
            return await put(engine, connection, found.user, expires_at, Kind.OIDC, granted)
        except LookupError:
            return None


def challenge_of(verifier: str) -> str:
    """By RFC 7636, S256."""
    digest = sha256(verifier.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _who(name: str) -> Select[Any]:
    user, area, row, password = UserRow, AreaRow, TokenRow, PasswordRow
    claimed = col(row.role).is_not(None)
    where = case((claimed, col(row.area)), else_=col(user.area))
    return (
        select(
            col(user.id),
            case((claimed, col(row.role)), else_=col(user.role)).label("role"),
            case((claimed, col(row.unit)), else_=col(user.unit)).label("unit"),
            col(area.path),
            col(row.kind),
            col(row.expires_at),
            col(row.used_at),
            col(password.must_change),
        )
        .select_from(row)
        .join(user, and_(col(user.id) == col(row.user), col(user.retired).is_(False)))
        .join(area, col(area.id) == where, isouter=True)
        .join(password, col(password.user) == col(user.id), isouter=True)
        .where(col(row.hash) == name, col(row.revoked_at).is_(None), col(row.kind) != Kind.HANDOVER)
    )


def _is_over(found: Row[Any], now: datetime, idle: timedelta) -> bool:
    if found.expires_at is not None and found.expires_at <= now:
        return True
    return found.used_at is not None and now - found.used_at >= idle


def _not_expired(now: datetime) -> ColumnElement[bool]:
    return or_(col(TokenRow.expires_at).is_(None), col(TokenRow.expires_at) > now)


def _is_of(kinds: Collection[Kind]) -> ColumnElement[bool]:
    return col(TokenRow.kind).in_([kind.value for kind in kinds])


async def _end(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    good = and_(which, col(TokenRow.revoked_at).is_(None))
    done = await connection.execute(update(TokenRow).where(good).values(revoked_at=datetime.now(UTC)))
    return done.rowcount


async def _insert(  # noqa: PLR0913, PLR0917 - the columns
    engine: AsyncEngine,
    connection: AsyncConnection,
    name: str,
    user: str,
    expires_at: datetime | None,
    kind: Kind,
    granted: Granted | None,
) -> None:
    """And forgets this user's sessions that ended long ago."""
    now = datetime.now(UTC)
    said = granted._asdict() if granted else {}
    values = {"hash": name, "user": user, "kind": kind, "issued_at": now, "expires_at": expires_at, **said}
    if kind is not Kind.ISSUED:
        long_ago = and_(col(TokenRow.user) == user, col(TokenRow.expires_at) < now - _KEPT)
        await connection.execute(delete(TokenRow).where(long_ago, col(TokenRow.kind) != Kind.ISSUED))
        values["used_at"] = now
    await connection.execute(insert(engine, TokenRow), values)
