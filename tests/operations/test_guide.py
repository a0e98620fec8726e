"""What the guide says to type after a restore of PostgreSQL does what it says."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from store.database import reading, writing
from store.recorder import Recorder
from store.tables import EventRow
from tests.support.databases import _empty_database, _migrated
from tests.support.records import Life

GUIDE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")


@pytest.fixture
async def restored(postgresql: str) -> AsyncIterator[AsyncEngine]:
    for url in _empty_database(postgresql):
        async for engine in _migrated(url):
            yield engine


async def positions(engine: AsyncEngine) -> list[int]:
    async with reading(engine) as connection:
        found = await connection.scalars(select(col(EventRow.position)).order_by(col(EventRow.position)))
        return [position or 0 for position in found]


class TestTheStatementsForPostgresql:
    async def test_leave_room_for_positions_that_readers_may_have_seen(self, restored: AsyncEngine) -> None:
        recorder = Recorder(restored)
        await recorder.record(Life(1).record())
        (statements,) = re.findall(r"^```sql\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
        async with writing(restored) as connection:
            for statement in statements.strip().splitlines():
                await connection.execute(text(statement))
        before = await positions(restored)
        await recorder.record(Life(2).record())
        assert min(set(await positions(restored)) - set(before)) > 1_000_000_000
