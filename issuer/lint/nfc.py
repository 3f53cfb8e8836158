"""Hangul composed and decomposed look the same and hash differently: only composed is signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from unicodedata import is_normalized

from credential.text import Text
from issuer.lint.plain_text import TEXTS
from issuer.lint.rule import Rule, Wrong


def _check(values: Mapping[str, Any]) -> Iterator[Wrong]:
    for name in TEXTS:
        text = values.get(name)
        if text is not None and not text.isascii() and not is_normalized("NFC", text):
            yield Wrong(
                name,
                Text("글자가 NFC로 정규화되지 않았습니다", "The text is not in NFC"),
                Text(
                    "자료를 다시 받아들여 정규화해 주세요",
                    "Take the record in again; intake normalises it",
                ),
            )


RULE = Rule("nfc", "Unicode Standard Annex 15 (Normalization Form C)", _check)
