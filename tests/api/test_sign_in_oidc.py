"""Signing in at a real provider with a browser: what guards the way there and back, and who one is then."""

import base64
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

from api.oidc import CALLBACK
from store import identities
from store.tokens import challenge_of
from tests.api.answers import refused
from tests.api.signing import (
    PAGE,
    PUBLIC,
    VERIFIER,
    ask,
    begin,
    browser,
    come_back,
    configured,
    exchanged,
    fragment,
    signed_in,
)
from tests.support.provider import RealProvider
from tests.support.stack import Json, Stack


class TestABrowser:
    async def test_signs_in_at_the_provider_and_gets_a_session(self, house: Stack, real: RealProvider) -> None:
        said = await signed_in(house, real)
        answer = await exchanged(house, said["code"])
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        me = (await ask(house, answer.json()["token"])).json()
        assert (me["user"], me["role"], me["area"], me["how"]) == ("officer-1", "officer", "/qinghe/yunlan", "oidc")
        assert (await ask(house, answer.json()["token"], "/tasks")).status_code == 200

    async def test_is_sent_there_with_everything_that_guards_the_way(self, house: Stack, real: RealProvider) -> None:
        async with browser(house) as one:
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
        self, house: Stack, real: RealProvider
    ) -> None:
        configured(house, real, public_url="https://rectify.test")
        wanted = {"return_to": "https://rectify.test/app", "challenge": challenge_of(VERIFIER)}
        answer = await house.client().get("/oidc/login", params=wanted)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-")
        assert "; Secure" in cookie
        assert "Path=/;" in cookie

    async def test_may_sign_in_in_two_tabs_at_once(self, house: Stack, real: RealProvider) -> None:
        async with browser(house) as one:
            first, second = await begin(one), await begin(one)
            for there in (first, second):
                assert "code" in fragment(await come_back(one, await real.sign_in(there, "lin")))
            assert not list(one.cookies.jar)

    async def test_hears_that_nobody_knows_him_here(self, house: Stack, real: RealProvider) -> None:
        assert await signed_in(house, real, "sun") == {"error": "nobody_here"}

    async def test_that_refused_at_the_provider_is_told(self, house: Stack) -> None:
        async with browser(house) as one:
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
    async def test_is_to_our_own_pages(self, house: Stack, address: str) -> None:
        params = {"return_to": address, "challenge": challenge_of(VERIFIER)}
        refused(await house.client().get("/oidc/login", params=params), 422, "return_to_forbidden")

    async def test_is_to_other_origins_that_are_set(self, house: Stack, real: RealProvider) -> None:
        configured(house, real, oidc_return_origins="https://app.test, https://console.test")
        for address, status in (("https://console.test/x", 307), ("https://app.test", 307), (PAGE, 422)):
            params = {"return_to": address, "challenge": challenge_of(VERIFIER)}
            assert (await house.client().get("/oidc/login", params=params)).status_code == status

    async def test_needs_the_cookie_of_the_browser_that_began(self, house: Stack, real: RealProvider) -> None:
        async with browser(house) as one, browser(house) as other:
            back = await real.sign_in(await begin(one), "lin")
            refused(await come_back(other, back), 401, "sign_in_interrupted")
            assert "code" in fragment(await come_back(one, back))

    async def test_with_another_state_is_refused(self, house: Stack, real: RealProvider) -> None:
        async with browser(house) as one:
            back = await real.sign_in(await begin(one), "lin")
            state = parse_qs(urlsplit(back).query)["state"][0]
            for wrong in (state[:-1] + ("A" if state[-1] != "A" else "B"), "", secrets.token_urlsafe(32)):
                refused(await come_back(one, back.replace(state, wrong)), 401, "sign_in_interrupted")

    async def test_twice_with_the_same_code_is_refused(self, house: Stack, real: RealProvider) -> None:
        async with browser(house) as one:
            back = await real.sign_in(await begin(one), "lin")
            cookies = dict(one.cookies)
            assert "code" in fragment(await come_back(one, back))
            refused(await come_back(one, back), 401, "sign_in_interrupted")
            one.cookies.update(cookies)
            assert fragment(await come_back(one, back)) == {"error": "provider_refused"}

    async def test_with_anothers_code_is_refused(self, house: Stack, real: RealProvider) -> None:
        """Slipped in: the provider wants the verifier of the browser that began."""
        async with browser(house) as one, browser(house) as other:
            mine, theirs = await real.sign_in(await begin(one), "lin"), await real.sign_in(await begin(other), "zhao")
            code = httpx.URL(theirs).params["code"]
            slipped_in = str(httpx.URL(mine).copy_set_param("code", code))
            assert fragment(await come_back(one, slipped_in)) == {"error": "provider_refused"}

    async def test_with_an_id_token_for_another_request_is_refused(self, house: Stack, real: RealProvider) -> None:
        """The nonce in the cookie is another than the one that the provider signed."""
        async with browser(house) as one:
            back = await real.sign_in(await begin(one), "lin")
            (kept,) = one.cookies.jar
            begun = json.loads(base64.urlsafe_b64decode(str(kept.value).strip('"')))
            forged = base64.urlsafe_b64encode(json.dumps({**begun, "nonce": "another"}).encode()).decode()
            one.cookies.clear()
            one.cookies.set(kept.name, forged)
            with capture_logs() as log:
                assert fragment(await come_back(one, back)) == {"error": "provider_refused"}
        assert {"event": "id_token_refused", "why": "nonce", "log_level": "warning"} in log

    async def test_from_another_provider_is_refused(self, house: Stack, real: RealProvider) -> None:
        async with browser(house) as one:
            back = await real.sign_in(await begin(one), "lin")
            theirs = httpx.URL(back).copy_set_param("iss", "https://evil.test")
            assert fragment(await come_back(one, str(theirs))) == {"error": "provider_refused"}


class TestTheCode:
    async def test_is_worth_one_session(self, house: Stack, real: RealProvider) -> None:
        code = (await signed_in(house, real))["code"]
        refused(await exchanged(house, code, VERIFIER + "x"), 401, "sign_in_interrupted")
        assert (await exchanged(house, code)).status_code == 200
        refused(await exchanged(house, code), 401, "sign_in_interrupted")

    async def test_is_no_token(self, house: Stack, real: RealProvider) -> None:
        code = (await signed_in(house, real))["code"]
        refused(await ask(house, code), 401, "unauthenticated")


class TestLinking:
    async def test_binds_the_login_once_to_its_first_subject(self, house: Stack, real: RealProvider) -> None:
        assert "code" in await signed_in(house, real, "lin")
        assert await identities.user_of(house.engines[0], real.issuer, "lin") == "officer-1"
        assert await signed_in(house, real, "qian") == {"error": "nobody_here"}

    async def test_makes_nobody_an_administrator(self, house: Stack, real: RealProvider) -> None:
        assert await signed_in(house, real, "root") == {"error": "nobody_here"}
        await identities.link(house.engines[0], real.issuer, "root", "admin")
        assert "code" in await signed_in(house, real, "root")

    async def test_makes_an_administrator_where_that_is_set(self, house: Stack, real: RealProvider) -> None:
        configured(house, real, oidc_admins=True)
        assert "code" in await signed_in(house, real, "root")

    async def test_is_by_hand_alone_without_a_claim(self, house: Stack, real: RealProvider) -> None:
        configured(house, real, oidc_login_claim=None)
        assert await signed_in(house, real, "zhao") == {"error": "nobody_here"}
        await identities.link(house.engines[0], real.issuer, "zhao", "supervisor")
        said = await signed_in(house, real, "zhao")
        assert (await exchanged(house, said["code"])).json()["role"] == "supervisor"


class TestClaims:
    def by_claims(self, house: Stack, real: RealProvider, **changes: Any) -> None:  # noqa: ANN401 - any setting
        claims = {"oidc_role_claim": "groups", "oidc_area_claim": "address.formatted"}
        configured(house, real, **{**claims, "oidc_roles": "wangge=dispatcher,guanli=admin", **changes})

    async def test_give_role_and_area_where_that_is_set(self, house: Stack, real: RealProvider) -> None:
        self.by_claims(house, real)
        code = (await signed_in(house, real))["code"]
        me = (await ask(house, (await exchanged(house, code)).json()["token"])).json()
        assert (me["user"], me["role"], me["area"]) == ("officer-1", "dispatcher", "/qinghe/yunlan")
        carried = (await real.tokens("lin"))["access_token"]
        me = (await ask(house, carried)).json()
        assert (me["role"], me["how"]) == ("dispatcher", "provider")

    async def test_without_a_role_open_nothing(self, house: Stack, real: RealProvider) -> None:
        self.by_claims(house, real)
        assert await signed_in(house, real, "zhao") == {"error": "nobody_here"}
        refused(await ask(house, (await real.tokens("zhao"))["access_token"]), 403, "nobody_here")

    async def test_make_an_administrator_only_where_that_is_set(self, house: Stack, real: RealProvider) -> None:
        await identities.link(house.engines[0], real.issuer, "root", "admin")
        self.by_claims(house, real)
        assert await signed_in(house, real, "root") == {"error": "nobody_here"}
        self.by_claims(house, real, oidc_admins=True)
        assert "code" in await signed_in(house, real, "root")

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
    async def test_that_make_no_sense_open_nothing(self, house: Stack, real: RealProvider, claims: Json) -> None:
        self.by_claims(house, real, oidc_roles="wangge=officer,zeren=unit")
        await identities.link(house.engines[0], real.issuer, "lin", "officer-1")
        sound = {"address": {"formatted": "yunlan"}}
        token = real.signed(**{**sound, **claims})
        refused(await ask(house, token), 403, "nobody_here")

    async def test_of_a_unit_give_its_role(self, house: Stack, real: RealProvider) -> None:
        self.by_claims(house, real, oidc_roles="zeren=unit")
        await identities.link(house.engines[0], real.issuer, "lin", "officer-1")
        me = (await ask(house, real.signed(groups=["zeren"], unit="roads"))).json()
        assert (me["role"], me["unit"], me["area"]) == ("unit", "roads", None)
