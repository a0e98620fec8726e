"""Writes down what happened to a case. The only thing that touches the database on a case's behalf."""

from typing import Protocol

import structlog
from temporalio import activity

from domain.record import Record
from workflows.interface import RECORD

_log = structlog.get_logger()


class Recorder(Protocol):
    """Must be idempotent: a record may come twice, and an old one after a newer. Whatever it raises is retried."""

    async def record(self, record: Record) -> None: ...


class RecordingActivities:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    @activity.defn(name=RECORD)
    async def record(self, record: Record) -> None:
        await self._recorder.record(record)
        for event in record.events:
            _log.info(
                "case_event",
                case=record.case.id,
                seq=event.seq,
                type=event.fact.type,
                stage=record.case.stage,
                unit=record.case.lead_unit,
            )
