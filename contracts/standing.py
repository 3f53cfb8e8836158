"""The registry's answer about a DID, recomputed from its storage.

``InstitutionRegistry.standing`` is a pure function of a few storage slots. Who holds proofs of
those slots (EIP-1186) can therefore answer without any node. Line by line the same as the
contract; a test compares both over every kind of answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from eth_hash.auto import keccak

from contracts.artifact import load

UNKNOWN_DID, ACCREDITED, PROVISIONAL, NOT_ACCREDITED, SUSPENDED, ENDED, KEY_NOT_VALID = range(7)
REGISTRAR = keccak(b"registrar")

_FLAG_PROVISIONAL, _FLAG_DELEGATED = 1, 2
_DATE = (1 << 40) - 1
_COUNT = (1 << 32) - 1
# More periods than an authority would ever record: a bound for a forged or absurd state.
MAX_PERIODS = 10_000

Storage = Callable[[int], int]
"""The 256-bit word in a storage slot of the registry; raises what it likes when unknown."""


def standing(storage: Storage, did_hash: bytes, kind: bytes, time: int) -> tuple[bytes, int]:
    """(institution, code) as ``standing(didHash, kind, time)`` returns; ``time`` in Unix seconds.

    Raises whatever ``storage`` raises, and ``ValueError`` for a state no contract could have.
    """
    key = _slot("_dids", did_hash)
    institution = storage(key).to_bytes(32)
    if institution == bytes(32):
        return institution, UNKNOWN_DID
    validity = storage(key + 1)
    if not validity & _DATE <= time < validity >> 40 & _DATE:
        return institution, KEY_NOT_VALID
    return institution, standing_of(storage, institution, kind, time)


def did_period(storage: Storage, did_hash: bytes) -> tuple[bytes, int, int]:
    """(institution, from, until) as ``didOf(didHash)`` returns; zeros when unknown."""
    key = _slot("_dids", did_hash)
    validity = storage(key + 1)
    return storage(key).to_bytes(32), validity & _DATE, validity >> 40 & _DATE


def standing_of(
    storage: Storage, institution: bytes, scope: bytes, time: int, *, via_delegation: bool = True
) -> int:
    """The code ``standingOf(institution, scope, time)`` returns; errors as for ``standing``."""
    found = storage(_slot("_accreditations", institution, scope))
    if _until(found) == 0:
        return NOT_ACCREDITED
    index = _bounded(found >> 88 & _COUNT)
    ended = False
    while not found & _DATE <= time < _until(found):
        if time >= _until(found):
            ended = True
            break
        if index == 0:
            return NOT_ACCREDITED
        index -= 1
        found = storage(_slot("_pastAccreditations", institution, scope, index.to_bytes(32)))
    record = storage(_slot("_institutions", institution))
    withdrawn = record >> 40 & _DATE
    if ended or (withdrawn != 0 and time >= withdrawn):
        return ENDED
    if _suspended(storage, institution, record, time):
        return SUSPENDED
    flags = found >> 80 & 0xFF
    if flags & _FLAG_DELEGATED:
        if not via_delegation:
            return NOT_ACCREDITED
        delegator = storage(_slot("_delegators", institution, scope, index.to_bytes(32)))
        theirs = standing_of(storage, delegator.to_bytes(32), scope, time, via_delegation=False)
        if theirs not in (ACCREDITED, PROVISIONAL):
            return SUSPENDED if theirs == SUSPENDED else ENDED
    return PROVISIONAL if flags & _FLAG_PROVISIONAL else ACCREDITED


def _suspended(storage: Storage, institution: bytes, record: int, time: int) -> bool:
    since = record >> 80 & _DATE
    if since != 0 and time >= since:
        return True
    for index in reversed(range(_bounded(record >> 120 & _COUNT))):
        period = storage(_slot("_pastSuspensions", institution, index.to_bytes(32)))
        if time >= _until(period):
            return False
        if time >= period & _DATE:
            return True
    return False


def _until(word: int) -> int:
    return word >> 40 & _DATE


def _bounded(count: int) -> int:
    if count > MAX_PERIODS:
        raise ValueError("more periods than a registry holds")
    return count


def _slot(label: str, *keys: bytes) -> int:
    """The slot of a (nested) mapping's entry, as Solidity lays storage out."""
    slot = _layout()[label].to_bytes(32)
    for key in keys:
        slot = keccak(key + slot)
    return int.from_bytes(slot)


@cache
def _layout() -> dict[str, int]:
    """Where the deployed contract, which inherits from the registry, keeps each mapping."""
    return {place["label"]: int(place["slot"]) for place in load("CredentialAnchor").storage}
