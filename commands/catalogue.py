"""`rectify catalogue`: is a city's list of problems sound, its next edition, and the one in force."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from commands.installation import Data, Stop, database, run
from directory.catalogue import dump_catalogue, read_catalogue
from directory.catalogue_lines import BadCatalogue
from directory.model import Catalogue, Category, Condition

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from store.catalogues import InUse

app = typer.Typer(no_args_is_help=True, help="问题类别目录 The catalogue of problems.")

_KINDS = (("component", "部件 components"), ("event", "事件 events"), ("checkpoint", "点位 checkpoints"))
File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV，或 or TOML")]
OldOrder = Annotated[
    bool, typer.Option("--old-order", help="事件大类 04、05 为旧次序，重新编号 exchange event classes 04 and 05")
]


@app.callback()
def catalogue() -> None:
    """问题类别目录 The catalogue of problems."""


@app.command()
def check(file: File, old_order: OldOrder = False) -> None:
    """检查目录文件 Check a file and sum it up. Exit 1: problems; 2: unreadable."""
    typer.echo("\n".join(_summary(_read(file, old_order=old_order))))


@app.command()
def publish(
    file: File,
    valid_from: Annotated[str, typer.Option(metavar="DATE", help="生效日（当日零时），或 or now")],
    scheme: Annotated[str | None, typer.Option(help="编码体系，默认沿用现行 default: as now")] = None,
    old_order: OldOrder = False,
    data: Data = None,
) -> None:
    """发布下一版 Publish the next edition, for cases opened from that day on; running cases keep what they have.

    Exit 1: the file has problems, or routing rows hang from what it drops; 2: nothing could be published.
    """
    categories, day = _read(file, old_order=old_order), _day(valid_from)
    made = run(lambda: _publish(data, categories, day, scheme))
    typer.echo("\n".join(_summary(categories)))
    typer.echo(
        f"已发布：{made.scheme} 第 {made.version} 版，{made.valid_from.isoformat(timespec='minutes')} 起生效。",
        nl=False,
    )
    typer.echo(f" published: version {made.version}, in force from then on")


@app.command()
def show(
    version: Annotated[int | None, typer.Option(help="第几版，默认现行 default: in force")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="可编辑的文件 as a file to edit")] = False,
    data: Data = None,
) -> None:
    """显示目录 Show the edition in force, or another."""
    catalogue, categories = run(lambda: _load(data, version))
    if csv:
        typer.echo(dump_catalogue(categories), nl=False)
        return
    typer.echo(f"{catalogue.scheme} 第 {catalogue.version} 版 version {catalogue.version}")
    typer.echo("\n".join([*_summary(categories), *(line for each in categories for line in _lines(each))]))


def _read(file: Path, *, old_order: bool) -> tuple[Category, ...]:
    """Ends the command where it cannot be read, or is not sound."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        return read_catalogue(text, toml=file.suffix == ".toml", old_order=old_order)
    except BadCatalogue as bad:
        for problem in bad.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        typer.echo(f"无法读取文件 {file}。 cannot read it: {reason}", err=True)
        raise typer.Exit(2) from None


def _day(text: str) -> date | None:
    """None: now."""
    if text == "now":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        typer.echo(f"生效日“{text}”应形如 2027-01-01。 write the day as 2027-01-01, or now", err=True)
        raise typer.Exit(2) from None


async def _publish(
    data: Path | None, categories: Sequence[Category], day: date | None, scheme: str | None
) -> Catalogue:
    from pydantic import TypeAdapter, ValidationError

    from directory.model import Slug
    from store import catalogues

    try:
        TypeAdapter(Slug).validate_python(scheme or "as-now")
    except ValidationError:
        raise Stop("编码体系只能用小写字母、数字、连字符。 a scheme has lower-case letters, digits, hyphens") from None
    now = datetime.now(UTC)
    async with database(data) as opened:
        zone = await _zone(opened)
        valid_from = now if day is None else datetime.combine(day, time(), zone).astimezone(UTC)
        try:
            made = await catalogues.publish(opened, categories, valid_from, now, scheme)
        except catalogues.TooEarly as error:
            after = error.after.astimezone(zone).isoformat(timespec="minutes")
            raise Stop(f"生效时间须晚于 {after}（可用 now）。 it must be later than that, or now") from None
        except catalogues.InUse as error:
            _tell(error)
            raise typer.Exit(1) from None
    return made.model_copy(update={"valid_from": made.valid_from.astimezone(zone)})


def _tell(error: "InUse") -> None:
    typer.echo("以下派遣规则指向新目录没有的编码，请先修改规则。 change these routing rows first:", err=True)
    for row, subject in error.missing:
        typer.echo(f"  {row}: {subject}", err=True)


async def _zone(opened: "AsyncEngine") -> ZoneInfo:
    from store import directory

    try:
        return ZoneInfo((await directory.load(opened)).zone)
    except LookupError:
        raise Stop("还没有城市名录。 there is no directory yet") from None


async def _load(data: Path | None, version: int | None) -> tuple[Catalogue, tuple[Category, ...]]:
    from store import catalogues, directory

    async with database(data) as opened:
        try:
            current = await directory.load(opened)
        except LookupError:
            raise Stop("还没有城市名录。 there is no directory yet") from None
        if version is None:
            return current.catalogue, current.categories
        found = await catalogues.get(opened, current.catalogue.scheme, version)
        if not found:
            raise Stop(f"没有第 {version} 版。 there is no version {version}")
        return current.catalogue.model_copy(update={"version": version}), found


def _summary(categories: Sequence[Category]) -> Iterator[str]:
    conditions = sum(len(category.conditions) for category in categories)
    yield f"{len(categories)} 个类别，{conditions} 条立案条件 · categories, conditions"
    counted: Counter[str] = Counter(category.kind for category in categories)
    yield "  " + "，".join(f"{words} {counted[kind]}" for kind, words in _KINDS)


def _lines(category: Category) -> Iterator[str]:
    yield f"{category.code} {category.name_zh} {category.name_en}"
    yield from (f"  {_line(condition)}" for condition in category.conditions)


def _line(condition: Condition) -> str:
    stages = "→".join(f"{each.name_zh}{each.limit.describe()}" for each in condition.milestones)
    asked = [stages] if stages else []
    asked += [f"照片 photos {condition.photos}"] if condition.photos is not None else []
    asked += [condition.severity.value] if condition.severity else []
    asked += ["须报方案 needs a plan"] if condition.needs_plan else []
    told = f"（{'，'.join(asked)}）" if asked else ""
    return f"{condition.id} {condition.limit.describe()} {condition.text_zh}{told} → {condition.closure_zh}"
