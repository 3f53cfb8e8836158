"""Server-rendered pages: templates, the two languages in them, and the page for an error."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api import language
from api.routes.network import SELF_RUN
from api.services import Services
from api.view import KST
from credential.text import Text
from ledger.access.permissions import Permission

if TYPE_CHECKING:
    from api.access import Acting

NAVIGATION: tuple[tuple[Permission | None, str, Text], ...] = (
    (Permission.OWN_LEARNING, "/learning", Text("내 배움", "My learning")),
    (Permission.AWARDS_READ, "/office/applications", Text("학위 신청", "Applications")),
    (Permission.AWARDS_READ, "/office/roll", Text("수여 명단", "Roll")),
    (Permission.PEOPLE_MANAGE, "/people", Text("사람과 역할", "People and roles")),
    (Permission.KEYS_MANAGE, "/keys", Text("프로그램용 열쇠", "Keys for programs")),
    (Permission.LOG_READ, "/log", Text("활동 기록", "Activity log")),
    (None, "/account", Text("내 계정", "My account")),
)
"""What a signed-in person finds at the top, as far as their permissions go."""

HERE = Path(__file__).parent
STATIC = HERE / "static"


class Pages:
    """Renders `api/templates`. In a template ``t(ko, en)`` picks the reader's language."""

    def __init__(self, services: Services) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["seoul_time"] = seoul_time
        self._environment.filters["seoul_day"] = seoul_day
        self._assets = _digest(STATIC)
        self._sign_in = services.door is not None
        self._self_run = any(network.self_run for network in services.trust.networks)

    def html(
        self,
        name: str,
        lang: language.Language,
        *,
        path: str = "/",
        acting: Acting | None = None,
        **context: Any,
    ) -> str:
        """The template ``name`` in one language. ``path`` is the page's own address, ``acting``
        who is signed in."""

        def t(ko: str, en: str) -> str:
            return ko if lang == "ko" else en

        template = self._environment.get_template(name)
        return template.render(
            t=t,
            lang=lang,
            other="en" if lang == "ko" else "ko",
            # an address such as //elsewhere.example would be a link to another server
            path="/" + path.lstrip("/\\"),
            version=self._assets,
            acting=acting,
            navigation=[] if acting is None else _navigation(acting, lang),
            offers_sign_in=self._sign_in,
            self_run=self._self_run,
            self_run_notice=language.say(SELF_RUN, lang),
            **context,
        )

    def page(
        self,
        request: Request,
        name: str,
        lang: language.Language,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """A whole page as an answer, in ``lang``."""
        body = self.html(name, lang, path=request.url.path, **context)
        extra = {
            "Content-Language": lang,
            "Vary": "Accept-Language",
            "Cache-Control": "no-cache",
            **(headers or {}),
        }
        return HTMLResponse(body, status, extra)

    def error(
        self, request: Request, problem: Mapping[str, Any], headers: Mapping[str, str]
    ) -> HTMLResponse:
        """The page that shows a problem to a person."""
        lang = language.of(request)
        status = int(problem["status"])
        return self.page(
            request, "error.html", lang, status=status, headers=headers, problem=problem
        )


def seoul_time(instant: str) -> str:
    """An RFC 3339 instant as people in Seoul read it."""
    return f"{datetime.fromisoformat(instant).astimezone(KST):%Y-%m-%d %H:%M}"


def seoul_day(instant: str) -> str:
    """The day in Seoul of an RFC 3339 instant."""
    return seoul_time(instant)[:10]


def _navigation(acting: Acting, lang: language.Language) -> list[tuple[str, str]]:
    return [
        (href, language.say(text, lang))
        for permission, href, text in NAVIGATION
        if permission is None or acting.may(permission)
    ]


def _digest(directory: Path) -> str:
    """Twelve letters that change when one of our own scripts or styles does."""
    total = hashlib.sha256()
    for path in sorted(directory.glob("*.*")):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:12]
