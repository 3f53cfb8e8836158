"""Spotting resident and alien registration numbers, so that they are refused and never kept.

Six digits of a birth date, then a digit of sex and century and six more (or stars, when masked).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_HEADINGS = re.compile(
    r"주민(등록)?번호|외국인(등록)?번호|주민번호앞|거소(신고)?번호|(resident|alien)(registration)?(no|number)|(?<![a-z])rrn(?![a-z])"
)
_NUMBER = re.compile(
    r"(?<![\d-])\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\s?[-–]?\s?[0-9](?:\d{6}|[*●○xX]{6})(?![\d-])"
)


def heading(text: str) -> bool:
    """Whether a column's heading asks for such a number."""
    return bool(_HEADINGS.search("".join(text.split()).casefold().replace("_", "")))


def present(text: str) -> bool:
    """Whether ``text`` contains what is formed like such a number."""
    return bool(_NUMBER.search(text))


def column_of(rows: Iterable[tuple[str, ...]]) -> int | None:
    """The first column (from 0) in which most of the filled sample cells are such numbers."""
    filled: dict[int, int] = {}
    found: dict[int, int] = {}
    for cells in rows:
        for index, cell in enumerate(cells):
            if cell:
                filled[index] = filled.get(index, 0) + 1
                if present(cell):
                    found[index] = found.get(index, 0) + 1
    for index in sorted(found):
        if found[index] >= 2 and found[index] * 2 >= filled[index]:
            return index
    return None
