"""A case that means to sleep past a rung: found in the raw history, whatever was dead or frozen meanwhile.

A rung that is late because nobody was there to carry it out is not found, nor is it to be: what is compared is not when
a timer rang but for which instant it was armed, by a task that was carried through and knew what the rung depends on.
"""

import math
from collections.abc import Iterator, Sequence

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from chaos.judge.evidence import Timer, Truth
from chaos.judge.ladder import Rules, dues

#: Seconds: between an instant of the case and the beginning of the task that it stems from; and of sleep too much.
_SAME, _TOO_LONG = 0.001, 2.0
_STARTED = EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED
_COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED

_CLOSES = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)


def armed(history: Sequence[HistoryEvent]) -> list[Timer]:
    """Those of one run. Its end is theirs."""
    began, ended = _begun(history), _ended(history)
    last = _at(history[-1]) if history[-1].event_type in _CLOSES else math.inf
    return [
        Timer(
            started=_at(event),
            meant=began[event.timer_started_event_attributes.workflow_task_completed_event_id] + _delay(event),
            ended=ended.get(event.event_id, last),
        )
        for event in history
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
    ]


def tasks(history: Sequence[HistoryEvent]) -> list[tuple[float, float]]:
    began = _begun(history)
    return [(began[event.event_id], _at(event)) for event in history if event.event_type == _COMPLETED]


def _begun(history: Sequence[HistoryEvent]) -> dict[int, float]:
    """When the task began that each completion completes."""
    starts = {event.event_id: _at(event) for event in history if event.event_type == _STARTED}
    completions = (event for event in history if event.event_type == _COMPLETED)
    return {
        event.event_id: starts[event.workflow_task_completed_event_attributes.started_event_id] for event in completions
    }


def _ended(history: Sequence[HistoryEvent]) -> dict[int, float]:
    ended: dict[int, float] = {}
    for event in history:
        if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
            ended[event.timer_fired_event_attributes.started_event_id] = _at(event)
        elif event.event_type == EventType.EVENT_TYPE_TIMER_CANCELED:
            ended[event.timer_canceled_event_attributes.started_event_id] = _at(event)
    return ended


def _at(event: HistoryEvent) -> float:
    return event.event_time.seconds + event.event_time.nanos / 1e9


def _delay(event: HistoryEvent) -> float:
    delay = event.timer_started_event_attributes.start_to_fire_timeout
    return delay.seconds + delay.nanos / 1e9


def overslept(truth: Truth, rules: Rules) -> Iterator[tuple[str, str]]:
    """(`rungs_wrong`, what): timers that ran when a rung was due, and were armed for long after."""
    for rung, due, known in dues(truth.log, rules):
        if not any(began >= known - _SAME and ended < due for began, ended in truth.tasks):
            continue
        for timer in truth.timers:
            if timer.started < due < timer.ended and timer.meant > due + _TOO_LONG:
                yield "rungs_wrong", f"{rung} was due {due:.3f}, the timer was armed for {timer.meant:.3f}"
