"""Opening a database by URL, bringing its tables up to date, and the two kinds of transaction.

SQLite runs in WAL mode with full synchronisation and foreign keys; PostgreSQL through psycopg 3.
What a driver raises arrives as ``DatabaseLocked``, ``DatabaseUnavailable`` or ``DiskFull``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session, sessionmaker

from credential.text import Text
from ledger.database.failures import (
    DatabaseBroken,
    DatabaseError,
    DatabaseLocked,
    DatabaseUnavailable,
    DatabaseUrl,
    DatabaseVersion,
    DiskFull,
    translate,
)

__all__ = [
    "Database",
    "DatabaseBroken",
    "DatabaseError",
    "DatabaseLocked",
    "DatabaseUnavailable",
    "DatabaseUrl",
    "DatabaseVersion",
    "DiskFull",
    "open_database",
]

_READING = "baeum_reading"
# An arbitrary constant: everyone who migrates a PostgreSQL database takes the same advisory lock.
_MIGRATION_LOCK = 0x6261_6575_6D


class Database:
    """One database: an engine, its sessions and its migrations. Close it when done."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._readers = sessionmaker(
            engine.execution_options(**{_READING: True}), expire_on_commit=False, autoflush=False
        )

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction that may write: committed at the end of the block, rolled back on an error.

        On SQLite it takes the write lock with its first statement (BEGIN IMMEDIATE), so that what
        was read is still true when it is acted on; do not hold one open around slow work, and do
        not open a second one inside it. ``commit()`` may be called on the way.
        Raises DatabaseLocked, DatabaseUnavailable, DiskFull.
        """
        with self._sessions() as session:
            yield session
            session.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one state and writes nothing; never waits for a writer."""
        with self._readers() as session:
            yield session

    def migrate(self) -> None:
        """Bring the tables to this program's revision; several processes may try at once.

        Raises DatabaseVersion when the tables are newer than this program.
        """
        # Rebuilding a table drops the old one; the rows that refer to it stay as they are.
        with (
            self.engine.connect() as connection,
            _without_foreign_keys(connection),
            connection.begin(),
        ):
            if self.dialect == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            self._upgrade(connection)
            _check_foreign_keys(connection)

    def _upgrade(self, connection: Connection) -> None:
        try:
            command.upgrade(migrations(connection), "head")
        except CommandError as error:
            if "Can't locate revision" not in str(error):
                raise
            raise DatabaseVersion(
                Text(
                    "더 새로운 Baeum이 만든 데이터베이스라 이 버전으로는 열 수 없습니다.",
                    "A newer Baeum made this database; this version cannot open it.",
                ),
                Text("Baeum을 새 버전으로 올리세요.", "Upgrade Baeum."),
            ) from error

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def open_database(url: str, *, wait_seconds: float = 15.0) -> Database:
    """Open the database at ``url`` (``sqlite:///path`` or ``postgresql://…``); no tables are made.

    ``wait_seconds``: how long to wait for another writer's lock. Nothing is connected yet: a dead
    server shows at first use, as DatabaseUnavailable. Raises DatabaseUrl.
    """
    parsed = _parse(url)
    options: dict[str, Any] = {
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
    }
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed, connect_args={"timeout": wait_seconds, "check_same_thread": False}, **options
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        lock = f"-c lock_timeout={int(wait_seconds * 1000)} -c TimeZone=UTC"
        engine = create_engine(
            parsed,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "options": lock},
            **options,
        )
        event.listen(engine, "begin", _begin_postgres)
    where = parsed.render_as_string(hide_password=True)

    def name_it(context: ExceptionContext) -> BaseException | None:
        return translate(context.original_exception, where)

    event.listen(engine, "handle_error", name_it, retval=True)
    return Database(engine)


def migrations(connection: Connection | None = None) -> Config:
    """Alembic's configuration without a file: the scripts are a package, the connection is ours."""
    config = Config()
    config.set_main_option("script_location", "ledger.database:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _parse(url: str) -> URL:
    remedy = Text(
        "sqlite:///경로 또는 postgresql://사용자@주소/이름 형식으로 적어 주세요.",
        "Write it as sqlite:///path or postgresql://user@host/name.",
    )
    detail = Text(
        "데이터베이스 주소를 알아볼 수 없습니다.", "The database address cannot be understood."
    )
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise DatabaseUrl(detail, remedy) from error
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise DatabaseUrl(detail, remedy, {"backend": backend})
    return parsed


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction guessing is off: we say BEGIN, so DDL is transactional too.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA cache_size = -65536")
    finally:
        cursor.close()


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """SQLite's own way to change a table: its checks off, which only works between transactions."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise DatabaseBroken(
            Text(
                f"‘{broken[0]}’ 표에 없는 행을 가리키는 행이 있습니다. 아무것도 바꾸지 않았습니다.",
                f"Rows of '{broken[0]}' refer to rows that are not there. Nothing was changed.",
            ),
            Text("백업에서 데이터베이스를 되돌리세요.", "Restore the database from the backup."),
        )


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get(_READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _begin_postgres(connection: Connection) -> None:
    if connection.get_execution_options().get(_READING, False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
