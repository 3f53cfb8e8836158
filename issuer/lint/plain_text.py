"""Text is text: no control characters, no lone surrogates, nothing that turns the reading order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from credential.text import Text
from issuer.lint.rule import Rule, Wrong

TEXTS: Final = ("title", "titleEn", "learnerName", "code", "category", "level", "issuerName")
"""The values that people write."""

_BAD: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)


def _check(values: Mapping[str, Any]) -> Iterator[Wrong]:
    for name in TEXTS:
        text = values.get(name)
        if text is not None and (not text.strip() or _BAD.search(text)):
            yield Wrong(
                name,
                Text(
                    "비어 있거나 보이지 않는 제어 문자가 있습니다",
                    "It is empty or has invisible control characters",
                ),
                Text("원본에서 그 문자를 지워 주세요", "Remove the characters at the source"),
            )


RULE = Rule(
    "plain-text", "Unicode TR 36 (bidirectional spoofing); RFC 8785 section 3.2.2.2", _check
)
