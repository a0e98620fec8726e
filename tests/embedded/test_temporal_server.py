"""With what the embedded Temporal server is started."""

from itertools import pairwise
from pathlib import Path

import pytest

from embedded import temporal_server
from embedded.folder import Folder
from settings import Settings


def configured(*, time_travel: bool) -> set[str]:
    """What of its dynamic configuration is set."""
    settings = Settings(time_travel=time_travel)
    words = temporal_server.program(settings, Folder(Path("data")), {}).command
    return {value for option, value in pairwise(words) if option == "--dynamic-config-value"}


@pytest.mark.parametrize("time_travel", [False, True])
def test_a_herd_of_timers_is_taken_up_a_few_at_a_time(*, time_travel: bool) -> None:
    assert "history.timerTaskBatchSize=15" in configured(time_travel=time_travel)


def test_time_is_skipped_only_where_it_is_asked_for() -> None:
    assert "frontend.WorkflowTimeSkippingEnabled=true" in configured(time_travel=True)
    assert not any("TimeSkipping" in value for value in configured(time_travel=False))
