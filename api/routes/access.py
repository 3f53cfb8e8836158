"""Pages at the door: ``/sign-in``, ``/confirm``, ``/invitation`` and ``/account``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import language, problems
from api.access import (
    Acting,
    client_of,
    cookie_name,
    door_of,
    next_page,
    not_from_elsewhere,
    rates_of,
    require,
    signed_in,
    signed_out,
)
from api.routes.given import GivenReading, services
from api.routes.pages import GivenPages
from credential.errors import BaeumError
from credential.text import Text
from ledger.access.errors import SignInNeeded
from ledger.access.permissions import Role

router = APIRouter(include_in_schema=False)
PRIVATE = {"Cache-Control": "no-store"}
ROLE_NAMES: dict[Role, Text] = {
    Role.CITIZEN: Text("시민", "citizen"),
    Role.CLERK: Text("학위 접수 담당", "degree office clerk"),
    Role.REVIEWER: Text("심사자", "reviewer"),
    Role.COMMITTEE: Text("위원회", "committee"),
    Role.REGISTRAR: Text("수여 담당", "registrar"),
    Role.ISSUER: Text("기관 발급 담당", "issuer at an institution"),
    Role.MANAGER: Text("기관 관리자", "institution manager"),
    Role.AUDITOR: Text("감사", "auditor"),
    Role.ADMINISTRATOR: Text("계정 관리자", "administrator"),
}
SomebodySignedIn = Annotated[Acting, require()]


async def field(request: Request, name: str) -> str:
    """A text field of the form that was sent; empty when there is none."""
    value = (await request.form(max_files=0, max_fields=50)).get(name)
    return value if isinstance(value, str) else ""


@router.get("/sign-in")
async def sign_in_page(request: Request, pages: GivenPages) -> Response:
    """The empty form."""
    door_of(request)
    return _form(request, pages, "sign_in.html", next=request.query_params.get("next", ""))


@router.post("/sign-in")
async def sign_in(request: Request, pages: GivenPages, reading: GivenReading) -> Response:
    """Sign in and go on to the page that was asked for. A session there was before ends."""
    door = door_of(request)
    not_from_elsewhere(request)
    name, password = await field(request, "name"), await field(request, "password")
    onward = await field(request, "next")
    try:
        rates_of(request).take(
            "sign-in", client_of(request), services(request).limits.sign_ins_a_minute
        )
        secret = await reading.run(lambda: door.sign_in(name, password))
    except BaeumError as error:
        return _form(request, pages, "sign_in.html", error, next=onward, typed=name)
    before = request.cookies.get(cookie_name(request))
    if before:
        await reading.run(lambda: door.sign_out(before))
    return signed_in(request, go(request, next_page(onward)), secret)


@router.post("/sign-out", dependencies=[require()])
async def sign_out(request: Request, reading: GivenReading) -> Response:
    """End this session."""
    door = door_of(request)
    secret = request.cookies.get(cookie_name(request), "")
    await reading.run(lambda: door.sign_out(secret))
    return signed_out(request, go(request, "/sign-in"))


@router.get("/confirm")
async def confirm_page(request: Request, acting: SomebodySignedIn, pages: GivenPages) -> Response:
    """Asks for the password again before an important step."""
    onward = request.query_params.get("next", "")
    return _form(request, pages, "confirm.html", acting=acting, next=onward)


@router.post("/confirm")
async def confirm(
    request: Request, acting: SomebodySignedIn, pages: GivenPages, reading: GivenReading
) -> Response:
    """A session of its own again, fresh for five minutes."""
    door = door_of(request)
    secret = request.cookies.get(cookie_name(request))
    if secret is None:  # a token has no password
        raise SignInNeeded
    password, onward = await field(request, "password"), await field(request, "next")
    try:
        opened = await reading.run(lambda: door.confirm(secret, password))
    except BaeumError as error:
        return _form(request, pages, "confirm.html", error, acting=acting, next=onward)
    return signed_in(request, go(request, next_page(onward)), opened)


@router.get("/invitation")
async def invitation_page(request: Request, pages: GivenPages, reading: GivenReading) -> Response:
    """Whom the invitation is for, and the form in which they choose a password."""
    door = door_of(request)
    code = request.query_params.get("code", "")
    person = await reading.run(lambda: door.invited(code))
    return _form(request, pages, "invitation.html", code=code, person=person)


@router.post("/invitation")
async def accept(request: Request, pages: GivenPages, reading: GivenReading) -> Response:
    """The password is chosen; the person is signed in."""
    door = door_of(request)
    code, password = await field(request, "code"), await field(request, "password")
    person = await reading.run(lambda: door.invited(code))
    if password != await field(request, "again"):
        return _form(request, pages, "invitation.html", _Differ(), code=code, person=person)
    try:
        secret = await reading.run(lambda: door.accept(code, password))
    except BaeumError as error:
        return _form(request, pages, "invitation.html", error, code=code, person=person)
    return signed_in(request, go(request, "/account"), secret)


@router.get("/account")
async def account(
    request: Request, acting: SomebodySignedIn, pages: GivenPages, reading: GivenReading
) -> Response:
    """Who I am here, what I may do, where I am signed in."""
    return await _account(request, acting, pages, reading)


@router.post("/account/password")
async def change_password(
    request: Request, acting: SomebodySignedIn, pages: GivenPages, reading: GivenReading
) -> Response:
    """A new password; every other session ends."""
    door = door_of(request)
    old, new = await field(request, "old"), await field(request, "password")
    try:
        if new != await field(request, "again"):
            raise _Differ
        secret = await reading.run(lambda: door.change_password(acting.person.account_id, old, new))
    except BaeumError as error:
        return await _account(request, acting, pages, reading, error)
    return signed_in(request, go(request, "/account"), secret)


@router.post("/account/sign-out-everywhere")
async def everywhere(request: Request, acting: SomebodySignedIn, reading: GivenReading) -> Response:
    """End every session of this account."""
    door = door_of(request)
    await reading.run(lambda: door.sign_out_everywhere(acting.person.account_id))
    return signed_out(request, go(request, "/sign-in"))


class _Differ(BaeumError):
    """422: the two passwords are not the same."""

    code = "passwords-differ"
    title = Text("비밀번호 두 개가 다릅니다", "The two passwords differ")
    status = 422

    def __init__(self) -> None:
        super().__init__(
            Text("같은 비밀번호를 두 번 입력해 주세요.", "Please type the same password twice.")
        )


async def _account(
    request: Request,
    acting: Acting,
    pages: GivenPages,
    reading: GivenReading,
    error: BaeumError | None = None,
) -> Response:
    door = door_of(request)
    count = await reading.run(lambda: door.sessions_of(acting.person.account_id))
    lang = language.of(request)
    names = {role.value: language.say(text, lang) for role, text in ROLE_NAMES.items()}
    return _form(
        request, pages, "account.html", error, acting=acting, sessions=count, role_names=names
    )


def _form(
    request: Request,
    pages: GivenPages,
    template: str,
    error: BaeumError | None = None,
    **context: Any,
) -> Response:
    lang = language.of(request)
    problem = None if error is None else problems.body(error, lang)
    status = 200 if error is None else error.status
    headers = dict(PRIVATE)
    if error is not None and "retry_after" in error.facts:
        headers["Retry-After"] = str(error.facts["retry_after"])
    values = {"typed": "", "problem": problem} | context
    return pages.page(request, template, lang, status=status, headers=headers, **values)


def go(request: Request, path: str) -> RedirectResponse:
    """On to a page of this site, in the language of this one."""
    lang = language.named(request.query_params.get("lang"))
    if lang is not None and "lang=" not in path:
        path += f"{'&' if '?' in path else '?'}lang={lang}"
    return RedirectResponse(path, 303, PRIVATE)
