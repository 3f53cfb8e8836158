"""Proofs of an anchor and of registry slots, gathered from any Ethereum endpoint.

What the node says is put together again here (header, transactions, receipts) and must give the
hashes the header holds; a bundle that would not verify is never handed out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import rlp

from credential.chain_proof import Header, NotProven
from credential.errors import BaeumError
from credential.seals import QBFT, block_hash
from credential.text import Text
from ledger.chain.endpoint import Endpoint, EndpointError

TYPE = "BaeumProofs2026"
MAX_BLOCKS = 511

_HEADER = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot"),
    *("logsBloom", "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData"),
    *("mixHash", "nonce"),
)
_LATER = (
    *("baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas"),
    *("parentBeaconBlockRoot", "requestsHash"),
)
_NUMBERS = frozenset(
    {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"}
    | {"blobGasUsed", "excessBlobGas"}
)


class BundleUnavailable(BaeumError):
    """The node cannot give what a bundle needs, or what it gives does not fit together."""

    code: ClassVar[str] = "bundle-unavailable"
    title: ClassVar[Text] = Text("증거 묶음을 만들 수 없습니다", "The bundle cannot be made")
    status: ClassVar[int] = 502

    def __init__(self, ko: str, en: str) -> None:
        super().__init__(
            Text(ko, en),
            Text(
                "다른 노드에 묻거나, --blocks로 더 새로운 블록을 기준으로 만들어 주십시오.",
                "Ask another node, or take a newer block with --blocks.",
            ),
        )


@dataclass(frozen=True, slots=True)
class Bundle:
    """``proofs`` go into the evidence file; ``block`` (number, hash) is the one to be trusted."""

    proofs: dict[str, Any]
    block_number: int
    block_hash: str


Reads = Callable[[Callable[[int], int]], object]
"""Reads the slots that will be asked for, through the storage it is given."""


def gather(
    endpoint: Endpoint,
    *,
    transaction: str,
    registry: str,
    reads: Reads,
    status_lists: Iterable[tuple[str, dict[str, Any]]] = (),
    blocks: int = 0,
) -> Bundle:
    """Headers from the anchor's block to the one ``blocks`` later, and proofs under them.

    ``reads`` says which registry slots matter by reading them. Raises ``BundleUnavailable`` and
    what the endpoint raises.
    """
    if not 0 <= blocks <= MAX_BLOCKS:
        raise BundleUnavailable(
            f"블록은 {MAX_BLOCKS}개까지입니다.", f"At most {MAX_BLOCKS} blocks."
        )
    receipt = endpoint.call("eth_getTransactionReceipt", [transaction])
    if receipt is None:
        raise BundleUnavailable("노드가 그 거래를 모릅니다.", "The node does not know it.")
    first, index = _int(receipt["blockNumber"]), _int(receipt["transactionIndex"])
    answers = [_block(endpoint, number, full=number == first) for number in _span(first, blocks)]
    headers = [_header(answer) for answer in answers]
    last = hex(headers[-1].number)
    nodes = {
        *_proof(
            [_transaction(each) for each in answers[0]["transactions"]],
            headers[0].transactions_root,
            index,
        ),
        *_proof(
            [_receipt(endpoint, each["hash"]) for each in answers[0]["transactions"]],
            headers[0].receipts_root,
            index,
        ),
        *_storage(endpoint, registry, last, reads),
    }
    proofs = {
        "type": TYPE,
        "headers": [_hex(header.encode()) for header in headers],
        "transactionIndex": index,
        "nodes": sorted(_hex(node) for node in nodes),
        "statusLists": [{"url": url, "list": document} for url, document in status_lists],
    }
    return Bundle(proofs, headers[-1].number, answers[-1]["hash"])


def _span(first: int, blocks: int) -> range:
    return range(first, first + blocks + 1)


def _block(endpoint: Endpoint, number: int, *, full: bool) -> dict[str, Any]:
    answer = endpoint.call("eth_getBlockByNumber", [hex(number), full])
    if not isinstance(answer, dict):
        raise BundleUnavailable(
            f"노드에 블록 {number}이 아직 없습니다.", f"The node has no block {number} yet."
        )
    return answer


def _header(answer: dict[str, Any]) -> Header:
    """The header's RLP put together from the node's JSON; its hash must be the node's."""
    names = [*_HEADER, *(name for name in _LATER if answer.get(name) is not None)]
    header = Header(
        tuple(
            _number(answer[name]) if name in _NUMBERS else bytes.fromhex(answer[name][2:])
            for name in names
        )
    )
    if _hex(header.hash) != answer["hash"]:
        try:
            sealed = _hex(block_hash(header, QBFT)) == answer["hash"]
        except NotProven:
            sealed = False
        if not sealed:
            raise BundleUnavailable(
                "블록 머리에서 블록의 해시가 나오지 않습니다.",
                "The block's header does not give its hash (a header of an unknown form).",
            )
    return header


def _transaction(answer: dict[str, Any]) -> bytes:
    """A transaction as it stands in the trie (EIP-2718)."""
    kind = _int(answer.get("type", "0x0"))
    to = bytes.fromhex((answer.get("to") or "0x")[2:])
    data = bytes.fromhex(answer["input"][2:])
    gas, value, nonce = (_number(answer[name]) for name in ("gas", "value", "nonce"))
    signature = [_number(answer["r"]), _number(answer["s"])]
    if kind == 0:
        price = _number(answer["gasPrice"])
        fields = [nonce, price, gas, to, value, data, _number(answer["v"]), *signature]
        return bytes(rlp.encode(fields))
    access = [
        [bytes.fromhex(entry["address"][2:]), [bytes.fromhex(k[2:]) for k in entry["storageKeys"]]]
        for entry in answer.get("accessList") or []
    ]
    parity = _number(answer["yParity"] if "yParity" in answer else answer["v"])
    head = [_number(answer["chainId"]), nonce]
    tail = [gas, to, value, data, access]
    if kind == 1:
        fees = [_number(answer["gasPrice"])]
    elif kind == 2:
        fees = [_number(answer[name]) for name in ("maxPriorityFeePerGas", "maxFeePerGas")]
    else:
        raise BundleUnavailable(
            f"블록에 모르는 종류({kind})의 거래가 있습니다.",
            f"The block holds a transaction of a kind not known here ({kind}).",
        )
    return bytes([kind]) + bytes(rlp.encode([*head, *fees, *tail, parity, *signature]))


def _receipt(endpoint: Endpoint, transaction: str) -> bytes:
    """A transaction's receipt as it stands in the trie (EIP-2718)."""
    answer = endpoint.call("eth_getTransactionReceipt", [transaction])
    logs = [
        [
            bytes.fromhex(log["address"][2:]),
            [bytes.fromhex(topic[2:]) for topic in log["topics"]],
            bytes.fromhex(log["data"][2:]),
        ]
        for log in answer["logs"]
    ]
    bloom = bytes.fromhex(answer["logsBloom"][2:])
    fields = [_number(answer["status"]), _number(answer["cumulativeGasUsed"]), bloom, logs]
    kind = _int(answer.get("type", "0x0"))
    return (bytes([kind]) if kind else b"") + bytes(rlp.encode(fields))


def _proof(values: list[bytes], root: bytes, index: int) -> list[bytes]:
    """The nodes from the root of a list's trie to entry ``index``."""
    from trie.hexary import HexaryTrie

    built = HexaryTrie({})
    for place, value in enumerate(values):
        built[rlp.encode(place)] = value
    if built.root_hash != root:
        raise BundleUnavailable(
            "노드가 준 거래나 영수증이 블록 머리와 맞지 않습니다.",
            "The transactions or receipts the node gives are not those of the block's header.",
        )
    nodes: list[Any] = built.get_proof(rlp.encode(index))  # type: ignore[no-untyped-call]
    return [bytes(rlp.encode(node)) for node in nodes]


def _storage(endpoint: Endpoint, registry: str, block: str, reads: Reads) -> list[bytes]:
    """The account and storage nodes of every slot ``reads`` asks for, at that block."""
    asked: list[int] = []

    def read(slot: int) -> int:
        asked.append(slot)
        return _int(endpoint.call("eth_getStorageAt", [registry, _word(slot), block]))

    try:
        reads(read)
        answer = endpoint.call("eth_getProof", [registry, list(map(_word, asked)), block])
    except EndpointError as refused:
        raise BundleUnavailable(
            "노드가 그 블록의 상태를 증명하지 못합니다.",
            "The node cannot prove the state of that block (pruned, or no eth_getProof).",
        ) from refused
    nodes = [*answer["accountProof"]]
    for entry in answer["storageProof"]:
        nodes += entry["proof"]
    return [bytes.fromhex(node[2:]) for node in nodes if node != "0x80"]


def _word(slot: int) -> str:
    return _hex(slot.to_bytes(32))


def _int(value: str) -> int:
    return int(value, 16)


def _number(value: str) -> bytes:
    """A quantity as RLP writes it: big-endian without leading zeros."""
    number = int(value, 16)
    return number.to_bytes((number.bit_length() + 7) // 8)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
