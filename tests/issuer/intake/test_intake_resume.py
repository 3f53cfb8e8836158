"""Killed, locked out or out of disk in the middle: the next run ends with none lost, none twice."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest_intake import COURSE_HEADER, NOW, SAMPLE, UNIVERSITY, course
from sqlalchemy import func, select, text

from issuer.intake import SubmissionReport, ingest, ingestion, storing
from issuer.intake.refusals import SubmissionBusy
from ledger import institutions
from ledger.database.models import Learner, LearningRecord, Submission, SubmissionRow
from ledger.database.session import Database, DatabaseLocked, DiskFull, open_database
from ledger.learners import Identities

ROWS = 700


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """700 rows of 300 people, every 50th without a number, a total at the end."""
    lines = [COURSE_HEADER]
    for n in range(ROWS):
        number = "" if n % 50 == 49 else f"SM24-{n % 300}"
        lines.append(course(회원번호=number, 수강번호=f"E{n}", 강좌번호=f"R{n}"))
    lines.append(f"합계,,,,,,,,,,,{20 * ROWS}")
    path = tmp_path / "courses.csv"
    path.write_text("\n".join(lines), "utf-8")
    return path


def check(database: Database) -> None:
    with database.reading() as session:
        count = lambda table: session.scalar(select(func.count()).select_from(table))  # noqa: E731
        assert count(LearningRecord) == ROWS - 14
        assert count(SubmissionRow) == ROWS
        assert count(Learner) == 294
        [submission] = session.scalars(select(Submission)).all()
        assert (submission.state, submission.rows, submission.rejected) == ("done", ROWS, 14)
        assert submission.summary["totals"] == [
            {"row": ROWS + 2, "stated": 1200 * ROWS, "counted": 1200 * (ROWS)}
        ]
        rows = session.scalars(select(LearningRecord.submission_row)).all()
        assert len(set(rows)) == len(rows)


def die_ingesting(url: str, path: Path, where: str, when: int) -> None:
    """Runs in a child process: takes the file in and is killed on the way."""
    left = [when]

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return wrapper

    ingestion.CHUNK_ROWS = 100
    if where == "before-commit":
        storing.Storer.store = dying(storing.Storer.store)  # type: ignore[method-assign]
    elif where == "within":
        storing.Storer._records = dying(storing.Storer._records)  # type: ignore[method-assign]
    else:
        ingestion._Run._tell = dying(ingestion._Run._tell)  # type: ignore[method-assign]
    keys = Identities(b"c" * 32, b"n" * 32)
    ingest(open_database(url), keys, path, institution=UNIVERSITY, now=NOW)


@pytest.mark.parametrize(
    ("where", "when"),
    [("within", 1), ("before-commit", 3), ("after-commit", 1), ("after-commit", 6)],
)
def test_killed_at_any_point_the_next_run_completes(
    register: Database, identities: Identities, file: Path, where: str, when: int
) -> None:
    url = register.engine.url.render_as_string(hide_password=False)
    # Forked: the child has everything imported and shares no connection, its engine is new.
    child = multiprocessing.get_context("fork").Process(
        target=die_ingesting, args=(url, file, where, when)
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    with register.reading() as session:
        done = session.scalar(select(func.count()).select_from(SubmissionRow))
    assert done == 100 * (when if where == "after-commit" else when - 1)
    report = ingest(register, identities, file, institution=UNIVERSITY, now=NOW)
    assert report.resumed == (done > 0)
    assert not report.repeated
    assert report.rows == ROWS
    check(register)
    assert ingest(register, identities, file, institution=UNIVERSITY, now=NOW).repeated


def test_a_half_read_file_can_be_rehearsed(
    register: Database, identities: Identities, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "CHUNK_ROWS", 100)

    class Stop(Exception):
        pass

    def stop(done: int, _total: int | None) -> None:
        if done >= 300:
            raise Stop

    with pytest.raises(Stop):
        ingest(register, identities, file, institution=UNIVERSITY, now=NOW, progress=stop)
    rehearsal = ingest(register, identities, file, institution=UNIVERSITY, now=NOW, dry_run=True)
    assert (rehearsal.rows, rehearsal.rejected) == (ROWS, 14)
    ingest(register, identities, file, institution=UNIVERSITY, now=NOW)
    check(register)


def test_a_full_disk_stops_at_a_chunk_and_goes_on_when_there_is_room(
    tmp_path: Path,
    migrated_with_register: Path,
    identities: Identities,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ingestion, "CHUNK_ROWS", 100)
    database = open_database(f"sqlite:///{migrated_with_register}")
    with database.session() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count = {pages + 40}"))
    with pytest.raises(DiskFull) as caught:
        ingest(database, identities, file, institution=UNIVERSITY, now=NOW)
    assert caught.value.remedy is not None
    with database.reading() as session:
        done = session.scalar(select(func.count()).select_from(SubmissionRow))
        assert done is not None
        assert done % 100 == 0
        assert 0 < done < ROWS
    database.close()  # the limit was the connection's
    database = open_database(f"sqlite:///{migrated_with_register}")
    assert ingest(database, identities, file, institution=UNIVERSITY, now=NOW).resumed
    check(database)
    database.close()


def test_a_locked_database_stores_nothing_and_the_next_run_works(
    migrated_with_register: Path, identities: Identities, file: Path
) -> None:
    database = open_database(f"sqlite:///{migrated_with_register}", wait_seconds=0.05)
    other = sqlite3.connect(migrated_with_register, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseLocked):
        ingest(database, identities, file, institution=UNIVERSITY, now=NOW)
    other.execute("ROLLBACK")
    other.close()
    ingest(database, identities, file, institution=UNIVERSITY, now=NOW)
    check(database)
    database.close()


@pytest.fixture
def migrated_with_register(tmp_path: Path, migrated_sqlite: Path) -> Path:
    """A SQLite file with tables and institutions."""
    path = tmp_path / "full.db"
    shutil.copy(migrated_sqlite, path)
    database = open_database(f"sqlite:///{path}")
    with database.session() as session:
        entries = institutions.read_register(SAMPLE / "institutions.yaml")
        institutions.register(session, entries, NOW)
    database.close()
    return path


def test_two_intakes_of_different_files_at_once_share_their_people(
    register: Database, identities: Identities, file: Path, tmp_path: Path
) -> None:
    """The second enrols the same people between the first one's chunks."""
    other = tmp_path / "other.csv"
    other.write_text(
        file.read_text("utf-8").replace("2025-04-07", "2025-04-08").replace(",E", ",F"), "utf-8"
    )
    done = []

    def meanwhile(_rows: int, _total: int | None) -> None:
        if not done:
            done.append(ingest(register, identities, other, institution=UNIVERSITY, now=NOW))

    report = ingest(register, identities, file, institution=UNIVERSITY, now=NOW, progress=meanwhile)
    assert report.accepted == done[0].accepted == ROWS - 14
    with register.reading() as session:
        assert session.scalar(select(func.count()).select_from(Learner)) == 294


def test_two_runs_on_one_file_do_not_both_store_a_chunk(
    register: Database, identities: Identities, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "CHUNK_ROWS", 100)
    inside: list[SubmissionReport] = []

    def meanwhile(_rows: int, _total: int | None) -> None:
        if not inside:
            inside.append(ingest(register, identities, file, institution=UNIVERSITY, now=NOW))

    with pytest.raises(SubmissionBusy):
        ingest(register, identities, file, institution=UNIVERSITY, now=NOW, progress=meanwhile)
    assert inside[0].resumed
    check(register)
