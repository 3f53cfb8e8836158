"""Opening, migrating, the two kinds of transaction, and what a database refuses."""

from __future__ import annotations

import multiprocessing
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from ledger.database.models import Base, Institution, Submission
from ledger.database.session import (
    Database,
    DatabaseLocked,
    DatabaseUnavailable,
    DatabaseUrl,
    DatabaseVersion,
    DiskFull,
    migrations,
    open_database,
)

NOW = datetime(2026, 10, 1, 3, 4, 5, 678901, tzinfo=UTC)


def institution(id: str) -> Institution:
    return Institution(id=id, name_ko="기관", name_en="Institution", created_at=NOW)


def test_upgrading_an_empty_database_gives_exactly_the_models(database_url: str) -> None:
    opened = open_database(database_url)
    opened.migrate()
    with opened.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        live = [i for i in inspect(connection).get_indexes("learning_record") if i["unique"]]
        assert [index["name"] for index in live] == ["ix_record_live"]
    opened.close()


def test_migrating_again_does_nothing(database_url: str) -> None:
    opened = open_database(database_url)
    opened.migrate()
    with opened.session() as session:
        session.add(institution("a"))
    opened.migrate()
    with opened.reading() as session:
        assert session.get(Institution, "a") is not None
    opened.close()


OLD_ROWS = (
    "INSERT INTO institution (id, name_ko, name_en, created_at) VALUES ('a', '기관', 'A', :now)",
    "INSERT INTO learner (id, created_at) VALUES ('lrn_1', :now)",
    "INSERT INTO learning_record (id, learner_id, institution_id, kind, title_ko, started_at,"
    " ended_at, exact_interval, minutes, source_key, status, content_sha256, recorded_at)"
    " VALUES ('rec_1', 'lrn_1', 'a', 'course', '강좌', :now, :now, :no, 60, 'k', 'verified',"
    " :bytes, :now)",
    "INSERT INTO status_list (id, institution_id, size, used, allocated, revoked, suspended,"
    " changed, published) VALUES ('stl_1', 'a', 8, 1, :bytes, :bytes, :bytes, 0, -1)",
    "INSERT INTO credential (id, record_id, learner_id, institution_id, kind, document, leaf,"
    " status_list_id, status_index, issued_at) VALUES ('urn:1', 'rec_1', 'lrn_1', 'a', 'course',"
    " :bytes, :bytes, 'stl_1', 0, :now)",
    "INSERT INTO status_change (credential_id, action, reason, at)"
    " VALUES ('urn:1', 'suspend', 'why', :now)",
)
"""One row of everything that hangs together, as the first release wrote them."""


def test_a_database_of_the_first_revision_is_upgraded_with_its_rows(database_url: str) -> None:
    opened = open_database(database_url)
    values = {"now": "2026-10-01 03:04:05+00:00", "no": False, "bytes": b"\0" * 32}
    with opened.engine.begin() as connection:
        command.upgrade(migrations(connection), "0001")
        for statement in OLD_ROWS:
            connection.execute(text(statement), values)
    opened.migrate()
    with opened.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        for table in ("institution", "learning_record", "credential", "status_change"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 1
    with pytest.raises(DBAPIError), opened.session() as session:  # its keys are guarded again
        session.execute(text("DELETE FROM credential"))
    opened.close()


def _migrate(url: str) -> None:
    opened = open_database(url)
    opened.migrate()
    opened.close()


def test_two_processes_migrating_at_once_both_succeed(database_url: str) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_migrate, args=(database_url,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]


def test_tables_of_a_newer_program_are_refused(database: Database) -> None:
    with database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseVersion):
        database.migrate()


def test_instants_come_back_aware_and_equal(database: Database) -> None:
    with database.session() as session:
        session.add(institution("a"))
    with database.reading() as session:
        found = session.get_one(Institution, "a")
        assert found.created_at == NOW
        assert found.created_at.tzinfo is not None


def test_an_error_in_the_block_rolls_everything_back(database: Database) -> None:
    def fail() -> None:
        with database.session() as session:
            session.add(institution("a"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.reading() as session:
        assert session.get(Institution, "a") is None


def test_a_foreign_key_to_nothing_is_refused(database: Database) -> None:
    with pytest.raises(DBAPIError), database.session() as session:
        session.add(
            Submission(
                id="sub_1",
                institution_id="nobody",
                mapping="m@1",
                file_name="f",
                file_sha256=b"\0" * 32,
                state="reading",
                received_at=NOW,
            )
        )


def test_a_reader_sees_one_state_while_a_writer_commits(database: Database) -> None:
    with database.reading() as reader:
        assert reader.get(Institution, "a") is None
        with database.session() as session:
            session.add(institution("a"))
        assert reader.get(Institution, "a") is None
    with database.reading() as reader:
        assert reader.get(Institution, "a") is not None


def test_a_reader_cannot_write_on_postgres(database: Database) -> None:
    if database.dialect == "sqlite":
        pytest.skip("SQLite has no read-only transaction")
    with database.reading() as session:
        session.add(institution("a"))
        with pytest.raises(DBAPIError):
            session.flush()


def test_sqlite_is_durable_and_keeps_foreign_keys(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    with opened.reading() as session:
        pragma = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 15000,
    }
    opened.close()


def test_a_database_locked_by_another_writer_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    opened = open_database(f"sqlite:///{path}", wait_seconds=0.05)
    opened.migrate()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseLocked) as caught, opened.session() as session:
        session.add(institution("a"))
    assert caught.value.remedy is not None
    assert "잠겨" in caught.value.title.ko
    with opened.reading() as session:  # readers go on
        assert session.get(Institution, "a") is None
    other.close()
    opened.close()


@pytest.mark.postgres
def test_a_row_locked_on_postgres_says_so(postgres_server: object) -> None:
    url = postgres_server.create(migrated=True)  # type: ignore[attr-defined]
    opened = open_database(url, wait_seconds=0.05)
    with opened.session() as session:
        session.add(institution("a"))
    with opened.session() as holder:
        holder.get_one(Institution, "a", with_for_update=True)
        with pytest.raises(DatabaseLocked), opened.session() as session:
            session.get_one(Institution, "a", with_for_update=True)
    opened.close()
    postgres_server.drop(url)  # type: ignore[attr-defined]


def test_a_full_disk_says_so_and_keeps_what_was_stored(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    opened.migrate()
    with opened.session() as session:
        session.add(institution("kept"))
    with opened.session() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count = {pages + 1}"))
        session.add_all(institution(f"i{n}") for n in range(500))
        with pytest.raises(DiskFull) as caught:
            session.flush()
        session.rollback()
    assert caught.value.remedy is not None
    with opened.reading() as session:
        assert session.query(Institution).count() == 1
    opened.close()


def test_a_server_that_is_down_is_unavailable_and_no_password_shows() -> None:
    opened = open_database("postgresql://u:secret@127.0.0.1:1/baeum")
    with pytest.raises(DatabaseUnavailable) as caught, opened.session() as session:
        session.execute(text("SELECT 1"))
    assert "secret" not in str(caught.value.to_json())
    opened.close()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b""])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    opened = open_database(f"sqlite:///{path}")
    if content:
        with pytest.raises(DatabaseUnavailable):
            opened.migrate()
    else:
        opened.migrate()  # an empty file is an empty database
    opened.close()


def test_a_folder_that_does_not_exist_is_unavailable(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path / 'no' / 'a.db'}")
    with pytest.raises(DatabaseUnavailable):
        opened.migrate()
    opened.close()


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://u:secret@h/d", "oracle://x"])
def test_an_address_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(DatabaseUrl) as caught:
        open_database(url)
    assert "secret" not in str(caught.value.to_json())
