"""`rectify user`: passwords, sessions, and who somebody is to an OIDC provider. Who there is, the directory says."""

import secrets
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from commands.installation import AsJson, Data, Stop, database, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.identities import Linked
    from store.passwords import Door
    from store.tokens import Listed

_BYTES = 12  # of a password that is made up: 96 bits

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="用户名 id of a user in the directory")]
Issuer = Annotated[
    str | None, typer.Option(help="认证服务 issuer of the provider; default: RECTIFY_OIDC_ISSUER", show_default=False)
]

app = typer.Typer(no_args_is_help=True, help="用户的登录 How users sign in.")


@app.callback()
def user() -> None:
    """用户的登录 How users sign in."""


@app.command()
def password(
    login: Login,
    made_up: Annotated[bool, typer.Option("--made-up", help="随机生成并显示 make one up, and print it")] = False,
    lasting: Annotated[bool, typer.Option("--lasting", help="不要求首次修改 need not be changed at sign-in")] = False,
    data: Data = None,
) -> None:
    """设置密码 Set a password, from standard input or asked for; all sessions end. Exit 2: it was not."""
    given = secrets.token_urlsafe(_BYTES) if made_up else _asked()

    async def work() -> int:
        from directory.passwords import check
        from domain.errors import Invalid
        from domain.sentences import sentence
        from store import passwords
        from store.hashing import Hasher

        try:
            check(login, given)
        except Invalid as error:
            said = (sentence(error.code, error.params, lang) for lang in ("zh", "en"))
            raise Stop(" ".join(said)) from None
        async with database(data) as opened:
            hashed = await Hasher().hash(given)
            try:
                return await passwords.put(opened, login, hashed, must_change=not lasting)
            except LookupError:
                raise _nobody(login) from None

    ended = run(work)
    if made_up:
        typer.echo(given)
    typer.echo(f"已设置，{ended} 个会话已结束。 set; sessions ended: {ended}", err=made_up)


@app.command()
def unlock(login: Login, data: Data = None) -> None:
    """解除锁定 Let a user try again at once. Exit 2: he has no password."""

    async def work() -> None:
        from store import passwords

        async with database(data) as opened:
            if not await passwords.unlock(opened, login):
                raise Stop(f"用户 {login} 没有密码。 {login} has no password")

    run(work)
    typer.echo("已解锁。 unlocked")


@app.command()
def sessions(login: Login, as_json: AsJson = False, data: Data = None) -> None:
    """列出会话 What opens to a user now: password, sessions, tokens, identities."""

    async def work() -> "tuple[Door | None, Sequence[Listed], Sequence[Linked]]":
        from store import identities, passwords, tokens

        async with database(data) as opened:
            door = await passwords.door(opened, login)
            listed = await tokens.listing(opened, login, datetime.now(UTC))
            return door, listed, await identities.of_user(opened, login)

    door, listed, linked = run(work)
    if as_json:
        import orjson

        found = {
            "password": door and door._asdict(),
            "tokens": [each._asdict() for each in listed],
            "identities": [each._asdict() for each in linked],
        }
        typer.echo(orjson.dumps(found).decode())
        return
    _print(door, listed, linked)


@app.command()
def revoke(
    login: Login,
    token_id: Annotated[str | None, typer.Argument(metavar="ID", help="会话 id, from `rectify user sessions`")] = None,
    data: Data = None,
) -> None:
    """结束会话 End a session, or all sessions and tokens; felt within seconds. Exit 2: there is none such."""

    async def work() -> int:
        from store import tokens

        async with database(data) as opened:
            if token_id is None:
                return await tokens.revoke_all(opened, login)
            if not await tokens.revoke_id(opened, login, token_id):
                raise Stop(f"没有会话 {token_id}。 {login} has no session {token_id}")
            return 1

    ended = run(work)
    typer.echo(f"已结束 {ended} 个。 ended: {ended}")


@app.command()
def link(
    login: Login,
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="认证服务中的 sub what the provider calls him")],
    issuer: Issuer = None,
    data: Data = None,
) -> None:
    """关联账号 Bind a user to his account at the provider. Exit 2: it was not."""

    async def work() -> None:
        from store import identities

        async with database(data) as opened:
            try:
                await identities.link(opened, _issuer(issuer), subject, login)
            except LookupError:
                raise _nobody(login) from None
            except identities.Taken:
                raise Stop(
                    "该用户或该账号已有关联。 the user or the account is bound already: unlink it first"
                ) from None

    run(work)
    typer.echo("已关联。 linked")


@app.command()
def unlink(login: Login, data: Data = None) -> None:
    """解除关联 Unbind a user from every provider; his sessions end. Exit 2: he was bound to none."""

    async def work() -> None:
        from store import identities

        async with database(data) as opened:
            if not await identities.unlink(opened, login):
                raise Stop(f"用户 {login} 没有关联。 {login} is bound to no account")

    run(work)
    typer.echo("已解除。 unlinked")


def _asked() -> str:
    """Typed twice at a terminal; elsewhere the first line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    said: str = typer.prompt("密码 Password", hide_input=True, confirmation_prompt="再次输入 Again")
    return said


def _issuer(given: str | None) -> str:
    from settings import Settings

    found = given or Settings().oidc_issuer
    if not found:
        raise Stop("没有设置认证服务（RECTIFY_OIDC_ISSUER）。 no provider is set: use --issuer")
    return found


def _nobody(login: str) -> Stop:
    return Stop(f"没有用户 {login}，或已停用。 there is no user {login}, or he is retired")


def _print(door: "Door | None", listed: "Sequence[Listed]", linked: "Sequence[Linked]") -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE)
    for heading in ("id", "类型 kind", "开始 since", "使用 used", "到期 until"):
        table.add_column(heading, overflow="fold")
    for each in listed:
        table.add_row(each.id, each.kind, *map(_minute, (each.issued_at, each.used_at, each.expires_at)))
    typer.echo(f"密码 password: {_state(door)}")
    for one in linked:
        typer.echo(f"账号 account: {one.subject} @ {one.issuer}")
    if listed:
        Console().print(table)


def _state(door: "Door | None") -> str:
    if door is None:
        return "无 none"
    if door.locked_until and door.locked_until > datetime.now(UTC):
        return f"锁定至 locked until {_minute(door.locked_until)}"
    waiting = "，须修改 to be changed" if door.must_change else ""
    return f"{_minute(door.changed_at)}{waiting}"


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "—"
