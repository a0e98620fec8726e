"""`rectify publications`: new calendars and policies on their way to the running cases."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from commands.installation import AsJson, Data, database, run
from commands.publishing import resume as go_on

if TYPE_CHECKING:
    from store.publications import Publication

app = typer.Typer(no_args_is_help=True, help="日历与政策的发布 Calendars and policies on their way to running cases.")


@app.callback()
def publications() -> None:
    """日历与政策的发布 Calendars and policies on their way to running cases."""


@app.command(name="list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """最近的发布与进度 The latest, and how far they are."""

    async def work() -> "Sequence[Publication]":
        from store.publications import listing

        async with database(data) as opened:
            return await listing(opened)

    for each in run(work):
        typer.echo(each.model_dump_json() if as_json else _line(each))


@app.command()
def resume(number: Annotated[int, typer.Argument(help="发布号")], data: Data = None) -> None:
    """继续送达，等到全部案卷采用 Go on with one until every running case has it. Exit 1: some did not answer."""
    go_on(number, data)


def _line(each: "Publication") -> str:
    edition = f"{each.name} 第 {each.version} 版"
    if each.ladder is not None:
        edition += f"、{each.ladder} 第 {each.ladder_version} 版"
    return f"{each.id} {each.started_at:%Y-%m-%d %H:%M}Z {each.kind} {edition} {each.by}: {_state(each)}"


def _state(each: "Publication") -> str:
    if each.superseded_by is not None:
        return f"由 {each.superseded_by} 号取代 superseded"
    if each.finished_at is not None:
        return f"已完成 done: {each.took} 件 cases, {each.moved} 件期限变动 moved"
    return f"进行中 on its way: {each.took}/{each.total}, 未应答 silent {each.silent}"
