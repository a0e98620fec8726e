"""`rectify synth`: fills a database with cases as a city might have had them, to measure what reads them."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.installation import Data, Stop, progress, run

if TYPE_CHECKING:
    from synth.cases import Tally
    from synth.fill import Wanted

_MOST = 10_000_000


def synth(
    cases: Annotated[int, typer.Option(min=1, max=_MOST, metavar="N", help="案卷数 how many cases")],
    seed: Annotated[int, typer.Option(min=0, help="随机种子 the same seed makes the same cases")] = 1,
    data: Data = None,
    database_url: Annotated[
        str | None, typer.Option(metavar="URL", help="数据库 the database; default: the data folder's, or as set")
    ] = None,
    add: Annotated[
        bool, typer.Option("--add", help="库中已有案卷也追加，换一个种子 add to the cases there; take another seed")
    ] = False,
) -> None:
    """生成模拟案卷，仅供测量。 Make synthetic cases, for measurements only. Exit 2: it could not be done.

    没有流程与之对应：rectify audit 会报其在办案卷为多余，rectify rebuild 会将其删除。 No workflows stand behind them:
    `rectify audit` calls the open ones ghosts, and `rectify rebuild` removes them.
    """
    from synth.fill import Wanted

    started = time.monotonic()
    tally = run(lambda: _filled(data, database_url, Wanted(cases, seed, add)))
    typer.echo(_summary(tally, time.monotonic() - started))


async def _filled(data: Path | None, database_url: str | None, wanted: "Wanted") -> "Tally":
    from settings import installed
    from store.bulk import AlreadyThere
    from synth.fill import NotEmpty, fill

    url = database_url or installed(data).database
    _make_ready(url)
    try:
        with progress("生成 making") as shown:
            return await fill(url, wanted, shown)
    except NotEmpty as there:
        raise Stop(
            f"库中已有 {there} 件案卷，未作改动；确要追加请用 --add。 "
            f"there are {there} cases already, nothing was changed; --add adds to them"
        ) from None
    except AlreadyThere:
        raise Stop(
            "这个种子的案卷已在库中，请换 --seed。 the cases of this seed are there: take another --seed"
        ) from None


def _make_ready(url: str) -> None:
    """Makes the tables of a new database. Stop for one of another release."""
    from commands.installation import refuse_unfit
    from commands.migrate import make_folder
    from store import migrate

    try:
        make_folder(url)
        if migrate.check(url) == "empty":
            migrate.upgrade(url)
    except ValueError as error:
        raise Stop(f"无法打开数据库。 cannot open the database: {error}") from None
    refuse_unfit(url)


def _summary(tally: "Tally", seconds: float) -> str:
    return "\n".join(
        (
            f"案卷 cases {tally.cases:,} · 事件 events {tally.events:,} · 用时 seconds {seconds:.0f}",
            f"  在办 open              {tally.open:,}",
            f"  其中超期 of these late  {tally.late:,}",
            "模拟数据仅供测量：没有流程与之对应，rectify audit 会报在办案卷为多余。",
            "synthetic, for measurements: no workflows stand behind them, `rectify audit` calls the open ones ghosts",
        )
    )
