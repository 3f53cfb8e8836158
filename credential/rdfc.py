"""RDFC-1.0, the W3C's RDF Dataset Canonicalization: one text for one RDF dataset.

Terms are kept in their canonical N-Quads form (``<iri>``, ``_:label``, ``"text"@en``), so a quad
is four strings and hashing needs no further serialisation. Blank nodes can be arranged so that
ordering them takes factorial time ("poisoned" datasets, section 7.1 of the specification); a
budget of steps stops that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, ClassVar, NamedTuple

from credential.errors import BaeumError
from credential.text import Text

Digest = Callable[[bytes], Any]
"""A constructor of :mod:`hashlib`."""

WORK = 20_000
"""Steps (permutations tried and nodes hashed) one dataset may cost; about half a second."""

XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"

_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
}
_SPECIAL = re.compile('["\\\\\x00-\x1f\x7f\ufffe\uffff]')


class DatasetTooCostly(BaeumError):
    """Ordering the blank nodes of the dataset would take too long (a poisoned dataset)."""

    code: ClassVar[str] = "dataset-too-costly"
    title: ClassVar[Text] = Text(
        "증명의 구조가 지나치게 복잡합니다", "The credential's structure is too complex"
    )
    status: ClassVar[int] = 422


class Quad(NamedTuple):
    """A statement; each term in canonical N-Quads form, ``graph`` empty for the default graph."""

    subject: str
    predicate: str
    object: str
    graph: str = ""


def literal(value: str, datatype: str | None = None, language: str | None = None) -> str:
    """A literal term; ``datatype`` an IRI (None for xsd:string), or a ``language`` tag."""
    text = f'"{escape(value)}"'
    if language is not None:
        return f"{text}@{language}"
    return text if datatype is None or datatype == XSD_STRING else f"{text}^^<{datatype}>"


def escape(value: str) -> str:
    """The value as canonical N-Quads writes it between its quotation marks."""
    if _SPECIAL.search(value) is None:
        return value
    return _SPECIAL.sub(lambda m: _ESCAPES.get(m[0]) or f"\\u{ord(m[0]):04X}", value)


def line(quad: Quad) -> str:
    """The quad as a line of canonical N-Quads."""
    subject, predicate, object_, graph = quad
    if graph:
        return f"{subject} {predicate} {object_} {graph} .\n"
    return f"{subject} {predicate} {object_} .\n"


def canonicalise(
    quads: Iterable[Quad], *, work: int = WORK, digest: Digest = hashlib.sha256
) -> str:
    """The dataset as canonical N-Quads: blank nodes named ``_:c14n0`` …, lines sorted, no doubles.

    ``digest`` is SHA-256 unless a suite says SHA-384. Raises ``DatasetTooCostly`` when naming
    takes more than ``work`` steps.
    """
    dataset = set(quads)
    names = canonical_names(dataset, work=work, digest=digest)
    lines = (
        line(Quad(names.get(q[0], q[0]), q[1], names.get(q[2], q[2]), names.get(q[3], q[3])))
        for q in dataset
    )
    return "".join(sorted(lines))


def canonical_names(
    quads: Iterable[Quad], *, work: int = WORK, digest: Digest = hashlib.sha256
) -> dict[str, str]:
    """The canonical label of every blank node (section 4.4, steps 2 to 6)."""
    mentions: dict[str, list[Quad]] = {}
    for quad in set(quads):
        for term in {quad.subject, quad.object, quad.graph}:
            if term.startswith("_:"):
                mentions.setdefault(term, []).append(quad)
    state = _State(mentions, work, digest)
    alike: dict[str, list[str]] = {}
    for node in mentions:
        alike.setdefault(state.first_degree(node), []).append(node)
    groups = [alike[key] for key in sorted(alike)]
    for group in groups:
        if len(group) == 1:
            state.canonical.issue(group[0])
    for group in groups:
        if len(group) > 1:
            state.name_group(group)
    return state.canonical.issued


@dataclass(slots=True)
class _Issuer:
    """Hands out labels in order (section 4.5)."""

    prefix: str
    issued: dict[str, str] = field(default_factory=dict)

    def issue(self, node: str) -> str:
        return self.issued.setdefault(node, f"{self.prefix}{len(self.issued)}")

    def copy(self) -> _Issuer:
        return _Issuer(self.prefix, dict(self.issued))


class _State:
    """The canonicalization state of one dataset (section 4.2)."""

    def __init__(self, mentions: dict[str, list[Quad]], work: int, digest: Digest) -> None:
        self.mentions = mentions
        self.work = work
        self._digest = digest
        self.canonical = _Issuer("_:c14n")
        self._first: dict[str, str] = {}

    def first_degree(self, node: str) -> str:
        """Hash First Degree Quads (section 4.6)."""
        known = self._first.get(node)
        if known is None:
            lines = sorted(
                line(Quad(_mask(q[0], node), q[1], _mask(q[2], node), _mask(q[3], node)))
                for q in self.mentions[node]
            )
            known = self._hash("".join(lines))
            self._first[node] = known
        return known

    def name_group(self, nodes: list[str]) -> None:
        """Name the nodes that share a first-degree hash (section 4.4, step 5)."""
        results = []
        for node in nodes:
            if node not in self.canonical.issued:
                issuer = _Issuer("_:b")
                issuer.issue(node)
                results.append(self._n_degree(node, issuer))
        for _, issuer in sorted(results, key=lambda result: result[0]):
            for node in issuer.issued:
                self.canonical.issue(node)

    def _hash(self, text: str) -> str:
        return str(self._digest(text.encode()).hexdigest())

    def _spend(self) -> None:
        self.work -= 1
        if self.work < 0:
            raise DatasetTooCostly(
                Text(
                    "서로 구별되지 않는 항목이 너무 많아 서명을 확인할 수 없습니다.",
                    "Too many indistinguishable entries: the signature cannot be checked.",
                ),
                Text(
                    "발급 기관에 항목마다 id를 붙여 다시 발급해 달라고 요청하십시오.",
                    "Ask the issuer to give every entry an id and issue it again.",
                ),
            )

    def _related(self, node: str, quad: Quad, issuer: _Issuer, position: str) -> str:
        """Hash Related Blank Node (section 4.7)."""
        label = self.canonical.issued.get(node) or issuer.issued.get(node)
        text = position if position == "g" else f"{position}{quad.predicate}"
        return self._hash(f"{text}{label or self.first_degree(node)}")

    def _n_degree(self, node: str, issuer: _Issuer) -> tuple[str, _Issuer]:
        """Hash N-Degree Quads (section 4.8)."""
        self._spend()
        related: dict[str, list[str]] = {}
        for quad in self.mentions[node]:
            for position, term in (("s", quad.subject), ("o", quad.object), ("g", quad.graph)):
                if term.startswith("_:") and term != node:
                    digest = self._related(term, quad, issuer, position)
                    related.setdefault(digest, []).append(term)
        data = []
        for digest in sorted(related):
            path, issuer = self._best_path(related[digest], issuer)
            data += [digest, path]
        return self._hash("".join(data)), issuer

    def _best_path(self, nodes: list[str], issuer: _Issuer) -> tuple[str, _Issuer]:
        """The least path over all orders of ``nodes`` (section 4.8, steps 5.1 to 5.6)."""
        best: tuple[str, _Issuer] | None = None
        for order in permutations(nodes):
            self._spend()
            found = self._path(order, issuer.copy(), best[0] if best else "")
            if found is not None and (best is None or found[0] < best[0]):
                best = found
        if best is None:  # pragma: no cover - the first order is never skipped
            raise AssertionError("no order of blank nodes")
        return best

    def _path(
        self, order: tuple[str, ...], issuer: _Issuer, best: str
    ) -> tuple[str, _Issuer] | None:
        path = ""
        unexplored = []
        for node in order:
            label = self.canonical.issued.get(node)
            if label is None:
                if node not in issuer.issued:
                    unexplored.append(node)
                label = issuer.issue(node)
            path += label
            if best and len(path) >= len(best) and path > best:
                return None
        for node in unexplored:
            digest, deeper = self._n_degree(node, issuer)
            path += f"{issuer.issue(node)}<{digest}>"
            issuer = deeper
            if best and len(path) >= len(best) and path > best:
                return None
        return path, issuer


def _mask(term: str, node: str) -> str:
    if not term.startswith("_:"):
        return term
    return "_:a" if term == node else "_:z"
