"""The first tables: who, what was handed in, what it became, where it went"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.database import models

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chain_account",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column("next_nonce", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "address"),
    )
    op.create_table(
        "institution",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name_ko", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("issuer_group", sa.String(length=32), nullable=True),
        sa.Column("did", sa.String(length=255), nullable=True),
        sa.Column("created_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("did"),
    )
    op.create_table(
        "learner",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("holder_did", sa.String(length=255), nullable=True),
        sa.Column("created_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "accreditation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("valid_from", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("valid_to", models.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("institution_id", "kind", "valid_from"),
    )
    op.create_table(
        "award",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("degree", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("awarded_on", sa.Date(), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("policy", sa.String(length=128), nullable=True),
        sa.Column("policy_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("used", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["learner_id"],
            ["learner.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("learner_id", "degree"),
    )
    with op.batch_alter_table("award", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_award_learner_id"), ["learner_id"], unique=False)

    op.create_table(
        "batch",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("contract", sa.String(length=42), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=True),
        sa.Column("subtree_roots", sa.LargeBinary(), nullable=True),
        sa.Column("opened_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sealed_at", models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("final_at", models.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_state"), ["state"], unique=False)

    op.create_table(
        "learner_identifier",
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("scheme", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["learner_id"],
            ["learner.id"],
        ),
        sa.PrimaryKeyConstraint("commitment"),
    )
    with op.batch_alter_table("learner_identifier", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_learner_identifier_learner_id"), ["learner_id"], unique=False
        )

    op.create_table(
        "learner_identity",
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["learner_id"],
            ["learner.id"],
        ),
        sa.PrimaryKeyConstraint("learner_id"),
    )
    op.create_table(
        "learner_item",
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["learner_id"],
            ["learner.id"],
        ),
        sa.PrimaryKeyConstraint("learner_id", "item"),
    )
    op.create_table(
        "learning_record",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=True),
        sa.Column("level", sa.String(length=32), nullable=True),
        sa.Column("title_ko", sa.String(length=300), nullable=False),
        sa.Column("title_en", sa.String(length=300), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("offering", sa.String(length=128), nullable=True),
        sa.Column("course_class", sa.String(length=128), nullable=True),
        sa.Column("started_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("exact_interval", sa.Boolean(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("attended", sa.Integer(), nullable=True),
        sa.Column("sessions", sa.Integer(), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("source_key", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("supersedes_id", sa.String(length=40), nullable=True),
        sa.Column("content_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("submission_id", sa.String(length=40), nullable=True),
        sa.Column("submission_row", sa.Integer(), nullable=True),
        sa.Column("recorded_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"],
            ["learner.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("learning_record", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_learning_record_learner_id"), ["learner_id"], unique=False
        )
        batch_op.create_index("ix_record_content", ["content_sha256"], unique=False)
        batch_op.create_index(
            "ix_record_live",
            ["institution_id", "source_key"],
            unique=True,
            sqlite_where=sa.text("status <> 'superseded'"),
            postgresql_where=sa.text("status <> 'superseded'"),
        )

    op.create_table(
        "status_list",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("allocated", sa.LargeBinary(), nullable=False),
        sa.Column("revoked", sa.LargeBinary(), nullable=False),
        sa.Column("suspended", sa.LargeBinary(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("published", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("status_list", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_status_list_institution_id"), ["institution_id"], unique=False
        )

    op.create_table(
        "submission",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.String(length=128), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("file_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("review", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("received_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("institution_id", "file_sha256", "mapping"),
    )
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_submission_institution_id"), ["institution_id"], unique=False
        )

    op.create_table(
        "chain_transaction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.String(length=42), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=66), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("max_fee_per_gas", sa.BigInteger(), nullable=False),
        sa.Column("max_priority_fee_per_gas", sa.BigInteger(), nullable=False),
        sa.Column("signed_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.String(length=66), nullable=True),
        sa.Column("block_time", models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("head", sa.String(length=66), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["batch.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    with op.batch_alter_table("chain_transaction", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_chain_transaction_batch_id"), ["batch_id"], unique=False
        )

    op.create_table(
        "credential",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.String(length=40), nullable=False),
        sa.Column("learner_id", sa.String(length=40), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("leaf_index", sa.Integer(), nullable=True),
        sa.Column("status_list_id", sa.String(length=40), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("issued_at", models.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["batch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"],
            ["learner.id"],
        ),
        sa.ForeignKeyConstraint(
            ["record_id"],
            ["learning_record.id"],
        ),
        sa.ForeignKeyConstraint(
            ["status_list_id"],
            ["status_list.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("batch_id", "leaf_index"),
        sa.UniqueConstraint("record_id"),
        sa.UniqueConstraint("status_list_id", "status_index"),
    )
    with op.batch_alter_table("credential", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credential_learner_id"), ["learner_id"], unique=False)

    op.create_table(
        "submission_row",
        sa.Column("submission_id", sa.String(length=40), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("record_id", sa.String(length=40), nullable=True),
        sa.Column("duplicate_of", sa.Integer(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.id"],
        ),
        sa.PrimaryKeyConstraint("submission_id", "row"),
    )
    op.create_table(
        "status_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("credential_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", models.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"],
            ["credential.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("status_change", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_status_change_credential_id"), ["credential_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("status_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_status_change_credential_id"))

    op.drop_table("status_change")
    op.drop_table("submission_row")
    with op.batch_alter_table("credential", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credential_learner_id"))

    op.drop_table("credential")
    with op.batch_alter_table("chain_transaction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chain_transaction_batch_id"))

    op.drop_table("chain_transaction")
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_submission_institution_id"))

    op.drop_table("submission")
    with op.batch_alter_table("status_list", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_status_list_institution_id"))

    op.drop_table("status_list")
    with op.batch_alter_table("learning_record", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_record_live",
            sqlite_where=sa.text("status <> 'superseded'"),
            postgresql_where=sa.text("status <> 'superseded'"),
        )
        batch_op.drop_index("ix_record_content")
        batch_op.drop_index(batch_op.f("ix_learning_record_learner_id"))

    op.drop_table("learning_record")
    op.drop_table("learner_item")
    op.drop_table("learner_identity")
    with op.batch_alter_table("learner_identifier", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_learner_identifier_learner_id"))

    op.drop_table("learner_identifier")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_state"))

    op.drop_table("batch")
    with op.batch_alter_table("award", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_award_learner_id"))

    op.drop_table("award")
    op.drop_table("accreditation")
    op.drop_table("learner")
    op.drop_table("institution")
    op.drop_table("chain_account")
