"""Writes down what happened to a case. The only thing that touches the database on a case's behalf."""

from typing import Protocol

import structlog
from temporalio import activity
from temporalio.common import MetricMeter

from activities.metrics import RecordMetrics
from domain.record import Record
from workflows.interface import RECORD

_log = structlog.get_logger()


class Recorder(Protocol):
    """Must be idempotent: a record may come twice, and an old one after a newer. Whatever it raises is retried."""

    async def record(self, record: Record) -> None: ...


class RecordingActivities:
    def __init__(self, recorder: Recorder, meter: MetricMeter = MetricMeter.noop) -> None:
        self._recorder = recorder
        self._metrics = RecordMetrics(meter)

    @activity.defn(name=RECORD)
    async def record(self, record: Record) -> None:
        asked = record.model_copy(update={"begun": activity.info().scheduled_time})
        try:
            await self._recorder.record(asked)
        except BaseException:  # a cancellation too: that is how the worker ends an attempt that takes too long
            self._metrics.failed(record.case.id)
            raise
        self._metrics.written(record.case.id, _happened_at(record))
        for event in record.events:
            _log.info(
                "case_event",
                case=record.case.id,
                seq=event.seq,
                type=event.fact.type,
                stage=record.case.stage,
                unit=record.case.lead_unit,
            )


def _happened_at(record: Record) -> float | None:
    """Of the oldest that is news and somebody's doing. What time does is dated when it fell due, noticed or not."""
    done = () if record.rewrite else (event.at for event in record.events if event.by is not None)
    return next((at.timestamp() for at in done), None)
