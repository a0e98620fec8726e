"""Puts events and notices of a case right in place, so that those who have read them do not meet them again.

Safe beside a case that is writing: what happened never changes, only what comes after it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from domain.case import Snapshot
from domain.events import Event
from store.database import insert, writing
from store.recorder import POSITIONS
from store.rows import Row
from store.tables import CaseEvidenceRow, EventRow, NoticeRow
from upkeep import compare, expected
from upkeep.found import Found
from upkeep.truth import Truth


async def mend(database: AsyncEngine, truth: Truth, there: Found) -> None:
    """`truth.events` are all that Temporal still has, of earlier runs too. Writes nothing where nothing is wrong."""
    known = compare.known(truth, there)
    events = [known[seq] for seq in sorted(known)]
    wrong = _wrong_events(truth.case, events, there)
    bad = [row["id"] for row in compare.wrong_notices(truth.case, events, there)]
    notices = _missing_notices(truth.case, events, there, bad)
    strays = _stray_photos(truth.case, events, there)
    if not (wrong or bad or notices or strays or any(row["seq"] < 1 for row in there.events)):
        return
    async with writing(database) as connection:
        if database.dialect.name == "postgresql":
            await connection.execute(select(func.pg_advisory_xact_lock(POSITIONS)))
        await _clear(connection, truth.case.id, bad, strays)
        if wrong:
            await connection.execute(_upsert(database), wrong)
        if notices:
            await connection.execute(insert(database, NoticeRow).on_conflict_do_nothing(), notices)


def _wrong_events(case: Snapshot, events: Sequence[Event], there: Found) -> list[Row]:
    """And those that are not there at all."""
    rows, right = {row["seq"]: row for row in there.events}, expected.events(case, events)
    return [row for seq, row in right.items() if seq not in rows or compare.wrong_columns(right, rows[seq])]


def _missing_notices(case: Snapshot, events: Sequence[Event], there: Found, bad: Sequence[int]) -> list[Row]:
    kept = expected.keyed(row for row in there.notices if row["id"] not in bad)
    return [row for key, row in expected.notices(case, events).items() if key not in kept]


def _stray_photos(case: Snapshot, events: Sequence[Event], there: Found) -> list[str]:
    if len(events) < case.version:
        return []  # an event that is lost may have named it
    return sorted({row["sha256"] for row in there.photos} - compare.photos(case, events))


async def _clear(connection: AsyncConnection, case_id: str, notices: Sequence[int], photos: Sequence[str]) -> None:
    event, notice, photo = EventRow, NoticeRow, CaseEvidenceRow
    await connection.execute(delete(event).where(col(event.case_id) == case_id, col(event.seq) < 1))
    await connection.execute(delete(notice).where(col(notice.id).in_(notices)))
    await connection.execute(delete(photo).where(col(photo.case_id) == case_id, col(photo.sha256).in_(photos)))


def _upsert(database: AsyncEngine) -> Any:  # noqa: ANN401 - see store.database.insert
    new = insert(database, EventRow)
    rest = ("at", "type", "actor", "command_id", "data")
    return new.on_conflict_do_update(
        index_elements=("case_id", "seq"), set_={name: new.excluded[name] for name in rest}
    )
