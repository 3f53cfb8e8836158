"""Anchoring on the embedded chain: its states, refusals, workers, and being killed again and again.
Killed at every single effect it is in ``test_killed_anywhere``.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from town import REGISTRAR, ROOT, Countdown, Killed, Make, Town, drive, fund

from ledger.anchoring import Anchorer, AnchorPolicy, AnchorRefused, BatchState, FeeAboveCap
from ledger.chain.endpoint import EndpointUnreachable, HttpEndpoint
from ledger.database.models import Batch, ChainTransaction


def effects_of_one_run(make: Make) -> int:
    countdown = Countdown(None)
    drive(make().anchorer(countdown))
    return countdown.seen


def test_a_batch_goes_through_every_state_in_order(town: Town) -> None:
    anchorer = town.anchorer()
    (batch_id,) = anchorer.pending()
    seen = [anchorer.step(batch_id) for _ in range(4)]
    assert [(step.before, step.after) for step in seen] == [
        (BatchState.SEALED, BatchState.SIGNED),
        (BatchState.SIGNED, BatchState.BROADCAST),
        (BatchState.BROADCAST, BatchState.MINED),
        (BatchState.MINED, BatchState.FINAL),
    ]
    (transaction,) = town.transactions()
    assert transaction.gas_used is not None
    assert transaction.gas_used <= 40_000
    assert transaction.raw
    assert town.gateway().anchors(0)[0].root == ROOT


def test_killed_twice_in_a_row(make: Make) -> None:
    effects = effects_of_one_run(make)
    assert effects >= 30
    for moment in range(0, effects, 5):
        town = make()
        for again in (moment, 3, 7):
            try:
                drive(town.anchorer(Countdown(again)))
            except Killed:
                continue
        drive(town.anchorer())
        assert town.anchors() == 1
        town.close()


def test_two_workers_anchor_it_once(town: Town) -> None:
    one, other = town.anchorer(), town.anchorer()
    (batch_id,) = one.pending()
    one.step(batch_id)
    # the other saw the batch sealed before the first one signed
    other._sign(batch_id)
    for _ in range(5):
        one.step(batch_id)
        other.step(batch_id)
    assert town.state() == "final"
    assert town.anchors() == 1
    assert len(town.transactions()) == 1


def test_a_node_that_is_down_changes_nothing(town: Town) -> None:
    anchorer = Anchorer(
        town.database,
        town.gateway(HttpEndpoint("http://127.0.0.1:9")),
        chain_id=town.network.chain_id,
        policy=AnchorPolicy(),
        clock=lambda: town.now,
    )
    (batch_id,) = anchorer.pending()
    with pytest.raises(EndpointUnreachable):
        anchorer.step(batch_id)
    assert town.state() == "sealed"
    assert town.transactions() == []
    drive(town.anchorer())
    assert town.anchors() == 1


def test_a_fee_above_the_cap_is_not_paid(town: Town) -> None:
    anchorer = town.anchorer(max_fee_per_gas=1)
    (batch_id,) = anchorer.pending()
    with pytest.raises(FeeAboveCap) as raised:
        anchorer.step(batch_id)
    assert raised.value.remedy is not None
    assert town.state() == "sealed"


def test_a_suspended_institution_is_refused_before_a_nonce_is_spent(town: Town) -> None:
    gateway = town.gateway()
    town.office().suspend(REGISTRAR)
    nonce = gateway.nonce(gateway.address)
    anchorer = town.anchorer()
    (batch_id,) = anchorer.pending()
    with pytest.raises(AnchorRefused):
        anchorer.step(batch_id)
    assert town.state() == "sealed"
    assert gateway.nonce(gateway.address) == nonce
    town.office().reinstate(REGISTRAR)
    drive(town.anchorer())
    assert town.anchors() == 1


def test_suspended_between_signing_and_mining_it_is_sealed_again(town: Town) -> None:
    """The stored transaction reverts; the batch waits and is signed anew when it may be."""
    anchorer = town.anchorer()
    (batch_id,) = anchorer.pending()
    anchorer.step(batch_id)
    town.office().suspend(REGISTRAR)
    anchorer.step(batch_id)  # sent, mined, reverted
    with pytest.raises(AnchorRefused):
        anchorer.step(batch_id)
    assert town.state() == "sealed"
    assert town.transactions()[0].failure is not None
    with pytest.raises(AnchorRefused):
        anchorer.step(batch_id)
    town.office().reinstate(REGISTRAR)
    drive(anchorer)
    assert town.state() == "final"
    assert town.anchors() == 1


def test_a_nonce_spent_elsewhere_is_given_up_and_the_root_anchored_with_the_next(
    town: Town,
) -> None:
    anchorer = town.anchorer()
    (batch_id,) = anchorer.pending()
    anchorer.step(batch_id)  # signed with the next nonce, not sent
    fund(town.chain, town.template.sender, "0x" + "11" * 20, 1)  # another tool spends it
    drive(anchorer)
    assert town.anchors() == 1
    lost, kept = town.transactions()
    assert lost.failure is not None
    assert kept.block_hash is not None
    assert kept.nonce > lost.nonce


def test_a_transaction_that_waits_too_long_is_replaced_under_the_same_nonce(town: Town) -> None:
    anchorer = town.anchorer()
    (batch_id,) = anchorer.pending()
    anchorer.step(batch_id)
    with town.database.session() as session:  # as if sent, then dropped by every node
        session.get_one(Batch, batch_id).state = "broadcast"
    town.now += timedelta(minutes=10)
    (first,) = town.transactions()
    anchorer._replace(batch_id, first)
    _, second = town.transactions()
    assert second.nonce == first.nonce
    assert second.max_fee_per_gas * 10 >= first.max_fee_per_gas * 11
    drive(anchorer)
    assert town.anchors() == 1


def test_enough_confirmations_before_it_is_final(town: Town) -> None:
    anchorer = town.anchorer(confirmations=3)
    (batch_id,) = anchorer.pending()
    for _ in range(5):
        anchorer.step(batch_id)
    assert town.state() == "mined"
    town.office().suspend(REGISTRAR)  # two more blocks
    town.office().reinstate(REGISTRAR)
    anchorer.step(batch_id)
    assert town.state() == "final"


def test_a_block_that_a_reorganisation_took_away_is_mined_again(town: Town) -> None:
    anchorer = town.anchorer()
    (batch_id,) = anchorer.pending()
    for _ in range(3):
        anchorer.step(batch_id)
    assert town.state() == "mined"
    with town.database.session() as session:  # what was written down is no longer canonical
        row = session.scalars(select(ChainTransaction)).one()
        row.block_hash = "0x" + "ab" * 32
    step = anchorer.step(batch_id)
    assert step.after is BatchState.BROADCAST
    drive(anchorer)
    assert town.state() == "final"
    assert town.anchors() == 1
    with town.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ChainTransaction)) == 1
