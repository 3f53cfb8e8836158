"""Issuing: every verified record once, whatever happens on the way; the rest with a reason."""

from __future__ import annotations

import itertools
import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import population
import pytest
from population import CENTRE, IDENTITIES, NOW, PLACE, PUBLIC_URL, UNIVERSITY, populate, record
from sqlalchemy import func, select, text

from credential import integrity, jcs, model, receipt
from credential.merkle import Tree
from credential.multikey import decode
from issuer import batches, issuance, ready_records, shards, signing
from issuer.issuance import IssueReport, PublicUrlInvalid, WorkersDied, issue
from issuer.issuers import DidTaken, give_key
from issuer.keys import Keystore
from issuer.keys.keyfile import WrongPassphrase
from ledger.database.models import (
    Accreditation,
    Batch,
    Credential,
    Institution,
    Learner,
    LearningRecord,
    StatusList,
)
from ledger.database.session import Database, open_database


def run(database: Database, keys: Keystore, **options: Any) -> IssueReport:
    arguments: dict[str, Any] = {
        "place": PLACE,
        "public_url": PUBLIC_URL,
        "now": NOW,
        "identities": IDENTITIES,
        "workers": 1,
        "chunk": 7,
    }
    return issue(database, keys, **(arguments | options))


def credentials(database: Database) -> list[Credential]:
    with database.reading() as session:
        return list(session.scalars(select(Credential).order_by(Credential.leaf_index)))


def documents(database: Database) -> list[dict[str, Any]]:
    return [orjson.loads(credential.document) for credential in credentials(database)]


def test_every_record_gets_one_credential_that_verifies(database: Database, tmp_path: Path) -> None:
    keys = populate(database, tmp_path, 40)
    report = run(database, keys)
    assert (report.considered, report.issued, report.left_out) == (40, 40, ())
    with database.reading() as session:
        rows = session.execute(select(Credential, LearningRecord).join(LearningRecord)).all()
        dids = {i.id: i.did for i in session.scalars(select(Institution))}
    assert len(rows) == 40
    for credential, source in rows:
        document = orjson.loads(credential.document)
        did = dids[credential.institution_id]
        assert document["issuer"]["id"] == did
        key = decode(did.removeprefix("did:key:"))
        integrity.verify(document, document["proof"], key)
        assert model.check(document) == []
        assert document["id"] == credential.id
        subject = document["credentialSubject"]
        assert subject["creditsEarned"] == source.minutes / 60
        assert subject["result"][0]["value"] == str(source.minutes)
        assert document["validFrom"] == "2026-11-23T03:04:05Z"
        assert document["awardedDate"] == subject["activityEndDate"]
        leaf = receipt.leaf_from_digest(
            receipt.sha256(receipt.jcs.canonical(document)).digest(),
            PLACE.of(credential.institution_id),
        )
        assert leaf == credential.leaf
        assert ("identifier" in subject) == (int(source.learner_id[4:]) % 2 == 0)


def test_a_second_run_has_nothing_to_do(database: Database, tmp_path: Path) -> None:
    keys = populate(database, tmp_path, 10)
    run(database, keys)
    before = [(c.id, c.document) for c in credentials(database)]
    report = run(database, keys)
    assert (report.considered, report.issued) == (0, 0)
    assert [(c.id, c.document) for c in credentials(database)] == before


def test_a_run_stopped_between_chunks_continues(database: Database, tmp_path: Path) -> None:
    keys = populate(database, tmp_path, 30)

    def stop(done: int, total: int) -> None:
        if done >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(database, keys, progress=stop)
    assert 0 < len(credentials(database)) < 30
    report = run(database, keys)
    assert report.issued + 14 >= 30
    assert len({c.record_id for c in credentials(database)}) == 30


def test_a_page_is_read_from_the_index_however_many_records_there_are(
    migrated_sqlite: Path,
) -> None:
    database = open_database(f"sqlite:///{migrated_sqlite}")
    query = ready_records._page(UNIVERSITY, "key-00000001", 100)
    sql = str(query.compile(database.engine, compile_kwargs={"literal_binds": True}))
    with database.reading() as session:
        plan = [row[3] for row in session.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]
    assert "ix_record_live (institution_id=? AND source_key>?)" in plan[0]
    assert not [step for step in plan if "SCAN" in step or "TEMP B-TREE" in step]
    database.close()


def test_a_limit_is_kept_and_progress_ends_at_the_total(database: Database, tmp_path: Path) -> None:
    keys = populate(database, tmp_path, 30)
    seen: list[tuple[int, int]] = []
    report = run(database, keys, limit=12, progress=lambda *args: seen.append(args))
    assert (report.considered, report.issued) == (12, 12)
    assert seen[-1] == (12, 12)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_workers_issue_what_one_process_issues(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "test.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = open_database(f"sqlite:///{path}")
    keys = populate(database, tmp_path, 25)
    monkeypatch.setattr(issuance, "_ALONE", 0)
    report = run(database, keys, workers=2)
    assert report.issued == 25
    dids = {UNIVERSITY: keys.did(UNIVERSITY), CENTRE: keys.did(CENTRE)}
    for credential, document in zip(credentials(database), documents(database), strict=True):
        key = decode(dids[credential.institution_id].removeprefix("did:key:"))
        integrity.verify(document, document["proof"], key)
    database.close()


def test_a_worker_that_dies_is_one_clear_error(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "test.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = open_database(f"sqlite:///{path}")
    keys = populate(database, tmp_path, 25)
    monkeypatch.setattr(issuance, "_ALONE", 0)
    monkeypatch.setattr(signing, "_sign_in_worker", _die)
    with pytest.raises(WorkersDied):
        run(database, keys, workers=2)
    monkeypatch.undo()
    assert run(database, keys).issued == 25
    database.close()


def _die(_job: object) -> None:
    os._exit(9)


def test_two_runs_at_once_do_not_issue_twice(database: Database, tmp_path: Path) -> None:
    keys = populate(database, tmp_path, 30)
    inner: list[IssueReport] = []

    def another(done: int, total: int) -> None:
        if not inner:
            inner.append(run(database, keys))

    outer = run(database, keys, progress=another)
    stored = credentials(database)
    assert len(stored) == len({c.record_id for c in stored}) == 30
    assert outer.issued + inner[0].issued == 30
    assert outer.already > 0
    with database.reading() as session:
        for shard in session.scalars(select(StatusList)):
            mine = [c.status_index for c in stored if c.status_list_id == shard.id]
            assert shard.used == len(mine) == sum(b.bit_count() for b in shard.allocated)


def test_a_record_superseded_while_it_was_signed_is_not_stored(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = populate(database, tmp_path, 4)
    reserve = shards.reserve

    def supersede(*args: Any) -> Any:
        session = args[0]
        session.get_one(LearningRecord, record(0)["id"]).status = "superseded"
        return reserve(*args)

    monkeypatch.setattr(shards, "reserve", supersede)
    report = run(database, keys)
    assert report.issued == 3
    assert record(0)["id"] not in {c.record_id for c in credentials(database)}


def test_leaves_are_placed_without_gaps_and_full_batches_are_sealed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_LEAVES", 16)
    keys = populate(database, tmp_path, 40)
    report = run(database, keys)
    assert len(report.batches) == 3
    with database.reading() as session:
        found = list(session.scalars(select(Batch).order_by(Batch.id)))
        assert [(b.state, b.size) for b in found] == [("sealed", 16), ("sealed", 16), ("open", 8)]
        for batch in found:
            rows = session.execute(
                select(Credential.leaf_index, Credential.leaf)
                .where(Credential.batch_id == batch.id)
                .order_by(Credential.leaf_index)
            ).all()
            assert [index for index, _ in rows] == list(range(batch.size))
            if batch.root is not None:
                assert batch.root == Tree(leaf for _, leaf in rows).commitment


def test_every_proof_has_its_own_128_bits_of_salt(database: Database, tmp_path: Path) -> None:
    keys = populate(database, tmp_path, 12)
    run(database, keys)
    nonces = [document["proof"]["nonce"] for document in documents(database)]
    assert len(set(nonces)) == 12
    assert all(len(nonce) == 22 for nonce in nonces)


def test_status_indices_are_unique_random_and_in_the_shard(
    database: Database, tmp_path: Path
) -> None:
    keys = populate(database, tmp_path, 40)
    run(database, keys)
    by_list: dict[str, list[int]] = {}
    for credential, document in zip(credentials(database), documents(database), strict=True):
        entries = document["credentialStatus"]
        assert [e["statusPurpose"] for e in entries] == ["revocation", "suspension"]
        assert {e["statusListIndex"] for e in entries} == {str(credential.status_index)}
        assert entries[0]["statusListCredential"] == (
            f"{PUBLIC_URL}/status/{credential.status_list_id}/revocation"
        )
        by_list.setdefault(credential.status_list_id, []).append(credential.status_index)
    assert len(by_list) == 2
    for indices in by_list.values():
        assert len(set(indices)) == 20
        assert all(0 <= index < shards.SHARD_BITS for index in indices)
        steps = {b - a for a, b in itertools.pairwise(sorted(indices))}
        assert len(steps) > 10  # in order they would all be one


def test_a_half_full_shard_is_followed_by_a_new_one(database: Database, tmp_path: Path) -> None:
    populate(database, tmp_path, 0)
    with database.session() as session:
        first, _ = shards.reserve(session, UNIVERSITY, 40_000)
        second, indices = shards.reserve(session, UNIVERSITY, 30_000)
        third, more = shards.reserve(session, UNIVERSITY, 10_000)
    assert first != second
    assert third == first
    assert len(set(indices)) == 30_000
    with database.session() as session:
        shards.release(session, third, more[:5000])
    with database.reading() as session:
        shard = session.get_one(StatusList, first)
        assert shard.used == 45_000 == sum(byte.bit_count() for byte in shard.allocated)


def test_a_holder_s_did_is_the_subject_else_a_pseudonym(database: Database, tmp_path: Path) -> None:
    keys = populate(database, tmp_path, 4)
    did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
    with database.session() as session:
        session.get_one(Learner, "lrn_0001").holder_did = did
    run(database, keys)
    found = {c.learner_id: orjson.loads(c.document) for c in credentials(database)}
    assert found["lrn_0001"]["credentialSubject"]["id"] == did
    other = found["lrn_0002"]["credentialSubject"]["id"]
    assert other == keys.signer(UNIVERSITY).pseudonym("lrn_0002")
    assert not any(b"lrn_" in c.document for c in credentials(database))


# --- left out, with a reason ----------------------------------------------------------------------


def reasons(report: IssueReport) -> dict[str, int]:
    counts: dict[str, int] = {}
    for entry in report.left_out:
        counts[entry.reason.code] = counts.get(entry.reason.code, 0) + entry.count
        assert entry.reason.text.ko
        assert entry.reason.remedy.en
        assert entry.examples
    return counts


def test_not_accredited_for_this_kind_at_that_date(database: Database, tmp_path: Path) -> None:
    keys = populate(database, tmp_path, 0)
    old = datetime(2019, 5, 1, tzinfo=UTC)
    population.records(
        database,
        [
            record(0, kind="course", started_at=old, ended_at=old),
            record(1, kind="volunteering"),
            record(2, kind="project"),
        ],
    )
    with database.session() as session:
        scope = session.scalars(
            select(Accreditation).where(
                Accreditation.institution_id == UNIVERSITY, Accreditation.kind == "project"
            )
        ).one()
        scope.valid_to = datetime(2026, 6, 1, tzinfo=UTC)
    report = run(database, keys)
    assert report.issued == 1
    assert reasons(report) == {"not-accredited": 1, "accreditation-ended": 1}
    assert report.to_json()["leftOut"][0]["records"] == [record(2)["id"]]


def test_an_institution_without_its_key_is_left_out_and_the_others_go_on(
    database: Database, tmp_path: Path
) -> None:
    keys = populate(database, tmp_path, 10)
    (tmp_path / "keys" / f"{CENTRE}.key").unlink()
    report = run(database, population.keystore(tmp_path))
    assert report.issued == 5
    assert reasons(report) == {"key-missing": 5}
    assert keys.has(UNIVERSITY)


def test_a_key_that_is_not_the_registered_did_s_signs_nothing(
    database: Database, tmp_path: Path
) -> None:
    populate(database, tmp_path, 10)
    (tmp_path / "keys" / f"{CENTRE}.key").unlink()
    keys = population.keystore(tmp_path)
    keys.create(CENTRE)
    assert reasons(run(database, keys)) == {"did-differs": 5}
    with pytest.raises(DidTaken):
        give_key(database, keys, CENTRE)


def test_a_wrong_passphrase_stops_the_run(database: Database, tmp_path: Path) -> None:
    populate(database, tmp_path, 2)
    with pytest.raises(WrongPassphrase):
        run(database, Keystore(tmp_path / "keys", "another", work=population.CHEAP))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title_ko": "특강 900101-1234567"}, "lint-no-resident-number"),
        ({"title_ko": "특강 9001011234567"}, "lint-no-resident-number"),
        ({"code": "010-1234-5678"}, "lint-no-contact-data"),
        ({"title_ko": "문의 someone@example.com"}, "lint-no-contact-data"),
        ({"title_ko": "\u1100\u1161\u11a8"}, "lint-nfc"),
        ({"title_ko": "강의\u202e"}, "lint-plain-text"),
        ({"title_ko": " "}, "lint-plain-text"),
        ({"ended_at": datetime(2027, 1, 1, tzinfo=UTC)}, "lint-not-in-the-future"),
        ({"minutes": 0}, "lint-not-in-the-future"),
        ({"kind": "unheard-of"}, "template-missing"),
    ],
)
def test_one_violating_record_is_reported_and_never_stops_the_run(
    migrated_sqlite: Path, tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    path = tmp_path / "test.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = open_database(f"sqlite:///{path}")
    keys = populate(database, tmp_path, 0)
    population.records(database, [record(0), record(1, **changes), record(2)])
    report = run(database, keys)
    assert (report.considered, report.issued) == (3, 2)
    assert reasons(report) == {code: 1}
    with database.reading() as session:
        shard = session.scalars(select(StatusList)).one()
        assert shard.used == 2  # what was reserved for it was given back
        assert session.scalar(select(func.count()).select_from(Credential)) == 2
    database.close()


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "https://", "https://x/", "https://x/?a", "https://x y", "baeum"]
)
def test_a_wrong_public_address_signs_nothing(database: Database, tmp_path: Path, url: str) -> None:
    with pytest.raises(PublicUrlInvalid):
        run(database, population.keystore(tmp_path), public_url=url)


@pytest.mark.parametrize("suites", [(integrity.JCS,), (integrity.RDFC, integrity.JCS)])
def test_other_suites_and_proof_sets_when_asked_for(
    database: Database, tmp_path: Path, suites: tuple[str, ...]
) -> None:
    """Every proof verifies alone, and the leaf commits to the credential with all of them."""
    keys = populate(database, tmp_path, 6)
    assert run(database, keys, cryptosuites=suites).issued == 6
    with database.reading() as session:
        found = list(session.scalars(select(Credential)))
    for credential in found:
        document = orjson.loads(credential.document)
        proofs = integrity.proofs(document)
        assert tuple(proof["cryptosuite"] for proof in proofs) == suites
        key = decode(keys.did(credential.institution_id).removeprefix("did:key:"))
        for proof in proofs:
            integrity.verify(document, proof, key)
        digest = sha256(jcs.canonical(document)).digest()
        place = PLACE.of(credential.institution_id)
        assert credential.leaf == receipt.leaf_from_digest(digest, place)
