from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from directory.demo_city import demo_directory
from store import directory, migrate
from store.database import open_engine
from store.recorder import Recorder
from tests.notices.office import OPENING, Office
from tests.notices.receiver import Receiver, receiving
from tests.support.records import RULES
from tests.support.stack import stack

__all__ = ["stack"]


@pytest.fixture
async def file_engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """`rectify.db` in the test's folder, for tests to which databases are all one."""
    url = f"sqlite:///{tmp_path / 'rectify.db'}"
    migrate.upgrade(url)
    engine = open_engine(url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def office(engine: AsyncEngine) -> Office:
    """The demonstration city on a Monday morning at ten, with nothing reported yet."""
    await directory.save(engine, demo_directory(), RULES.calendar, RULES.policy, RULES.ladder)
    return Office(engine, Recorder(engine, timeout=10), OPENING)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiving() as one:
        yield one
