"""`rectify token`: lets a user of the directory in, and shuts a token out."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from commands.installation import Data, Stop, database, run

_LONGEST = 36_500  # days

app = typer.Typer(no_args_is_help=True, help="访问令牌 Tokens for the API.")


@app.callback()
def token() -> None:
    """访问令牌 Tokens for the API."""


@app.command()
def issue(
    user: Annotated[str, typer.Argument(metavar="USER", help="用户 id of a user in the directory")],
    days: Annotated[
        int | None, typer.Option(min=1, max=_LONGEST, help="有效天数 days until it expires; default: never")
    ] = None,
    data: Data = None,
) -> None:
    """发放令牌 Print a new token, this once: only its digest is kept. Exit 2: none was made."""
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None

    async def work() -> str:
        from store import tokens

        async with database(data) as opened:
            try:
                return await tokens.issue(opened, user, expires_at)
            except LookupError:
                raise Stop(f"没有用户 {user}。 there is no user {user}") from None

    typer.echo(run(work))


@app.command()
def revoke(
    given: Annotated[
        str, typer.Argument(metavar="TOKEN", help="令牌；- 从标准输入读取 - reads it from standard input")
    ],
    data: Data = None,
) -> None:
    """吊销令牌 End a token; running APIs notice within seconds. Exit 2: there is none such to end."""
    ended = sys.stdin.readline().strip() if given == "-" else given

    async def work() -> None:
        from store import tokens

        async with database(data) as opened:
            if not await tokens.revoke(opened, ended):
                raise Stop("没有这个有效令牌。 no such token, or it was revoked before")

    run(work)
    typer.echo("已吊销。 revoked")
