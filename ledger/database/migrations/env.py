"""Runs the revisions on the connection handed in by ``Database.migrate``, in its transaction."""

from __future__ import annotations

from alembic import context

from ledger.database import access as _access  # noqa: F401 - its tables join the metadata
from ledger.database import awards as _awards  # noqa: F401 - its tables join the metadata
from ledger.database import direct as _direct  # noqa: F401 - its table joins the metadata
from ledger.database import handouts as _handouts  # noqa: F401
from ledger.database import key_models as _keys  # noqa: F401
from ledger.database import standings as _standings  # noqa: F401 - its tables join the metadata
from ledger.database.models import Base


def run() -> None:
    connection = context.config.attributes["connection"]
    if connection is None:
        raise RuntimeError("hand a connection to ledger.database.session.migrations()")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite's DDL is transactional too once the driver does not commit behind our back.
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
        user_module_prefix="models.",
    )
    with context.begin_transaction():
        context.run_migrations()


run()
