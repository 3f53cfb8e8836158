"""The proofs of an evidence bundle, and a chain that answers from them alone.

    {"type": "BaeumProofs2026", "headers": ["0x…", …], "transactionIndex": 0, "nodes": ["0x…", …],
     "statusLists": [{"url": "…", "list": {…}}]}

``headers`` run from the anchor's block to the trusted one, each the parent of the next. ``nodes``
are trie nodes of any trie: transactions and receipts of the first header, state and the registry's
storage of the last. ``statusLists`` are signed documents, checked as if they had been fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rlp
from eth_hash.auto import keccak

from contracts import standing as registry
from credential import seals
from credential.chain_proof import Header, Nodes, NotProven, decode_rlp
from verifier.chain_answers import DID_OF_SELECTOR, STANDING_OF_SELECTOR, STANDING_SELECTOR
from verifier.trust import TrustedNetwork

TYPE = "BaeumProofs2026"
MAX_HEADERS = 512
MAX_NODES = 8192

_HEX = re.compile(r"0x(?:[0-9a-f]{2})+")
_MEMBERS = {"type", "headers", "transactionIndex", "nodes", "statusLists"}


@dataclass(frozen=True, slots=True)
class Proofs:
    """A bundle's proofs, read but not believed yet."""

    headers: tuple[Header, ...]
    transaction_index: int
    nodes: Nodes
    lists: Mapping[str, Mapping[str, Any]]

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Proofs:
        """Raises ``NotProven`` for anything of another form."""
        if body.keys() != _MEMBERS or body["type"] != TYPE:
            raise _malformed()
        index = body["transactionIndex"]
        if type(index) is not int or not 0 <= index < 2**32:
            raise _malformed()
        lists = body["statusLists"]
        if not isinstance(lists, list) or len(lists) > 16:
            raise _malformed()
        found = {}
        for entry in lists:
            if not isinstance(entry, dict) or entry.keys() != {"url", "list"}:
                raise _malformed()
            if not isinstance(entry["url"], str) or not isinstance(entry["list"], dict):
                raise _malformed()
            found[entry["url"]] = entry["list"]
        headers = _all_bytes(body["headers"], MAX_HEADERS)
        if not headers:
            raise _malformed()
        nodes = Nodes(_all_bytes(body["nodes"], MAX_NODES))
        return cls(tuple(map(Header.decode, headers)), index, nodes, found)


class ProvenChain:
    """Answers as a JSON-RPC node would, from proofs under a trusted block alone.

    Raises ``NotProven`` for what the proofs do not show.
    """

    def __init__(self, proofs: Proofs, network: TrustedNetwork, trusted: bytes | None) -> None:
        self._proofs = proofs
        self._network = network
        kind = _kind(proofs.headers[-1], network, trusted)
        self._hashes = [seals.block_hash(header, kind) for header in proofs.headers]
        for parent, child in zip(self._hashes, proofs.headers[1:], strict=False):
            if child.parent != parent:
                raise NotProven(
                    "블록들이 서로 이어지지 않습니다.", "The blocks do not follow each other."
                )
        if trusted is not None:
            if self._hashes[-1] != trusted:
                raise NotProven(
                    f"증거 묶음은 믿는 블록이 아니라 블록 0x{self._hashes[-1].hex()}의 것입니다.",
                    "The bundle does not lead to the trusted block "
                    f"but to block 0x{self._hashes[-1].hex()}.",
                )
        elif network.validators is not None:
            validators = network.validators
            seals.require_quorum(proofs.headers, validators.kind, validators.addresses)
        else:
            raise NotProven(
                "믿는 블록의 해시가 주어지지 않았습니다.", "No trusted block hash was given."
            )

    @property
    def as_of(self) -> datetime:
        """The time of the trusted block: what came later is unknown."""
        try:
            return datetime.fromtimestamp(self._proofs.headers[-1].time, UTC)
        except (ValueError, OverflowError, OSError) as wrong:
            raise NotProven("블록의 시각이 잘못되었습니다.", "A block time is wrong.") from wrong

    def __call__(self, method: str, params: list[Any]) -> Any:
        if method == "eth_chainId":
            return hex(self._network.chain_id)
        if method == "eth_blockNumber":
            return hex(self._proofs.headers[-1].number)
        if method == "eth_getBlockByNumber":
            return self._block(params[0])
        if method == "eth_getTransactionReceipt":
            return self._receipt(params[0])
        if method == "eth_call":
            return self._call(params[0])
        raise NotProven(f"답할 수 없는 질문: {method}", f"Cannot answer {method}")

    def _block(self, number: str) -> dict[str, Any]:
        header = self._proofs.headers[0]
        if header.number != int(number, 16):
            raise NotProven(
                "증거 묶음에 그 블록이 없습니다.", "The bundle does not hold that block."
            )
        return {
            "number": hex(header.number),
            "hash": _hex(self._hashes[0]),
            "timestamp": hex(header.time),
            "transactions": [self._transaction()],
        }

    def _transaction(self) -> str:
        """The hash of the one transaction that is proven to be in the first block."""
        root = self._proofs.headers[0].transactions_root
        return _hex(keccak(self._in_block(root)))

    def _in_block(self, root: bytes) -> bytes:
        key = rlp.encode(self._proofs.transaction_index)
        found = self._proofs.nodes.value(root, key)
        if found is None:
            raise NotProven("블록에 그 거래가 없습니다.", "The block holds no such transaction.")
        return found

    def _receipt(self, transaction: str) -> dict[str, Any] | None:
        if transaction != self._transaction():
            return None
        header = self._proofs.headers[0]
        encoded = self._in_block(header.receipts_root)
        # EIP-2718: a receipt of a typed transaction begins with its type, a legacy one is a list
        body = decode_rlp(encoded if encoded[0] >= 0xC0 else encoded[1:])
        if not isinstance(body, list) or len(body) != 4 or not isinstance(body[3], list):
            raise _malformed()
        if body[0] not in (b"", b"\x01"):
            raise _malformed()
        return {
            "transactionHash": transaction,
            "status": hex(int.from_bytes(body[0])),
            "blockNumber": hex(header.number),
            "blockHash": _hex(self._hashes[0]),
            "logs": [_log(entry) for entry in body[3]],
        }

    def _call(self, call: Mapping[str, str]) -> str:
        if call["to"] != self._network.registry:
            raise NotProven("등록부가 아닌 계약입니다.", "Another contract than the registry.")
        data = bytes.fromhex(call["data"][2:])
        selector, subject, kind = data[:4], data[4:36], data[36:68]
        if selector == DID_OF_SELECTOR:
            institution, start, until = registry.did_period(self._storage, subject)
            return _hex(institution + start.to_bytes(32) + until.to_bytes(32))
        time = int.from_bytes(data[68:100])
        if time > self._proofs.headers[-1].time:
            raise NotProven(
                "믿는 블록보다 나중의 일은 알 수 없습니다.",
                "What came after the trusted block is unknown.",
            )
        try:
            if selector == STANDING_SELECTOR:
                institution, code = registry.standing(self._storage, subject, kind, time)
                return _hex(institution + code.to_bytes(32))
            if selector == STANDING_OF_SELECTOR:
                code = registry.standing_of(self._storage, subject, kind, time)
                return _hex(code.to_bytes(32))
        except ValueError as wrong:
            raise _malformed() from wrong
        raise NotProven("답할 수 없는 질문입니다.", "A call that cannot be answered.")

    def _storage(self, slot: int) -> int:
        nodes = self._proofs.nodes
        address = bytes.fromhex(self._network.registry[2:])
        account = nodes.value(self._proofs.headers[-1].state_root, keccak(address))
        if account is None:
            raise NotProven(
                "믿는 블록에 등록부 계약이 없습니다.",
                "The trusted block has no registry at that address.",
            )
        fields = decode_rlp(account)
        if not isinstance(fields, list) or len(fields) != 4 or not isinstance(fields[2], bytes):
            raise _malformed()
        stored = nodes.value(fields[2], keccak(slot.to_bytes(32)))
        if stored is None:
            return 0
        word = decode_rlp(stored)
        if not isinstance(word, bytes) or len(word) > 32:
            raise _malformed()
        return int.from_bytes(word)


def _kind(newest: Header, network: TrustedNetwork, trusted: bytes | None) -> str | None:
    """Which hash the network knows its blocks by. Where nothing says so, a trusted hash shows it
    that is the one QBFT would use: headers with the same such hash differ in their seals alone."""
    if network.validators is not None:
        return network.validators.kind
    try:
        return seals.QBFT if seals.block_hash(newest, seals.QBFT) == trusted else None
    except NotProven:
        return None


def _log(entry: object) -> dict[str, Any]:
    if not isinstance(entry, list) or len(entry) != 3 or not isinstance(entry[1], list):
        raise _malformed()
    parts = [entry[0], entry[2], *entry[1]]
    if not all(isinstance(part, bytes) for part in parts):
        raise _malformed()
    return {
        "address": _hex(entry[0]),
        "topics": [_hex(topic) for topic in entry[1]],
        "data": _hex(entry[2]),
    }


def _all_bytes(value: object, most: int) -> list[bytes]:
    if not isinstance(value, list) or len(value) > most:
        raise _malformed()
    for item in value:
        if not isinstance(item, str) or not _HEX.fullmatch(item):
            raise _malformed()
    return [bytes.fromhex(item[2:]) for item in value]


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _malformed() -> NotProven:
    return NotProven("증거 묶음의 형식이 잘못되었습니다.", "The bundle's proofs are malformed.")
