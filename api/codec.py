"""What lies encrypted in Temporal, made readable for its web UI and its command line. Each call is logged.

For administrators of the whole city: a payload does not say in which district its case lies.

Speaks Temporal's protocol for remote codecs: payloads as JSON, all bytes in base64. A browser cannot be told to send a
token, so there is a page to sign in at: a cookie for these routes alone, which no page of another site can use. The
routes exist only where there is a key ring. See docs/encryption.md.
"""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Form, Request, Security
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from api.auth import bearer, caller
from api.middleware import CODEC
from api.problems import RESPONSES, Unauthenticated
from api.publications import administrator, whole_city
from api.services import Injected, Services
from domain.actors import Actor
from domain.errors import Forbidden, Invalid, RectifyError

router = APIRouter(prefix="/codec", tags=["operations"], responses=RESPONSES)

COOKIE = "rectify_codec"
_SHIFT = 8 * 3600  # seconds
_log = structlog.get_logger()
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by the sign-in page.")


class OnePayload(BaseModel):
    model_config = ConfigDict(extra="allow")

    metadata: Annotated[dict[str, str], Field(description="Values in base64.")] = {}
    data: Annotated[str, Field(description="Base64.")] = ""


class ManyPayloads(BaseModel):
    """`temporal.api.common.v1.Payloads` in protobuf's JSON."""

    payloads: tuple[OnePayload, ...] = ()


async def _admin(
    request: Request,
    services: Injected,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
) -> Actor:
    if credentials is None and cookie:
        credentials = HTTPAuthorizationCredentials(scheme="Bearer", credentials=cookie)
    actor = await caller(request, services, credentials)
    return await whole_city(await administrator(actor))


Admin = Annotated[Actor, Depends(_admin)]


@router.post("/decode", name="decode_payloads")
async def decode(services: Injected, actor: Admin, body: ManyPayloads) -> ManyPayloads:
    """Decrypts payloads of any case; those in plain come back as they are."""
    decoded = await _codec(services).decode(_parsed(body))
    _note("payloads_decrypted", actor, decoded)
    return _shown(decoded)


@router.post("/encode", name="encode_payloads")
async def encode(services: Injected, actor: Admin, body: ManyPayloads) -> ManyPayloads:
    """Encrypts what an operator sends from Temporal's UI. Bound to no case: the UI does not say which."""
    encoded = await _codec(services).encode(_parsed(body))
    _note("payloads_encrypted", actor, encoded)
    return _shown(encoded)


def _codec(services: Services) -> PayloadCodec:
    codec = services.temporal.data_converter.payload_codec
    if codec is None:
        raise RectifyError("internal_error")
    return codec


def _parsed(body: ManyPayloads) -> list[Payload]:
    try:
        return list(ParseDict(body.model_dump(), Payloads()).payloads)
    except ParseError:
        raise Invalid("malformed_body") from None


def _shown(payloads: list[Payload]) -> ManyPayloads:
    shown: dict[str, Any] = MessageToDict(Payloads(payloads=payloads))
    return ManyPayloads.model_validate(shown)


def _note(what: str, actor: Actor, payloads: list[Payload]) -> None:
    """Who saw how much. Nothing of what it was."""
    _log.info(what, user=actor.user, payloads=len(payloads), bytes=sum(len(payload.data) for payload in payloads))


# --- for browsers ---

_PAGE = """<!doctype html>
<html lang="zh"><meta charset="utf-8"><title>rectify</title>
<body style="font-family: sans-serif; max-width: 32em; margin: 4em auto">
<h1>解密登录 Sign in to decrypt</h1>
<p>{message}</p>
<form method="post"><label>管理员令牌 An admin's token<br>
<input type="password" name="token" autocomplete="off" style="width: 100%" required autofocus></label>
<p><button>登录 Sign in</button></p></form></body></html>"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_ASK = "登录后，Temporal 网页可显示加密内容，八小时内有效。 Temporal's UI then shows what is encrypted, for 8 hours."
_REFUSED = "令牌无效，或不属于全市的管理员。 The token is not valid, or not an admin's of the whole city."
_DONE = "已登录，请回到 Temporal 网页并刷新。 You are signed in: go back to Temporal's UI and reload it."


def _page(message: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(message=message), status, _HEADERS)


@router.get("/sign-in", include_in_schema=False)
async def ask(done: bool = False) -> HTMLResponse:  # noqa: FBT001, FBT002 - a flag in the address
    return _page(_DONE if done else _ASK)


@router.post("/sign-in", include_in_schema=False, response_model=None)
async def sign_in(
    request: Request, services: Injected, token: Annotated[str, Form(max_length=500)]
) -> HTMLResponse | RedirectResponse:
    try:
        await _admin(request, services, None, token)
    except (Unauthenticated, Forbidden):
        return _page(_REFUSED, Forbidden.status)
    answer = RedirectResponse("sign-in?done=true", 303, _HEADERS)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, max_age=_SHIFT, path=CODEC, secure=secure, httponly=True, samesite="strict")
    return answer


class ForTheUi:
    """Lets pages of one origin, Temporal's UI, ask these routes, with the cookie. No other page, no other route."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app, allow_origins=[origin], allow_methods=["POST"], allow_headers=["*"], allow_credentials=True
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] == "http" and scope["path"].startswith(f"{CODEC}/")
        await (self._open if ours else self._app)(scope, receive, send)
