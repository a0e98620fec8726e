"""Tokens of a real provider, carried by other systems: forgeries, keys and their rotation, outages."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey
from structlog.testing import capture_logs

from api import provider as api_provider
from api import services as api_services
from api.app import create_app
from settings import Settings
from store import identities
from store.tokens import challenge_of
from tests.api.answers import refused
from tests.api.signing import (
    PAGE,
    VERIFIER,
    ask,
    begin,
    browser,
    come_back,
    configured,
    exchanged,
    fragment,
    let_time_pass,
    ours,
    signed_in,
)
from tests.support.provider import CLIENT, OTHER, RealProvider
from tests.support.stack import Json, Stack


class TestAToken:
    """Of the provider, carried by another system."""

    async def test_opens_what_its_user_may(self, house: Stack, real: RealProvider) -> None:
        for kind in ("access_token", "id_token"):
            token = (await real.tokens("lin"))[kind]
            me = (await ask(house, token)).json()
            assert (me["user"], me["how"]) == ("officer-1", "provider")
            assert datetime.fromisoformat(me["expires_at"]) > datetime.now(UTC)
            assert (await ask(house, token, "/tasks")).status_code == 200

    async def test_that_was_issued_for_another_client_opens_nothing(self, house: Stack, real: RealProvider) -> None:
        refused(await ask(house, (await real.tokens("lin", OTHER))["access_token"]), 401, "unauthenticated")

    async def test_for_an_audience_of_its_own_does_where_that_is_set(self, house: Stack, real: RealProvider) -> None:
        configured(house, real, oidc_audience=OTHER)
        await identities.link(house.engines[0], real.issuer, "lin", "officer-1")
        assert (await ask(house, (await real.tokens("lin", OTHER))["access_token"])).status_code == 200
        refused(await ask(house, real.signed(aud=CLIENT)), 401, "unauthenticated")

    async def test_of_another_client_does_where_it_is_named(self, house: Stack, real: RealProvider) -> None:
        await identities.link(house.engines[0], real.issuer, "lin", "officer-1")
        token = real.signed(aud=[CLIENT, "account"], azp="mobile", jti="1")
        refused(await ask(house, token), 401, "unauthenticated")
        configured(house, real, oidc_clients="kiosk, mobile")
        assert (await ask(house, token)).status_code == 200

    async def test_with_two_audiences_must_say_whose_it_is(self, house: Stack, real: RealProvider) -> None:
        await identities.link(house.engines[0], real.issuer, "lin", "officer-1")
        assert (await ask(house, real.signed(aud=[CLIENT]))).status_code == 200
        assert (await ask(house, real.signed(aud=[CLIENT, OTHER], azp=CLIENT))).status_code == 200
        refused(await ask(house, real.signed(aud=[CLIENT, OTHER])), 401, "unauthenticated")

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
        ids="-".join,
    )
    async def test_that_says_what_it_should_not_opens_nothing(
        self, house: Stack, real: RealProvider, claims: Json
    ) -> None:
        await identities.link(house.engines[0], real.issuer, "lin", "officer-1")
        assert (await ask(house, real.signed())).status_code == 200
        refused(await ask(house, real.signed(**claims)), 401, "unauthenticated")

    async def test_that_somebody_else_signed_opens_nothing(self, house: Stack, real: RealProvider) -> None:
        await identities.link(house.engines[0], real.issuer, "lin", "officer-1")
        key = RSAKey.generate_key(2048).as_dict(private=True)
        for forged in ({**key, "kid": real.keys[0]["kid"]}, {**key, "kid": "mine"}, key):
            refused(await ask(house, real.signed(key=dict(forged))), 401, "unauthenticated")

    async def test_that_was_tampered_with_opens_nothing(self, house: Stack, real: RealProvider) -> None:
        await identities.link(house.engines[0], real.issuer, "root", "admin")
        await identities.link(house.engines[0], real.issuer, "lin", "officer-1")
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
            refused(await ask(house, token), 401, "unauthenticated")

    async def test_of_whom_nobody_knows_here_is_told_so(self, house: Stack, real: RealProvider) -> None:
        refused(await ask(house, (await real.tokens("sun"))["access_token"]), 403, "nobody_here")

    async def test_ends_with_the_link(self, house: Stack, real: RealProvider) -> None:
        configured(house, real, oidc_login_claim=None)
        await identities.link(house.engines[0], real.issuer, "lin", "officer-1")
        token = (await real.tokens("lin"))["access_token"]
        assert (await ask(house, token)).status_code == 200
        await identities.unlink(house.engines[0], "officer-1")
        let_time_pass(house)
        refused(await ask(house, token), 403, "nobody_here")
        assert await house.services.tokens.actor(token, datetime.now(UTC)) is None
        with house.without_database():
            refused(await ask(house, token), 503, "store_unavailable")

    async def test_means_nothing_where_no_provider_is_set(self, house: Stack, real: RealProvider) -> None:
        token = real.signed()
        cache = api_services.TokenCache(house.services.database)
        assert await cache.session(token, datetime.now(UTC)) is None


class TestKeys:
    async def test_that_the_provider_changes_are_followed_at_once(self, house: Stack, real: RealProvider) -> None:
        await identities.link(house.engines[0], real.issuer, "lin", "officer-1")
        before = real.signed()
        assert (await ask(house, before)).status_code == 200
        await real.rotate()
        let_time_pass(house)
        assert (await ask(house, real.signed())).status_code == 200
        let_time_pass(house)
        refused(await ask(house, before), 401, "unauthenticated")
        said = await signed_in(house, real)
        assert (await exchanged(house, said["code"])).status_code == 200

    async def test_that_nobody_knows_do_not_make_us_ask_each_time(self, house: Stack, real: RealProvider) -> None:
        await identities.link(house.engines[0], real.issuer, "lin", "officer-1")
        await ask(house, real.signed())
        fetched = ours(house)._fetched
        tokens = [real.signed(head={"kid": f"made-up-{n}"}) for n in range(6)]
        for answer in await asyncio.gather(*(ask(house, token) for token in tokens)):
            refused(answer, 401, "unauthenticated")
        assert ours(house)._fetched is fetched


class TestAProviderThatIsAway:
    @pytest.fixture(autouse=True)
    async def back_again(self, real: RealProvider) -> AsyncIterator[None]:
        yield
        if real._process is None:
            await real.start()

    async def test_leaves_known_tokens_and_keys_good_for_an_hour(self, house: Stack, real: RealProvider) -> None:
        await identities.link(house.engines[0], real.issuer, "lin", "officer-1")
        known, later = real.signed(), real.signed(jti="later")
        assert (await ask(house, known)).status_code == 200
        await real.stop()
        let_time_pass(house, api_provider.FRESH_FOR)
        assert (await ask(house, known)).status_code == 200
        assert (await ask(house, later)).status_code == 200
        let_time_pass(house, api_provider.TRUSTED_FOR)
        fresh = real.signed(jti="fresh")
        refused(await ask(house, fresh), 503, "provider_unavailable")
        await real.start()
        let_time_pass(house)
        assert (await ask(house, fresh)).status_code == 200

    async def test_is_said_to_browsers_and_to_tokens(self, house: Stack, real: RealProvider) -> None:
        await real.stop()
        params = {"return_to": PAGE, "challenge": challenge_of(VERIFIER)}
        refused(await house.client().get("/oidc/login", params=params), 503, "provider_unavailable")
        refused(await ask(house, real.signed()), 503, "provider_unavailable")
        assert (await ask(house, house.tokens["officer-1"])).status_code == 200

    async def test_before_the_code_is_exchanged_sends_the_browser_back_with_word(
        self, house: Stack, real: RealProvider
    ) -> None:
        async with browser(house) as one:
            back = await real.sign_in(await begin(one), "lin")
            await real.stop()
            assert fragment(await come_back(one, back)) == {"error": "provider_unavailable"}

    async def test_does_not_end_sessions_of_ours(self, house: Stack, real: RealProvider) -> None:
        token = (await exchanged(house, (await signed_in(house, real))["code"])).json()["token"]
        await real.stop()
        let_time_pass(house, api_provider.TRUSTED_FOR)
        assert (await ask(house, token)).status_code == 200

    async def test_by_another_name_is_not_the_provider(self, house: Stack, real: RealProvider) -> None:
        configured(house, real, oidc_issuer=f"{real.issuer}/")
        params = {"return_to": PAGE, "challenge": challenge_of(VERIFIER)}
        with capture_logs() as log:
            refused(await house.client().get("/oidc/login", params=params), 503, "provider_unavailable")
        assert "oidc_issuer_differs" in {line["event"] for line in log}


class TestTheDocument:
    async def test_has_these_routes_only_where_a_provider_is_set(self, house: Stack, tmp_path: Path) -> None:
        ours = {"/api/v1/oidc/login", "/api/v1/oidc/callback", "/api/v1/oidc/token"}
        assert ours <= set(house.app.openapi()["paths"])
        assert not ours & set(create_app(Settings(data=tmp_path)).openapi()["paths"])
