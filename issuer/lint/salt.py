"""Every proof carries 128 bits of salt, so that a hash on the chain cannot be guessed back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from credential.text import Text
from issuer.lint.rule import Rule, Wrong

NONCE: Final = "proof.nonce"
_SALT: Final = re.compile(r"[A-Za-z0-9_-]{22,86}", re.ASCII)  # base64url of 16 to 64 bytes


def _check(values: Mapping[str, Any]) -> Iterator[Wrong]:
    if not _SALT.fullmatch(values.get(NONCE) or ""):
        yield Wrong(
            NONCE,
            Text(
                "증명에 128비트 이상의 임의 값이 없습니다",
                "The proof has no random value of at least 128 bits",
            ),
            Text("proof.nonce를 넣어 주세요", "Put it into proof.nonce"),
        )


RULE = Rule("salt", "Verifiable Credential Data Integrity 1.0 section 2.1 (nonce)", _check)
