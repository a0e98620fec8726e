"""Signing in at the provider with a browser: the authorization code flow with PKCE, then a session of ours.

The page that begins it brings a challenge (RFC 7636, S256) and keeps the verifier. After the provider has sent the
browser back here, the page gets a code in its address, behind `#`, where no server and no other page reads it; with the
verifier it is worth a session, once and within a minute. So neither a code that was overheard nor one that somebody
slips to a browser is good for anything.

What this sign-in was begun with travels in a cookie of its own, for some minutes, for this host alone.
"""

import base64
import binascii
import hmac
import secrets
from typing import Annotated
from urllib.parse import urlencode, urlsplit

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.doors import Opened
from api.problems import RESPONSES, Unauthenticated
from api.provider import Provider, commas
from api.services import Injected, Services
from api.sign_in import NOT_KEPT, Secret, SessionView, session_view
from domain.errors import Forbidden, Invalid, RectifyError
from settings import Settings
from store import tokens
from store.tokens import Kind

router = APIRouter(prefix="/oidc", tags=["sign-in"], responses=RESPONSES)
_log = structlog.get_logger()

CALLBACK = "/api/v1/oidc/callback"
#: How long one may take at the provider, in seconds.
PATIENCE = 600
_NAME = 16  # characters of the state in the cookie's name, so that two tabs do not disturb each other
_VERIFIER = r"^[A-Za-z0-9._~-]{43,128}$"


class Begun(BaseModel):
    """In the cookie. Whoever changes it, changes his own sign-in only."""

    model_config = ConfigDict(frozen=True)

    state: str
    nonce: str
    verifier: str
    challenge: str
    return_to: str


class Exchange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: Secret
    verifier: Annotated[str, Field(pattern=_VERIFIER, repr=False)]


def is_set(settings: Settings) -> bool:
    """Whether browsers may sign in at a provider."""
    return bool(settings.oidc_issuer and settings.public_url)


@router.get("/login", name="begin_oidc", status_code=307, response_class=RedirectResponse)
async def begin(
    services: Injected,
    return_to: Annotated[str, Query(max_length=2000, description="Where the browser comes back to, in the end.")],
    challenge: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{43}$", description="BASE64URL(SHA256(verifier)).")],
) -> RedirectResponse:
    """To the provider. Only to be followed by a browser."""
    provider, public = _provider(services)
    if not _may_return(return_to, services.settings):
        raise Invalid("return_to_forbidden")
    begun = Begun(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        challenge=challenge,
        return_to=return_to,
    )
    there = await provider.sign_in_at(public + CALLBACK, begun.state, begun.nonce, begun.verifier)
    answer = RedirectResponse(there, headers=_HEADERS)
    kept = base64.urlsafe_b64encode(begun.model_dump_json().encode()).decode()
    secure = public.startswith("https:")
    answer.set_cookie(
        _cookie(begun.state, secure=secure), kept, max_age=PATIENCE, secure=secure, httponly=True, samesite="lax"
    )
    return answer


@router.get("/callback", name="finish_oidc", status_code=303, response_class=RedirectResponse)
async def finish(
    request: Request,
    services: Injected,
    state: Annotated[str, Query(max_length=100)],
    code: Annotated[str | None, Query(max_length=4000)] = None,
    iss: Annotated[str | None, Query(max_length=1000)] = None,
) -> RedirectResponse:
    """Where the provider sends the browser. On to the page, with `#code=…`, or `#error=…`: a code of our problems."""
    provider, public = _provider(services)
    name = _cookie(state, secure=public.startswith("https:"))
    begun = _read(request.cookies.get(name, ""))
    if begun is None or not hmac.compare_digest(begun.state.encode(), state.encode()):
        raise Unauthenticated("sign_in_interrupted")
    if not _may_return(begun.return_to, services.settings):
        raise Invalid("return_to_forbidden")
    try:
        if code is None or iss not in {None, provider.issuer}:
            raise Unauthenticated("provider_refused")
        said = {"code": await _handed_over(services, provider, begun, code, public + CALLBACK)}
    except RectifyError as error:
        _log.info("sign_in_refused", code=error.code)
        said = {"error": error.code}
    answer = RedirectResponse(f"{begun.return_to}#{urlencode(said)}", 303, _HEADERS)
    answer.delete_cookie(name, secure=public.startswith("https:"), httponly=True, samesite="lax")
    return answer


@router.post("/token", name="end_oidc")
async def exchange(services: Injected, body: Exchange, response: Response) -> SessionView:
    """The session, in exchange for the code and the verifier of the challenge that the sign-in was begun with."""
    now = services.now()
    until = now + services.settings.session
    token = await tokens.redeem(services.database, body.code, body.verifier, now, until)
    if token is None:
        raise Unauthenticated("sign_in_interrupted")
    view = await session_view(services, Opened(token, until, must_change=False), response)
    _log.info("signed_in", how=Kind.OIDC.value, user=view.user)
    return view


async def _handed_over(services: Services, provider: Provider, begun: Begun, code: str, redirect_uri: str) -> str:
    """Our own code for whoever the provider's code says."""
    if services.reader is None:
        raise RectifyError("internal_error")
    claims = await provider.exchange(code, redirect_uri, begun.nonce, begun.verifier)
    person = await services.reader.person(claims)
    user, granted = person.actor.user, person.granted
    try:
        return await tokens.hand_over(services.database, user, granted, begun.challenge, services.now())
    except LookupError:
        raise Forbidden("nobody_here") from None


def _provider(services: Services) -> tuple[Provider, str]:
    """And the address that browsers have us at."""
    if services.provider is None or services.settings.public_url is None:
        raise RectifyError("internal_error")
    return services.provider, services.settings.public_url.rstrip("/")


def _may_return(address: str, settings: Settings) -> bool:
    """To a page of ours: no other origin, no fragment, nothing that browsers and we could read differently."""
    allowed = commas(settings.oidc_return_origins) or (settings.public_url or "",)
    if not address.isascii() or not address.isprintable() or set(address) & set("\\#@ "):
        return False
    return _origin(address) in {_origin(each) for each in allowed}


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme.lower(), parts.netloc.lower()


def _cookie(state: str, *, secure: bool) -> str:
    """With `__Host-` no other host, not even a subdomain, can set it."""
    return f"{'__Host-' if secure else ''}rectify-oidc-{state[:_NAME]}"


def _read(kept: str) -> Begun | None:
    try:
        return Begun.model_validate_json(base64.urlsafe_b64decode(kept))
    except (ValidationError, binascii.Error, ValueError):
        return None


_HEADERS = {**NOT_KEPT, "Referrer-Policy": "no-referrer"}
