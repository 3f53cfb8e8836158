"""The transactions of Blockcerts, looked up on Ethereum nodes the verifier chose.

The addresses come from the verifier's own settings; a credential names a chain and a transaction,
never a node. What a node says is checked for form, and for being of the chain that was meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from credential.errors import BaeumError
from credential.merkle_proof_2019 import ETHEREUM
from credential.text import Text
from verifier.blockcerts import Transaction
from verifier.chain import Rpc
from verifier.chain_answers import WrongChain, bytes_of, hash_of, malformed, quantity

CONFIRMATIONS = 12
"""Blocks on top of and including a transaction's before it counts."""


class NoNode(BaeumError):
    """No node of that chain is configured."""

    code: ClassVar[str] = "no-node"


class NotFinal(BaeumError):
    """The transaction is there, but its block could still be replaced."""

    code: ClassVar[str] = "anchor-not-final"


class NodeTransactions:
    """``transactions`` of ``verifier.verify``: by chain (``eth:sepolia``) the caller of a node.

    ``confirmations``: blocks a transaction must have. Raises ``ValueError`` for a chain that
    Blockcerts has no name for, or that is not asked by JSON-RPC (Bitcoin).
    """

    def __init__(self, nodes: Mapping[str, Rpc], confirmations: int = CONFIRMATIONS) -> None:
        unknown = sorted(set(nodes) - set(ETHEREUM))
        if unknown:
            raise ValueError(f"no such chain: {unknown[0]}; known: {', '.join(ETHEREUM)}")
        self._nodes = dict(nodes)
        self._confirmations = confirmations

    def __call__(self, chain: str, transaction: str) -> Transaction | None:
        """A transaction that succeeded in a block of the chain as it is today; None if there is
        none. Raises ``OSError`` and ``BaeumError`` when that cannot be told."""
        ask = self._nodes.get(chain)
        if ask is None:
            raise NoNode(Text(f"{chain}의 노드가 없습니다.", f"No node of {chain} is configured."))
        answered = quantity(ask("eth_chainId", []))
        if answered != ETHEREUM[chain]:
            raise WrongChain(
                Text(
                    f"{chain}의 노드로 설정된 곳이 체인 {answered}에 답합니다.",
                    f"What is configured as a node of {chain} answers for chain {answered}.",
                )
            )
        wanted = "0x" + transaction.removeprefix("0x").lower()
        receipt = ask("eth_getTransactionReceipt", [wanted])
        if receipt is None:
            return None
        found = _object(ask("eth_getTransactionByHash", [wanted]))
        receipt = _object(receipt)
        number, block_hash = quantity(receipt.get("blockNumber")), hash_of(receipt.get("blockHash"))
        if {hash_of(found.get("hash")), hash_of(receipt.get("transactionHash"))} != {wanted}:
            raise malformed("eth_getTransactionByHash")
        block = _object(ask("eth_getBlockByNumber", [hex(number), False]))
        head = quantity(ask("eth_blockNumber", []))
        if hash_of(block.get("hash")) != block_hash or head - number + 1 < self._confirmations:
            raise NotFinal(
                Text(
                    "기록된 지 얼마 되지 않아 아직 바뀔 수 있습니다.",
                    "It was recorded too recently and could still change.",
                )
            )
        if quantity(receipt.get("status")) != 1:
            return None
        sender = bytes_of(found.get("from"))
        if len(sender) != 20:
            raise malformed("from")
        return Transaction(bytes_of(found.get("input")), "0x" + sender.hex())


def _object(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise malformed("an object")
    return answer
