"""Blocks, transactions, receipts and logs in the form the Ethereum JSON-RPC specification gives."""

from __future__ import annotations

from typing import Any

import rlp
from eth._utils.address import generate_contract_address
from eth.abc import BlockAPI, BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI
from eth.vm.forks.prague.blocks import PragueBlockHeader

from ledger.chain.embedded.node import base_fee
from ledger.chain.embedded.values import hexed


def block_answer(block: BlockAPI, *, full: bool) -> dict[str, Any]:
    header = block.header
    assert isinstance(header, PragueBlockHeader), "every block of this chain is one"
    answer: dict[str, Any] = {
        "number": hex(header.block_number),
        "hash": hexed(header.hash),
        "parentHash": hexed(header.parent_hash),
        "sha3Uncles": hexed(header.uncles_hash),
        "logsBloom": hexed(header.bloom.to_bytes(256, "big")),
        "transactionsRoot": hexed(header.transaction_root),
        "stateRoot": hexed(header.state_root),
        "receiptsRoot": hexed(header.receipt_root),
        "miner": hexed(header.coinbase),
        "difficulty": hex(header.difficulty),
        "totalDifficulty": "0x0",
        "extraData": hexed(header.extra_data),
        "size": hex(len(rlp.encode(block))),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "mixHash": hexed(header.mix_hash),
        "nonce": hexed(header.nonce),
        "baseFeePerGas": hex(base_fee(header)),
        "withdrawals": [],
        "withdrawalsRoot": hexed(header.withdrawals_root or b""),
        "blobGasUsed": hex(header.blob_gas_used),
        "excessBlobGas": hex(header.excess_blob_gas),
        "parentBeaconBlockRoot": hexed(header.parent_beacon_block_root or b""),
        "requestsHash": hexed(header.requests_hash),
        "uncles": [],
    }
    if full:
        answer["transactions"] = [
            transaction_answer(transaction, header, position)
            for position, transaction in enumerate(block.transactions)
        ]
    else:
        answer["transactions"] = [hexed(transaction.hash) for transaction in block.transactions]
    return answer


def effective_gas_price(transaction: SignedTransactionAPI, header: BlockHeaderAPI) -> int:
    base = base_fee(header)
    return min(transaction.max_fee_per_gas, base + transaction.max_priority_fee_per_gas)


def transaction_answer(
    transaction: SignedTransactionAPI, header: BlockHeaderAPI, position: int
) -> dict[str, Any]:
    kind = transaction.type_id or 0
    answer: dict[str, Any] = {
        "hash": hexed(transaction.hash),
        "type": hex(kind),
        "nonce": hex(transaction.nonce),
        "blockHash": hexed(header.hash),
        "blockNumber": hex(header.block_number),
        "transactionIndex": hex(position),
        "from": hexed(transaction.sender),
        "to": hexed(transaction.to) if transaction.to else None,
        "value": hex(transaction.value),
        "gas": hex(transaction.gas),
        "gasPrice": hex(effective_gas_price(transaction, header)),
        "input": hexed(transaction.data),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
    }
    chain_id = transaction.chain_id
    if chain_id is not None:
        answer["chainId"] = hex(chain_id)
    if kind == 0:
        answer["v"] = hex(transaction.v)  # type: ignore[attr-defined]
        return answer
    answer["v"] = answer["yParity"] = hex(transaction.y_parity)
    answer["accessList"] = [
        {"address": hexed(address), "storageKeys": [hexed(k.to_bytes(32, "big")) for k in keys]}
        for address, keys in transaction.access_list
    ]
    if kind >= 2:
        answer["maxFeePerGas"] = hex(transaction.max_fee_per_gas)
        answer["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas)
    return answer


def receipt_answer(
    transaction: SignedTransactionAPI,
    header: BlockHeaderAPI,
    position: int,
    receipts: tuple[ReceiptAPI, ...],
    first_log: int,
) -> dict[str, Any]:
    receipt = receipts[position]
    before = receipts[position - 1].gas_used if position else 0
    created = None
    if not transaction.to:
        created = hexed(generate_contract_address(transaction.sender, transaction.nonce))
    return {
        "transactionHash": hexed(transaction.hash),
        "transactionIndex": hex(position),
        "type": hex(transaction.type_id or 0),
        "blockHash": hexed(header.hash),
        "blockNumber": hex(header.block_number),
        "from": hexed(transaction.sender),
        "to": hexed(transaction.to) if transaction.to else None,
        "cumulativeGasUsed": hex(receipt.gas_used),
        "gasUsed": hex(receipt.gas_used - before),
        "effectiveGasPrice": hex(effective_gas_price(transaction, header)),
        "contractAddress": created,
        "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
        "logsBloom": hexed(receipt.bloom.to_bytes(256, "big")),
        "logs": [
            log_answer(
                header,
                transaction.hash,
                position,
                first_log + offset,
                log.address,
                [topic.to_bytes(32, "big") for topic in log.topics],
                log.data,
            )
            for offset, log in enumerate(receipt.logs)
        ],
    }


def log_answer(
    header: BlockHeaderAPI,
    transaction_hash: bytes,
    position: int,
    index: int,
    address: bytes,
    topics: list[bytes],
    data: bytes,
) -> dict[str, Any]:
    return {
        "address": hexed(address),
        "topics": [hexed(topic) for topic in topics],
        "data": hexed(data),
        "blockNumber": hex(header.block_number),
        "blockHash": hexed(header.hash),
        "blockTimestamp": hex(header.timestamp),
        "transactionHash": hexed(transaction_hash),
        "transactionIndex": hex(position),
        "logIndex": hex(index),
        "removed": False,
    }
