"""Who sealed a block of a permissioned network: QBFT committed seals and clique signatures.

Only what a verifier without a network needs: the signers of one header, the hash the network
knows the block by, and how many distinct validators make headers believable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rlp
from eth_hash.auto import keccak

from credential.chain_proof import Header, NotProven, decode_rlp

QBFT, CLIQUE = "qbft", "clique"
_VANITY, _SEAL = 32, 65


def block_hash(header: Header, kind: str | None) -> bytes:
    """The hash a network of that kind knows the block by.

    A QBFT network hashes the header with round 0 and no seals (each validator may hold another
    set of them), every other network the header as it is. Raises ``NotProven``.
    """
    if kind != QBFT:
        return header.hash
    vanity, validators, vote, _, _ = _qbft(header)
    return header.with_extra_data(rlp.encode([vanity, validators, vote, b"", []])).hash


def signers(header: Header, kind: str) -> frozenset[bytes]:
    """The addresses (20 bytes) whose seals stand in the header. Raises ``NotProven``."""
    if kind == QBFT:
        vanity, validators, vote, round_, seals = _qbft(header)
        sealed = header.with_extra_data(rlp.encode([vanity, validators, vote, round_, []]))
        return frozenset(_recover(sealed.hash, seal) for seal in seals)
    if kind == CLIQUE:
        extra = header.extra_data
        if len(extra) < _VANITY + _SEAL:
            raise _no_seal()
        return frozenset({_recover(header.with_extra_data(extra[:-_SEAL]).hash, extra[-_SEAL:])})
    raise ValueError(f"unknown kind of seal: {kind}")


def require_quorum(
    headers: Sequence[Header], kind: str, validators: frozenset[bytes]
) -> frozenset[bytes]:
    """The validators who vouch for ``headers``, oldest first, each the parent of the next.

    QBFT: two thirds of the validators, rounded up, sealed the newest. Clique: one validator signs
    each header, so every signer must be one and together they must be more than half. Raises
    ``NotProven``.
    """
    if kind == QBFT:
        found = signers(headers[-1], kind) & validators
        needed = -(-2 * len(validators) // 3)
    else:
        found = frozenset().union(*(signers(header, kind) for header in headers))
        if found - validators:
            raise NotProven(
                "검증자가 아닌 계정이 봉인한 블록이 있습니다.",
                "A block was sealed by an account that is not a validator.",
            )
        needed = len(validators) // 2 + 1
    if not validators or len(found) < needed:
        raise NotProven(
            f"블록을 봉인한 검증자가 모자랍니다({len(found)}/{needed}).",
            f"Too few validators sealed the block ({len(found)} of {needed} needed).",
        )
    return found


def _qbft(header: Header) -> list[Any]:
    extra = decode_rlp(header.extra_data)
    if (
        not isinstance(extra, list)
        or len(extra) != 5
        or not isinstance(extra[0], bytes)
        or not isinstance(extra[1], list)
        or not isinstance(extra[3], bytes)
        or not isinstance(extra[4], list)
        or not all(isinstance(seal, bytes) for seal in extra[4])
    ):
        raise _no_seal()
    return extra


def _recover(hash_: bytes, seal: bytes) -> bytes:
    from eth_keys.datatypes import Signature
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError

    if len(seal) != _SEAL:
        raise _no_seal()
    try:
        key = Signature(seal).recover_public_key_from_msg_hash(hash_)
    except (BadSignature, ValidationError) as wrong:
        raise _no_seal() from wrong
    return bytes(keccak(key.to_bytes())[-20:])


def _no_seal() -> NotProven:
    return NotProven(
        "블록에 읽을 수 있는 봉인이 없습니다.", "The block carries no seal that can be read."
    )
