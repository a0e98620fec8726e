"""`rectify keys`: the key ring by which payloads in Temporal are encrypted. See docs/encryption.md."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.installation import Data, Stop, progress, run

if TYPE_CHECKING:
    from encryption.ring import Key, Ring
    from settings import Settings

app = typer.Typer(no_args_is_help=True, help="密钥环 The key ring for what lies in Temporal.")

RingFile = Annotated[
    Path | None, typer.Option("--ring", metavar="FILE", help="密钥环文件 the key ring (RECTIFY_PAYLOAD_KEYS)")
]
_IN_USE = 1


@app.callback()
def keys() -> None:
    """密钥环 The key ring for what lies in Temporal."""


@app.command()
def new(ring: RingFile = None) -> None:
    """添加密钥 Add a key. The first of a ring encrypts at once, any other after `rotate`. Prints its id."""
    from encryption.ring import Key

    key = Key.new()
    _edited(ring, lambda before: before.with_key(key) if before.keys else before.with_key(key).encrypting_with(key.id))
    typer.echo(key.id)


@app.command("list")
def show(
    ring: RingFile = None,
    cases: Annotated[bool, typer.Option("--cases", help="统计在办案卷 count the running cases under each key")] = False,
    data: Data = None,
) -> None:
    """列出密钥 The keys, oldest first, and which of them encrypts. Exit 2: it cannot be told."""

    async def work() -> list[str]:
        settings = _settings(ring, data)
        loaded = _loaded(_path(settings))
        counted = await _counted(settings, loaded) if cases else None
        return [_line(loaded, key, counted) for key in loaded.keys]

    for line in run(work):
        typer.echo(line)


@app.command()
def rotate(
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="启用此密钥 one that was added before")] = None,
    ring: RingFile = None,
) -> None:
    """更换密钥 Encrypt with KEY from now on, or with a new one. Old keys go on decrypting. Prints its id."""
    from encryption.ring import Key

    added = None if key else Key.new()

    def change(before: "Ring") -> "Ring":
        if added is not None:
            return before.with_key(added).encrypting_with(added.id)
        return before.encrypting_with(_known(before, key))

    typer.echo(_edited(ring, change, founding=False).current)


@app.command()
def off(ring: RingFile = None) -> None:
    """停止加密 Encrypt no longer; what is encrypted is still read. `rotate KEY` switches it on again."""
    _edited(ring, lambda before: before.encrypting_with(None), founding=False)
    typer.echo("已停止加密，各密钥仍用于解密。 off; the keys still decrypt")


@app.command()
def retire(
    key: Annotated[str, typer.Argument(metavar="KEY")],
    ring: RingFile = None,
    forget_ended: Annotated[
        bool,
        typer.Option("--forget-ended", help="不顾已结束的案卷 even if ended cases in Temporal become unreadable"),
    ] = False,
    data: Data = None,
) -> None:
    """删除密钥 Remove a key for good. Exit 1: Temporal still keeps cases under it; 2: it cannot be told."""

    async def work() -> str | None:
        settings = _settings(ring, data)
        _old(_loaded(_path(settings)), key)
        return await _still_held(settings, key, forget_ended)

    held = run(work)
    if held is not None:
        typer.echo(held, err=True)
        raise typer.Exit(_IN_USE)
    _edited(ring, lambda before: _old(before, key).without(key), founding=False)
    typer.echo(f"已删除 {key}。 retired")


# --- the ring ---


def _edited(option: Path | None, change: "Callable[[Ring], Ring]", *, founding: bool = True) -> "Ring":
    from encryption.ring import BadRing, edit

    async def work() -> "Ring":
        path = _path(_settings(option, None))
        if not founding:
            _loaded(path)
        try:
            return edit(path, change)
        except BadRing as error:
            raise Stop(str(error)) from None

    return run(work)


def _settings(option: Path | None, data: Path | None) -> "Settings":
    from settings import installed

    settings = installed(data)
    return settings if option is None else settings.model_copy(update={"payload_keys": option})


def _path(settings: "Settings") -> Path:
    if settings.payload_keys is None:
        raise Stop("请用 --ring 或 RECTIFY_PAYLOAD_KEYS 指定密钥环。 no key ring is named")
    return settings.payload_keys


def _loaded(path: Path) -> "Ring":
    from encryption.ring import BadRing, load

    try:
        return load(path)
    except BadRing as error:
        raise Stop(str(error)) from None


def _known(ring: "Ring", key: str | None) -> str:
    for each in ring.keys:
        if each.id == key:
            return each.id
    raise Stop(f"密钥环中没有 {key}。 the ring has no such key")


def _old(ring: "Ring", key: str) -> "Ring":
    if _known(ring, key) == ring.current:
        raise Stop("此密钥正在加密，请先更换。 this key encrypts: rotate first")
    return ring


def _line(ring: "Ring", key: "Key", counted: "Counter[str] | None") -> str:
    state = "加密 encrypts" if key.id == ring.current else "仅解密 decrypts"
    cases = "" if counted is None else f"  在办 running {counted[key.id]}"
    return f"{key.id}  {key.created:%Y-%m-%d %H:%M}Z  {state}{cases}"


# --- Temporal ---


async def _counted(settings: "Settings", ring: "Ring") -> "Counter[str]":
    """How many running cases hold payloads under each key."""
    names = [key.id for key in ring.keys]
    return Counter(name for found in await _found(settings, names, running=True) for name in found)


async def _still_held(settings: "Settings", key: str, forget_ended: bool) -> str | None:
    """Who needs the key, in one line."""
    running = len(await _found(settings, [key], running=True))
    if running:
        return f"{running} 件在办案卷仍需此密钥。 running cases still need this key: {running}"
    if not forget_ended and await _found(settings, [key], running=False):
        return (
            "Temporal 仍保存着需此密钥的已结束案卷；等保存期满，或加 --forget-ended。 Temporal still keeps ended cases "
            "under it: wait for its retention, or --forget-ended"
        )
    return None


async def _found(settings: "Settings", keys: list[str], *, running: bool) -> list[frozenset[str]]:
    """By run, the keys that it holds. Of ended runs, the first that holds any is enough."""
    import worker
    from encryption.usage import holders
    from workflows.interface import WORKFLOW

    how = "=" if running else "!="
    query = f"WorkflowType = '{WORKFLOW}' AND TaskQueue = '{settings.task_queue}' AND ExecutionStatus {how} 'Running'"
    try:
        client = await worker.connect(settings)
    except (RuntimeError, OSError) as error:
        where = f"{settings.temporal_address}, RECTIFY_TEMPORAL_ADDRESS"
        raise Stop(f"无法连接 Temporal（{where}）。 cannot reach Temporal: {str(error)[:120]}") from None
    found: list[frozenset[str]] = []
    with progress("查找 looking") as shown:
        async for held in holders(client, query, keys, lambda looked: shown(looked, looked)):
            found.append(held)
            if not running:
                break
    return found
