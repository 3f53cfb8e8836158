"""Tables of the standing of every learner, and of orders that hold records back."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ledger.database.models import Base, BigId


class DegreeStanding(Base):
    """The last verdict on a learner's next degree. Derived: it can be thrown away and made again,
    and nothing is decided on it; a decision is made on a full audit."""

    __tablename__ = "degree_standing"

    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"), primary_key=True)
    degree: Mapped[str] = mapped_column(String(64))
    policy: Mapped[str] = mapped_column(String(128))
    as_of: Mapped[date]
    hours_met: Mapped[bool]
    eligible: Mapped[bool]
    missing: Mapped[int] = mapped_column(Integer)  # minutes over all blocks
    path: Mapped[str] = mapped_column(String(8))  # screen | bounds | program


class RecordHold(Base):
    """An order that an institution's records do not count until it is lifted: fraud, or an error in
    its export. The records stay as they are. Orders are never deleted."""

    __tablename__ = "record_hold"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"), index=True)
    kind: Mapped[str | None] = mapped_column(String(32))  # of learning; all kinds when null
    ended_from: Mapped[date | None]  # activities that ended on these days in Seoul: half-open
    ended_to: Mapped[date | None]
    reason: Mapped[str] = mapped_column(Text)
    ordered_by: Mapped[str] = mapped_column(String(64))
    ordered_at: Mapped[datetime]
    report: Mapped[str] = mapped_column(String(80))  # the digest of the dry run that was confirmed
    lifted_by: Mapped[str | None] = mapped_column(String(64))
    lifted_at: Mapped[datetime | None]
