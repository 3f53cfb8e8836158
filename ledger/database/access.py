"""Tables of accounts, invitations, sessions and tokens. Of every secret only a hash is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ledger.database.models import Base


class Account(Base):
    """A person (or a machine's owner) who may sign in. ``name`` is what they type, no person's
    name; ``shown`` is what colleagues read."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    shown: Mapped[str] = mapped_column(String(100))
    roles: Mapped[list[Any]] = mapped_column(JSON)
    institution_id: Mapped[str | None] = mapped_column(ForeignKey("institution.id"))
    learner_id: Mapped[str | None] = mapped_column(ForeignKey("learner.id"))
    password: Mapped[str | None] = mapped_column(Text)  # Argon2id, None until an invitation is used
    state: Mapped[str] = mapped_column(String(16))  # invited | active | disabled
    failures: Mapped[int] = mapped_column(Integer, default=0)
    wait_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Invitation(Base):
    """A one-time code with which an account gets its (next) password."""

    __tablename__ = "account_invitation"

    hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AccessSession(Base):
    """Somebody signed in. ``fresh_at``: when the password was last given."""

    __tablename__ = "access_session"

    hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    fresh_at: Mapped[datetime]


class AccessToken(Base):
    """A machine's bearer token: acts for an account, with some of its permissions."""

    __tablename__ = "access_token"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    label: Mapped[str] = mapped_column(String(100))
    permissions: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
