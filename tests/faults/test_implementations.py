"""Three implementations of a node on two independent EVMs come to the same, and can be made to have
to agree."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from evm import h
from nodes import Node, anvil, shared
from place import Between, Place
from town import REGISTRAR

from credential.quorum import NodesDisagree
from ledger.chain.embedded import EmbeddedChain
from ledger.chain.endpoint import Endpoint
from ledger.chain.gateway import Gateway
from ledger.chain.network import deploy
from ledger.chain.quorum import QuorumEndpoint
from ledger.chain.transactions import ContractRefused
from verifier.chain import ChainReader
from verifier.rpc import rpc_at

KEY = "0x" + "b7" * 32
CHAIN = 31337
ROOTS = [h(f"root {number}") for number in range(3)]


def story(node: Endpoint) -> dict[str, Any]:
    """Deploy, register, anchor three roots, suspend: what of it does not depend on time."""
    account = Account.from_key(KEY)
    network = deploy(node, account)
    gateway = Gateway(node, network, account)
    gateway.register_institution(REGISTRAR, None, ["registrar"], datetime(2020, 1, 1, tzinfo=UTC))
    receipts = []
    for root in ROOTS:
        signed = gateway.sign_anchor(root, gateway.nonce(gateway.address), gateway.suggest_fees())
        gateway.send(signed.raw)
        receipts.append(gateway.receipt(signed.hash))
    refusals = []
    for root in (ROOTS[0], bytes(32)):
        with pytest.raises(ContractRefused) as caught:
            gateway.rehearse_anchor(root)
        refusals.append(caught.value.data)
    gateway.suspend(REGISTRAR)
    with pytest.raises(ContractRefused) as caught:
        gateway.rehearse_anchor(h("after"))
    refusals.append(caught.value.data)
    return {
        "addresses": (network.anchor, network.status, network.policy),
        "receipts": [(r.succeeded, r.gas_used, r.sequence, r.head) for r in receipts if r],
        "events": [(e.root, e.institution, e.sequence, e.head) for e in gateway.anchors(0)],
        "state": gateway.anchor_state(),
        "refusals": refusals,
        "nonce": gateway.nonce(gateway.address),
    }


@pytest.mark.anvil
@pytest.mark.hardhat
def test_the_same_transactions_come_to_the_same_on_all_three(tmp_path: Path) -> None:
    """Gas, heads, events, addresses and refusals, bit for bit: py-evm against revm."""
    address = Account.from_key(KEY).address
    told = []
    with EmbeddedChain.open(tmp_path / "chain", operator=address, chain_id=CHAIN) as chain:
        told.append(story(chain))
    for name in ("anvil", "hardhat"):
        with shared(name).undone() as node:
            node.fund(address)
            told.append(story(node))
    assert len(told[0]["receipts"]) == 3
    assert told[0]["refusals"][0] != told[0]["refusals"][1]
    assert told[0] == told[1] == told[2]


def fork_of(node: Node) -> Any:
    """anvil on the chain of another node: it computes calls itself."""
    return anvil("--fork-url", node.url, "--chain-id", str(CHAIN))


@pytest.mark.anvil
@pytest.mark.parametrize(
    "place", [pytest.param("hardhat", marks=pytest.mark.hardhat)], indirect=True
)
def test_two_implementations_must_agree_about_one_chain(place: Place) -> None:
    """hardhat's node and an anvil on the same chain: 2 of 2 agree, and 2 of 3 beside one that is
    down; where one of them is made to lie nothing is believed."""
    place.drive(place.anchorer())
    (transaction,) = place.transactions()
    now = datetime.now(UTC)
    with fork_of(place.node) as other:
        for nodes, needed in (([place.node, other], 2), ([place.node, other, None], 2)):
            urls = [node.url if node is not None else "http://127.0.0.1:9" for node in nodes]
            reader = ChainReader(rpc_at(urls, needed), place.network.chain_id)
            seen = reader.anchor(
                transaction.hash, transaction.block_number or 0, confirmations=1, now=now
            ).value
            assert seen.mined is not None
            assert seen.mined.block_hash == transaction.block_hash
        both = QuorumEndpoint([("hardhat", place.node), ("anvil", other)], 2)
        gateway = place.gateway(both)
        assert [event.root for event in gateway.anchors(place.network.deployed_block)]
        assert gateway.anchor_state()[0] == place.gateway().anchor_state()[0]
        assert place.anchorer(both).recover() == []

        def lie(method: str, _params: list[Any]) -> Any:
            return "0x" + "11" * 32 if method == "eth_call" else None

        lied_to = QuorumEndpoint([("hardhat", place.node), ("anvil", Between(other, lie))], 2)
        with pytest.raises(NodesDisagree):
            place.gateway(lied_to).anchor_state()
