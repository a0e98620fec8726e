"""Who a user is to an OIDC provider. A subject is one user, and to one provider a user is one subject."""

from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from domain.actors import Actor, Role
from store import tokens
from store.city_tables import AreaRow, IdentityRow, UnitRow, UserRow
from store.database import insert, reading, writing
from store.tokens import Granted


class Taken(Exception):
    """The subject is another user already, or the user another subject."""


class Linked(NamedTuple):
    issuer: str
    subject: str
    linked_at: datetime


async def user_of(engine: AsyncEngine, issuer: str, subject: str) -> str | None:
    row = IdentityRow
    query = select(col(row.user)).where(col(row.issuer) == issuer, col(row.subject) == subject)
    async with reading(engine) as connection:
        found: str | None = await connection.scalar(query)
    return found


async def actor_of(engine: AsyncEngine, user: str, granted: Granted | None) -> Actor | None:
    """As the directory says, or as was granted. None for nobody, a retired one, and an unknown unit or area."""
    async with reading(engine) as connection:
        query = select(col(UserRow.role), col(UserRow.unit), col(UserRow.area))
        found = (await connection.execute(query.where(_is_here(user)))).first()
        if found is None:
            return None
        role, unit, area = granted or Granted(Role(found.role), found.unit, found.area)
        path = await connection.scalar(select(col(AreaRow.path)).where(col(AreaRow.id) == area))
        known = await connection.scalar(select(col(UnitRow.id)).where(col(UnitRow.id) == unit))
    if granted and ((path is None) != (area is None) or (known is None) != (unit is None)):
        return None
    return Actor(user=user, role=role, unit=unit, area=path)


async def link(engine: AsyncEngine, issuer: str, subject: str, user: str) -> None:
    """May be repeated. LookupError: there is no such user. Taken: either is bound to another."""
    row = IdentityRow
    same = and_(col(row.issuer) == issuer, (col(row.subject) == subject) | (col(row.user) == user))
    values = {"issuer": issuer, "subject": subject, "user": user, "linked_at": datetime.now(UTC)}
    async with writing(engine) as connection:
        await tokens.need_user(connection, user)
        await connection.execute(insert(engine, row).on_conflict_do_nothing(), values)
        bound = (await connection.execute(select(col(row.subject), col(row.user)).where(same))).all()
        if [tuple(each) for each in bound] != [(subject, user)]:
            raise Taken(user)


async def unlink(engine: AsyncEngine, user: str) -> int:
    """From every provider; his sessions end. How many there were."""
    async with writing(engine) as connection:
        done = await connection.execute(delete(IdentityRow).where(col(IdentityRow.user) == user))
        await tokens.end_sessions(connection, user)
    return done.rowcount


async def of_user(engine: AsyncEngine, user: str) -> tuple[Linked, ...]:
    row = IdentityRow
    query = select(col(row.issuer), col(row.subject), col(row.linked_at)).where(col(row.user) == user)
    async with reading(engine) as connection:
        return tuple(Linked(*each) for each in await connection.execute(query.order_by(col(row.issuer))))


def _is_here(user: str) -> ColumnElement[bool]:
    return and_(col(UserRow.id) == user, col(UserRow.retired).is_(False))
