"""What `rectify import cases` does: puts the pieces together, and says how it goes."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.service import RPCError

import worker
from directory.calendars import snapshot
from directory.places import Places
from directory.reporting import City
from directory.rules import default_ladder, default_policy
from domain.errors import Unavailable
from domain.policy import Rules
from domain.record import Record
from domain.sentences import sentence
from encryption.ring import BadRing
from ledger.founding import calendar_for, enlarged, founded
from ledger.mapping import BadMap, Map, parse_map
from ledger.reading import BadLedger, LedgerFile
from ledger.refusals import RefusedFile
from ledger.run import Engine, Run, Tally
from settings import Settings, installed
from store import directory as store
from store import migrate
from store.cases import known
from store.database import open_engine, refresh_statistics
from store.recorder import Recorder
from workflows.client import CaseEngine

_EVERY = 5.0  # seconds between lines where there is no terminal
_RECORDING_TIMEOUT = 60.0  # seconds; nobody waits at a counter


class Stop(Exception):
    """Its text is the one line that says why nothing can be imported."""


def import_cases(file: Path, map_file: Path, refused: Path, data: Path | None, create_missing: bool) -> None:
    """Raises Stop for what prevents it, KeyboardInterrupt after a summary of what was done."""
    plan = _map(map_file)
    settings = _settings(data)
    if refused.resolve() in {file.resolve(), map_file.resolve()}:
        raise Stop(f"拒收文件不能是 {refused} 本身。 --refused must name another file")
    with _ledger(file, plan) as ledger:
        asyncio.run(_run(_Job(file, plan, ledger, refused, create_missing), settings))


@dataclass(frozen=True, slots=True)
class _Job:
    file: Path
    plan: Map
    ledger: LedgerFile
    refused: Path
    create_missing: bool


# --- what is needed, or one line that says what is missing ---


def _map(path: Path) -> Map:
    try:
        return parse_map(path.read_text(encoding="utf-8-sig"))
    except BadMap as bad:
        raise Stop(f"映射 {path} 有误 the map is wrong:\n{bad}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"无法读取映射 {path}。 cannot read the map: {_why(error)}") from None


def _ledger(path: Path, plan: Map) -> LedgerFile:
    try:
        return LedgerFile(path, plan.file, plan.columns)
    except BadLedger as bad:
        raise Stop(str(bad)) from None
    except OSError as error:
        raise Stop(f"无法读取台账 {path}。 cannot read the ledger: {_why(error)}") from None


@contextmanager
def _refusals(path: Path, ledger: LedgerFile) -> Iterator[RefusedFile]:
    try:
        with RefusedFile(path, ledger.header) as refusals:
            yield refusals
    except OSError as error:
        raise Stop(f"无法写入 {path}，请用 --refused 指定。 cannot write, use --refused: {_why(error)}") from None


def _settings(data: Path | None) -> Settings:
    try:
        return installed(data)
    except ValidationError as error:
        raise Stop(f"设置有误 settings: {error.errors(include_url=False)[0]['msg']}") from None


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


# --- the run ---


async def _run(job: _Job, settings: Settings) -> None:
    engine = await _engine(settings)
    async with _database(settings) as database:
        city = await _city(job, database)
        archive = SqlArchive(database, Recorder(database, timeout=_RECORDING_TIMEOUT))
        with _refusals(job.refused, job.ledger) as refused:
            run = Run(job.plan, city, engine=engine, archive=archive, refused=refused, now=lambda: datetime.now(UTC))
            await _take(run, job)
        with suppress(SQLAlchemyError):  # the rows are in; the API will count them when it starts
            await refresh_statistics(database)


async def _take(run: Run, job: _Job) -> None:
    """However it ends, the summary says what was done."""
    began, how = time.monotonic(), "已中断，可重跑 interrupted; run it again"
    try:
        with _shown(run.tally, job.ledger):
            await run.take(job.ledger.rows())
        how = "导入完成 import finished"
    except Unavailable as outage:
        how = "已中止，可重跑 stopped; run it again"
        raise Stop(_sentence(outage.code)) from None
    finally:
        _summary(run.tally, time.monotonic() - began, job.refused, how)


def _sentence(code: str) -> str:
    return f"{sentence(code, {}, 'zh')} {sentence(code, {}, 'en')}"


async def _engine(settings: Settings) -> Engine:
    try:
        client = await worker.connect(settings)
    except BadRing as error:
        raise Stop(str(error)) from None
    except (RPCError, RuntimeError, OSError, ValueError) as error:
        where = settings.temporal_address
        raise Stop(f"无法连接 Temporal（{where}）。 cannot reach Temporal: {str(error)[:120]}") from None
    return CaseEngine(client, task_queue=settings.task_queue, timeout=timedelta(seconds=15))


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[AsyncEngine]:
    try:
        migrate.upgrade(settings.database)
        database = open_engine(settings.database)
    except (SQLAlchemyError, RuntimeError, ValueError) as error:
        raise Stop(f"无法打开数据库。 cannot open the database: {str(error).splitlines()[0][:160]}") from None
    try:
        yield database
    finally:
        await database.dispose()


@dataclass(frozen=True, slots=True)
class SqlArchive:
    """Where the run writes history, and looks whether a row is there already."""

    database: AsyncEngine
    recorder: Recorder

    async def record(self, record: Record) -> None:
        await self.recorder.record(record)

    async def known(self, ids: Collection[str]) -> set[str]:
        return await known(self.database, ids)


async def _city(job: _Job, database: AsyncEngine) -> City:
    """The city as it is stored; with `--create-missing` after what the ledger needs has been added to it."""
    if job.create_missing:
        await _found(job, database)
    try:
        directory = await store.load(database)
        policy, ladder, calendar = await store.current_rules(database)
    except LookupError:
        raise Stop("还没有城市。请加 --create-missing。 There is no city yet: use --create-missing.") from None
    rules = Rules(policy=policy, ladder=ladder, calendar=snapshot(calendar, datetime.now(UTC)))
    return City(directory, Places(directory), rules)


async def _found(job: _Job, database: AsyncEngine) -> None:
    founding = await store.is_empty(database)
    if founding and job.plan.city is None:
        raise Stop("city: 缺少此项，请补上。 there is no city yet, and the map has no [city] to found one")
    if founding and job.plan.city is not None:
        before = founded(job.plan.city)
        rules = calendar_for(job.plan.city), default_policy(), default_ladder()
    else:
        before = await store.load(database)
        policy, ladder, calendar = await store.current_rules(database)
        rules = calendar, policy, ladder
    with _ledger(job.file, job.plan) as ledger:
        after = enlarged(before, job.plan, ledger.rows())
    if founding or after is not before:
        await store.save(database, after, *rules)
        _say_founded(len(after.areas) - len(before.areas), len(after.units) - len(before.units), after.city_zh)


def _say_founded(areas: int, units: int, city: str) -> None:
    typer.echo(f"{city}: 新建辖区 {areas} 个、单位 {units} 个 · created {areas} areas, {units} units", err=True)


# --- what people see ---


@contextmanager
def _shown(tally: Tally, ledger: LedgerFile) -> Iterator[None]:
    """A bar on a terminal; elsewhere a line every few seconds."""
    terminal = sys.stderr.isatty()
    task = asyncio.get_running_loop().create_task(_bar(tally, ledger) if terminal else _lines(tally, ledger))
    try:
        yield
    finally:
        task.cancel()


async def _bar(tally: Tally, ledger: LedgerFile) -> None:
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=max(ledger.size, 1))
        try:
            while True:
                progress.update(task, completed=ledger.done, description=_short(tally))
                await asyncio.sleep(0.2)
        finally:
            progress.update(task, completed=ledger.done, description=_short(tally))


async def _lines(tally: Tally, ledger: LedgerFile) -> None:
    while True:
        await asyncio.sleep(_EVERY)
        typer.echo(f"{ledger.done / max(ledger.size, 1):4.0%} {_counts(tally)}", err=True)


def _short(tally: Tally) -> str:
    """Leaves room for the bar on 80 columns."""
    return f"{tally.rows} 行 rows · 拒收 refused {tally.refused.total()}"


def _counts(tally: Tally) -> str:
    refused = tally.refused.total()
    return (
        f"读 rows {tally.rows} · 立案 opened {tally.opened} · 归档 archived {tally.archived} · "
        f"已有 known {tally.already} · 拒收 refused {refused}"
    )


def _summary(tally: Tally, seconds: float, refused: Path, how: str) -> None:
    lines = [
        how,
        f"  读取 rows read      {tally.rows}",
        f"  立案 opened         {tally.opened}",
        f"  归档 archived       {tally.archived}",
        f"  已有 already there  {tally.already}",
        f"  拒收 refused        {tally.refused.total()}",
        *(f"    {code}  {number}" for code, number in tally.refused.most_common()),
        f"  用时 seconds        {seconds:.1f}",
        f"  每秒 rows/second    {tally.rows / max(seconds, 0.001):.0f}",
    ]
    if tally.refused:
        lines.append(f"  拒收的行见 refused rows: {refused}")
    typer.echo("\n".join(lines))
