"""How ids are written on the chain: keccak256 of their UTF-8 text, 32 bytes each."""

from __future__ import annotations

from functools import lru_cache

from eth_hash.auto import keccak


@lru_cache(maxsize=4096)
def institution_id(slug: str) -> bytes:
    """An institution's on-chain id."""
    return bytes(keccak(slug.encode("utf-8")))


@lru_cache(maxsize=256)
def kind_id(kind: str) -> bytes:
    """A kind's on-chain id, ``registrar`` included."""
    return bytes(keccak(kind.encode("utf-8")))


def did_hash(did: str) -> bytes:
    """What the registry knows an issuer's DID by."""
    return bytes(keccak(did.encode("utf-8")))


def next_head(head: bytes, root: bytes, institution: bytes, sequence: int) -> bytes:
    """The head after an anchor: keccak256(abi.encode(head, root, institution, sequence))."""
    return bytes(keccak(head + root + institution + sequence.to_bytes(32, "big")))


def first_head(chain_id: int, contract: str) -> bytes:
    """The head before any anchor, different for each contract on each chain."""
    from eth_abi.abi import encode

    packed = encode(["string", "uint256", "address"], ["baeum/head/0", chain_id, contract])
    return bytes(keccak(packed))
