"""Ports: taken ones are found before anything starts, and servers are waited for until they answer."""

import asyncio
import socket
from contextlib import ExitStack
from http import HTTPStatus

from embedded.refusals import Refusal

_TRY_AGAIN = 0.03
_PATIENCE = 2.0


def refuse_taken(wanted: dict[str, tuple[str, int]]) -> None:
    """`wanted`: what needs which address, as `option: (host, port)`. Refusal for the first that is not free."""
    with ExitStack() as held:  # all at once: two of ours must not want the same one
        for option, (host, port) in wanted.items():
            try:
                held.enter_context(_bound(host, port))
            except OSError as error:
                raise _taken(option, host, port, error) from error


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just closed is free
        bound.bind(address)
        bound.listen(1)
    except OSError:
        bound.close()
        raise
    return bound


def _taken(option: str, host: str, port: int, error: OSError) -> Refusal:
    return Refusal(
        f"无法使用 {host} 的端口 {port},可能已被占用;可用 {option} 另选。",
        f"cannot listen on {host}:{port}: {error.strerror}; choose another with {option}",
    )


async def listening(host: str, port: int) -> None:
    """Returns once somebody accepts connections there."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(_TRY_AGAIN)
        else:
            writer.close()
            return


async def healthy(host: str, port: int, path: str) -> None:
    """Returns once a GET is answered with 200."""
    while True:
        try:
            async with asyncio.timeout(_PATIENCE):
                if await _status(host, port, path) == HTTPStatus.OK:
                    return
        except (OSError, ValueError, TimeoutError):
            pass
        await asyncio.sleep(_TRY_AGAIN)


async def _status(host: str, port: int, path: str) -> int:
    """By hand: an HTTP client takes longer to import than the server to answer."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return int((await reader.readline() + b" 0 ").split()[1])
    finally:
        writer.close()
