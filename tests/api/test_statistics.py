"""While the API runs, the database knows how large its tables are."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from api import app as root
from settings import Settings
from store import migrate


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(data=tmp_path, temporal_address="127.0.0.1:1", database_url=None)
    migrate.upgrade(made.database)
    return made


class Counting:
    """Stands for the count: can be awaited, and fails when told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails, self.times, self.changed = fails, 0, asyncio.Condition()

    async def __call__(self, _database: AsyncEngine) -> None:
        async with self.changed:
            self.times += 1
            self.changed.notify_all()
        if self.fails:
            raise OperationalError("ANALYZE", {}, ConnectionError("the database is away"))

    async def until(self, times: int) -> None:
        async with self.changed, asyncio.timeout(5):
            await self.changed.wait_for(lambda: self.times >= times)


def counters() -> set[asyncio.Task[object]]:
    """The session's own stack may have one too."""
    return {task for task in asyncio.all_tasks() if task.get_name() == "statistics"}


class TestStatistics:
    @pytest.mark.parametrize("database", ["there", "away"])
    async def test_are_counted_at_the_start_and_again_and_no_more_at_the_end(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch, database: str
    ) -> None:
        counting = Counting(fails=database == "away")
        monkeypatch.setattr(root, "refresh_statistics", counting)
        monkeypatch.setattr(root, "COUNT_EVERY", 0.001)
        app, others = root.create_app(settings), counters()
        async with app.router.lifespan_context(app):
            await counting.until(3)
            assert len(counters() - others) == 1
        assert counters() == others

    async def test_are_counted_once_a_day(self) -> None:
        assert root.COUNT_EVERY == 24 * 60 * 60
