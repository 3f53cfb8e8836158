"""Standings of learners, orders that hold records back, and the index audits read"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.database import models

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

AUDITED = (
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
)


def upgrade() -> None:
    op.create_table(
        "degree_standing",
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("degree", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.String(length=128), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("hours_met", sa.Boolean(), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"]),
        sa.PrimaryKeyConstraint("learner_id"),
    )
    op.create_table(
        "record_hold",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=True),
        sa.Column("ended_from", sa.Date(), nullable=True),
        sa.Column("ended_to", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ordered_by", sa.String(length=64), nullable=False),
        sa.Column("ordered_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("report", sa.String(length=80), nullable=False),
        sa.Column("lifted_by", sa.String(length=64), nullable=True),
        sa.Column("lifted_at", models.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_record_hold_institution_id"), "record_hold", ["institution_id"])
    op.drop_index("ix_learning_record_learner_id", table_name="learning_record")
    op.create_index("ix_record_audit", "learning_record", list(AUDITED))


def downgrade() -> None:
    op.drop_index("ix_record_audit", table_name="learning_record")
    op.create_index("ix_learning_record_learner_id", "learning_record", ["learner_id"])
    op.drop_table("record_hold")
    op.drop_table("degree_standing")
