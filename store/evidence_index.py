"""What is known of photos, who uploaded them, and who may look at them. Their bytes are in `store/evidence.py`."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from domain.actors import Actor
from store.database import insert, reading, writing
from store.images import EvidenceMeta
from store.scope import visible
from store.tables import CaseEvidenceRow, CaseRow, EvidenceRow, EvidenceUploadRow


async def add(engine: AsyncEngine, meta: EvidenceMeta, user: str, at: datetime) -> None:
    """Of the same bytes the first upload counts, in all and by each user."""
    upload = {"sha256": meta.sha256, "user": user, "at": at}
    async with writing(engine) as connection:
        photo = insert(engine, EvidenceRow).on_conflict_do_nothing()
        await connection.execute(photo, {**meta.model_dump(), "stored_at": at})
        await connection.execute(insert(engine, EvidenceUploadRow).on_conflict_do_nothing(), upload)


async def viewable(engine: AsyncEngine, viewer: Actor, sha256: str) -> bool:
    """Whether he uploaded it, or it belongs to a case that he may see."""
    upload = (col(EvidenceUploadRow.sha256) == sha256) & (col(EvidenceUploadRow.user) == viewer.user)
    of_case = (
        select(col(CaseEvidenceRow.case_id))
        .join(CaseRow, col(CaseRow.id) == col(CaseEvidenceRow.case_id))
        .where(col(CaseEvidenceRow.sha256) == sha256, visible(viewer))
    )
    mine = select(col(EvidenceUploadRow.sha256)).where(upload)
    async with reading(engine) as connection:
        return bool(await connection.scalar(select(or_(exists(mine), exists(of_case)))))


async def known(engine: AsyncEngine, sha256s: Collection[str]) -> set[str]:
    """Those of the digests that somebody uploaded."""
    query = select(col(EvidenceRow.sha256)).where(col(EvidenceRow.sha256).in_(sha256s))
    async with reading(engine) as connection:
        return set(await connection.scalars(query))
