from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import (
    ActivityTaskStartedEventAttributes,
    HistoryEvent,
    MarkerRecordedEventAttributes,
)

from bench.cost import actions
from tests.support.histories import FOLDER, load


def event(name: str) -> HistoryEvent:
    return HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_{name}"))


def marker(task: int) -> HistoryEvent:
    attributes = MarkerRecordedEventAttributes(workflow_task_completed_event_id=task)
    return HistoryEvent(event_type=EventType.EVENT_TYPE_MARKER_RECORDED, marker_recorded_event_attributes=attributes)


class TestActions:
    def test_are_starts_timers_updates_and_upserts(self) -> None:
        names = (
            "WORKFLOW_EXECUTION_STARTED",
            "TIMER_STARTED",
            "TIMER_CANCELED",
            "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
            "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
            "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
            "WORKFLOW_TASK_COMPLETED",
        )
        billed = actions(map(event, names))
        assert dict(billed) == {"starts": 1, "timers": 1, "updates": 1, "search_attributes": 1}

    def test_count_local_activities_once_for_each_workflow_task(self) -> None:
        assert actions([marker(4), marker(4), marker(9)])["local_activities"] == 2

    def test_count_an_activity_as_often_as_it_was_tried(self) -> None:
        started = event("ACTIVITY_TASK_STARTED")
        started.activity_task_started_event_attributes.CopyFrom(ActivityTaskStartedEventAttributes(attempt=3))
        assert actions([started])["activities"] == 3

    def test_of_a_stored_life_are_one_for_each_command_and_a_few_more(self) -> None:
        billed = actions(load(FOLDER / "six_commands.0.1.0.json").events)
        assert (billed["starts"], billed["updates"]) == (1, 7)
        assert billed["local_activities"] <= 10
