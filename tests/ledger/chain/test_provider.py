"""web3.py on both chains, round trip."""

from __future__ import annotations

import secrets

import pytest
from evm import COURSE, REGISTRAR, Bench, h
from web3 import Web3
from web3.exceptions import ContractCustomError, TransactionNotFound
from web3.middleware import SignAndSendRawMiddlewareBuilder

import contracts
from ledger.chain.endpoint import HttpEndpoint
from ledger.chain.provider import provider_for


def test_web3_deploys_sends_reads_and_finds_events(bench: Bench) -> None:
    network = bench.network
    web3 = Web3(provider_for(bench.endpoint))
    assert web3.is_connected()
    assert web3.eth.chain_id == network.chain_id
    web3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(bench.account), layer=0)
    web3.eth.default_account = bench.account.address
    abi = [dict(entry) for entry in contracts.load("CredentialAnchor").abi]
    anchor = web3.eth.contract(address=Web3.to_checksum_address(network.anchor), abi=abi)

    registered = anchor.functions.register(
        h("city"), h("did"), bench.account.address, [REGISTRAR, COURSE], 1000, 0
    ).transact()
    assert web3.eth.wait_for_transaction_receipt(registered)["status"] == 1
    root = secrets.token_bytes(32)
    sent = anchor.functions.anchor(root, COURSE).transact()
    receipt = web3.eth.wait_for_transaction_receipt(sent)
    assert anchor.functions.sequence().call() == 1
    (event,) = anchor.events.Anchored().get_logs(from_block=0)
    assert event["args"]["root"] == root
    assert event["args"]["head"] == anchor.functions.head().call()
    assert event["blockHash"] == receipt["blockHash"]
    assert web3.eth.get_block(receipt["blockNumber"])["transactions"] == [sent]
    assert web3.eth.get_transaction(sent)["to"] == anchor.address
    assert web3.eth.get_code(anchor.address)
    assert web3.eth.fee_history(2, "latest", [50])["reward"]
    assert anchor.functions.standing(h("did"), COURSE, 2000).call() == [h("city"), 1]
    with pytest.raises(ContractCustomError):
        anchor.functions.anchor(bytes(32), COURSE).call()
    with pytest.raises(TransactionNotFound):
        web3.eth.get_transaction("0x" + "ab" * 32)  # type: ignore[arg-type]


def test_a_dead_node_is_not_connected() -> None:
    web3 = Web3(provider_for(HttpEndpoint("http://127.0.0.1:9", timeout=1)))
    assert not web3.is_connected()
