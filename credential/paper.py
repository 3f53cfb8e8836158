"""Evidence small enough for a QR code: on paper, or in a link after the ``#``.

``v1.`` and base64url of: the receipt in binary (its length in two bytes, zero for none), then the
credential's RFC 8785 text, deflated with a dictionary of what our credentials have in common.
The dictionary is part of the format and never changes; another one is another version.
"""

from __future__ import annotations

import hashlib
import zlib
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from credential import evidence, jcs, multibase
from credential.evidence import Evidence, EvidenceUnreadable
from credential.receipt import TYPE, Receipt, ReceiptMalformed

PREFIX = "v1."
QR_LIMIT = 2_900
"""Characters a version 40 QR code with the lowest error correction carries, less a margin."""

MAX_TEXT = 64_000
DICTIONARY_SHA256 = "3c9da8971d96e5d92650e512b3059605fcf317442b7e1098b10cf0a1dd0d8e76"


class TooLargeForPaper(EvidenceUnreadable):
    """The evidence does not fit a QR code; it can still be handed over as a file."""

    code = "too-large-for-paper"

    def __init__(self, length: int) -> None:
        super().__init__(
            f"QR 코드에 담기에는 증명이 너무 큽니다({length:,}자).",
            f"The credential is too large for a QR code ({length:,} characters).",
            "too-large",
        )


def encode(evidence: Evidence, *, limit: int | None = QR_LIMIT) -> str:
    """The evidence as text; raises ``TooLargeForPaper`` beyond ``limit`` characters, if any."""
    receipt = b"" if evidence.receipt is None else _pack(evidence.receipt)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, _dictionary())
    packed = deflate.compress(jcs.canonical(evidence.credential)) + deflate.flush()
    text = PREFIX + multibase.base64url(len(receipt).to_bytes(2) + receipt + packed)
    if limit is not None and len(text) > limit:
        raise TooLargeForPaper(len(text))
    return text


def decode(text: str) -> Evidence:
    """The evidence in a text, or in a link that ends with ``#`` and the text.

    Raises ``EvidenceUnreadable``.
    """
    payload = text.strip().rpartition("#")[2]
    if not payload.startswith(PREFIX) or len(payload) > MAX_TEXT:
        raise _unreadable("shape")
    try:
        data = multibase.from_base64url(payload.removeprefix(PREFIX))
    except multibase.NotMultibase as error:
        raise _unreadable("shape") from error
    length = int.from_bytes(data[:2])
    receipt, packed = data[2 : 2 + length], data[2 + length :]
    if len(data) < 2 or len(receipt) != length:
        raise _unreadable("shape")
    credential = evidence.strict_json(_inflate(packed))
    if not isinstance(credential, dict) or "@context" not in credential:
        raise _unreadable("shape")
    return Evidence(credential, _unpack(receipt) if receipt else None)


def looks_like(text: str) -> bool:
    """Whether the text may be one of these, for a reader that accepts several forms."""
    return text.strip().rpartition("#")[2].startswith(PREFIX)


@cache
def _dictionary() -> bytes:
    data = resources.files("credential").joinpath("data/paper/v1.txt").read_bytes()
    if hashlib.sha256(data).hexdigest() != DICTIONARY_SHA256:
        raise _unreadable("dictionary")
    return data


def _inflate(packed: bytes) -> bytes:
    inflate = zlib.decompressobj(-15, zdict=_dictionary())
    try:
        data = inflate.decompress(packed, evidence.MAX_BYTES + 1)
    except zlib.error as error:
        raise _unreadable("shape") from error
    if len(data) > evidence.MAX_BYTES:
        raise _unreadable("too-large")
    if not inflate.eof or inflate.unused_data:
        raise _unreadable("shape")
    return data


def _unreadable(reason: str) -> EvidenceUnreadable:
    return EvidenceUnreadable(
        "QR 코드의 내용을 읽을 수 없습니다. 가려지거나 잘린 곳이 없는지 확인하십시오.",
        "The content of the QR code cannot be read. Check that no part is covered or cut off.",
        reason,
    )


_NUMBERS = ("leafIndex", "treeSize", "chainId", "blockNumber", "sequence")
_FIXED = (
    ("root", 32),
    ("contract", 20),
    ("institution", 32),
    ("anchoredBy", 32),
    ("transaction", 32),
    ("blockHash", 32),
    ("head", 32),
)


def _pack(receipt: Receipt) -> bytes:
    """Numbers and the block time as varints, hashes as they are, the path last."""
    body = receipt.to_json()
    numbers = [int(body[name]) for name in _NUMBERS]
    seconds = int(datetime.fromisoformat(receipt.block_time).timestamp())
    hashes = [bytes.fromhex(body[name][2:]) for name, _ in _FIXED]
    return b"".join([*map(_varint, [*numbers, seconds]), *hashes, *receipt.path])


def _unpack(data: bytes) -> Receipt:
    body: dict[str, Any] = {"type": TYPE}
    at = 0
    try:
        for name in (*_NUMBERS, "blockTime"):
            body[name], at = _read_varint(data, at)
        seconds = datetime.fromtimestamp(body["blockTime"], UTC)
    except (IndexError, ValueError, OverflowError, OSError) as error:
        raise _unreadable("receipt") from error
    body["blockTime"] = seconds.strftime("%Y-%m-%dT%H:%M:%SZ")
    for name, size in _FIXED:
        body[name] = "0x" + data[at : at + size].hex()
        at += size
    body["path"] = ["0x" + data[n : n + 32].hex() for n in range(at, len(data), 32)]
    try:
        return Receipt.from_json(body)
    except ReceiptMalformed as error:
        raise _unreadable("receipt") from error


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at ``at`` and where the next begins; raises IndexError or ValueError."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("number too long")
