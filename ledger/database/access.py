"""Tables of accounts, invitations, sessions, tokens, and the log of what was done with them.

Of every secret only a hash is kept. The log knows people by their account's id alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ledger.database.models import Base, BigId


class Account(Base):
    """A person (or a machine's owner) who may sign in. ``name`` is what they type, no person's
    name; ``shown`` is what colleagues read."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    shown: Mapped[str] = mapped_column(String(100))
    roles: Mapped[list[Any]] = mapped_column(JSON)
    institution_id: Mapped[str | None] = mapped_column(ForeignKey("institution.id"))
    site_id: Mapped[str | None] = mapped_column(String(64))  # none: every site
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
    """A machine's bearer token: acts for an account, with some of its permissions, or, with
    ``institution_id``, for the institution itself. No ``kinds`` or ``sites``: every one."""

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
    institution_id: Mapped[str | None] = mapped_column(String(64), index=True)
    kinds: Mapped[list[Any]] = mapped_column(JSON, default=list, server_default=text("'[]'"))
    sites: Mapped[list[Any]] = mapped_column(JSON, default=list, server_default=text("'[]'"))
    replaced_by: Mapped[str | None] = mapped_column(String(40))


class Site(Base):
    """A place of an institution, such as one of its learning centres (학습장)."""

    __tablename__ = "access_site"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"), index=True)
    name_ko: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))


class Proposal(Base):
    """An act that takes two people: open → confirmed | refused."""

    __tablename__ = "access_proposal"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(160))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    institution_id: Mapped[str | None] = mapped_column(ForeignKey("institution.id"), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    proposed_by: Mapped[str] = mapped_column(String(64))
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None]


class Answered(Base):
    """What a write with an ``Idempotency-Key`` was answered; no status yet while it runs."""

    __tablename__ = "access_answered"

    principal: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request: Mapped[bytes] = mapped_column(LargeBinary(32))
    status: Mapped[int | None] = mapped_column(Integer)
    content_type: Mapped[str | None] = mapped_column(String(120))
    body: Mapped[bytes | None]
    at: Mapped[datetime] = mapped_column(index=True)


class AccessLog(Base):
    """Who did what to what, chained by hashes. Append-only: the database refuses the rest."""

    __tablename__ = "access_log"

    sequence: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(160))
    institution_id: Mapped[str | None] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))

    __table_args__ = (Index("ix_access_log_institution", "institution_id", "sequence"),)


class AccessLogHead(Base):
    """Number and hash of the last row: one row, locked by whoever writes."""

    __tablename__ = "access_log_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    sequence: Mapped[int] = mapped_column(BigId)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
