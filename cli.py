"""The `rectify` command: one sub-command per file in `commands/`."""

import typer

from commands.deadline import deadline
from commands.policy import app as policy

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def rectify() -> None:
    """城市问题整改案卷引擎 The engine for rectification cases."""


# Unknown options are let through to the arguments: a limit of -1 is a bad limit, not an option.
app.command("deadline", context_settings={"ignore_unknown_options": True})(deadline)
app.add_typer(policy, name="policy")


def main() -> None:
    app()
