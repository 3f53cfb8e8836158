"""City learning is not on a national qualification level, and must not look as if it were."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from credential.text import Text
from issuer.lint.rule import Rule, Wrong

_LEVELS: Final = re.compile(r"\b(EQF|ISCED|NQF|KQF)\b|eqfLevel|ISCEDFCode|educationLevel")


def _check(document: Mapping[str, Any]) -> Iterator[Wrong]:
    for path in _mentions(document, ""):
        yield Wrong(
            path,
            Text(
                "국가 자격체계 수준(EQF, ISCED 등)을 적을 수 없습니다",
                "A level of a national qualifications framework must not be stated",
            ),
            Text("서식에서 그 항목을 빼 주세요", "Take the member out of the template"),
        )


def _mentions(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, str):
        if _LEVELS.search(node):
            yield path
    elif isinstance(node, Mapping):
        for key, value in node.items():
            if _LEVELS.search(key):
                yield f"{path}/{key}"
            yield from _mentions(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _mentions(value, f"{path}/{index}")


RULE = Rule(
    "no-official-level",
    "Open Badges 3.0, class Achievement (no level of its own); EQF Recommendation 2017/C 189/03",
    _check,
)
