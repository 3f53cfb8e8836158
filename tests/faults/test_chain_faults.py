"""Anchoring against a node that misbehaves: real transactions on anvil and on hardhat's node, real
failures of each kind.

Whatever the node does, the root is anchored once or not yet, and what the operator sees is typed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from databases import PostgresServer
from nodes import NODES, anvil, shared
from place import Between, Place, ground
from sqlalchemy import func, select
from town import ROOT, drive, fund, seal_one

from ledger.anchoring import Anchorer, AnchorPolicy, AnchorRefused, FeeAboveCap, NonceGap
from ledger.chain.endpoint import (
    EndpointError,
    EndpointUnreachable,
    HttpEndpoint,
    WrongChain,
)
from ledger.chain.gateway import Gateway
from ledger.chain.network import CodeDiffers
from ledger.chain.transactions import AccountEmpty, Fees
from ledger.database.models import ChainTransaction
from ledger.database.session import open_database

# --- the node -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["sealed", "signed", "broadcast", "mined"])
def test_node_unreachable_in_every_state_changes_nothing(place: Place, state: str) -> None:
    place.to(state, place.anchorer())
    dead = place.anchorer(HttpEndpoint("http://127.0.0.1:9", timeout=1))
    with pytest.raises(EndpointUnreachable):
        dead.step(place.batch)
    assert place.state() == state
    place.drive(place.anchorer())
    assert place.roots() == [ROOT]


@contextmanager
def slow(node: HttpEndpoint) -> Iterator[HttpEndpoint]:
    """The node behind a server that accepts and then says nothing until the test is over."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def hold() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=hold, daemon=True).start()
        yield HttpEndpoint(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.2)
        server.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()


@pytest.mark.parametrize("state", ["sealed", "signed", "broadcast", "mined"])
def test_slow_node_is_left_after_the_timeout(place: Place, state: str) -> None:
    place.to(state, place.anchorer())
    with slow(place.node) as silent, pytest.raises(EndpointUnreachable):
        place.anchorer(silent).step(place.batch)
    assert place.state() == state
    place.drive(place.anchorer())
    assert place.roots() == [ROOT]


def test_answer_lost_after_sending_is_no_second_transaction(place: Place) -> None:
    """The node took the transaction; the connection broke before it said so."""

    def lose(method: str, params: list[Any]) -> Any:
        if method == "eth_sendRawTransaction":
            place.node.call(method, params)
            raise EndpointUnreachable(*[AccountEmpty.title] * 2)
        return None

    place.to("signed", place.anchorer())
    with pytest.raises(EndpointUnreachable):
        place.anchorer(Between(place.node, lose)).step(place.batch)
    place.drive(place.anchorer())
    assert place.roots() == [ROOT]
    assert len(place.transactions()) == 1


ERRORS = [(-32000, "internal error"), (-32005, "limit exceeded"), (-32603, "state unavailable")]


@pytest.mark.parametrize("state", ["sealed", "signed", "broadcast", "mined"])
def test_node_that_answers_with_errors_changes_nothing(place: Place, state: str) -> None:
    place.to(state, place.anchorer())
    asked: set[str] = set()

    def note(method: str, _params: list[Any]) -> Any:
        asked.add(method)

    for code, message in ERRORS:

        def refuse(method: str, _params: list[Any], code: int = code, text: str = message) -> Any:
            raise EndpointError(code, text)

        with pytest.raises(EndpointError):
            place.anchorer(Between(place.node, refuse)).step(place.batch)
        assert place.state() == state
    place.drive(place.anchorer(Between(place.node, note)))
    assert "eth_chainId" in asked
    assert place.roots() == [ROOT]


def test_error_from_each_method_in_turn_is_survived(place: Place) -> None:
    """Every call of the whole way fails once, and the next try goes on."""
    failed: set[tuple[str, str]] = set()

    def once(method: str, params: list[Any]) -> Any:
        if (place.state(), method) not in failed:
            failed.add((place.state(), method))
            raise EndpointError(-32000, "try again")
        return None

    anchorer = place.anchorer(Between(place.node, once))
    for _ in range(60):
        try:
            place.drive(anchorer)
            break
        except EndpointError:
            continue
    assert place.state() == "final"
    assert place.roots() == [ROOT]
    assert len({method for _, method in failed}) >= 8


def test_stale_head_is_not_taken_for_a_reorganisation(place: Place) -> None:
    anchorer = place.anchorer(confirmations=3)
    place.to("mined", anchorer)
    (before,) = place.transactions()
    stale_at = before.block_number - 1

    def stale(method: str, params: list[Any]) -> Any:
        if method == "eth_blockNumber":
            return hex(stale_at)
        if method == "eth_getBlockByNumber" and params[0] != "latest":
            return place.node.call(method, params) if int(params[0], 16) <= stale_at else None
        return None

    lagging = place.anchorer(Between(place.node, stale), confirmations=3)
    for _ in range(3):
        assert lagging.step(place.batch).after == "mined"
    assert place.transactions()[0].block_hash == before.block_hash
    place.drive(anchorer)
    assert place.roots() == [ROOT]


def test_node_that_does_not_know_the_receipt_yet_does_not_lead_to_a_second_anchor(
    place: Place,
) -> None:
    """Its head and nonce are fresh, its index of transactions is not: the classic way to pay twice.
    The nonce is believed to be lost only at the depth of a final block."""
    anchorer = place.anchorer(confirmations=4)
    place.to("broadcast", anchorer)
    place.mine()

    def late(method: str, _params: list[Any]) -> Any:
        if method == "eth_getTransactionReceipt":
            return NOTHING
        return None

    class Late(Between):
        def call(self, method: str, params: list[Any]) -> Any:
            answer = super().call(method, params)
            return None if answer is NOTHING else answer

    lagging = place.anchorer(Late(place.node, late), confirmations=4)
    for _ in range(3):
        assert lagging.step(place.batch).after == "broadcast"
    place.drive(anchorer)
    assert place.roots() == [ROOT]
    assert len(place.transactions()) == 1


def test_given_up_too_soon_the_old_receipt_is_found_before_signing_again(place: Place) -> None:
    """Even a node that denies the receipt for as long as anyone waits causes no second anchor."""
    anchorer = place.anchorer()
    place.to("broadcast", anchorer)
    place.mine(3)

    class Denying(Between):
        def call(self, method: str, params: list[Any]) -> Any:
            if method == "eth_getTransactionReceipt":
                return None
            return super().call(method, params)

    denying = place.anchorer(Denying(place.node, lambda *_: None))
    assert denying.step(place.batch).after == "sealed"
    place.drive(anchorer)
    assert place.state() == "final"
    assert place.roots() == [ROOT]
    (transaction,) = place.transactions()
    assert transaction.failure is None


NOTHING = object()


# --- the chain ------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["sealed", "signed", "broadcast", "mined"])
def test_wrong_chain_id_is_refused_before_anything_is_signed_or_sent(
    place: Place, state: str
) -> None:
    place.to(state, place.anchorer())
    before = len(place.transactions())
    asked: list[str] = []

    def elsewhere(method: str, _params: list[Any]) -> Any:
        asked.append(method)
        return "0x1" if method == "eth_chainId" else None

    with pytest.raises(WrongChain) as caught:
        place.anchorer(Between(place.node, elsewhere)).step(place.batch)
    assert caught.value.facts == {"expected": place.network.chain_id, "found": 1}
    assert asked == ["eth_chainId"]
    assert len(place.transactions()) == before
    assert place.state() == state


def test_same_chain_id_without_our_contracts_is_refused_before_a_nonce_is_spent(
    place: Place,
) -> None:
    """A development chain begun anew: same id, empty."""
    with anvil() as empty:
        empty.fund(place.sender.address)
        with pytest.raises(CodeDiffers):
            place.anchorer(empty).step(place.batch)
    assert place.transactions() == []
    assert place.state() == "sealed"


@pytest.mark.parametrize("depth", range(1, 7))
def test_reorganisation_before_mined_is_written_down(place: Place, depth: int) -> None:
    """The block with the transaction goes before anybody looked; it is sent again."""
    place.mine(6)
    anchorer = place.anchorer(confirmations=depth + 1)
    place.to("broadcast", anchorer)
    place.mine(depth)
    place.node.reorganise(depth)
    assert place.roots() == []
    place.drive(anchorer)
    assert place.state() == "final"
    assert place.roots() == [ROOT]


@pytest.mark.parametrize("depth", range(1, 7))
def test_reorganisation_after_mined_was_written_down(place: Place, depth: int) -> None:
    place.mine(6)
    anchorer = place.anchorer(confirmations=depth + 1)
    place.to("mined", anchorer)
    (before,) = place.transactions()
    place.mine(depth - 1)
    anchorer.step(place.batch)
    assert place.state() == "mined"
    place.node.reorganise(depth)
    assert anchorer.step(place.batch).after == "broadcast"
    assert place.transactions()[0].block_hash is None
    place.drive(anchorer)
    assert place.state() == "final"
    assert place.roots() == [ROOT]
    (after,) = place.transactions()
    assert after.hash == before.hash
    assert after.block_hash != before.block_hash
    assert after.head == "0x" + place.gateway().anchor_state()[1].hex()


def test_reorganisation_that_moves_the_transaction_to_another_block(place: Place) -> None:
    anchorer = place.anchorer(confirmations=3)
    place.to("mined", anchorer)
    (before,) = place.transactions()
    place.mine(2)
    place.node.reorganise(3, [(before.raw, 1)])
    place.drive(anchorer)
    assert place.roots() == [ROOT]
    assert place.transactions()[0].block_hash != before.block_hash
    assert place.transactions()[0].block_number == before.block_number + 1


# --- nonces and the pool --------------------------------------------------------------------------


def test_nonce_too_low_is_given_up_only_when_the_other_transaction_is_deep(place: Place) -> None:
    anchorer = place.anchorer(confirmations=4)
    place.to("signed", anchorer)
    fund(place.node, place.sender, "0x" + "11" * 20, 1)  # another tool spends the nonce
    place.mine()
    anchorer.step(place.batch)
    for _ in range(3):
        assert anchorer.step(place.batch).after == "broadcast"
        place.mine()
    place.drive(anchorer)
    assert place.roots() == [ROOT]
    lost, kept = place.transactions()
    assert lost.failure is not None
    assert kept.nonce == lost.nonce + 1


def test_nonce_spent_elsewhere_and_undone_by_a_reorganisation_anchors_once(place: Place) -> None:
    """Had the batch been signed anew at once, both transactions would be mined now."""
    place.mine(6)
    anchorer = place.anchorer(confirmations=4)
    place.to("signed", anchorer)
    fund(place.node, place.sender, "0x" + "11" * 20, 1)
    place.mine()
    for _ in range(3):
        anchorer.step(place.batch)
    place.node.reorganise(1)
    place.drive(anchorer)
    assert place.roots() == [ROOT]
    assert len(place.transactions()) == 1


def test_nonce_too_high_waits_for_the_one_before_it(place: Place) -> None:
    second = seal_one(place.database, place.network, bytes(reversed(ROOT)))
    anchorer = place.anchorer()
    anchorer.step(place.batch)
    anchorer.step(second)
    assert [t.nonce for t in place.transactions()] == [0, 1]
    anchorer.step(second)  # sent first: number 1 before number 0
    place.mine()
    place.now += timedelta(hours=1)  # patience is over, but a higher fee would not help
    anchorer.step(second)
    assert place.state(second) == "broadcast"
    assert len(place.transactions()) == 2
    place.drive(anchorer)
    assert sorted(place.roots()) == sorted([ROOT, bytes(reversed(ROOT))])
    assert len(place.transactions()) == 2


def test_vacant_nonce_is_named_and_the_next_batch_fills_it(place: Place) -> None:
    """A transaction of another tool held a nonce before ours and was dropped by every node."""
    fund(place.node, place.sender, "0x" + "11" * 20, 1)
    place.mine()
    anchorer = place.anchorer()
    place.to("broadcast", anchorer) if place.state() == "broadcast" else anchorer.step(place.batch)
    anchorer.step(place.batch)
    place.node.reorganise(1)  # ours has number 1; number 0 is vacant again
    place.node.drop_all()
    place.now += timedelta(hours=1)
    with pytest.raises(NonceGap) as caught:
        anchorer.step(place.batch)
    assert caught.value.facts["nonce"] == 0
    other = bytes(reversed(ROOT))
    second = seal_one(place.database, place.network, other)
    anchorer.step(second)
    assert place.transactions()[-1].nonce == 0
    place.drive(anchorer)
    assert sorted(place.roots()) == sorted([ROOT, other])


def test_replacement_underpriced_is_waited_out(place: Place) -> None:
    """The pool holds our first offer; a bump too small is refused and the old one stays."""
    anchorer = place.anchorer(replace_after=timedelta(minutes=1))
    place.to("broadcast", anchorer)
    (first,) = place.transactions()
    gateway = place.gateway()
    small = gateway.sign_anchor(
        ROOT, first.nonce, Fees(first.max_fee_per_gas + 1, first.max_priority_fee_per_gas + 1)
    )
    with place.database.session() as session:  # as a version with too small a bump would have
        session.add(
            ChainTransaction(
                batch_id=place.batch,
                chain_id=place.network.chain_id,
                sender=gateway.address,
                nonce=small.nonce,
                hash=small.hash,
                raw=small.raw,
                max_fee_per_gas=small.fees.max_fee_per_gas,
                max_priority_fee_per_gas=small.fees.max_priority_fee_per_gas,
                signed_at=place.now,
            )
        )
    anchorer.step(place.batch)  # offered, refused as underpriced, waits
    assert place.state() == "broadcast"
    place.now += timedelta(minutes=2)
    anchorer.step(place.batch)  # bumped by an eighth: replaces what is in the pool
    newest = place.transactions()[-1]
    assert newest.max_fee_per_gas > first.max_fee_per_gas * 11 // 10
    place.drive(anchorer)
    assert place.roots() == [ROOT]
    assert newest.nonce == first.nonce


def test_dropped_transaction_is_sent_again(place: Place) -> None:
    anchorer = place.anchorer()
    place.to("broadcast", anchorer)
    place.node.drop_all()
    place.mine()
    assert place.roots() == []
    place.drive(anchorer)
    assert place.roots() == [ROOT]
    assert len(place.transactions()) == 1


# --- money ----------------------------------------------------------------------------------------


def test_fee_above_the_cap_is_not_paid(place: Place) -> None:
    with pytest.raises(FeeAboveCap):
        place.anchorer(max_fee_per_gas=1).step(place.batch)
    assert place.transactions() == []


def test_fee_above_the_cap_while_waiting_keeps_the_old_offer(place: Place) -> None:
    anchorer = place.anchorer()
    place.to("broadcast", anchorer)
    (first,) = place.transactions()
    place.now += timedelta(hours=1)
    capped = place.anchorer(max_fee_per_gas=first.max_fee_per_gas)
    capped.step(place.batch)
    assert len(place.transactions()) == 1
    place.drive(capped)
    assert place.roots() == [ROOT]


def test_base_fee_that_rose_above_the_offer_is_met_by_a_replacement(place: Place) -> None:
    anchorer = place.anchorer()
    place.to("signed", anchorer)
    (first,) = place.transactions()
    place.node.base_fee(first.max_fee_per_gas * 2)
    place.mine()
    place.drive(anchorer)
    assert place.roots() == [ROOT]
    assert {t.nonce for t in place.transactions()} == {first.nonce}


@pytest.mark.parametrize("balance", [0, 1000])
def test_empty_account_is_told_apart_from_an_unreachable_node(place: Place, balance: int) -> None:
    place.node.fund(place.sender.address, balance)
    with pytest.raises(AccountEmpty) as caught:
        place.anchorer().step(place.batch)
    assert caught.value.facts["address"] == place.sender.address
    assert caught.value.remedy is not None
    assert place.transactions() == []
    place.node.fund(place.sender.address, 10**20)
    place.drive(place.anchorer())
    assert place.roots() == [ROOT]


def test_account_emptied_after_signing_is_named_too(place: Place) -> None:
    place.to("signed", place.anchorer())
    place.node.fund(place.sender.address, 0)
    with pytest.raises(AccountEmpty) as caught:
        place.anchorer().step(place.batch)
    assert caught.value.facts["address"] == place.sender.address
    assert place.state() == "signed"
    place.node.fund(place.sender.address, 10**20)
    place.drive(place.anchorer())
    assert place.roots() == [ROOT]


# --- the contract ---------------------------------------------------------------------------------


def test_paused_contract_spends_nothing_and_goes_on_when_resumed(place: Place) -> None:
    place.pause("pause()")
    with pytest.raises(AnchorRefused, match="Paused"):
        place.anchorer().step(place.batch)
    assert place.transactions() == []
    place.pause("resume()")
    place.drive(place.anchorer())
    assert place.roots() == [ROOT]


def test_contract_paused_between_signing_and_mining(place: Place) -> None:
    anchorer = place.anchorer()
    place.to("signed", anchorer)
    place.pause("pause()")
    with pytest.raises(AnchorRefused):
        place.drive(anchorer)
    assert place.state() == "sealed"
    place.pause("resume()")
    place.drive(anchorer)
    assert place.roots() == [ROOT]
    assert [t.failure is None for t in place.transactions()] == [False, True]


def test_revert_undone_by_a_reorganisation_anchors_once(place: Place) -> None:
    """A revert is believed only at the depth of a final block: a reorganisation can make the very
    same transaction succeed."""
    place.mine(6)
    anchorer = place.anchorer(confirmations=4)
    place.to("signed", anchorer)
    place.pause("pause()")
    anchorer.step(place.batch)
    place.mine()
    anchorer.step(place.batch)
    assert place.state() == "broadcast"  # reverted, but not for good
    place.node.reorganise(2)  # the pause is gone, the transaction is not
    place.node.drop_all()
    place.drive(anchorer)
    assert place.roots() == [ROOT]
    assert len(place.transactions()) == 1


# --- time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [-400, -1, 1, 400])
def test_clock_of_this_machine_is_wrong(place: Place, days: int) -> None:
    place.now += timedelta(days=days)
    place.drive(place.anchorer())
    assert place.roots() == [ROOT]
    (transaction,) = place.transactions()
    assert abs(transaction.block_time - datetime.now(UTC)) < timedelta(hours=1)


def test_clock_set_back_while_waiting_does_not_stop_replacing(place: Place) -> None:
    anchorer = place.anchorer()
    place.to("broadcast", anchorer)
    place.now -= timedelta(days=1)
    anchorer.step(place.batch)
    assert len(place.transactions()) == 2
    place.drive(anchorer)
    assert place.roots() == [ROOT]


def test_clock_of_the_chain_is_ahead(place: Place) -> None:
    place.node.call("evm_increaseTime", [30 * 86_400])
    place.drive(place.anchorer())
    assert place.roots() == [ROOT]
    assert place.transactions()[0].block_time > place.now + timedelta(days=29)


# --- two workers ----------------------------------------------------------------------------------


def test_slow_worker_does_not_give_up_what_another_signed_meanwhile(place: Place) -> None:
    """Both saw the revert. The faster one gave up and signed anew; the slower one wakes up now."""
    anchorer = place.anchorer()
    place.to("signed", anchorer)
    place.pause("pause()")
    anchorer.step(place.batch)
    place.mine()
    woken: list[str] = []

    def overtake(method: str, _params: list[Any]) -> Any:
        if method == "eth_blockNumber" and not woken:  # it has read the receipt
            woken.append(method)
            with pytest.raises(AnchorRefused):
                anchorer.step(place.batch)
            place.pause("resume()")
            place.to("broadcast", anchorer)
        return None

    place.anchorer(Between(place.node, overtake)).step(place.batch)
    assert woken
    assert place.state() == "broadcast"
    place.drive(anchorer)
    assert place.roots() == [ROOT]


def test_slow_worker_is_not_refused_for_what_another_anchored_meanwhile(place: Place) -> None:
    """It saw the batch sealed; before it rehearses, the other has signed, sent and mined it."""
    anchorer = place.anchorer()

    def overtake(method: str, _params: list[Any]) -> Any:
        if method == "eth_call" and place.state() == "sealed":
            place.to("mined", anchorer)
        return None

    assert place.anchorer(Between(place.node, overtake)).step(place.batch).after == "mined"
    place.drive(anchorer)
    assert place.roots() == [ROOT]
    assert len(place.transactions()) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("name", NODES)
def test_two_workers_at_the_same_time_on_postgresql(
    name: str, postgres_server: PostgresServer
) -> None:
    """Four workers with connections of their own race through twelve batches."""
    url = postgres_server.create(migrated=True)
    first = open_database(url)
    found = ground(name)
    with shared(name).undone() as node:
        place = Place(node, first, found)
        roots = {ROOT} | {bytes([n]) * 32 for n in range(1, 12)}
        for root in sorted(roots - {ROOT}):
            seal_one(first, place.network, root)
        node.automine(True)
        failures: list[BaseException] = []

        def work() -> None:
            database = open_database(url)
            try:
                anchorer = Anchorer(
                    database,
                    Gateway(HttpEndpoint(node.url, timeout=60), place.network, place.sender),
                    chain_id=place.network.chain_id,
                    policy=AnchorPolicy(),
                    clock=lambda: datetime.now(UTC),
                )
                drive(anchorer, steps=2000)
            except BaseException as error:  # noqa: BLE001  (reported by the test)
                failures.append(error)
            finally:
                database.close()

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert failures == []
        anchored = place.roots()
        assert sorted(anchored) == sorted(roots)
        with first.reading() as session:
            assert session.scalar(select(func.count()).select_from(ChainTransaction)) == 12
            nonces = list(session.scalars(select(ChainTransaction.nonce)))
        assert sorted(nonces) == list(range(12))
    first.close()
    postgres_server.drop(url)
