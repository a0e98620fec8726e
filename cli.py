"""The `rectify` command: one sub-command per file in `commands/`."""

import typer

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


def main() -> None:
    app()
