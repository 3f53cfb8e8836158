"""Whether a degree stands: suspension, hearing, withdrawal and cascade, as cases with dates.

Nothing is automatic. A case is opened by a person on grounds; while it runs the degree may be
suspended; nothing is withdrawn without a hearing; the one who opened the case does not close it.
When a lower degree is withdrawn while a higher one is held, a case is opened on the higher one,
and nothing more. A degree given on paper has the same cases.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.text import Text
from ledger.awards.applications import KST, Taken, lock_person
from ledger.awards.errors import SamePerson, input_wrong, not_now, reason_given, unknown
from ledger.awards.history import Step, append
from ledger.awards.people import Actor
from ledger.credit import bundled, choose
from ledger.database.awards import AwardCase
from ledger.database.models import Award
from ledger.identifiers import ordered_ids
from ledger.standing import POLICY

CAUSES = ("fraud", "error")
NOTICE = timedelta(days=10)
"""From notice to hearing at least (행정절차법 제21조: ten days before the hearing)."""
_AWARD = Text("학위", "award")
_CASE = Text("심의 사건", "case")


def award_of(session: Session, award_id: int) -> Award:
    """The award, its person locked. Raises ``Unknown``."""
    found = session.get(Award, award_id)
    if found is None:
        raise unknown(_AWARD, award_id)
    lock_person(session, found.learner_id)
    session.refresh(found)
    return found


def case_of(session: Session, case_id: str) -> tuple[AwardCase, Award]:
    """The case and its award, the person locked. Raises ``Unknown``."""
    found = session.get(AwardCase, case_id)
    if found is None:
        raise unknown(_CASE, case_id)
    award = award_of(session, found.award_id)
    session.refresh(found)
    return found, award


def open_case(
    session: Session,
    award_id: int,
    actor: Actor,
    *,
    cause: str,
    grounds: str,
    suspend: bool,
    now: datetime,
) -> Taken:
    """Open a case on a degree, and suspend it meanwhile if ``suspend``.

    ``cause``: ``fraud`` (by the learner) or ``error`` (of an institution). A second call while one
    is open gives back the open case. Raises ``NotNow`` for a degree already withdrawn.
    """
    award = award_of(session, award_id)
    why = reason_given(grounds, "grounds")
    if cause not in CAUSES:
        raise input_wrong("사유 구분은 fraud 또는 error입니다.", "One of fraud, error.", "cause")
    if award.state == "withdrawn":
        raise not_now(
            Text("이 학위", "The degree"),
            award.state,
            "case",
            Text("이미 취소된 학위입니다.", "It was withdrawn before."),
        )
    running = _running(session, award)
    if running is None:
        case = _new(session, award, actor.id, cause, why, None, now)
        changed = True
    else:
        case, changed = running, False
    if suspend and award.state == "valid":
        _turn(session, award, "suspended", actor, why, now, case)
        changed = True
    return Taken(case.id, case.state, changed)


def schedule(
    session: Session, case_id: str, actor: Actor, *, on: date, reason: str, now: datetime
) -> Taken:
    """Set the day of the hearing, ten days from today or later; it can be moved until heard."""
    case, award = case_of(session, case_id)
    why = reason_given(reason)
    if case.state == "scheduled" and case.hearing_on == on:
        return Taken(case.id, case.state, False)
    if case.state not in ("open", "scheduled"):
        raise _case_not_now(case, "schedule")
    earliest = now.astimezone(KST).date() + NOTICE
    if on < earliest:
        raise input_wrong(
            f"청문은 통지하고 열흘 뒤인 {earliest}부터 열 수 있습니다.",
            f"A hearing takes place ten days after its notice: {earliest} or later.",
            "on",
            earliest=earliest.isoformat(),
        )
    before, case.state, case.hearing_on = case.state, "scheduled", on
    _note(session, now, actor, "schedule", case, award, before, why, {"on": on.isoformat()})
    return Taken(case.id, case.state, True)


def hear(session: Session, case_id: str, actor: Actor, *, statement: str, now: datetime) -> Taken:
    """Record that the hearing took place and what was said, on its day or later."""
    case, award = case_of(session, case_id)
    said = reason_given(statement, "statement")
    if case.state == "heard":
        return Taken(case.id, case.state, False)
    today = now.astimezone(KST).date()
    if case.state != "scheduled" or case.hearing_on is None:
        raise _case_not_now(case, "hear")
    if today < case.hearing_on:
        raise input_wrong(
            f"청문일은 {case.hearing_on}입니다.", f"The hearing is on {case.hearing_on}.", "date"
        )
    case.state, case.heard_on, case.statement = "heard", today, said
    _note(session, now, actor, "hear", case, award, "scheduled", said)
    return Taken(case.id, case.state, True)


def close(
    session: Session, case_id: str, actor: Actor, *, withdraw: bool, reason: str, now: datetime
) -> Taken:
    """Decide the case: the degree is kept, and valid again, or withdrawn.

    Keeping needs no hearing; withdrawing does. Raises ``SamePerson`` for who opened the case.
    Withdrawing opens a case on each higher degree that is held.
    """
    case, award = case_of(session, case_id)
    why = reason_given(reason)
    outcome = "withdrawn" if withdraw else "kept"
    if case.state == "closed" and case.outcome == outcome:
        return Taken(case.id, case.state, False)
    if case.state == "closed" or (withdraw and case.state != "heard"):
        raise _case_not_now(case, "close")
    if actor.id == case.opened_by:
        raise SamePerson(
            Text(f"{actor.id}이(가) 연 사건입니다.", f"{actor.id} opened this case."),
            Text(
                "사건을 열지 않은 사람이 결정해야 합니다.",
                "Somebody who did not open the case has to decide it.",
            ),
            {"person": actor.id},
        )
    before = case.state
    case.state, case.outcome, case.closed_by, case.closed_at = "closed", outcome, actor.id, now
    _note(session, now, actor, "close", case, award, before, why, {"outcome": outcome})
    if withdraw:
        _turn(session, award, "withdrawn", actor, why, now, case)
        _cascade(session, award, case, actor, now)
    elif award.state == "suspended":
        _turn(session, award, "valid", actor, why, now, case)
    return Taken(case.id, case.state, True)


def _cascade(session: Session, award: Award, case: AwardCase, actor: Actor, now: datetime) -> None:
    """A case on every degree held that is built on this one; a hearing, never a withdrawal."""
    above = _built_on(award, now)
    for higher in session.scalars(
        select(Award)
        .where(Award.learner_id == award.learner_id, Award.state != "withdrawn")
        .order_by(Award.id)
    ):
        if higher.degree.split("/")[0] not in above or _running(session, higher) is not None:
            continue
        grounds = f"바탕이 되는 학위가 취소됨 ({award.degree}, {case.id})"
        _new(session, higher, actor.id, "cascade", grounds, case.id, now)


def _built_on(award: Award, now: datetime) -> set[str]:
    """Degrees that ask for this one, directly or through others, by the policy in force."""
    policy = choose(bundled(), POLICY, now.astimezone(KST).date())
    below = {d.id.split("/")[0]: d.after.degree for d in policy.degrees if d.after.degree}
    found: set[str] = set()
    for degree in below:
        step: str | None = degree
        seen: set[str] = set()
        while step is not None and step not in seen:
            seen.add(step)
            step = below.get(step)
            if step == award.degree.split("/")[0]:
                found.add(degree)
    return found


def _running(session: Session, award: Award) -> AwardCase | None:
    return session.scalar(
        select(AwardCase).where(AwardCase.award_id == award.id, AwardCase.closed_at.is_(None))
    )


def _new(
    session: Session,
    award: Award,
    by: str,
    cause: str,
    grounds: str,
    caused_by: str | None,
    now: datetime,
) -> AwardCase:
    case = AwardCase(
        id=ordered_ids("case", 1, now)[0],
        award_id=award.id,
        state="open",
        cause=cause,
        grounds=grounds,
        caused_by=caused_by,
        opened_by=by,
        opened_at=now,
    )
    session.add(case)
    session.flush()
    facts = {"cause": cause, "award": award.id, "caused_by": caused_by}
    _note(session, now, Actor(by), "open", case, award, None, grounds, facts)
    return case


def _turn(
    session: Session,
    award: Award,
    state: str,
    actor: Actor,
    reason: str,
    now: datetime,
    case: AwardCase,
) -> None:
    before, award.state = award.state, state
    append(
        session,
        now,
        [
            Step(
                actor.id,
                {"suspended": "suspend", "withdrawn": "withdraw", "valid": "reinstate"}[state],
                f"award:{award.id}",
                reason,
                award.learner_id,
                before,
                state,
                {"case": case.id},
            )
        ],
    )


def _note(
    session: Session,
    now: datetime,
    actor: Actor,
    action: str,
    case: AwardCase,
    award: Award,
    before: str | None,
    reason: str,
    facts: dict[str, Any] | None = None,
) -> None:
    step = Step(
        actor.id, action, case.id, reason, award.learner_id, before, case.state, facts or {}
    )
    append(session, now, [step])


_INSTEAD = {
    "open": Text("먼저 청문일을 정하세요.", "Set the day of the hearing first."),
    "scheduled": Text(
        "청문을 마치고 그 내용을 기록하세요.", "Hold the hearing and record what was said."
    ),
    "heard": Text("청문이 끝났습니다. 결정하세요.", "It was heard: decide it."),
    "closed": Text(
        "끝난 사건입니다. 새 사유가 있으면 새 사건을 여세요.",
        "The case is closed; new grounds are a new case.",
    ),
}


def _case_not_now(case: AwardCase, step: str) -> Exception:
    return not_now(Text("이 사건", "The case"), case.state, step, _INSTEAD[case.state])
