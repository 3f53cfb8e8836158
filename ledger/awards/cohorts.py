"""Cohorts with a number of places, other entries, and human exceptions: what comes before.

Being eligible and having a place are two things. Who has none is waiting, not refused; rank and
admission are decided and signed by a person.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credential.text import Text
from ledger.awards.applications import KST, Taken, lock_person
from ledger.awards.errors import PlacesTaken, input_wrong, not_now, reason_given, unknown
from ledger.awards.history import Step, append
from ledger.awards.people import Actor
from ledger.credit import bundled, choose
from ledger.database.awards import Cohort, CohortPlace, LearnerPrior, SignedException
from ledger.identifiers import ordered_ids
from ledger.standing import POLICY

EXCEPTIONS = ("waive_item", "reduce_block", "accept_record")
_COHORT = Text("과정", "cohort")


def open_cohort(
    session: Session,
    cohort_id: str,
    degree: str,
    name: Text,
    actor: Actor,
    *,
    opens_on: date,
    closes_on: date,
    quota: int | None,
    now: datetime,
) -> Taken:
    """Announce a cohort. ``closes_on`` is the first day on which nobody can ask any more.

    The same again changes nothing; other dates or another quota under the same id are refused.
    """
    if not cohort_id or len(cohort_id) > 64 or closes_on <= opens_on or (quota or 1) < 1:
        raise input_wrong(
            "과정 번호, 모집 기간, 인원을 확인하세요.",
            "Check the cohort's id, its dates and its places.",
            "cohort",
        )
    cohort = session.get(Cohort, cohort_id, with_for_update=True)
    if cohort is not None:
        same = (degree, opens_on, closes_on, quota)
        if (cohort.degree, cohort.opens_on, cohort.closes_on, cohort.quota) == same:
            return Taken(cohort.id, "open", False)
        raise input_wrong(
            f"‘{cohort_id}’ 과정이 다른 내용으로 이미 있습니다.",
            f"The cohort '{cohort_id}' exists with other dates or places.",
            "cohort",
        )
    session.add(
        Cohort(
            id=cohort_id,
            degree=degree,
            name_ko=name.ko,
            name_en=name.en,
            opens_on=opens_on,
            closes_on=closes_on,
            quota=quota,
            created_at=now,
        )
    )
    session.flush()
    facts = {"degree": degree, "quota": quota}
    append(
        session,
        now,
        [Step(actor.id, "cohort", f"cohort:{cohort_id}", name.ko, None, None, None, facts)],
    )
    return Taken(cohort_id, "open", True)


def ask_for_place(
    session: Session, cohort_id: str, learner_id: str, actor: Actor, now: datetime
) -> Taken:
    """Ask for a place while the cohort is announced. Raises ``InputWrong`` outside its dates."""
    lock_person(session, learner_id)
    cohort = _cohort(session, cohort_id)
    place = session.get(CohortPlace, (cohort_id, learner_id))
    if place is not None and place.state != "released":
        return Taken(cohort_id, place.state, False)
    today = now.astimezone(KST).date()
    if not cohort.opens_on <= today < cohort.closes_on:
        raise input_wrong(
            f"모집 기간({cohort.opens_on} ~ {cohort.closes_on} 전날)이 아닙니다.",
            f"Places can be asked for from {cohort.opens_on} until before {cohort.closes_on}.",
            "date",
        )
    before = None if place is None else place.state
    if place is None:
        place = CohortPlace(cohort_id=cohort_id, learner_id=learner_id, state="", asked_at=now)
        session.add(place)
    place.state, place.asked_at = "waiting", now
    session.flush()
    _note(session, now, actor, "ask", place, before, "자리 신청")
    return Taken(cohort_id, "waiting", True)


def admit(
    session: Session,
    cohort_id: str,
    learner_id: str,
    actor: Actor,
    *,
    rank: int | None,
    reason: str,
    now: datetime,
) -> Taken:
    """Give a place. Raises ``PlacesTaken`` when there is none: the learner goes on waiting."""
    lock_person(session, learner_id)
    why = reason_given(reason)
    cohort, place = _cohort(session, cohort_id), _place(session, cohort_id, learner_id)
    if place.state == "admitted":
        return Taken(cohort_id, "admitted", False)
    if place.state != "waiting":
        raise not_now(
            Text("이 자리", "The place"),
            place.state,
            "admit",
            Text("자리를 다시 신청해야 합니다.", "A place has to be asked for again."),
        )
    taken = session.scalar(
        select(func.count())
        .select_from(CohortPlace)
        .where(CohortPlace.cohort_id == cohort_id, CohortPlace.state == "admitted")
    )
    if cohort.quota is not None and (taken or 0) >= cohort.quota:
        raise PlacesTaken(
            Text(
                f"{cohort.name_ko}의 {cohort.quota}자리가 모두 찼습니다. "
                "신청은 대기 상태로 남습니다.",
                f"All {cohort.quota} places of {cohort.name_en} are taken; the learner waits.",
            ),
            Text(
                "자리가 나면 다시 결정하거나 다음 과정을 안내하세요.",
                "Decide again when a place is free, or offer the next cohort.",
            ),
            {"cohort": cohort_id, "places": cohort.quota},
        )
    place.state, place.rank, place.decided_by, place.decided_at = "admitted", rank, actor.id, now
    _note(session, now, actor, "admit", place, "waiting", why, {"rank": rank})
    return Taken(cohort_id, "admitted", True)


def release(
    session: Session, cohort_id: str, learner_id: str, actor: Actor, reason: str, now: datetime
) -> Taken:
    """Free a place, or take the learner off the waiting list, at their wish."""
    lock_person(session, learner_id)
    why = reason_given(reason)
    _cohort(session, cohort_id)
    place = _place(session, cohort_id, learner_id)
    if place.state == "released":
        return Taken(cohort_id, "released", False)
    before = place.state
    place.state, place.decided_by, place.decided_at = "released", actor.id, now
    _note(session, now, actor, "release", place, before, why)
    return Taken(cohort_id, "released", True)


def note_prior(
    session: Session,
    learner_id: str,
    prior: str,
    value: int,
    actor: Actor,
    *,
    evidence: str,
    now: datetime,
) -> Taken:
    """Another way in, checked by a person: ``related_career_years`` 3, ``related_bachelor`` 1."""
    lock_person(session, learner_id)
    why = reason_given(evidence, "evidence")
    known = {p.prior for policy in bundled() for d in policy.degrees for p in d.after.either}
    if prior not in known or not 0 <= value < 1_000:
        raise input_wrong(
            f"가능한 값: {', '.join(sorted(known))}", f"One of: {', '.join(sorted(known))}", "prior"
        )
    row = session.get(LearnerPrior, (learner_id, prior))
    if row is not None and row.value == value:
        return Taken(prior, "noted", False)
    if row is None:
        row = LearnerPrior(learner_id=learner_id, prior=prior)
        session.add(row)
    row.value, row.evidence, row.decided_by, row.decided_at = value, why, actor.id, now
    session.flush()
    append(
        session,
        now,
        [
            Step(
                actor.id,
                "prior",
                f"learner:{learner_id}",
                why,
                learner_id,
                None,
                None,
                {"prior": prior, "value": value},
            )
        ],
    )
    return Taken(prior, "noted", True)


def sign_exception(
    session: Session,
    learner_id: str,
    actor: Actor,
    *,
    kind: str,
    target: str,
    minutes: int = 0,
    record_id: str | None = None,
    why: str,
    expires_on: date,
    now: datetime,
) -> Taken:
    """A human exception, signed, with an expiry; the very same again is the same one.

    ``target`` is the stable id of a block or item of the policy in force; when a later policy
    renames it, its ``moved`` table leads there.
    """
    lock_person(session, learner_id)
    reason = reason_given(why, "why")
    today = now.astimezone(KST).date()
    policy = choose(bundled(), POLICY, today)
    blocks = {b.id for d in policy.degrees for b in d.blocks}
    items = {i.id for d in policy.degrees for i in d.items}
    allowed = items if kind == "waive_item" else blocks
    problem = (
        ("kind", f"One of {', '.join(EXCEPTIONS)}")
        if kind not in EXCEPTIONS
        else ("target", f"One of {', '.join(sorted(allowed))}")
        if policy.moved.get(target, target) not in allowed
        else ("minutes", "Minutes are needed")
        if kind == "reduce_block" and minutes < 1
        else ("record_id", "A record is needed")
        if kind == "accept_record" and not record_id
        else ("expires_on", "It has to expire after today")
        if expires_on <= today
        else None
    )
    if problem is not None:
        field, text = problem
        raise input_wrong(f"예외의 {field} 항목이 올바르지 않습니다. {text}", text, field)
    same = session.scalar(
        select(SignedException.id).where(
            SignedException.learner_id == learner_id,
            SignedException.kind == kind,
            SignedException.target == target,
            SignedException.minutes == minutes,
            SignedException.record_id.is_(None)
            if record_id is None
            else SignedException.record_id == record_id,
            SignedException.signed_by == actor.id,
            SignedException.expires_on == expires_on,
        )
    )
    if same is not None:
        return Taken(same, "signed", False)
    row = SignedException(
        id=ordered_ids("exc", 1, now)[0],
        learner_id=learner_id,
        kind=kind,
        target=target,
        minutes=minutes,
        record_id=record_id,
        signed_by=actor.id,
        why=reason,
        signed_at=now,
        expires_on=expires_on,
    )
    session.add(row)
    session.flush()
    facts: dict[str, Any] = {
        "kind": kind,
        "target": target,
        "minutes": minutes,
        "record": record_id,
        "expires": expires_on.isoformat(),
    }
    append(
        session, now, [Step(actor.id, "exception", row.id, reason, learner_id, None, None, facts)]
    )
    return Taken(row.id, "signed", True)


def _cohort(session: Session, cohort_id: str) -> Cohort:
    """Locked: places are counted under it."""
    cohort = session.get(Cohort, cohort_id, with_for_update=True)
    if cohort is None:
        raise unknown(_COHORT, cohort_id)
    return cohort


def _place(session: Session, cohort_id: str, learner_id: str) -> CohortPlace:
    place = session.get(CohortPlace, (cohort_id, learner_id), populate_existing=True)
    if place is None:
        raise unknown(Text("자리 신청", "request for a place"), f"{cohort_id}/{learner_id}")
    return place


def _note(
    session: Session,
    now: datetime,
    actor: Actor,
    action: str,
    place: CohortPlace,
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
                f"cohort:{place.cohort_id}",
                reason,
                place.learner_id,
                before,
                place.state,
                facts,
            )
        ],
    )
