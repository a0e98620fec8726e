"""The plan follows from the seed, and from nothing else."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chaos import monkey
from chaos.campaign import Campaign, Order
from chaos.judge.verdict import Verdict
from chaos.monkey import CALM, KINDS, kinds_for, plan
from chaos.proxy import Mood, Proxy
from chaos.stack import CHILDREN
from workflows.interface import RECORD_ATTEMPT


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

    @pytest.mark.parametrize("server", [True, False])
    def test_has_every_kind_in_a_minute(self, server: bool) -> None:  # noqa: FBT001 - a parameter
        for seed in range(50):
            assert {trouble.kind for trouble in plan(seed, 60, server=server)} == set(kinds_for(server=server))

    def test_has_what_fits_where_not_everything_does(self) -> None:
        assert {trouble.kind for trouble in plan(7, 9, server=True)} >= {"kill-worker", "kill-api", "kill-temporal"}

    def test_is_empty_where_no_kind_is_possible(self) -> None:
        assert plan(7, 60, server=False, only=frozenset({"kill-database"})) == []

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


class Nowhere:
    """A stack, a database and a disk of which nothing runs."""

    def supervisor(self) -> None:
        return None

    def child(self, name: str) -> None:
        assert name in CHILDREN

    def server(self) -> None:
        return None


class TestWhatWasDone:
    @pytest.mark.parametrize("kind", ["kill-api", "kill-database", "kill-everything", "freeze-worker", "disk-full"])
    async def test_is_not_what_had_no_victim(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(monkey, "_LOOK_AGAIN", 0.0)
        nowhere: Any = Nowhere()
        said: list[str] = []
        ours = monkey.Monkey(nowhere, nowhere, nowhere, Proxy("127.0.0.1", 1), said.append)
        await ours.work([monkey.Trouble(0.0, kind, 0.0)])
        assert ours.did == []
        assert "was not there" in said[0]

    @pytest.mark.parametrize(("did", "missed"), [(["kill-api"], ()), ([], ("kill-api",))])
    def test_is_compared_with_what_was_planned(self, did: list[str], missed: tuple[str, ...], tmp_path: Path) -> None:
        order = Order("sqlite", 60, seed=1, only=frozenset({"kill-api"}))
        run: Any = Campaign(order, tmp_path, print)
        run.disk, run.stack = SimpleNamespace(way=""), SimpleNamespace(starts=1)
        outcome = run._outcome(Verdict((), {}), SimpleNamespace(did=did), 0.0)
        assert (outcome.missed, outcome.good) == (missed, not missed)


class TestFreezes:
    @pytest.mark.parametrize("kind", ["freeze-worker", "freeze-temporal"])
    def test_outlast_a_workflow_task_and_an_attempt_to_record(self, kind: str) -> None:
        assert KINDS[kind][0] > max(RECORD_ATTEMPT.total_seconds(), 10.0)
