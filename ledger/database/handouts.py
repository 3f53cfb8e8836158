"""Tables of what is handed out in selectively disclosable form, and what it may say of a learner.

A hand-out signed by the institution shares the status place of its credential and leaves no row.
One signed by the registrar must not lead back to the institution, so it has a place of its own in
a list of the registrar, which follows the credentials it covers.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ledger.database.models import Base


class Handout(Base):
    """One credential or transcript handed out under the registrar's name (교부)."""

    __tablename__ = "handout"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"), index=True)
    status_list_id: Mapped[str] = mapped_column(ForeignKey("status_list.id"))
    status_index: Mapped[int] = mapped_column(Integer)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("status_list_id", "status_index"),)


class HandoutCredential(Base):
    """A credential a hand-out covers: when that is revoked, so is the hand-out."""

    __tablename__ = "handout_credential"

    handout_id: Mapped[str] = mapped_column(ForeignKey("handout.id"), primary_key=True)
    credential_id: Mapped[str] = mapped_column(
        ForeignKey("credential.id"), primary_key=True, index=True
    )


class LearnerPredicate(Base):
    """What the registrar attests of a learner: an answer, never the date or address behind it."""

    __tablename__ = "learner_predicate"

    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"), primary_key=True)
    predicate: Mapped[str] = mapped_column(String(32), primary_key=True)
    holds: Mapped[bool]
    attested_at: Mapped[datetime]


class DiscreetInstitution(Base):
    """An institution whose name alone says something about its learners: the registrar signs."""

    __tablename__ = "discreet_institution"

    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"), primary_key=True)
