"""The contexts, in the order the standards ask for, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from credential.text import Text
from issuer.lint.rule import Rule, Wrong

CONTEXTS: Final = [
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
]


def _check(document: Mapping[str, Any]) -> Iterator[Wrong]:
    if document.get("@context") != CONTEXTS:
        yield Wrong(
            "/@context",
            Text(
                "@context가 정해진 두 문맥과 다릅니다",
                "@context is not the two contexts of Open Badges 3.0.3",
            ),
            Text("서식의 @context를 고쳐 주세요", "Correct @context in the template"),
        )


RULE = Rule(
    "contexts", "VC Data Model 2.0 section 4.3; Open Badges 3.0, class OpenBadgeCredential", _check
)
