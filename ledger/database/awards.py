"""Tables of the way to a degree: cohorts, applications, reviews, decisions, cases, history.

``award`` itself stands in ``models``: the credit engine reads it. What people did to get there, and
what they do about it later, is here. ``award_history`` is append-only: the database itself refuses
to change or delete a row.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ledger.database.models import Base, BigId


class Cohort(Base):
    """An intake of a degree's programme, with a number of places (기수)."""

    __tablename__ = "degree_cohort"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    degree: Mapped[str] = mapped_column(String(32))
    name_ko: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    opens_on: Mapped[date]
    closes_on: Mapped[date]  # the first day on which nobody can ask any more
    quota: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime]


class CohortPlace(Base):
    """Somebody who asked for a place: waiting → admitted | released. Waiting is not refused."""

    __tablename__ = "cohort_place"

    cohort_id: Mapped[str] = mapped_column(ForeignKey("degree_cohort.id"), primary_key=True)
    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    rank: Mapped[int | None] = mapped_column(Integer)
    asked_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None]


class Application(Base):
    """applied → reviewing → reviewed → approved → conferred; or refused, or cancelled."""

    __tablename__ = "degree_application"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"), index=True)
    degree: Mapped[str] = mapped_column(String(32))
    cohort_id: Mapped[str | None] = mapped_column(ForeignKey("degree_cohort.id"))
    state: Mapped[str] = mapped_column(String(16), index=True)
    policy: Mapped[str] = mapped_column(String(128))
    policy_hash: Mapped[str] = mapped_column(String(80))
    cutoff: Mapped[datetime]  # records verified later do not belong to this application
    applied_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "ix_application_open",
            "learner_id",
            "degree",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )


class Review(Base):
    """One person's look at an application. With a conflict declared it is a recusal."""

    __tablename__ = "degree_review"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    application_id: Mapped[str] = mapped_column(ForeignKey("degree_application.id"))
    reviewer: Mapped[str] = mapped_column(String(64))
    recommendation: Mapped[str] = mapped_column(String(16))  # award | object | recused
    reason: Mapped[str] = mapped_column(Text)
    trace_hash: Mapped[str] = mapped_column(String(80))  # the audit that was looked at
    at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("application_id", "reviewer"),)


class Decision(Base):
    """What the committee decided, with everything it was decided on, frozen."""

    __tablename__ = "degree_decision"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    application_id: Mapped[str] = mapped_column(ForeignKey("degree_application.id"), index=True)
    outcome: Mapped[str] = mapped_column(String(16))  # approved | refused
    meeting: Mapped[str] = mapped_column(String(64))
    chair: Mapped[str] = mapped_column(String(64))
    members: Mapped[list[Any]] = mapped_column(JSON, default=list)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    minutes: Mapped[int] = mapped_column(Integer, default=0)
    taxonomy: Mapped[str] = mapped_column(String(64))
    record_set_root: Mapped[str] = mapped_column(String(80))
    allocation_hash: Mapped[str] = mapped_column(String(80))
    trace_hash: Mapped[str] = mapped_column(String(80))
    audit: Mapped[bytes]  # RFC 8785: the whole audit
    disclosure: Mapped[bytes]  # RFC 8785: the record set with its salts (credential.disclosure)
    superseded: Mapped[bool] = mapped_column(default=False)  # decided again before conferral
    award_id: Mapped[int | None] = mapped_column(ForeignKey("award.id"), index=True)
    record_id: Mapped[str | None] = mapped_column(ForeignKey("learning_record.id"), unique=True)


class AwardCase(Base):
    """Whether a degree stands: open → scheduled → heard → closed, with dates and people."""

    __tablename__ = "award_case"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    award_id: Mapped[int] = mapped_column(ForeignKey("award.id"), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    cause: Mapped[str] = mapped_column(String(16))  # fraud | error | cascade
    grounds: Mapped[str] = mapped_column(Text)
    caused_by: Mapped[str | None] = mapped_column(ForeignKey("award_case.id"))
    opened_by: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    hearing_on: Mapped[date | None]
    heard_on: Mapped[date | None]
    statement: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(String(16))  # kept | withdrawn
    closed_by: Mapped[str | None] = mapped_column(String(64))
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "ix_case_open",
            "award_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )


class SignedException(Base):
    """A human exception for one learner: signed, with an expiry, addressed by stable block id."""

    __tablename__ = "degree_exception"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))  # waive_item | reduce_block | accept_record
    target: Mapped[str] = mapped_column(String(64))
    minutes: Mapped[int] = mapped_column(Integer, default=0)
    record_id: Mapped[str | None] = mapped_column(String(40))
    signed_by: Mapped[str] = mapped_column(String(64))
    why: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[datetime]
    expires_on: Mapped[date]


class LearnerPrior(Base):
    """Another way in, as a fact somebody checked: years of activity, a degree in the field."""

    __tablename__ = "learner_prior"

    learner_id: Mapped[str] = mapped_column(ForeignKey("learner.id"), primary_key=True)
    prior: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int] = mapped_column(Integer)
    evidence: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime]


class AwardHistory(Base):
    """Who did what, when and why. Each row's hash covers the one before it."""

    __tablename__ = "award_history"

    sequence: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(120), index=True)
    learner_id: Mapped[str | None] = mapped_column(String(40), index=True)
    before: Mapped[str | None] = mapped_column(String(16))
    after: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class AwardHistoryHead(Base):
    """The end of the history, in one row: writers take its lock, so the rows form one chain."""

    __tablename__ = "award_history_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    sequence: Mapped[int] = mapped_column(BigId)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class OpenCourse(Base):
    """A course one can join now or soon: what "which courses bring me closest" chooses from."""

    __tablename__ = "open_course"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"))
    kind: Mapped[str] = mapped_column(String(32))
    category: Mapped[str | None] = mapped_column(String(64))
    level: Mapped[str | None] = mapped_column(String(32))
    code: Mapped[str | None] = mapped_column(String(64))
    course_class: Mapped[str | None] = mapped_column(String(128))
    title_ko: Mapped[str] = mapped_column(String(300))
    title_en: Mapped[str | None] = mapped_column(String(300))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    minutes: Mapped[int] = mapped_column(Integer)
    sessions: Mapped[int | None] = mapped_column(Integer)
    apply_until: Mapped[date | None]
