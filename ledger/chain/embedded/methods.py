"""The JSON-RPC methods that read: each a function of a node and the request's parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eth.abc import BlockHeaderAPI

from ledger.chain.embedded.answers import (
    block_answer,
    effective_gas_price,
    receipt_answer,
    transaction_answer,
)
from ledger.chain.embedded.execution import call, estimate
from ledger.chain.embedded.logs import find_logs
from ledger.chain.embedded.node import Node, base_fee
from ledger.chain.embedded.proofs import prove
from ledger.chain.embedded.values import (
    hexed,
    invalid,
    param,
    refused,
    to_bytes,
    to_int,
)

# What a sender offers on top of the base fee; nobody competes for room here.
TIP = 1_000_000_000
_NEWEST = ("latest", "safe", "finalized")

Method = Callable[[Node, list[Any], int], Any]


def header_for(node: Node, reference: Any, now: int) -> BlockHeaderAPI | None:
    """The header a block parameter means (EIP-1898 objects included); None when there is none."""
    if reference is None or reference in _NEWEST:
        return node.head()
    if reference == "pending":
        return node.next_header(now)
    if reference == "earliest":
        return node.header(0)
    if isinstance(reference, dict):
        if "blockHash" in reference:
            number = node.number_of(to_bytes(reference["blockHash"], "blockHash", 32))
            return None if number is None else node.header(number)
        reference = reference.get("blockNumber")
    return node.header(to_int(reference, "block number", 64))


def _known(node: Node, params: list[Any], index: int, now: int) -> BlockHeaderAPI:
    header = header_for(node, params[index] if index < len(params) else None, now)
    if header is None:
        raise refused("header not found")
    return header


def _chain_id(node: Node, _: list[Any], __: int) -> str:
    return hex(node.chain_id)


def _version(node: Node, _: list[Any], __: int) -> str:
    return str(node.chain_id)


def _client(*_: Any) -> str:
    return "baeum-embedded/py-evm-prague"


def _block_number(node: Node, _: list[Any], __: int) -> str:
    return hex(node.head().block_number)


def _syncing(*_: Any) -> bool:
    return False


def _accounts(*_: Any) -> list[str]:
    return []


def _balance(node: Node, params: list[Any], now: int) -> str:
    address = to_bytes(param(params, 0, "address"), "address", 20)
    return hex(node.state(_known(node, params, 1, now)).get_balance(address))  # type: ignore[arg-type]


def _nonce(node: Node, params: list[Any], now: int) -> str:
    address = to_bytes(param(params, 0, "address"), "address", 20)
    return hex(node.state(_known(node, params, 1, now)).get_nonce(address))  # type: ignore[arg-type]


def _code(node: Node, params: list[Any], now: int) -> str:
    address = to_bytes(param(params, 0, "address"), "address", 20)
    return hexed(node.state(_known(node, params, 1, now)).get_code(address))  # type: ignore[arg-type]


def _storage(node: Node, params: list[Any], now: int) -> str:
    address = to_bytes(param(params, 0, "address"), "address", 20)
    slot = to_int(param(params, 1, "slot"), "slot")
    value = node.state(_known(node, params, 2, now)).get_storage(address, slot)  # type: ignore[arg-type]
    return hexed(value.to_bytes(32, "big"))


def _call(node: Node, params: list[Any], now: int) -> str:
    return call(node, param(params, 0, "call"), _known(node, params, 1, now))


def _estimate(node: Node, params: list[Any], now: int) -> str:
    # In the block to come: what a contract allows may hang on the time.
    reference = params[1] if len(params) > 1 else "pending"
    if reference in _NEWEST:
        reference = "pending"
    return estimate(node, param(params, 0, "call"), _known(node, [reference], 0, now))


def _gas_price(node: Node, _: list[Any], now: int) -> str:
    return hex(base_fee(node.next_header(now)) + TIP)


def _tip(*_: Any) -> str:
    return hex(TIP)


def _block_by_number(node: Node, params: list[Any], now: int) -> dict[str, Any] | None:
    reference = param(params, 0, "block")
    if reference == "pending":
        reference = "latest"  # nothing is ever pending here
    header = header_for(node, reference, now)
    return None if header is None else block_answer(node.block(header), full=_full(params))


def _block_by_hash(node: Node, params: list[Any], _: int) -> dict[str, Any] | None:
    number = node.number_of(to_bytes(param(params, 0, "block hash"), "block hash", 32))
    header = None if number is None else node.header(number)
    return None if header is None else block_answer(node.block(header), full=_full(params))


def _count_by_number(node: Node, params: list[Any], now: int) -> str | None:
    return _count(_block_by_number(node, params[:1], now))


def _count_by_hash(node: Node, params: list[Any], now: int) -> str | None:
    return _count(_block_by_hash(node, params[:1], now))


def _count(block: dict[str, Any] | None) -> str | None:
    return None if block is None else hex(len(block["transactions"]))


def _full(params: list[Any]) -> bool:
    return len(params) > 1 and params[1] is True


def _transaction(node: Node, params: list[Any], _: int) -> dict[str, Any] | None:
    place = node.place_of(to_bytes(param(params, 0, "hash"), "hash", 32))
    if place is None:
        return None
    header = node.header(place[0])
    assert header is not None, "an indexed block has a header"
    return transaction_answer(node.block(header).transactions[place[1]], header, place[1])


def _receipt(node: Node, params: list[Any], _: int) -> dict[str, Any] | None:
    place = node.place_of(to_bytes(param(params, 0, "hash"), "hash", 32))
    if place is None:
        return None
    number, position, first_log = place
    header = node.header(number)
    assert header is not None, "an indexed block has a header"
    transaction = node.block(header).transactions[position]
    receipts = tuple(node.receipts(header))
    return receipt_answer(transaction, header, position, receipts, first_log)


def _block_receipts(node: Node, params: list[Any], now: int) -> list[dict[str, Any]] | None:
    header = header_for(node, param(params, 0, "block"), now)
    if header is None:
        return None
    transactions = node.block(header).transactions
    found = [_receipt(node, [hexed(transaction.hash)], now) for transaction in transactions]
    return [receipt for receipt in found if receipt is not None]


def _logs(node: Node, params: list[Any], now: int) -> list[dict[str, Any]]:
    wanted = param(params, 0, "filter")
    if not isinstance(wanted, dict):
        raise invalid("the filter must be an object")
    if wanted.get("blockHash") is not None:
        header = header_for(node, {"blockHash": wanted["blockHash"]}, now)
        if header is None:
            raise refused("unknown block")
        return find_logs(node, wanted, header.block_number, header.block_number)
    newest = node.head().block_number
    first = _bound(wanted.get("fromBlock"), newest)
    last = _bound(wanted.get("toBlock"), newest)
    return find_logs(node, wanted, first, last)


def _bound(reference: Any, newest: int) -> int:
    if reference is None or reference in (*_NEWEST, "pending"):
        return newest
    return 0 if reference == "earliest" else min(to_int(reference, "block", 63), newest + 1)


def _fee_history(node: Node, params: list[Any], now: int) -> dict[str, Any]:
    raw_count = param(params, 0, "block count")
    count = raw_count if isinstance(raw_count, int) else to_int(raw_count, "block count", 32)
    newest = _known(node, params, 1, now)
    if newest.block_number > node.head().block_number:
        newest = node.head()
    percentiles = params[2] if len(params) > 2 and isinstance(params[2], list) else []
    first = max(0, newest.block_number - min(count, 1024) + 1)
    headers = [node.header(number) for number in range(first, newest.block_number + 1)]
    kept = [header for header in headers if header is not None]
    following = (
        node.header(newest.block_number + 1)
        if newest.block_number < node.head().block_number
        else node.next_header(now)
    )
    assert following is not None, "there is a header after every block but the newest"
    answer: dict[str, Any] = {
        "oldestBlock": hex(first),
        "baseFeePerGas": [hex(base_fee(h)) for h in (*kept, following)],
        "gasUsedRatio": [h.gas_used / h.gas_limit for h in kept],
        "baseFeePerBlobGas": ["0x1"] * (len(kept) + 1),
        "blobGasUsedRatio": [0.0] * len(kept),
    }
    if percentiles:
        answer["reward"] = [[hex(tip)] * len(percentiles) for tip in map(_tips(node), kept)]
    return answer


def _tips(node: Node) -> Callable[[BlockHeaderAPI], int]:
    def tip(header: BlockHeaderAPI) -> int:
        paid = [
            effective_gas_price(transaction, header) - base_fee(header)
            for transaction in node.block(header).transactions
        ]
        return min(paid, default=0)

    return tip


def _proof(node: Node, params: list[Any], now: int) -> dict[str, Any]:
    address = to_bytes(param(params, 0, "address"), "address", 20)
    keys = param(params, 1, "storage keys")
    if not isinstance(keys, list) or len(keys) > 1024:
        raise invalid("storage keys must be a list of at most 1024")
    header = _known(node, params, 2, now)
    return prove(node, header, address, [to_int(key, "storage key") for key in keys])


READ_METHODS: dict[str, Method] = {
    "eth_accounts": _accounts,
    "eth_blockNumber": _block_number,
    "eth_call": _call,
    "eth_chainId": _chain_id,
    "eth_estimateGas": _estimate,
    "eth_feeHistory": _fee_history,
    "eth_gasPrice": _gas_price,
    "eth_getBalance": _balance,
    "eth_getBlockByHash": _block_by_hash,
    "eth_getBlockByNumber": _block_by_number,
    "eth_getBlockReceipts": _block_receipts,
    "eth_getBlockTransactionCountByHash": _count_by_hash,
    "eth_getBlockTransactionCountByNumber": _count_by_number,
    "eth_getCode": _code,
    "eth_getLogs": _logs,
    "eth_getProof": _proof,
    "eth_getStorageAt": _storage,
    "eth_getTransactionByHash": _transaction,
    "eth_getTransactionCount": _nonce,
    "eth_getTransactionReceipt": _receipt,
    "eth_maxPriorityFeePerGas": _tip,
    "eth_syncing": _syncing,
    "net_version": _version,
    "web3_clientVersion": _client,
}
