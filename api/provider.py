"""An OpenID Connect provider: where its endpoints are, which keys it signs with, and whether a token is its own.

Endpoints and keys are fetched when first needed, again every few minutes, and at once for a key that is not known, as
after a rotation. While the provider does not answer, those fetched last go on being good for an hour.
"""

import asyncio
import hmac
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
import jwt
import structlog
from jwt import PyJWK
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from api.problems import Unauthenticated
from domain.errors import Unavailable
from settings import Settings
from store.tokens import challenge_of

#: How long endpoints and keys are taken for fresh, in seconds; and how long they are good while nobody answers.
FRESH_FOR, TRUSTED_FOR = 300.0, 3600.0
#: Seconds between two attempts to fetch them, whatever the reason.
AGAIN_AFTER = 10.0
#: What tokens may be signed with: a key that only the provider has. Neither `none` nor a secret that two share.
ALGORITHMS = frozenset({f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)} | {"EdDSA"})
#: Of a token's head. Others, such as `logout+jwt`, are signed by the same key and open nothing.
TYPES = frozenset({None, "jwt", "at+jwt", "application/at+jwt"})
#: Seconds by which two clocks may differ.
SKEW = 30
LONGEST = 16 * 1024
_REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
#: Of tokens that are no proof by themselves: bound to a key of the sender, or a logout.
_NO_BEARER = frozenset({"cnf", "events"})
_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})
_SECONDS = httpx.Timeout(5.0)
_SERVER_ERROR = 500

Claims = Mapping[str, Any]
_log = structlog.get_logger()


class Bad(Exception):
    """A token that is not the provider's, not for us, or not good any more. Its text names no claim's value."""


class Metadata(BaseModel):
    """By OpenID Connect Discovery 1.0; what we need of it."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)

    @field_validator("authorization_endpoint", "token_endpoint", "jwks_uri")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
            raise ValueError("not https")
        return url


class _Fetched(BaseModel):
    """`keys` as they came: what one of them is for is looked at when a token names it."""

    model_config = ConfigDict(frozen=True)

    metadata: Metadata
    keys: tuple[dict[str, Any], ...]
    at: float


class Provider:
    """ValueError without issuer or client id."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient | None = None) -> None:
        if not settings.oidc_issuer or not settings.oidc_client_id:
            raise ValueError("an OIDC provider needs an issuer and a client id")
        self.issuer = settings.oidc_issuer
        self.client_id = settings.oidc_client_id
        self._secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
        self._audience = settings.oidc_audience or self.client_id
        self._clients = {self.client_id, *commas(settings.oidc_clients)}
        self._scopes = settings.oidc_scopes
        self._http = http or httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False)
        self._lock = asyncio.Lock()
        self._fetched: _Fetched | None = None
        self._tried = -AGAIN_AFTER

    async def close(self) -> None:
        await self._http.aclose()

    async def bearer(self, token: str) -> Claims:
        """Of a token that somebody carries. Bad; Unavailable if that cannot be told now."""
        claims = await self._verified(token, self._audience)
        party = claims.get("azp") or claims.get("client_id")
        if party is None and claims["aud"] not in (self._audience, [self._audience]):
            raise Bad("for several, and no azp")
        if party is not None and party not in self._clients:
            raise Bad("azp")
        if _NO_BEARER & claims.keys():
            raise Bad("no bearer token")
        return claims

    async def sign_in_at(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where to send a browser. Unavailable while the provider does not answer."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        endpoint = (await self._known()).metadata.authorization_endpoint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def exchange(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Claims:
        """Of the ID token that the code is worth. Unauthenticated if it is worth none; Unavailable."""
        answer = await self._ask_for_tokens(code, redirect_uri, verifier)
        try:
            claims = await self._verified(str(answer.get("id_token")), self.client_id)
            _need_ours(claims, self.client_id, nonce)
        except Bad as error:
            _log.warning("id_token_refused", why=str(error))
            raise Unauthenticated("provider_refused") from None
        return claims

    async def _ask_for_tokens(self, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        known = (await self._known()).metadata
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        auth: httpx.Auth = httpx.Auth()
        if self._secret and "client_secret_basic" in known.token_endpoint_auth_methods_supported:
            auth = httpx.BasicAuth(quote_plus(self.client_id), quote_plus(self._secret))
        else:
            form |= {"client_id": self.client_id, **({"client_secret": self._secret} if self._secret else {})}
        try:
            answer = await self._http.post(known.token_endpoint, data=form, auth=auth)
            said = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise _away(error) from None
        if answer.status_code >= _SERVER_ERROR:
            raise _away(None)
        if not answer.is_success or not isinstance(said, dict):
            _log.warning("code_refused", status=answer.status_code)
            raise Unauthenticated("provider_refused")
        return said

    async def _verified(self, token: str, audience: str) -> Claims:
        """Signature, issuer, audience and times."""
        if len(token) > LONGEST:
            raise Bad("too long")
        try:
            head = jwt.get_unverified_header(token)
            key = await self._key(head)
            return jwt.decode(
                token,
                key=key,
                algorithms=[head["alg"]],
                audience=audience,
                issuer=self.issuer,
                leeway=SKEW,
                options={"require": _REQUIRED, "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Bad(type(error).__name__) from None

    async def _key(self, head: Mapping[str, Any]) -> PyJWK:
        kind, algorithm = head.get("typ"), head.get("alg")
        if algorithm not in ALGORITHMS or "crit" in head:
            raise Bad("alg")
        if (kind.lower() if isinstance(kind, str) else kind) not in TYPES:
            raise Bad("typ")
        found = _fitting((await self._known()).keys, head)
        if found is None and await self._refresh():
            found = _fitting((await self._known()).keys, head)
        if found is None:
            raise Bad("kid")
        return PyJWK(found, algorithm=algorithm)

    async def _known(self) -> _Fetched:
        """Fresh, or as fresh as can be had. Unavailable."""
        fetched = self._fetched
        age = time.monotonic() - fetched.at if fetched else TRUSTED_FOR
        if fetched is not None and (age < FRESH_FOR or (self._lock.locked() and age < TRUSTED_FOR)):
            return fetched
        await self._refresh()
        fetched = self._fetched
        if fetched is None or time.monotonic() - fetched.at >= TRUSTED_FOR:
            raise Unavailable("provider_unavailable")
        return fetched

    async def _refresh(self) -> bool:
        """Whether something new may be known now. Those who come meanwhile wait for the same answer."""
        before = self._fetched
        async with self._lock:
            if self._fetched is not before:
                return True
            if time.monotonic() - self._tried < AGAIN_AFTER:
                return False
            self._tried = time.monotonic()
            try:
                self._fetched = await self._fetch()
            except (httpx.HTTPError, ValueError) as error:
                _log.warning("provider_unavailable", error=type(error).__name__)
                return False
        return True

    async def _fetch(self) -> _Fetched:
        document = await self._http.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        metadata = Metadata.model_validate_json(document.raise_for_status().content)
        if metadata.issuer != self.issuer:
            _log.error("oidc_issuer_differs", configured=self.issuer)
            raise ValueError("another issuer")
        keys = (await self._http.get(metadata.jwks_uri)).raise_for_status().json()
        listed = keys.get("keys") if isinstance(keys, dict) else None
        try:
            return _Fetched(metadata=metadata, keys=listed or (), at=time.monotonic())
        except ValidationError:
            raise ValueError("no keys") from None


def is_jwt(token: str) -> bool:
    return _JWT.fullmatch(token) is not None


def commas(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _fitting(keys: tuple[dict[str, Any], ...], head: Mapping[str, Any]) -> dict[str, Any] | None:
    """The key that the token names; of a provider that names none, its only one."""
    signing = [
        key
        for key in keys
        if key.get("use", "sig") == "sig" and key.get("alg", head["alg"]) == head["alg"] and key.get("kty") != "oct"
    ]
    if "kid" not in head:
        return signing[0] if len(signing) == 1 else None
    return next((key for key in signing if key.get("kid") == head["kid"]), None)


def _need_ours(claims: Claims, client_id: str, nonce: str) -> None:
    """An ID token that answers this request of this client (OpenID Connect Core, 3.1.3.7)."""
    if not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
        raise Bad("nonce")
    alone = claims["aud"] in (client_id, [client_id])
    if claims.get("azp", client_id if alone else None) != client_id:
        raise Bad("azp")


def _away(error: Exception | None) -> Unavailable:
    _log.warning("provider_unavailable", error=type(error).__name__ if error else "status")
    return Unavailable("provider_unavailable")
