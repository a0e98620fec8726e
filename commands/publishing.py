"""What `rectify calendar`, `policy` and `publications` share: say what would happen, ask, publish, wait."""

import getpass
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple
from zoneinfo import ZoneInfo

import typer

from commands.installation import Stop, database, installation, progress, run
from domain.calendar import Calendar

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from store.publications import Publication
    from upkeep.preview import Change, Effect, Totals

#: Lines of the list that people get to see; `--list` gives them all.
_SHOWN = 20
_UNPUBLISHED = 1

Yes = Annotated[bool, typer.Option("--yes", "-y", help="不再询问 do not ask")]
ListFile = Annotated[
    Path | None, typer.Option("--list", metavar="FILE", help="把全部变动写入 CSV every case that changes, as CSV")
]
#: What is to be published, as the database stands now. May raise Stop.
Wanted = Callable[["AsyncEngine"], Awaitable["Change"]]


class _Foretold(NamedTuple):
    change: "Change"
    totals: "Totals"
    changing: "list[Effect]"
    zone: ZoneInfo


def preview(wanted: Wanted, list_file: Path | None, data: Path | None) -> None:
    """Says what would happen to the running cases, and changes nothing."""
    _tell(run(lambda: _foretell(wanted, data)), list_file)


def publish(wanted: Wanted, *, yes: bool, list_file: Path | None, data: Path | None) -> None:
    """Exits 0: every running case has it; 1: not published, or some did not answer; 2: it cannot be published."""
    foretold = run(lambda: _foretell(wanted, data))
    _tell(foretold, list_file)
    if not yes and not _is_confirmed():
        typer.echo("未发布。 not published", err=True)
        raise typer.Exit(_UNPUBLISHED)

    async def work() -> "Publication":
        async with database(data) as opened:
            number = await _store(opened, foretold.change)
        typer.echo(f"新上报案卷即日适用，发布 {number} 号。 in force for new cases, publication {number}")
        return await _carried(number, data)

    report(run(work))


def _is_confirmed() -> bool:
    """Not where nobody is there to ask."""
    try:
        return typer.confirm("发布？ publish?", default=False, err=True)
    except typer.Abort:
        return False


async def _store(opened: "AsyncEngine", change: "Change") -> int:
    """Somebody else may have published meanwhile."""
    from store.rules import NotNext, publish_calendar, publish_rules

    by, now = f"cli:{_login()}", datetime.now(UTC)
    try:
        if isinstance(change, Calendar):
            return await publish_calendar(opened, change, by, now)
        return await publish_rules(opened, *change, by, now)
    except NotNext as error:
        raise Stop(f"刚有他人发布，请重新预览。 somebody published meanwhile, look again: {error}") from None


def resume(number: int, data: Path | None) -> None:
    async def work() -> "Publication":
        return await _carried(number, data)

    report(run(work))


async def _carried(number: int, data: Path | None) -> "Publication":
    """Whoever carries it. Interrupted, the workers go on with it."""
    from upkeep.publications import Carrier

    async with installation(data) as (engine, opened):
        with progress("送达 reaching cases") as shown:
            try:
                return await Carrier(engine, opened, patience=2, progress=shown).until_done(number)
            except LookupError:
                raise Stop(f"没有发布 {number} 号。 there is no publication {number}") from None


def report(done: "Publication") -> None:
    if done.superseded_by is not None:
        typer.echo(f"已由发布 {done.superseded_by} 号取代。 publication {done.superseded_by} took its place")
        return
    typer.echo(f"已采用的案卷 {done.took} 件，其中期限变动 {done.moved} 件。 taken by {done.took} cases; ", nl=False)
    typer.echo(f"{done.moved} deadlines moved")
    if done.finished_at is None:
        typer.echo(f"{done.silent} 件未应答，工作进程会继续送达。 did not answer; the workers go on trying", err=True)
        raise typer.Exit(1)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


# --- what would happen ---


async def _foretell(wanted: Wanted, data: Path | None) -> _Foretold:
    from store.rules import calendar
    from upkeep.preview import Totals, effects

    async with database(data) as opened:
        change = await wanted(opened)
        city = await calendar(opened)
        totals, changing = Totals(), []
        async for page in effects(opened, change, datetime.now(UTC)):
            totals = totals.plus(page)
            changing += [effect for effect in page if effect.changes]
    return _Foretold(change, totals, changing, city.tz if city else ZoneInfo("UTC"))


def _tell(foretold: _Foretold, list_file: Path | None) -> None:
    for line in _total_lines(foretold.totals):
        typer.echo(line)
    for effect in foretold.changing[:_SHOWN]:
        typer.echo(f"  {_line(effect, foretold.zone)}")
    if more := foretold.changing[_SHOWN:]:
        typer.echo(f"  …… 另有 {len(more)} 件，见 --list。 and more: --list FILE")
    if list_file is not None:
        rows = "".join(_rows(foretold.changing, foretold.zone))
        list_file.write_text(rows, encoding="utf-8-sig")  # as spreadsheets want it


def _total_lines(totals: "Totals") -> Iterator[str]:
    yield f"在办案卷 {totals.running} 件，涉及 {totals.touched} 件。 running cases, of which go by an older version"
    yield f"  期限变动 deadlines that move: {totals.deadlines}（案卷 cases: {totals.moved}）"
    yield f"  转为超期 become overdue: {totals.become_overdue}；不再超期 no longer: {totals.no_longer_overdue}"
    begin, end = totals.become_provisional, totals.no_longer_provisional
    yield f"  转为暂定 become provisional: {begin}；不再暂定 no longer: {end}"


def _line(effect: "Effect", zone: ZoneInfo) -> str:
    moves = "；".join(
        f"{_at(move.before, zone)} → {_at(move.after, zone)}{_whose(move.of, move.unit)}" for move in effect.moves
    )
    return f"{effect.case} {effect.unit or '—'} {moves}{_marks(effect)}"


def _whose(of: str, unit: str | None) -> str:
    return {"case": "", "stage": "（本阶段 stage）", "co_unit": f"（协办 {unit}）"}[of]


def _marks(effect: "Effect") -> str:
    marks = (
        (effect.overdue, " 转为超期 becomes overdue", " 不再超期 no longer overdue"),
        (effect.provisional, " 转为暂定 becomes provisional", " 不再暂定 no longer provisional"),
    )
    return "".join(begins if after else ends for (before, after), begins, ends in marks if before != after)


def _rows(changing: list["Effect"], zone: ZoneInfo) -> Iterator[str]:
    yield "case,unit,of,before,after,overdue_before,overdue_after,provisional_before,provisional_after\r\n"
    for effect in changing:
        marks = ",".join(str(mark).lower() for mark in (*effect.overdue, *effect.provisional))
        for move in effect.moves:
            instants = f"{_at(move.before, zone)},{_at(move.after, zone)}"
            yield f"{effect.case},{move.unit or ''},{move.of},{instants},{marks}\r\n"
        if not effect.moves:
            yield f"{effect.case},{effect.unit or ''},,,,{marks}\r\n"


def _at(instant: datetime | None, zone: ZoneInfo) -> str:
    return "—" if instant is None else instant.astimezone(zone).isoformat(" ", "minutes")
