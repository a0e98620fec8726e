"""Errors as RFC 9457 problem documents: a stable `code`, one sentence that helps, in the caller's language.

`Accept-Language` decides between Chinese (the default) and English.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from api import fields
from domain.errors import Invalid, RectifyError, Unavailable
from domain.sentences import sentence
from domain.words import Lang
from store.images import EvidenceRejected

_log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
_TITLES: dict[int, tuple[str, str]] = {
    401: ("未登录", "Not signed in"),
    403: ("无权操作", "Not allowed"),
    404: ("不存在", "Not found"),
    405: ("方法不允许", "Method not allowed"),
    408: ("请求超时", "Too slow"),
    409: ("状态冲突", "The state forbids it"),
    412: ("已被他人修改", "Changed meanwhile"),
    413: ("内容过大", "Too large"),
    415: ("格式不支持", "Unsupported format"),
    422: ("内容有误", "Malformed"),
    428: ("须先读取", "Read it first"),
    429: ("请求过多", "Too many requests"),
    431: ("请求头过大", "Headers too large"),
    500: ("系统错误", "Internal error"),
    503: ("暂不可用", "Try again later"),
}
_UNSUPPORTED = 415
_HTTP_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    _UNSUPPORTED: "unsupported_media_type",
}


class Problem(BaseModel):
    """RFC 9457. Members beside the standard ones depend on `code`, as `stage` and `actions` of a 409."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[dict[str, str]] | None = None
    stage: str | None = None
    actions: list[str] | None = None


#: For the OpenAPI document: what any route may answer.
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": english}
    for status, (_, english) in _TITLES.items()
    if status not in {405, 412, 428, 431, 500}
}


class Unauthenticated(RectifyError):
    status = 401


class TooLarge(RectifyError):
    status = 413


class Unconditional(RectifyError):
    """A change that does not say what its author has seen."""

    status = 428


class TooMany(RectifyError):
    status = 429


def language(request: Request) -> Lang:
    """English when it is preferred over Chinese, otherwise Chinese. Weights decide, then the order."""
    best, lang = 0.0, "zh"
    for part in request.headers.get("accept-language", "")[:200].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        primary = tag.lower().split("-")[0]
        if primary in {"zh", "en"} and quality > best:
            best, lang = quality, primary
    return "en" if lang == "en" else "zh"


def document(status: int, code: str, params: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    """The body of a problem."""
    titles = _TITLES.get(status, _TITLES[500])
    return {
        **{name: value for name, value in params.items() if name not in Problem.model_fields or name in _EXTRA},
        "type": f"urn:rectify:problem:{code}",
        "title": titles[lang == "en"],
        "status": status,
        "detail": sentence(code, params, lang),
        "code": code,
    }


def problem(request: Request, status: int, code: str, params: Mapping[str, Any]) -> JSONResponse:
    lang = language(request)
    headers = {"Content-Language": lang, "Vary": "Accept-Language"}
    if status in {429, 503}:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if status == RectifyError.status:
        headers["Connection"] = "close"  # uvicorn does so after an error that nobody caught, and says nothing
    if status == Unauthenticated.status:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(document(status, code, params, lang), status, headers, MEDIA_TYPE)


_EXTRA = frozenset({"errors", "stage", "actions"})


def install(app: FastAPI) -> None:
    app.exception_handler(RectifyError)(_rectify_error)
    app.exception_handler(EvidenceRejected)(_evidence_rejected)
    app.exception_handler(RequestValidationError)(_validation_error)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(SQLAlchemyError)(_store_error)
    app.exception_handler(TimeoutError)(_store_error)
    app.exception_handler(OSError)(_store_error)
    app.exception_handler(Exception)(_unexpected)


async def _rectify_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RectifyError):
        raise error
    return problem(request, error.status, error.code, error.params)


async def _evidence_rejected(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, EvidenceRejected):
        raise error
    status = TooLarge.status if error.code == "evidence_too_large" else Invalid.status
    return problem(request, status, error.code, error.params)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses; and a code with its parameters, from where it lets nothing else through."""
    if not isinstance(error, HTTPException):
        raise error
    detail: Any = error.detail
    code, params = detail if isinstance(detail, tuple) else (_HTTP_CODES.get(error.status_code, "malformed_body"), {})
    status = error.status_code if error.status_code in _TITLES else Invalid.status
    response = problem(request, status, code, params)
    response.headers.update(error.headers or {})
    return response


async def _validation_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    errors = fields.explain(found, language(request))
    first = found[0]["type"] if found else ""
    if first == "model_attributes_type" and not _is_json(request):
        return problem(request, _UNSUPPORTED, _HTTP_CODES[_UNSUPPORTED], {})
    code = {"json_invalid": "body_not_json", "extra_forbidden": "unknown_field"}.get(first, "field_invalid")
    detail = errors[0] if errors else {}
    return problem(request, Invalid.status, code, {**detail, "errors": errors})


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


async def _store_error(request: Request, error: Exception) -> JSONResponse:
    _log.warning("store_unavailable", error=type(error).__name__)
    return problem(request, Unavailable.status, "store_unavailable", {})


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _log.error("internal_error", error=type(error).__name__, exc_info=error)
    return problem(request, 500, "internal_error", {})
