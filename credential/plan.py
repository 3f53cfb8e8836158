"""A shape's RDF, expanded once: quads with holes, filled and put in canonical order per document.

The generic path runs once with a marker in every hole, of the JSON type the values will have;
where a marker comes out says what its hole is in RDF (an IRI, or a literal of some datatype).
Whatever could expand differently from its marker is left to the generic path: ``fill`` answers
None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from credential import contexts, jcs, rdf, rdfc
from credential.dataset import Alike, Dataset, Marked
from credential.holes import Scalar, ShapeInvalid, fill
from credential.rdfc import Quad

STRING, INTEGER, FLOAT, TRUE, FALSE = "sifTF"
_MARK = "urn:x-baeum-hole:7c1e:"


def kind_of(value: Scalar) -> str:
    """The letter for how JSON-LD treats a value: one plan serves all values of these kinds."""
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, str):
        return STRING
    return INTEGER if isinstance(value, int) or value.is_integer() else FLOAT


class Plan:
    """The compiled quads of a template whose holes have the given kinds.

    ``names`` and ``kinds`` in the same order. Raises ``ShapeInvalid`` when a hole is where a value
    could change the shape, and what ``rdf.quads`` raises for the template itself.
    """

    def __init__(
        self, template: Any, names: Sequence[str], kinds: str, load: contexts.Loader
    ) -> None:
        markers = {
            name: _marker(place, kind)
            for place, (name, kind) in enumerate(zip(names, kinds, strict=True))
        }
        self._fillers: list[tuple[str, _Filler]] = []
        self._places: dict[tuple[str, str], int] = {}
        self._defined = _terms(template, load)
        marked: list[Marked] = [
            tuple(self._term(term, markers) for term in quad)
            for quad in rdf.quads(fill(template, markers), load=load)
        ]
        for _, predicate, object_, _ in marked:
            if predicate == f"<{rdf.RDF}type>" and isinstance(object_, int):
                raise _misplaced(self._fillers[object_][0])
        used = {name for name, _ in self._fillers}
        for name, kind in zip(names, kinds, strict=True):
            if name not in used and kind not in (TRUE, FALSE):
                raise _misplaced(name)
        self._arrange(marked)

    def _term(self, term: str, markers: Mapping[str, Scalar]) -> str | int:
        """A constant term as it is, or the place of a filled one."""
        for name, marker in markers.items():
            filler = _filler(term, marker, self._defined)
            if filler is not None:
                key = (name, term)
                if key not in self._places:
                    self._places[key] = len(self._fillers)
                    self._fillers.append((name, filler))
                return self._places[key]
            if isinstance(marker, str) and marker in term:
                raise _misplaced(name)
        return term

    def _arrange(self, marked: list[Marked]) -> None:
        """Turn the quads into texts to format, with blank nodes as further places."""
        self._quads = list(dict.fromkeys(marked))
        blanks = sorted({t for quad in self._quads for t in quad if _blank(t)}, key=str)
        labels = {blank: len(self._fillers) + place for place, blank in enumerate(blanks)}
        self._datasets = [
            Dataset(
                tuple(labels.get(t, t) for t in quad)
                for quad in self._quads
                if _blank(quad[0]) is linked
            )
            for linked in (False, True)  # "<" sorts before "_:"
        ]
        self._degrees = [
            Dataset(tuple(_masked(t, blank) for t in quad) for quad in self._quads if blank in quad)
            for blank in blanks
        ]

    def fill(self, values: Mapping[str, Scalar]) -> str | None:
        """Canonical N-Quads, or None when a value needs the generic path."""
        terms: list[str] = []
        for name, filler in self._fillers:
            term = filler(values[name])
            if term is None:
                return None
            terms.append(term)
        try:
            terms_and_labels = terms + self._labels(terms)
            return "".join([dataset.fill(terms_and_labels) for dataset in self._datasets])
        except Alike:  # equal values: let RDFC-1.0 sort it out
            return rdfc.canonicalise(
                Quad(*(terms[t] if isinstance(t, int) else t for t in quad)) for quad in self._quads
            )

    def _labels(self, terms: list[str]) -> list[str]:
        """Canonical labels, when first-degree hashes tell all blank nodes apart, else ``Alike``"""
        if len(self._degrees) < 2:
            return ["_:c14n0"] * len(self._degrees)
        hashes = [sha256(degree.fill(terms).encode()).digest() for degree in self._degrees]
        order = {digest: place for place, digest in enumerate(sorted(set(hashes)))}
        if len(order) < len(hashes):
            raise Alike
        return [f"_:c14n{order[digest]}" for digest in hashes]


_Filler = Callable[[Any], str | None]


def _marker(place: int, kind: str) -> Scalar:
    if kind == STRING:
        return f"{_MARK}{place}:"
    if kind == INTEGER:
        return 7_031_850_000_000 + place
    if kind == FLOAT:
        return 7_031_850.5 + place
    return kind == TRUE


def _filler(term: str, marker: Scalar, defined: frozenset[str]) -> _Filler | None:
    """What turns a hole's value into the term its marker became; None if it is not the marker's."""
    if isinstance(marker, bool):
        return None  # two values only: they are constants of the plan
    if isinstance(marker, str):
        if term == f"<{marker}>":
            return _iri_filler(defined)
        if term.startswith(f'"{marker}"'):
            return _literal_filler(term.removeprefix(f'"{marker}"'))
        return None
    if not term.startswith('"'):
        return None
    _, mark, rest = term.rpartition('"^^<')
    datatype = rest[:-1] if mark else rdfc.XSD_STRING
    if term != rdf.number(marker, datatype):
        return None
    return _number_filler(datatype)


def _literal_filler(suffix: str) -> _Filler:
    ending = f'"{suffix}'

    def literal(value: str) -> str:
        return f'"{rdfc.escape(value)}{ending}'

    return literal


def _iri_filler(defined: frozenset[str]) -> _Filler:
    valid = rdf.IRI.fullmatch

    def iri(value: str) -> str | None:
        # ``term:rest`` is shorthand when a context defines the term; the generic path knows
        if valid(value) is None or value.partition(":")[0] in defined or value in defined:
            return None
        return f"<{value}>"

    return iri


def _number_filler(datatype: str) -> _Filler:
    def number(value: int | float) -> str | None:
        if not -jcs.MAX_SAFE_INTEGER <= value <= jcs.MAX_SAFE_INTEGER:
            return None
        return rdf.number(value, datatype)

    return number


def _terms(template: Any, load: contexts.Loader) -> frozenset[str]:
    """Every name any context of the template defines, at any depth."""
    found: set[str] = {"_", "x-relative"}
    pending: list[Any] = [load(url) for url in _urls(template)]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            found.update(value)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return frozenset(found)


def _urls(template: Any) -> Iterable[str]:
    if isinstance(template, Mapping):
        for key, value in template.items():
            if key == "@context":
                entries = value if isinstance(value, list) else [value]
                yield from (entry for entry in entries if isinstance(entry, str))
            else:
                yield from _urls(value)
    elif isinstance(template, list):
        for item in template:
            yield from _urls(item)


def _blank(term: str | int) -> bool:
    return isinstance(term, str) and term.startswith("_:")


def _masked(term: str | int, blank: str | int) -> str | int:
    if not _blank(term):
        return term
    return "_:a" if term == blank else "_:z"


def _misplaced(name: str) -> ShapeInvalid:
    return ShapeInvalid(
        f"빈칸 {name}의 자리가 올바르지 않습니다. 유형이 아닌 값 하나를 통째로 차지해야 합니다.",
        f"The hole {name} is in a place that cannot be one: it must be a whole value, not a type.",
        hole=name,
    )
