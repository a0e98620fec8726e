"""`rectify calendar`: the calendar in force, and its next version."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.installation import Data, Stop, database, installation, progress, run
from directory.calendars import dump_calendar, parse_calendar
from domain.calendar import Calendar, Season

if TYPE_CHECKING:
    from upkeep.calendars import Published

app = typer.Typer(no_args_is_help=True, help="工作日历 The working calendar.")

_WEEKDAYS = "一二三四五六日"


@app.callback()
def calendar() -> None:
    """工作日历 The working calendar."""


@app.command()
def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML，可由 from `rectify calendar show --toml`")],
    number: Annotated[bool, typer.Option("--next", help="自动编为下一版 number it as the next version")] = False,
    data: Data = None,
) -> None:
    """发布新版 Publish the next version: for new cases and all running ones. Safe to repeat.

    Exit 0: done; 1: some cases did not answer, run it again; 2: nothing was published.
    """
    parsed = _read(file)

    async def work() -> "tuple[Calendar, Published]":
        from upkeep.calendars import Publication, store_next

        async with installation(data) as (engine, opened):
            try:
                stored = await store_next(opened, parsed, number=number)
            except (ValueError, LookupError) as error:
                raise Stop(f"不能发布（可用 --next 自动编号）。 cannot publish, perhaps use --next: {error}") from None
            typer.echo(f"已生效：{stored.id} 第 {stored.version} 版。 in force: version {stored.version}")
            with progress("送达 reaching cases") as shown:
                return stored, await Publication(engine, opened, stored, progress=shown).run()

    _, tally = run(work)
    typer.echo(f"已采用的案卷 {tally.took} 件，其中期限变动 {tally.moved} 件。 taken by {tally.took} cases; ", nl=False)
    typer.echo(f"{tally.moved} deadlines moved")
    if tally.silent:
        typer.echo(f"{len(tally.silent)} 件未应答，请重跑。 did not answer, run it again", err=True)
    raise typer.Exit(bool(tally.silent))


@app.command()
def show(
    data: Data = None, toml: Annotated[bool, typer.Option("--toml", help="可编辑的文件 as a file to edit")] = False
) -> None:
    """显示现行日历 Show the calendar in force."""

    async def work() -> Calendar:
        from store.directory import current_rules

        async with database(data) as opened:
            try:
                return (await current_rules(opened))[2]
            except LookupError:
                raise Stop("还没有日历。 there is no calendar yet") from None

    current = run(work)
    typer.echo(dump_calendar(current) if toml else "\n".join(_lines(current, datetime.now(UTC).year)), nl=not toml)


def _read(file: Path) -> Calendar:
    try:
        return parse_calendar(file.read_text(encoding="utf-8-sig"))
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
