"""What a stranger can nest deep must not end the process that runs the embedded chain."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from eth_account import Account

from ledger.chain.embedded import EmbeddedChain
from ledger.chain.endpoint import EndpointError

# deploys a contract whose code is `PUSH0 ×5, ADDRESS, GAS, CALL`: it calls itself without end
CALLS_ITSELF = "0x675f5f5f5f5f305af15f5260086018f3"


def test_deep_json_is_an_error_and_not_a_crash() -> None:
    """py-evm lifts the recursion limit for the whole process; we put it back."""
    program = (
        "import ledger.chain.embedded.node, json\n"
        "try: json.loads('[' * 100_000)\n"
        "except RecursionError: print('refused')\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout.strip()) == (0, "refused")


def test_calls_nested_without_end_are_refused(tmp_path: Path) -> None:
    account = Account.create()
    with EmbeddedChain.open(tmp_path, operator=account.address) as chain:
        deployment = account.sign_transaction(
            {
                "type": 2,
                "chainId": chain.chain_id,
                "nonce": 0,
                "value": 0,
                "data": CALLS_ITSELF,
                "gas": 1_000_000,
                "maxFeePerGas": 10**10,
                "maxPriorityFeePerGas": 10**9,
            }
        )
        hash_ = chain.call("eth_sendRawTransaction", ["0x" + deployment.raw_transaction.hex()])
        contract = chain.call("eth_getTransactionReceipt", [hash_])["contractAddress"]
        with pytest.raises(EndpointError, match="nested too deep"):
            chain.call("eth_call", [{"to": contract, "gas": hex(25_000_000)}, "latest"])
        assert int(chain.call("eth_blockNumber", []), 16) == 1
