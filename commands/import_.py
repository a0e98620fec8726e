"""`rectify import cases`: a ledger of another system, taken in."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="从其他系统导入 Take in ledgers of other systems.")

_INTERRUPTED = 130  # as shells have it


@app.callback()
def import_() -> None:
    """从其他系统导入 Take in ledgers of other systems."""


@app.command()
def cases(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="台账 CSV the ledger")],
    map_file: Annotated[Path, typer.Option("--map", metavar="MAP.toml", help="映射，见 see docs/import.md")],
    create_missing: Annotated[
        bool, typer.Option("--create-missing", help="补建辖区、单位 create areas and units from the columns")
    ] = False,
    refused: Annotated[
        Path | None, typer.Option(metavar="CSV", help="拒收的行 refused rows; default: FILE.refused.csv")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="数据目录 data folder (RECTIFY_DATA)")] = None,
) -> None:
    """导入台账 Import a ledger. Safe to repeat. Exit 0: done, refusals included; 2: it cannot be read or written."""
    from commands.importing import Stop, import_cases

    try:
        import_cases(file, map_file, refused or file.with_name(file.name + ".refused.csv"), data, create_missing)
    except Stop as stop:
        typer.echo(str(stop), err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
