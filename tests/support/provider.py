"""A real OIDC provider for tests: Canaille, with its pages and keys, in a process of its own on this machine.

It is told about users and clients when it starts, and can be stopped and started again on the same port. As a program
(`python -m tests.support.provider`): one line of JSON in, one out, until its input ends.
"""

import asyncio
import contextlib
import json
import os
import secrets
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote_plus

import httpx
import jwt

Json = dict[str, Any]

CLIENT, SECRET = "rectify", "s3cret&of=rectify"
OTHER = "another-system"
PASSWORD = "correct horse battery"  # at the provider


@dataclass
class RealProvider:
    """`users`: login to claims, of which it knows `groups` and `address`. `keys`: private ones, the active first."""

    users: Mapping[str, Json]
    redirect_uri: str
    issuer: str = ""
    keys: list[Json] = field(default_factory=list)
    _process: Process | None = None
    _browsers: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    async def start(self) -> None:
        port = int(self.issuer.rpartition(":")[2] or 0)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.provider", stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=_ROOT
        )
        wanted = {"users": self.users, "redirect_uri": self.redirect_uri, "port": port, "keys": self.keys}
        self._heard(await self._ask(wanted))

    async def stop(self) -> None:
        process, self._process = self._process, None
        for browser in self._browsers.values():
            await browser.aclose()
        self._browsers.clear()
        if process is not None:
            process.kill()
            await process.wait()

    async def rotate(self) -> None:
        """A new key; what the old one signed counts no more."""
        self._heard(await self._ask({"do": "rotate"}))

    async def sign_in(self, address: str, user: str) -> str:
        """As somebody would in his browser, from where we sent it: where the provider sends it back to.

        He types his password the first time, and is known after that.
        """
        browser = self._browsers.setdefault(user, httpx.AsyncClient(base_url=self.issuer))
        answer = await self._followed(browser, await browser.get(address))
        for form in ({"login": user}, {"password": PASSWORD}):
            if answer.is_success:
                answer = await self._followed(browser, await browser.post(str(answer.url), data=form))
        return str(answer.headers["location"])

    async def _followed(self, browser: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
        """To a page, or to where it leaves the provider."""
        while answer.is_redirect and not answer.headers["location"].startswith(self.redirect_uri):
            answer = await browser.get(answer.headers["location"])
        return answer

    async def tokens(self, user: str, client: str = CLIENT) -> Json:
        """As another system gets them for its user, by the same flow."""
        verifier = secrets.token_urlsafe(48)
        asked = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile groups address",
            "state": "s",
            "nonce": "n",
            "code_challenge": verifier,
            "code_challenge_method": "plain",
        }
        back = await self.sign_in(f"{self.issuer}/oauth/authorize?{httpx.QueryParams(asked)}", user)
        form = {
            "grant_type": "authorization_code",
            "code": httpx.URL(back).params["code"],
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        if client == OTHER:
            form |= {"client_id": client, "client_secret": SECRET}
        auth = httpx.BasicAuth(client, quote_plus(SECRET)) if client == CLIENT else httpx.Auth()
        async with httpx.AsyncClient() as other:
            answer = await other.post(f"{self.issuer}/oauth/token", data=form, auth=auth)
        assert answer.status_code == 200, answer.text
        return cast("Json", answer.json())

    def signed(self, *, key: Json | None = None, head: Json | None = None, **claims: object) -> str:
        """A token as the provider would sign it, with these claims instead of its own; None leaves one out."""
        now = datetime.now(UTC)
        usual = {"iss": self.issuer, "aud": CLIENT, "sub": "lin", "iat": now, "exp": now + timedelta(hours=1)}
        body = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        private = key or self.keys[0]
        headers = {"kid": private.get("kid"), **(head or {})}
        named = {name: value for name, value in headers.items() if value is not None}
        return jwt.encode(body, jwt.PyJWK(private, "RS256"), algorithm="RS256", headers=named)

    def _heard(self, said: Json) -> None:
        self.issuer, self.keys = said["issuer"], said["keys"]

    async def _ask(self, question: Json) -> Json:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        async with asyncio.timeout(30):
            return cast("Json", json.loads(await self._process.stdout.readline()))


@asynccontextmanager
async def provider(users: Mapping[str, Json], redirect_uri: str) -> AsyncIterator[RealProvider]:
    real = RealProvider(users, redirect_uri)
    await real.start()
    try:
        yield real
    finally:
        await real.stop()


_ROOT = Path(__file__).parents[2]


def _serve() -> None:
    """In the other process; Canaille is imported there alone."""
    import threading
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    from canaille import create_app
    from joserfc.jwk import RSAKey

    wanted = json.loads(sys.stdin.readline())
    out, sys.stdout = sys.stdout, sys.stderr  # nothing but answers
    keys = wanted["keys"] or [RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)]
    server = make_server("127.0.0.1", wanted["port"], cast("Any", None), handler_class=WSGIRequestHandler)
    issuer = f"http://127.0.0.1:{server.server_port}"
    _mend()
    app = create_app(config=_config(server.server_port, keys))
    _fill(app, wanted["users"], wanted["redirect_uri"])
    server.set_app(app)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = app.config["CANAILLE_OIDC"]
    print(json.dumps({"issuer": issuer, "keys": settings["ACTIVE_JWKS"]}), file=out, flush=True)
    for _line in sys.stdin:
        settings["ACTIVE_JWKS"] = [RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)]
        print(json.dumps({"issuer": issuer, "keys": settings["ACTIVE_JWKS"]}), file=out, flush=True)


def _mend() -> None:
    """Canaille 0.3.6 in memory takes what fits any of several conditions: any code of a client would be the one."""
    from canaille.backends.memory.backend import MemoryBackend

    one_condition = MemoryBackend.do_query

    def all_conditions(self: Any, model: Any, *rest: Any, **conditions: Any) -> list[Any]:  # noqa: ANN401 - Canaille's
        found: list[Any] = one_condition(self, model, *rest, **dict(list(conditions.items())[:1]))
        for name, value in list(conditions.items())[1:]:
            fitting = {each.id for each in one_condition(self, model, **{name: value})}
            found = [each for each in found if each.id in fitting]
        return found

    MemoryBackend.do_query = all_conditions


def _config(port: int, keys: list[Json]) -> Json:
    return {
        "TESTING": True,
        "ENV_FILE": None,
        "SECRET_KEY": secrets.token_hex(16),
        "WTF_CSRF_ENABLED": False,
        "PREFERRED_URL_SCHEME": "http",
        "SERVER_NAME": f"127.0.0.1:{port}",
        "CANAILLE": {
            "DATABASE": "memory",
            "JAVASCRIPT": False,
            "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
        },
        "CANAILLE_OIDC": {"ACTIVE_JWKS": keys},
    }


def _fill(app: Any, users: Mapping[str, Json], redirect_uri: str) -> None:  # noqa: ANN401 - Flask's
    from canaille.app import models
    from canaille.backends import Backend

    known: Any = models
    with app.app_context():
        store: Any = Backend.instance
        for login, claims in users.items():
            person = known.User(user_name=login, family_name=login, formatted_name=login, password=PASSWORD)
            person.display_name = claims.get("preferred_username")
            person.formatted_address = claims.get("address")
            store.save(person)
            for group in claims.get("groups", ()):
                store.save(known.Group(display_name=group, members=[person]))
        for name in (CLIENT, OTHER):
            client = known.Client(
                client_id=name,
                client_secret=SECRET,
                client_name=name,
                client_uri="http://127.0.0.1",
                redirect_uris=[redirect_uri],
                grant_types=["authorization_code"],
                response_types=["code"],
                scope=["openid", "profile", "groups", "address"],
                token_endpoint_auth_method="client_secret_basic" if name == CLIENT else "client_secret_post",
            )
            store.save(client)
            client.audience = [client]
            store.save(client)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _serve()
