"""How alike two names are. Names never match learners; they only tell when a number looks wrong."""

from __future__ import annotations

import difflib
import unicodedata
from enum import Enum


class Likeness(Enum):
    """Equal but for spacing, another spelling of one name, or quite another name."""

    SAME = "same"
    SIMILAR = "similar"
    OTHER = "other"


def likeness(known: str, given: str) -> Likeness:
    """Compare by the letters (jamo) of the syllables, so that 김영희 and 김영히 are near."""
    a, b = _letters(known), _letters(given)
    if a == b:
        return Likeness.SAME
    if _latin(a) != _latin(b):
        return Likeness.SIMILAR  # one is romanised: nothing to compare
    ratio = difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()
    return Likeness.SIMILAR if ratio >= 0.6 or sorted(a) == sorted(b) else Likeness.OTHER


def _letters(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in folded if c.isalpha())


def _latin(letters: str) -> bool:
    return letters.isascii()
