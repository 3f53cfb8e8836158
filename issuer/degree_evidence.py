"""The evidence file of a degree with what it was computed from, as far as somebody may show it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.disclosure import View, reduce
from credential.errors import BaeumError
from credential.evidence import Evidence
from credential.text import Text
from issuer.batches import evidence_for
from ledger.awards.errors import unknown
from ledger.database.awards import Decision
from ledger.database.models import Credential


class NoDegreeCredential(BaeumError):
    """The degree has no credential yet, so there is nothing to show anybody."""

    code = "degree-not-issued"
    title = Text("학위증이 아직 없습니다", "The degree has no credential yet")
    status: ClassVar[int] = 409


def degree_evidence(session: Session, award_id: int, view: View) -> Evidence:
    """The degree's evidence file with what ``view`` discloses of its records.

    Raises ``Unknown`` for a degree that was not given here, and ``NoDegreeCredential``.
    """
    decision = session.scalar(
        select(Decision).where(Decision.award_id == award_id, Decision.superseded.is_(False))
    )
    if decision is None:
        raise unknown(Text("심사로 수여한 학위", "degree given by decision"), award_id)
    credential = session.scalar(
        select(Credential.id).where(Credential.record_id == decision.record_id)
    )
    if credential is None:
        raise NoDegreeCredential(
            Text(f"{award_id}번 학위의 증명이 없습니다.", f"Degree {award_id} is not issued."),
            Text("baeum issue와 baeum anchor를 실행하세요.", "Run baeum issue and baeum anchor."),
            {"award": award_id},
        )
    disclosure: dict[str, Any] = json.loads(decision.disclosure)
    return replace(evidence_for(session, credential), disclosure=reduce(disclosure, view))
