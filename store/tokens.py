"""Bearer tokens: who calls. Only their SHA-256 is kept; with 256 random bits they need neither salt nor stretching."""

import secrets
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from domain.actors import Actor, Role
from store.city_tables import AreaRow, TokenRow, UserRow
from store.database import insert, reading, writing

PREFIX = "rt_"


async def issue(engine: AsyncEngine, user: str, expires_at: datetime | None = None) -> str:
    """A new token, to be shown once. LookupError if there is no such user."""
    token = PREFIX + secrets.token_urlsafe(32)
    values = {"hash": _hash(token), "user": user, "issued_at": datetime.now(UTC), "expires_at": expires_at}
    async with writing(engine) as connection:
        if await connection.scalar(select(col(UserRow.id)).where(col(UserRow.id) == user)) is None:
            raise LookupError(f"there is no user {user}")
        await connection.execute(insert(engine, TokenRow), values)
    return token


async def actor_for(engine: AsyncEngine, token: str, now: datetime) -> Actor | None:
    """None if the token is unknown, expired or revoked, or its user is gone."""
    user, area, row = UserRow, AreaRow, TokenRow
    query = (
        select(col(user.id), col(user.role), col(user.unit), col(area.path), col(row.expires_at))
        .select_from(row)
        .join(user, col(user.id) == col(row.user))
        .join(area, col(area.id) == col(user.area), isouter=True)
        .where(col(row.hash) == _hash(token), col(row.revoked_at).is_(None))
    )
    async with reading(engine) as connection:
        found = (await connection.execute(query)).first()
    if found is None or (found.expires_at is not None and found.expires_at <= now):
        return None
    return Actor(user=found.id, role=Role(found.role), unit=found.unit, area=found.path)


async def revoke(engine: AsyncEngine, token: str) -> bool:
    """Whether there was such a token and it had not been revoked before."""
    valid = (col(TokenRow.hash) == _hash(token)) & col(TokenRow.revoked_at).is_(None)
    async with writing(engine) as connection:
        done = await connection.execute(update(TokenRow).where(valid).values(revoked_at=datetime.now(UTC)))
    return done.rowcount > 0


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
