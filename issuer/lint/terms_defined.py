"""Every term is defined by a context, so that nothing drops out of what is signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from credential import rdf
from credential.errors import BaeumError
from credential.text import Text
from issuer.lint.rule import Rule, Wrong


def _check(document: Mapping[str, Any]) -> Iterator[Wrong]:
    try:
        rdf.canonical_nquads(dict(document))
    except BaeumError as error:
        yield Wrong(
            "",
            error.detail,
            error.remedy
            or Text("서식에서 정의되지 않은 이름을 빼 주세요", "Take the undefined term out"),
        )


RULE = Rule(
    "terms-defined",
    "Data Integrity EdDSA Cryptosuites 1.0 section 3.2.3; JSON-LD 1.1 API safe mode",
    _check,
)
