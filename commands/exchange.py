"""`rectify directory import`, `export` and `template`: the directory as files."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.installation import Data, Stop, database, run

if TYPE_CHECKING:
    from exchange.apply import Result
    from exchange.columns import Table

_SUFFIXES = (".xlsx", ".csv", ".zip", ".geojson")
_BY = "rectify directory import"

Tables = Annotated[list[str] | None, typer.Option("--table", help="只此表，可多次 only this table; may be repeated")]
Out = Annotated[Path, typer.Argument(metavar="FILE", help=".xlsx, .zip (CSV), .csv, .geojson")]


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help=".xlsx, .csv, .zip, .geojson")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查，不写入 look, write nothing")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="表中没有的停用 retire what the sheets do not name")
    ] = False,
    table: Annotated[str | None, typer.Option(help="CSV 或 GeoJSON 所含的表 what a CSV or GeoJSON holds")] = None,
    datum: Annotated[str | None, typer.Option(help="坐标系 wgs84, gcj02, bd09, cgcs2000")] = None,
    report: Annotated[Path | None, typer.Option(metavar="XLSX", help="把问题写入表格 the faults as a workbook")] = None,
    data: Data = None,
) -> None:
    """导入城市目录，全部或全不 Import the directory, all or nothing. Exit 1: faults, nothing changed; 2: unreadable."""
    from directory.positions import parse_datum
    from exchange.apply import bring_in
    from exchange.files import Source
    from exchange.merging import Mode
    from store.directory_bulk import Outdated

    async def work() -> "Result":
        kind = None if table is None else _table(table)
        sources = [Source(_readable(path), path.name, kind) for path in files]
        mode = Mode.REPLACE if replace else Mode.MERGE
        async with database(data) as opened:
            try:
                said = None if datum is None else parse_datum(datum)
                now = datetime.now(UTC)
                return await bring_in(opened, sources, mode=mode, dry_run=dry_run, by=_BY, now=now, datum=said)
            except Outdated:
                raise Stop("导入期间目录被改动，请重试。 the directory was changed meanwhile: try again") from None
            except ValueError as error:
                raise Stop(f"坐标系有误。 {error}") from None

    result = run(work)
    _tell(result, dry_run=dry_run)
    if report is not None:
        _write_report(report, result)
    if not result.report.sound:
        raise typer.Exit(1)


def export(file: Out, tables: Tables = None, data: Data = None) -> None:
    """导出城市目录 Export the directory: all of it, or some tables. Holds personal data."""
    from exchange import writing
    from exchange.apply import everything

    async def work() -> None:
        chosen = _chosen(file, tables)
        async with database(data) as opened:
            before = await everything(opened)
            if before.directory is None:
                raise Stop("还没有城市目录。 there is no directory yet")
            await asyncio.to_thread(writing.write, file, chosen, before.directory, list(before.points.values()))

    run(work)


def template(file: Out, tables: Tables = None) -> None:
    """下载模板 An empty workbook to fill in, with an explanation of every column."""
    from exchange import writing
    from exchange.columns import TABLES

    async def work() -> None:
        if file.suffix != ".xlsx":
            raise Stop("模板为 .xlsx。 a template is an .xlsx file")
        writing.template(file, [_table(name) for name in tables or TABLES])

    run(work)


def _table(name: str) -> "Table":
    from exchange.columns import TABLES, table_of

    if found := table_of(name):
        return found
    raise Stop(f"没有此表，可用 known tables: {'、'.join(each.title for each in TABLES.values())}")


def _chosen(file: Path, tables: list[str] | None) -> "list[Table]":
    from exchange.columns import TABLES

    if file.suffix not in _SUFFIXES:
        raise Stop(f"文件名须以此结尾 name the file with one of {', '.join(_SUFFIXES)}")
    chosen = [_table(name) for name in tables or (["areas"] if file.suffix == ".geojson" else TABLES)]
    if file.suffix in {".csv", ".geojson"} and len(chosen) > 1:
        raise Stop("该格式一次一个表，请用 --table。 one table at a time in this format: use --table")
    if file.suffix == ".geojson" and chosen[0].name not in {"areas", "points"}:
        raise Stop("GeoJSON 只有 areas 或 points。 GeoJSON holds areas or points")
    return chosen


def _readable(path: Path) -> Path:
    if not path.is_file():
        raise Stop(f"没有文件 {path}。 there is no such file")
    return path


def _tell(result: "Result", *, dry_run: bool) -> None:
    report = result.report
    for kind, findings in (("问题", report.faults), ("提醒", report.warnings)):
        for each in findings.listed:
            typer.echo(f"{kind} {each}", err=True)
        if findings.total > len(findings.listed):
            typer.echo(f"…… 共 {findings.total} 条 in all", err=True)
    for name, counted in result.counts.items():
        told = "  ".join(f"{_ACTIONS[action]} {action}: {count}" for action, count in counted.items() if count)
        typer.echo(f"{name}: {told}")
    typer.echo(_verdict(result, dry_run=dry_run))


_ACTIONS = {"create": "新增", "change": "修改", "retire": "停用", "restore": "恢复"}


def _verdict(result: "Result", *, dry_run: bool) -> str:
    if not result.report.sound:
        total = result.report.faults.total
        return f"共 {total} 处问题，什么都没有改动。 {total} faults; nothing was changed"
    if not result.counts:
        return "与现有目录一致，没有改动。 no difference; nothing was changed"
    if dry_run:
        return "检查通过，没有写入。 sound; nothing was written"
    return f"导入完成，目录第 {result.version} 版。 imported; the directory is at version {result.version}"


def _write_report(path: Path, result: "Result") -> None:
    from exchange.writing import report

    try:
        report(path, result.report)
    except OSError as error:
        typer.echo(f"无法写入 {path}。 cannot write: {error.strerror}", err=True)
        raise typer.Exit(2) from None
