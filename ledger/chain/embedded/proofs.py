"""``eth_getProof`` (EIP-1186): account and storage proofs against a block's state root."""

from __future__ import annotations

from typing import Any

import rlp
from eth.abc import BlockHeaderAPI
from eth.constants import BLANK_ROOT_HASH, EMPTY_SHA3
from eth.rlp.accounts import Account
from eth_utils.crypto import keccak
from trie.hexary import HexaryTrie

from ledger.chain.embedded.node import Node
from ledger.chain.embedded.values import hexed


def prove(node: Node, header: BlockHeaderAPI, address: bytes, slots: list[int]) -> dict[str, Any]:
    """The account and the slots, each with the trie nodes from the root to it or to its absence."""
    accounts = HexaryTrie(node.store, header.state_root)
    path = keccak(address)
    encoded = accounts.get(path)
    account = (
        rlp.decode(encoded, sedes=Account)
        if encoded
        else Account(nonce=0, balance=0, storage_root=BLANK_ROOT_HASH, code_hash=EMPTY_SHA3)
    )
    storage = HexaryTrie(node.store, account.storage_root)
    proofs = []
    for slot in slots:
        key = keccak(slot.to_bytes(32, "big"))
        value = storage.get(key)
        proofs.append(
            {
                "key": hex(slot),
                "value": hex(int.from_bytes(rlp.decode(value), "big") if value else 0),
                "proof": _nodes(storage, key),
            }
        )
    return {
        "address": hexed(address),
        "balance": hex(account.balance),
        "nonce": hex(account.nonce),
        "codeHash": hexed(account.code_hash),
        "storageHash": hexed(account.storage_root),
        "accountProof": _nodes(accounts, path),
        "storageProof": proofs,
    }


def _nodes(tree: HexaryTrie, key: bytes) -> list[str]:
    nodes: list[Any] = tree.get_proof(key)  # type: ignore[no-untyped-call]
    return [hexed(rlp.encode(part)) for part in nodes]
