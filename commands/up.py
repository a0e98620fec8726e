"""`rectify up`: everything on this machine, from one folder."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from embedded.folder import Folder
from embedded.refusals import Refusal
from settings import TEMPORAL_ADDRESS, Settings


def up(
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="数据目录 data folder")] = None,
    host: Annotated[str | None, typer.Option(help="接口地址 address of the API")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="接口端口 port of the API")] = None,
    temporal_port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Temporal 端口 its port; its web UI is 1000 above")
    ] = None,
    time_travel: Annotated[
        bool | None,
        typer.Option("--time-travel/--no-time-travel", help="允许拨快案卷时钟 lets a case's clock be moved"),
    ] = None,
) -> None:
    """启动全部服务 Temporal, worker and API in one, with a demonstration city on first start. Exit 2: cannot start."""
    given = {"data": data, "host": host, "port": port, "temporal_port": temporal_port, "time_travel": time_travel}
    try:
        settings = _settings({name: value for name, value in given.items() if value is not None})
        folder = Folder(settings.data)
        with folder.taken():
            _run(settings, folder)
    except Refusal as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(2) from None


def _settings(given: dict[str, Any]) -> Settings:
    try:
        settings = Settings(**given)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise Refusal(f"设置 {where} 有误。", f"bad setting {where}: {problem['msg']}") from None
    address = f"127.0.0.1:{settings.temporal_port}"
    origin = settings.temporal_ui_origin or f"http://127.0.0.1:{settings.temporal_ui_port}"
    ours = {"temporal_address": address, "temporal_tls": False, "temporal_api_key": None, "deployment": None}
    ours["temporal_ui_origin"] = origin
    return settings.model_copy(update=ours)


def _run(settings: Settings, folder: Folder) -> None:
    import logs
    from embedded import ports, temporal_server
    from embedded.children import GaveUp
    from embedded.supervisor import programs, supervise
    from workflows.attributes import REGISTERED

    logs.configure(settings)
    _check_keys(settings)
    wanted_ports = {
        "--port": (settings.host, settings.port),
        "--temporal-port": (temporal_server.HOST, settings.temporal_port),
        "--temporal-port (UI)": (temporal_server.HOST, settings.temporal_ui_port),
    }
    if settings.worker_metrics_address:
        host, _, port = settings.worker_metrics_address.rpartition(":")
        wanted_ports["RECTIFY_WORKER_METRICS_ADDRESS"] = (host, int(port))
    ports.refuse_taken(wanted_ports)
    temporal_server.trim_log(folder)
    wanted = programs(settings, folder, REGISTERED)
    _prepare(settings, folder)
    (folder.path / TEMPORAL_ADDRESS).write_text(settings.temporal_address + "\n")
    if folder.restored.exists():
        typer.echo("恢复后首次启动，先按 Temporal 重建列表。 restored: the lists are made to agree with Temporal first")
    try:
        asyncio.run(supervise(settings, folder, wanted, lambda: _announce(settings, folder)))
    except GaveUp as gave_up:
        typer.echo(_failure(gave_up.program.name, gave_up.code, folder), err=True)
        raise typer.Exit(1) from None
    typer.echo("已停止。 stopped")


def _check_keys(settings: Settings) -> None:
    if settings.payload_keys is None:
        return
    from encryption.ring import BadRing, load

    try:
        load(settings.payload_keys)
    except BadRing as error:
        raise Refusal(error.chinese, error.english) from None


def _prepare(settings: Settings, folder: Folder) -> None:
    """Tables, and on first start a city."""
    from sqlalchemy.exc import SQLAlchemyError

    from embedded.seed import as_table, seed
    from store import migrate

    try:
        state = migrate.check(settings.database)
    except (SQLAlchemyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise Refusal("无法打开数据库。", f"cannot open the database: {reason}") from None
    if state == "ahead":
        raise folder.newer("its database")
    migrate.upgrade(settings.database)
    credentials = asyncio.run(seed(settings.database, folder))
    if credentials:
        typer.echo("示范城市已建立,令牌如下。 a demonstration city was made; its tokens, shown once:")
        for line in as_table(credentials):
            typer.echo(f"  {line}")


def _announce(settings: Settings, folder: Folder) -> None:
    api = f"http://{settings.host}:{settings.port}"
    lines = {
        "已就绪 ready": "",
        "接口 API": f"{api}/api/v1",
        "文档 docs": f"{api}/docs",
        "Temporal UI": f"http://127.0.0.1:{settings.temporal_ui_port}",
        **({"解密登录 sign in to decrypt": f"{api}/api/v1/codec/sign-in"} if settings.payload_keys else {}),
        "令牌 tokens": str(folder.tokens),
        "停止 stop": "Ctrl-C",
    }
    for label, value in lines.items():
        typer.echo(f"{label}: {value}" if value else label)


def _failure(child: str, code: int, folder: Folder) -> str:
    where = f"见 {folder.temporal_log} see there" if child == "temporal" else "原因见上 the reason is above"
    return f"{child} 无法启动,已放弃(退出码 {code})。 {child} does not start, gave up (exit code {code}): {where}"
