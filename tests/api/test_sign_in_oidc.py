"""Signing in at a real provider, with a browser's steps, and with its tokens: keys, rotation, forgeries, outages."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from structlog.testing import capture_logs
from temporalio.testing import WorkflowEnvironment

from api import provider as api_provider
from api import services as api_services
from api.claims import Reader
from api.oidc import CALLBACK
from api.provider import Provider
from settings import Settings
from store import identities
from store.tokens import challenge_of
from tests.api.answers import refused
from tests.support.provider import CLIENT, OTHER, SECRET, RealProvider, provider
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


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
async def house(
    real: RealProvider, temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("oidc")
    settings = settings_for(temporal, f"sqlite:///{folder / 'rectify.db'}", folder, **options(real))
    async with running(temporal, settings, with_worker=False) as ready:
        yield ready


@pytest.fixture
async def stack(house: Stack, real: RealProvider) -> AsyncIterator[Stack]:
    """Nobody is bound, and nothing is known of the provider yet."""
    before = house.services
    configured(house, real)
    yield house
    if house.services.provider:
        await house.services.provider.close()
    house.app.state.services = before
    for user in ("officer-1", "officer-2", "admin", "supervisor"):
        await identities.unlink(house.engines[0], user)


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


class TestABrowser:
    async def test_signs_in_at_the_provider_and_gets_a_session(self, stack: Stack, real: RealProvider) -> None:
        said = await signed_in(stack, real)
        answer = await exchanged(stack, said["code"])
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        me = (await ask(stack, answer.json()["token"])).json()
        assert (me["user"], me["role"], me["area"], me["how"]) == ("officer-1", "officer", "/qinghe/yunlan", "oidc")
        assert (await ask(stack, answer.json()["token"], "/tasks")).status_code == 200

    async def test_is_sent_there_with_everything_that_guards_the_way(self, stack: Stack, real: RealProvider) -> None:
        async with browser(stack) as one:
            there = urlsplit(await begin(one))
            (kept,) = one.cookies.jar
        asked = {name: value[0] for name, value in parse_qs(there.query).items()}
        assert f"{there.scheme}://{there.netloc}" == real.issuer
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert asked["redirect_uri"] == PUBLIC + CALLBACK
        assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
        assert all(len(asked[name]) == 43 for name in ("state", "nonce", "code_challenge"))
        assert challenge_of(VERIFIER) not in there.query
        assert kept.has_nonstandard_attr("HttpOnly")
        assert kept.get_nonstandard_attr("SameSite") == "lax"

    async def test_of_a_page_with_tls_has_a_cookie_that_no_other_host_can_set(
        self, stack: Stack, real: RealProvider
    ) -> None:
        configured(stack, real, public_url="https://rectify.test")
        wanted = {"return_to": "https://rectify.test/app", "challenge": challenge_of(VERIFIER)}
        answer = await stack.client().get("/oidc/login", params=wanted)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-")
        assert "; Secure" in cookie
        assert "Path=/;" in cookie

    async def test_may_sign_in_in_two_tabs_at_once(self, stack: Stack, real: RealProvider) -> None:
        async with browser(stack) as one:
            first, second = await begin(one), await begin(one)
            for there in (first, second):
                assert "code" in fragment(await come_back(one, await real.sign_in(there, "lin")))
            assert not list(one.cookies.jar)

    async def test_hears_that_nobody_knows_him_here(self, stack: Stack, real: RealProvider) -> None:
        assert await signed_in(stack, real, "sun") == {"error": "nobody_here"}

    async def test_that_refused_at_the_provider_is_told(self, stack: Stack) -> None:
        async with browser(stack) as one:
            state = parse_qs(urlsplit(await begin(one)).query)["state"][0]
            answer = await one.get(CALLBACK, params={"state": state, "error": "access_denied"})
        assert fragment(answer) == {"error": "provider_refused"}


class TestReturning:
    @pytest.mark.parametrize(
        "address",
        [
            "https://evil.test/",
            "http://127.0.0.1:9.evil.test/",
            "http://127.0.0.1:9@evil.test/",
            "http://127.0.0.1:99/",
            "https://127.0.0.1:9/",
            "//127.0.0.1:9/",
            "/app",
            "javascript:alert(1)",
            "http://127.0.0.1:9\\@evil.test",
            "http://127.0.0.1:9/#code=x",
            "http://127.0.0.1:9/\r\nSet-Cookie: a=b",
        ],
    )
    async def test_is_to_our_own_pages(self, stack: Stack, address: str) -> None:
        params = {"return_to": address, "challenge": challenge_of(VERIFIER)}
        refused(await stack.client().get("/oidc/login", params=params), 422, "return_to_forbidden")

    async def test_is_to_other_origins_that_are_set(self, stack: Stack, real: RealProvider) -> None:
        configured(stack, real, oidc_return_origins="https://app.test, https://console.test")
        for address, status in (("https://console.test/x", 307), ("https://app.test", 307), (PAGE, 422)):
            params = {"return_to": address, "challenge": challenge_of(VERIFIER)}
            assert (await stack.client().get("/oidc/login", params=params)).status_code == status

    async def test_needs_the_cookie_of_the_browser_that_began(self, stack: Stack, real: RealProvider) -> None:
        async with browser(stack) as one, browser(stack) as other:
            back = await real.sign_in(await begin(one), "lin")
            refused(await come_back(other, back), 401, "sign_in_interrupted")
            assert "code" in fragment(await come_back(one, back))

    async def test_with_another_state_is_refused(self, stack: Stack, real: RealProvider) -> None:
        async with browser(stack) as one:
            back = await real.sign_in(await begin(one), "lin")
            state = parse_qs(urlsplit(back).query)["state"][0]
            for wrong in (state[:-1] + ("A" if state[-1] != "A" else "B"), "", secrets.token_urlsafe(32)):
                refused(await come_back(one, back.replace(state, wrong)), 401, "sign_in_interrupted")

    async def test_twice_with_the_same_code_is_refused(self, stack: Stack, real: RealProvider) -> None:
        async with browser(stack) as one:
            back = await real.sign_in(await begin(one), "lin")
            cookies = dict(one.cookies)
            assert "code" in fragment(await come_back(one, back))
            refused(await come_back(one, back), 401, "sign_in_interrupted")
            one.cookies.update(cookies)
            assert fragment(await come_back(one, back)) == {"error": "provider_refused"}

    async def test_with_anothers_code_is_refused(self, stack: Stack, real: RealProvider) -> None:
        """Slipped in: the provider wants the verifier of the browser that began."""
        async with browser(stack) as one, browser(stack) as other:
            mine, theirs = await real.sign_in(await begin(one), "lin"), await real.sign_in(await begin(other), "zhao")
            code = httpx.URL(theirs).params["code"]
            slipped_in = str(httpx.URL(mine).copy_set_param("code", code))
            assert fragment(await come_back(one, slipped_in)) == {"error": "provider_refused"}

    async def test_with_an_id_token_for_another_request_is_refused(self, stack: Stack, real: RealProvider) -> None:
        """The nonce in the cookie is another than the one that the provider signed."""
        async with browser(stack) as one:
            back = await real.sign_in(await begin(one), "lin")
            (kept,) = one.cookies.jar
            begun = json.loads(base64.urlsafe_b64decode(str(kept.value).strip('"')))
            forged = base64.urlsafe_b64encode(json.dumps({**begun, "nonce": "another"}).encode()).decode()
            one.cookies.clear()
            one.cookies.set(kept.name, forged)
            with capture_logs() as log:
                assert fragment(await come_back(one, back)) == {"error": "provider_refused"}
        assert {"event": "id_token_refused", "why": "nonce", "log_level": "warning"} in log

    async def test_from_another_provider_is_refused(self, stack: Stack, real: RealProvider) -> None:
        async with browser(stack) as one:
            back = await real.sign_in(await begin(one), "lin")
            theirs = httpx.URL(back).copy_set_param("iss", "https://evil.test")
            assert fragment(await come_back(one, str(theirs))) == {"error": "provider_refused"}


class TestTheCode:
    async def test_is_worth_one_session(self, stack: Stack, real: RealProvider) -> None:
        code = (await signed_in(stack, real))["code"]
        refused(await exchanged(stack, code, VERIFIER + "x"), 401, "sign_in_interrupted")
        assert (await exchanged(stack, code)).status_code == 200
        refused(await exchanged(stack, code), 401, "sign_in_interrupted")

    async def test_is_no_token(self, stack: Stack, real: RealProvider) -> None:
        code = (await signed_in(stack, real))["code"]
        refused(await ask(stack, code), 401, "unauthenticated")


class TestLinking:
    async def test_binds_the_login_once_to_its_first_subject(self, stack: Stack, real: RealProvider) -> None:
        assert "code" in await signed_in(stack, real, "lin")
        assert await identities.user_of(stack.engines[0], real.issuer, "lin") == "officer-1"
        assert await signed_in(stack, real, "qian") == {"error": "nobody_here"}

    async def test_makes_nobody_an_administrator(self, stack: Stack, real: RealProvider) -> None:
        assert await signed_in(stack, real, "root") == {"error": "nobody_here"}
        await identities.link(stack.engines[0], real.issuer, "root", "admin")
        assert "code" in await signed_in(stack, real, "root")

    async def test_makes_an_administrator_where_that_is_set(self, stack: Stack, real: RealProvider) -> None:
        configured(stack, real, oidc_admins=True)
        assert "code" in await signed_in(stack, real, "root")

    async def test_is_by_hand_alone_without_a_claim(self, stack: Stack, real: RealProvider) -> None:
        configured(stack, real, oidc_login_claim=None)
        assert await signed_in(stack, real, "zhao") == {"error": "nobody_here"}
        await identities.link(stack.engines[0], real.issuer, "zhao", "supervisor")
        said = await signed_in(stack, real, "zhao")
        assert (await exchanged(stack, said["code"])).json()["role"] == "supervisor"


class TestClaims:
    def by_claims(self, stack: Stack, real: RealProvider, **changes: Any) -> None:  # noqa: ANN401 - any setting
        claims = {"oidc_role_claim": "groups", "oidc_area_claim": "address.formatted"}
        configured(stack, real, **{**claims, "oidc_roles": "wangge=dispatcher,guanli=admin", **changes})

    async def test_give_role_and_area_where_that_is_set(self, stack: Stack, real: RealProvider) -> None:
        self.by_claims(stack, real)
        code = (await signed_in(stack, real))["code"]
        me = (await ask(stack, (await exchanged(stack, code)).json()["token"])).json()
        assert (me["user"], me["role"], me["area"]) == ("officer-1", "dispatcher", "/qinghe/yunlan")
        carried = (await real.tokens("lin"))["access_token"]
        me = (await ask(stack, carried)).json()
        assert (me["role"], me["how"]) == ("dispatcher", "provider")

    async def test_without_a_role_open_nothing(self, stack: Stack, real: RealProvider) -> None:
        self.by_claims(stack, real)
        assert await signed_in(stack, real, "zhao") == {"error": "nobody_here"}
        refused(await ask(stack, (await real.tokens("zhao"))["access_token"]), 403, "nobody_here")

    async def test_make_an_administrator_only_where_that_is_set(self, stack: Stack, real: RealProvider) -> None:
        await identities.link(stack.engines[0], real.issuer, "root", "admin")
        self.by_claims(stack, real)
        assert await signed_in(stack, real, "root") == {"error": "nobody_here"}
        self.by_claims(stack, real, oidc_admins=True)
        assert "code" in await signed_in(stack, real, "root")

    @pytest.mark.parametrize(
        "claims",
        [
            {"groups": ["other"]},
            {"groups": "wangge", "address": {"formatted": "atlantis"}},
            {"groups": ["wangge"], "address": {"formatted": ["qinghe"]}},
            {"groups": ["wangge"], "address": None},
            {"groups": ["wangge"], "unit": "roads"},
            {"groups": ["zeren"]},
            {"groups": ["zeren"], "unit": "atlantis"},
            {"groups": 7},
        ],
        ids=str,
    )
    async def test_that_make_no_sense_open_nothing(self, stack: Stack, real: RealProvider, claims: Json) -> None:
        self.by_claims(stack, real, oidc_roles="wangge=officer,zeren=unit")
        await identities.link(stack.engines[0], real.issuer, "lin", "officer-1")
        sound = {"address": {"formatted": "yunlan"}}
        token = real.signed(**{**sound, **claims})
        refused(await ask(stack, token), 403, "nobody_here")

    async def test_of_a_unit_give_its_role(self, stack: Stack, real: RealProvider) -> None:
        self.by_claims(stack, real, oidc_roles="zeren=unit")
        await identities.link(stack.engines[0], real.issuer, "lin", "officer-1")
        me = (await ask(stack, real.signed(groups=["zeren"], unit="roads"))).json()
        assert (me["role"], me["unit"], me["area"]) == ("unit", "roads", None)


class TestAToken:
    """Of the provider, carried by another system."""

    async def test_opens_what_its_user_may(self, stack: Stack, real: RealProvider) -> None:
        for kind in ("access_token", "id_token"):
            token = (await real.tokens("lin"))[kind]
            me = (await ask(stack, token)).json()
            assert (me["user"], me["how"]) == ("officer-1", "provider")
            assert datetime.fromisoformat(me["expires_at"]) > datetime.now(UTC)
            assert (await ask(stack, token, "/tasks")).status_code == 200

    async def test_that_was_issued_for_another_client_opens_nothing(self, stack: Stack, real: RealProvider) -> None:
        refused(await ask(stack, (await real.tokens("lin", OTHER))["access_token"]), 401, "unauthenticated")

    async def test_for_an_audience_of_its_own_does_where_that_is_set(self, stack: Stack, real: RealProvider) -> None:
        configured(stack, real, oidc_audience=OTHER)
        await identities.link(stack.engines[0], real.issuer, "lin", "officer-1")
        assert (await ask(stack, (await real.tokens("lin", OTHER))["access_token"])).status_code == 200
        refused(await ask(stack, real.signed(aud=CLIENT)), 401, "unauthenticated")

    async def test_of_another_client_does_where_it_is_named(self, stack: Stack, real: RealProvider) -> None:
        await identities.link(stack.engines[0], real.issuer, "lin", "officer-1")
        token = real.signed(aud=[CLIENT, "account"], azp="mobile", jti="1")
        refused(await ask(stack, token), 401, "unauthenticated")
        configured(stack, real, oidc_clients="kiosk, mobile")
        assert (await ask(stack, token)).status_code == 200

    async def test_with_two_audiences_must_say_whose_it_is(self, stack: Stack, real: RealProvider) -> None:
        await identities.link(stack.engines[0], real.issuer, "lin", "officer-1")
        assert (await ask(stack, real.signed(aud=[CLIENT]))).status_code == 200
        assert (await ask(stack, real.signed(aud=[CLIENT, OTHER], azp=CLIENT))).status_code == 200
        refused(await ask(stack, real.signed(aud=[CLIENT, OTHER])), 401, "unauthenticated")

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": OTHER},
            {"aud": None},
            {"iss": "https://evil.test"},
            {"iss": None},
            {"exp": datetime.now(UTC) - timedelta(minutes=1)},
            {"exp": None},
            {"iat": None},
            {"iat": datetime.now(UTC) + timedelta(minutes=10)},
            {"nbf": datetime.now(UTC) + timedelta(minutes=10)},
            {"sub": None},
            {"sub": 7},
            {"azp": OTHER},
            {"client_id": OTHER},
            {"cnf": {"jkt": "x"}},
            {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
            {"head": {"typ": "logout+jwt"}},
            {"head": {"typ": "dpop+jwt"}},
            {"head": {"crit": ["exp"]}},
            {"head": {"kid": "unknown"}},
        ],
        ids=str,
    )
    async def test_that_says_what_it_should_not_opens_nothing(
        self, stack: Stack, real: RealProvider, claims: Json
    ) -> None:
        await identities.link(stack.engines[0], real.issuer, "lin", "officer-1")
        assert (await ask(stack, real.signed())).status_code == 200
        refused(await ask(stack, real.signed(**claims)), 401, "unauthenticated")

    async def test_that_somebody_else_signed_opens_nothing(self, stack: Stack, real: RealProvider) -> None:
        await identities.link(stack.engines[0], real.issuer, "lin", "officer-1")
        key = RSAKey.generate_key(2048).as_dict(private=True)
        for forged in ({**key, "kid": real.keys[0]["kid"]}, {**key, "kid": "mine"}, key):
            refused(await ask(stack, real.signed(key=dict(forged))), 401, "unauthenticated")

    async def test_that_was_tampered_with_opens_nothing(self, stack: Stack, real: RealProvider) -> None:
        await identities.link(stack.engines[0], real.issuer, "root", "admin")
        await identities.link(stack.engines[0], real.issuer, "lin", "officer-1")
        head, body, signature = real.signed(sub="lin").split(".")
        other = real.signed(sub="root").split(".")[1]
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
        hmac = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
        forged = [f"{head}.{other}.{signature}", f"{head}.{body}.{signature[:-8]}AAAAAAAA", f"{none}.{body}.x"]
        forged += [
            f"{none}.{body}.",
            f"{hmac}.{body}.{signature}",
            f"{head}.{body}",
            "a.b.c",
            f"{head}.{'A' * 20000}.x",
        ]
        for token in forged:
            refused(await ask(stack, token), 401, "unauthenticated")

    async def test_of_whom_nobody_knows_here_is_told_so(self, stack: Stack, real: RealProvider) -> None:
        refused(await ask(stack, (await real.tokens("sun"))["access_token"]), 403, "nobody_here")

    async def test_ends_with_the_link(self, stack: Stack, real: RealProvider) -> None:
        configured(stack, real, oidc_login_claim=None)
        await identities.link(stack.engines[0], real.issuer, "lin", "officer-1")
        token = (await real.tokens("lin"))["access_token"]
        assert (await ask(stack, token)).status_code == 200
        await identities.unlink(stack.engines[0], "officer-1")
        let_time_pass(stack)
        refused(await ask(stack, token), 403, "nobody_here")

    async def test_means_nothing_where_no_provider_is_set(self, stack: Stack, real: RealProvider) -> None:
        token = real.signed()
        cache = api_services.TokenCache(stack.services.database)
        assert await cache.session(token, datetime.now(UTC)) is None


class TestKeys:
    async def test_that_the_provider_changes_are_followed_at_once(self, stack: Stack, real: RealProvider) -> None:
        await identities.link(stack.engines[0], real.issuer, "lin", "officer-1")
        before = real.signed()
        assert (await ask(stack, before)).status_code == 200
        await real.rotate()
        let_time_pass(stack)
        assert (await ask(stack, real.signed())).status_code == 200
        let_time_pass(stack)
        refused(await ask(stack, before), 401, "unauthenticated")
        said = await signed_in(stack, real)
        assert (await exchanged(stack, said["code"])).status_code == 200

    async def test_that_nobody_knows_do_not_make_us_ask_each_time(self, stack: Stack, real: RealProvider) -> None:
        await identities.link(stack.engines[0], real.issuer, "lin", "officer-1")
        await ask(stack, real.signed())
        fetched = ours(stack)._fetched
        tokens = [real.signed(head={"kid": f"made-up-{n}"}) for n in range(6)]
        for answer in await asyncio.gather(*(ask(stack, token) for token in tokens)):
            refused(answer, 401, "unauthenticated")
        assert ours(stack)._fetched is fetched


class TestAProviderThatIsAway:
    @pytest.fixture(autouse=True)
    async def back_again(self, real: RealProvider) -> AsyncIterator[None]:
        yield
        if real._process is None:
            await real.start()

    async def test_leaves_known_tokens_and_keys_good_for_an_hour(self, stack: Stack, real: RealProvider) -> None:
        await identities.link(stack.engines[0], real.issuer, "lin", "officer-1")
        known, later = real.signed(), real.signed(jti="later")
        assert (await ask(stack, known)).status_code == 200
        await real.stop()
        let_time_pass(stack, api_provider.FRESH_FOR)
        assert (await ask(stack, known)).status_code == 200
        assert (await ask(stack, later)).status_code == 200
        let_time_pass(stack, api_provider.TRUSTED_FOR)
        fresh = real.signed(jti="fresh")
        refused(await ask(stack, fresh), 503, "provider_unavailable")
        await real.start()
        let_time_pass(stack)
        assert (await ask(stack, fresh)).status_code == 200

    async def test_is_said_to_browsers_and_to_tokens(self, stack: Stack, real: RealProvider) -> None:
        await real.stop()
        params = {"return_to": PAGE, "challenge": challenge_of(VERIFIER)}
        refused(await stack.client().get("/oidc/login", params=params), 503, "provider_unavailable")
        refused(await ask(stack, real.signed()), 503, "provider_unavailable")
        assert (await ask(stack, stack.tokens["officer-1"])).status_code == 200

    async def test_before_the_code_is_exchanged_sends_the_browser_back_with_word(
        self, stack: Stack, real: RealProvider
    ) -> None:
        async with browser(stack) as one:
            back = await real.sign_in(await begin(one), "lin")
            await real.stop()
            assert fragment(await come_back(one, back)) == {"error": "provider_unavailable"}

    async def test_does_not_end_sessions_of_ours(self, stack: Stack, real: RealProvider) -> None:
        token = (await exchanged(stack, (await signed_in(stack, real))["code"])).json()["token"]
        await real.stop()
        let_time_pass(stack, api_provider.TRUSTED_FOR)
        assert (await ask(stack, token)).status_code == 200

    async def test_by_another_name_is_not_the_provider(self, stack: Stack, real: RealProvider) -> None:
        configured(stack, real, oidc_issuer=f"{real.issuer}/")
        params = {"return_to": PAGE, "challenge": challenge_of(VERIFIER)}
        with capture_logs() as log:
            refused(await stack.client().get("/oidc/login", params=params), 503, "provider_unavailable")
        assert "oidc_issuer_differs" in {line["event"] for line in log}


class TestTheDocument:
    async def test_has_these_routes_only_where_a_provider_is_set(self, house: Stack, real: RealProvider) -> None:
        paths = set(house.app.openapi()["paths"])
        assert {"/api/v1/oidc/login", "/api/v1/oidc/callback", "/api/v1/oidc/token"} <= paths
