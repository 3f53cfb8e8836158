"""What is handed out under the registrar's name, and what it attests of a learner"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.database import models

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handout",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("status_list_id", sa.String(length=40), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("issued_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"]),
        sa.ForeignKeyConstraint(["status_list_id"], ["status_list.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("status_list_id", "status_index"),
    )
    op.create_index("ix_handout_learner_id", "handout", ["learner_id"])
    op.create_table(
        "handout_credential",
        sa.Column("handout_id", sa.String(length=64), nullable=False),
        sa.Column("credential_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["handout_id"], ["handout.id"]),
        sa.ForeignKeyConstraint(["credential_id"], ["credential.id"]),
        sa.PrimaryKeyConstraint("handout_id", "credential_id"),
    )
    op.create_index("ix_handout_credential_credential_id", "handout_credential", ["credential_id"])
    op.create_table(
        "learner_predicate",
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("predicate", sa.String(length=32), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("attested_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"]),
        sa.PrimaryKeyConstraint("learner_id", "predicate"),
    )
    op.create_table(
        "discreet_institution",
        sa.Column("institution_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("institution_id"),
    )


def downgrade() -> None:
    for table in ("discreet_institution", "learner_predicate", "handout_credential", "handout"):
        op.drop_table(table)
