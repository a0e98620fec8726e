"""Argon2id with the parameters of RFC 9106, in threads that step back for everything else."""

import asyncio
import os
import sys
import threading
from contextlib import AsyncExitStack
from typing import Literal

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from domain.errors import Unavailable
from store.hashing import Hasher
from tests.support.hashing import CHEAP, cheap

PASSWORD = "eleven rusty wheelbarrows"


class TestAHash:
    async def test_is_what_the_rfc_recommends_second(self) -> None:
        found = extract_parameters(await Hasher().hash(PASSWORD))
        assert (found.type, found.version) == (Type.ID, 19)
        assert (found.time_cost, found.memory_cost, found.parallelism) == (3, 65536, 4)
        assert (found.salt_len, found.hash_len) == (16, 32)

    async def test_is_another_each_time(self) -> None:
        first, second = await cheap().hash(PASSWORD), await cheap().hash(PASSWORD)
        assert first != second
        assert PASSWORD not in first

    @pytest.mark.parametrize("typed", ["Ａbcdefghijkl", "cafe\u0301 am Markt", "密码\ud800\u0000 et cetera"])
    async def test_of_what_can_be_typed_is_known_again(self, typed: str) -> None:
        kept = await cheap().hash(typed)
        assert (await cheap().check(typed, kept)).right

    async def test_is_the_same_for_one_word_typed_in_two_ways(self) -> None:
        kept = await cheap().hash("café １２３４５６７")
        assert (await cheap().check("cafe\u0301 1234567", kept)).right


class TestComparing:
    async def test_tells_right_from_wrong(self) -> None:
        kept = await cheap().hash(PASSWORD)
        assert await cheap().check(PASSWORD, kept) == (True, False)
        assert await cheap().check(PASSWORD + " ", kept) == (False, False)
        assert await cheap().check("", kept) == (False, False)

    async def test_tells_what_was_hashed_more_cheaply(self) -> None:
        kept = await cheap().hash(PASSWORD)
        dearer = Hasher(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
        assert await dearer.check(PASSWORD, kept) == (True, True)
        assert await dearer.check("wrong", kept) == (False, False)

    async def test_of_nobody_does_the_same_work_and_is_never_right(self, monkeypatch: pytest.MonkeyPatch) -> None:
        compared: list[str | bytes] = []

        class Watched(PasswordHasher):
            def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - argon2's name
                compared.append(hash)
                return super().verify(hash, password)

        hasher = Hasher(Watched(time_cost=1, memory_cost=8, parallelism=1))
        assert await hasher.check(PASSWORD, None) == (False, False)
        assert extract_parameters(str(compared[0])) == extract_parameters(CHEAP.hash(PASSWORD))

    async def test_with_what_is_damaged_is_not_right(self) -> None:
        assert await cheap().check(PASSWORD, "$argon2id$v=19$m=8,t=1,p=1$c2FsdA") == (False, False)


class TestTurns:
    async def test_are_few_at_once(self) -> None:
        inside, most = 0, 0
        hasher = cheap(at_once=2)

        async def one() -> None:
            nonlocal inside, most
            async with hasher.turn():
                inside += 1
                most = max(most, inside)
                await hasher.hash(PASSWORD)
                inside -= 1

        await asyncio.gather(*(one() for _ in range(12)))
        assert most == 2

    async def test_are_refused_when_too_many_wait_and_given_again_after(self) -> None:
        hasher = cheap(at_once=1, waiting=0)
        async with hasher.turn():
            with pytest.raises(Unavailable, match="sign_in_busy"):
                async with AsyncExitStack() as stack:
                    await stack.enter_async_context(hasher.turn())
        async with hasher.turn():
            assert await hasher.hash(PASSWORD)

    @pytest.mark.skipif(sys.platform != "linux", reason="elsewhere priorities are of processes")
    async def test_step_back_for_everything_else(self) -> None:
        hasher = cheap(at_once=1)
        priority = await hasher._run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        assert priority == min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19)
