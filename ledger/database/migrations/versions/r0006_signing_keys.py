"""The history of signing keys; what signed so far is each institution's first key"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.database import models

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_key",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("did", sa.String(length=255), nullable=False),
        sa.Column("method", sa.String(length=512), nullable=False),
        sa.Column("backend", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("active_from", models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ends_at", models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("compromised_at", models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("method"),
    )
    with op.batch_alter_table("signing_key", schema=None) as batch_op:
        batch_op.create_index("ix_signing_key_institution", ["institution_id"], unique=False)
        batch_op.create_index(
            "ix_signing_key_turn",
            ["institution_id", "algorithm", "state"],
            unique=True,
            sqlite_where=sa.text("state IN ('next', 'active')"),
            postgresql_where=sa.text("state IN ('next', 'active')"),
        )
    op.execute(
        """
        INSERT INTO signing_key (institution_id, algorithm, did, method, backend, number, state,
                                 created_at, active_from)
        SELECT id, 'ed25519', did, did || '#' || substr(did, 9), 'file', 1, 'active',
               created_at, created_at
        FROM institution WHERE did LIKE 'did:key:%'
        """
    )


def downgrade() -> None:
    op.drop_table("signing_key")
