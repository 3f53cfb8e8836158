"""Multibase texts: ``z`` base58btc and ``u`` base64url without padding, decoded strictly."""

from __future__ import annotations

import base64
import re
from typing import ClassVar

from credential.errors import BaeumError
from credential.text import Text

MAX_BASE58 = 4_096
"""Characters of base58 accepted; decoding takes quadratic time."""

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_TEN = 58**10
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


class NotMultibase(BaeumError):
    """The text is not the multibase encoding it should be."""

    code: ClassVar[str] = "not-multibase"
    title: ClassVar[Text] = Text("부호화가 올바르지 않습니다", "The encoding is not valid")
    status: ClassVar[int] = 422

    def __init__(self, reason: str) -> None:
        super().__init__(
            Text(f"멀티베이스 문자열이 아닙니다: {reason}", f"Not a multibase text: {reason}"),
            Text(
                "자료가 잘리거나 바뀌지 않았는지 확인하십시오.",
                "Check whether the data was cut or changed.",
            ),
        )


def base58(data: bytes) -> str:
    """base58btc without a prefix. Ten digits at a time: fast enough to sign in bulk."""
    value = int.from_bytes(data)
    digits: list[str] = []
    while value:
        value, ten = divmod(value, _TEN)
        for _ in range(5):
            ten, pair = divmod(ten, 3364)
            digits.append(_PAIRS[pair])
    text = "".join(reversed(digits)).lstrip("1")
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def from_base58(text: str) -> bytes:
    """The bytes of a base58btc text; raises ``NotMultibase``."""
    if len(text) > MAX_BASE58:
        raise NotMultibase("too long")
    value = 0
    for letter in text:
        digit = _VALUE.get(letter)
        if digit is None:
            raise NotMultibase(f"{letter!r} is not a base58 digit")
        value = value * 58 + digit
    body = value.to_bytes((value.bit_length() + 7) // 8)
    return b"\0" * (len(text) - len(text.lstrip("1"))) + body


def base64url(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """The bytes of an unpadded base64url text; one text only for each; raises ``NotMultibase``."""
    if _BASE64URL.fullmatch(text) is None or len(text) % 4 == 1:
        raise NotMultibase("not base64url without padding")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(data) != text:
        raise NotMultibase("unused bits are set")
    return data


def decode(text: object) -> bytes:
    """The bytes of a ``z…`` or ``u…`` text; raises ``NotMultibase``."""
    if not isinstance(text, str) or not text:
        raise NotMultibase("not a text")
    if text[0] == "z":
        return from_base58(text[1:])
    if text[0] == "u":
        return from_base64url(text[1:])
    raise NotMultibase(f"the prefix {text[0]!r} is not supported")
