"""Editions of calendars, policies and ladders: each is kept for ever, and followed by a next version.

Publishing one stores it for the cases opened from now on and notes, in the same transaction, that the running cases are
still to have it: `store/publications.py`.
"""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from domain.base import Value
from domain.calendar import Calendar
from domain.policy import Ladder, Policy
from store.city_tables import CalendarRow, PolicyRow, SettingRow
from store.database import insert, reading, writing
from store.directory import count_up
from store.publications import add, latest_of

POLICY, LADDER = "policy", "ladder"
_E = TypeVar("_E", Policy, Ladder)


class NotNext(ValueError):
    """Somebody was quicker, or a number was skipped: `following` is the one that comes next."""

    def __init__(self, name: str, given: int, following: int) -> None:
        super().__init__(f"the next version of {name} is {following}, not {given}")
        self.name = name
        self.given = given
        self.following = following


class NotInForce(ValueError):
    """There is one policy and one ladder; a next version keeps the name."""

    def __init__(self, kind: str, name: str, given: str) -> None:
        super().__init__(f"the {kind} in force is {name}, not {given}")
        self.kind = kind
        self.name = name
        self.given = given


class CalendarEdition(Value):
    """`city`: the calendar of whoever has none of his own. `latest`: the version that new cases get."""

    calendar: Calendar
    published_at: datetime
    city: bool
    latest: bool


class RulesEdition(Value):
    """`latest`: the version that new cases get."""

    kind: str
    id: str
    version: int
    latest: bool


async def calendars(engine: AsyncEngine) -> tuple[CalendarEdition, ...]:
    """The city's first, and of each the latest version first."""
    row = CalendarRow
    query = select(col(row.id), col(row.version), col(row.data), col(row.published_at))
    async with reading(engine) as connection:
        city = await _setting(connection, "calendar")
        found = (await connection.execute(query.order_by(col(row.id), col(row.version).desc()))).all()
    seen: set[str] = set()
    editions = []
    for each in found:
        calendar = Calendar.model_validate_json(each.data)
        facts = {"published_at": each.published_at, "city": each.id == city, "latest": each.id not in seen}
        editions.append(CalendarEdition(calendar=calendar, **facts))
        seen.add(each.id)
    return tuple(sorted(editions, key=lambda edition: not edition.city))


async def calendar(engine: AsyncEngine, name: str | None = None, version: int | None = None) -> Calendar | None:
    """The latest version unless told otherwise, of the city's unless told otherwise."""
    async with reading(engine) as connection:
        name = name or await _setting(connection, "calendar")
        query = select(col(CalendarRow.data)).where(col(CalendarRow.id) == name)
        query = query if version is None else query.where(col(CalendarRow.version) == version)
        found = await connection.scalar(query.order_by(col(CalendarRow.version).desc()).limit(1))
    return None if found is None else Calendar.model_validate_json(found)


async def editions(engine: AsyncEngine) -> tuple[RulesEdition, ...]:
    """Of policies and ladders, the latest version first."""
    row = PolicyRow
    query = select(col(row.kind), col(row.id), col(row.version)).order_by(col(row.version).desc())
    async with reading(engine) as connection:
        in_force = {kind: await _setting(connection, kind) for kind in (POLICY, LADDER)}
        found = (await connection.execute(query)).all()
    newest = {each.kind: each.version for each in reversed(found) if each.id == in_force[each.kind]}
    return tuple(
        RulesEdition(
            kind=each.kind,
            id=each.id,
            version=each.version,
            latest=each.id == in_force[each.kind] and each.version == newest[each.kind],
        )
        for each in found
    )


async def policy(engine: AsyncEngine, name: str | None = None, version: int | None = None) -> Policy | None:
    """The one in force and its latest version unless told otherwise."""
    found = await _text(engine, POLICY, name, version)
    return None if found is None else Policy.model_validate_json(found)


async def ladder(engine: AsyncEngine, name: str | None = None, version: int | None = None) -> Ladder | None:
    """The one in force and its latest version unless told otherwise."""
    found = await _text(engine, LADDER, name, version)
    return None if found is None else Ladder.model_validate_json(found)


async def check_calendar(engine: AsyncEngine, wanted: Calendar) -> None:
    """Raises NotNext for what `publish_calendar` would not take."""
    async with reading(engine) as connection:
        await _is_news(connection, wanted)


async def publish_calendar(engine: AsyncEngine, wanted: Calendar, by: str, now: datetime) -> int:
    """Gives the number of its publication; of what is published already, that of before.

    Any id: the city's own, another that is there, or a new one, for units to have. Raises NotNext.
    """
    async with writing(engine) as connection:
        await count_up(engine, connection)  # takes the lock that publishers share
        if await _is_news(connection, wanted):
            await connection.execute(insert(engine, CalendarRow), {**_row(wanted), "published_at": now})
        elif known := await latest_of(connection, "calendar", wanted.id, wanted.version):
            return known
        return await add(engine, connection, by, now, kind="calendar", **_numbered(wanted))


async def _is_news(connection: AsyncConnection, wanted: Calendar) -> bool:
    query = select(col(CalendarRow.data)).where(col(CalendarRow.id) == wanted.id)
    found = await connection.scalar(query.order_by(col(CalendarRow.version).desc()).limit(1))
    newest = None if found is None else Calendar.model_validate_json(found)
    if wanted != newest:
        _need_next(wanted, newest)
    return wanted != newest


async def check_rules(
    engine: AsyncEngine, new_policy: Policy | None, new_ladder: Ladder | None
) -> tuple[Policy, Ladder]:
    """What would then be in force. Raises NotNext, NotInForce for what `publish_rules` would not take."""
    async with reading(engine) as connection:
        return await _following(connection, new_policy, new_ladder)


async def publish_rules(
    engine: AsyncEngine, new_policy: Policy | None, new_ladder: Ladder | None, by: str, now: datetime
) -> int:
    """One of them or both; the other stays as it is. As `publish_calendar`. Raises NotNext, NotInForce."""
    async with writing(engine) as connection:
        await count_up(engine, connection)
        one, other = await _following(connection, new_policy, new_ladder)
        known = await latest_of(connection, "rules", one.id, one.version, other.version)
        for kind, wanted in ((POLICY, new_policy), (LADDER, new_ladder)):
            if wanted is not None:
                new = insert(engine, PolicyRow).on_conflict_do_nothing()
                await connection.execute(new, {"kind": kind, **_row(wanted)})
        pair = {**_numbered(one), "ladder": other.id, "ladder_version": other.version}
        return known or await add(engine, connection, by, now, kind="rules", **pair)


async def _following(
    connection: AsyncConnection, new_policy: Policy | None, new_ladder: Ladder | None
) -> tuple[Policy, Ladder]:
    one = Policy.model_validate_json(await _newest(connection, POLICY))
    other = Ladder.model_validate_json(await _newest(connection, LADDER))
    return _next(POLICY, one, new_policy), _next(LADDER, other, new_ladder)


def _next(kind: str, newest: _E, wanted: _E | None) -> _E:
    if wanted is None or wanted == newest:
        return newest
    if wanted.id != newest.id:
        raise NotInForce(kind, newest.id, wanted.id)
    _need_next(wanted, newest)
    return wanted


def _need_next(wanted: Calendar | Policy | Ladder, newest: Calendar | Policy | Ladder | None) -> None:
    following = 1 if newest is None else newest.version + 1
    if wanted.version != following:
        raise NotNext(wanted.id, wanted.version, following)


def _numbered(wanted: Calendar | Policy) -> dict[str, object]:
    return {"name": wanted.id, "version": wanted.version}


def _row(wanted: Calendar | Policy | Ladder) -> dict[str, object]:
    return {"id": wanted.id, "version": wanted.version, "data": wanted.model_dump_json()}


async def _newest(connection: AsyncConnection, kind: str) -> str:
    """LookupError while no city has been set up."""
    found = await _select(connection, kind, None, None)
    if found is None:
        raise LookupError("there are no rules yet")
    return found


async def _text(engine: AsyncEngine, kind: str, name: str | None, version: int | None) -> str | None:
    async with reading(engine) as connection:
        return await _select(connection, kind, name, version)


async def _select(connection: AsyncConnection, kind: str, name: str | None, version: int | None) -> str | None:
    name = name or await _setting(connection, kind)
    query = select(col(PolicyRow.data)).where(col(PolicyRow.kind) == kind, col(PolicyRow.id) == name)
    query = query if version is None else query.where(col(PolicyRow.version) == version)
    found = await connection.scalar(query.order_by(col(PolicyRow.version).desc()).limit(1))
    return None if found is None else str(found)


async def _setting(connection: AsyncConnection, key: str) -> str | None:
    found: str | None = await connection.scalar(select(col(SettingRow.value)).where(col(SettingRow.key) == key))
    return found
