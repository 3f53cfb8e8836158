"""What the registrar attests of a learner: over 65, resident of the city. Yes or no, nothing else.

The date of birth and the address are looked at by whoever attests and kept nowhere.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.errors import BaeumError
from credential.text import Text
from ledger.database.handouts import LearnerPredicate

PREDICATES: Final = ("age_over_65", "resident_of_seoul")


class UnknownPredicate(BaeumError):
    """Not one of the questions the registrar answers."""

    code: ClassVar[str] = "predicate-unknown"
    title: ClassVar[Text] = Text("증명하지 않는 항목입니다", "Not something that is attested")


def attest(session: Session, learner_id: str, predicate: str, holds: bool, now: datetime) -> None:
    """Note the registrar's answer; a later one replaces it. Raises ``UnknownPredicate``."""
    if predicate not in PREDICATES:
        listed = ", ".join(PREDICATES)
        raise UnknownPredicate(
            Text(f"모르는 항목입니다: {predicate[:40]}", f"Unknown: {predicate[:40]}"),
            Text(f"다음 중 하나를 쓰십시오: {listed}", f"Use one of: {listed}"),
            {"predicate": predicate[:40]},
        )
    session.merge(
        LearnerPredicate(learner_id=learner_id, predicate=predicate, holds=holds, attested_at=now)
    )


def attested(session: Session, learner_id: str) -> dict[str, bool]:
    """The answers on record for a learner."""
    rows = session.scalars(
        select(LearnerPredicate)
        .where(LearnerPredicate.learner_id == learner_id)
        .order_by(LearnerPredicate.predicate)
    )
    return {row.predicate: row.holds for row in rows}
