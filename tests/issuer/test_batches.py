"""Batches: one root, paths from one tile, receipts only for what is in a block."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from population import IDENTITIES, NOW, PLACE, PUBLIC_URL, populate
from sqlalchemy import select, update

from credential import evidence as evidence_files
from credential import merkle
from issuer import batches
from issuer.batches import BatchDamaged, CredentialUnknown, evidence_for, receipt_for, seal
from issuer.evidence import export_evidence, file_name
from issuer.issuance import issue
from issuer.place import PlaceInvalid
from ledger.chain.names import institution_id
from ledger.database.models import Batch, ChainTransaction, Credential
from ledger.database.session import Database


def issued(database: Database, tmp_path: Path, count: int) -> list[str]:
    keys = populate(database, tmp_path, count)
    issue(
        database,
        keys,
        place=PLACE,
        public_url=PUBLIC_URL,
        now=NOW,
        identities=IDENTITIES,
        workers=1,
    )
    with database.reading() as session:
        return list(session.scalars(select(Credential.id).order_by(Credential.leaf_index)))


def mine(
    database: Database, batch_id: int, *, failure: str | None = None, state: str = "final"
) -> None:
    """What the outbox writes down when the anchoring transaction is in a block."""
    with database.session() as session:
        session.get_one(Batch, batch_id).state = state if failure is None else "sealed"
        session.add(
            ChainTransaction(
                batch_id=batch_id,
                chain_id=PLACE.chain_id,
                sender="0x" + "ab" * 20,
                nonce=1,
                hash="0x" + ("11" if failure is None else "99") * 32,
                raw=b"raw",
                max_fee_per_gas=1,
                max_priority_fee_per_gas=1,
                signed_at=NOW,
                block_number=42,
                block_hash="0x" + "22" * 32,
                block_time=NOW,
                gas_used=22_280,
                sequence=7,
                head="0x" + "33" * 32,
                failure=failure,
            )
        )


def test_a_sealed_batch_has_the_root_and_paths_of_its_leaves(
    database: Database, tmp_path: Path
) -> None:
    ids = issued(database, tmp_path, 600)
    batch = seal(database, NOW)
    assert batch is not None
    assert (batch.state, batch.size, batch.sealed_at) == ("sealed", 600, NOW)
    assert batch.subtree_roots is not None
    assert len(batch.subtree_roots) == 3 * 32
    with database.reading() as session:
        leaves = list(session.scalars(select(Credential.leaf).order_by(Credential.leaf_index)))
        tree = merkle.Tree(leaves)
        assert batch.root == tree.commitment
        for index in (0, 255, 256, 511, 512, 599):
            assert batches.path_for(session, ids[index]) == tree.path(index)


def test_nothing_to_seal_is_none_and_sealing_is_once(database: Database, tmp_path: Path) -> None:
    assert seal(database, NOW) is None
    issued(database, tmp_path, 5)
    assert seal(database, NOW) is not None
    assert seal(database, NOW) is None


def test_no_receipt_before_the_batch_is_in_a_block(database: Database, tmp_path: Path) -> None:
    first = issued(database, tmp_path, 3)[0]
    with database.reading() as session:
        assert receipt_for(session, first) is None
        assert evidence_for(session, first).receipt is None
    batch = seal(database, NOW)
    assert batch is not None
    mine(database, batch.id, failure="reverted")
    with database.reading() as session:
        assert receipt_for(session, first) is None


def test_no_receipt_while_a_reorganisation_may_still_move_the_block(
    database: Database, tmp_path: Path
) -> None:
    first = issued(database, tmp_path, 3)[0]
    batch = seal(database, NOW)
    assert batch is not None
    mine(database, batch.id, state="mined")
    with database.reading() as session:
        assert receipt_for(session, first) is None


def test_the_receipt_of_a_final_batch_proves_inclusion(database: Database, tmp_path: Path) -> None:
    ids = issued(database, tmp_path, 300)
    batch = seal(database, NOW)
    assert batch is not None
    mine(database, batch.id)
    with database.reading() as session:
        for credential_id in ids[::37]:
            found = evidence_for(session, credential_id)
            receipt = found.receipt
            assert receipt is not None
            receipt.check_inclusion(found.credential)
            assert receipt.root == batch.root
            assert receipt.anchored_by == institution_id(PLACE.anchored_by)
            assert receipt.sequence == 7
            assert receipt.block_time == "2026-11-23T03:04:05Z"
            assert evidence_files.parse(found.to_bytes()) == found
            with pytest.raises(merkle.PathInvalid):
                receipt.check_inclusion({**found.credential, "name": "다른 이름"})


def test_the_receipt_of_another_institution_does_not_prove_inclusion(
    database: Database, tmp_path: Path
) -> None:
    import dataclasses

    first = issued(database, tmp_path, 3)[0]
    batch = seal(database, NOW)
    assert batch is not None
    mine(database, batch.id)
    with database.reading() as session:
        found = evidence_for(session, first)
    assert found.receipt is not None
    for change in (
        {"institution": institution_id("another")},
        {"chain_id": 1},
        {"contract": b"\x01" * 20},
    ):
        with pytest.raises(merkle.PathInvalid):
            dataclasses.replace(found.receipt, **change).check_inclusion(found.credential)


def test_a_leaf_changed_in_the_database_gives_no_receipt(
    database: Database, tmp_path: Path
) -> None:
    ids = issued(database, tmp_path, 3)
    batch = seal(database, NOW)
    assert batch is not None
    mine(database, batch.id)
    with database.session() as session:
        session.execute(update(Credential).where(Credential.id == ids[1]).values(leaf=b"x" * 32))
    with database.reading() as session, pytest.raises(BatchDamaged):
        receipt_for(session, ids[0])


def test_a_batch_with_a_leaf_missing_is_not_sealed(database: Database, tmp_path: Path) -> None:
    issued(database, tmp_path, 3)
    with database.session() as session:
        session.execute(update(Batch).values(size=4))
    with pytest.raises(BatchDamaged):
        seal(database, NOW)
    with database.reading() as session:
        assert session.scalars(select(Batch.state)).one() == "open"


def test_an_unknown_credential_is_named(database: Database) -> None:
    with database.reading() as session, pytest.raises(CredentialUnknown) as caught:
        evidence_for(session, "urn:uuid:nothing")
    assert "urn:uuid:nothing" in caught.value.detail.ko


def test_a_new_batch_begins_after_sealing(database: Database, tmp_path: Path) -> None:
    keys = populate(database, tmp_path, 6)
    for size in (4, 2):
        issue(database, keys, place=PLACE, public_url=PUBLIC_URL, now=NOW, workers=1, limit=4)
        batch = seal(database, NOW)
        assert batch is not None
        assert batch.size == size


def test_evidence_is_exported_whole_and_replaced_when_anchored(
    database: Database, tmp_path: Path
) -> None:
    ids = issued(database, tmp_path, 12)
    folder = tmp_path / "evidence"
    assert export_evidence(database, folder).waiting == 12
    batch = seal(database, NOW)
    assert batch is not None
    mine(database, batch.id)
    report = export_evidence(database, folder, batch_id=batch.id)
    assert (report.anchored, report.waiting) == (12, 0)
    assert sorted(p.name for p in folder.iterdir()) == sorted(file_name(i) for i in ids)
    found = evidence_files.parse((folder / file_name(ids[0])).read_bytes())
    assert found.receipt is not None
    found.receipt.check_inclusion(found.credential)
    learner = export_evidence(database, tmp_path / "one", learner_id="lrn_0001")
    assert learner.anchored == 1
    with pytest.raises(CredentialUnknown):
        export_evidence(database, tmp_path / "none", credential_ids=["urn:uuid:x"])


def test_the_stored_document_is_the_canonical_one(database: Database, tmp_path: Path) -> None:
    from credential import jcs

    issued(database, tmp_path, 5)
    with database.reading() as session:
        for document in session.scalars(select(Credential.document)):
            assert jcs.canonical(orjson.loads(document)) == document


@pytest.mark.parametrize("contract", ["", "0x", "c0" * 20, "0x" + "c0" * 19, "0x" + "zz" * 20])
def test_a_place_without_a_contract_is_refused(contract: str) -> None:
    from issuer.place import AnchorPlace

    with pytest.raises(PlaceInvalid):
        AnchorPlace(1, contract, "registrar")
