"""RDF quads with places for terms, filled and sorted in one go.

What values can change is the order of subjects, and of the objects of one predicate. Documents of
one shape come in few such orders, and each is one text to fill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from credential import rdfc
from credential.rdfc import Quad

Marked = tuple[str | int, ...]
"""A quad (subject, predicate, object, graph); a number is the place of a term to be filled in."""

MAX_KEPT = 250_000
"""Characters of texts kept for one dataset, one text for each order its lines were met in."""


class Alike(Exception):
    """Equal values made two subjects, blank nodes or quads the same."""


class Dataset:
    """Quads to fill and sort.

    Sorting subjects, then predicates, then objects comes to the same as sorting lines, because no
    term is the beginning of another that is followed by less than a space: an IRI ends with ``>``.
    """

    __slots__ = ("_open", "_room", "_runs", "_subjects", "_texts")

    def __init__(self, quads: Iterable[Marked]) -> None:
        self._subjects: list[str | int] = []
        self._runs: list[tuple[int, list[_Line]]] = []
        self._open: list[tuple[int, list[Marked]]] = []
        self._texts: dict[_Order, tuple[str, _Picker]] = {}
        self._room = MAX_KEPT
        ordered = sorted(quads, key=lambda quad: [str(term) for term in quad])
        for subject, group in groupby(ordered, key=itemgetter(0)):
            for _, alike in groupby(group, key=itemgetter(1)):
                run = list(alike)
                if len(run) > 1 and any(isinstance(t, int) for quad in run for t in quad[2:]):
                    self._open.append((len(self._runs), [quad[2:] for quad in run]))
                self._runs.append((len(self._subjects), [_line(quad) for quad in run]))
            self._subjects.append(subject)

    def fill(self, terms: Sequence[str]) -> str:
        """The sorted lines; raises ``Alike`` when two subjects or two lines are the same."""
        order = [_order([terms[s] if isinstance(s, int) else s for s in self._subjects])]
        for _, run in self._open:
            order.append(
                _order([tuple(terms[t] if isinstance(t, int) else t for t in end) for end in run])
            )
        known = tuple(order)
        text, pick = self._texts.get(known) or self._arranged(known)
        filled: str = text % pick(terms)
        return filled

    def _arranged(self, order: _Order) -> tuple[str, _Picker]:
        """The text whose lines are in this order, kept for the next document."""
        within = dict(zip([place for place, _ in self._open], order[1:], strict=True))
        by_subject: list[list[_Line]] = [[] for _ in self._subjects]
        for place, (subject, run) in enumerate(self._runs):
            by_subject[subject] += [run[n] for n in within.get(place, range(len(run)))]
        lines = [line for subject in order[0] for line in by_subject[subject]]
        text = "".join(text for text, _ in lines)
        made = text, _picker([place for _, used in lines for place in used])
        if self._room < len(text):
            self._texts, self._room = {}, MAX_KEPT
        self._room -= len(text)
        self._texts[order] = made
        return made


_Line = tuple[str, list[int]]
_Order = tuple[tuple[int, ...], ...]
_Picker = Callable[[Sequence[str]], Any]


def _order(values: Sequence[Any]) -> tuple[int, ...]:
    """The places of the values in the order of the values; raises ``Alike``."""
    if len(set(values)) < len(values):
        raise Alike
    return tuple(sorted(range(len(values)), key=values.__getitem__))


def _line(quad: Marked) -> _Line:
    """A line of N-Quads for ``%``, which is the fastest way to fill, and the places it takes."""
    parts = ["%s" if isinstance(t, int) else t.replace("%", "%%") for t in quad]
    return rdfc.line(Quad(*parts)), [term for term in quad if isinstance(term, int)]


def _picker(places: list[int]) -> _Picker:
    return itemgetter(*places) if places else lambda _terms: ()
