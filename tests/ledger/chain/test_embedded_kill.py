"""kill -9 of the process that owns the chain: every block it acknowledged is still there."""

from __future__ import annotations

import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from eth_account import Account
from evm import ROOT

from ledger.chain.embedded import EmbeddedChain

MINER = """
    import sys
    from pathlib import Path
    from eth_account import Account
    from ledger.chain.embedded import EmbeddedChain

    account = Account.from_key(sys.argv[2])
    with EmbeddedChain.open(Path(sys.argv[1]), operator=account.address) as chain:
        nonce = int(chain.call("eth_getTransactionCount", [account.address, "latest"]), 16)
        while True:
            signed = account.sign_transaction({
                "type": 2, "chainId": chain.chain_id, "nonce": nonce, "to": bytes(20), "value": 1,
                "gas": 100_000, "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9,
                "data": nonce.to_bytes(32, "big"),
            })
            raw = "0x" + bytes(signed.raw_transaction).hex()
            found = chain.call("eth_sendRawTransaction", [raw])
            print(nonce, found, flush=True)
            nonce += 1
"""
ROUNDS = 6


def test_every_acknowledged_block_survives_a_kill(tmp_path: Path) -> None:
    account = Account.create()
    acknowledged: dict[int, str] = {}
    chance = random.Random(20)
    for _ in range(ROUNDS):
        _mine_and_kill(tmp_path, bytes(account.key).hex(), acknowledged, chance.uniform(0.0, 0.25))
        # The lock went with its owner: the chain opens at once, whole.
        with EmbeddedChain.open(tmp_path) as chain:
            _check(chain, acknowledged)
    assert len(acknowledged) >= ROUNDS
    file = sqlite3.connect(tmp_path / "chain.sqlite")
    assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    file.close()


def test_a_reader_may_be_the_first_to_come_after_a_kill(tmp_path: Path) -> None:
    account = Account.create()
    acknowledged: dict[int, str] = {}
    _mine_and_kill(tmp_path, bytes(account.key).hex(), acknowledged, 0.05)
    with EmbeddedChain.open(tmp_path, read_only=True) as chain:
        _check(chain, acknowledged)


def _mine_and_kill(directory: Path, key: str, acknowledged: dict[int, str], after: float) -> None:
    """Let a process mine; some time after its first block kill it in the middle of its work."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(MINER), str(directory), key],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    output = b""
    deadline = None
    started = time.monotonic()
    while deadline is None or time.monotonic() < deadline:
        assert time.monotonic() - started < 90, "the miner did not start"
        if select.select([process.stdout], [], [], 0.005)[0]:
            chunk = os.read(process.stdout.fileno(), 65536)
            assert chunk, "the miner ended by itself"
            output += chunk
            deadline = deadline or time.monotonic() + after
    process.send_signal(signal.SIGKILL)
    output += process.stdout.read()
    process.wait()
    process.stdout.close()
    for line in output.split(b"\n")[:-1]:  # a last line without its end was not acknowledged
        nonce, found = line.split()
        acknowledged[int(nonce)] = found.decode()


def _check(chain: EmbeddedChain, acknowledged: dict[int, str]) -> None:
    head = int(chain.call("eth_blockNumber", []), 16)
    assert head >= len(acknowledged)
    parent = None
    for number in range(head + 1):
        block = chain.call("eth_getBlockByNumber", [hex(number), False])
        assert parent is None or block["parentHash"] == parent
        parent = block["hash"]
    for nonce, found in acknowledged.items():
        receipt = chain.call("eth_getTransactionReceipt", [found])
        assert receipt is not None
        assert receipt["status"] == "0x1"
        transaction = chain.call("eth_getTransactionByHash", [found])
        assert int(transaction["nonce"], 16) == nonce
    balance = chain.call("eth_getBalance", ["0x" + "00" * 20, "latest"])
    # One wei a block to the zero address, which is the miner of the blocks too: at least that.
    assert int(balance, 16) >= head
