"""Calls, answers and errors of our contracts, encoded and decoded without web3."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak

import contracts

_PANIC = bytes.fromhex("4e487b71")
_ERROR = bytes.fromhex("08c379a0")


@lru_cache(maxsize=256)
def selector(signature: str) -> bytes:
    """The four bytes of ``name(type,type)``."""
    return bytes(keccak(signature.encode("ascii"))[:4])


def types_of(signature: str) -> list[str]:
    """The parameter types of ``name(type,type)``; none of ours is a tuple."""
    inner = signature[signature.index("(") + 1 : -1]
    return inner.split(",") if inner else []


def call_data(signature: str, values: Sequence[Any] = ()) -> bytes:
    """Calldata of a function given as ``name(type,type)``."""
    return selector(signature) + encode(types_of(signature), list(values))


def topic(signature: str) -> str:
    """The first topic of an event, 0x-hex."""
    return "0x" + bytes(keccak(signature.encode("ascii"))).hex()


def describe_revert(data: bytes) -> str:
    """What a contract refused with, for people: ``NotAccredited(0x…, 0x…, 4)``."""
    if data[:4] == _ERROR:
        return str(_decoded(["string"], data[4:]))
    if data[:4] == _PANIC:
        return f"Panic{_decoded(['uint256'], data[4:])}"
    known = _errors().get(data[:4])
    if known is None:
        return f"unknown error 0x{data.hex()}" if data else "no reason given"
    name, types = known
    return f"{name}{_decoded(types, data[4:])}"


def error_name(data: bytes) -> str | None:
    """The name of the custom error, None when it is not one of our contracts'."""
    known = _errors().get(data[:4])
    return known[0] if known else None


def _decoded(types: list[str], data: bytes) -> str:
    try:
        values = decode(types, data)
    except (DecodingError, UnicodeDecodeError):
        return "(?)"
    shown = ["0x" + value.hex() if isinstance(value, bytes) else str(value) for value in values]
    return f"({', '.join(shown)})"


@lru_cache(maxsize=1)
def _errors() -> dict[bytes, tuple[str, list[str]]]:
    found: dict[bytes, tuple[str, list[str]]] = {}
    for name in contracts.names():
        for entry in contracts.load(name).abi:
            if entry["type"] == "error":
                types = [parameter["type"] for parameter in entry["inputs"]]
                found[selector(f"{entry['name']}({','.join(types)})")] = (entry["name"], types)
    return found


@lru_cache(maxsize=8)
def selectors_of(contract: str) -> frozenset[bytes]:
    """The selectors of every function of a contract."""
    return frozenset(
        selector(f"{entry['name']}({','.join(p['type'] for p in entry['inputs'])})")
        for entry in contracts.load(contract).abi
        if entry["type"] == "function"
    )
