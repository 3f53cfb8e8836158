"""Durations are hours and minutes. ``P60M`` is sixty months, and has been published as an hour."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from credential.text import Text
from issuer.lint.rule import Rule, Wrong, strings

_DURATION: Final = re.compile(r"-?P(?=\d|T\d)(\d+(\.\d+)?[YMWD])*(T(\d+(\.\d+)?[HMS])+)?", re.ASCII)
_ALLOWED: Final = re.compile(r"PT(?=\d)(\d+H)?(\d+M)?", re.ASCII)


def _check(document: Mapping[str, Any]) -> Iterator[Wrong]:
    for path, text in strings(document):
        if _DURATION.fullmatch(text) and not _ALLOWED.fullmatch(text):
            yield Wrong(
                path,
                Text(
                    "기간은 PT20H30M처럼 시간과 분으로만 적습니다",
                    "A duration is written in hours and minutes only, such as PT20H30M",
                ),
                Text("PT…H…M 형식으로 고쳐 주세요", "Write it as PT…H…M"),
            )


RULE = Rule(
    "durations", "ISO 8601-1:2019 section 5.5.2; XML Schema 1.1 part 2 section 3.3.6", _check
)
