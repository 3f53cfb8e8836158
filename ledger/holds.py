"""Orders that hold records back: an institution's records do not count until the order is lifted.

One order covers any number of records without touching one of them, so it can be lifted again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ledger.database.standings import RecordHold


@dataclass(frozen=True, slots=True)
class Hold:
    """Records of an institution, of one kind or of all, whose activity ended in a half-open range
    of days in Seoul."""

    institution: str
    kind: str | None = None
    since: date | None = None
    until: date | None = None

    def covers(self, institution: str, kind: str, ended: date) -> bool:
        """Whether a record is held back."""
        return (
            institution == self.institution
            and self.kind in (None, kind)
            and (self.since is None or self.since <= ended)
            and (self.until is None or ended < self.until)
        )


def holds_in_force(session: Session, before: datetime) -> list[Hold]:
    """The orders given before an instant and not lifted by then."""
    rows = session.scalars(
        select(RecordHold)
        .where(
            RecordHold.ordered_at < before,
            or_(RecordHold.lifted_at.is_(None), RecordHold.lifted_at >= before),
        )
        .order_by(RecordHold.id)
    )
    return [Hold(r.institution_id, r.kind, r.ended_from, r.ended_to) for r in rows]
