"""Opaque ids of our own: a prefix and 26 characters of base32.

A learner's id is random and says nothing. Ids of things there are millions of begin with the time
they were made, so that an index grows at its end instead of everywhere.
"""

from __future__ import annotations

import base64
import os
from datetime import datetime


def random_id(prefix: str) -> str:
    """``prefix_`` and 128 random bits."""
    return f"{prefix}_{_encode(os.urandom(16))}"


def ordered_ids(prefix: str, count: int, now: datetime) -> list[str]:
    """``count`` ids that sort by ``now`` (48 bits of milliseconds), then at random (80 bits)."""
    moment = int(now.timestamp() * 1000).to_bytes(6, "big")
    # One pass over all of them: 20 bytes are 32 letters, of which the first 26 are kept.
    noise = os.urandom(14 * count)
    raw = b"".join([moment + noise[i : i + 14] for i in range(0, 14 * count, 14)])
    letters = base64.b32hexencode(raw).decode().lower()
    return [f"{prefix}_{letters[i : i + 26]}" for i in range(0, 32 * count, 32)]


def _encode(value: bytes) -> str:
    return base64.b32hexencode(value)[:26].decode().lower()
