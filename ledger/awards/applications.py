"""Applying for a degree, and the review by two different persons who declare their interests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.text import Text
from ledger.awards.errors import (
    CohortNeeded,
    ConflictOfInterest,
    SamePerson,
    input_wrong,
    not_now,
    reason_given,
    unknown,
)
from ledger.awards.history import Step, append
from ledger.awards.people import Actor
from ledger.awards.recommendation import Recommendation, policy_of, recommend
from ledger.credit import bundled, choose
from ledger.database.awards import Application, Cohort, CohortPlace, Review
from ledger.database.models import Accreditation, Award, Learner
from ledger.identifiers import ordered_ids
from ledger.standing import POLICY, unknown_learner

KST = ZoneInfo("Asia/Seoul")
OPEN = ("applied", "reviewing", "reviewed", "approved")
REVIEWERS = 2
_APPLICATION = Text("신청", "application")


@dataclass(frozen=True, slots=True)
class Taken:
    """What a step did. ``changed`` is False when it had been done before."""

    id: str
    state: str
    changed: bool

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "state": self.state, "changed": self.changed}


def lock_person(session: Session, learner_id: str) -> Learner:
    """Everything about one person happens one after the other. Raises ``LearnerUnknown``."""
    learner = session.get(Learner, learner_id, with_for_update=True)
    if learner is None:
        raise unknown_learner(learner_id)
    return learner


def application_of(session: Session, application_id: str) -> Application:
    """The application, its person locked. Raises ``Unknown``."""
    found = session.get(Application, application_id)
    if found is None:
        raise unknown(_APPLICATION, application_id)
    lock_person(session, found.learner_id)
    session.refresh(found)
    return found


def apply(
    session: Session,
    learner_id: str,
    degree: str,
    actor: Actor,
    now: datetime,
    *,
    policy: str | None = None,
    reason: str = "신청",
) -> Taken:
    """Ask for a degree (or ``degree/track``). Asking again gives back the open application.

    Nobody is turned away for not being eligible yet: the answer is the recommendation. ``policy``
    is ``id@version``; without it the version in force today. Raises ``CohortNeeded`` where the
    policy wants a place in a cohort first, ``NotNow`` when the degree is held already.
    """
    lock_person(session, learner_id)
    why = reason_given(reason)
    already = session.scalar(
        select(Application).where(
            Application.learner_id == learner_id,
            Application.degree == degree,
            Application.closed_at.is_(None),
        )
    )
    if already is not None:
        return Taken(already.id, already.state, False)
    today = now.astimezone(KST).date()
    chosen = choose(bundled(), POLICY, today) if policy is None else policy_of(policy)
    wanted = chosen.degree(degree)
    if wanted is None:
        known = ", ".join(d.id for d in chosen.degrees)
        raise input_wrong(
            f"‘{degree}’은(는) {chosen.key}의 학위가 아닙니다. 가능한 값: {known}",
            f"'{degree}' is not a degree of {chosen.key}. One of: {known}",
            "degree",
        )
    held = session.scalar(
        select(Award).where(Award.learner_id == learner_id, Award.degree == degree)
    )
    if held is not None:
        raise not_now(
            Text("이 학위", "This degree"),
            held.state,
            "apply",
            Text(
                "이미 수여된 학위입니다. 학위의 문제는 심의 사건(case)으로 다룹니다.",
                "It was given before. What concerns it is a case.",
            ),
        )
    cohort_id = None
    if wanted.cohort == "required":
        cohort_id = session.scalar(
            select(CohortPlace.cohort_id)
            .join(Cohort, Cohort.id == CohortPlace.cohort_id)
            .where(
                CohortPlace.learner_id == learner_id,
                CohortPlace.state == "admitted",
                Cohort.degree.in_((degree, degree.split("/")[0])),
            )
            .order_by(Cohort.opens_on.desc())
        )
        if cohort_id is None:
            raise CohortNeeded(
                Text(
                    f"{wanted.name.ko}는 모집하는 과정에 등록한 사람만 신청할 수 있습니다.",
                    f"{wanted.name.en} is for those admitted to a cohort.",
                ),
                Text(
                    "먼저 과정에 자리를 신청하고 등록 결정을 받으세요.",
                    "Ask for a place in a cohort and be admitted first.",
                ),
                {"degree": degree},
            )
    application = Application(
        id=ordered_ids("app", 1, now)[0],
        learner_id=learner_id,
        degree=degree,
        cohort_id=cohort_id,
        state="applied",
        policy=chosen.key,
        policy_hash=chosen.hash,
        cutoff=now,
        applied_at=now,
    )
    session.add(application)
    session.flush()
    note(session, now, application, actor, "apply", None, why, {"policy": chosen.key})
    return Taken(application.id, "applied", True)


def cancel(
    session: Session, application_id: str, actor: Actor, reason: str, now: datetime
) -> Taken:
    """The learner takes the application back. Raises ``NotNow`` once it is decided and given."""
    application = application_of(session, application_id)
    why = reason_given(reason)
    if application.state == "cancelled":
        return Taken(application.id, "cancelled", False)
    if application.state not in OPEN:
        raise not_now(
            _APPLICATION,
            application.state,
            "cancel",
            Text("끝난 신청은 취소할 수 없습니다.", "A closed application cannot be cancelled."),
        )
    before = application.state
    application.state, application.closed_at = "cancelled", now
    note(session, now, application, actor, "cancel", before, why)
    return Taken(application.id, "cancelled", True)


def review(
    session: Session,
    application_id: str,
    actor: Actor,
    *,
    recommends: bool,
    conflict: bool,
    reason: str,
    now: datetime,
) -> Taken:
    """One person's review; two that are not recusals make the application ready to be decided.

    ``conflict`` is the reviewer's own declaration and is also checked: the applicant, and who
    works for an institution whose records count, may not review. Raises ``ConflictOfInterest``,
    ``SamePerson``, ``NotNow``.
    """
    application = application_of(session, application_id)
    why = reason_given(reason)
    word = "recused" if conflict else "award" if recommends else "object"
    earlier = session.scalar(
        select(Review).where(Review.application_id == application.id, Review.reviewer == actor.id)
    )
    if earlier is not None:
        if earlier.recommendation == word:
            return Taken(application.id, application.state, False)
        raise SamePerson(
            Text(
                f"{actor.id}은(는) 이 신청을 이미 심사했습니다.",
                f"{actor.id} has reviewed this application already.",
            ),
            Text("다른 사람이 심사해야 합니다.", "Somebody else has to review it."),
            {"reviewer": actor.id},
        )
    if application.state not in ("applied", "reviewing"):
        raise not_now(
            _APPLICATION,
            application.state,
            "review",
            Text(
                "두 사람의 심사가 끝났습니다. 위원회의 결정을 입력하세요.",
                "Two persons have reviewed it: record the committee's decision.",
            )
            if application.state == "reviewed"
            else Text("더 심사할 것이 없습니다.", "There is nothing left to review."),
        )
    found = recommend(session, application, now)
    if not conflict:
        check_interests(session, application, actor, found)
    session.add(
        Review(
            application_id=application.id,
            reviewer=actor.id,
            recommendation=word,
            reason=why,
            trace_hash=found.audit.trace_hash,
            at=now,
        )
    )
    session.flush()
    before = application.state
    count = len(reviewers(session, application.id))
    application.state = (
        "reviewed" if count >= REVIEWERS else "reviewing" if count else application.state
    )
    facts = {"recommendation": word, "trace_hash": found.audit.trace_hash}
    note(session, now, application, actor, "review", before, why, facts)
    return Taken(application.id, application.state, True)


def reviewers(session: Session, application_id: str, *, recused: bool = False) -> list[str]:
    """Who reviewed it, or, with ``recused``, who stepped aside."""
    is_recusal = Review.recommendation == "recused"
    return list(
        session.scalars(
            select(Review.reviewer)
            .where(Review.application_id == application_id, is_recusal if recused else ~is_recusal)
            .order_by(Review.id)
        )
    )


def check_interests(
    session: Session, application: Application, actor: Actor, found: Recommendation
) -> None:
    """Raises ``ConflictOfInterest`` for the applicant, for who declared one, and for who works for
    an institution whose records are counted. The registrar itself is everybody's and no party."""
    if actor.learner_id is not None and actor.learner_id == application.learner_id:
        why = Text("본인의 신청입니다.", "It is their own application.")
    elif actor.id in reviewers(session, application.id, recused=True):
        why = Text("이해충돌을 신고한 사람입니다.", "They declared a conflict of interest.")
    elif actor.institution in found.issuers - _registrars(session):
        why = Text(
            f"인정되는 기록을 발급한 기관({actor.institution})의 사람입니다.",
            f"They work for {actor.institution}, whose records are counted.",
        )
    else:
        return
    raise ConflictOfInterest(
        Text(f"{actor.id}: {why.ko}", f"{actor.id}: {why.en}"),
        Text(
            "이해충돌을 신고하고 다른 사람에게 맡기세요.",
            "Declare the conflict and leave it to somebody else.",
        ),
        {"person": actor.id},
    )


def _registrars(session: Session) -> set[str]:
    return set(
        session.scalars(
            select(Accreditation.institution_id).where(Accreditation.kind == "registrar")
        )
    )


def note(
    session: Session,
    now: datetime,
    application: Application,
    actor: Actor,
    action: str,
    before: str | None,
    reason: str,
    facts: dict[str, Any] | None = None,
) -> None:
    append(
        session,
        now,
        [
            Step(
                actor.id,
                action,
                application.id,
                reason,
                application.learner_id,
                before,
                application.state,
                facts,
            )
        ],
    )
