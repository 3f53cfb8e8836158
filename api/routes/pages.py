"""``/`` and ``/verify``: what a person sees. Works without scripts; scripts add drop and camera."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api import language, problems
from api.pages import Pages
from api.routes.given import GivenServices, GivenWorkshop
from api.routes.verification import check, form_bytes, media_type
from api.view import report_view
from credential.errors import BaeumError

router = APIRouter(include_in_schema=False)

FRAGMENT = "x-baeum-fragment"
"""Our script sends this header and gets the report alone, without the page around it."""


def pages(request: Request) -> Pages:
    """The renderer of this application."""
    return cast(Pages, request.app.state.pages)


GivenPages = Annotated[Pages, Depends(pages)]


@router.get("/")
async def home(request: Request, pages: GivenPages) -> HTMLResponse:
    """What this is, and the way to check a certificate."""
    return pages.page(request, "home.html", language.of(request))


@router.get("/verify")
async def verify_page(request: Request, pages: GivenPages) -> HTMLResponse:
    """The empty form."""
    return pages.page(request, "verify.html", language.of(request), **_EMPTY)


@router.post("/verify")
async def verify_form(
    request: Request, services: GivenServices, workshop: GivenWorkshop, pages: GivenPages
) -> HTMLResponse:
    """The form's answer: the page with the report, or only the report for our own script."""
    lang = language.of(request)
    context: dict[str, Any] = dict(_EMPTY)
    status = 200
    try:
        if media_type(request) != "multipart/form-data":
            raise problems.from_http(415)
        data = await form_bytes(request, services.limits)
        evidence, report = await workshop.run(lambda: check(data, services))
    except BaeumError as error:
        context["problem"], status = problems.body(error, lang), error.status
    else:
        context["report"] = report_view(report, lang)
        # as text: a page without scripts sends it again for the other language
        context["again"] = evidence.to_bytes().decode()
    headers = {"Cache-Control": "no-store", "Vary": f"Accept-Language, {FRAGMENT}"}
    name = "result.html" if FRAGMENT in request.headers else "verify.html"
    return pages.page(request, name, lang, status=status, headers=headers, **context)


_EMPTY: dict[str, Any] = {"report": None, "problem": None, "again": None}
