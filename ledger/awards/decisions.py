"""The committee's decision, which freezes what it was decided on, and the conferral.

Approval freezes policy hash, record-set root, allocation, trace hash and taxonomy version.
Conferral makes the degree: the award, its locked minutes, and the record its credential is signed
from. Between the two nothing is locked yet, so one person has one approved application at a time,
and conferral looks once more whether what was decided on still stands.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.text import Text
from ledger.awards.applications import (
    KST,
    Taken,
    application_of,
    check_interests,
    note,
    reviewers,
)
from ledger.awards.errors import (
    DecisionOutdated,
    NotEligible,
    SamePerson,
    input_wrong,
    not_now,
    reason_given,
)
from ledger.awards.people import Actor
from ledger.awards.recommendation import Recommendation, freeze, policy_of, recommend
from ledger.database.awards import Application, Decision
from ledger.database.models import Award, LearningRecord
from ledger.identifiers import ordered_ids
from ledger.institutions import require
from ledger.standing import DEGREE

_APPLICATION = Text("신청", "application")


def decision_on(session: Session, application_id: str) -> Decision | None:
    """The decision in force on an application."""
    return session.scalar(
        select(Decision).where(
            Decision.application_id == application_id, Decision.superseded.is_(False)
        )
    )


def decide(
    session: Session,
    application_id: str,
    chair: Actor,
    *,
    approve: bool,
    meeting: str,
    members: Sequence[str] = (),
    reason: str,
    now: datetime,
) -> Taken:
    """Record what the committee decided at ``meeting``; the chair did not review, nor anybody who
    declared a conflict sit. An approved decision can be taken again only once it is outdated.

    Raises ``NotEligible`` (a committee cannot approve against the policy; a signed exception can
    change what the policy asks of this learner), ``SamePerson``, ``ConflictOfInterest``,
    ``NotNow``.
    """
    application = application_of(session, application_id)
    why, held_at = reason_given(reason), reason_given(meeting, "meeting")[:64]
    outcome = "approved" if approve else "refused"
    earlier = decision_on(session, application.id)
    if earlier is not None and (earlier.outcome, earlier.meeting) == (outcome, held_at):
        return Taken(application.id, application.state, False)
    found = recommend(session, application, now)
    again = application.state == "approved" and earlier is not None
    if again and earlier is not None and not _outdated(earlier, found):
        raise not_now(
            _APPLICATION,
            application.state,
            "decide",
            Text("결정이 유효합니다. 수여하세요.", "The decision stands: confer the degree."),
        )
    if application.state != "reviewed" and not again:
        raise not_now(
            _APPLICATION,
            application.state,
            "decide",
            Text(
                "서로 다른 두 사람의 심사가 먼저 있어야 합니다.",
                "Two different persons have to review it first.",
            )
            if application.state in ("applied", "reviewing")
            else Text("이미 끝난 신청입니다.", "The application is closed."),
        )
    _check_committee(session, application, chair, members, found)
    if approve:
        _check_approval(session, application, found)
    if earlier is not None:
        earlier.superseded = True
        session.flush()
    frozen = freeze(found)
    session.add(
        Decision(
            application_id=application.id,
            outcome=outcome,
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
        )
    )
    before, application.state = application.state, outcome
    if not approve:
        application.closed_at = now
    facts = {
        "meeting": held_at,
        "members": list(members),
        "policy": application.policy,
        "policy_hash": application.policy_hash,
        "record_set_root": frozen.record_set_root,
        "allocation_hash": frozen.allocation_hash,
        "trace_hash": frozen.trace_hash,
        "taxonomy": frozen.taxonomy,
    }
    note(session, now, application, chair, "decide", before, why, facts)
    return Taken(application.id, outcome, True)


def confer(
    session: Session,
    application_id: str,
    actor: Actor,
    *,
    institution: str,
    reason: str,
    now: datetime,
) -> Taken:
    """Give the degree: the award, and the record that ``institution`` signs its credential from.

    Raises ``NotNow`` unless approved, and ``DecisionOutdated`` when a record that was counted, or
    a condition, does not stand any more: then the committee decides again.
    """
    application = application_of(session, application_id)
    why = reason_given(reason)
    if application.state == "conferred":
        return Taken(application.id, "conferred", False)
    decision = decision_on(session, application.id)
    if application.state != "approved" or decision is None:
        raise not_now(
            _APPLICATION,
            application.state,
            "confer",
            Text(
                "위원회가 수여를 결정한 신청만 수여할 수 있습니다.",
                "Only what the committee approved can be conferred.",
            ),
        )
    name = require(session, institution)
    found = recommend(session, application, now)
    if _outdated(decision, found):
        raise DecisionOutdated(
            Text(
                "결정 뒤에 인정된 기록이나 조건이 바뀌어 그대로 수여할 수 없습니다.",
                "Since the decision a counted record or a condition has changed.",
            ),
            Text(
                "바뀐 내용을 확인하고 위원회의 결정을 다시 받으세요.",
                "Look at what changed and let the committee decide again.",
            ),
            {"application": application.id},
        )
    day = now.astimezone(KST).date()
    award = Award(
        learner_id=application.learner_id,
        degree=application.degree,
        state="valid",
        awarded_on=day,
        basis="ledger",
        policy=application.policy,
        policy_hash=bytes.fromhex(application.policy_hash.removeprefix("sha256:")),
        used=locked_by(decision),
    )
    session.add(award)
    record = degree_record(application, decision, name.id, now)
    session.add(record)
    session.flush()
    decision.award_id, decision.record_id = award.id, record.id
    before = application.state
    application.state, application.closed_at = "conferred", now
    facts = {"award": award.id, "degree": award.degree, "awarded_on": day.isoformat()}
    note(session, now, application, actor, "confer", before, why, facts)
    return Taken(application.id, "conferred", True)


def locked_by(decision: Decision) -> dict[str, int]:
    """Record id → minutes, from the frozen audit."""
    found: dict[str, int] = {}
    for line in json.loads(decision.audit)["allocation"]:
        found[line["record"]] = found.get(line["record"], 0) + line["minutes"]
    return found


def _outdated(decision: Decision, found: Recommendation) -> bool:
    """Whether a counted record does not stand any more, or the answer is another today."""
    standing = {record["id"] for record in found.records if record.get("status") == "verified"}
    return not found.audit.eligible or not locked_by(decision).keys() <= standing


def _check_committee(
    session: Session,
    application: Application,
    chair: Actor,
    members: Sequence[str],
    found: Recommendation,
) -> None:
    persons = {chair.id, *members}
    award = policy_of(application.policy).document.get("award") or {}
    needed = int((award.get("decided_by") or {}).get("persons", 2))
    if len(persons) < needed:
        raise input_wrong(
            f"위원이 {needed}명 이상이어야 합니다.",
            f"The committee needs {needed} persons or more.",
            "members",
        )
    if chair.id in reviewers(session, application.id):
        raise SamePerson(
            Text(
                f"{chair.id}은(는) 이 신청을 심사한 사람입니다.",
                f"{chair.id} reviewed this application.",
            ),
            Text(
                "심사하지 않은 사람이 결정을 입력해야 합니다.",
                "Somebody who did not review it has to record the decision.",
            ),
            {"chair": chair.id},
        )
    check_interests(session, application, chair, found)
    for member in members:
        check_interests(session, application, Actor(member), found)


def _check_approval(session: Session, application: Application, found: Recommendation) -> None:
    if not found.audit.eligible:
        lines = found.audit.document["reasons"]
        raise NotEligible(
            Text(
                "규정의 요건이 남아 있습니다: " + " ".join(x["why"]["ko"] for x in lines),
                "Conditions are open: " + " ".join(x["why"]["en"] for x in lines),
            ),
            Text(
                "요건을 채운 뒤 다시 결정하거나, 서명된 예외를 등록하세요.",
                "Decide again when they are met, or sign an exception.",
            ),
            {"reasons": lines},
        )
    other = session.scalar(
        select(Application).where(
            Application.learner_id == application.learner_id,
            Application.id != application.id,
            Application.state == "approved",
        )
    )
    if other is not None:
        raise not_now(
            Text(f"같은 사람의 다른 신청({other.id})", f"The same person's {other.id}"),
            other.state,
            "decide",
            Text(
                "그 학위를 먼저 수여하면 쓰인 시간이 정해집니다. 그다음 결정하세요.",
                "Confer that degree first, which locks the minutes it uses; then decide this one.",
            ),
        )


def degree_record(
    application: Application, decision: Decision, institution: str, now: datetime
) -> LearningRecord:
    """The learning record of kind ``degree`` that the credential is signed from."""
    found = policy_of(application.policy).degree(application.degree)
    assert found is not None, "the application was made under this policy"
    source = f"degree:{application.id}"
    content = "\x1f".join((source, decision.record_set_root, decision.trace_hash))
    return LearningRecord(
        id=ordered_ids("rec", 1, now)[0],
        learner_id=application.learner_id,
        institution_id=institution,
        kind=DEGREE,
        code=application.degree,
        title_ko=found.name.ko,
        title_en=found.name.en,
        started_at=now,
        ended_at=now,
        exact_interval=False,
        minutes=decision.minutes,
        source_key=source,
        status="verified",
        content_sha256=sha256(content.encode()).digest(),
        recorded_at=now,
    )
