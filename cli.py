"""The `rectify` command: one sub-command per file in `commands/`."""

import logging
import os
import sys

import typer

from commands.audit import audit
from commands.backup import backup
from commands.calendar import app as calendar
from commands.catalogue import app as catalogue
from commands.deadline import deadline
from commands.demo import demo
from commands.directory import app as directory
from commands.import_ import app as import_
from commands.keys import app as keys
from commands.migrate import migrate
from commands.notices import app as notices
from commands.policy import app as policy
from commands.publications import app as publications
from commands.rebuild import rebuild
from commands.restore import restore
from commands.routing import app as routing
from commands.serve import serve
from commands.synth import synth
from commands.token import app as token
from commands.up import up
from commands.user import app as user

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def rectify() -> None:
    """城市问题整改案卷引擎 The engine for rectification cases."""


# Unknown options are let through to the arguments: a limit of -1 is a bad limit, not an option.
app.command("deadline", context_settings={"ignore_unknown_options": True})(deadline)
app.command("demo")(demo)
app.command("migrate")(migrate)
app.command("audit")(audit)
app.command("rebuild")(rebuild)
app.command("backup")(backup)
app.command("restore")(restore)
app.add_typer(calendar, name="calendar")
app.add_typer(policy, name="policy")
app.add_typer(catalogue, name="catalogue")
app.add_typer(routing, name="routing")
app.add_typer(publications, name="publications")
app.add_typer(directory, name="directory")
app.add_typer(token, name="token")
app.add_typer(user, name="user")
app.add_typer(keys, name="keys")
app.add_typer(notices, name="notices")
app.add_typer(import_, name="import")
app.command("serve")(serve)
app.command("synth")(synth)
app.command("up")(up)


@app.command()
def worker() -> None:
    """执行案卷流程 The worker, set up by RECTIFY_… variables (docs/settings.md). SIGTERM: hands in its work first."""
    from commands.worker import run

    run()


@app.command()
def notify() -> None:
    """发送通知 Sends notices through their channels, set up by RECTIFY_… variables. SIGTERM: ends in 2 s."""
    from commands.notify import run

    run()


def main() -> None:
    """Nothing a command writes is for others to read: residents' reports lie in the data folder."""
    os.umask(0o077)
    try:
        app()
    finally:
        _leave()


def _leave() -> None:
    """With the true exit code. Temporal's native threads may still run, and abort an interpreter that tidies up."""
    if "temporalio.bridge.temporal_sdk_bridge" not in sys.modules:
        return
    ending = sys.exc_info()[1]
    code = ending.code if isinstance(ending, SystemExit) else None
    if isinstance(ending, SystemExit) and (code is None or isinstance(code, int)):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


if __name__ == "__main__":
    main()
