"""How much one request may ask for. One place, so that an operator and a test see the same."""

from __future__ import annotations

from dataclasses import dataclass

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, counts and seconds. What is over a limit is refused before it is worked on."""

    json_bytes: int = MEBIBYTE
    """A JSON, text or evidence body."""
    upload_bytes: int = 10 * MEBIBYTE
    """A multipart body or an image: a photograph of a QR code from a phone."""
    image_pixels: int = 50_000_000
    """Width times height, told from the image's header before a pixel is decoded."""
    rpc_batch: int = 50
    """Calls in one JSON-RPC batch."""
    rpc_log_blocks: int = 10_000
    """Blocks one eth_getLogs may span."""
    workers: int = 2
    """Verifications that run at the same time; as many reads of chain and status lists."""
    waiting: int = 64
    """Of each, how many may wait for their turn; the next one is told to come back."""
    seconds: float = 20.0
    """After this long the caller is told that it took too long."""
    body_seconds: float = 30.0
    """A request body has to arrive within this time."""
    sign_ins_a_minute: int = 60
    """From one address, over all accounts; each account has its own wait besides."""
    api_calls_a_minute: int = 1_200
    """With one token or key."""
    probe_seconds: float = 3.0
    """How long a dependency has to answer ``/readyz``."""
