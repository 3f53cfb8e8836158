"""Sites, keys of institutions, two-person proposals, answers kept, and the log of access"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.database import models

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_APPEND_ONLY = "access_log is append-only"


def upgrade() -> None:
    op.create_table(
        "access_answered",
        sa.Column("principal", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("content_type", sa.String(length=120), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("at", models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("principal", "key"),
    )
    op.create_index(op.f("ix_access_answered_at"), "access_answered", ["at"], unique=False)
    op.create_table(
        "access_log",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index(
        "ix_access_log_institution", "access_log", ["institution_id", "sequence"], unique=False
    )
    op.create_table(
        "access_log_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "access_proposal",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("proposed_by", sa.String(length=64), nullable=False),
        sa.Column("proposed_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", models.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_access_proposal_institution_id"),
        "access_proposal",
        ["institution_id"],
        unique=False,
    )
    op.create_index(op.f("ix_access_proposal_state"), "access_proposal", ["state"], unique=False)
    op.create_table(
        "access_site",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=False),
        sa.Column("name_ko", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_access_site_institution_id"), "access_site", ["institution_id"], unique=False
    )
    op.add_column("access_token", sa.Column("institution_id", sa.String(length=64), nullable=True))
    op.add_column(
        "access_token",
        sa.Column("kinds", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
    )
    op.add_column(
        "access_token",
        sa.Column("sites", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
    )
    op.add_column("access_token", sa.Column("replaced_by", sa.String(length=40), nullable=True))
    op.create_index(
        op.f("ix_access_token_institution_id"), "access_token", ["institution_id"], unique=False
    )
    op.add_column("account", sa.Column("site_id", sa.String(length=64), nullable=True))
    _refuse_changes()


def _refuse_changes() -> None:
    """The database itself refuses to rewrite what happened."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER access_log_no_{what.lower()} BEFORE {what} ON access_log "
                f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION access_log_kept() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_APPEND_ONLY}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER access_log_kept BEFORE UPDATE OR DELETE ON access_log "
        "FOR EACH ROW EXECUTE FUNCTION access_log_kept()"
    )


def downgrade() -> None:
    op.drop_column("account", "site_id")
    op.drop_index(op.f("ix_access_token_institution_id"), "access_token")
    for name in ("replaced_by", "sites", "kinds", "institution_id"):
        op.drop_column("access_token", name)
    for name in ("site", "proposal", "log_head", "log", "answered"):
        op.drop_table(f"access_{name}")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION access_log_kept()")
