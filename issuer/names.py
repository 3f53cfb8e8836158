"""Names made from other names: UUIDs that anyone (or only the key's holder) can make again."""

from __future__ import annotations

import uuid


def name_based_urn(digest: bytes) -> str:
    """The first 16 bytes of ``digest`` as a version 8 UUID URN (RFC 9562 section 5.8)."""
    value = int.from_bytes(digest[:16], "big")
    value &= ~(0xF << 76) & ~(0x3 << 62)
    return f"urn:uuid:{uuid.UUID(int=value | 0x8 << 76 | 0x2 << 62)}"
