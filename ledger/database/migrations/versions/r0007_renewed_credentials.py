"""Update in place: several credentials of one record, of which one stands for it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.database import models

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STANDS = sa.text("replaced_by IS NULL")


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    # The constraint has no name of its own: PostgreSQL gave it one, for SQLite one is made up.
    name = "uq_credential_record_id" if sqlite else "credential_record_id_key"
    with op.batch_alter_table(
        "credential",
        naming_convention={"uq": "uq_%(table_name)s_%(column_0_name)s"} if sqlite else None,
    ) as batch_op:
        batch_op.drop_constraint(name, type_="unique")
        batch_op.add_column(sa.Column("replaced_by", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("renew_at", models.UtcDateTime(timezone=True), nullable=True))
    with op.batch_alter_table("credential") as batch_op:
        batch_op.create_index(
            "ix_credential_stands",
            ["record_id"],
            unique=True,
            sqlite_where=_STANDS,
            postgresql_where=_STANDS,
        )
        batch_op.create_index("ix_credential_record_id", ["record_id"], unique=False)
    with op.batch_alter_table("status_list") as batch_op:
        batch_op.add_column(sa.Column("refreshed", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("a record may have several credentials now")
