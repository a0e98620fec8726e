"""The plan follows from the seed, and from nothing else."""

import asyncio

import pytest

from chaos.monkey import CALM, KINDS, plan
from chaos.proxy import Mood, Proxy


class TestThePlan:
    def test_is_the_same_for_the_same_seed(self) -> None:
        assert plan(7, 120, server=True) == plan(7, 120, server=True)

    def test_is_another_for_another_seed(self) -> None:
        assert plan(7, 120, server=True) != plan(8, 120, server=True)

    def test_has_every_kind_once_before_any_comes_again(self) -> None:
        first = [trouble.kind for trouble in plan(7, 600, server=True)][: len(KINDS)]
        assert sorted(first) == sorted(KINDS)

    def test_kills_no_server_where_there_is_none(self) -> None:
        kinds = {trouble.kind for trouble in plan(7, 600, server=False)}
        assert kinds == KINDS.keys() - {"kill-database", "freeze-database"}

    def test_leaves_a_moment_before_and_after(self) -> None:
        troubles = plan(7, 60, server=True)
        assert troubles[0].at >= CALM
        assert troubles[-1].at + troubles[-1].seconds <= 60 - CALM

    def test_can_be_confined(self) -> None:
        assert {trouble.kind for trouble in plan(7, 60, server=True, only=frozenset({"kill-api"}))} == {"kill-api"}


class TestTheNetwork:
    async def _asked(self, mood: Mood) -> tuple[list[bytes], bytes | None]:
        """What arrived there, and what came back: None if nothing came in time."""
        arrived: list[bytes] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrived.append(await reader.readline())
            writer.write(b"yes\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        proxy = Proxy("127.0.0.1", server.sockets[0].getsockname()[1])
        if mood != "whole":
            proxy.spoil(mood)
        async with server, proxy.listening("127.0.0.1") as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"please\n")
            try:
                back = await asyncio.wait_for(reader.readline(), 0.3)
            except TimeoutError:
                return arrived, None
            finally:
                writer.close()
        return arrived, back

    @pytest.mark.parametrize(("mood", "back"), [("whole", b"yes\n"), ("cut", b""), ("silent", None)])
    async def test_carries_every_request_and_not_every_answer(self, mood: Mood, back: bytes | None) -> None:
        assert await self._asked(mood) == ([b"please\n"], back)
