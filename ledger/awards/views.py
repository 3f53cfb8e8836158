"""What people look at: applications, one application with everything about it, degrees, cases.

Plain JSON values, newest first where there are many, with a cursor. Names are opened only for the
office, by whoever hands in the keys.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credential.text import Text
from ledger.awards import history
from ledger.awards.applications import KST, OPEN
from ledger.awards.decisions import decision_on
from ledger.awards.errors import STATES, unknown
from ledger.awards.recommendation import policy_of, recommend
from ledger.database.awards import (
    Application,
    AwardCase,
    Cohort,
    CohortPlace,
    Decision,
    Review,
)
from ledger.database.models import Award, LearningRecord
from ledger.learners import Identities, name_of

PAGE = 50


def applications(
    session: Session,
    identities: Identities | None = None,
    *,
    state: str | None = None,
    learner_id: str | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> dict[str, Any]:
    """``{applications, next, counts}``, newest first. ``state``: one state, or ``open``."""
    query = select(Application)
    if state == "open":
        query = query.where(Application.state.in_(OPEN))
    elif state is not None:
        query = query.where(Application.state == state)
    if learner_id is not None:
        query = query.where(Application.learner_id == learner_id)
    if after is not None:
        query = query.where(Application.id < after)
    rows = session.scalars(query.order_by(Application.id.desc()).limit(limit + 1)).all()
    counts = session.execute(
        select(Application.state, func.count()).group_by(Application.state)
    ).all()
    return {
        "applications": [_application(session, row, identities) for row in rows[:limit]],
        "next": rows[limit - 1].id if len(rows) > limit else None,
        "counts": {name: int(count) for name, count in counts},
    }


def application(
    session: Session, application_id: str, now: datetime, identities: Identities | None = None
) -> dict[str, Any]:
    """One application with its reviews, the engine's recommendation now, the frozen decision, the
    learner's records by name, and the history. Raises ``Unknown``."""
    row = session.get(Application, application_id)
    if row is None:
        raise unknown(Text("신청", "application"), application_id)
    decision = decision_on(session, row.id)
    audit = (
        json.loads(decision.audit)
        if decision is not None
        else recommend(session, row, now).audit.document
    )
    return {
        **_application(session, row, identities),
        "cutoff": row.cutoff.isoformat(),
        "policyHash": row.policy_hash,
        "reviews": [
            {
                "by": review.reviewer,
                "recommendation": review.recommendation,
                "reason": review.reason,
                "at": review.at.isoformat(),
            }
            for review in session.scalars(
                select(Review).where(Review.application_id == row.id).order_by(Review.id)
            )
        ],
        "audit": audit,
        "titles": titles(session, row.learner_id),
        "decision": None if decision is None else _decision(decision),
        "history": history.of(session, row.id),
    }


def titles(session: Session, learner_id: str) -> dict[str, dict[str, str]]:
    """By record id: title in both languages, the day it ended, and its institution."""
    rows = session.execute(
        select(
            LearningRecord.id,
            LearningRecord.title_ko,
            LearningRecord.title_en,
            LearningRecord.ended_at,
            LearningRecord.institution_id,
        ).where(LearningRecord.learner_id == learner_id, LearningRecord.status != "superseded")
    )
    return {
        row.id: {
            "ko": row.title_ko,
            "en": row.title_en or row.title_ko,
            "day": row.ended_at.astimezone(KST).date().isoformat(),
            "institution": row.institution_id,
        }
        for row in rows
    }


def awards(
    session: Session,
    identities: Identities | None = None,
    *,
    learner_id: str | None = None,
    since: date | None = None,
    until: date | None = None,
    after: int = 0,
    limit: int | None = PAGE,
) -> list[dict[str, Any]]:
    """Degrees given, by number; ``since`` to ``until`` inclusive are days of award."""
    query = select(Award).where(Award.id > after)
    if learner_id is not None:
        query = query.where(Award.learner_id == learner_id)
    if since is not None:
        query = query.where(Award.awarded_on >= since)
    if until is not None:
        query = query.where(Award.awarded_on <= until)
    found = session.scalars(query.order_by(Award.id).limit(limit)).all()
    return [_award(session, award, identities) for award in found]


def award(session: Session, award_id: int) -> dict[str, Any]:
    """One degree, without a name. Raises ``Unknown``."""
    found = session.get(Award, award_id)
    if found is None:
        raise unknown(Text("학위", "award"), award_id)
    return _award(session, found, None)


def cases(session: Session, *, open_only: bool = True) -> list[dict[str, Any]]:
    """Cases about degrees, oldest first."""
    query = select(AwardCase)
    if open_only:
        query = query.where(AwardCase.closed_at.is_(None))
    return [
        {
            "id": case.id,
            "award": case.award_id,
            "state": case.state,
            "stateName": STATES[case.state].to_json(),
            "cause": case.cause,
            "grounds": case.grounds,
            "causedBy": case.caused_by,
            "openedBy": case.opened_by,
            "openedAt": case.opened_at.isoformat(),
            "hearingOn": _day(case.hearing_on),
            "heardOn": _day(case.heard_on),
            "statement": case.statement,
            "outcome": case.outcome,
        }
        for case in session.scalars(query.order_by(AwardCase.id))
    ]


def cohorts(session: Session) -> list[dict[str, Any]]:
    """Cohorts with the learners in them and how many places are left."""
    found = []
    for cohort in session.scalars(select(Cohort).order_by(Cohort.opens_on.desc(), Cohort.id)):
        places = session.scalars(
            select(CohortPlace)
            .where(CohortPlace.cohort_id == cohort.id)
            .order_by(CohortPlace.rank, CohortPlace.asked_at)
        ).all()
        admitted = sum(place.state == "admitted" for place in places)
        found.append(
            {
                "id": cohort.id,
                "degree": cohort.degree,
                "name": {"ko": cohort.name_ko, "en": cohort.name_en},
                "opensOn": cohort.opens_on.isoformat(),
                "closesOn": cohort.closes_on.isoformat(),
                "places": cohort.quota,
                "free": None if cohort.quota is None else cohort.quota - admitted,
                "learners": [
                    {
                        "learner": place.learner_id,
                        "state": place.state,
                        "stateName": STATES[place.state].to_json(),
                        "rank": place.rank,
                    }
                    for place in places
                ],
            }
        )
    return found


def degree_names(policy: str | None, degree: str) -> dict[str, str]:
    """What a degree is called, by its policy where there is one."""
    if policy is not None:
        found = policy_of(policy).degree(degree)
        if found is not None:
            return found.name.to_json()
    base = _NAMES.get(degree.split("/")[0])
    return Text(degree, degree).to_json() if base is None else base.to_json()


_NAMES = {
    "bachelor": Text("명예시민학사", "Honorary Citizen Bachelor"),
    "master": Text("명예시민석사", "Honorary Citizen Master"),
    "doctor": Text("명예시민박사", "Honorary Citizen Doctor"),
}


def _application(
    session: Session, row: Application, identities: Identities | None
) -> dict[str, Any]:
    return {
        "id": row.id,
        "learner": row.learner_id,
        "learnerName": None if identities is None else name_of(session, identities, row.learner_id),
        "degree": row.degree,
        "degreeName": degree_names(row.policy, row.degree),
        "state": row.state,
        "stateName": STATES[row.state].to_json(),
        "policy": row.policy,
        "cohort": row.cohort_id,
        "appliedAt": row.applied_at.isoformat(),
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "outcome": decision.outcome,
        "meeting": decision.meeting,
        "chair": decision.chair,
        "members": list(decision.members),
        "reason": decision.reason,
        "at": decision.at.isoformat(),
        "minutes": decision.minutes,
        "taxonomy": decision.taxonomy,
        "recordSetRoot": decision.record_set_root,
        "allocationHash": decision.allocation_hash,
        "traceHash": decision.trace_hash,
        "award": decision.award_id,
    }


def _award(session: Session, award: Award, identities: Identities | None) -> dict[str, Any]:
    return {
        "award": award.id,
        "learner": award.learner_id,
        "learnerName": None
        if identities is None
        else name_of(session, identities, award.learner_id),
        "degree": award.degree,
        "degreeName": degree_names(award.policy, award.degree),
        "state": award.state,
        "stateName": STATES[award.state].to_json(),
        "awardedOn": award.awarded_on.isoformat(),
        "basis": award.basis,
        "policy": award.policy,
        "minutes": sum(award.used.values()) if award.basis == "ledger" else None,
    }


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def record_lines(
    audit: dict[str, Any], names: dict[str, dict[str, str]]
) -> Sequence[dict[str, Any]]:
    """The audit's line for each record, with the record's name beside it."""
    return [{**line, "title": names.get(line["record"])} for line in audit["records"]]
