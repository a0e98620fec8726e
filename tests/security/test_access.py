"""Nobody gets at what is not his: every route × every role × a foreign object, and every kind of bad credentials.

Generated from the OpenAPI document and the lifecycle table. That the core's own matrix is right is
tests/domain/test_lifecycle_matrix.py's business; here it is that no route goes round it.
"""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from api.app import create_app
from domain.actors import Role
from domain.lifecycle import RULES, TABLE
from domain.permissions import holds
from store import tokens
from tests.api.answers import refused
from tests.security.probes import APART, BODIES, FINE, FORBIDDEN, HIDDEN, PROBES, PUBLIC, Probe, Route, routes
from tests.security.test_the_page import exists
from tests.security.world import BLIND, SEEING, World, built
from tests.support.stack import Json, Stack, expired_token

_T = TypeVar("_T")
#: How many requests are under way at once.
_AT_ONCE = 16
#: Ways to get a token: they ask for none.
OIDC = "/oidc/"


@pytest.fixture(scope="module")
async def world(stack: Stack) -> World:
    return await built(stack)


async def together(*calls: Coroutine[Any, Any, _T]) -> list[_T]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def each(call: Coroutine[Any, Any, _T]) -> _T:
        async with gate:
            return await call

    return await asyncio.gather(*map(each, calls))


async def send(
    world: World, route: Route, parts: Json, user: str | None, headers: dict[str, str] | None = None
) -> httpx.Response:
    method, path, rest = route.request(parts)
    url = world.stack.url + path
    client = world.stack.client(user)
    said = {**rest.pop("headers", {}), **(headers or {})}
    if not PROBES[route.name].endless:
        return await client.request(method, url, headers=said, **rest)
    return await beginning(client, url, rest, said)


async def beginning(client: httpx.AsyncClient, url: str, rest: Json, headers: dict[str, str]) -> httpx.Response:
    """Of an endless answer, what there is to say up to now: a ping or the lack of anything ends it."""
    async with client.stream("GET", url, headers=headers, **rest) as answer:
        said = b""
        try:
            async with asyncio.timeout(0.7):
                async for part in answer.aiter_raw():
                    said += part
        except TimeoutError:
            pass
        return httpx.Response(answer.status_code, headers=answer.headers, content=said)


def whole(stack: Stack) -> Json:
    """The document of an installation with a key ring and a provider as well."""
    more = {
        "payload_keys": Path("ring.json"),
        "oidc_issuer": "https://provider.test",
        "public_url": "https://ours.test",
    }
    return create_app(stack.services.settings.model_copy(update=more)).openapi()


def aimed(document: Json, kind: str) -> list[tuple[Route, Probe]]:
    return [(route, PROBES[route.name]) for route in routes(document) if PROBES[route.name].expect == kind]


class TestTheTable:
    async def test_has_an_entry_for_every_route(self, stack: Stack) -> None:
        """Of an installation that has everything."""
        assert {route.name for route in routes(whole(stack))} == set(PROBES) | set(APART)
        assert {route.name for route in routes(stack.app.openapi())} == set(PROBES)

    async def test_names_tests_that_are_there_for_those_that_are_apart(self) -> None:
        assert [each for named in APART.values() for each in named if not exists(each)] == []

    async def test_has_a_sound_body_for_every_command(self) -> None:
        assert set(BODIES) == set(RULES)
        for rule in TABLE:
            rule.command.model_validate(BODIES[rule.command.name])

    async def test_leaves_out_only_what_asks_for_no_token(self, stack: Stack) -> None:
        for route in routes(whole(stack)):
            public = OIDC in route.path if route.name in APART else PROBES[route.name].expect == PUBLIC
            assert route.secured != public, route.name


class TestWhatIsForeign:
    async def test_is_not_there(self, world: World) -> None:
        """And the answer is the same, to the letter, as for what does not exist."""

        async def each(route: Route, probe: Probe) -> None:
            assert probe.absent is not None
            absent = await send(world, route, probe.absent(world), "resident")
            for user in BLIND:
                there = await send(world, route, probe.fill(world), user)
                assert there.status_code == 404, (route, user, there.text)
                assert there.json() == absent.json()
                assert not world.leaks(there.text), (route, user)

        found = aimed(world.stack.app.openapi(), HIDDEN)
        assert len(found) > len(TABLE)
        await together(*(each(route, probe) for route, probe in found))

    async def test_is_in_no_list(self, world: World) -> None:
        async def each(route: Route, probe: Probe, user: str) -> None:
            answer = await send(world, route, probe.fill(world), user)
            assert answer.status_code in {200, 201, 403, 422}, (route, user, answer.text)
            assert not world.leaks(answer.text), (route, user)

        found = aimed(world.stack.app.openapi(), FINE)
        await together(*(each(route, probe, user) for route, probe in found for user in BLIND))

    async def test_is_not_counted_either(self, world: World) -> None:
        for user in BLIND:
            board = await world.stack.client(user).get("/overdue", params={"area": world.case["area"]})
            assert (board.json()["total"], board.json()["totals"]) == (0, [])
        whole = await world.stack.client("supervisor").get("/overdue", params={"area": world.case["area"]})
        assert whole.json()["total"] >= 1

    async def test_is_not_reached_by_the_cursor_of_another(self, world: World) -> None:
        """A cursor is a place in a list, not a right to it."""
        await world.stack.recorded(await world.stack.open())
        asked: dict[str, str | int] = {"limit": 1, "sort": "opened_at"}
        first = await world.stack.client("admin").get("/cases", params=asked)
        cursor = first.json()["next_cursor"]
        assert cursor
        for user in BLIND:
            page = await world.stack.client(user).get("/cases", params={**asked, "limit": 200, "cursor": cursor})
            assert page.status_code == 200
            assert not world.leaks(page.text)

    async def test_is_not_administered(self, world: World) -> None:
        found = aimed(world.stack.app.openapi(), FORBIDDEN)
        others = [user for user, role in {**BLIND, **SEEING}.items() if role is not Role.ADMIN]

        async def each(route: Route, probe: Probe, user: str) -> None:
            refused(await send(world, route, probe.fill(world), user), 403, "role_forbidden")

        await together(*(each(route, probe, user) for route, probe in found for user in others))

    async def test_is_not_administered_from_another_district(self, world: World) -> None:
        """Neither what lies elsewhere nor what concerns the whole city."""
        found = aimed(world.stack.app.openapi(), FORBIDDEN)

        async def each(route: Route, probe: Probe) -> None:
            answer = await send(world, route, probe.fill(world), "admin-elsewhere")
            if probe.read_by_all:
                assert answer.status_code in {200, 404}, (route, answer.text)
            else:
                refused(answer, 403, "not_in_your_area")

        await together(*(each(route, probe) for route, probe in found))

    async def test_is_on_no_public_page(self, world: World) -> None:
        for route, probe in aimed(world.stack.app.openapi(), PUBLIC):
            answer = await send(world, route, probe.fill(world), None)
            assert answer.status_code == 200
            assert not world.leaks(answer.text)


class TestACommand:
    async def test_is_refused_by_every_hand_but_its_own(self, world: World) -> None:
        """Whoever sees the case and is not meant: 403, whatever stage the case is in, and nothing has happened."""
        case = await world.snapshot()
        wrong = [
            (user, name)
            for user in SEEING
            for name, rule in RULES.items()
            if not any([holds(await world.actor(user), hand, case) for hand in rule.hands])
        ]
        assert len(wrong) > len(TABLE)

        async def each(user: str, name: str) -> None:
            answer = await world.stack.give(user, world.case, name, **BODIES[name])
            assert answer.status_code == 403, (user, name, answer.text)
            assert answer.json()["code"] in {"role_forbidden", "separation_of_duties"}

        await together(*(each(user, name) for user, name in wrong))
        after = await world.stack.see("admin", world.case)
        assert after["version"] == world.case["version"]

    async def test_takes_nobody_elses_idempotency_key(self, world: World) -> None:
        """The same key in another hand names something else: it opens another case, and is not answered with theirs."""
        mine = await world.stack.report("officer-1", key="shared-key", description="标记甲的钥匙")
        theirs = await world.stack.report("resident", key="shared-key", description="另一件事")
        assert (mine.status_code, theirs.status_code) == (201, 201)
        assert mine.json()["id"] != theirs.json()["id"]
        assert "idempotency-replayed" not in theirs.headers
        case = mine.json()
        first = await world.stack.give("officer-1", case, "comment", key="k", text="第一")
        other = await world.stack.give("supervisor", case, "comment", key="k", text="第二")
        assert first.json()["version"] + 1 == other.json()["version"]


@pytest.fixture(scope="module")
async def bad(world: World) -> dict[str, dict[str, str]]:
    """Headers that let nobody in, by what is wrong with them."""
    stack = world.stack
    good = stack.tokens["admin"]
    revoked = await tokens.issue(stack.engines[0], "admin")
    assert await tokens.revoke(stack.engines[0], revoked)
    return {
        "nothing": {},
        "an unknown token": {"Authorization": "Bearer rt_" + "A" * 43},
        "an expired token": {"Authorization": f"Bearer {await expired_token(stack, 'admin')}"},
        "a revoked token": {"Authorization": f"Bearer {revoked}"},
        "another scheme": {"Authorization": f"Basic {good}"},
        "no scheme": {"Authorization": good},
        "the digest of a token": {"Authorization": f"Bearer {tokens._hash(good)}"},
        "a part of a token": {"Authorization": f"Bearer {good[:-1]}"},
        "two tokens": {"Authorization": f"Bearer {good}, Bearer {good}"},
        "a cookie": {"Cookie": f"token={good}; Authorization=Bearer {good}"},
        "another header": {"X-Authorization": f"Bearer {good}", "X-Forwarded-User": "admin", "X-Api-Key": good},
    }


class TestBadCredentials:
    async def test_open_nothing(self, world: World, bad: dict[str, dict[str, str]]) -> None:
        """On every route, with one and the same answer: it does not tell which of them once was good."""
        secured = [(route, PROBES[route.name]) for route in routes(world.stack.app.openapi()) if route.secured]

        async def each(route: Route, probe: Probe, why: str) -> str:
            answer = await send(world, route, probe.fill(world), None, headers=bad[why])
            refused(answer, 401, "unauthenticated")
            assert answer.headers["www-authenticate"] == "Bearer", (route, why)
            return answer.text

        said = await together(*(each(route, probe, why) for route, probe in secured for why in bad))
        assert len(set(said)) == 1

    async def test_in_the_address_open_nothing(self, world: World) -> None:
        """Addresses stand in the logs of proxies and in histories of browsers: no token is taken from there."""
        token = world.stack.tokens["admin"]
        for name in ("token", "access_token", "authorization", "bearer"):
            for path in ("/events/stream", "/cases"):
                refused(await world.stack.client().get(path, params={name: token}), 401, "unauthenticated")
