"""`rectify routing check`: holes, ties and dead rows of the routing table, over the whole city."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from commands.installation import AsJson, Data, Stop, database, run
from directory.model import Directory
from directory.routing_check import HARMLESS, WHY, Checked, Hole, Remark, Tie

app = typer.Typer(no_args_is_help=True, help="派遣规则 The routing table.")

_MOST = 8


@app.callback()
def routing() -> None:
    """派遣规则 The routing table."""


@app.command()
def check(
    data: Data = None,
    as_json: AsJson = False,
    all_: Annotated[bool, typer.Option("--all", help="列出全部辖区和类别 every area and category")] = False,
) -> None:
    """查找漏洞、重复与失效规则 Who answers for nothing, who for the same, which rows never win. Exit 1: some found."""
    from directory.routing_check import check as find

    directory = run(lambda: _load(data))
    found = find(directory)
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        typer.echo("\n".join(_lines(directory, found, None if all_ else _MOST)))
    raise typer.Exit(not found.sound)


async def _load(data: "Data") -> Directory:
    from store import directory

    async with database(data) as opened:
        try:
            return await directory.load(opened, datetime.now(UTC))
        except LookupError:
            raise Stop("还没有城市名录。 there is no directory yet") from None


def _lines(directory: Directory, found: Checked, most: int | None) -> Iterator[str]:
    for hole in found.holes:
        yield _hole(directory, hole, most)
    yield from map(_tie, found.ties)
    yield from map(_remark, found.remarks)
    faults = [each for each in found.remarks if each.why not in HARMLESS]
    yield (
        f"{len(directory.routing)} 条规则：漏洞 {len(found.holes)}，重复 {len(found.ties)}，失效 {len(faults)} · "
        "rows: holes, ties, dead rows"
    )


def _hole(directory: Directory, hole: Hole, most: int | None) -> str:
    """Categories of one class that are all there are told by the class."""
    areas = _some([f"{each} {directory.area_by_id[each].name_zh}" for each in hole.areas], most)
    but = f"（点位类型 {'、'.join(hole.but)} 除外 but for these place types）" if hole.but else ""
    return (
        f"漏洞 hole: {_some(list(_subjects(directory, hole.subjects)), most)} @ {areas}{but}: 无人负责 nobody answers"
    )


def _subjects(directory: Directory, subjects: Iterable[str]) -> Iterator[str]:
    wanted = set(subjects)
    if wanted >= set(directory.category_by_code):
        yield "所有类别 every category"
        return
    classes: dict[tuple[str, str], list[str]] = {}
    for category in directory.categories:
        classes.setdefault((category.kind, category.big_zh), []).append(category.code)
    for (_, big_zh), codes in classes.items():
        if len(codes) > 1 and wanted >= set(codes):
            wanted -= set(codes)
            yield f"{big_zh}（{codes[0]}…{codes[-1]}）"
    yield from (each for each in subjects if each in wanted)


def _some(names: Sequence[str], most: int | None) -> str:
    shown = "、".join(names[:most])
    return shown if most is None or len(names) <= most else f"{shown} 等 {len(names)} 个 in all"


def _tie(tie: Tie) -> str:
    if tie.same:
        return f"重复 tie: {'、'.join(tie.rows)}: 条件与结果相同，可删 the same twice"
    return f"重复 tie: {'、'.join(tie.rows)}: 条件相同而结果不同，仅凭编号取 {tie.rows[0]} it wins by its id alone"


def _remark(remark: Remark) -> str:
    harmless = remark.why in HARMLESS
    kind = "提示 note" if harmless else "失效 row"
    by = f": {'、'.join(remark.by[:_MOST])}" if remark.by else ""
    return f"{kind}: {remark.row}: {' '.join(WHY[remark.why])}{by}"
