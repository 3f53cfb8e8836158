"""``/v1/awards``: applications, reviews, decisions and conferral.

Every step may be sent again and then changes nothing (``changed: false``). What cannot be done now
is a problem that says what to do instead (``award-step-not-now`` and the other ``award-`` codes).
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse

from api.access import Acting, require
from api.office import OWN, GivenOffice, Sent, actor, answer, whose
from api.routes.given import GivenReading
from ledger.access.errors import NotPermitted
from ledger.access.permissions import Permission
from ledger.awards import applications, decisions, history

router = APIRouter(tags=["awards"])
SignedIn = Annotated[Acting, require()]
Reader = Annotated[Acting, require(Permission.AWARDS_READ)]
Reviewer = Annotated[Acting, require(Permission.AWARDS_REVIEW, fresh=True)]
Committee = Annotated[Acting, require(Permission.AWARDS_DECIDE, fresh=True)]
Registrar = Annotated[Acting, require(Permission.AWARDS_CONFER, fresh=True)]
Reason = Annotated[str, Field(min_length=1, max_length=2000)]
Ident = Annotated[str, Field(min_length=1, max_length=64)]


class NewApplication(Sent):
    """``learner``: an id, or ``me``. ``policy``: id@version, the one in force when left out."""

    learner: Ident = OWN
    degree: Ident
    policy: str | None = Field(default=None, max_length=128)


class NewReview(Sent):
    """``conflict`` is the reviewer's own declaration; with one it is a recusal."""

    recommends: bool
    conflict: bool
    reason: Reason


class NewDecision(Sent):
    """What the committee decided. ``members`` sat besides the one who enters it."""

    approve: bool
    meeting: Ident
    members: list[Ident] = Field(max_length=30)
    reason: Reason


class Because(Sent):
    """Why; kept in the history for good."""

    reason: Reason


@router.get("/v1/awards/applications", summary="Applications, newest first")
async def listed(
    _acting: Reader,
    office: GivenOffice,
    reading: GivenReading,
    state: Annotated[str | None, Query(max_length=16)] = None,
    after: Annotated[str | None, Query(max_length=64)] = None,
) -> JSONResponse:
    """Fifty at a time; `next` is the cursor for `after`. `state=open`: all not closed."""
    return answer(await reading.run(lambda: office.applications(state=state, after=after)))


@router.post("/v1/awards/applications", summary="Apply for a degree", status_code=201)
async def apply(
    sent: NewApplication, acting: SignedIn, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """For oneself, or at the desk for somebody. Asking again gives back the open application."""
    learner = whose(acting, sent.learner, Permission.OWN_APPLICATION, Permission.AWARDS_APPLY)
    taken = await reading.run(
        lambda: office.take(
            applications.apply,
            learner,
            sent.degree,
            actor(acting),
            policy=_office_only(acting, sent),
        )
    )
    return answer(taken.to_json(), 201 if taken.changed else 200)


def _office_only(acting: Acting, sent: NewApplication) -> str | None:
    """Another version of the policy is the office's to choose."""
    if sent.policy is not None and not acting.may(Permission.AWARDS_APPLY):
        raise NotPermitted(Permission.AWARDS_APPLY)
    return sent.policy


@router.get("/v1/awards/applications/{application}", summary="One application with everything")
async def one(
    application: str, acting: SignedIn, office: GivenOffice, reading: GivenReading
) -> JSONResponse:
    """Recommendation with a line for every record, reviews, decision, history. The learner sees
    their own without the names of who reviewed and decided."""
    found = await reading.run(lambda: office.application(application))
    learner = whose(acting, found["learner"], Permission.OWN_APPLICATION, Permission.AWARDS_READ)
    if not acting.may(Permission.AWARDS_READ) and learner == acting.person.learner_id:
        found = _without_people(found)
    return answer(found)


def _without_people(found: dict[str, Any]) -> dict[str, Any]:
    decision = found["decision"]
    if decision is not None:
        decision = {k: v for k, v in decision.items() if k not in ("chair", "members")}
    steps = [{k: row[k] for k in ("at", "action", "before", "after")} for row in found["history"]]
    return {**found, "reviews": [], "decision": decision, "history": steps}


@router.post("/v1/awards/applications/{application}/review", summary="One person's review")
async def review(
    application: str,
    sent: NewReview,
    acting: Reviewer,
    office: GivenOffice,
    reading: GivenReading,
) -> JSONResponse:
    """Two different persons are needed."""
    taken = await reading.run(
        lambda: office.take(
            applications.review,
            application,
            actor(acting),
            recommends=sent.recommends,
            conflict=sent.conflict,
            reason=sent.reason,
        )
    )
    return answer(taken.to_json())


@router.post("/v1/awards/applications/{application}/decision", summary="What was decided")
async def decide(
    application: str,
    sent: NewDecision,
    acting: Committee,
    office: GivenOffice,
    reading: GivenReading,
) -> JSONResponse:
    """Freezes policy hash, record-set root, allocation, trace hash and taxonomy version."""
    taken = await reading.run(
        lambda: office.take(
            decisions.decide,
            application,
            actor(acting),
            approve=sent.approve,
            meeting=sent.meeting,
            members=tuple(sent.members),
            reason=sent.reason,
        )
    )
    return answer(taken.to_json())


@router.post("/v1/awards/applications/{application}/conferral", summary="Give the degree")
async def confer(
    application: str,
    sent: Because,
    acting: Registrar,
    office: GivenOffice,
    reading: GivenReading,
) -> JSONResponse:
    """Its credential is signed and anchored with the next batch."""
    taken = await reading.run(
        lambda: office.take(
            decisions.confer,
            application,
            actor(acting),
            institution=office.awarding_institution(),
            reason=sent.reason,
        )
    )
    return answer(taken.to_json())


@router.post("/v1/awards/applications/{application}/cancellation", summary="Take it back")
async def cancel(
    application: str,
    sent: Because,
    acting: SignedIn,
    office: GivenOffice,
    reading: GivenReading,
) -> JSONResponse:
    """By the learner, or at the desk at their wish."""

    def job() -> dict[str, Any]:
        learner = office.application(application)["learner"]
        whose(acting, learner, Permission.OWN_APPLICATION, Permission.AWARDS_APPLY)
        return office.take(
            applications.cancel, application, actor(acting), reason=sent.reason
        ).to_json()

    return answer(await reading.run(job))


@router.get("/v1/awards/history", summary="The history of one thing, or the check of all of it")
async def steps(
    _acting: Reader,
    office: GivenOffice,
    reading: GivenReading,
    subject: Annotated[str | None, Query(max_length=120)] = None,
    head: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
) -> JSONResponse:
    """`subject`: app_…, case_…, award:7. Without it every hash is recomputed; `head` is one
    written down earlier."""

    def job() -> dict[str, Any]:
        if subject is not None:
            return {"history": office.look(history.of, subject)}
        checked = office.look(history.check, head)
        return {"rows": checked.rows, "head": checked.head, "brokenAt": checked.broken_at}

    return answer(await reading.run(job))
