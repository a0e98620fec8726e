"""`rectify calendar`: the calendars in force, their next versions, official years, and what is provisional."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from commands.installation import Data, Stop, database, run
from commands.publishing import ListFile, Yes
from commands.publishing import preview as foretell
from commands.publishing import publish as go_ahead
from directory.calendars import dump_calendar, make_official, official_year, parse_calendar, parse_year
from domain.calendar import Calendar, Season

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from domain.case import Snapshot

app = typer.Typer(no_args_is_help=True, help="工作日历 Working calendars.")

_WEEKDAYS = "一二三四五六日"
_T = TypeVar("_T")

File = Annotated[Path, typer.Argument(metavar="FILE", help="TOML，可由 from `rectify calendar show --toml`")]
Next = Annotated[bool, typer.Option("--next", help="自动编为下一版 number it as the next version")]
Of = Annotated[str | None, typer.Option("--calendar", metavar="ID", help="不指定则为全市的 the city's unless given")]


@app.callback()
def calendar() -> None:
    """工作日历 Working calendars."""


@app.command()
def publish(file: File, number: Next = False, yes: Yes = False, list_file: ListFile = None, data: Data = None) -> None:
    """预览、询问、发布 Foretell, ask, publish: for new cases and all running ones. Safe to repeat and to interrupt.

    A new id makes another calendar, for units to have. Exit 1: not published, or some cases did not answer.
    """
    parsed = _read(file, parse_calendar)
    go_ahead(lambda opened: _following(opened, parsed, number=number), yes=yes, list_file=list_file, data=data)


@app.command()
def preview(file: File, number: Next = False, list_file: ListFile = None, data: Data = None) -> None:
    """只预览，不发布 What publishing it would do to the running cases. Changes nothing."""
    parsed = _read(file, parse_calendar)
    foretell(lambda opened: _following(opened, parsed, number=number), list_file, data)


@app.command()
def official(
    year: Annotated[int, typer.Argument(min=2004, max=2100)],
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="holidays, make_up_workdays (TOML)")] = None,
    from_package: Annotated[bool, typer.Option("--from-package", help="取自 from chinesecalendar")] = False,
    name: Of = None,
    yes: Yes = False,
    list_file: ListFile = None,
    data: Data = None,
) -> None:
    """确认某年节假日为正式安排 Make a year's holidays official, by a file or the package: foretell, ask, publish.

    Deadlines up to the end of that year are provisional no longer. A year may be told anew.
    """
    if (file is None) is not from_package:
        typer.echo("请指定文件或 --from-package 之一。 name either a file or --from-package", err=True)
        raise typer.Exit(2)
    try:
        notice = official_year(year) if file is None else _read(file, lambda text: parse_year(text, year))
    except LookupError as error:
        typer.echo(f"软件包没有 {year} 年的安排。 {error}", err=True)
        raise typer.Exit(2) from None

    async def wanted(opened: "AsyncEngine") -> Calendar:
        try:
            made = make_official(await _newest(opened, name), notice)
        except ValueError as error:
            raise Stop(f"不能确认 {year} 年。 cannot be made official: {error}") from None
        return await _following(opened, made, number=True)

    go_ahead(wanted, yes=yes, list_file=list_file, data=data)


@app.command()
def provisional(data: Data = None) -> None:
    """期限暂定的案卷 Running cases due in a year whose holidays are not official yet, the soonest first."""

    async def work() -> "list[Snapshot]":
        from store.publications import provisional

        async with database(data) as opened:
            return await provisional(opened)

    cases = run(work)
    for case in cases:
        due = f"{case.due_at:%Y-%m-%d %H:%M}Z" if case.due_at else "—"
        typer.echo(f"{case.id} {case.lead_unit or '—'} {due} {case.stage}")
    typer.echo(f"期限暂定 {len(cases)} 件。 provisional deadlines", err=True)


@app.command()
def show(
    name: Of = None,
    data: Data = None,
    toml: Annotated[bool, typer.Option("--toml", help="可编辑的文件 as a file to edit")] = False,
) -> None:
    """显示现行日历 Show the calendar in force."""

    async def work() -> Calendar:
        async with database(data) as opened:
            return await _newest(opened, name)

    current = run(work)
    typer.echo(dump_calendar(current) if toml else "\n".join(_lines(current, datetime.now(UTC).year)), nl=not toml)


@app.command()
def versions(data: Data = None) -> None:
    """全部日历的全部版本 Every version of every calendar, the city's first."""

    async def work() -> list[str]:
        from store.rules import calendars

        async with database(data) as opened:
            found = await calendars(opened)
        return [
            f"{each.calendar.id} 第 {each.calendar.version} 版 {each.published_at:%Y-%m-%d %H:%M}Z "
            f"公布至 official through {each.calendar.official_through}"
            f"{' 现行 in force' if each.latest else ''}{' 全市 city' if each.city else ''}"
            for each in found
        ]

    typer.echo("\n".join(run(work)))


async def _newest(opened: "AsyncEngine", name: str | None) -> Calendar:
    from store.rules import calendar

    found = await calendar(opened, name)
    if found is None:
        raise Stop("没有这个日历。 there is no such calendar" if name else "还没有日历。 there is no calendar yet")
    return found


async def _following(opened: "AsyncEngine", parsed: Calendar, *, number: bool) -> Calendar:
    """As it would be stored. Raises Stop for a version that is not the next one."""
    from store.rules import NotNext, calendar, check_calendar
    from upkeep.publications import numbered

    if number:
        parsed = numbered(parsed, await calendar(opened, parsed.id))
    try:
        await check_calendar(opened, parsed)
    except NotNext as error:
        raise Stop(f"不能发布（可用 --next 自动编号）。 cannot publish, perhaps use --next: {error}") from None
    return parsed


def _read(file: Path, parse: Callable[[str], _T]) -> _T:
    try:
        return parse(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        typer.echo(f"无法读取文件 {file}。 cannot read it: {reason}", err=True)
    except ValueError as error:
        typer.echo(f"日历文件有误 {file}。 the calendar is wrong: {error}", err=True)
    raise typer.Exit(2)


def _lines(current: Calendar, year: int) -> Iterator[str]:
    yield f"日历 {current.id} 第 {current.version} 版 · calendar, version {current.version}"
    yield f"  时区 zone: {current.zone}"
    yield f"  节假日公布至 official through: {current.official_through}"
    for season in current.seasons:
        yield f"  自 from {season.from_}:"
        yield from (f"    {line}" for line in _week(season))
    yield f"  放假 holidays since {year}: {_ranges(current.holidays, year)}"
    yield f"  调休上班 make-up workdays since {year}: {_ranges(current.make_up_workdays, year)}"


def _week(season: Season) -> Iterator[str]:
    for name, day in zip(_WEEKDAYS, season.weekdays, strict=True):
        yield f"周{name} {'、'.join(map(str, day)) or '休息 rest'}"


def _ranges(days: Sequence[date], year: int) -> str:
    """`2026-10-01..2026-10-07`; the days of a weekend between two of them are not listed and part the range."""
    spans: list[tuple[date, date]] = []
    for day in days:
        if spans and day - spans[-1][1] == timedelta(days=1):
            spans[-1] = (spans[-1][0], day)
        elif day.year >= year:
            spans.append((day, day))
    return "、".join(str(first) if first == last else f"{first}..{last}" for first, last in spans) or "无 none"
