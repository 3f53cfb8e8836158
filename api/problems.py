"""Errors as RFC 9457 problem details, in the reader's language.

Every answer that is not a success goes through here. An unforeseen failure is logged under a
random instance id and the reader is told only that id.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api import language
from credential.errors import BaeumError
from credential.text import Text

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:baeum:problem:"
_RESERVED = {"type", "title", "status", "detail", "instance", "code", "remedy"}
_log = logging.getLogger("baeum.api")


class NotFound(BaeumError):
    """404: nothing is served at this address."""

    code = "not-found"
    title = Text("찾을 수 없습니다", "Not found")
    status = 404


class MethodNotAllowed(BaeumError):
    """405: the address exists, this method does not."""

    code = "method-not-allowed"
    title = Text("쓸 수 없는 요청 방식입니다", "This method is not allowed here")
    status = 405


class BodyTooLarge(BaeumError):
    """413: more bytes than `api.limits.Limits` allows."""

    code = "body-too-large"
    title = Text("파일이 너무 큽니다", "The file is too large")
    status = 413


class UnsupportedMedia(BaeumError):
    """415: a content type this address does not read."""

    code = "unsupported-media-type"
    title = Text("읽을 수 없는 형식입니다", "This kind of content cannot be read")
    status = 415


class MalformedRequest(BaeumError):
    """400: the request itself cannot be read."""

    code = "malformed-request"
    title = Text("요청을 읽을 수 없습니다", "The request cannot be read")
    status = 400


class UnknownOption(BaeumError):
    """400: VCALM (VC-API) 1.0, section Error Handling: an option this service does not know."""

    code = "unknown-option"
    title = Text("모르는 옵션입니다", "Unknown option")
    status = 400
    type_uri: ClassVar[str] = "https://www.w3.org/TR/vcalm#UNKNOWN_OPTION_PROVIDED"


class TooSlow(BaeumError):
    """408: the body did not arrive in time."""

    code = "too-slow"
    title = Text("전송이 너무 오래 걸립니다", "The upload took too long")
    status = 408


class Busy(BaeumError):
    """503: the queue is full."""

    code = "busy"
    title = Text("지금 요청이 많습니다", "Too many requests right now")
    status = 503


class TookTooLong(BaeumError):
    """503: not finished within the time limit. Says nothing about the credential."""

    code = "took-too-long"
    title = Text("시간 안에 확인하지 못했습니다", "Could not be checked in time")
    status = 503


class NotOffered(BaeumError):
    """404: this installation runs without the part that would answer."""

    code = "not-offered"
    title = Text("이 서버에서는 제공하지 않습니다", "Not offered by this server")
    status = 404


class Unexpected(BaeumError):
    """500: our fault. Carries nothing of the cause."""

    code = "internal"
    title = Text("서버에서 문제가 생겼습니다", "Something went wrong on our side")
    status = 500


def unexpected() -> Unexpected:
    """The one thing said about an unforeseen failure."""
    return Unexpected(
        Text(
            "요청을 처리하지 못했습니다. 증명서에 대해서는 아무것도 판단하지 않았습니다.",
            "The request could not be handled. Nothing was decided about the certificate.",
        ),
        Text(
            "잠시 뒤 다시 해 보시고, 계속되면 아래 번호를 알려 주세요.",
            "Please try again in a moment; if it goes on, tell us the number below.",
        ),
    )


def too_large(limit: int) -> BodyTooLarge:
    """413 with the limit in bytes as a fact."""
    return BodyTooLarge(
        Text(
            f"최대 {limit:,}바이트까지 보낼 수 있습니다.", f"At most {limit:,} bytes can be sent."
        ),
        Text(
            "증명서 파일 하나나 더 작은 사진을 보내 주세요.",
            "Please send a single certificate file, or a smaller picture.",
        ),
        {"limit": limit},
    )


def too_slow(seconds: float) -> TooSlow:
    """408 with the limit in seconds as a fact."""
    return TooSlow(
        Text(
            f"{seconds:g}초 안에 받지 못했습니다.",
            f"It did not arrive within {seconds:g} seconds.",
        ),
        Text("연결을 확인하고 다시 보내 주세요.", "Check the connection and send it again."),
        {"limit": seconds},
    )


def body(error: BaeumError, lang: language.Language, status: int | None = None) -> dict[str, Any]:
    """The problem details object (RFC 9457, section 3) in one language."""
    members: dict[str, Any] = {
        "type": getattr(error, "type_uri", TYPE_PREFIX + error.code),
        "title": language.say(error.title, lang),
        "status": status or error.status,
        "detail": language.say(error.detail, lang),
        "instance": uuid.uuid4().urn,
        "code": error.code,
    }
    if error.remedy is not None:
        members["remedy"] = language.say(error.remedy, lang)
    for name, value in error.facts.items():
        if name not in _RESERVED:
            members[name] = value
    return members


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, so that the error is shown as a page."""
    return "text/html" in request.headers.get("accept", "")


def respond(
    request: Request,
    error: BaeumError,
    headers: Mapping[str, str] | None = None,
    status: int | None = None,
) -> Response:
    """The error as ``application/problem+json``, or as a page for a browser."""
    lang = language.of(request)
    members = body(error, lang, status)
    code = int(members["status"])
    if code >= 500:
        _log.error("%s %s: %s", members["instance"], error.code, error)
    extra = {"Content-Language": lang, "Cache-Control": "no-store", **(headers or {})}
    if code == 503:
        extra.setdefault("Retry-After", "2")
    if "retry_after" in error.facts:
        extra.setdefault("Retry-After", str(error.facts["retry_after"]))
    if code == 401:
        extra.setdefault("WWW-Authenticate", 'Bearer realm="baeum"')
    pages = getattr(request.app.state, "pages", None)
    if pages is not None and wants_page(request):
        page: Response = pages.error(request, members, extra)
        return page
    return JSONResponse(members, code, extra, media_type=MEDIA_TYPE)


def from_http(status: int, allowed: str | None = None) -> BaeumError:
    """The error for a bare HTTP status, as the framework raises them."""
    if status == 404:
        return NotFound(
            Text("이 주소에는 아무것도 없습니다.", "There is nothing at this address."),
            Text("주소를 다시 확인해 주세요.", "Please check the address."),
        )
    if status == 405:
        detail = Text(
            "이 주소에서는 그 방식을 쓸 수 없습니다.", "This address does not take that method."
        )
        return MethodNotAllowed(detail, facts={"allow": allowed} if allowed else None)
    if status == 415:
        return UnsupportedMedia(
            Text("이 형식은 읽을 수 없습니다.", "This content type cannot be read."),
        )
    return MalformedRequest(Text("요청을 처리할 수 없습니다.", "The request cannot be handled."))


def from_validation(error: RequestValidationError) -> MalformedRequest:
    """400 that names the fields in error, without echoing what was sent."""
    fields = [
        {"field": ".".join(str(step) for step in item["loc"]), "reason": str(item["msg"])}
        for item in error.errors()[:20]
    ]
    return MalformedRequest(
        Text("요청의 일부가 올바르지 않습니다.", "A part of the request is not right."),
        Text("`errors`에 적힌 항목을 고쳐 주세요.", "Correct the fields listed in `errors`."),
        {"errors": fields},
    )


def install(app: FastAPI) -> None:
    """Handlers for our errors, the framework's and validation's.

    ``app.state.turn`` may send a person's browser to another page instead (sign-in).
    """

    def ours(request: Request, error: Exception) -> Response:
        if not isinstance(error, BaeumError):
            raise error
        turned = app.state.turn(request, error)
        return respond(request, error) if turned is None else turned

    def http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        headers = dict(error.headers or {})
        mapped = from_http(error.status_code, headers.get("Allow"))
        return respond(request, mapped, headers, error.status_code)

    def validation(request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        return respond(request, from_validation(error))

    app.add_exception_handler(BaeumError, ours)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, validation)
