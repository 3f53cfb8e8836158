"""Chains for tests: the embedded one and the nodes of ``nodes``, behind the same few methods.

``Bench`` is a chain with a funded account and a clock the test can move. Contract calls are written
as ``bench.send("suspend(bytes32)", institution)``; a refusal raises ``ContractRefused``, whose
error name ``refusal`` reads.
"""

from __future__ import annotations

import atexit
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eth_abi.abi import decode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak
from nodes import NODES, ROOT, anvil, anvil_binary, missing, shared

from ledger.chain.abi import call_data, error_name
from ledger.chain.embedded import EmbeddedChain
from ledger.chain.endpoint import Endpoint
from ledger.chain.network import Network, deploy
from ledger.chain.transactions import ContractRefused, transact

__all__ = ["ROOT", "anvil", "anvil_binary", "missing"]

BACKENDS = ["embedded", *NODES]


def h(text: str) -> bytes:
    """keccak256 of a text: institutions, kinds and DIDs on the chain."""
    return bytes(keccak(text.encode()))


REGISTRAR = h("registrar")
COURSE = h("course")


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self, start: int | None = None) -> None:
        self.now = int(time.time()) if start is None else start

    def __call__(self) -> int:
        return self.now


class Bench:
    """A chain, the account that pays, and the contracts once they are deployed."""

    def __init__(self, endpoint: Endpoint, account: LocalAccount, clock: Clock | None) -> None:
        self.endpoint = endpoint
        self.account = account
        self.clock = clock
        self._network: Network | None = None

    @property
    def network(self) -> Network:
        if self._network is None:
            self._network = deploy(self.endpoint, self.account)
        return self._network

    @property
    def now(self) -> int:
        """The time a transaction sent now sees, at the least."""
        if self.clock is not None:
            return self.clock.now
        block = self.endpoint.call("eth_getBlockByNumber", ["pending", False])
        return int(block["timestamp"], 16)

    def advance(self, seconds: int) -> int:
        """Let time pass; the new time."""
        if self.clock is not None:
            self.clock.now += seconds
        else:
            self.endpoint.call("evm_increaseTime", [seconds])
            self.endpoint.call("evm_mine", [])
        return self.now

    def account_with_funds(self) -> LocalAccount:
        """Another account that can pay."""
        other: LocalAccount = Account.create()
        if self.clock is None:
            self.endpoint.call("hardhat_setBalance", [other.address, hex(10**20)])
            return other
        self.pay(other.address, 10**20)
        return other

    def pay(self, address: str, wei: int) -> None:
        nonce = int(
            self.endpoint.call("eth_getTransactionCount", [self.account.address, "latest"]), 16
        )
        signed = self.account.sign_transaction(
            {
                "type": 2,
                "chainId": int(self.endpoint.call("eth_chainId", []), 16),
                "nonce": nonce,
                "to": bytes.fromhex(address[2:]),
                "value": wei,
                "gas": 21_000,
                "maxFeePerGas": 5 * 10**9,
                "maxPriorityFeePerGas": 10**9,
            }
        )
        self.endpoint.call("eth_sendRawTransaction", ["0x" + bytes(signed.raw_transaction).hex()])

    def send(
        self, signature: str, *values: Any, to: str | None = None, by: LocalAccount | None = None
    ) -> dict[str, Any]:
        """A transaction to the anchor contract (which is the registry), or to another."""
        return self.send_raw(call_data(signature, values), to=to, by=by)

    def send_raw(
        self, data: bytes, *, to: str | None = None, by: LocalAccount | None = None
    ) -> dict[str, Any]:
        return transact(
            self.endpoint,
            by or self.account,
            chain_id=self.network.chain_id,
            to=to or self.network.anchor,
            data=data,
        )

    def ask(
        self, signature: str, returns: list[str], *values: Any, to: str | None = None
    ) -> tuple[Any, ...]:
        request = {
            "to": to or self.network.anchor,
            "data": "0x" + call_data(signature, values).hex(),
        }
        answer = self.endpoint.call("eth_call", [request, "latest"])
        return tuple(decode(returns, bytes.fromhex(answer[2:])))

    def refusal(self, *arguments: Any, **options: Any) -> str | None:
        """The name of the custom error ``send`` meets."""
        try:
            self.send(*arguments, **options)
        except ContractRefused as refused:
            return error_name(refused.data)
        raise AssertionError("the contract did not refuse")

    def register(
        self,
        institution: bytes,
        *,
        did: bytes = bytes(32),
        signer: str | None = None,
        kinds: list[bytes] | None = None,
        since: int = 1,
        until: int = 0,
    ) -> dict[str, Any]:
        return self.send(
            "register(bytes32,bytes32,address,bytes32[],uint64,uint64)",
            institution,
            did,
            signer or "0x" + "00" * 20,
            kinds or [],
            since,
            until,
        )

    def standing(self, did: bytes, kind: bytes, time: int) -> int:
        (_, code) = self.ask(
            "standing(bytes32,bytes32,uint64)", ["bytes32", "uint8"], did, kind, time
        )
        return int(code)


def typed(bench: Bench, **changes: Any) -> dict[str, Any]:
    """What a signer signs when a relayer pays, as EIP-712 data for eth_account."""
    message = {
        "root": h("relayed"),
        "kind": COURSE,
        "signer": bench.account.address,
        "nonce": 0,
        "deadline": bench.now + 600,
    } | changes
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Anchor": [
                {"name": "root", "type": "bytes32"},
                {"name": "kind", "type": "bytes32"},
                {"name": "signer", "type": "address"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ],
        },
        "primaryType": "Anchor",
        "domain": {
            "name": "Baeum CredentialAnchor",
            "version": "1",
            "chainId": bench.network.chain_id,
            "verifyingContract": bench.network.anchor,
        },
        "message": message,
    }


# --- backends


@cache
def _deployed(backend: str) -> tuple[LocalAccount, Network]:
    """An account whose contracts a shared node keeps from test to test."""
    node, account = shared(backend), Account.create()
    node.fund(account.address)
    return account, deploy(node, account)


@cache
def _template() -> Template:
    """The same on the embedded chain, in a folder that ends with the tests."""
    folder = TemporaryDirectory(prefix="baeum-chain-")
    atexit.register(folder.cleanup)
    return Template(Path(folder.name) / "chain")


@contextmanager
def bench_on(backend: str, directory: Path, *, deployed: bool = False) -> Iterator[Bench]:
    """A bench on the named backend; what is done to a shared node is undone afterwards.

    The account is fresh, or one whose contracts are there already.
    """
    if backend == "embedded":
        if deployed:
            with _template().copy(directory) as bench:
                yield bench
            return
        account: LocalAccount = Account.create()
        clock = Clock()
        with EmbeddedChain.open(directory, operator=account.address, clock=clock) as chain:
            yield Bench(chain, account, clock)
        return
    account, network = _deployed(backend) if deployed else (Account.create(), None)
    with shared(backend).undone() as node:
        node.fund(account.address)
        bench = Bench(node, account, None)
        bench._network = network
        yield bench


class Template:
    """An embedded chain with the contracts deployed, copied for each test that wants one."""

    def __init__(
        self,
        directory: Path,
        account: LocalAccount | None = None,
        chain_id: int | None = None,
        start: int | None = None,
    ) -> None:
        self._directory = directory
        self._account: LocalAccount = account or Account.create()
        clock = Clock(start)
        with EmbeddedChain.open(
            directory, operator=self._account.address, chain_id=chain_id, clock=clock
        ) as chain:
            self._network = deploy(chain, self._account)
        self._start = clock.now

    @classmethod
    def of(cls, bench: Bench, directory: Path) -> Template:
        """What a bench on an embedded chain came to; to be copied once that is closed."""
        template = cls.__new__(cls)
        template._directory, template._account = directory, bench.account
        template._network, template._start = bench.network, bench.now
        return template

    @contextmanager
    def copy(self, directory: Path) -> Iterator[Bench]:
        shutil.copytree(self._directory, directory)
        clock = Clock(self._start + 1)
        with EmbeddedChain.open(directory, clock=clock) as chain:
            bench = Bench(chain, self._account, clock)
            bench._network = self._network
            yield bench
