"""``/docs``: the API console, from files of our own: it works with no network at all."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api import language
from api.guard import content_security_policy
from api.routes.pages import GivenPages

router = APIRouter(include_in_schema=False)

# the console sets style attributes; scripts stay limited to our own files
_POLICY = content_security_policy(style_src="'self' 'unsafe-inline'")


@router.get("/docs")
async def docs(request: Request, pages: GivenPages) -> HTMLResponse:
    """Every address of the API with a form to try it."""
    headers = {"Content-Security-Policy": _POLICY}
    return pages.page(request, "docs.html", language.of(request), headers=headers)
