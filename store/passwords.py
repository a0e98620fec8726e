"""Passwords of the city's own users, and how often in a row somebody failed to know one.

A failure is counted before the password is looked at and taken back if it was right: however many try at once, on
however many processes, no more than the lock allows are looked at. Hashes are made and compared in `store/hashing.py`.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from store import tokens
from store.city_tables import PasswordRow, UserRow
from store.database import insert, reading, writing
from store.tokens import Kind

#: A lock lasts a minute, and twice as long with each failure after it, up to this.
LONGEST_LOCK = timedelta(hours=1)
_DOUBLINGS = 6


class Kept(NamedTuple):
    """`hash` is Argon2's own format."""

    hash: str
    must_change: bool


class Door(NamedTuple):
    """How it stands with somebody's password, for an administrator."""

    changed_at: datetime
    must_change: bool
    failures: int
    locked_until: datetime | None


async def knock(engine: AsyncEngine, user: str, now: datetime, lock_after: int) -> Kept | None:
    """What to compare with. The try counts as failed until `enter`. None: no such user or password, or it is locked.

    Writes the same in either case, so that the time it takes tells nothing.
    """
    row, person = PasswordRow, UserRow
    query = (
        select(col(row.hash), col(row.must_change), col(row.failures), col(row.locked_until))
        .join(person, and_(col(person.id) == col(row.user), col(person.retired).is_(False)))
        .where(col(row.user) == user)
        .with_for_update(of=row)
    )
    async with writing(engine) as connection:
        found = (await connection.execute(query)).first()
        shut = found is None or (found.locked_until is not None and found.locked_until > now)
        failures = 0 if found is None else found.failures + (not shut)
        until = (None if found is None else found.locked_until) if shut else locked_until(failures, now, lock_after)
        values = {"failures": failures, "locked_until": until}
        await connection.execute(update(row).where(col(row.user) == user).values(values))
    return None if shut or found is None else Kept(found.hash, found.must_change)


def locked_until(failures: int, now: datetime, lock_after: int) -> datetime | None:
    """So many failures in a row: until when no further try is looked at."""
    if failures < lock_after:
        return None
    return now + min(timedelta(minutes=2 ** min(failures - lock_after, _DOUBLINGS)), LONGEST_LOCK)


async def enter(engine: AsyncEngine, user: str, seen: str, better: str | None, expires_at: datetime) -> str | None:
    """A session for who knew the password of the hash `seen`; `better` takes its place. None: it was changed since."""
    values = {"failures": 0, "locked_until": None, "hash": better or seen}
    async with writing(engine) as connection:
        done = await connection.execute(update(PasswordRow).where(_still(user, seen)).values(values))
        if done.rowcount == 0:
            return None
        try:
            return await tokens.put(engine, connection, user, expires_at, Kind.PASSWORD)
        except LookupError:
            return None


async def change(engine: AsyncEngine, user: str, seen: str, new: str, expires_at: datetime) -> str | None:
    """By the user himself: all his sessions end, and a new one begins. None: it was changed since."""
    values = {"failures": 0, "locked_until": None, "hash": new, "changed_at": datetime.now(UTC), "must_change": False}
    async with writing(engine) as connection:
        done = await connection.execute(update(PasswordRow).where(_still(user, seen)).values(values))
        if done.rowcount == 0:
            return None
        await tokens.end_sessions(connection, user)
        try:
            return await tokens.put(engine, connection, user, expires_at, Kind.PASSWORD)
        except LookupError:
            return None


async def put(engine: AsyncEngine, user: str, hashed: str, *, must_change: bool) -> int:
    """By an administrator: ends all sessions and the lock; how many sessions. LookupError if there is no such user."""
    new = {"hash": hashed, "changed_at": datetime.now(UTC), "must_change": must_change}
    values = {**new, "failures": 0, "locked_until": None}
    statement = insert(engine, PasswordRow).values(user=user, **values)
    async with writing(engine) as connection:
        await tokens.need_user(connection, user)
        await connection.execute(statement.on_conflict_do_update(index_elements=["user"], set_=values))
        return await tokens.end_sessions(connection, user)


async def unlock(engine: AsyncEngine, user: str) -> bool:
    """Whether he has a password at all."""
    open_ = {"failures": 0, "locked_until": None}
    async with writing(engine) as connection:
        done = await connection.execute(update(PasswordRow).where(col(PasswordRow.user) == user).values(open_))
    return done.rowcount > 0


async def door(engine: AsyncEngine, user: str) -> Door | None:
    row = PasswordRow
    columns = (col(row.changed_at), col(row.must_change), col(row.failures), col(row.locked_until))
    async with reading(engine) as connection:
        found = (await connection.execute(select(*columns).where(col(row.user) == user))).first()
    return None if found is None else Door(*found)


def _still(user: str, seen: str) -> ColumnElement[bool]:
    return and_(col(PasswordRow.user) == user, col(PasswordRow.hash) == seen)
