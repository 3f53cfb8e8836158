"""Names made from other names: UUIDs that anyone (or only the key's holder) can make again."""

from __future__ import annotations


def name_based_urn(digest: bytes) -> str:
    """The first 16 bytes of ``digest`` as a version 8 UUID URN (RFC 9562 section 5.8)."""
    return _urn(digest, 8)


def random_urn(noise: bytes) -> str:
    """The first 16 bytes of ``noise`` as a version 4 UUID URN (RFC 9562 section 5.4)."""
    return _urn(noise, 4)


def _urn(data: bytes, version: int) -> str:
    # Written out because ``uuid.UUID`` costs five times as much, several times a credential.
    digits = data[:16].hex()
    variant = "89ab"[data[8] >> 4 & 3]
    return (
        f"urn:uuid:{digits[:8]}-{digits[8:12]}-{version}{digits[13:16]}"
        f"-{variant}{digits[17:20]}-{digits[20:]}"
    )
