"""`rectify deadline`: when is it due? For one start and limit, or for each line of a ledger on stdin."""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from directory.calendars import default_calendar, parse_calendar
from domain import clock as clocks
from domain.calendar import Calendar
from domain.explain import deadline as explained
from domain.limits import DayReading, Limit, LimitUnit, parse_unit

HEADER = ["start", "limit", "unit"]
_UNITS = ", ".join(LimitUnit)

Answer = Callable[[str, str, str], str]


class BadInput(ValueError):
    """Its text is for the user, Chinese first; `code` is for programs."""

    def __init__(self, code: str, chinese: str, english: str) -> None:
        super().__init__(f"{chinese} {english}")
        self.code = code


def deadline(
    start: Annotated[
        str,
        typer.Argument(metavar="START", help="开始时间 ISO 8601; - 从标准输入逐行读取 reads lines start,limit,unit"),
    ],
    limit: Annotated[str | None, typer.Argument(metavar="LIMIT", help="时限 how many")] = None,
    unit: Annotated[
        str | None, typer.Argument(metavar="UNIT", help=f"单位 one of {_UNITS}, 或中文 or in Chinese")
    ] = None,
    reading: Annotated[DayReading, typer.Option(help="工作日的算法 what a work day means")] = DayReading.HOURS,
    calendar: Annotated[
        Path | None, typer.Option(help="日历文件 calendar file (TOML or JSON); default: 中国法定")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, 含计入的时段 with the intervals")] = False,
) -> None:
    """截止时间 The deadline of a limit that starts at START (without an offset: in the calendar's zone)."""
    try:
        answer = _answerer(_calendar(calendar), reading, as_json=as_json)
        if start != "-":
            typer.echo(answer(start, *_both(limit, unit)))
            return
        _neither(limit, unit)
    except BadInput as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if not _answer_lines(answer, as_json=as_json):
        raise typer.Exit(1)


def _both(limit: str | None, unit: str | None) -> tuple[str, str]:
    if limit is None or unit is None:
        raise BadInput("missing", "缺少时限或单位。", "LIMIT and UNIT are missing: rectify deadline START LIMIT UNIT")
    return limit, unit


def _neither(limit: str | None, unit: str | None) -> None:
    if limit is not None or unit is not None:
        raise BadInput("surplus", "从标准输入读取时不得再给时限和单位。", "with - as START give no LIMIT and UNIT")


def _answer_lines(answer: Answer, *, as_json: bool) -> bool:
    """One line out for each line in, at once and in order. False if any was bad."""
    good = True
    for number, line in _lines():
        try:
            text = answer(*_fields(line))
        except BadInput as error:
            good = False
            text = _complaint(number, error, as_json=as_json)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    return good


def _lines() -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(sys.stdin.buffer, start=1):
        line = raw.decode("utf-8-sig", errors="replace").rstrip("\r\n")
        if number > 1 or [field.strip().lower() for field in line.split(",")] != HEADER:
            yield number, line


def _fields(line: str) -> tuple[str, str, str]:
    try:
        start, limit, unit = next(csv.reader([line]), [])
    except (ValueError, csv.Error):
        raise BadInput(
            "bad_line", "应为三个字段：开始时间,时限,单位。", f"expected start,limit,unit, got {_shown(line)}"
        ) from None
    return start, limit, unit


def _complaint(number: int, error: BadInput, *, as_json: bool) -> str:
    if not as_json:
        return f"错误 error: 第{number}行 line {number}: {error}"
    body: dict[str, Any] = {"line": number, "error": {"code": error.code, "message": str(error)}}
    return json.dumps(body, ensure_ascii=False)


def _answerer(calendar: Calendar, reading: DayReading, *, as_json: bool) -> Answer:
    compute = _as_json if as_json else _as_text

    def answer(start: str, limit: str, unit: str) -> str:
        began, allowed = _start(start, calendar), _limit(limit, unit)
        try:
            _check_offset(began.astimezone(calendar.tz))
            return compute(calendar, began, allowed, reading)
        except (ValueError, OverflowError):
            raise BadInput(
                "out_of_range", "日期超出可计算的范围。", "the dates are beyond what can be computed"
            ) from None

    return answer


def _as_json(calendar: Calendar, start: datetime, limit: Limit, reading: DayReading) -> str:
    return explained(calendar, start, limit, reading).model_dump_json()


def _as_text(calendar: Calendar, start: datetime, limit: Limit, reading: DayReading) -> str:
    clock = clocks.start(limit, reading, start)
    due = clocks.due_at(clock, calendar)
    if due is None:
        raise OverflowError
    mark = " 暂定 provisional" if clocks.provisional(clock, calendar) else ""
    return due.astimezone(calendar.tz).isoformat() + mark


def _start(text: str, calendar: Calendar) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(
            "bad_start",
            f"无法识别的开始时间 {_shown(text)}。",
            "START is an ISO 8601 time such as 2026-02-14T09:30",
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=calendar.tz)


def _check_offset(local: datetime) -> None:
    """Before time zones were introduced offsets had seconds, which RFC 3339 cannot write."""
    if (local.utcoffset() or timedelta(0)) % timedelta(minutes=1):
        raise OverflowError


def _limit(value: str, unit: str) -> Limit:
    try:
        parsed = parse_unit(unit)
    except ValueError:
        raise BadInput("bad_unit", f"未知单位 {_shown(unit)}。", f"UNIT is one of {_UNITS}") from None
    try:
        return Limit(value=Decimal(value.strip()), unit=parsed)
    except (InvalidOperation, ValidationError):
        raise BadInput(
            "bad_limit",
            f"时限 {_shown(value)} 须大于 0，不超过 10000，至多 6 位小数。",
            "LIMIT is a number above 0, at most 10000, with at most 6 decimals",
        ) from None


def _calendar(file: Path | None) -> Calendar:
    if file is None:
        return default_calendar()
    try:
        return parse_calendar(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadInput("bad_calendar", f"无法读取日历文件 {file}。", f"cannot read it: {error.strerror}") from None
    except ValueError as error:
        raise BadInput("bad_calendar", f"日历文件 {file} 有误。", f"calendar file: {error}") from None


def _shown(text: str) -> str:
    """What the user gave, on one line and short."""
    return repr(text if len(text) <= 60 else text[:60] + "…")  # noqa: PLR2004 - a line's worth
