from collections.abc import Iterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from directory.demo_city import demo_directory
from store import directory
from store.recorder import Recorder
from tests.notices.office import OPENING, Office
from tests.notices.receiver import Receiver, receiving
from tests.support.records import RULES
from tests.support.stack import stack

__all__ = ["stack"]


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
