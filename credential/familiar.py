"""Canonical N-Quads of documents whose shape was seen before, without expanding contexts again.

Verifiers meet the same few shapes over and over. A document is taken apart into a template, which
keeps everything that can change how JSON-LD is expanded (member names, nesting, types, contexts,
and the JSON type of each value), and the values. The template is compiled as an issuer's is
(``credential.plan``) the second time it is seen; whatever is unusual takes the generic path.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import orjson

from credential import contexts, rdf
from credential.holes import Scalar, ShapeInvalid
from credential.plan import Plan, kind_of

MAX_SHAPES = 256
MAX_VALUES = 400
"""Values of a document that is worth remembering; bounds what the plans may hold in memory."""

# kept in the template: what changes the expansion, and the members whose value is itself a term
_CONSTANT = {"@context", "@type", "type", "@language", "proofPurpose"}

_Key = tuple[contexts.Loader, bytes, str]


def canonical_nquads(document: dict[str, Any], *, load: contexts.Loader = contexts.load) -> bytes:
    """What ``rdf.canonical_nquads`` gives, sooner when the shape is known; raises the same."""
    parts = _Parts()
    try:
        template = parts.take(document, rdf.MAX_DEPTH)
        key = (load, orjson.dumps(template), "".join(parts.kinds))
        plan = _shapes.plan(key, template, parts)
        text = None if plan is None else plan.fill(parts.values)
        if text is not None:
            return text.encode()
    except (_Unusual, orjson.JSONEncodeError, UnicodeEncodeError):
        pass  # the generic path judges it, in its own words
    return rdf.canonical_nquads(document, load=load)


class _Unusual(Exception):
    pass


class _Parts:
    """The values of a document and the kinds they are of, in the order met."""

    def __init__(self) -> None:
        self.values: dict[str, Scalar] = {}
        self.kinds: list[str] = []

    def take(self, value: Any, depth: int) -> Any:
        """The template of ``value``, its scalars taken out."""
        kind = type(value)
        if kind is dict and depth:
            return {
                key: item if key in _CONSTANT else self.take(item, depth - 1)
                for key, item in value.items()
            }
        if kind is list and depth:
            return [self.take(item, depth - 1) for item in value]
        if kind not in (str, int, float, bool) or len(self.kinds) == MAX_VALUES:
            raise _Unusual
        name = f"v{len(self.kinds)}"
        self.values[name] = value
        self.kinds.append(kind_of(value))
        return f"{{{name}}}"


class _Shapes:
    """The plans of the shapes met lately; one that cannot be compiled is remembered as such."""

    def __init__(self) -> None:
        self._plans: OrderedDict[_Key, Plan | None] = OrderedDict()
        self._met: OrderedDict[_Key, None] = OrderedDict()
        self._lock = threading.Lock()

    def plan(self, key: _Key, template: Any, parts: _Parts) -> Plan | None:
        with self._lock:
            if key in self._plans:
                self._plans.move_to_end(key)
                return self._plans[key]
            if key not in self._met:
                _keep(self._met, key, None)
                return None
        load, _, kinds = key
        try:
            plan = Plan(template, list(parts.values), kinds, load)
        except (ShapeInvalid, rdf.NotLinkedData):
            plan = None
        with self._lock:
            _keep(self._plans, key, plan)
        return plan


def _keep(recent: OrderedDict[_Key, Any], key: _Key, value: Any) -> None:
    recent[key] = value
    while len(recent) > MAX_SHAPES:
        recent.popitem(last=False)


_shapes = _Shapes()
