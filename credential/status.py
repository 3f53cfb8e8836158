"""Bitstring Status List v1.0: one bit for each credential, compressed and multibase encoded.

Index 0 is the leftmost, most significant bit of the first byte (section 3.3 of the W3C
Recommendation). Decoding stops as soon as more comes out than a list may hold.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from typing import ClassVar

from credential import multibase
from credential.errors import BaeumError
from credential.text import Text

MIN_BITS = 131_072
"""The least length of a list (16 KB), so that an index points at one of many."""

MAX_BITS = 8 * 16 * 1024 * 1024
MAX_TEXT = 24 * 1024 * 1024


class StatusListInvalid(BaeumError):
    """The encoded list is not one, is too short or too long, or has no such index."""

    code: ClassVar[str] = "status-list-invalid"
    title: ClassVar[Text] = Text("상태 목록을 읽을 수 없습니다", "The status list cannot be read")
    status: ClassVar[int] = 422

    def __init__(self, ko: str, en: str, reason: str) -> None:
        super().__init__(
            Text(ko, en),
            Text("발급 기관에 알려 주십시오.", "Tell the institution that issued the credential."),
            {"reason": reason},
        )


def encode(bits: bytes) -> str:
    """``u`` and the base64url of the gzip of the bits; the same bits give the same text."""
    # mtime 0 and a fixed level: equal lists must be equal texts, to be signed and hashed
    return "u" + multibase.base64url(gzip.compress(bits, compresslevel=9, mtime=0))


def decode(text: object, *, min_bits: int = MIN_BITS, max_bits: int = MAX_BITS) -> bytes:
    """The bits of an encoded list; raises ``StatusListInvalid``.

    Lists without the multibase prefix are read too, as early issuers wrote them.
    """
    if not isinstance(text, str) or not text or len(text) > MAX_TEXT:
        raise StatusListInvalid("인코딩된 목록이 아닙니다.", "Not an encoded list.", "text")
    try:
        packed = multibase.from_base64url(text[1:] if text[0] == "u" else text)
    except multibase.NotMultibase as error:
        raise StatusListInvalid(error.detail.ko, error.detail.en, "text") from error
    bits = _inflate(packed, -(-max_bits // 8))
    if len(bits) * 8 < min_bits:
        raise StatusListInvalid(
            f"상태 목록이 {min_bits:,}비트보다 짧습니다.",
            f"The status list is shorter than {min_bits:,} bits.",
            "too-short",
        )
    return bits


def bit(bits: bytes, index: int) -> bool:
    """The status at ``index``; raises ``StatusListInvalid`` when the list has no such index."""
    _check_index(bits, index)
    return bool(bits[index >> 3] & 0x80 >> (index & 7))


def with_bits(bits: bytes, indices: Iterable[int], on: bool) -> bytes:
    """A copy of the list with all ``indices`` set or cleared."""
    changed = bytearray(bits)
    for index in indices:
        _check_index(bits, index)
        mask = 0x80 >> (index & 7)
        if on:
            changed[index >> 3] |= mask
        else:
            changed[index >> 3] &= ~mask
    return bytes(changed)


def _inflate(packed: bytes, limit: int) -> bytes:
    """Gunzip at most ``limit`` bytes (RFC 1952), one member, nothing after it."""
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        bits = inflater.decompress(packed, limit + 1)
    except zlib.error as error:
        raise StatusListInvalid("gzip이 아닙니다.", "Not gzip.", "gzip") from error
    if len(bits) > limit:
        raise StatusListInvalid(
            "상태 목록이 허용된 크기보다 큽니다.",
            "The status list is larger than allowed.",
            "too-long",
        )
    if not inflater.eof or inflater.unused_data:
        raise StatusListInvalid("gzip이 온전하지 않습니다.", "The gzip is not whole.", "gzip")
    return bits


def _check_index(bits: bytes, index: int) -> None:
    if not 0 <= index < len(bits) * 8:
        raise StatusListInvalid(
            f"상태 목록에 {index}번이 없습니다.", f"The status list has no index {index}.", "index"
        )
