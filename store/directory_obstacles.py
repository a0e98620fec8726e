"""What still refers to a record, so that it cannot be retired: other records in use, and running cases."""

from collections.abc import AsyncIterator

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from directory.changes import MODELS, REFERENCES, Kind, Obstacle, references
from directory.model import RoutingRow
from domain.case import Stage
from store.city_tables import RoutingTableRow
from store.directory_records import TABLES, Member, field, is_retired
from store.scope import answers
from store.tables import CaseRow

#: Of each kind, so many are named.
_NAMED = 5


async def obstacles(connection: AsyncConnection, kind: Kind, name: str) -> list[Obstacle]:
    return [each async for each in _found(connection, kind, name) if each.number]


async def _found(connection: AsyncConnection, kind: Kind, name: str) -> AsyncIterator[Obstacle]:
    for other, model in MODELS.items():
        if other is Kind.ROUTING:
            yield await _routing(connection, kind, name)
            continue
        fields = [each for each, of in REFERENCES[model].items() if of is kind]
        if fields:
            refers = or_(*(field(TABLES[other], each) == name for each in fields))
            yield await _records(connection, other, and_(refers, ~is_retired(other)))
    if kind in {Kind.AREA, Kind.UNIT}:
        yield await _cases(connection, _in_area(name) if kind is Kind.AREA else _of_unit(name))


async def _records(connection: AsyncConnection, kind: Kind, where: ColumnElement[bool]) -> Obstacle:
    key = col(TABLES[kind].id)
    ids = await connection.scalars(select(key).where(where).order_by(key).limit(_NAMED))
    number = await connection.scalar(select(func.count()).select_from(TABLES[kind]).where(where))
    return Obstacle(kind, number or 0, tuple(ids))


async def _routing(connection: AsyncConnection, kind: Kind, name: str) -> Obstacle:
    """Co-units are a list: SQLite and PostgreSQL look into one differently, so the rows are looked at here."""
    query = select(col(RoutingTableRow.data)).where(~is_retired(Kind.ROUTING)).order_by(col(RoutingTableRow.id))
    rows = (RoutingRow.model_validate_json(data) for data in await connection.scalars(query))
    ids = [row.id for row in rows if any((each.kind, each.id) == (kind, name) for each in references(row))]
    return Obstacle(Kind.ROUTING, len(ids), tuple(ids[:_NAMED]))


async def _cases(connection: AsyncConnection, where: ColumnElement[bool]) -> Obstacle:
    running = and_(col(CaseRow.running).is_(True), where)
    ids = await connection.scalars(select(col(CaseRow.id)).where(running).order_by(col(CaseRow.id)).limit(_NAMED))
    number = await connection.scalar(select(func.count()).select_from(CaseRow).where(running))
    return Obstacle(Kind.CASE, number or 0, tuple(ids))


def _in_area(area: str) -> ColumnElement[bool]:
    """Wherever on the way: an area that was moved has cases under its old path."""
    return or_(col(CaseRow.area).endswith(f"/{area}"), col(CaseRow.area).contains(f"/{area}/"))


def _of_unit(unit: str) -> ColumnElement[bool]:
    """It leads or helps, or will as soon as the case is verified."""
    meant = Member(col(CaseRow.snapshot), "proposed_unit") == unit
    return or_(answers(unit), and_(col(CaseRow.stage) == Stage.INTAKE.value, meant))
