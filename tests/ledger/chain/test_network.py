"""Deploying, finding again, and telling a stranger's code from ours."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evm import BACKENDS, Bench, bench_on

from ledger.chain.endpoint import EndpointUnreachable, WrongChain
from ledger.chain.network import CodeDiffers, Network, NetworkUnreadable, check_code, deploy
from ledger.chain.transactions import NotMined


@pytest.fixture(params=BACKENDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Without contracts."""
    with bench_on(request.param, tmp_path / "chain") as bench:
        yield bench


def test_deploying_again_finds_what_is_there(bench: Bench) -> None:
    network = deploy(bench.endpoint, bench.account, self_run=False)
    check_code(bench.endpoint, network)
    nonce = bench.endpoint.call("eth_getTransactionCount", [bench.account.address, "latest"])
    again = deploy(bench.endpoint, bench.account, self_run=False)
    assert replace(again, deployed_block=network.deployed_block) == network
    assert again.deployed_block <= network.deployed_block
    after = bench.endpoint.call("eth_getTransactionCount", [bench.account.address, "latest"])
    assert after == nonce


class Dying:
    """Dies before the n-th transaction is sent."""

    def __init__(self, bench: Bench, after: int) -> None:
        self._bench, self._left = bench, after

    def call(self, method: str, params: list[Any]) -> Any:
        if method == "eth_sendRawTransaction":
            if self._left == 0:
                raise KeyboardInterrupt
            self._left -= 1
        return self._bench.endpoint.call(method, params)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_deployment_killed_halfway_is_completed_not_repeated(bench: Bench, after: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        deploy(Dying(bench, after), bench.account)
    network = deploy(bench.endpoint, bench.account)
    check_code(bench.endpoint, network)
    nonce = bench.endpoint.call("eth_getTransactionCount", [bench.account.address, "latest"])
    assert int(nonce, 16) == 3


def test_json_there_and_back(bench: Bench) -> None:
    network = bench.network
    assert Network.from_json(network.to_json() | {"confirmations": 2, "name": "x"}) == network
    assert network.anchor == network.anchor.lower()


@pytest.mark.parametrize(
    "change",
    [
        {"chainId": "1"},
        {"chainId": True},
        {"anchor": "0x12"},
        {"status": None},
        {"registry": "0x" + "zz" * 20},
        {"deployedBlock": -1},
    ],
)
def test_a_description_that_is_none_is_told(change: dict[str, Any]) -> None:
    address = "0x" + "12" * 20
    good = Network(1, address, address, address, address, True, 0).to_json()
    with pytest.raises(NetworkUnreadable):
        Network.from_json(good | change)
    with pytest.raises(NetworkUnreadable):
        Network.from_json({})


@pytest.mark.parametrize("member", ["anchor", "status", "policy", "registry"])
def test_a_contract_swapped_for_another_is_told(bench: Bench, member: str) -> None:
    network = bench.network
    other = network.policy if member != "policy" else network.status
    with pytest.raises(CodeDiffers):
        check_code(bench.endpoint, replace(network, **{member: other}))
    with pytest.raises(CodeDiffers):
        check_code(bench.endpoint, replace(network, **{member: "0x" + secrets.token_hex(20)}))


def test_a_status_registry_that_asks_another_registry_is_told(bench: Bench) -> None:
    foreign = deploy(bench.endpoint, bench.account, admin="0x" + "ab" * 20)
    with pytest.raises(CodeDiffers, match="another registry"):
        check_code(bench.endpoint, replace(bench.network, status=foreign.status))


def test_the_wrong_chain_is_told_before_its_code_is_read(bench: Bench) -> None:
    with pytest.raises(WrongChain):
        check_code(bench.endpoint, replace(bench.network, chain_id=1))


def test_a_transaction_that_is_never_mined_is_given_up(bench: Bench) -> None:
    from ledger.chain.transactions import wait

    with pytest.raises(NotMined):
        wait(bench.endpoint, "0x" + "ab" * 32, patience=0.0)


def test_a_dead_node_is_no_network() -> None:
    from eth_account import Account

    from ledger.chain.endpoint import HttpEndpoint

    with pytest.raises(EndpointUnreachable):
        deploy(HttpEndpoint("http://127.0.0.1:9", timeout=1), Account.create())
