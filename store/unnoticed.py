"""Deadlines that have passed with nobody saying so: the one thing that must not happen, whatever the reason for it.

A case marks its own lateness within moments. Where the lists do not show it, the case is stuck, no worker runs, or
the lists lag behind; from here one cannot tell which.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from domain.case import OPEN
from store.database import reading
from store.tables import CaseRow

_UNNOTICED = select(func.count()).where(
    col(CaseRow.running), col(CaseRow.stage).in_(sorted(OPEN)), col(CaseRow.late_since).is_(None)
)


async def unnoticed(engine: AsyncEngine, before: datetime) -> int:
    """How many running cases should have been late since `before` or earlier, and are not marked so."""
    async with reading(engine) as connection:
        return await connection.scalar(_UNNOTICED.where(col(CaseRow.due_at) < before)) or 0
