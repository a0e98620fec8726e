"""How a worker's process is set up."""

import gc
from collections.abc import Iterator

import pytest

from commands.worker import spare_the_cases


@pytest.fixture(autouse=True)
def _this_process_as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


class TestGarbage:
    def test_is_looked_for_seldom_and_never_in_what_was_there_at_the_start(self) -> None:
        before = gc.get_threshold()
        spare_the_cases()
        assert gc.get_freeze_count() > 10_000  # what has been imported
        young, *older = gc.get_threshold()
        assert young >= 70 * before[0]
        assert older == [10, 10]
        assert gc.isenabled()
