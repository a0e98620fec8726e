"""`rectify migrate`: brings the tables to what this release expects, before its processes start."""

from pathlib import Path

import typer

from commands.installation import Data, Stop, run


def migrate(data: Data = None) -> None:
    """升级数据库 Make the tables, or bring them up to this release. Safe to repeat. Exit 2: they were left alone."""
    before, after = run(lambda: _migrated(data))
    if before == after:
        typer.echo(f"数据库已是最新（{after}）。 the database is up to date: {after}")
    else:
        typer.echo(f"数据库已升级：{before or '空'} → {after}。 the database went from {before or 'empty'} to {after}")


async def _migrated(data: Path | None) -> tuple[str | None, str]:
    """The revisions before and after. Stop if a newer release wrote it."""
    from settings import installed
    from store import migrate as store

    url = installed(data).database
    try:
        make_folder(url)
        before = store.current(url)
        store.upgrade(url)
    except ValueError as error:
        raise Stop(f"无法打开数据库。 cannot open the database: {error}") from None
    except RuntimeError:
        raise Stop(
            f"数据库（{before}）来自更新的版本，未作改动。 the database is of a newer release ({before}) "
            f"than this one ({store.head()}) and was left alone"
        ) from None
    return before, store.head()


def make_folder(url: str) -> None:
    from sqlalchemy import make_url

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
