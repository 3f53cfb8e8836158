"""The table of credentials that were issued over the VC-API, without a learning record."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ledger.database.models import Base


class DirectCredential(Base):
    """What was signed, as it was signed, with its place in a status list and what stands there."""

    __tablename__ = "direct_credential"

    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"), index=True)
    document: Mapped[bytes] = mapped_column(LargeBinary)
    status_list_id: Mapped[str] = mapped_column(ForeignKey("status_list.id"))
    status_index: Mapped[int] = mapped_column(Integer)
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("status_list_id", "status_index"),)
