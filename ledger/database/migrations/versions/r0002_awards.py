"""The way to a degree: cohorts, applications, reviews, decisions, cases, history, open courses"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.database import models

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "degree_review",
    "degree_decision",
    "award_case",
    "open_course",
    "learner_prior",
    "degree_exception",
    "degree_application",
    "cohort_place",
    "degree_cohort",
    "award_history_head",
    "award_history",
)
_APPEND_ONLY = "award_history is append-only"


def upgrade() -> None:
    op.create_table(
        "award_history",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("learner_id", sa.String(length=40), nullable=True),
        sa.Column("before", sa.String(length=16), nullable=True),
        sa.Column("after", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index(
        op.f("ix_award_history_learner_id"), "award_history", ["learner_id"], unique=False
    )
    op.create_index(op.f("ix_award_history_subject"), "award_history", ["subject"], unique=False)
    op.create_table(
        "award_history_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "degree_cohort",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("degree", sa.String(length=32), nullable=False),
        sa.Column("name_ko", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=True),
        sa.Column("created_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "cohort_place",
        sa.Column("cohort_id", sa.String(length=64), nullable=False),
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("asked_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", models.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id"],
            ["degree_cohort.id"],
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"],
            ["learner.id"],
        ),
        sa.PrimaryKeyConstraint("cohort_id", "learner_id"),
    )
    op.create_table(
        "degree_application",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("degree", sa.String(length=32), nullable=False),
        sa.Column("cohort_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("policy", sa.String(length=128), nullable=False),
        sa.Column("policy_hash", sa.String(length=80), nullable=False),
        sa.Column("cutoff", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("applied_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("closed_at", models.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id"],
            ["degree_cohort.id"],
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"],
            ["learner.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_application_open",
        "degree_application",
        ["learner_id", "degree"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        op.f("ix_degree_application_learner_id"), "degree_application", ["learner_id"], unique=False
    )
    op.create_index(
        op.f("ix_degree_application_state"), "degree_application", ["state"], unique=False
    )
    op.create_table(
        "degree_exception",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.String(length=40), nullable=True),
        sa.Column("signed_by", sa.String(length=64), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("signed_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["learner_id"],
            ["learner.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_degree_exception_learner_id"), "degree_exception", ["learner_id"], unique=False
    )
    op.create_table(
        "learner_prior",
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("prior", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.Column("decided_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["learner_id"],
            ["learner.id"],
        ),
        sa.PrimaryKeyConstraint("learner_id", "prior"),
    )
    op.create_table(
        "open_course",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=True),
        sa.Column("level", sa.String(length=32), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("course_class", sa.String(length=128), nullable=True),
        sa.Column("title_ko", sa.String(length=300), nullable=False),
        sa.Column("title_en", sa.String(length=300), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=True),
        sa.Column("apply_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "award_case",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("award_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("caused_by", sa.String(length=40), nullable=True),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("opened_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("hearing_on", sa.Date(), nullable=True),
        sa.Column("heard_on", sa.Date(), nullable=True),
        sa.Column("statement", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=True),
        sa.Column("closed_at", models.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["award_id"],
            ["award.id"],
        ),
        sa.ForeignKeyConstraint(
            ["caused_by"],
            ["award_case.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_award_case_award_id"), "award_case", ["award_id"], unique=False)
    op.create_index(op.f("ix_award_case_state"), "award_case", ["state"], unique=False)
    op.create_index(
        "ix_case_open",
        "award_case",
        ["award_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "degree_decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("application_id", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("meeting", sa.String(length=64), nullable=False),
        sa.Column("chair", sa.String(length=64), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("taxonomy", sa.String(length=64), nullable=False),
        sa.Column("record_set_root", sa.String(length=80), nullable=False),
        sa.Column("allocation_hash", sa.String(length=80), nullable=False),
        sa.Column("trace_hash", sa.String(length=80), nullable=False),
        sa.Column("audit", sa.LargeBinary(), nullable=False),
        sa.Column("disclosure", sa.LargeBinary(), nullable=False),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.Column("award_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("record_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["degree_application.id"],
        ),
        sa.ForeignKeyConstraint(
            ["award_id"],
            ["award.id"],
        ),
        sa.ForeignKeyConstraint(
            ["record_id"],
            ["learning_record.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("record_id"),
    )
    op.create_index(
        op.f("ix_degree_decision_application_id"),
        "degree_decision",
        ["application_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_degree_decision_award_id"), "degree_decision", ["award_id"], unique=False
    )
    op.create_table(
        "degree_review",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("application_id", sa.String(length=40), nullable=False),
        sa.Column("reviewer", sa.String(length=64), nullable=False),
        sa.Column("recommendation", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("trace_hash", sa.String(length=80), nullable=False),
        sa.Column("at", models.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["degree_application.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("application_id", "reviewer"),
    )
    _refuse_changes()


def _refuse_changes() -> None:
    """The database itself refuses to rewrite what happened."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER award_history_no_{what.lower()} BEFORE {what} ON award_history "
                f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION award_history_kept() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_APPEND_ONLY}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER award_history_kept BEFORE UPDATE OR DELETE ON award_history "
        "FOR EACH ROW EXECUTE FUNCTION award_history_kept()"
    )


def downgrade() -> None:
    for name in TABLES:
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION award_history_kept()")
