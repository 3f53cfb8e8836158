"""``baeum audit`` finds each kind of damage, says what to do about it, and exits 1."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from population import IDENTITIES, NOW, PUBLIC_URL, keystore, learners, record, records
from population import found as found_institutions
from sqlalchemy import create_engine, delete, select, update
from sqlalchemy.orm import Session
from town import REGISTRAR, Template, Town, drive

from issuer.batches import seal
from issuer.issuance import issue
from issuer.place import AnchorPlace
from issuer.status import publish, reinstate, revoke, suspend
from ledger.chain.gateway import Gateway
from ledger.database.models import Batch, ChainTransaction, Credential, StatusList
from ledger.database.session import open_database
from ledger.reconciliation import Reconciliation, reconcile

RECORDS = 300  # more than one tile of 256 leaves


@pytest.fixture(scope="module")
def finished(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A town with two batches that are final, and statuses that changed."""
    folder = tmp_path_factory.mktemp("finished")
    shutil.copytree(template.folder / "chain", folder / "chain")
    database = open_database(f"sqlite:///{folder / 'db'}")
    database.migrate()
    keys = keystore(folder)
    found_institutions(database, keys)
    learners(database, 50)
    records(database, [record(number) for number in range(RECORDS)])
    done = Template(folder, template.office, template.sender, template.network)
    place = AnchorPlace(template.network.chain_id, template.network.anchor, REGISTRAR)
    for limit in (20, None):
        issue(
            database,
            keys,
            place=place,
            public_url=PUBLIC_URL,
            now=NOW,
            identities=IDENTITIES,
            workers=1,
            limit=limit,
        )
        seal(database, NOW)
    with database.reading() as session:
        ids = list(session.scalars(select(Credential.id).order_by(Credential.id).limit(4)))
    revoke(database, ids[:1], "잘못 발급", NOW)
    suspend(database, ids[:3], "확인 중", NOW)
    reinstate(database, ids[2:3], "확인함", NOW)
    suspend(database, ids[3:4], "확인 중", NOW)
    revoke(database, ids[3:4], "잘못 발급", NOW)
    publish(database, keys, folder / "public", PUBLIC_URL, NOW)
    database.close()
    town = Town(folder, done)
    drive(town.anchorer())
    town.close()
    return done


@pytest.fixture
def town(finished: Template, tmp_path: Path) -> Iterator[Town]:
    shutil.copytree(finished.folder, tmp_path / "town")
    town = Town(tmp_path / "town", finished)
    yield town
    town.close()


def audit(town: Town, gateway: Any = None) -> Reconciliation:
    return reconcile(town.database, gateway or town.gateway(), now=NOW)


def damage(town: Town, *statements: Any) -> None:
    """What somebody with the database's password could do, foreign keys or not."""
    bare = create_engine(town.database.engine.url)  # SQLite checks no foreign keys of itself
    with bare.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    bare.dispose()


def assert_found(town: Town, *codes: str) -> Reconciliation:
    outcome = audit(town)
    found = {difference.code for difference in outcome.differences}
    assert set(codes) <= found, outcome.to_json()
    assert outcome.exit_code == 1
    for difference in outcome.differences:
        assert difference.detail.ko
        assert difference.detail.en
        assert difference.remedy.ko
        assert difference.remedy.en
    json.dumps(outcome.to_json())
    return outcome


def one(town: Town, index: int = 7) -> str:
    with town.database.reading() as session:
        return session.scalars(
            select(Credential.id).where(
                Credential.leaf_index == index, Credential.batch_id == second(session)
            )
        ).one()


def second(session: Session) -> int:
    return session.scalars(select(Batch.id).order_by(Batch.id.desc()).limit(1)).one()


def test_nothing_is_found_where_nothing_is_wrong(town: Town) -> None:
    outcome = audit(town)
    assert outcome.exit_code == 0, outcome.to_json()
    assert (outcome.batches, outcome.credentials) == (2, RECORDS)


def test_altered_row_document(town: Town) -> None:
    victim = one(town)
    with town.database.reading() as session:
        document = session.get_one(Credential, victim).document
    forged = document.replace("스마트폰".encode(), "인공지능".encode())
    assert forged != document
    damage(town, update(Credential).where(Credential.id == victim).values(document=forged))
    outcome = assert_found(town, "document-altered")
    assert [d.credential_id for d in outcome.differences] == [victim]


def test_altered_row_document_that_is_no_json(town: Town) -> None:
    damage(town, update(Credential).where(Credential.id == one(town)).values(document=b"\xff{"))
    assert_found(town, "document-altered")


def test_altered_row_institution(town: Town) -> None:
    other = "geumcheon-digital-centre"
    damage(town, update(Credential).where(Credential.id == one(town)).values(institution_id=other))
    assert_found(town, "document-altered")


def test_altered_row_document_and_leaf_together(town: Town) -> None:
    """Somebody who knows the format recomputes the leaf too: then the root gives it away."""
    from hashlib import sha256

    import orjson

    from credential import jcs, receipt
    from ledger.chain.names import institution_id

    victim = one(town)
    with town.database.reading() as session:
        row = session.get_one(Credential, victim)
        document = orjson.loads(row.document)
        document["validFrom"] = "2020-01-01T00:00:00Z"
        place = receipt.place(
            chain_id=town.network.chain_id,
            contract=bytes.fromhex(town.network.anchor[2:]),
            institution=institution_id(row.institution_id),
        )
    leaf = receipt.leaf_from_digest(sha256(jcs.canonical(document)).digest(), place)
    forged = {"document": orjson.dumps(document), "leaf": leaf}
    damage(town, update(Credential).where(Credential.id == victim).values(**forged))
    assert_found(town, "root-differs", "tiles-differ")


def test_altered_row_leaf(town: Town) -> None:
    damage(town, update(Credential).where(Credential.id == one(town)).values(leaf=b"\1" * 32))
    assert_found(town, "document-altered", "root-differs")


def test_altered_row_two_leaves_swapped(town: Town) -> None:
    one_, other = one(town, 3), one(town, 4)
    damage(
        town,
        update(Credential).where(Credential.id == one_).values(leaf_index=100_000),
        update(Credential).where(Credential.id == other).values(leaf_index=3),
        update(Credential).where(Credential.id == one_).values(leaf_index=4),
    )
    assert_found(town, "root-differs")


def test_altered_row_root_of_a_batch(town: Town) -> None:
    damage(town, update(Batch).where(Batch.id == 1).values(root=b"\2" * 32))
    assert_found(town, "root-differs", "anchor-missing", "anchor-foreign")


def test_altered_row_inner_hashes_of_a_batch(town: Town) -> None:
    damage(town, update(Batch).where(Batch.id == 1).values(subtree_roots=b"\2" * 32))
    assert_found(town, "tiles-differ")


def test_altered_row_batch_opened_again(town: Town) -> None:
    damage(town, update(Batch).where(Batch.id == 1).values(state="open"))
    assert_found(town, "batch-altered")


@pytest.mark.parametrize("index", [0, 7, 279])
def test_missing_row(town: Town, index: int) -> None:
    damage(town, delete(Credential).where(Credential.id == one(town, index)))
    outcome = assert_found(town, "leaf-missing", "root-differs")
    assert outcome.credentials == RECORDS - 1


def test_missing_row_batch(town: Town) -> None:
    damage(
        town,
        delete(ChainTransaction).where(ChainTransaction.batch_id == 1),
        delete(Credential).where(Credential.batch_id == 1),
        delete(Batch).where(Batch.id == 1),
    )
    assert_found(town, "anchor-foreign")


def extra(town: Town, **changes: Any) -> None:
    with town.database.reading() as session:
        row = session.get_one(Credential, one(town))
        values = {c.name: getattr(row, c.name) for c in Credential.__table__.columns}
    values |= {"id": "urn:uuid:extra", "record_id": "rec_extra", "status_index": 5} | changes
    damage(town, Credential.__table__.insert().values(**values))  # type: ignore[attr-defined]


def test_extra_row_at_the_end(town: Town) -> None:
    extra(town, leaf_index=280)
    assert_found(town, "leaf-extra", "root-differs", "id-altered")


def test_extra_row_before_the_beginning(town: Town) -> None:
    extra(town, leaf_index=-1)
    assert_found(town, "leaf-extra", "root-differs")


def test_extra_row_in_no_batch(town: Town) -> None:
    extra(town, batch_id=None, leaf_index=None)
    assert_found(town, "credential-without-batch")


def test_extra_row_in_a_batch_that_does_not_exist(town: Town) -> None:
    extra(town, batch_id=99, leaf_index=0)
    assert_found(town, "credential-without-batch")


RECEIPT: dict[str, Any] = {
    "block_number": 1,
    "block_hash": "0x" + "ab" * 32,
    "block_time": NOW,
    "gas_used": 1,
    "sequence": 77,
    "head": "0x" + "cd" * 32,
    "hash": "0x" + "ef" * 32,
}


@pytest.mark.parametrize("column", RECEIPT)
def test_altered_receipt(town: Town, column: str) -> None:
    change = {column: RECEIPT[column]}
    damage(town, update(ChainTransaction).where(ChainTransaction.batch_id == 1).values(**change))
    outcome = assert_found(town, "receipt-differs")
    assert {d.batch_id for d in outcome.differences} == {1}


def test_altered_receipt_removed(town: Town) -> None:
    damage(town, delete(ChainTransaction).where(ChainTransaction.batch_id == 1))
    assert_found(town, "receipt-missing")


def send(town: Town, root: bytes) -> None:
    gateway = town.gateway()
    nonce = gateway.nonce(gateway.address)
    gateway.send(gateway.sign_anchor(root, nonce, gateway.suggest_fees()).raw)


def test_foreign_anchor(town: Town) -> None:
    """Somebody with the registrar's key anchored what is not in this database."""
    send(town, b"\7" * 32)
    assert_found(town, "anchor-foreign")


def test_foreign_anchor_of_a_root_of_ours(town: Town) -> None:
    """The contract refuses it within six anchors; later it is harmless, and shows."""
    with town.database.reading() as session:
        root = session.get_one(Batch, 1).root
    assert root is not None
    for n in range(6):
        send(town, bytes([200 + n]) * 32)
    send(town, root)
    assert_found(town, "anchored-twice", "anchor-foreign")


class Omitting(Gateway):
    """A node that leaves something out of its answers."""

    keep: Callable[[int], bool] = staticmethod(lambda sequence: True)

    def anchors(self, first_block: int) -> Any:
        return [e for e in super().anchors(first_block) if self.keep(e.sequence)]


@pytest.mark.parametrize(("missing", "code"), [(1, "sequence-broken"), (2, "sequence-gap")])
def test_gap_in_the_sequence(town: Town, missing: int, code: str) -> None:
    gateway = Omitting(town.chain, town.network, town.template.sender)
    gateway.keep = lambda sequence: sequence != missing  # type: ignore[method-assign]
    outcome = audit(town, gateway)
    assert outcome.exit_code == 1
    assert code in {d.code for d in outcome.differences}


def test_altered_row_status_bit(town: Town) -> None:
    with town.database.reading() as session:
        shard = session.scalars(select(StatusList).limit(1)).one()
    for column in ("revoked", "suspended"):
        bits = bytearray(getattr(shard, column))
        bits[0] ^= 0x80
        damage(town, update(StatusList).where(StatusList.id == shard.id).values({column: bits}))
        assert_found(town, "status-differs")


def test_altered_row_revocation_taken_back(town: Town) -> None:
    damage(town, update(StatusList).values(revoked=bytes(131_072 // 8)))
    assert_found(town, "status-differs")


def test_altered_row_index_marked_free(town: Town) -> None:
    damage(town, update(StatusList).values(allocated=bytes(131_072 // 8)))
    assert_found(town, "status-index-free")


def test_chain_out_of_reach_is_not_a_difference(town: Town) -> None:
    from ledger.chain.endpoint import HttpEndpoint

    dead = Gateway(
        HttpEndpoint("http://127.0.0.1:9", timeout=1), town.network, town.template.sender
    )
    outcome = audit(town, dead)
    assert outcome.exit_code == 2
    assert outcome.differences == ()
    assert len(outcome.not_run) == 1


@pytest.mark.soak
def test_a_hundred_thousand_credentials(
    template: Template, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """How long it takes and what it holds; ``BAEUM_AUDIT_CREDENTIALS`` changes how many."""
    import resource
    import time

    count = int(os.environ.get("BAEUM_AUDIT_CREDENTIALS", "100000"))
    shutil.copytree(template.folder / "chain", tmp_path / "chain")
    database = open_database(f"sqlite:///{tmp_path / 'db'}")
    database.migrate()
    keys = keystore(tmp_path)
    found_institutions(database, keys)
    learners(database, 50)
    records(database, [record(number) for number in range(count)])
    place = AnchorPlace(template.network.chain_id, template.network.anchor, REGISTRAR)
    issue(database, keys, place=place, public_url=PUBLIC_URL, now=NOW, identities=IDENTITIES)
    seal(database, NOW)
    database.close()
    town = Town(tmp_path, template)
    drive(town.anchorer())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    outcome = audit(town)
    seconds = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert outcome.exit_code == 0
    assert outcome.credentials == count
    assert grown < 200_000, f"{grown} KiB more"
    town.close()
    with capsys.disabled():
        print(f"\n{count} credentials audited in {seconds:.1f} s, {grown / 1024:.0f} MiB more")
