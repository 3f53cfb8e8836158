"""Degrees whose counted records were revoked later: a report first, then people decide.

The frozen allocation stays whatever comes later. Only when a record it took minutes from does not
stand any more is the degree computed again, with all records verified before the decision. If it
is still met, the committee may confirm it on the new allocation; if not, a case is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.text import Text
from ledger.awards.applications import Taken
from ledger.awards.cases import award_of
from ledger.awards.decisions import degree_record, locked_by
from ledger.awards.errors import NotEligible, input_wrong, not_now, reason_given, unknown
from ledger.awards.history import Step, append
from ledger.awards.people import Actor
from ledger.awards.recommendation import Recommendation, computed, freeze, policy_of
from ledger.database.awards import Application, Decision
from ledger.database.models import Award, LearningRecord
from ledger.standing import records_of


@dataclass(frozen=True, slots=True)
class Affected:
    """A degree that counts on records which do not stand. ``still_met``: without them too."""

    award_id: int
    learner_id: str
    degree: str
    records: tuple[str, ...]
    still_met: bool

    @property
    def recommendation(self) -> str:
        return "confirm" if self.still_met else "open-case"

    def to_json(self) -> dict[str, Any]:
        return {
            "award": self.award_id,
            "learner": self.learner_id,
            "degree": self.degree,
            "records": list(self.records),
            "stillMet": self.still_met,
            "recommendation": self.recommendation,
        }


def affected(session: Session, now: datetime) -> list[Affected]:
    """Every degree given here that is affected now; changes nothing."""
    found: list[Affected] = []
    for award in session.scalars(
        select(Award).where(Award.basis == "ledger", Award.state != "withdrawn").order_by(Award.id)
    ).all():
        decision = _decision(session, award)
        fallen = _fallen(session, award, decision, now)
        if fallen:
            again = _again(session, award, decision, now)
            found.append(
                Affected(award.id, award.learner_id, award.degree, fallen, again.audit.eligible)
            )
    return found


def confirm(
    session: Session,
    award_id: int,
    chair: Actor,
    *,
    meeting: str,
    members: Sequence[str],
    reason: str,
    now: datetime,
) -> Taken:
    """Keep an affected degree on a new allocation; its credential is signed anew.

    Raises ``NotEligible`` when it is not met any more (open a case), ``NotNow`` when nothing it
    counts on has fallen.
    """
    award = award_of(session, award_id)
    why, held_at = reason_given(reason), reason_given(meeting, "meeting")[:64]
    earlier = _decision(session, award)
    if earlier.meeting == held_at and earlier.chair == chair.id:
        return Taken(f"award:{award.id}", award.state, False)
    if not _fallen(session, award, earlier, now):
        raise not_now(
            Text("이 학위", "The degree"),
            award.state,
            "confirm",
            Text(
                "인정된 기록이 모두 유효합니다. 정한 배분은 바뀌지 않습니다.",
                "Every counted record stands: the frozen allocation stays.",
            ),
        )
    if len({chair.id, *members}) < 2:
        raise input_wrong("위원이 2명 이상이어야 합니다.", "Two persons are needed.", "members")
    again = _again(session, award, earlier, now)
    if not again.audit.eligible:
        raise NotEligible(
            Text(
                "남은 기록으로는 요건을 채우지 못합니다.",
                "The records that remain do not meet the conditions.",
            ),
            Text("심의 사건을 열고 청문하세요.", "Open a case and hold a hearing."),
            {"award": award.id},
        )
    frozen = freeze(again)
    old = session.get_one(LearningRecord, earlier.record_id)
    old.status, earlier.superseded = "superseded", True
    session.flush()
    fresh = Decision(
        application_id=earlier.application_id,
        outcome="approved",
        meeting=held_at,
        chair=chair.id,
        members=list(members),
        reason=why,
        at=now,
        minutes=frozen.minutes,
        taxonomy=frozen.taxonomy,
        record_set_root=frozen.record_set_root,
        allocation_hash=frozen.allocation_hash,
        trace_hash=frozen.trace_hash,
        audit=frozen.audit,
        disclosure=frozen.disclosure,
        award_id=award.id,
    )
    application = session.get_one(Application, earlier.application_id)
    record = degree_record(application, fresh, old.institution_id, now)
    record.started_at, record.ended_at = old.started_at, old.ended_at
    record.supersedes_id = old.id
    session.add(record)
    session.flush()
    fresh.record_id = record.id
    session.add(fresh)
    award.used = locked_by(fresh)
    facts = {
        "record_set_root": frozen.record_set_root,
        "allocation_hash": frozen.allocation_hash,
        "trace_hash": frozen.trace_hash,
        "meeting": held_at,
    }
    append(
        session,
        now,
        [
            Step(
                chair.id,
                "confirm",
                f"award:{award.id}",
                why,
                award.learner_id,
                award.state,
                award.state,
                facts,
            )
        ],
    )
    return Taken(f"award:{award.id}", award.state, True)


def _decision(session: Session, award: Award) -> Decision:
    found = session.scalar(
        select(Decision).where(Decision.award_id == award.id, Decision.superseded.is_(False))
    )
    if found is None:
        raise unknown(Text("수여 결정", "decision on award"), award.id)
    return found


def _fallen(session: Session, award: Award, decision: Decision, now: datetime) -> tuple[str, ...]:
    standing = {
        record["id"]
        for record in records_of(session, award.learner_id, now)
        if record["status"] == "verified"
    }
    return tuple(sorted(locked_by(decision).keys() - standing))


def _again(session: Session, award: Award, decision: Decision, now: datetime) -> Recommendation:
    application = session.get_one(Application, decision.application_id)
    return computed(
        session,
        award.learner_id,
        policy_of(application.policy),
        award.degree,
        now,
        verified_before=decision.at,
        without=award.degree,
    )
