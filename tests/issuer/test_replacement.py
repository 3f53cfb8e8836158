"""Update in place: one credential stands for a record, and what it replaced says so."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import population
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from population import NOW, PLACE, PUBLIC_URL, UNIVERSITY, record
from sqlalchemy import select, update
from town import Countdown, FaultyDatabase, Killed

from credential import status
from issuer.issuance import issue
from issuer.keys import Keystore
from issuer.replacement import RecordNotLive, RecordUnknown, renew, retract
from issuer.status import ReasonMissing, revoke, suspend
from ledger.database.models import Credential, LearningRecord, StatusList
from ledger.database.session import open_database
from ledger.status_comparison import compare_statuses


class Books:
    """One institution's records and what became of them."""

    def __init__(self, folder: Path, empty: Path) -> None:
        path = folder / "test.db"
        path.write_bytes(empty.read_bytes())
        self.database = open_database(f"sqlite:///{path}")
        self.keys: Keystore = population.keystore(folder)
        population.found(self.database, self.keys, UNIVERSITY, population.REGISTRAR)
        population.learners(self.database, 3)
        self.count = 0

    def add(self, supersedes: str | None = None) -> str:
        number = self.count
        self.count += 1
        row = record(number, supersedes_id=supersedes, learner_id="lrn_0001")
        with self.database.session() as session:
            if supersedes is not None:
                old = session.get_one(LearningRecord, supersedes)
                row |= {"source_key": old.source_key}
                session.execute(
                    update(LearningRecord)
                    .where(LearningRecord.id == supersedes)
                    .values(status="superseded")
                )
            row["content_sha256"] = hashlib.sha256(str(number).encode()).digest()
            session.add(LearningRecord(**row))
        return str(row["id"])

    def issue(self, database: Any = None, **options: Any) -> None:
        arguments = {"place": PLACE, "public_url": PUBLIC_URL, "now": NOW, "workers": 1, "chunk": 2}
        issue(database or self.database, self.keys, **(arguments | options))

    def all(self) -> tuple[dict[str, LearningRecord], list[Credential], dict[str, StatusList]]:
        with self.database.reading() as session:
            records = {r.id: r for r in session.scalars(select(LearningRecord))}
            credentials = list(session.scalars(select(Credential)))
            lists = {s.id: s for s in session.scalars(select(StatusList))}
        return records, credentials, lists

    def check(self) -> None:
        """What holds at any moment, whatever happened."""
        records, credentials, lists = self.all()
        by_id = {c.id: c for c in credentials}
        standing: dict[str, int] = {}
        for credential in credentials:
            shard = lists[credential.status_list_id]
            revoked = status.bit(shard.revoked, credential.status_index)
            refreshed = shard.refreshed is not None and status.bit(
                shard.refreshed, credential.status_index
            )
            assert refreshed == (credential.replaced_by is not None)
            if credential.replaced_by is not None:
                assert revoked
                assert credential.replaced_by in by_id
            elif not revoked:
                assert records[credential.record_id].status != "retracted"
                root = self.root(records, credential.record_id)
                standing[root] = standing.get(root, 0) + 1
        assert all(count == 1 for count in standing.values()), standing
        with self.database.reading() as session:
            assert list(compare_statuses(session)) == []

    def root(self, records: dict[str, LearningRecord], record_id: str) -> str:
        """The entry of the institution's books: all records that correct it have one root."""
        while (earlier := records[record_id].supersedes_id) is not None:
            record_id = earlier
        return record_id

    def close(self) -> None:
        self.database.close()


@pytest.fixture
def books(tmp_path: Path, migrated_sqlite: Path) -> Any:
    found = Books(tmp_path, migrated_sqlite)
    yield found
    found.close()


def test_a_correction_takes_the_place_of_what_it_corrects(books: Books) -> None:
    first = books.add()
    books.issue()
    second = books.add(first)
    books.check()  # until the new one is stored the old one stands
    books.issue()
    books.check()
    _, credentials, _ = books.all()
    old, new = sorted(credentials, key=lambda c: c.record_id)
    assert (old.record_id, new.record_id) == (first, second)
    assert old.replaced_by == new.id
    assert new.replaced_by is None


def test_a_correction_of_a_correction_that_was_never_issued(books: Books) -> None:
    first = books.add()
    books.issue()
    books.add(books.add(first))
    books.issue()
    books.check()
    assert sorted(c.replaced_by is None for c in books.all()[1]) == [False, True]


def test_a_revoked_credential_is_issued_anew_when_asked(books: Books) -> None:
    books.add()
    books.issue()
    [credential] = books.all()[1]
    revoke(books.database, [credential.id], "wrong name", NOW)
    books.issue()
    assert len(books.all()[1]) == 1  # revoking alone makes no new one
    assert renew(books.database, [credential.id], "name corrected", NOW).due == (credential.id,)
    books.issue()
    books.check()
    assert len(books.all()[1]) == 2
    again = renew(books.database, [credential.id], "once more", NOW)
    assert (again.due, again.not_due) == ((), (credential.id,))


def test_retracting_revokes_and_nothing_follows(books: Books) -> None:
    first = books.add()
    books.issue()
    second = books.add(first)  # not issued yet: the credential of what it supersedes goes too
    report = retract(books.database, second, "did not attend", NOW)
    assert (report.changed, len(report.revoked)) == (True, 1)
    again = retract(books.database, second, "did not attend", NOW)
    assert (again.changed, again.revoked) == (False, ())
    books.issue()
    books.check()
    assert len(books.all()[1]) == 1
    with pytest.raises(RecordNotLive):
        retract(books.database, first, "x", NOW)
    with pytest.raises(RecordUnknown):
        retract(books.database, "rec_nobody", "x", NOW)
    with pytest.raises(ReasonMissing):
        retract(books.database, second, " ", NOW)


STEPS = ("add", "correct", "retract", "revoke", "suspend", "renew", "issue", "killed", "issue")


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(STEPS), st.integers(0, 40), st.integers(0, 40)),
        min_size=4,
        max_size=14,
    )
)
def test_whatever_happens_one_credential_stands_for_an_entry(
    tmp_path_factory: pytest.TempPathFactory,
    migrated_sqlite: Path,
    steps: list[tuple[str, int, int]],
) -> None:
    books = Books(tmp_path_factory.mktemp("books"), migrated_sqlite)
    now = NOW
    try:
        books.add()
        for what, which, when in steps:
            now += timedelta(minutes=1)
            take(books, what, which, when, now)
            books.check()
        books.issue(now=now)
        books.check()
        records, credentials, lists = books.all()
        # and at the end every verified entry has its one, unless somebody revoked it
        for record_id, row in records.items():
            if row.status == "verified":
                own = [c for c in credentials if c.record_id == record_id and c.replaced_by is None]
                assert len(own) == 1
        del lists
    finally:
        books.close()


def take(books: Books, what: str, which: int, when: int, now: Any) -> None:
    records, credentials, _ = books.all()
    live = [r for r in sorted(records) if records[r].status == "verified"]
    ids = sorted(c.id for c in credentials)
    if what == "add":
        books.add()
    elif what == "correct" and live:
        books.add(live[which % len(live)])
    elif what == "retract" and live:
        retract(books.database, live[which % len(live)], "no", now)
    elif what in ("revoke", "suspend", "renew") and ids:
        change = {"revoke": revoke, "suspend": suspend, "renew": renew}[what]
        change(books.database, [ids[which % len(ids)]], "because", now)  # type: ignore[operator]
    elif what == "issue":
        books.issue(now=now)
    elif what == "killed":
        with suppress(Killed):
            books.issue(FaultyDatabase(books.database, Countdown(when)), now=now)
