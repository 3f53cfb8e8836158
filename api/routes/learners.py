"""``/v1/learners``: where a learner stands on the way to each degree, and what would be if.

``me`` stands for the learner whose account is signed in.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse

from api.access import Acting, require
from api.office import GivenOffice, Sent, answer, whose
from api.routes.given import GivenReading
from ledger.access.permissions import Permission
from ledger.catalogue import import_rows

router = APIRouter(tags=["learners"])
SignedIn = Annotated[Acting, require()]
Clerk = Annotated[Acting, require(Permission.AWARDS_APPLY)]
DegreeName = Annotated[str, Query(max_length=64, description="e.g. bachelor, doctor/history")]
Ident = Annotated[str, Field(min_length=1, max_length=64)]


class Assumptions(Sent):
    """What to assume. All of it together."""

    degree: Ident
    take: list[Ident] = Field(default=[], max_length=20, description="Ids of open courses")
    without: list[Ident] = Field(default=[], max_length=50, description="Records as if revoked")
    policy: str | None = Field(default=None, max_length=128, description="id@version")


class Courses(Sent):
    """Open courses, as in a catalogue file (docs/awards.md)."""

    courses: list[dict[str, Any]] = Field(max_length=1000)


def _reader(acting: Acting, learner: str) -> str:
    return whose(acting, learner, Permission.OWN_LEARNING, Permission.LEARNERS_READ)


@router.get("/v1/learners/{learner}/audit", summary="The way to every degree, or to one")
async def audit(
    learner: str,
    acting: SignedIn,
    office: GivenOffice,
    reading: GivenReading,
    degree: DegreeName | None = None,
) -> JSONResponse:
    """Each audit has a line for every record, counted or not, and the cheapest way to close it."""
    found = _reader(acting, learner)

    def job() -> dict[str, Any]:
        audits = [office.audit(found, degree)] if degree is not None else office.ways(found)
        return {"learner": found, "audits": audits, "titles": office.titles(found)}

    return answer(await reading.run(job))


@router.post("/v1/learners/{learner}/what-if", summary="The same audit under assumptions")
async def what_if(
    learner: str,
    assumed: Assumptions,
    acting: SignedIn,
    office: GivenOffice,
    reading: GivenReading,
) -> JSONResponse:
    """`now` and `then` are whole audits; `difference` says what changes. Nothing is stored."""
    found = _reader(acting, learner)
    return answer(
        await reading.run(
            lambda: office.what_if(
                found,
                assumed.degree,
                take=assumed.take,
                without=assumed.without,
                policy=assumed.policy,
            )
        )
    )


@router.get("/v1/learners/{learner}/suggestions", summary="Open courses that bring one closest")
async def suggestions(
    learner: str,
    degree: DegreeName,
    acting: SignedIn,
    office: GivenOffice,
    reading: GivenReading,
) -> JSONResponse:
    """The best ten, and a plan with few courses; `enough` says whether it gets there."""
    found = _reader(acting, learner)
    return answer(await reading.run(lambda: office.suggestions(found, degree)))


@router.get("/v1/learners/{learner}/awards", summary="Degrees and applications of a learner")
async def awards(
    learner: str, acting: SignedIn, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """What one holds or held, and what one has asked for."""
    found = _reader(acting, learner)

    def job() -> dict[str, Any]:
        return {
            "learner": found,
            "awards": office.awards(learner_id=found),
            "applications": office.applications(learner_id=found)["applications"],
        }

    return answer(await reading.run(job))


@router.get("/v1/courses", summary="Courses that can be joined today")
async def courses(_acting: SignedIn, office: GivenOffice, reading: GivenReading) -> JSONResponse:
    """The sooner first."""
    return answer({"courses": await reading.run(office.open_courses)})


@router.post("/v1/courses", summary="Add or change open courses")
async def add_courses(
    sent: Courses, _acting: Clerk, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """All of them or none; sending them again changes what changed."""
    return answer(await reading.run(lambda: office.write(import_rows, sent.courses)))
