"""The outermost layer: body size, security headers, HEAD, and the last resort for failures.

Plain ASGI, so that a body is counted as it arrives and nothing of an oversized one is kept.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.limits import KIBIBYTE, Limits
from credential.errors import BaeumError

_log = logging.getLogger("baeum.api")

# multipart boundaries and part headers come on top of the file itself
_ENVELOPE = 64 * KIBIBYTE

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def content_security_policy(**changed: str) -> str:
    """The policy of every answer; a page may change one directive (``style_src=…``)."""
    directives = POLICY | {name.replace("_", "-"): value for name, value in changed.items()}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


SECURITY_HEADERS = {
    "Content-Security-Policy": content_security_policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _Refused(Exception):
    """The body went over a limit while it was read."""

    def __init__(self, problem: BaeumError) -> None:
        super().__init__(problem.code)
        self.problem = problem


class Guard:
    """ASGI middleware. ``limits`` decides how many bytes a body of which kind may have."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = self._limit(headers)
        head = scope["method"] == "HEAD"
        if head:
            scope = {**scope, "method": "GET"}
        started = False
        received = 0

        complete = False
        deadline = time.monotonic() + self._limits.body_seconds

        async def counted() -> Message:
            nonlocal received, complete
            if complete:  # what comes next is only the end of the connection
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(deadline - time.monotonic(), 0))
            except TimeoutError as error:
                raise _Refused(problems.too_slow(self._limits.body_seconds)) from error
            received += len(message.get("body", b""))
            if received > limit:
                raise _Refused(problems.too_large(limit))
            complete = not message.get("more_body", False)
            return message

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(message)
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        request = Request(scope)
        try:
            if _declared(headers) > limit:
                raise _Refused(problems.too_large(limit))
            await self._app(scope, counted, guarded)
        except _Refused as refused:
            if started:
                raise
            # the rest of the body is not read, so this connection cannot be used again
            answer = problems.respond(request, refused.problem, {"Connection": "close"})
            await answer(scope, receive, guarded)
        except ClientDisconnect:
            _log.info("the client went away before its request was complete")
        except Exception:
            if started:
                raise
            answer = problems.respond(request, problems.unexpected())
            _log.exception("unexpected failure at %s %s", scope["method"], scope["path"])
            await answer(scope, receive, guarded)

    def _limit(self, headers: Headers) -> int:
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        if kind == "multipart/form-data" or kind.startswith("image/"):
            return self._limits.upload_bytes + _ENVELOPE
        return self._limits.json_bytes + _ENVELOPE


def _declared(headers: Headers) -> int:
    value = headers.get("content-length", "0")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0


def _add_headers(message: MutableMapping[str, Any]) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
