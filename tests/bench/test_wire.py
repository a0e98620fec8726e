import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.wire import Caller, Refused

Heard = list[bytes]


@asynccontextmanager
async def server(*answers: bytes, each: int = 100) -> AsyncIterator[tuple[str, Heard]]:
    """Gives these answers in turn and hangs up after `each` of them; what it heard."""
    heard: Heard = []
    left = list(answers)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(each):
            try:
                heard.append(await reader.readuntil(b"}"))
            except asyncio.IncompleteReadError:
                break
            writer.write(left.pop(0))
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/api", heard
    listening.close()


def answer(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


class TestACaller:
    async def test_posts_json_with_token_and_key(self) -> None:
        async with server(answer("201 Created", '{"id": "1"}')) as (url, heard), Caller(url, "secret") as caller:
            assert await caller.post("/cases", {"a": 1}, key="k") == {"id": "1"}
        assert heard[0].startswith(b"POST /api/cases HTTP/1.1\r\n")
        assert heard[0].endswith(b'Content-Length: 7\r\n\r\n{"a":1}')
        assert b"Authorization: Bearer secret\r\n" in heard[0]
        assert b"Idempotency-Key: k\r\n" in heard[0]

    async def test_keeps_its_connection(self) -> None:
        async with server(*[answer("200 OK", "{}")] * 2, each=2) as (url, heard), Caller(url) as caller:
            await caller.post("/", {"a": 1})
            await caller.post("/", {"a": 2})
        assert len(heard) == 2

    async def test_asks_again_with_the_same_key_when_the_server_has_hung_up(self) -> None:
        async with server(*[answer("200 OK", "{}")] * 2, each=1) as (url, heard), Caller(url) as caller:
            await caller.post("/", {"a": 1}, key="one")
            await caller.post("/", {"a": 2}, key="two")
        assert b"Idempotency-Key: two\r\n" in heard[1]

    @pytest.mark.parametrize(("status", "worth"), [("503 Service Unavailable", True), ("409 Conflict", False)])
    async def test_says_what_is_worth_repeating(self, status: str, worth: bool) -> None:  # noqa: FBT001 - a parameter
        async with server(answer(status, "{}")) as (url, _), Caller(url) as caller:
            with pytest.raises(Refused) as refused:
                await caller.post("/", {"a": 1})
        assert refused.value.worth_repeating is worth

    async def test_insists_with_the_same_key_on_what_is_worth_repeating(self) -> None:
        answers = answer("503 Service Unavailable", "{}"), answer("200 OK", '{"id": "1"}')
        async with server(*answers) as (url, heard), Caller(url) as caller:
            assert await caller.insist("/", {"a": 1}) == {"id": "1"}
            assert caller.repeated == 1
        assert heard[0] == heard[1]

    async def test_does_not_insist_on_what_is_refused(self) -> None:
        async with server(answer("409 Conflict", "{}")) as (url, _), Caller(url) as caller:
            with pytest.raises(Refused):
                await caller.insist("/", {"a": 1})
