"""Running a contract without a transaction: ``eth_call`` and ``eth_estimateGas``."""

from __future__ import annotations

from typing import Any

from eth.abc import BlockHeaderAPI, ComputationAPI, StateAPI
from eth.exceptions import Revert
from eth.vm.forks.prague import PragueVM
from eth.vm.spoof import SpoofTransaction
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_typing import Address
from eth_utils.exceptions import ValidationError

from ledger.chain.embedded.node import Node
from ledger.chain.embedded.values import (
    EXECUTION_REVERTED,
    hexed,
    invalid,
    refused,
    to_bytes,
    to_int,
)
from ledger.chain.endpoint import EndpointError

_ERROR_SELECTOR = bytes.fromhex("08c379a0")


def call(node: Node, request: Any, header: BlockHeaderAPI) -> str:
    """The output of a call in the context of a block, as hex. A revert is error 3 with its data."""
    computation = _run(node, request, header, _gas(request, header))
    _require_success(computation)
    return hexed(computation.output)


def estimate(node: Node, request: Any, header: BlockHeaderAPI) -> str:
    """The least gas limit with which the call succeeds, exact but for a sixty-fourth."""
    most = _gas(request, header)
    computation = _run(node, request, header, most)
    _require_success(computation)
    used = computation.transaction_gas_used
    low, high = used - 1, most
    for guess in (used, used + computation.get_gas_refund(), (used * 64) // 63 + 2300):
        if low < guess < high:
            if _run(node, request, header, guess).is_success:
                high = guess
                break
            low = guess
    while high - low > max(1, high // 64):
        middle = (low + high) // 2
        if _run(node, request, header, middle).is_success:
            high = middle
        else:
            low = middle
    return hex(high)


def _gas(request: Any, header: BlockHeaderAPI) -> int:
    gas = request.get("gas") if isinstance(request, dict) else None
    return min(to_int(gas, "gas"), header.gas_limit) if gas is not None else header.gas_limit


def _run(node: Node, request: Any, header: BlockHeaderAPI, gas: int) -> Any:
    if not isinstance(request, dict):
        raise invalid("the call must be an object")
    data = request.get("input", request.get("data")) or "0x"
    to = request.get("to")
    sender = Address(to_bytes(request["from"], "from", 20) if request.get("from") else bytes(20))
    state = node.state(header, free=True)
    unsigned = PragueVM.create_unsigned_transaction(
        nonce=state.get_nonce(sender),
        gas_price=0,
        gas=gas,
        to=Address(to_bytes(to, "to", 20) if to else b""),
        value=to_int(request["value"], "value") if request.get("value") else 0,
        data=to_bytes(data, "data"),
    )
    transaction = SpoofTransaction(unsigned, from_=sender)
    try:
        return _metered(state, transaction)
    except ValidationError as error:
        raise refused(str(error)) from error


def _metered(state: StateAPI, transaction: Any) -> ComputationAPI:
    # A spoofed transaction costs nothing, so the gas shows only in the computation.
    computation = state.costless_execute_transaction(transaction)
    left = computation.get_gas_remaining()
    used = transaction.gas - left
    refund = min(computation.get_gas_refund(), used // 5)
    tokens = sum(1 if byte == 0 else 4 for byte in transaction.data)
    computation.transaction_gas_used = max(used - refund, 21_000 + 10 * tokens)  # type: ignore[attr-defined]
    return computation


def _require_success(computation: ComputationAPI) -> None:
    if computation.is_success:
        return
    if isinstance(computation.error, Revert):
        raise EndpointError(
            EXECUTION_REVERTED,
            "execution reverted" + _reason(computation.output),
            hexed(computation.output),
        )
    raise refused(f"{type(computation.error).__name__}: {computation.error}")


def _reason(output: bytes) -> str:
    if output[:4] != _ERROR_SELECTOR:
        return ""
    try:
        return f": {decode(['string'], output[4:])[0]}"
    except (DecodingError, UnicodeDecodeError):
        return ""
