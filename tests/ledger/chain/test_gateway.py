"""The gateway on both chains: what the outbox relies on."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from evm import COURSE, Bench, h

from ledger.chain.abi import call_data
from ledger.chain.endpoint import EndpointUnreachable, HttpEndpoint
from ledger.chain.gateway import (
    AnchorReceipt,
    ContractRefused,
    Fees,
    Gateway,
    Refusal,
    SignedTransaction,
    TransactionRefused,
)
from ledger.chain.names import institution_id, kind_id, next_head

LAST_YEAR = datetime.now(UTC) - timedelta(days=365)


def mined(gateway: Gateway, transaction: str) -> AnchorReceipt:
    """The receipt; anvil makes its block a moment after it answers."""
    deadline = time.monotonic() + 20
    while (receipt := gateway.receipt(transaction)) is None:
        assert time.monotonic() < deadline
    return receipt


def anchored(gateway: Gateway, root: bytes) -> tuple[SignedTransaction, AnchorReceipt]:
    signed = gateway.sign_anchor(root, gateway.nonce(gateway.address), gateway.suggest_fees())
    gateway.send(signed.raw)
    return signed, mined(gateway, signed.hash)


@pytest.fixture
def registrar(gateway: Gateway) -> Gateway:
    gateway.register_institution("seoul-institute", "did:key:zCity", ["registrar"], LAST_YEAR)
    return gateway


def test_a_root_becomes_a_receipt(registrar: Gateway) -> None:
    before = registrar.head()
    root = secrets.token_bytes(32)
    signed, receipt = anchored(registrar, root)
    assert receipt.succeeded
    assert receipt.sequence == 1
    city = institution_id("seoul-institute")
    head = next_head(registrar.first_head(), root, city, 1)
    assert receipt.head == "0x" + head.hex()
    assert registrar.anchor_state() == (1, head)
    assert receipt.block_number > before
    assert registrar.block_hash(receipt.block_number) == receipt.block_hash
    assert registrar.block_hash(receipt.block_number + 1000) is None
    assert receipt.block_time.tzinfo is UTC
    assert 30_000 < receipt.gas_used < 40_000
    (event,) = registrar.anchors(registrar.first_block())
    assert (event.root, event.institution, event.head) == (root, city, head)
    assert (event.transaction, event.block_hash) == (signed.hash, receipt.block_hash)
    assert event.kind == kind_id("registrar")
    assert registrar.sender_institution() == city


def test_the_data_of_the_transaction_is_the_root(registrar: Gateway, bench: Bench) -> None:
    root = secrets.token_bytes(32)
    signed, _ = anchored(registrar, root)
    found = bench.endpoint.call("eth_getTransactionByHash", [signed.hash])
    assert found["input"] == "0x" + root.hex()
    assert found["to"].lower() == registrar.network.anchor


def test_sending_twice_is_sending_once(registrar: Gateway) -> None:
    nonce = registrar.nonce(registrar.address)
    signed = registrar.sign_anchor(secrets.token_bytes(32), nonce, registrar.suggest_fees())
    assert registrar.send(signed.raw) == signed.hash
    assert registrar.send(signed.raw) == signed.hash
    mined(registrar, signed.hash)
    assert registrar.send(signed.raw) == signed.hash
    assert registrar.nonce(registrar.address) == nonce + 1
    assert registrar.anchor_state()[0] == 1


def test_signing_the_same_twice_gives_the_same_bytes(registrar: Gateway) -> None:
    fees = Fees(10**10, 10**9)
    root = secrets.token_bytes(32)
    assert registrar.sign_anchor(root, 7, fees) == registrar.sign_anchor(root, 7, fees)


def test_a_root_that_begins_like_a_function_is_anchored_all_the_same(registrar: Gateway) -> None:
    root = call_data("sequence()") + secrets.token_bytes(28)
    _, receipt = anchored(registrar, root)
    assert (receipt.succeeded, receipt.sequence) == (True, 1)


def test_a_refused_anchor_is_a_receipt_without_sequence(registrar: Gateway) -> None:
    root = secrets.token_bytes(32)
    anchored(registrar, root)
    _, receipt = anchored(registrar, root)
    assert (receipt.succeeded, receipt.sequence, receipt.head) == (False, None, None)


def test_an_institution_without_the_registrars_role_anchors_its_only_kind(
    gateway: Gateway,
) -> None:
    gateway.register_institution(
        "school", "did:key:zSchool", ["course"], LAST_YEAR, signer=gateway.address
    )
    _, receipt = anchored(gateway, secrets.token_bytes(32))
    assert receipt.succeeded
    assert gateway.anchors(0)[0].kind == COURSE


def test_a_nonce_used_before_is_too_low(registrar: Gateway) -> None:
    anchored(registrar, secrets.token_bytes(32))
    old = registrar.nonce(registrar.address) - 1
    signed = registrar.sign_anchor(secrets.token_bytes(32), old, registrar.suggest_fees())
    with pytest.raises(TransactionRefused) as caught:
        registrar.send(signed.raw)
    assert caught.value.reason is Refusal.NONCE_TOO_LOW


def test_a_sender_without_coins_is_told_so(bench: Bench, gateway: Gateway) -> None:
    from eth_account import Account

    pauper = Gateway(bench.endpoint, bench.network, Account.create())
    assert pauper.balance() == 0
    assert gateway.balance() > 0
    signed = pauper.sign_anchor(secrets.token_bytes(32), 0, Fees(10**10, 10**9), "registrar")
    with pytest.raises(TransactionRefused) as caught:
        pauper.send(signed.raw)
    assert caught.value.reason is Refusal.INSUFFICIENT_FUNDS
    assert caught.value.remedy is not None


def test_a_fee_below_the_base_fee_is_refused(registrar: Gateway) -> None:
    signed = registrar.sign_anchor(
        secrets.token_bytes(32), registrar.nonce(registrar.address), Fees(1, 1)
    )
    with pytest.raises(TransactionRefused) as caught:
        registrar.send(signed.raw)
    assert caught.value.reason is Refusal.FEE_TOO_LOW


def test_bytes_that_are_no_transaction_are_refused(registrar: Gateway) -> None:
    for raw in (b"", b"\x02", b"\x02\xc0", secrets.token_bytes(100)):
        with pytest.raises(TransactionRefused):
            registrar.send(raw)


def test_a_transaction_for_another_chain_is_refused(bench: Bench, registrar: Gateway) -> None:
    from dataclasses import replace

    other = Gateway(bench.endpoint, replace(registrar.network, chain_id=12345), registrar.account)
    signed = other.sign_anchor(
        secrets.token_bytes(32), registrar.nonce(registrar.address), registrar.suggest_fees()
    )
    with pytest.raises(TransactionRefused) as caught:
        registrar.send(signed.raw)
    assert caught.value.reason is Refusal.WRONG_CHAIN


def test_fees_pay_and_keep_below_the_cap(registrar: Gateway) -> None:
    fees = registrar.suggest_fees()
    assert fees.max_fee_per_gas >= fees.max_priority_fee_per_gas
    capped = registrar.suggest_fees(fees.max_fee_per_gas // 2)
    assert capped.max_fee_per_gas == fees.max_fee_per_gas // 2
    assert capped.max_priority_fee_per_gas <= capped.max_fee_per_gas


def test_an_unknown_transaction_has_no_receipt(registrar: Gateway) -> None:
    assert registrar.receipt("0x" + "ab" * 32) is None


def test_the_history_holds_everybodys_anchors_in_order(registrar: Gateway) -> None:
    roots = [secrets.token_bytes(32) for _ in range(5)]
    for root in roots:
        anchored(registrar, root)
    events = registrar.anchors(registrar.first_block())
    assert [event.root for event in events] == roots
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5]
    assert registrar.anchors(registrar.head() + 1) == []


def test_the_history_is_read_in_pieces_when_the_node_asks_for_it(
    registrar: Gateway, bench: Bench
) -> None:
    from ledger.chain.endpoint import EndpointError

    class Stingy:
        def call(self, method: str, params: list[Any]) -> Any:
            if method == "eth_getLogs":
                asked = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16)
                if asked >= 2:
                    raise EndpointError(-32005, "block range too large")
            return bench.endpoint.call(method, params)

    for _ in range(4):
        anchored(registrar, secrets.token_bytes(32))
    stingy = Gateway(Stingy(), registrar.network, registrar.account)
    assert stingy.anchors(0) == registrar.anchors(0)


# --- the register


@dataclass(frozen=True)
class Kind:
    kind: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True)
class Entry:
    id: str
    accredited: tuple[Kind, ...]


def test_an_entry_of_the_register_keeps_the_dates_of_each_kind(
    bench: Bench, gateway: Gateway
) -> None:
    first, later = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    end = datetime(2025, 6, 1, tzinfo=UTC)
    entry = Entry(
        "centre",
        (
            Kind("course", first, None),
            Kind("project", later, None),
            Kind("mentoring", first, end),
            Kind("mentoring", datetime(2026, 1, 1, tzinfo=UTC), None),
        ),
    )
    gateway.register(entry, "did:key:zCentre")
    gateway.register(entry, "did:key:zCentre")  # safe to repeat
    did = h("did:key:zCentre")

    def standing(kind: str, when: datetime) -> int:
        return bench.standing(did, h(kind), int(when.timestamp()))

    assert standing("course", first) == 1
    assert standing("project", first) == 3
    assert standing("project", later) == 1
    assert standing("mentoring", first) == 1
    assert standing("mentoring", end) == 5
    assert standing("mentoring", datetime(2026, 2, 1, tzinfo=UTC)) == 1


def test_the_registrar_gets_this_account_as_its_signer(gateway: Gateway) -> None:
    entry = Entry(
        "institute", (Kind("registrar", LAST_YEAR, None), Kind("course", LAST_YEAR, None))
    )
    gateway.register(entry, None)
    assert gateway.sender_institution() == institution_id("institute")
    assert anchored(gateway, secrets.token_bytes(32))[1].succeeded


def test_registering_twice_is_refused_by_the_contract(registrar: Gateway) -> None:
    assert registrar.institution_registered("seoul-institute")
    assert not registrar.institution_registered("nobody")
    with pytest.raises(ContractRefused, match="AlreadyRegistered"):
        registrar.register_institution("seoul-institute", None, [], LAST_YEAR)


def test_a_suspended_institution_cannot_anchor_until_it_is_reinstated(registrar: Gateway) -> None:
    registrar.suspend("seoul-institute")
    assert not anchored(registrar, secrets.token_bytes(32))[1].succeeded
    registrar.reinstate("seoul-institute")
    assert anchored(registrar, secrets.token_bytes(32))[1].succeeded


QUESTIONS: list[Callable[[Gateway], object]] = [
    lambda gateway: gateway.head(),
    lambda gateway: gateway.nonce(gateway.address),
    lambda gateway: gateway.balance(),
    lambda gateway: gateway.suggest_fees(),
    lambda gateway: gateway.receipt("0x" + "00" * 32),
    lambda gateway: gateway.send(b"\x02"),
    lambda gateway: gateway.anchors(0),
    lambda gateway: gateway.institution_registered("x"),
    lambda gateway: gateway.suspend("x"),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_dead_node_is_unreachable_whatever_is_asked(
    question: Callable[[Gateway], object], template_network: Any
) -> None:
    network, account = template_network
    dead = Gateway(HttpEndpoint("http://127.0.0.1:9", timeout=1), network, account)
    with pytest.raises(EndpointUnreachable):
        question(dead)


@pytest.fixture(scope="session")
def template_network() -> Any:
    from eth_account import Account

    from ledger.chain.network import Network

    address = "0x" + "12" * 20
    return Network(1, address, address, address, address, False, 0), Account.create()
