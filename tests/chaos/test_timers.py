"""What a raw history says of its timers."""

import math

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from chaos.judge.evidence import Timer
from chaos.judge.timers import armed, tasks


def history() -> list[HistoryEvent]:
    """A task from 10 to 12 that arms for ten seconds, another from 15 to 16 that arms for one instead, which rings."""
    events = [HistoryEvent(event_id=number) for number in range(1, 9)]
    for event, at in zip(events, (10, 12, 12, 15, 16, 16, 16, 17), strict=True):
        event.event_time.FromSeconds(at)
    first, done, long, second, again, cancelled, short, rung = events
    for started, completed in ((first, done), (second, again)):
        started.event_type = EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED
        completed.event_type = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        completed.workflow_task_completed_event_attributes.started_event_id = started.event_id
    for timer, completed, delay in ((long, done, 10), (short, again, 1)):
        timer.event_type = EventType.EVENT_TYPE_TIMER_STARTED
        timer.timer_started_event_attributes.start_to_fire_timeout.FromSeconds(delay)
        timer.timer_started_event_attributes.workflow_task_completed_event_id = completed.event_id
    cancelled.event_type = EventType.EVENT_TYPE_TIMER_CANCELED
    cancelled.timer_canceled_event_attributes.started_event_id = long.event_id
    rung.event_type = EventType.EVENT_TYPE_TIMER_FIRED
    rung.timer_fired_event_attributes.started_event_id = short.event_id
    return events


class TestTimers:
    def test_are_meant_from_the_beginning_of_their_task(self) -> None:
        assert armed(history()) == [Timer(12.0, 20.0, 16.0), Timer(16.0, 16.0, 17.0)]

    def test_that_have_not_rung_run_on(self) -> None:
        assert armed(history()[:5]) == [Timer(12.0, 20.0, math.inf)]

    def test_end_with_their_run(self) -> None:
        events = history()[:5]
        events[-1].event_type = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
        assert armed(events) == [Timer(12.0, 20.0, 16.0)]

    def test_come_of_tasks_that_were_carried_through(self) -> None:
        assert tasks(history()[:4]) == [(10.0, 12.0)]
