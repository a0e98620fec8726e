"""`rectify restore`: a back-up becomes a data folder again."""

from pathlib import Path
from typing import Annotated

import typer

from embedded.refusals import Refusal


def restore(
    backup: Annotated[Path, typer.Argument(metavar="BACKUP", help="rectify backup 所建的目录 what it made")],
    data: Annotated[Path, typer.Option(metavar="DIR", help="空的数据目录 folder to fill; empty, or not there")],
) -> None:
    """恢复备份 Check a back-up and make a data folder of it. Exit 2: it was not, for the reason given."""
    from embedded.folder import Folder
    from embedded.restore import restore as run

    try:
        manifest = run(backup, Folder(data))
    except Refusal as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(2) from None
    at = f"{manifest.at:%Y-%m-%d %H:%M:%SZ}"
    typer.echo(f"已恢复 {at} 的备份，共 {manifest.files} 个文件。 restored the back-up of {at}: {manifest.files} files")
    if manifest.tables is None:
        typer.echo("列表在 PostgreSQL，请先恢复其转储。 the lists are in PostgreSQL: restore their dump first")
    typer.echo(f"下一步 next: rectify up --data {data}")
    typer.echo(
        "首次启动会先按 Temporal 重建列表。 its first start makes the lists agree with Temporal before it serves"
    )
