"""A reorganisation deeper than the confirmations takes batches away that were final already.

Anchoring finds them by itself, sends the same bytes again, and receipts are made anew; a node that
lags behind, or another chain under the same id, is not taken for one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from nodes import NODES, anvil
from place import Between, Place
from population import IDENTITIES, NOW, PUBLIC_URL, populate
from sqlalchemy import delete, select
from town import REGISTRAR, ROOT, Countdown, FaultyDatabase, FaultyEndpoint, Killed, seal_one

from credential.evidence import Evidence
from issuer.batches import evidence_for, seal
from issuer.issuance import issue
from issuer.place import AnchorPlace
from ledger.anchoring import Anchorer, AnchorPolicy, BatchState, Step
from ledger.chain.network import CodeDiffers
from ledger.database.models import Batch, Credential, Institution
from ledger.database.session import open_database
from ledger.reconciliation import reconcile

OTHER = bytes(reversed(ROOT))


def lose(place: Place, blocks: int = 0, moved: int | None = None) -> None:
    """Drive to final with one confirmation, let so many blocks pass, then take away every block
    from the first anchor's on; or let its transaction come ``moved`` blocks later."""
    place.mine(6)
    place.drive(place.anchorer())
    assert place.state() == "final"
    place.mine(blocks)
    first = place.transactions()[0]
    assert first.block_number is not None
    depth = place.gateway().head() - first.block_number + 1
    place.node.reorganise(depth, [] if moved is None else [(first.raw, moved)])
    place.node.drop_all()


@pytest.mark.parametrize("blocks", [0, 1, 10])
def test_a_final_batch_that_was_reorganised_away_is_anchored_again(
    place: Place, blocks: int
) -> None:
    lose(place, blocks)
    assert place.roots() == []
    (before,) = place.transactions()
    anchorer = place.anchorer()
    assert anchorer.recover() == [Step(place.batch, BatchState.FINAL, BatchState.BROADCAST)]
    assert place.transactions()[0].block_hash is None
    place.drive(anchorer)
    assert place.state() == "final"
    assert place.roots() == [ROOT]
    (after,) = place.transactions()
    assert (after.hash, after.nonce) == (before.hash, before.nonce)
    assert after.block_hash != before.block_hash
    assert after.head == "0x" + place.gateway().anchor_state()[1].hex()
    assert anchorer.recover() == []


def test_a_final_batch_that_moved_to_another_block_gets_the_new_receipt(place: Place) -> None:
    lose(place, moved=1)
    (before,) = place.transactions()
    assert place.roots() == [ROOT]
    anchorer = place.anchorer()
    assert [step.after for step in anchorer.recover()] == ["broadcast"]
    place.drive(anchorer)
    (after,) = place.transactions()
    assert after.block_number == before.block_number + 1
    assert place.roots() == [ROOT]


def test_only_what_is_gone_is_taken_back(place: Place) -> None:
    anchorer = place.anchorer()
    place.drive(anchorer)
    (kept,) = place.transactions()
    second = seal_one(place.database, place.network, OTHER)
    place.drive(anchorer)
    place.node.reorganise(4)
    assert [step.batch_id for step in anchorer.recover()] == [second]
    place.drive(anchorer)
    assert place.transactions()[0].block_hash == kept.block_hash
    assert place.roots() == [ROOT, OTHER]


def test_a_chain_that_became_shorter_gives_back_what_is_above_its_end_too(place: Place) -> None:
    anchorer = place.anchorer()
    before = place.node.call("evm_snapshot", [])
    place.drive(anchorer)
    second = seal_one(place.database, place.network, OTHER)
    place.drive(anchorer)
    first, other = place.transactions()
    place.node.call("evm_revert", [before])
    place.node.drop_all()
    place.node.call("evm_increaseTime", [1000])
    place.mine(first.block_number - place.gateway().head())
    assert place.gateway().head() < other.block_number
    assert {step.batch_id for step in anchorer.recover()} == {place.batch, second}
    place.drive(anchorer)
    assert place.roots() == [ROOT, OTHER]


def test_a_node_that_lags_behind_takes_nothing_back(place: Place) -> None:
    place.drive(place.anchorer())
    (transaction,) = place.transactions()

    def stale(method: str, _params: list[Any]) -> Any:
        return hex(transaction.block_number - 1) if method == "eth_blockNumber" else None

    assert place.anchorer(Between(place.node, stale)).recover() == []
    assert place.state() == "final"


def test_a_chain_begun_anew_under_the_same_id_takes_nothing_back(place: Place) -> None:
    place.drive(place.anchorer())
    with anvil() as empty:
        empty.mine(place.gateway().head() + 1)
        with pytest.raises(CodeDiffers):
            place.anchorer(empty).recover()
    assert place.state() == "final"


def test_one_question_when_nothing_is_wrong(place: Place) -> None:
    anchorer = place.anchorer()
    place.drive(anchorer)
    for number in range(5):
        seal_one(place.database, place.network, bytes([number + 1]) * 32)
    place.drive(anchorer)
    asked: list[str] = []

    def note(method: str, _params: list[Any]) -> Any:
        asked.append(method)

    assert place.anchorer(Between(place.node, note)).recover() == []
    assert asked == ["eth_chainId", "eth_blockNumber", "eth_getBlockByNumber"]


@pytest.mark.parametrize("place", NODES[:1], indirect=True)
def test_killed_at_every_effect_of_the_recovery(place: Place, tmp_path: Path) -> None:
    seal_one(place.database, place.network, OTHER)
    lose(place)
    assert place.roots() == []
    place.database.close()

    @contextmanager
    def opened(name: str) -> Iterator[None]:
        """The database as it was, and the chain."""
        shutil.copy(tmp_path / "db", tmp_path / name)
        place.database = open_database(f"sqlite:///{tmp_path / name}")
        with place.node.undone():
            place.node.automine(False)
            yield
        place.database.close()

    def recover(countdown: Countdown) -> None:
        anchorer = Anchorer(
            FaultyDatabase(place.database, countdown),
            place.gateway(FaultyEndpoint(place.node, countdown)),
            chain_id=place.network.chain_id,
            policy=AnchorPolicy(),
            clock=lambda: place.now,
        )
        anchorer.recover()
        place.drive(anchorer)

    whole = Countdown(None)
    with opened("whole"):
        recover(whole)
    assert whole.seen >= 40
    for moment in range(whole.seen):
        with opened(str(moment)):
            with pytest.raises(Killed):
                recover(Countdown(moment))
            recover(Countdown(None))
            assert sorted(place.roots()) == sorted([ROOT, OTHER]), moment
            assert {place.state(batch) for batch in (1, 2)} == {"final"}
            assert len(place.transactions()) == 2


def test_the_audit_finds_it_and_is_clean_when_receipts_are_made_anew(
    place: Place, tmp_path: Path
) -> None:
    """With real credentials, from the audit's difference to a receipt that names the new block."""
    _issue(place, tmp_path)
    lose(place)
    audit = reconcile(place.database, place.gateway(), now=NOW)
    assert [difference.code for difference in audit.differences] == ["anchor-missing"]
    assert "baeum anchor" in audit.differences[0].remedy.en
    old = _evidence(place)
    anchorer = place.anchorer()
    anchorer.recover()
    place.drive(anchorer)
    audit = reconcile(place.database, place.gateway(), now=NOW)
    assert audit.exit_code == 0, audit.to_json()
    new = _evidence(place)
    assert new.credential == old.credential
    assert old.receipt is not None
    assert new.receipt is not None
    assert new.receipt.transaction == old.receipt.transaction
    canonical = place.gateway().block_hash(new.receipt.block_number)
    assert "0x" + new.receipt.block_hash.hex() == canonical
    assert new.receipt.block_hash != old.receipt.block_hash


def _issue(place: Place, folder: Path) -> None:
    """Real credentials instead of the batch that is only a root."""
    with place.database.session() as session:
        session.execute(delete(Batch))
        session.execute(delete(Institution))
    issue(
        place.database,
        populate(place.database, folder, 4, kind="course"),
        place=AnchorPlace(place.network.chain_id, place.network.anchor, REGISTRAR),
        public_url=PUBLIC_URL,
        now=NOW,
        identities=IDENTITIES,
        workers=1,
    )
    batch = seal(place.database, NOW)
    assert batch is not None
    place.batch = batch.id


def _evidence(place: Place) -> Evidence:
    with place.database.reading() as session:
        first = session.scalars(select(Credential.id).order_by(Credential.id)).first()
        assert first is not None
        return evidence_for(session, first)
