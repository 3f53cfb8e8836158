"""What a raw transaction must be before a block is made of it, with the errors other nodes give."""

from __future__ import annotations

from eth.abc import SignedTransactionAPI
from eth.exceptions import PyEVMError
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException

from ledger.chain.embedded.node import Node, base_fee
from ledger.chain.embedded.values import hexed, refused
from ledger.chain.endpoint import EndpointError


def admit(node: Node, raw: bytes, now: int) -> SignedTransactionAPI:
    """The transaction, if the next block can hold it. Raises EndpointError.

    A nonce above the account's next one is refused: nothing waits here, every transaction is in a
    block before its sender is answered.
    """
    transaction = _decoded(node, raw)
    if node.place_of(transaction.hash) is not None:
        raise refused("already known")
    try:
        transaction.validate()
        sender = transaction.sender
        if not transaction.is_signature_valid:
            raise refused("invalid sender")
    except (ValidationError, BadSignature) as error:
        raise refused("invalid sender") from error
    if transaction.chain_id != node.chain_id:
        raise refused("invalid chain id for signer: only replay-protected (EIP-155) transactions")
    header = node.next_header(now)
    state = node.state(header)
    nonce = state.get_nonce(sender)
    who = f"address {hexed(sender)}"
    if transaction.nonce < nonce:
        raise refused(f"nonce too low: {who}, tx: {transaction.nonce} state: {nonce}")
    if transaction.nonce > nonce:
        raise refused(f"nonce too high: {who}, tx: {transaction.nonce} state: {nonce}")
    if transaction.gas > header.gas_limit:
        raise refused("exceeds block gas limit")
    if transaction.max_fee_per_gas < base_fee(header):
        raise refused(
            f"max fee per gas less than block base fee: {who}, "
            f"maxFeePerGas: {transaction.max_fee_per_gas}, baseFee: {base_fee(header)}"
        )
    if transaction.max_fee_per_gas < transaction.max_priority_fee_per_gas:
        raise refused("max priority fee per gas higher than max fee per gas")
    have = state.get_balance(sender)
    want = transaction.gas * transaction.max_fee_per_gas + transaction.value
    if have < want:
        raise refused(f"insufficient funds for gas * price + value: {who} have {have} want {want}")
    if transaction.gas < transaction.intrinsic_gas:
        raise refused(f"intrinsic gas too low: gas {transaction.gas}")
    return transaction


def include(node: Node, transaction: SignedTransactionAPI, now: int) -> None:
    """Make a block of an admitted transaction. Raises EndpointError when the EVM refuses it."""
    try:
        node.mine((transaction,), now)
    except (PyEVMError, ValidationError) as error:
        raise refused(f"{type(error).__name__}: {error}") from error


def _decoded(node: Node, raw: bytes) -> SignedTransactionAPI:
    if raw[:1] == b"\x03":
        raise refused("transaction type not supported")
    try:
        return node.decode(raw)
    except (RLPException, PyEVMError, ValidationError, ValueError, TypeError, LookupError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> EndpointError:
    return refused(f"rlp: not a transaction: {error}")
