"""Whom a new version of a policy can touch: the kinds of learning its changes speak of.

Used to recompute only those learners. Whatever is not understood in full counts as touching
everybody; a property test holds that nobody left out has another answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ledger.credit.policy import Accept, Policy


@dataclass(frozen=True, slots=True)
class Touched:
    """``kinds``: types of records; only learners with one of them can be touched. None: everybody
    can. Empty: nobody can."""

    kinds: frozenset[str] | None

    @property
    def nothing(self) -> bool:
        return self.kinds is not None and not self.kinds

    def to_json(self) -> Any:
        return "everybody" if self.kinds is None else sorted(self.kinds)


def touched(old: Policy, new: Policy) -> Touched:
    """Whom going from one version to another can touch, whatever their records are."""
    for name in ("clock", "lesson_minutes", "taxonomy", "evidence", "identity", "equivalences"):
        if getattr(old, name) != getattr(new, name):
            return Touched(None)
    if _bare(old.degrees) != _bare(new.degrees):
        return Touched(None)
    changed: list[Accept] = []
    changed.extend(c.accept for c in set(_caps(old)) ^ set(_caps(new)))
    # the first conversion that matches decides: a change of order is a change
    if old.conversions != new.conversions:
        changed.extend(c.accept for c in (*old.conversions, *new.conversions))
    kinds: set[str] = set()
    for accept in changed:
        named = _kinds(accept)
        if named is None:
            return Touched(None)
        kinds |= named
    return Touched(frozenset(kinds))


def _caps(policy: Policy) -> Iterable[Any]:
    return policy.caps


def _bare(degrees: Iterable[Any]) -> list[Any]:
    """Degrees without their names, which decide nothing."""
    return [
        (
            d.id,
            d.base,
            d.overlays,
            d.items,
            d.after,
            d.recorded,
            [(b.id, b.minimum, b.maximum, b.accept) for b in d.blocks],
        )
        for d in degrees
    ]


def _kinds(accept: Accept) -> frozenset[str] | None:
    if accept.types:
        return accept.types
    if accept.either:
        options = [_kinds(option) for option in accept.either]
        if all(option is not None for option in options):
            return frozenset().union(*(o for o in options if o is not None))
    return None
