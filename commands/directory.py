"""`rectify directory`: what the city has told about itself, and who changed what of it."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from commands.exchange import export, import_, template
from commands.installation import AsJson, Data, Stop, database, run
from directory.changes import Kind
from domain.words import Words

if TYPE_CHECKING:
    from directory.model import Directory
    from store.directory_records import Change, Summary

app = typer.Typer(no_args_is_help=True, help="城市目录：辖区、单位、人员、点位、派遣规则 The directory.")

_MOST = 10
_KINDS: dict[Kind, Words] = {
    Kind.AREA: ("辖区", "areas"),
    Kind.UNIT: ("单位", "units"),
    Kind.USER: ("人员", "users"),
    Kind.POINT: ("点位", "points"),
    Kind.ROUTING: ("派遣规则", "routing rows"),
}


@app.callback()
def directory() -> None:
    """城市目录：辖区、单位、人员、点位、派遣规则 Areas, units, users, points and routing."""


@app.command()
def show(data: Data = None) -> None:
    """城市目录概况 The city, the version of its directory, and how much there is in it."""

    async def work() -> "Summary":
        from store.directory_records import summary

        async with database(data) as opened:
            try:
                return await summary(opened)
            except LookupError:
                raise Stop("还没有城市目录。 there is no directory yet") from None

    found = run(work)
    typer.echo(f"{found.city_zh} {found.city_en} ({found.zone}), 第 {found.version} 版 version {found.version}")
    for kind, (chinese, english) in _KINDS.items():
        count = found.counts[kind]
        typer.echo(f"  {chinese} {english}: {count.in_use} (+ 停用 retired {count.retired})")


@app.command()
def changes(
    kind: Annotated[Kind | None, typer.Option(help="种类 only this kind")] = None,
    record: Annotated[str | None, typer.Option(help="编号 only this id")] = None,
    after: Annotated[int, typer.Option(min=0, help="此序号之后 from the number after")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="最多条数 at most so many")] = 100,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """目录修改记录 Who changed what, oldest first. Holds personal data. --json: with the records before and after."""

    async def work() -> "list[Change]":
        from store.directory_records import log

        async with database(data) as opened:
            return await log(opened, kind, record, after, limit)

    for each in run(work):
        typer.echo(_line_of_json(each) if as_json else _line(each))


@app.command()
def check(
    data: Data = None,
    as_json: AsJson = False,
    sliver: Annotated[float, typer.Option(min=0, help="窄于此宽度（米）不报 metres of width that are not told")] = 1.0,
    all_: Annotated[bool, typer.Option("--all", help="全部列出 every one of them")] = False,
) -> None:
    """检查地图：图形错误、重叠、越界、空白 Bad shapes, overlaps, what sticks out, gaps. Exit 1: some found."""
    from commands.map_lines import lines
    from directory.map_check import check as find

    directory = run(lambda: _load(data))
    found = find(directory.areas, sliver)
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        typer.echo("\n".join(lines(found, directory.area_by_id, None if all_ else _MOST)))
    raise typer.Exit(not found.sound)


async def _load(data: "Data") -> "Directory":
    from store import directory

    async with database(data) as opened:
        try:
            return await directory.load(opened)
        except LookupError:
            raise Stop("还没有城市目录。 there is no directory yet") from None


def _line(change: "Change") -> str:
    at = change.at.isoformat(timespec="seconds")
    return f"{change.id}  {at}  {change.by}  {change.action}  {change.kind}  {change.record}"


def _line_of_json(change: "Change") -> str:
    told = {"before": json.loads(change.before), "after": json.loads(change.after)}
    return json.dumps({**change._asdict(), "at": change.at.isoformat(), **told}, ensure_ascii=False)


app.command("import")(import_)
app.command("export")(export)
app.command("template")(template)
