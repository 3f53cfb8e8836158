"""Who asks, and whether they may: the one place where roles are enforced.

A route that is not for everybody takes ``acting: Annotated[Acting, require(Permission.X)]``. It
gets who acts, or the request ends with 401 or 403 before the route runs. A browser's session needs
the page's form key on everything but GET; ``require(..., fresh=True)`` asks for the password again
when it was last given more than five minutes ago. A test fails for a route that is neither guarded
nor listed as public.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlsplit

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import problems
from api.rates import Rates
from api.routes.given import reading, services
from credential.text import Text
from ledger.access.accounts import Person, hash_of
from ledger.access.door import Door
from ledger.access.errors import ConfirmationNeeded, FormExpired, NotPermitted, SignInNeeded
from ledger.access.permissions import Permission
from ledger.access.sessions import form_key

FIELD = "form_key"
HEADER = "x-baeum-form-key"
_SAFE = ("GET", "HEAD")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts in this request. ``form_key`` is None for a machine with a token; ``fresh``: the
    password was given within five minutes (always so for a token)."""

    person: Person
    form_key: str | None
    fresh: bool

    def may(self, permission: Permission) -> bool:
        return permission in self.person.permissions


class Guard:
    """The dependency behind ``require``; tests look at its ``permission`` on every route."""

    def __init__(self, permission: Permission | None, fresh: bool) -> None:
        self.permission = permission
        self.fresh = fresh

    async def __call__(self, request: Request) -> Acting:
        acting = await _who(request)
        if self.permission is not None and not acting.may(self.permission):
            raise NotPermitted(self.permission)
        if self.fresh and not acting.fresh:
            raise ConfirmationNeeded
        return acting


def require(permission: Permission | None = None, *, fresh: bool = False) -> Any:
    """The guard of a route; without a permission it only asks that somebody is signed in."""
    return Depends(Guard(permission, fresh))


def door_of(request: Request) -> Door:
    """The door of this application. Raises ``NotOffered`` where there is none."""
    door = services(request).door
    if door is None:
        raise problems.NotOffered(
            Text("이 서버에는 로그인이 없습니다.", "Nobody can sign in to this server."),
            Text(
                "기관이나 학위 담당 부서의 서버를 쓰세요.",
                "Use the office's server.",
            ),
        )
    return door


def not_from_elsewhere(request: Request) -> None:
    """For a form that has no session yet: a browser says when another site sent it (Fetch
    Metadata). Raises ``FormExpired``."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise FormExpired


def rates_of(request: Request) -> Rates:
    """How often callers of this application may ask."""
    return cast(Rates, request.app.state.rates)


def client_of(request: Request) -> str:
    """Whose bucket is emptied: the address the connection comes from."""
    return request.client.host if request.client is not None else "unknown"


def cookie_name(request: Request) -> str:
    """``__Host-`` where the site is served over https, so that no subdomain can set it."""
    return "__Host-baeum" if _https(request) else "baeum"


def signed_in(request: Request, response: Response, secret: str) -> Response:
    """The answer with the session's cookie."""
    response.set_cookie(
        cookie_name(request),
        secret,
        path="/",
        secure=_https(request),
        httponly=True,
        samesite="lax",
    )
    return response


def signed_out(request: Request, response: Response) -> Response:
    """The answer that takes the cookie away."""
    response.delete_cookie(cookie_name(request), path="/", secure=_https(request), httponly=True)
    return response


def next_page(wanted: Any) -> str:
    """A page of this site to go on to: never another server's."""
    path = str(wanted or "")
    parts = urlsplit(path)
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc
    return path if inside and path.isprintable() and "\\" not in path else "/account"


def turn_to_sign_in(request: Request, error: Exception) -> Response | None:
    """Where a person's browser goes instead of a 401 or a step-up; None for a machine."""
    if not problems.wants_page(request) or request.method not in _SAFE:
        return None
    here = quote(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
    if isinstance(error, SignInNeeded):
        return RedirectResponse(f"/sign-in?next={here}", 303)
    if isinstance(error, ConfirmationNeeded):
        return RedirectResponse(f"/confirm?next={here}", 303)
    return None


async def _who(request: Request) -> Acting:
    door = door_of(request)
    pool = reading(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        known = None
        limits = services(request).limits
        if scheme.lower() == "bearer" and token.strip():
            known = await pool.run(lambda: door.by_token(token.strip()))
        if known is None:
            rates_of(request).take("bad-token", client_of(request), limits.sign_ins_a_minute)
            raise SignInNeeded
        rates_of(request).take("token", hash_of(token.strip()).hex(), limits.api_calls_a_minute)
        return Acting(known, None, True)
    secret = request.cookies.get(cookie_name(request))
    visit = await pool.run(lambda: door.by_session(secret)) if secret else None
    if secret is None or visit is None:
        raise SignInNeeded
    key = form_key(secret)
    if request.method not in _SAFE:
        await _check_form_key(request, key)
    return Acting(visit.person, key, visit.fresh)


async def _check_form_key(request: Request, key: str) -> None:
    sent = request.headers.get(HEADER)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if sent is None and kind in _FORMS:
        value = (await request.form()).get(FIELD)
        sent = value if isinstance(value, str) else None
    if sent is None or not hmac.compare_digest(sent.encode(), key.encode()):
        raise FormExpired


def _https(request: Request) -> bool:
    return services(request).public_url.startswith("https://")
