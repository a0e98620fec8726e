"""What the commands that look after a running installation need: its cases and its database, or one line why not."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from upkeep.pool import Progress
    from workflows.client import CaseEngine

_T = TypeVar("_T")
_EVERY = 5.0  # seconds between lines where there is no terminal
_INTERRUPTED = 130  # as shells have it
#: By what `store.migrate.check` finds.
_UNFIT = {
    "empty": "数据库尚未建表，请运行 rectify migrate。 the database has no tables: run `rectify migrate`",
    "behind": "数据库版本过旧，请运行 rectify migrate。 the database is behind this release: run `rectify migrate`",
    "ahead": "数据库来自更新的版本，请升级本程序。 the database is of a newer release: upgrade this one",
}

Data = Annotated[Path | None, typer.Option(help="数据目录 data folder (RECTIFY_DATA)")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]


class Stop(Exception):
    """Its text is the one line that says why it cannot be done."""


def run(work: Callable[[], Awaitable[_T]]) -> _T:
    """Ends the command with 2 and one line where the installation cannot be asked, with 130 on Ctrl-C."""
    from pydantic import ValidationError
    from sqlalchemy.exc import SQLAlchemyError
    from temporalio.service import RPCError

    from encryption.sealed import Unreadable
    from upkeep.audit import NoAnswer

    async def working() -> _T:
        return await work()

    try:
        return asyncio.run(working())
    except KeyboardInterrupt:
        typer.echo("已中断，可重跑。 interrupted; run it again", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    except Stop as stop:
        why = str(stop)
    except NoAnswer:
        why = "没有工作进程应答，请先启动 rectify worker。 no worker answers for any case: start one"
    except Unreadable as error:
        why = f"无法解密 Temporal 中的内容（RECTIFY_PAYLOAD_KEYS）。 cannot decrypt what lies in Temporal: {error}"
    except ValidationError as error:
        why = f"设置有误 settings: {error.errors(include_url=False)[0]['msg']}"
    except RPCError as error:
        why = f"Temporal 出错。 Temporal failed: {error.message[:160]}"
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        why = f"无法读写数据库。 cannot use the database: {_first_line(error)}"
    typer.echo(why, err=True)
    raise typer.Exit(2)


@asynccontextmanager
async def installation(data: Path | None) -> AsyncIterator[tuple["CaseEngine", "AsyncEngine"]]:
    """Raises Stop if either is not there."""
    import worker
    from encryption.ring import BadRing
    from settings import installed
    from workflows.client import CaseEngine

    settings = installed(data)
    async with database(data) as opened:
        try:
            client = await worker.connect(settings)
        except BadRing as error:
            raise Stop(str(error)) from None
        except (RuntimeError, OSError, ValueError) as error:
            where = f"{settings.temporal_address}, RECTIFY_TEMPORAL_ADDRESS"
            raise Stop(f"无法连接 Temporal（{where}）。 cannot reach Temporal: {_first_line(error)}") from None
        yield CaseEngine(client, task_queue=settings.task_queue, timeout=timedelta(seconds=15)), opened


@asynccontextmanager
async def database(data: Path | None) -> AsyncIterator["AsyncEngine"]:
    """Raises Stop if there is none, or one of another release. Never makes one."""
    from settings import installed
    from store.database import open_engine

    settings = installed(data)
    _check(settings.database)
    opened = open_engine(settings.database)
    try:
        yield opened
    finally:
        await opened.dispose()


def refuse_unfit(url: str) -> None:
    """For `serve` and `worker`: ends the command, with 2 and one line, on a database that is not of this release.

    One that does not answer is let pass: it may come back, and they can wait.
    """
    from sqlalchemy.exc import OperationalError, SQLAlchemyError

    from store import migrate

    try:
        state = migrate.check(url)
    except OperationalError:
        return
    except (SQLAlchemyError, ValueError) as error:
        why = f"无法打开数据库。 cannot open the database: {_first_line(error)}"
    else:
        if state == "current":
            return
        why = _UNFIT[state]
    typer.echo(why, err=True)
    raise typer.Exit(2)


def refuse_bad_keys(ring: Path | None) -> None:
    """For `serve` and `worker`: ends the command, with 2 and one line, where the key ring that is set is no good."""
    if ring is None:
        return
    from encryption.ring import BadRing, load

    try:
        load(ring)
    except BadRing as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _check(url: str) -> None:
    from sqlalchemy import make_url
    from sqlalchemy.exc import SQLAlchemyError

    from store import migrate

    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
            raise Stop(f"没有数据库 {parsed.database}，请用 --data 指定。 there is no database; use --data")
        state = migrate.check(url)
    except (SQLAlchemyError, ValueError) as error:
        raise Stop(f"无法打开数据库。 cannot open the database: {_first_line(error)}") from None
    if state != "current":
        raise Stop(_UNFIT[state])


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:160]


@contextmanager
def progress(verb: str) -> Iterator["Progress"]:
    """On standard error: a bar on a terminal; elsewhere a line every few seconds."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    if not sys.stderr.isatty():
        yield _lines(verb)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(verb, total=None)
        yield lambda done, goal: bar.update(task, completed=done, total=goal)


def _lines(verb: str) -> "Progress":
    said = time.monotonic()

    def say(done: int, goal: int) -> None:
        nonlocal said
        if time.monotonic() - said >= _EVERY:
            said = time.monotonic()
            typer.echo(f"{verb} {done}/{goal}", err=True)

    return say
