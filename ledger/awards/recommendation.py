"""What the engine recommends on an application, and the freezing of what it was asked.

An application sees the records verified before its cut-off, as they stand now; conditions, degrees
held and exceptions as they stand now. Frozen, all of that is a record set under one root that the
holder can later show in whole or in part.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from credential.disclosure import commitments, seal
from credential.jcs import canonical
from credential.text import Text
from ledger.awards.errors import PolicyAltered, Unknown
from ledger.credit import Audit, Policy, audit, bundled, parse_context, parse_records
from ledger.database.awards import Application
from ledger.standing import context_of, records_of


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One audit with everything it was computed from, as plain JSON values."""

    policy: Policy
    as_of: datetime
    records: list[dict[str, Any]]
    context: dict[str, Any]
    audit: Audit

    @property
    def counted(self) -> dict[str, int]:
        """Record id → minutes the allocation takes from it."""
        found: dict[str, int] = {}
        for line in self.audit.document["allocation"]:
            found[line["record"]] = found.get(line["record"], 0) + line["minutes"]
        return found

    @property
    def issuers(self) -> frozenset[str]:
        """Institutions whose records are counted."""
        used = self.counted
        return frozenset(
            str(record["issuer"]).split(":")[0] for record in self.records if record["id"] in used
        )


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a decision keeps: documents as RFC 8785 bytes, commitments as ``sha256:`` and hex."""

    minutes: int
    taxonomy: str
    record_set_root: str
    allocation_hash: str
    trace_hash: str
    audit: bytes
    disclosure: bytes


def policy_of(key: str) -> Policy:
    """The policy ``id@version``. Raises ``Unknown``."""
    for policy in bundled():
        if policy.key == key:
            return policy
    raise Unknown(
        Text(f"‘{key}’ 학위 규정이 없습니다.", f"There is no policy '{key}'."),
        Text("규정의 이름과 판을 확인하세요.", "Check the policy's name and version."),
        {"policy": key},
    )


def recommend(session: Session, application: Application, now: datetime) -> Recommendation:
    """The engine's answer on this application, now.

    Raises ``PolicyAltered`` when the policy's text is not the one that was applied under.
    """
    policy = policy_of(application.policy)
    if policy.hash != application.policy_hash:
        raise PolicyAltered(
            Text(
                f"{policy.key}의 내용이 신청한 때와 다릅니다.",
                f"The text of {policy.key} is not the one that was applied under.",
            ),
            Text(
                "규정 파일을 되돌리고, 바뀐 규정은 새 판으로 내세요.",
                "Put the policy file back; publish what changed as a new version.",
            ),
            {"policy": policy.key},
        )
    return computed(
        session,
        application.learner_id,
        policy,
        application.degree,
        now,
        verified_before=application.cutoff,
    )


def computed(
    session: Session,
    learner_id: str,
    policy: Policy,
    degree: str,
    now: datetime,
    *,
    verified_before: datetime | None = None,
    without: str | None = None,
) -> Recommendation:
    """An audit from the database, kept with its input. ``without``: a degree to compute as if it
    had not been given (its own audit, later)."""
    as_of = now.astimezone(UTC).replace(microsecond=0)
    records = records_of(session, learner_id, now, verified_before=verified_before)
    context = context_of(session, learner_id, now, without=without)
    known, unreadable = parse_records(records)
    found = audit(policy, degree, known, parse_context(context), as_of, unreadable=unreadable)
    return Recommendation(policy, as_of, records, context, found)


def freeze(found: Recommendation) -> Frozen:
    """Seal the record set with fresh salts and keep the audit's bytes."""
    document = found.audit.document
    frame = {
        "audit": document["format"],
        "degree": document["degree"],
        "policy": document["policy"],
        "policy_hash": document["policy_hash"],
        "taxonomy": document["taxonomy"],
        "as_of": found.as_of.isoformat(),
    }
    disclosure = seal(
        frame, found.context, found.records, document["allocation"], lambda: os.urandom(32)
    )
    root, allocation_hash = commitments(disclosure)
    return Frozen(
        minutes=document["counted"],
        taxonomy=document["taxonomy"],
        record_set_root=root,
        allocation_hash=allocation_hash,
        trace_hash=document["trace_hash"],
        audit=canonical(document),
        disclosure=canonical(disclosure),
    )
