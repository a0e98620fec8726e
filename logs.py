"""Logging: every line of every library goes through structlog and out on standard error, one way for all.

Lines of a case carry Temporal's ids; what a replay says again is dropped, or a case would tell its whole life each
time it wakes. No personal data: values under the keys in `PERSONAL` are struck out, whoever logs them, and tracebacks
come without local variables. The ids of users and cases are no personal data.
"""

import logging
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from domain.errors import RectifyError
from settings import Settings

PERSONAL = frozenset(
    {
        "address",
        "authorization",
        "body",
        "comment",
        "data",
        "description",
        "location",
        "name",
        "note",
        "password",
        "phone",
        "position",
        "q",
        "reason",
        "token",
    }
)
_STRUCK = "…"
#: Errors whose message is about the machine and its programs.
_TELLING = (OSError, RuntimeError, ImportError, AttributeError, NameError, MemoryError, RectifyError)
#: Their lines below a warning repeat ours, or hold values of the tables.
_QUIET = ("alembic", "asyncio", "httpcore", "httpx", "PIL", "sqlalchemy", "aiosqlite", "multipart")


def configure(settings: Settings) -> None:
    """For the whole process; a second call replaces the first."""
    shared = _shared()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_not_a_replay)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_output(settings)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for library in _QUIET:
        logging.getLogger(library).setLevel(logging.WARNING)


def _shared() -> Sequence[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_temporal_ids,
        strike_out_personal,
    ]


def _output(settings: Settings) -> Sequence[Processor]:
    exceptions = structlog.processors.ExceptionRenderer(lambda found: "\n".join(told(found[1])))
    if settings.log_format == "json":
        return [exceptions, structlog.processors.JSONRenderer(serializer=_json)]
    return [exceptions, one_line, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]


def _json(value: Any, **_: Any) -> str:  # noqa: ANN401 - structlog's signature
    return orjson.dumps(value, default=str).decode()


def told(error: BaseException | None) -> Iterator[str]:
    """Kinds and places, the cause first; a message only where it holds nothing of anybody.

    Pydantic shows the value that did not fit, databases the row, `int` the text: so of most errors the kind must do.
    """
    if error is None:
        return
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    yield from told(cause)
    yield "Traceback (most recent call last):"
    yield from (line.rstrip() for line in traceback.format_tb(error.__traceback__))
    message = f": {escaped(str(error))}" if isinstance(error, _TELLING) else ""
    yield f"{type(error).__module__}.{type(error).__qualname__}{message}"
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from told(each)


def escaped(text: str) -> str:
    """So that it stays on its line and moves no cursor: a log is read in terminals."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """For eyes; JSON escapes by itself. A traceback may have lines, it is ours."""
    return {
        key: escaped(value) if isinstance(value, str) and key != "exception" else value for key, value in event.items()
    }


def add_temporal_ids(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """In a workflow and in an activity: which one, and for which case."""
    activity, workflow = sys.modules.get("temporalio.activity"), sys.modules.get("temporalio.workflow")
    if activity is not None and activity.in_activity():
        info = activity.info()
        event.setdefault("workflow_id", info.workflow_id)
        event.setdefault("activity", info.activity_type)
        event.setdefault("attempt", info.attempt)
    elif workflow is not None and workflow.in_workflow():
        event.setdefault("workflow_id", workflow.info().workflow_id)
        event.setdefault("run_id", workflow.info().run_id)
    return event


def strike_out_personal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for key in PERSONAL & event.keys():
        event[key] = _STRUCK
    return event


def _not_a_replay(_record: logging.LogRecord) -> bool:
    """Queries and validators run while no history is replayed, so they still speak."""
    workflow = sys.modules.get("temporalio.workflow")
    return workflow is None or not workflow.in_workflow() or not workflow.unsafe.is_replaying_history_events()
