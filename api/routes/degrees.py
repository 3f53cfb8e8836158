"""``/v1/awards``: degrees that were given, rolls, evidence, cases, cohorts and exceptions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api import language
from api.access import Acting, require
from api.office import GivenOffice, Sent, actor, answer, whose
from api.routes.awards import Committee, Ident, Reader, Reason, Registrar, SignedIn
from api.routes.given import GivenReading
from credential.evidence import MEDIA_TYPE
from credential.text import Text
from issuer.degree_evidence import degree_evidence
from issuer.papers import roll_lines, roll_pdf, roll_xlsx
from ledger.access.permissions import Permission
from ledger.awards import afterwards, cases, cohorts, views

router = APIRouter(tags=["awards"])
Clerk = Annotated[Acting, require(Permission.AWARDS_APPLY)]
Day = Annotated[date | None, Query(description="YYYY-MM-DD in Seoul")]
_TITLE = Text("명예시민학위 수여자 명단", "Roll of honorary citizen degrees")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class NewCase(Sent):
    """Grounds for a case; ``suspend`` lets the degree rest until it is decided."""

    cause: Literal["fraud", "error"]
    grounds: Reason
    suspend: bool


class Hearing(Sent):
    """The day of the hearing, ten days ahead or more."""

    on: date
    reason: Reason


class Statement(Sent):
    """What was said at the hearing."""

    statement: Reason


class Outcome(Sent):
    """How the case ends."""

    withdraw: bool
    reason: Reason


class Confirmation(Sent):
    """The committee keeps a degree on a new allocation."""

    meeting: Ident
    members: list[Ident] = Field(max_length=30)
    reason: Reason


class NewCohort(Sent):
    """A cohort; ``closesOn`` is the first day without it."""

    id: Ident
    degree: Ident
    ko: Annotated[str, Field(min_length=1, max_length=200)]
    en: Annotated[str, Field(min_length=1, max_length=200)]
    opens_on: date
    closes_on: date
    places: Annotated[int, Field(ge=1, le=100_000)] | None = None


class Admission(Sent):
    """``admit`` gives the place, otherwise it is freed."""

    admit: bool
    rank: Annotated[int, Field(ge=1, le=100_000)] | None = None
    reason: Reason


class Exempt(Sent):
    """A human exception, signed by who sends it."""

    learner: Ident
    kind: Literal["waive_item", "reduce_block", "accept_record"]
    target: Ident
    minutes: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    record: Ident | None = None
    expires_on: date
    reason: Reason


class Entry(Sent):
    """Another way in that somebody checked."""

    learner: Ident
    prior: Ident
    value: Annotated[int, Field(ge=0, le=999)]
    evidence: Reason


@router.get("/v1/awards", summary="Degrees given, by number")
async def given(
    _acting: Reader,
    office: GivenOffice,
    reading: GivenReading,
    since: Day = None,
    until: Day = None,
    after: Annotated[int, Query(ge=0)] = 0,
) -> JSONResponse:
    """Fifty at a time; `after` is the last number seen. `basis` is `paper` for imported ones."""
    found = await reading.run(lambda: office.awards(since=since, until=until, after=after))
    last = found[-1]["award"] if len(found) == views.PAGE else None
    return answer({"awards": found, "next": last})


@router.get("/v1/awards/roll.{form}", summary="The ceremony roll, xlsx or pdf")
async def roll(
    form: Literal["xlsx", "pdf"],
    request: Request,
    _acting: Reader,
    office: GivenOffice,
    reading: GivenReading,
    since: Day = None,
    until: Day = None,
) -> Response:
    """Names, degrees and days between two days of award, inclusive."""
    lang = language.of(request)

    def job() -> bytes:
        lines = roll_lines(office.awards(since=since, until=until, limit=None))
        if form == "xlsx":
            return roll_xlsx(lines, _TITLE, lang)
        giver = office.awarding_institution()
        return roll_pdf(lines, _TITLE, Text(giver, giver), lang)

    return Response(
        await reading.run(job),
        media_type=_XLSX if form == "xlsx" else "application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="roll.{form}"',
            "Content-Language": lang,
            "Cache-Control": "no-store",
        },
    )


@router.get("/v1/awards/affected", summary="Degrees that count on records revoked since")
async def affected(_acting: Reader, office: GivenOffice, reading: GivenReading) -> JSONResponse:
    """A report; nothing is changed."""
    found = await reading.run(lambda: office.look(afterwards.affected, office.clock()))
    return answer({"affected": [one.to_json() for one in found]})


@router.get("/v1/awards/cases", summary="Cases about degrees")
async def listed_cases(
    _acting: Reader, office: GivenOffice, reading: GivenReading, all: bool = False
) -> JSONResponse:
    """Open ones; with `all` closed ones too."""
    found = await reading.run(lambda: office.look(views.cases, open_only=not all))
    return answer({"cases": found})


@router.get("/v1/awards/cohorts", summary="Cohorts and who is in them")
async def listed_cohorts(
    _acting: Reader, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """With the places that are left. `waiting` is not refused."""
    return answer({"cohorts": await reading.run(lambda: office.look(views.cohorts))})


@router.get("/v1/awards/{number}/evidence", summary="A degree's evidence file with its records")
async def evidence(
    number: int,
    acting: SignedIn,
    office: GivenOffice,
    reading: GivenReading,
    view: Literal["full", "counted", "categories"] = "categories",
) -> Response:
    """For the holder, and for who may see learners; whoever is given the file computes the degree
    again with `baeum verify --recompute`."""

    def job() -> bytes:
        found = office.look(views.award, number)
        whose(acting, found["learner"], Permission.OWN_LEARNING, Permission.LEARNERS_READ)
        return office.look(degree_evidence, number, view).to_bytes()

    return Response(
        await reading.run(job),
        media_type=MEDIA_TYPE,
        headers={
            "Content-Disposition": f'attachment; filename="degree-{number}.baeum.json"',
            "Cache-Control": "no-store",
        },
    )


@router.post("/v1/awards/{number}/cases", summary="Open a case on a degree")
async def open_case(
    number: int, sent: NewCase, acting: Registrar, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """The credential's status follows a suspension."""
    return await _take(
        office,
        reading,
        cases.open_case,
        number,
        actor(acting),
        cause=sent.cause,
        grounds=sent.grounds,
        suspend=sent.suspend,
    )


@router.post("/v1/awards/cases/{case}/hearing", summary="Set the day of the hearing")
async def schedule(
    case: str, sent: Hearing, acting: Registrar, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """It can be moved until it was held."""
    return await _take(
        office, reading, cases.schedule, case, actor(acting), on=sent.on, reason=sent.reason
    )


@router.post("/v1/awards/cases/{case}/statement", summary="The hearing took place")
async def hear(
    case: str, sent: Statement, acting: Registrar, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """On its day or later."""
    return await _take(office, reading, cases.hear, case, actor(acting), statement=sent.statement)


@router.post("/v1/awards/cases/{case}/outcome", summary="Keep or withdraw the degree")
async def close(
    case: str, sent: Outcome, acting: Registrar, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """By somebody else than who opened the case; withdrawing needs the hearing."""
    return await _take(
        office,
        reading,
        cases.close,
        case,
        actor(acting),
        withdraw=sent.withdraw,
        reason=sent.reason,
    )


@router.post("/v1/awards/{number}/confirmation", summary="Keep a degree on a new allocation")
async def confirm(
    number: int,
    sent: Confirmation,
    acting: Committee,
    office: GivenOffice,
    reading: GivenReading,
) -> JSONResponse:
    """Only when a counted record has fallen and the degree is still met."""
    return await _take(
        office,
        reading,
        afterwards.confirm,
        number,
        actor(acting),
        meeting=sent.meeting,
        members=tuple(sent.members),
        reason=sent.reason,
    )


@router.post("/v1/awards/cohorts", summary="Announce a cohort")
async def cohort(
    sent: NewCohort, acting: Clerk, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """Sending it again changes nothing."""
    return await _take(
        office,
        reading,
        cohorts.open_cohort,
        sent.id,
        sent.degree,
        Text(sent.ko, sent.en),
        actor(acting),
        opens_on=sent.opens_on,
        closes_on=sent.closes_on,
        quota=sent.places,
    )


@router.post("/v1/awards/cohorts/{cohort}/places/{learner}", summary="Ask for a place")
async def ask(
    cohort: str, learner: str, acting: SignedIn, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """For oneself (`me`), or at the desk."""
    found = whose(acting, learner, Permission.OWN_APPLICATION, Permission.AWARDS_APPLY)
    return await _take(office, reading, cohorts.ask_for_place, cohort, found, actor(acting))


@router.put("/v1/awards/cohorts/{cohort}/places/{learner}", summary="Give or free a place")
async def place(
    cohort: str,
    learner: str,
    sent: Admission,
    acting: Clerk,
    office: GivenOffice,
    reading: GivenReading,
) -> JSONResponse:
    """Who gets none goes on waiting."""
    if sent.admit:
        return await _take(
            office,
            reading,
            cohorts.admit,
            cohort,
            learner,
            actor(acting),
            rank=sent.rank,
            reason=sent.reason,
        )
    return await _take(
        office, reading, cohorts.release, cohort, learner, actor(acting), reason=sent.reason
    )


@router.post("/v1/awards/exceptions", summary="Sign a human exception")
async def exempt(
    sent: Exempt, acting: Committee, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """Addressed by the stable id of a block or item, with an expiry."""
    return await _take(
        office,
        reading,
        cohorts.sign_exception,
        sent.learner,
        actor(acting),
        kind=sent.kind,
        target=sent.target,
        minutes=sent.minutes,
        record_id=sent.record,
        why=sent.reason,
        expires_on=sent.expires_on,
    )


@router.post("/v1/awards/entries", summary="Note another way into a degree")
async def entry(
    sent: Entry, acting: Clerk, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """Years of activity, a degree in the field."""
    return await _take(
        office,
        reading,
        cohorts.note_prior,
        sent.learner,
        sent.prior,
        sent.value,
        actor(acting),
        evidence=sent.evidence,
    )


async def _take(
    office: GivenOffice, reading: GivenReading, step: Any, *arguments: Any, **named: Any
) -> JSONResponse:
    taken = await reading.run(lambda: office.take(step, *arguments, **named))
    return answer(taken.to_json())
