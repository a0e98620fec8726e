"""`rectify notices`: the channels by which notices leave the house."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from commands.installation import AsJson, Data, Stop, database, run

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from store.channels import Listed
    from store.notices import Channel

Id = Annotated[str, typer.Argument(metavar="ID", help="通道 id of the channel: a-z 0-9 -")]

app = typer.Typer(no_args_is_help=True, help="通知 Notices and the channels they leave by.")
channels = typer.Typer(no_args_is_help=True, help="通道 Channels.")
app.add_typer(channels, name="channels")


@app.callback()
def notices() -> None:
    """通知 Notices and the channels they leave by."""


@channels.command()
def add(
    channel_id: Id,
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="地址；- 从标准输入 Apprise address; - reads it from standard input"),
    ],
    to: Annotated[str, typer.Option(help="unit, officers, dispatcher, supervisor, city")],
    unit: Annotated[str | None, typer.Option(help="只发此单位的通知 only this unit's notices")] = None,
    area: Annotated[str | None, typer.Option(help="只发此辖区的通知 only this area's, with all below it")] = None,
    per_minute: Annotated[int, typer.Option(min=1, max=600, help="每分钟最多几条 messages a minute at most")] = 20,
    data: Data = None,
) -> None:
    """新增或更换通道 Add a channel, or give one another address. Exit 2: it was not."""
    given = sys.stdin.readline().strip() if url == "-" else url
    parts = {"url": given, "audience": to, "unit": unit, "area": area, "per_minute": per_minute}

    async def work() -> bool:
        from store import channels as stored

        async with database(data) as opened:
            channel = await _channel(opened, channel_id, parts)
            try:
                return await stored.put(opened, channel, datetime.now(UTC))
            except LookupError as error:
                raise Stop(f"名录中没有。 {error}") from None

    new = run(work)
    typer.echo(f"通道 {channel_id} {'已新增。 added' if new else '已更换。 changed'}")
    typer.echo(f"下一步 next: rectify notices channels test {channel_id}")


@channels.command("list")
def list_(as_json: AsJson = False, data: Data = None) -> None:
    """列出通道 List the channels with what waits for each; never their addresses."""

    async def work() -> "tuple[Listed, ...]":
        from store import channels as stored

        async with database(data) as opened:
            return await stored.listing(opened, datetime.now(UTC))

    found = run(work)
    if as_json:
        import orjson

        typer.echo(orjson.dumps([each._asdict() for each in found]).decode())
        return
    _print(found)


@channels.command()
def remove(channel_id: Id, data: Data = None) -> None:
    """删除通道 Remove a channel; what waits for it is not sent. Exit 2: there is none such."""

    async def work() -> None:
        from store import channels as stored

        async with database(data) as opened:
            if not await stored.remove(opened, channel_id, datetime.now(UTC)):
                raise _unknown(channel_id)

    run(work)
    typer.echo("已删除。 removed")


@channels.command("test")
def try_(channel_id: Id, data: Data = None) -> None:
    """测试通道 Send a test message now. Exit 1: the receiver refused it."""

    async def work() -> str | None:
        from notices import services, texts
        from store import channels as stored

        async with database(data) as opened:
            channel = await stored.get(opened, channel_id)
        if channel is None:
            raise _unknown(channel_id)
        message = texts.trial()
        return services.send(channel.url, message.title, message.body)

    refusal = run(work)
    if refusal is not None:
        typer.echo(f"未送达 not delivered: {refusal}", err=True)
        raise typer.Exit(1)
    typer.echo("已送达。 delivered")


@channels.command()
def retry(channel_id: Id, data: Data = None) -> None:
    """重发失败的通知 Send again what was given up, and end the channel's rest."""

    async def work() -> int:
        from store import channels as stored

        async with database(data) as opened:
            if await stored.get(opened, channel_id) is None:
                raise _unknown(channel_id)
            return await stored.retry(opened, channel_id, datetime.now(UTC))

    typer.echo(f"重发 {run(work)} 条。 to be sent again")


def _unknown(channel_id: str) -> Stop:
    return Stop(f"没有通道 {channel_id}。 there is no channel {channel_id}")


async def _channel(engine: "AsyncEngine", channel_id: str, parts: dict[str, object]) -> "Channel":
    """Raises Stop, without the address, whatever is wrong with it."""
    from pydantic import ValidationError

    from notices.channels import BadChannel, Named, Wanted, channel
    from store import directory

    try:
        named, wanted = Named.model_validate({"id": channel_id}), Wanted.model_validate(parts)
        area = wanted.area
        if area and not area.startswith("/"):
            area = (await directory.load(engine)).path(area)
        return channel(named.id, wanted, area)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Stop(f"{'.'.join(map(str, first['loc']))} 有误。 {first['msg']}") from None
    except BadChannel as error:
        raise Stop(str(error)) from None
    except LookupError:
        raise Stop(f"名录中没有辖区 {parts['area']}。 there is no such area") from None


def _print(found: "tuple[Listed, ...]") -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    from domain.words import AUDIENCES

    if not found:
        typer.echo("没有通道。 there are no channels")
        return
    table = Table(box=SIMPLE)
    for heading in ("id", "类型 kind", "对象 for", "待发 due", "暂缓 held", "失败 failed", "状态 state"):
        table.add_column(heading, overflow="fold")
    for each in found:
        whom = " ".join(AUDIENCES[each.audience])
        scope = f" {each.unit or each.area}" if each.unit or each.area else ""
        counts = (str(each.due), str(each.held), str(each.failed))
        table.add_row(each.id, each.service, f"{whom}{scope}", *counts, _state(each))
    Console().print(table)


def _state(each: "Listed") -> str:
    if each.error is None:
        return "正常 well"
    again = f"，{each.resume_at:%H:%M:%S} UTC 再试 again" if each.resume_at else ""
    return f"{each.error} ×{each.failures}{again}"
