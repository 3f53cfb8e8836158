"""Chains for tests: the embedded one and anvil, behind the same few methods.

``Bench`` is a chain with a funded account and a clock the test can move. Contract calls are written
as ``bench.send("suspend(bytes32)", institution)``; a refusal raises ``ContractRefused``, whose
error name ``refusal`` reads.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak

from ledger.chain.abi import call_data, error_name
from ledger.chain.embedded import EmbeddedChain
from ledger.chain.endpoint import Endpoint, EndpointUnreachable, HttpEndpoint
from ledger.chain.network import Network, deploy
from ledger.chain.transactions import ContractRefused, transact

ROOT = Path(__file__).parents[1]
BACKENDS = [
    pytest.param("embedded", id="embedded"),
    pytest.param("anvil", id="anvil", marks=pytest.mark.anvil),
]


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
            self.endpoint.call("anvil_setBalance", [other.address, hex(10**20)])
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


def anvil_binary() -> Path | None:
    """anvil: BAEUM_ANVIL, the npm package of this platform, or one on the PATH."""
    named = os.environ.get("BAEUM_ANVIL")
    if named:
        return Path(named)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"@foundry-rs/anvil-{platform.system().lower()}-{machine}"
    packaged = ROOT / "contracts" / "node_modules" / package / "bin" / "anvil"
    if packaged.is_file():
        return packaged
    found = shutil.which("anvil")
    return Path(found) if found else None


def missing(what: str) -> None:
    """Skip for want of a tool, or fail where everything is meant to be there."""
    if os.environ.get("BAEUM_TEST_ALL") == "1":
        pytest.fail(f"{what} is missing, and BAEUM_TEST_ALL=1 says that nothing may be skipped")
    pytest.skip(f"{what} is missing; run `npm ci` in contracts/")


@contextmanager
def anvil(*options: str) -> Iterator[HttpEndpoint]:
    """A fresh anvil of the fork the embedded chain has; ended with the context."""
    binary = anvil_binary()
    if binary is None:
        missing("anvil")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [str(binary), "--port", str(port), "--hardfork", "prague", "--silent", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        endpoint = HttpEndpoint(f"http://127.0.0.1:{port}", timeout=20)
        deadline = time.monotonic() + 20
        while True:
            try:
                endpoint.call("eth_chainId", [])
                break
            except EndpointUnreachable:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        yield endpoint
    finally:
        process.kill()
        process.wait()


@contextmanager
def bench_on(backend: str, directory: Path) -> Iterator[Bench]:
    """A bench on a fresh chain of the named backend."""
    account: LocalAccount = Account.create()
    if backend == "anvil":
        with anvil() as endpoint:
            endpoint.call("anvil_setBalance", [account.address, hex(10**24)])
            yield Bench(endpoint, account, None)
        return
    clock = Clock()
    with EmbeddedChain.open(directory, operator=account.address, clock=clock) as chain:
        yield Bench(chain, account, clock)


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
