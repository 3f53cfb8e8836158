"""Every table, in the order things happen: who, what was handed in, what it became, where it went.

Instants are UTC and timezone-aware in Python whatever the database; minutes are integers; hashes
and signed documents are the exact bytes. Names and contacts live only in ``LearnerIdentity``,
encrypted, so that erasing one row erases a person.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant. SQLite keeps no zone, so it is written as UTC and read back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: give the instant a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows by INTEGER PRIMARY KEY only; PostgreSQL wants room for 20 million records.
BigId = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        date: Date,
        bytes: LargeBinary,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


# --- who ------------------------------------------------------------------------------------------


class Institution(Base):
    """An organisation that issues (기관). ``id`` is a slug that survives a rename."""

    __tablename__ = "institution"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name_ko: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    issuer_group: Mapped[str | None] = mapped_column(String(32))
    did: Mapped[str | None] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime]


class Accreditation(Base):
    """The city's dated permission to issue one kind. The chain holds the authoritative copy."""

    __tablename__ = "accreditation"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"))
    kind: Mapped[str] = mapped_column(String(32))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("institution_id", "kind", "valid_from"),)


class Learner(Base):
    """A citizen, known by an opaque id and nothing else (학습자)."""

    __tablename__ = "learner"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder_did: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]


class LearnerIdentity(Base):
    """The only place with a name. AES-GCM ciphertext; deleting the row erases the person."""

    __tablename__ = "learner_identity"

    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"), primary_key=True)
    name: Mapped[bytes]


class LearnerIdentifier(Base):
    """A verified identifier as a keyed commitment (HMAC-SHA-256), never the identifier itself."""

    __tablename__ = "learner_identifier"

    commitment: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"), index=True)
    scheme: Mapped[str] = mapped_column(String(32))


# --- what was handed in ---------------------------------------------------------------------------


class Submission(Base):
    """One file or feed an institution handed in."""

    __tablename__ = "submission"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"), index=True)
    mapping: Mapped[str] = mapped_column(String(128))
    file_name: Mapped[str] = mapped_column(String(255))
    file_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    state: Mapped[str] = mapped_column(String(16))  # reading | done
    rows: Mapped[int] = mapped_column(Integer, default=0)
    accepted: Mapped[int] = mapped_column(Integer, default=0)
    duplicates: Mapped[int] = mapped_column(Integer, default=0)
    review: Mapped[int] = mapped_column(Integer, default=0)
    rejected: Mapped[int] = mapped_column(Integer, default=0)
    received_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    position: Mapped[int] = mapped_column(Integer, default=0)  # last row of the file with a verdict
    summary: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # sums, totals, counts

    __table_args__ = (UniqueConstraint("institution_id", "file_sha256", "mapping"),)


class SubmissionRow(Base):
    """The verdict on one row. ``problems`` never repeats a person's data."""

    __tablename__ = "submission_row"

    submission_id: Mapped[str] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    row: Mapped[int] = mapped_column(Integer, primary_key=True)
    verdict: Mapped[str] = mapped_column(String(16))  # accepted | duplicate | review | rejected
    record_id: Mapped[str | None] = mapped_column(String(40))
    duplicate_of: Mapped[int | None] = mapped_column(Integer)
    problems: Mapped[list[Any]] = mapped_column(JSON, default=list)


class LearningRecord(Base):
    """One recognised activity (학습이력). Append-only: a correction is a row that supersedes."""

    __tablename__ = "learning_record"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"))
    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"))
    kind: Mapped[str] = mapped_column(String(32))
    category: Mapped[str | None] = mapped_column(String(64))
    level: Mapped[str | None] = mapped_column(String(32))
    title_ko: Mapped[str] = mapped_column(String(300))
    title_en: Mapped[str | None] = mapped_column(String(300))
    code: Mapped[str | None] = mapped_column(String(64))
    offering: Mapped[str | None] = mapped_column(String(128))
    course_class: Mapped[str | None] = mapped_column(String(128))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    exact_interval: Mapped[bool]  # False when only days are known: overlap cannot be judged
    minutes: Mapped[int] = mapped_column(Integer)
    attended: Mapped[int | None] = mapped_column(Integer)
    sessions: Mapped[int | None] = mapped_column(Integer)
    approved: Mapped[bool | None]
    source_key: Mapped[str] = mapped_column(String(128))
    status: Mapped[str] = mapped_column(String(16))  # verified | superseded | retracted
    supersedes_id: Mapped[str | None] = mapped_column(String(40))
    content_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    submission_id: Mapped[str | None] = mapped_column(String(40))
    submission_row: Mapped[int | None] = mapped_column(Integer)
    recorded_at: Mapped[datetime]

    __table_args__ = (
        # One standing record (verified or retracted) for each entry of the institution's books;
        # those it superseded stay beside it.
        Index(
            "ix_record_live",
            "institution_id",
            "source_key",
            unique=True,
            sqlite_where=text("status <> 'superseded'"),
            postgresql_where=text("status <> 'superseded'"),
        ),
        Index("ix_record_content", "content_sha256"),
        # Everything a degree depends on, learner by learner: a million learners are audited out of
        # this index alone, in order, without touching the rows.
        Index(
            "ix_record_audit",
            "learner_id",
            "institution_id",
            "kind",
            "status",
            "started_at",
            "ended_at",
            "exact_interval",
            "minutes",
            "category",
            "level",
            "code",
            "offering",
            "course_class",
            "attended",
            "sessions",
            "approved",
            "recorded_at",
        ),
    )


# --- what it became -------------------------------------------------------------------------------


class StatusList(Base):
    """One shard of status bits of an institution; its lists share their indices."""

    __tablename__ = "status_list"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"), index=True)
    size: Mapped[int] = mapped_column(Integer)
    used: Mapped[int] = mapped_column(Integer, default=0)
    allocated: Mapped[bytes]  # size / 8 bytes, a bit per index already given away
    revoked: Mapped[bytes]
    suspended: Mapped[bytes]
    refreshed: Mapped[bytes | None]  # a newer credential is there; None while there is none
    changed: Mapped[int] = mapped_column(Integer, default=0)  # counts changes
    published: Mapped[int] = mapped_column(Integer, default=-1)  # the change last published


class Credential(Base):
    """The signed form of a record, exactly as signed (증명)."""

    __tablename__ = "credential"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("learning_record.id"), index=True)
    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"), index=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"))
    kind: Mapped[str] = mapped_column(String(32))
    document: Mapped[bytes]
    leaf: Mapped[bytes] = mapped_column(LargeBinary(32))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("batch.id"))
    leaf_index: Mapped[int | None] = mapped_column(Integer)
    status_list_id: Mapped[str] = mapped_column(ForeignKey("status_list.id"))
    status_index: Mapped[int] = mapped_column(Integer)
    issued_at: Mapped[datetime]
    replaced_by: Mapped[str | None] = mapped_column(String(64))  # the credential in its place
    renew_at: Mapped[datetime | None]  # since when another one of the same record is due

    __table_args__ = (
        # One credential stands for a record; those it replaced stay beside it.
        Index(
            "ix_credential_stands",
            "record_id",
            unique=True,
            sqlite_where=text("replaced_by IS NULL"),
            postgresql_where=text("replaced_by IS NULL"),
        ),
        UniqueConstraint("status_list_id", "status_index"),
        UniqueConstraint("batch_id", "leaf_index"),
    )


class StatusChange(Base):
    """Who revoked, suspended or reinstated a credential, when and why. Append-only."""

    __tablename__ = "status_change"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    credential_id: Mapped[str] = mapped_column(ForeignKey("credential.id"), index=True)
    action: Mapped[str] = mapped_column(String(16))  # revoke | suspend | reinstate
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


# --- where it went --------------------------------------------------------------------------------


class Batch(Base):
    """Credentials under one root: open → sealed → signed → broadcast → mined → final."""

    __tablename__ = "batch"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"))  # who anchors
    chain_id: Mapped[int] = mapped_column(BigInteger)
    contract: Mapped[str] = mapped_column(String(42))
    state: Mapped[str] = mapped_column(String(16), index=True)
    size: Mapped[int] = mapped_column(Integer, default=0)
    root: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    subtree_roots: Mapped[
        bytes | None
    ]  # one 32-byte hash for each 256 leaves: paths without the tree
    opened_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]
    final_at: Mapped[datetime | None]


class ChainTransaction(Base):
    """The outbox: a signed transaction, stored before it is sent; a replacement is another row."""

    __tablename__ = "chain_transaction"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), index=True)
    chain_id: Mapped[int] = mapped_column(BigInteger)
    sender: Mapped[str] = mapped_column(String(42))
    nonce: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(66), unique=True)
    raw: Mapped[bytes]
    max_fee_per_gas: Mapped[int] = mapped_column(BigInteger)
    max_priority_fee_per_gas: Mapped[int] = mapped_column(BigInteger)
    signed_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    # filled when mined, cleared when a reorganisation takes the block away
    block_number: Mapped[int | None] = mapped_column(BigInteger)
    block_hash: Mapped[str | None] = mapped_column(String(66))
    block_time: Mapped[datetime | None]
    gas_used: Mapped[int | None] = mapped_column(BigInteger)
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    head: Mapped[str | None] = mapped_column(String(66))
    failure: Mapped[str | None] = mapped_column(Text)


class ChainAccount(Base):
    """The next nonce of a sending account: one writer at a time, under this row's lock."""

    __tablename__ = "chain_account"

    chain_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    address: Mapped[str] = mapped_column(String(42), primary_key=True)
    next_nonce: Mapped[int] = mapped_column(BigInteger)


# --- what it is worth -----------------------------------------------------------------------------


class Award(Base):
    """A degree a learner holds or held (수여). ``used`` locks the minutes it consumed."""

    __tablename__ = "award"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"), index=True)
    degree: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))  # valid | suspended | withdrawn
    awarded_on: Mapped[date]
    basis: Mapped[str] = mapped_column(String(16))  # paper | ledger
    policy: Mapped[str | None] = mapped_column(String(128))
    policy_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    used: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # record id → minutes

    __table_args__ = (UniqueConstraint("learner_id", "degree"),)


class LearnerItem(Base):
    """A condition that is not hours: research output approved, orientation attended."""

    __tablename__ = "learner_item"

    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"), primary_key=True)
    item: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(String(32))
    decided_on: Mapped[date]
