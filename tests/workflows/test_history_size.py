"""What a life costs in Temporal's history: the figures that docs/adr/0002 promises."""

import json
from datetime import UTC, datetime

from temporalio.testing import WorkflowEnvironment

from directory.calendars import default_calendar, snapshot
from tests.support.cases import rules
from tests.support.engine import Desk, report
from tests.support.histories import lived, six_commands


class TestALifeOfSixCommands:
    async def test_fits_into_60_events_and_25_kilobytes(self, temporal: WorkflowEnvironment) -> None:
        calendar = snapshot(default_calendar(), datetime.now(UTC))
        history = await lived(lambda desk: six_commands(desk, report(rules=rules(calendar=calendar))), Desk(temporal))
        size = sum(event.ByteSize() for event in history.events)
        assert len(history.events) <= 60, json.dumps({"events": len(history.events), "bytes": size})
        assert size <= 25_000, json.dumps({"events": len(history.events), "bytes": size})
