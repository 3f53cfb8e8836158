"""``/learning``: a citizen's own way to each degree, what counts and why, what if, and applying."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as Asked
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import language, problems
from api.access import Acting, require
from api.routes.access import field
from api.routes.given import GivenOffice, GivenReading
from api.routes.pages import GivenPages
from api.view import KST
from credential.text import Text
from ledger import prospects
from ledger.access.permissions import Permission
from ledger.awards import applications, views
from ledger.awards.office import Office
from ledger.awards.people import Actor
from ledger.standing import LearnerUnknown

router = APIRouter(include_in_schema=False)
OwnLearning = Annotated[Acting, require(Permission.OWN_LEARNING)]
OwnApplication = Annotated[Acting, require(Permission.OWN_APPLICATION)]
_PRIVATE = {"Cache-Control": "no-store"}
MOST = 20
"""Assumptions one question may make."""


def learner_of(acting: Acting) -> str:
    """Whose learning this is. Raises ``LearnerUnknown`` for an account without a learner."""
    if acting.person.learner_id is None:
        raise LearnerUnknown(
            Text("이 계정에는 학습자가 없습니다.", "Your account is not tied to a learner."),
            Text("관리자에게 문의하세요.", "Ask your administrator."),
        )
    return acting.person.learner_id


def actor(acting: Acting) -> Actor:
    """Who acts, as the degree office writes it down."""
    person = acting.person
    return Actor(person.name, person.institution_id, person.learner_id)


def today(office: Office) -> date:
    """Today in Seoul."""
    return office.clock().astimezone(KST).date()


@router.get("/learning")
async def overview(
    request: Request,
    acting: OwnLearning,
    pages: GivenPages,
    office: GivenOffice,
    reading: GivenReading,
) -> Response:
    """The way to each degree, and one's applications."""
    learner, day = learner_of(acting), today(office)

    def look(session: Session) -> dict[str, Any]:
        return {
            "ways": prospects.ways(session, learner, day),
            "mine": views.applications(session, learner_id=learner)["applications"],
            "held": views.awards(session, learner_id=learner),
        }

    found = await reading.run(lambda: office.look(look))
    lang = language.of(request)
    return pages.page(request, "learning.html", lang, headers=_PRIVATE, acting=acting, **found)


@router.get("/learning/degree")
async def degree(
    request: Request,
    acting: OwnLearning,
    pages: GivenPages,
    office: GivenOffice,
    reading: GivenReading,
    degree: str = "bachelor",
    take: Annotated[list[str] | None, Asked(max_length=MOST)] = None,
    without: Annotated[list[str] | None, Asked(max_length=MOST)] = None,
    policy: str | None = None,
) -> Response:
    """One degree: every record with its reason, what to take next, and what would be if."""
    learner, day = learner_of(acting), today(office)

    def look(session: Session) -> dict[str, Any]:
        return degree_view(session, learner, degree, day, take or (), without or (), policy)

    found = await reading.run(lambda: office.look(look))
    lang = language.of(request)
    return pages.page(request, "degree.html", lang, headers=_PRIVATE, acting=acting, **found)


def degree_view(
    session: Session,
    learner: str,
    degree: str,
    day: date,
    take: Sequence[str],
    without: Sequence[str],
    policy: str | None,
) -> dict[str, Any]:
    """What the degree page shows; ``then`` and ``difference`` only where something is assumed."""
    assumed = bool(take or without or policy)
    answer = prospects.what_if(
        session, learner, degree, day, take=take, without=without, policy=policy or None
    )
    names = views.titles(session, learner)
    planned = {f"planned:{c['id']}": c["title"] for c in answer["assumed"]["take"]}
    near = prospects.suggestions(session, learner, degree, day)
    return {
        "audit": answer["now"],
        "lines": views.record_lines(answer["now"], names),
        "then": answer["then"] if assumed else None,
        "then_lines": views.record_lines(answer["then"], names | planned) if assumed else [],
        "difference": answer["difference"] if assumed else None,
        "near": near,
        "taken": set(take),
        "left_out": set(without),
        "policy": policy or answer["now"]["policy"],
        "versions": [v.key for v in prospects.versions()],
    }


@router.post("/learning/apply")
async def apply(
    request: Request, acting: OwnApplication, office: GivenOffice, reading: GivenReading
) -> Response:
    """Ask for a degree for oneself; asking again changes nothing."""
    learner, wanted = learner_of(acting), await field(request, "degree")
    await reading.run(lambda: office.take(applications.apply, learner, wanted, actor(acting)))
    return _back(request)


@router.post("/learning/cancel")
async def cancel(
    request: Request, acting: OwnApplication, office: GivenOffice, reading: GivenReading
) -> Response:
    """Take one's own application back."""
    learner, ident = learner_of(acting), await field(request, "application")

    def step() -> None:
        mine = office.look(lambda session: views.applications(session, learner_id=learner))
        if ident not in {row["id"] for row in mine["applications"]}:
            raise problems.from_http(404)
        office.take(applications.cancel, ident, actor(acting), "본인 요청")

    await reading.run(step)
    return _back(request)


def _back(request: Request) -> RedirectResponse:
    lang = language.of(request)
    return RedirectResponse(f"/learning?lang={lang}", 303, _PRIVATE)
