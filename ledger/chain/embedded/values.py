"""Reading the parameters of a JSON-RPC request and writing its answers."""

from __future__ import annotations

from typing import Any

from ledger.chain.endpoint import EndpointError

INVALID_PARAMS = -32602
SERVER_ERROR = -32000
METHOD_NOT_FOUND = -32601
LIMIT_EXCEEDED = -32005
EXECUTION_REVERTED = 3


def invalid(what: str) -> EndpointError:
    return EndpointError(INVALID_PARAMS, f"invalid argument: {what}")


def refused(what: str) -> EndpointError:
    return EndpointError(SERVER_ERROR, what)


def hexed(data: bytes) -> str:
    return "0x" + bytes(data).hex()


def to_bytes(value: Any, what: str, length: int | None = None) -> bytes:
    if not isinstance(value, str) or not value.startswith("0x") or len(value) % 2:
        raise invalid(f"{what} must be 0x-prefixed hex bytes")
    try:
        data = bytes.fromhex(value[2:])
    except ValueError as error:
        raise invalid(f"{what} must be 0x-prefixed hex bytes") from error
    if length is not None and len(data) != length:
        raise invalid(f"{what} must be {length} bytes long")
    return data


def to_int(value: Any, what: str, bits: int = 256) -> int:
    if isinstance(value, str) and value.startswith("0x") and len(value) > 2:
        try:
            number = int(value[2:], 16)
        except ValueError as error:
            raise invalid(f"{what} must be a 0x-prefixed quantity") from error
        if number.bit_length() <= bits:
            return number
    raise invalid(f"{what} must be a 0x-prefixed quantity of at most {bits} bits")


def param(params: list[Any], index: int, what: str) -> Any:
    if index >= len(params):
        raise invalid(f"missing value for required argument {index}: {what}")
    return params[index]
