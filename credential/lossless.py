"""What of a JSON document RDF can carry: everything else is refused before it could be dropped.

A signature over a graph that silently lost a term would still verify after someone changed that
term. Refused here: a context that is inline or not bundled, blank values, keywords that hide
content from a reader of the JSON, text direction, integers beyond 2^53, lone surrogates, nesting
or size beyond the limits. Terms and identifiers are judged in ``credential.rdf``, where the
contexts are applied.
"""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

from credential import contexts, jcs
from credential.errors import BaeumError
from credential.text import Text

MAX_DEPTH = jcs.MAX_DEPTH
MAX_VALUES = 20_000
"""Members and items a document may hold; expansion costs about 50 microseconds for each."""

_KEYWORDS = {"@context", "@id", "@type", "@value", "@language", "@list", "@set"}
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotLinkedData(BaeumError):
    """The document cannot be turned into RDF without loss; the subclasses say why."""

    code: ClassVar[str] = "not-linked-data"
    title: ClassVar[Text] = Text(
        "증명의 형식을 해석할 수 없습니다", "The credential cannot be read as Linked Data"
    )
    status: ClassVar[int] = 422

    def __init__(self, ko: str, en: str, remedy: Text | None = None, **facts: Any) -> None:
        ask = Text(
            "증명을 발급한 기관에 문의하십시오.", "Ask the institution that issued the credential."
        )
        super().__init__(Text(ko, en), remedy or ask, facts)


class UndefinedTerm(NotLinkedData):
    """A member name or type that no context defines: it would not be covered by the signature."""

    code: ClassVar[str] = "undefined-term"


class InvalidIri(NotLinkedData):
    """An identifier that is not an absolute IRI, or holds characters no IRI may have."""

    code: ClassVar[str] = "invalid-iri"


class InlineContext(NotLinkedData):
    """A context that is not the URL of a bundled one: it could give terms another meaning."""

    code: ClassVar[str] = "inline-context"


class LossyValue(NotLinkedData):
    """A value RDF would drop or change: null, an unsafe number, a direction, a bad language tag."""

    code: ClassVar[str] = "lossy-value"


class DocumentTooLarge(NotLinkedData):
    """The document nests too deeply or holds too many values."""

    code: ClassVar[str] = "document-too-large"
    status: ClassVar[int] = 413


def checked(document: object, load: contexts.Loader) -> dict[str, Any]:
    """A copy of the document with integral floats as integers; raises ``NotLinkedData``."""
    return _Check(load).document(document)


class _Check:
    """Refuses what RDF cannot carry, and copies the document with integral floats as integers."""

    def __init__(self, load: contexts.Loader) -> None:
        self._load = load
        self._left = MAX_VALUES

    def document(self, document: object) -> dict[str, Any]:
        if not isinstance(document, dict):
            raise NotLinkedData("JSON 객체가 아닙니다.", "Not a JSON object.")
        if "@context" not in document:
            raise InlineContext("@context가 없습니다.", "There is no @context.")
        checked: dict[str, Any] = self._value(document, MAX_DEPTH)
        return checked

    def _value(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if depth == 0 or self._left < 0:
            raise DocumentTooLarge(
                "증명이 너무 크거나 너무 깊습니다.", "The document is too large or too deep."
            )
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind is bool:
            return value
        if kind is int or kind is float:
            return self._number(value)
        if kind is list:
            return [self._value(item, depth - 1) for item in value]
        if kind is dict:
            return self._object(value, depth)
        raise LossyValue(
            f"RDF로 옮길 수 없는 값입니다: {'null' if value is None else kind.__name__}",
            f"A value RDF cannot carry: {'null' if value is None else kind.__name__}",
        )

    def _object(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key, item in value.items():
            if type(key) is not str:
                raise LossyValue("이름이 문자열이 아닙니다.", "A member name is not a string.")
            if key == "@context":
                members[key] = self._context(item)
                continue
            if key.startswith("@") and key not in _KEYWORDS:
                raise LossyValue(
                    f"쓸 수 없는 JSON-LD 키워드입니다: {key[:40]}",
                    f"A JSON-LD keyword that is not allowed here: {key[:40]}",
                    keyword=key[:40],
                )
            members[self._text(key)] = self._value(item, depth - 1)
        if "@language" in members and "@value" not in members:
            raise LossyValue("@value가 없는 @language입니다.", "A @language without a @value.")
        return members

    def _context(self, value: Any) -> list[str]:
        entries: list[Any] = value if isinstance(value, list) else [value]
        if not entries or not all(type(entry) is str for entry in entries):
            raise InlineContext(
                "증명 안에 적힌 컨텍스트는 허용하지 않습니다. 서명의 뜻이 바뀔 수 있습니다.",
                "A context written into the credential is not allowed: it could change what the "
                "signature means.",
                Text(
                    "공개된 표준 컨텍스트의 주소만 쓰도록 발급 기관에 요청하십시오.",
                    "Ask the issuer to name published standard contexts only.",
                ),
            )
        for entry in entries:
            self._load(entry)
        return entries

    def _text(self, value: str) -> str:
        if not value.isascii() and _SURROGATE.search(value):
            raise LossyValue(
                "온전하지 않은 유니코드 문자열입니다.", "A string with a lone surrogate."
            )
        return value

    def _number(self, value: int | float) -> int | float:
        if isinstance(value, float):
            if not math.isfinite(value):
                raise LossyValue("유한하지 않은 수입니다.", "A number that is not finite.")
            if not value.is_integer():
                return value
            value = int(value)
        if abs(value) > jcs.MAX_SAFE_INTEGER:
            raise LossyValue(
                "안전한 범위(2^53)를 넘는 정수입니다.", "An integer beyond the safe range of 2^53."
            )
        return value
