"""The history of each institution's signing keys: what signed when, and until when it counts.

Public facts only. A row is never deleted: its credentials are checked against it for ever.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ledger.database.models import Base, BigId


class SigningKey(Base):
    """One key of an institution. ``next`` → ``active`` → ``retiring`` | ``compromised``.

    ``method`` is the verification method that credentials name; ``ends_at`` when the registry ends
    it (for good and as of block time); ``compromised_at`` since when others may have used it.
    """

    __tablename__ = "signing_key"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"))
    algorithm: Mapped[str] = mapped_column(String(16))
    did: Mapped[str] = mapped_column(String(255))
    method: Mapped[str] = mapped_column(String(512), unique=True)
    backend: Mapped[str] = mapped_column(String(16))  # file | pkcs11
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    active_from: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    compromised_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        # One key of an algorithm signs for an institution at a time, and one waits.
        Index(
            "ix_signing_key_turn",
            "institution_id",
            "algorithm",
            "state",
            unique=True,
            sqlite_where=text("state IN ('next', 'active')"),
            postgresql_where=text("state IN ('next', 'active')"),
        ),
        Index("ix_signing_key_institution", "institution_id"),
    )
