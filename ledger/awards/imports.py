"""Degrees that had been given on paper before: taken in as they are, marked, and entered once.

The intake reads the rolls; here each award it made gets its row in the history. Repeating adds
rows only for what is new.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, cast, literal, select
from sqlalchemy.orm import Session

from ledger.awards.applications import Taken
from ledger.awards.history import Step, append
from ledger.awards.people import Actor
from ledger.database.awards import AwardHistory
from ledger.database.models import Award


def note_imported(session: Session, actor: Actor, *, source: str, now: datetime) -> Taken:
    """Enter every award on paper that the history does not know yet. ``id`` says how many."""
    known = select(AwardHistory.subject).where(AwardHistory.action == "import")
    rows = session.scalars(
        select(Award)
        .where(Award.basis == "paper", (literal("award:") + cast(Award.id, String)).not_in(known))
        .order_by(Award.id)
    ).all()
    append(
        session,
        now,
        [
            Step(
                actor.id,
                "import",
                f"award:{award.id}",
                "종이로 수여한 학위 이관",
                award.learner_id,
                None,
                award.state,
                {
                    "degree": award.degree,
                    "awarded_on": award.awarded_on.isoformat(),
                    "source": source,
                },
            )
            for award in rows
        ],
    )
    return Taken(str(len(rows)), "imported", bool(rows))
