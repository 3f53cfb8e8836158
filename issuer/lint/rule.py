"""What a lint rule is: a name, the clause it enforces, and a check that says what is wrong.

Two kinds. A *shape* rule looks at one filled sample of a template's variant, once, before anything
of that shape is signed. A *value* rule looks at what one record would put into it, every time, and
must be cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from credential.text import Text


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing a check found. ``where`` is a JSON pointer or the name of a value."""

    where: str
    reason: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was broken. Never repeats the offending value: it may be a person's data."""

    rule: str
    clause: str
    where: str
    reason: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class Rule:
    """A check and the clause it enforces."""

    id: str
    clause: str
    check: Callable[[Mapping[str, Any]], Iterable[Wrong]]

    def findings(self, subject: Mapping[str, Any]) -> list[Finding]:
        return [
            Finding(self.id, self.clause, wrong.where, wrong.reason, wrong.remedy)
            for wrong in self.check(subject)
        ]


def strings(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a JSON value with its pointer."""
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from strings(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from strings(value, f"{path}/{index}")
