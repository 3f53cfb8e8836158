"""From a JSON-LD document to the one canonical N-Quads text its signature is made over.

This is the generic path, and the reference for the compiled one in ``credential.shape``: PyLD
expands the document with bundled contexts only, and what RDF cannot carry is an error instead of
being dropped without a word (``credential.lossless``): here a term no context defines, a relative
IRI, a blank node label, a language tag that is not one.
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Any

from pyld import jsonld
from pyld.context_resolver import ContextResolver

from credential import contexts, jcs, rdfc
from credential.lossless import (
    MAX_DEPTH,
    MAX_VALUES,
    DocumentTooLarge,
    InlineContext,
    InvalidIri,
    LossyValue,
    NotLinkedData,
    UndefinedTerm,
    checked,
)
from credential.rdfc import Quad, literal

__all__ = [
    "IRI",
    "MAX_DEPTH",
    "MAX_VALUES",
    "RDF",
    "XSD",
    "DocumentTooLarge",
    "InlineContext",
    "InvalidIri",
    "LossyValue",
    "NotLinkedData",
    "UndefinedTerm",
    "canonical_nquads",
    "iri",
    "named",
    "number",
    "quads",
]

XSD = "http://www.w3.org/2001/XMLSchema#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s\x00-\x20<>\"{}|^`\\\ud800-\udfff]*")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
# What relative references are resolved against, so that they can be told from absolute ones.
_NOWHERE = "x-relative://nowhere/"


def canonical_nquads(
    document: dict[str, Any],
    *,
    load: contexts.Loader = contexts.load,
    work: int = rdfc.WORK,
) -> bytes:
    """The RDFC-1.0 canonical N-Quads of a JSON-LD document, UTF-8.

    Raises ``NotLinkedData`` (a subclass), ``contexts.UnknownContext`` or
    ``rdfc.DatasetTooCostly``. ``load`` may add contexts; there is no network in any case.
    """
    return rdfc.canonicalise(quads(document, load=load), work=work).encode()


def quads(document: dict[str, Any], *, load: contexts.Loader = contexts.load) -> list[Quad]:
    """The document's RDF quads in no particular order, blank nodes labelled as met."""
    clean = checked(document, load)
    out = _Quads()
    for node in _expand(clean, load):
        out.node(node, "")
    if not out.quads:
        raise LossyValue("증명에 내용이 없습니다.", "The document says nothing.")
    return out.quads


def named(
    document: dict[str, Any], prefix: str, *, load: contexts.Loader = contexts.load
) -> dict[str, Any]:
    """The document with an identifier ``prefix`` 0, 1 ... for each node that has none, written in
    its own context again (vc-di-ecdsa section 3.4.9, skolemizeCompactJsonLd). Raises as
    ``canonical_nquads``."""
    expanded = _expand(checked(document, load), load)
    count = 0

    def name(item: Any) -> None:
        nonlocal count
        if isinstance(item, list):
            for entry in item:
                name(entry)
        elif isinstance(item, dict) and "@value" not in item:
            if "@list" not in item and "@id" not in item:
                item["@id"] = f"{prefix}{count}"
                count += 1
            for key, inner in item.items():
                if key not in ("@id", "@type", "@index"):
                    name(inner)

    name(expanded)
    return _compact(expanded, document["@context"], load)


def iri(value: object) -> str:
    """The IRI as an N-Quads term; raises ``InvalidIri``."""
    if not isinstance(value, str) or IRI.fullmatch(value) is None:
        shown = str(value).removeprefix(_NOWHERE)[:200]
        raise InvalidIri(
            f"절대 IRI가 아닌 식별자입니다: {shown!r}",
            f"Not an absolute IRI: {shown!r}",
            value=shown,
        )
    if value.startswith(_NOWHERE):
        shown = value.removeprefix(_NOWHERE)[:200]
        raise InvalidIri(
            f"상대 IRI는 쓸 수 없습니다: {shown!r}", f"A relative IRI: {shown!r}", value=shown
        )
    return f"<{value}>"


def number(value: int | float, datatype: str | None) -> str:
    """A JSON number as a literal, as JSON-LD 1.1 API section 8.2.2 has it.

    Integral values are written as integers unless the term's ``datatype`` is xsd:double.
    """
    if isinstance(value, int) or value.is_integer():
        value = int(value)  # -0.0 is 0
        if datatype != f"{XSD}double":
            return literal(str(value), datatype or f"{XSD}integer")
    mantissa, exponent = f"{value:.15E}".split("E")
    mantissa = mantissa.rstrip("0")
    padding = "0" if mantissa.endswith(".") else ""
    return literal(f"{mantissa}{padding}E{int(exponent)}", datatype or f"{XSD}double")


class _Quads:
    """Writes expanded JSON-LD as quads. Nodes with one @id merge because quads are a set."""

    def __init__(self) -> None:
        self.quads: list[Quad] = []
        self._count = 0

    def _blank(self) -> str:
        self._count += 1
        return f"_:b{self._count - 1}"

    def node(self, node: dict[str, Any], graph: str) -> str:
        subject = iri(node["@id"]) if "@id" in node else self._blank()
        for key, items in node.items():
            if key == "@type":
                for kind in items:
                    self.quads.append(Quad(subject, f"<{RDF}type>", _type(kind), graph))
            elif key == "@graph":
                for inner in items:
                    self.node(inner, subject)
            elif key.startswith("@"):
                if key not in ("@id", "@index"):
                    raise LossyValue(
                        f"쓸 수 없는 JSON-LD 키워드입니다: {key}",
                        f"A JSON-LD keyword that is not allowed here: {key}",
                    )
            else:
                predicate = iri(key)
                for item in items:
                    self.quads.append(Quad(subject, predicate, self._object(item, graph), graph))
        return subject

    def _object(self, item: dict[str, Any], graph: str) -> str:
        if "@value" in item:
            return _literal(item)
        if "@list" in item:
            return self._list(item["@list"], graph)
        return self.node(item, graph)

    def _list(self, items: list[dict[str, Any]], graph: str) -> str:
        head = f"<{RDF}nil>"
        for item in reversed(items):
            cell = self._blank()
            self.quads.append(Quad(cell, f"<{RDF}first>", self._object(item, graph), graph))
            self.quads.append(Quad(cell, f"<{RDF}rest>", head, graph))
            head = cell
        return head


def _type(kind: object) -> str:
    if isinstance(kind, str) and kind.startswith(_NOWHERE):
        raise _undefined(kind.removeprefix(_NOWHERE))
    return iri(kind)


def _literal(item: dict[str, Any]) -> str:
    """An expanded value object as a term (JSON-LD 1.1 API section 8.2.2)."""
    value, datatype = item["@value"], item.get("@type")
    if "@direction" in item:
        raise LossyValue(
            "글의 방향(@direction)은 서명에 담기지 않습니다.",
            "A text direction (@direction) is not covered by the signature.",
        )
    if datatype == "@json":
        return literal(jcs.canonical(value).decode(), f"{RDF}JSON")
    if datatype is not None:
        iri(datatype)
    if isinstance(value, bool):
        return literal("true" if value else "false", datatype or f"{XSD}boolean")
    if isinstance(value, int | float):
        return number(value, datatype)
    if not isinstance(value, str) or datatype == f"{XSD}double":
        # processors rewrite such text ("1_000", "1e3"), each in its own way
        raise LossyValue("수를 글자로 적었습니다.", "A double written as text.")
    language = item.get("@language")
    if language is not None and _LANGUAGE.fullmatch(language) is None:
        raise LossyValue("언어 표시가 올바르지 않습니다.", "A language tag that is not valid.")
    return literal(value, datatype, language)


def _undefined(term: str | None) -> UndefinedTerm:
    shown = str(term)[:100]
    return UndefinedTerm(
        f"어떤 컨텍스트에도 정의되지 않은 이름입니다: {shown}. 서명으로 보호되지 않습니다.",
        f"A name that no context defines: {shown}. The signature would not cover it.",
        term=shown,
    )


def _dropped(term: str | None) -> None:
    raise _undefined(term)


# PyLD's caches are not made for threads, and its work holds the interpreter lock in any case.
_expanding = threading.Lock()


@lru_cache(maxsize=8)
def _resolver(load: contexts.Loader) -> ContextResolver:
    """One resolver for each source of contexts, so that none sees what another one cached."""

    def fetch(url: str, _options: object) -> dict[str, Any]:
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": load(url),
            "tag": "static",
        }

    return ContextResolver({}, fetch)


def _expand(document: dict[str, Any], load: contexts.Loader) -> list[dict[str, Any]]:
    options = {"base": _NOWHERE, "contextResolver": _resolver(load)}
    processor = jsonld.JsonLdProcessor(on_property_dropped=_dropped)
    try:
        with _expanding:
            expanded: list[dict[str, Any]] = processor.expand(document, options)
    except jsonld.JsonLdError as error:
        raise _invalid(str(error.code or error)) from error
    except (KeyError, AttributeError, TypeError, ValueError, RecursionError) as error:
        # PyLD meets some malformed documents with these instead of its own error
        raise _invalid(type(error).__name__) from error
    return expanded


def _compact(
    expanded: list[dict[str, Any]], context: object, load: contexts.Loader
) -> dict[str, Any]:
    options = {
        "base": _NOWHERE,
        "contextResolver": _resolver(load),
        "skipExpansion": True,
    }
    try:
        with _expanding:
            compacted: dict[str, Any] = jsonld.JsonLdProcessor().compact(expanded, context, options)
    except jsonld.JsonLdError as error:
        raise _invalid(str(error.code or error)) from error
    except (KeyError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise _invalid(type(error).__name__) from error
    return compacted


def _invalid(reason: str) -> NotLinkedData:
    return NotLinkedData(
        f"올바른 JSON-LD가 아닙니다: {reason}", f"Not valid JSON-LD: {reason}", reason=reason
    )
