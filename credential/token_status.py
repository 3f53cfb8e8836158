"""Token Status List (draft-ietf-oauth-status-list): the status of many tokens in one JWT.

Like the Bitstring list it says the same as (``credential.status``), except that entry 0 is in the
*least* significant bits of the first byte, that it is compressed by zlib, and that one entry may
have 1, 2, 4 or 8 bits: here 2, for valid, invalid and suspended in a single list.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from credential import jose, multibase
from credential.status import StatusListInvalid

TYP: Final = "statuslist+jwt"
VALID: Final = 0x00
INVALID: Final = 0x01
SUSPENDED: Final = 0x02
"""The status types of section 7.1."""

WIDTHS: Final = (1, 2, 4, 8)
MAX_BYTES: Final = 16 * 1024 * 1024
MAX_TEXT: Final = 24 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TokenStatusList:
    """``bits`` for each entry, packed from the least significant bit up."""

    bits: int
    packed: bytes

    def __len__(self) -> int:
        return len(self.packed) * 8 // self.bits

    def __getitem__(self, index: int) -> int:
        """The status at ``index``. Raises ``StatusListInvalid`` when there is no such place."""
        if not 0 <= index < len(self):
            raise StatusListInvalid(
                f"상태 목록에 {index}번이 없습니다.",
                f"The status list has no index {index}.",
                "index",
            )
        place = index * self.bits
        return self.packed[place >> 3] >> (place & 7) & (1 << self.bits) - 1

    def to_json(self) -> dict[str, Any]:
        """The ``status_list`` claim (section 4.2)."""
        return {"bits": self.bits, "lst": multibase.base64url(zlib.compress(self.packed, 9))}


def from_bitstrings(revoked: bytes, suspended: bytes) -> TokenStatusList:
    """The list that says what two Bitstring lists of equal length say; revocation outweighs."""
    if len(revoked) != len(suspended):
        raise ValueError("the lists differ in length")
    packed = bytearray(2 * len(revoked))
    for place, (gone, held) in enumerate(zip(revoked, suspended, strict=True)):
        if gone or held:
            entry = _SPREAD[gone] | _SPREAD[held & ~gone] << 1
            packed[2 * place] = entry & 0xFF
            packed[2 * place + 1] = entry >> 8
    return TokenStatusList(2, bytes(packed))


def decode(claim: object, *, max_bytes: int = MAX_BYTES) -> TokenStatusList:
    """The list in a ``status_list`` claim; inflating stops beyond ``max_bytes``.

    Raises ``StatusListInvalid``.
    """
    if not isinstance(claim, Mapping):
        raise StatusListInvalid("상태 목록이 없습니다.", "There is no status list.", "text")
    bits, text = claim.get("bits"), claim.get("lst")
    if type(bits) is not int or bits not in WIDTHS:
        raise StatusListInvalid("bits는 1, 2, 4, 8입니다.", "bits is 1, 2, 4 or 8.", "bits")
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise StatusListInvalid("인코딩된 목록이 아닙니다.", "Not an encoded list.", "text")
    try:
        packed = multibase.from_base64url(text)
    except multibase.NotMultibase as error:
        raise StatusListInvalid(error.detail.ko, error.detail.en, "text") from error
    return TokenStatusList(bits, _inflate(packed, max_bytes))


def sign(
    entries: TokenStatusList,
    *,
    uri: str,
    issued_at: int,
    expires_at: int,
    ttl: int,
    algorithm: str,
    kid: str,
    sign: jose.Sign,
) -> str:
    """A Status List Token (section 5.1). ``uri`` is where it is published; ``ttl`` in seconds."""
    claims = {
        "iss": kid.partition("#")[0],
        "sub": uri,
        "iat": issued_at,
        "exp": expires_at,
        "ttl": ttl,
        "status_list": entries.to_json(),
    }
    return jose.sign(claims, algorithm=algorithm, typ=TYP, kid=kid, sign=sign)


def reference(uri: str, index: int) -> dict[str, Any]:
    """The ``status`` claim of a token (section 6.2)."""
    return {"status_list": {"idx": index, "uri": uri}}


def _inflate(packed: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(packed, limit + 1)
    except zlib.error as error:
        raise StatusListInvalid("zlib이 아닙니다.", "Not zlib.", "zlib") from error
    if len(data) > limit:
        raise StatusListInvalid(
            "상태 목록이 허용된 크기보다 큽니다.",
            "The status list is larger than allowed.",
            "too-long",
        )
    if not inflater.eof or inflater.unused_data:
        raise StatusListInvalid("zlib이 온전하지 않습니다.", "The zlib is not whole.", "zlib")
    return data


def _spread(byte: int) -> int:
    """Bit ``7 - i`` of a Bitstring byte as bit ``2 i`` of an entry pair."""
    return sum(1 << 2 * place for place in range(8) if byte & 0x80 >> place)


_SPREAD: Final = tuple(_spread(byte) for byte in range(256))
