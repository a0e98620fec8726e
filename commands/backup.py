"""`rectify backup`: the data folder of `rectify up`, of one moment, while everything goes on."""

from pathlib import Path
from typing import Annotated

import typer

from commands.installation import Data
from embedded.refusals import Refusal


def backup(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="备份目录，须尚不存在 folder to make")],
    data: Data = None,
) -> None:
    """在线备份 Back the data folder up, running or not. Exit 2: it could not be, and nothing was left behind."""
    from pydantic import ValidationError

    from embedded.backup import make
    from settings import installed

    try:
        settings = installed(data)
        manifest = make(settings, target)
    except Refusal as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(2) from None
    except ValidationError as error:
        typer.echo(f"设置有误 settings: {error.errors(include_url=False)[0]['msg']}", err=True)
        raise typer.Exit(2) from None
    size = f"{manifest.size / 1e6:.1f} MB"
    typer.echo(f"已备份到 {target}（{manifest.files} 个文件，{size}）。 backed up: {manifest.files} files, {size}")
    typer.echo("内含令牌与个人信息，请妥善保管。 it holds tokens and personal data: keep it as safe as the original")
    if settings.payload_keys is not None:
        typer.echo(
            "不含密钥，须另行保存。 the key ring is not in it: without the keys nobody can read it; keep it elsewhere"
        )
    if manifest.tables is None:
        typer.echo(
            "数据库在 PostgreSQL，未包含在内：请现在用 pg_dump 备份（须在本命令之后）。 "
            "the lists are in PostgreSQL and not in this back-up: dump them with pg_dump now, never before this"
        )
