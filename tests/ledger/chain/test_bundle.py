"""Bundles gathered from a node are what the chain holds, on both kinds of chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import rlp
from evm import COURSE, REGISTRAR, Bench, h

import contracts
from contracts.standing import standing
from credential.chain_proof import Header, NotProven
from credential.seals import block_hash
from credential.text import Text
from ledger.chain.bundle import BundleUnavailable, gather
from verifier.chain import ChainReader
from verifier.chain_answers import Standing
from verifier.instants import instant
from verifier.proofs import Proofs, ProvenChain
from verifier.trust import TrustedNetwork

CITY, DID = h("city"), "did:key:z1"


def asks(time: int) -> Callable[[Callable[[int], int]], object]:
    return lambda storage: standing(storage, h(DID), COURSE, time)


def anchored(bench: Bench, root: bytes = b"\x07" * 32) -> dict[str, Any]:
    bench.register(CITY, did=h(DID), signer=bench.account.address, kinds=[COURSE, REGISTRAR])
    return bench.send_raw(root)


def network(bench: Bench) -> TrustedNetwork:
    found = bench.network
    name = Text("x", "x")
    return TrustedNetwork(found.chain_id, found.registry, found.anchor, True, 1, name)


def collect(bench: Bench, receipt: dict[str, Any], **options: Any) -> tuple[Proofs, bytes]:
    made = gather(
        bench.endpoint,
        transaction=receipt["transactionHash"],
        registry=bench.network.registry,
        reads=asks(2000),
        **options,
    )
    return Proofs.from_json(made.proofs), bytes.fromhex(made.block_hash[2:])


def test_what_the_bundle_proves_is_what_the_node_says(bench: Bench) -> None:
    receipt = anchored(bench)
    proofs, block = collect(bench, receipt)
    assert block == bytes.fromhex(receipt["blockHash"][2:])
    here = ProvenChain(proofs, network(bench), block)
    there = ChainReader(bench.endpoint.call, bench.network.chain_id)
    now = here.as_of
    number = int(receipt["blockNumber"], 16)
    offline = ChainReader(here, bench.network.chain_id)
    seen = offline.anchor(receipt["transactionHash"], number, confirmations=1, now=now).value
    said = there.anchor(receipt["transactionHash"], number, confirmations=1, now=now).value
    assert (seen.mined, seen.block) == (said.mined, said.block)
    assert seen.mined is not None
    assert seen.mined.events[0].root == b"\x07" * 32
    answer = offline.standing(
        bench.network.registry, DID, COURSE, instant("1970-01-01T00:33:20Z"), now=now
    ).value
    assert (answer.institution, answer.standing) == (CITY, Standing.ACCREDITED)
    place = {entry["label"]: entry["slot"] for entry in contracts.load("CredentialAnchor").storage}
    with pytest.raises(NotProven):  # a slot nobody asked for when the bundle was made
        here._storage(place["_head"])


def test_a_later_block_is_trusted_for_the_earlier_one(bench: Bench) -> None:
    receipt = anchored(bench)
    for number in range(3):
        bench.send_raw(bytes([number + 1]) * 32)
    proofs, block = collect(bench, receipt, blocks=3)
    assert len(proofs.headers) == 4
    ProvenChain(proofs, network(bench), block)
    with pytest.raises(NotProven):  # only the newest is the one to name
        ProvenChain(proofs, network(bench), bytes.fromhex(receipt["blockHash"][2:]))
    gap = Proofs(
        (proofs.headers[0], *proofs.headers[2:]), proofs.transaction_index, proofs.nodes, {}
    )
    with pytest.raises(NotProven):
        ProvenChain(gap, network(bench), block)


def test_a_block_of_many_transactions_of_every_kind(bench: Bench) -> None:
    """More than 128 leaves would change the keys' lengths; a dozen crosses the first branch."""
    if bench.clock is not None:
        pytest.skip("the embedded chain makes a block for each transaction")
    anchored(bench)
    endpoint, account = bench.endpoint, bench.account
    endpoint.call("evm_setAutomine", [False])
    nonce = int(endpoint.call("eth_getTransactionCount", [account.address, "latest"]), 16)
    common = {"chainId": bench.network.chain_id, "to": bytes.fromhex(bench.network.anchor[2:])}
    fees: list[dict[str, Any]] = [
        {"gasPrice": 5 * 10**9},
        {"type": 1, "gasPrice": 5 * 10**9, "accessList": [_access(bench)]},
        {"type": 2, "maxFeePerGas": 5 * 10**9, "maxPriorityFeePerGas": 10**9},
    ]
    hashes = []
    for place in range(20):
        body = common | fees[place % 3] | {"gas": 150_000, "nonce": nonce + place}
        body["data"] = bytes([place + 50]) * 32
        signed = account.sign_transaction(body)
        raw = "0x" + bytes(signed.raw_transaction).hex()
        hashes.append(endpoint.call("eth_sendRawTransaction", [raw]))
    endpoint.call("evm_mine", [])
    for place in (0, 1, 2, 15, 19):
        receipt = endpoint.call("eth_getTransactionReceipt", [hashes[place]])
        proofs, block = collect(bench, receipt)
        chain = ProvenChain(proofs, network(bench), block)
        assert chain("eth_getTransactionReceipt", [hashes[place]])["status"] == "0x1"


def test_a_node_that_lies_about_a_receipt_gives_no_bundle(bench: Bench) -> None:
    receipt = anchored(bench)

    class Liar:
        def call(self, method: str, params: list[Any]) -> Any:
            answer = bench.endpoint.call(method, params)
            if method == "eth_getTransactionReceipt":
                answer["cumulativeGasUsed"] = "0x1"
            return answer

    with pytest.raises(BundleUnavailable):
        gather(
            Liar(),
            transaction=receipt["transactionHash"],
            registry=bench.network.registry,
            reads=asks(2000),
        )


def test_a_qbft_header_is_known_by_the_hash_without_its_seals(bench: Bench) -> None:
    """The node of such a network names a hash that is not the hash of the header it shows."""
    receipt = anchored(bench)
    extra = rlp.encode([bytes(32), [b"\x01" * 20], [], b"\x02", [b"\x05" * 65]])

    class Qbft:
        def call(self, method: str, params: list[Any]) -> Any:
            answer = bench.endpoint.call(method, params)
            if method == "eth_getBlockByNumber":
                answer |= {"extraData": "0x" + extra.hex(), "hash": named}
            return answer

    options: dict[str, Any] = {
        "transaction": receipt["transactionHash"],
        "registry": bench.network.registry,
        "reads": asks(2000),
    }
    named = "0x" + "00" * 32
    with pytest.raises(BundleUnavailable):
        gather(Qbft(), **options)
    plain = Header.decode(bytes.fromhex(gather(bench.endpoint, **options).proofs["headers"][0][2:]))
    named = "0x" + block_hash(plain.with_extra_data(extra), "qbft").hex()
    made = gather(Qbft(), **options)
    assert made.block_hash == named
    assert Header.decode(bytes.fromhex(made.proofs["headers"][0][2:])).extra_data == extra


def test_an_unknown_transaction_gives_no_bundle(bench: Bench) -> None:
    with pytest.raises(BundleUnavailable):
        gather(
            bench.endpoint,
            transaction="0x" + "09" * 32,
            registry="0x" + "01" * 20,
            reads=asks(0),
        )


def _access(bench: Bench) -> dict[str, Any]:
    return {"address": bench.network.anchor, "storageKeys": ["0x" + "00" * 31 + "11"]}
