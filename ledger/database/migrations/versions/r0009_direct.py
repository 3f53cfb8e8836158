"""Credentials issued over the VC-API"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.database import models

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = models.UtcDateTime(timezone=True)
    op.create_table(
        "direct_credential",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("status_list_id", sa.String(length=40), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("issued_at", instant, nullable=False),
        sa.Column("revoked_at", instant, nullable=True),
        sa.Column("suspended_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.ForeignKeyConstraint(["status_list_id"], ["status_list.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("status_list_id", "status_index"),
    )
    op.create_index(
        op.f("ix_direct_credential_institution_id"), "direct_credential", ["institution_id"]
    )


def downgrade() -> None:
    op.drop_table("direct_credential")
