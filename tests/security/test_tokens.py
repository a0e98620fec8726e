"""A token that was taken: where it could be found, and how soon it is worth nothing.

That a bad one opens nothing on any route is in test_access.py.
"""

import asyncio
import hashlib
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest
from sqlmodel import SQLModel

from api import services
from store import tokens
from store.database import reading
from tests.api.answers import refused
from tests.support.stack import Stack


async def issued(stack: Stack) -> tuple[str, httpx.AsyncClient]:
    """A token of an administrator, and a client that carries it and has been let in."""
    token = await tokens.issue(stack.engines[0], "admin")
    client = httpx.AsyncClient(base_url=stack.client().base_url, headers={"Authorization": f"Bearer {token}"})
    assert (await client.get("/tasks")).status_code == 200
    return token, client


def forget(stack: Stack, token: str) -> None:
    """As if `FRESH_FOR` seconds had passed."""
    known = stack.services.tokens._known
    known[token] = known[token]._replace(asked=-services.FRESH_FOR)


class TestARevokedToken:
    async def test_is_worth_nothing_once_it_is_asked_for_again(self, stack: Stack) -> None:
        token, client = await issued(stack)
        async with aclosing(client):
            assert await tokens.revoke(stack.engines[0], token)
            forget(stack, token)
            refused(await client.get("/tasks"), 401, "unauthenticated")
            assert token not in stack.services.tokens._known

    async def test_is_asked_for_again_within_two_seconds(self) -> None:
        """docs/security.md promises it."""
        assert services.FRESH_FOR == 2.0

    async def test_ends_a_stream_that_is_open(self, stack: Stack) -> None:
        token, client = await issued(stack)
        async with aclosing(client), client.stream("GET", "/events/stream", timeout=30) as answer:
            assert answer.status_code == 200
            assert await tokens.revoke(stack.engines[0], token)
            forget(stack, token)
            async with asyncio.timeout(10):
                assert [line async for line in answer.aiter_lines() if line.startswith("data")] == []


class TestWithoutADatabase:
    async def test_a_token_is_good_for_an_hour_after_it_was_proven(
        self, stack: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert services.TRUSTED_FOR == 3600.0
        token, client = await issued(stack)
        path = "/cases/RC-0000-0000-0000"
        async with aclosing(client):
            with stack.without_database():
                forget(stack, token)
                assert (await client.get(path)).status_code == 404
                forget(stack, token)
                monkeypatch.setattr(services, "TRUSTED_FOR", -1.0)
                refused(await client.get(path), 503, "store_unavailable")

    async def test_a_token_that_was_revoked_before_is_not(self, stack: Stack) -> None:
        token, client = await issued(stack)
        async with aclosing(client):
            await tokens.revoke(stack.engines[0], token)
            forget(stack, token)
            await client.get("/tasks")
            with stack.without_database():
                refused(await client.get("/tasks"), 503, "store_unavailable")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


class TestAtRest:
    async def test_no_table_holds_a_token(self, stack: Stack) -> None:
        token, client = await issued(stack)
        await client.aclose()
        async with reading(stack.engines[0]) as connection:
            tables = SQLModel.metadata.sorted_tables
            rows = [str((await connection.execute(table.select())).all()) for table in tables]
        assert hashlib.sha256(token.encode()).hexdigest() in "".join(rows)
        assert not any(secret in row for secret in stack.tokens.values() for row in rows)
        assert token not in "".join(rows)

    async def test_no_file_of_the_database_does(self, stack: Stack) -> None:
        token, client = await issued(stack)
        await client.aclose()
        found = {path.name: token.encode() in path.read_bytes() for path in files(stack.services.settings.data)}
        assert "rectify.db" in found
        assert not any(found.values())
