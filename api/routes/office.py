"""``/office``: the degree office's pages: applications, the steps of an award, the roll."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import language, problems
from api.access import Acting, require
from api.routes.access import field
from api.routes.given import GivenOffice, GivenReading
from api.routes.learning import actor
from api.routes.pages import GivenPages
from credential.errors import BaeumError
from credential.text import Text
from issuer.papers import RollLine, roll_lines, roll_pdf, roll_xlsx
from ledger.access.permissions import Permission
from ledger.awards import applications, decisions, views
from ledger.awards.applications import Taken
from ledger.awards.errors import STATES, input_wrong
from ledger.awards.office import Office

router = APIRouter(prefix="/office", include_in_schema=False)
Reads = Annotated[Acting, require(Permission.AWARDS_READ)]
Applies = Annotated[Acting, require(Permission.AWARDS_APPLY)]
Reviews = Annotated[Acting, require(Permission.AWARDS_REVIEW, fresh=True)]
Decides = Annotated[Acting, require(Permission.AWARDS_DECIDE, fresh=True)]
Confers = Annotated[Acting, require(Permission.AWARDS_CONFER, fresh=True)]
_PRIVATE = {"Cache-Control": "no-store"}
_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
_ROLL = Text("명예시민학위 수여자 명단", "Roll of honorary citizen degrees")
ACTIONS = {
    "apply": Text("신청", "applied"),
    "review": Text("심사", "reviewed"),
    "decide": Text("결정", "decided"),
    "confer": Text("수여", "conferred"),
    "cancel": Text("취소", "taken back"),
}
FILTERS = ("open", "applied", "reviewing", "reviewed", "approved", "conferred", "refused")


@router.get("/applications")
async def listed(
    request: Request,
    acting: Reads,
    pages: GivenPages,
    office: GivenOffice,
    reading: GivenReading,
    state: str = "open",
    after: str | None = None,
) -> Response:
    """Applications, newest first, a page at a time."""
    wanted = state if state in FILTERS else "open"
    found = await reading.run(
        lambda: office.look(views.applications, office.identities, state=wanted, after=after)
    )
    lang = language.of(request)
    names = {"open": Text("진행 중", "in progress")} | {s: STATES[s] for s in FILTERS[1:]}
    return pages.page(
        request,
        "applications.html",
        lang,
        headers=_PRIVATE,
        acting=acting,
        page=found,
        state=wanted,
        filters=[(s, language.say(names[s], lang)) for s in FILTERS],
        may_apply=acting.may(Permission.AWARDS_APPLY),
    )


@router.post("/applications")
async def apply(
    request: Request, acting: Applies, office: GivenOffice, reading: GivenReading
) -> Response:
    """Take in an application at the desk."""
    learner, degree = await field(request, "learner"), await field(request, "degree")
    taken = await reading.run(
        lambda: office.take(applications.apply, learner.strip(), degree, actor(acting))
    )
    return _to(request, taken.id)


@router.get("/applications/{ident}")
async def one(
    request: Request, ident: str, acting: Reads, pages: GivenPages, office: GivenOffice,
    reading: GivenReading,
) -> Response:  # fmt: skip
    """One application: the recommendation, every record with its reason, the steps to take."""
    return await _page(request, ident, acting, pages, office, reading)


@router.post("/applications/{ident}/review")
async def review(
    request: Request, ident: str, acting: Reviews, pages: GivenPages, office: GivenOffice,
    reading: GivenReading,
) -> Response:  # fmt: skip
    """One person's review, or stepping aside because of a conflict of interest."""
    word, reason = await field(request, "word"), await field(request, "reason")

    def step() -> Taken:
        if word not in ("award", "object", "recused"):
            raise input_wrong("의견을 골라 주세요.", "Choose an opinion.", "word")
        return office.take(
            applications.review, ident, actor(acting),
            recommends=word == "award", conflict=word == "recused", reason=reason,
        )  # fmt: skip

    return await _step(request, ident, acting, pages, office, reading, step)


@router.post("/applications/{ident}/decide")
async def decide(
    request: Request, ident: str, acting: Decides, pages: GivenPages, office: GivenOffice,
    reading: GivenReading,
) -> Response:  # fmt: skip
    """The committee's decision, entered by its chair."""
    outcome, meeting = await field(request, "outcome"), await field(request, "meeting")
    members, reason = await field(request, "members"), await field(request, "reason")

    def step() -> Taken:
        if outcome not in ("approve", "refuse"):
            raise input_wrong("결정을 골라 주세요.", "Choose the decision.", "outcome")
        return office.take(
            decisions.decide, ident, actor(acting),
            approve=outcome == "approve", meeting=meeting, reason=reason,
            members=tuple(name.strip() for name in members.split(",") if name.strip()),
        )  # fmt: skip

    return await _step(request, ident, acting, pages, office, reading, step)


@router.post("/applications/{ident}/confer")
async def confer(
    request: Request, ident: str, acting: Confers, pages: GivenPages, office: GivenOffice,
    reading: GivenReading,
) -> Response:  # fmt: skip
    """Give the degree that the committee approved."""
    reason = await field(request, "reason")

    def step() -> Taken:
        institution = office.awarding_institution()
        return office.take(
            decisions.confer, ident, actor(acting), institution=institution, reason=reason
        )

    return await _step(request, ident, acting, pages, office, reading, step)


@router.get("/roll")
async def roll(
    request: Request,
    acting: Reads,
    pages: GivenPages,
    office: GivenOffice,
    reading: GivenReading,
    since: str = "",
    until: str = "",
    form: str = "page",
) -> Response:
    """Degrees given between two days, to look at, as a spreadsheet, or as PDF."""
    lang = language.of(request)

    def look() -> list[RollLine]:
        first, last = _day(since, "since"), _day(until, "until")
        found = office.look(views.awards, office.identities, since=first, until=last, limit=None)
        return roll_lines(found)

    lines = await reading.run(look)
    if form in _TYPES:
        giver = office.awarding_institution()
        content = await reading.run(
            lambda: (
                roll_xlsx(lines, _ROLL, lang)
                if form == "xlsx"
                else roll_pdf(lines, _ROLL, Text(giver, giver), lang)
            )
        )
        disposition = {"Content-Disposition": f'attachment; filename="roll.{form}"'}
        return Response(content, headers=_PRIVATE | disposition, media_type=_TYPES[form])
    return pages.page(
        request,
        "roll.html",
        lang,
        headers=_PRIVATE,
        acting=acting,
        rows=[line.cells(lang) for line in lines[:500]],
        total=len(lines),
        since=since,
        until=until,
    )


def _day(text: str, name: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise input_wrong("날짜가 아닙니다.", "This is not a day.", name) from error


async def _step(
    request: Request,
    ident: str,
    acting: Acting,
    pages: GivenPages,
    office: Office,
    reading: GivenReading,
    step: Callable[[], Taken],
) -> Response:
    try:
        await reading.run(step)
    except BaeumError as error:
        return await _page(request, ident, acting, pages, office, reading, error)
    return _to(request, ident)


async def _page(
    request: Request,
    ident: str,
    acting: Acting,
    pages: GivenPages,
    office: Office,
    reading: GivenReading,
    error: BaeumError | None = None,
) -> Response:
    def look(session: Session) -> dict[str, Any]:
        return views.application(session, ident, office.clock(), office.identities)

    found = await reading.run(lambda: office.look(look))
    lang = language.of(request)
    may = {
        "review": Permission.AWARDS_REVIEW in acting.person.permissions
        and found["state"] in ("applied", "reviewing"),
        "decide": Permission.AWARDS_DECIDE in acting.person.permissions
        and found["state"] in ("reviewed", "approved"),
        "confer": Permission.AWARDS_CONFER in acting.person.permissions
        and found["state"] == "approved",
    }
    return pages.page(
        request,
        "application.html",
        lang,
        status=200 if error is None else error.status,
        headers=_PRIVATE,
        acting=acting,
        problem=None if error is None else problems.body(error, lang),
        found=found,
        lines=views.record_lines(found["audit"], found["titles"]),
        may=may,
        actions={name: language.say(text, lang) for name, text in ACTIONS.items()},
    )


def _to(request: Request, ident: str) -> RedirectResponse:
    lang = language.of(request)
    return RedirectResponse(f"/office/applications/{ident}?lang={lang}", 303, _PRIVATE)
