"""A house whose people sign in at a real provider, and the steps of a browser between the two."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from temporalio.testing import WorkflowEnvironment

from api import provider as api_provider
from api import services as api_services
from api.claims import Reader
from api.oidc import CALLBACK
from api.provider import Provider
from settings import Settings
from store import identities
from store.tokens import challenge_of
from tests.support.provider import CLIENT, SECRET, RealProvider, provider
from tests.support.stack import Json, Stack, running, settings_for

PUBLIC = "http://127.0.0.1:9"
PAGE = f"{PUBLIC}/app?tab=tasks"
VERIFIER = "the-page-keeps-this-to-itself-until-the-very-end"
PEOPLE: dict[str, Json] = {
    "lin": {"preferred_username": "officer-1", "groups": ["wangge"], "address": "yunlan"},
    "zhao": {"preferred_username": "officer-2"},
    "root": {"preferred_username": "admin", "groups": ["guanli"], "address": "qinghe"},
    "qian": {"preferred_username": "officer-1"},
    "sun": {"preferred_username": "no-such-user"},
}


@pytest.fixture(scope="session")
async def real() -> AsyncIterator[RealProvider]:
    async with provider(PEOPLE, PUBLIC + CALLBACK) as running_provider:
        yield running_provider


def options(real: RealProvider) -> Json:
    return {
        "public_url": PUBLIC,
        "oidc_issuer": real.issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_scopes": "openid profile groups address",
        "oidc_login_claim": "preferred_username",
    }


@pytest.fixture(scope="session")
async def bare_house(
    real: RealProvider, temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("oidc")
    settings = settings_for(temporal, f"sqlite:///{folder / 'rectify.db'}", folder, **options(real))
    async with running(temporal, settings, with_worker=False) as ready:
        yield ready


@pytest.fixture
async def house(bare_house: Stack, real: RealProvider) -> AsyncIterator[Stack]:
    """Nobody is bound, and nothing is known of the provider yet."""
    before = bare_house.services
    configured(bare_house, real)
    yield bare_house
    if bare_house.services.provider:
        await bare_house.services.provider.close()
    bare_house.app.state.services = before
    for user in ("officer-1", "officer-2", "admin", "supervisor"):
        await identities.unlink(bare_house.engines[0], user)


def configured(stack: Stack, real: RealProvider, **changes: Any) -> None:  # noqa: ANN401 - any setting
    """The API as it would be with these settings."""
    kept = stack.services.settings.model_dump()
    settings = Settings(**{**kept, **options(real), **changes})
    one, reader = Provider(settings), Reader(stack.services.database, settings)
    cache = api_services.TokenCache(stack.services.database, settings.session_idle, one, reader)
    stack.app.state.services = replace(stack.services, settings=settings, provider=one, reader=reader, tokens=cache)


def ours(stack: Stack) -> Provider:
    assert stack.services.provider is not None
    return stack.services.provider


def let_time_pass(stack: Stack, seconds: float = api_provider.AGAIN_AFTER) -> None:
    """As if so many had passed since the provider was asked, and every token was looked at."""
    one = ours(stack)
    one._tried -= seconds
    if one._fetched:
        one._fetched = one._fetched.model_copy(update={"at": one._fetched.at - seconds})
    known = stack.services.tokens._known
    for token in known:
        known[token] = known[token]._replace(asked=-api_services.FRESH_FOR)


@asynccontextmanager
async def browser(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stack.url) as one:
        yield one


async def begin(one: httpx.AsyncClient, return_to: str = PAGE, challenge: str = challenge_of(VERIFIER)) -> str:
    """Where the browser is sent."""
    answer = await one.get("/api/v1/oidc/login", params={"return_to": return_to, "challenge": challenge})
    assert answer.status_code == 307, answer.text
    return str(answer.headers["location"])


async def come_back(one: httpx.AsyncClient, address: str) -> httpx.Response:
    """From the provider, to us."""
    assert address.startswith(PUBLIC + CALLBACK)
    parts = urlsplit(address)
    return await one.get(f"{parts.path}?{parts.query}")


def fragment(answer: httpx.Response) -> dict[str, str]:
    """What the page finds in its address."""
    assert answer.status_code == 303, answer.text
    where, _, said = answer.headers["location"].partition("#")
    assert where == PAGE
    return {name: value[0] for name, value in parse_qs(said).items()}


async def signed_in(stack: Stack, real: RealProvider, user: str = "lin") -> dict[str, str]:
    async with browser(stack) as one:
        return fragment(await come_back(one, await real.sign_in(await begin(one), user)))


async def exchanged(stack: Stack, code: str, verifier: str = VERIFIER) -> httpx.Response:
    return await stack.client().post("/oidc/token", json={"code": code, "verifier": verifier})


async def ask(stack: Stack, token: str, path: str = "/me") -> httpx.Response:
    return await stack.client().get(path, headers={"Authorization": f"Bearer {token}"})
