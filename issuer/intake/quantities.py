"""Amounts of learning as files state them, into whole minutes; attendance into two counts.

Exact decimals throughout: 2.5 hours are 150 minutes, 1.33 hours are nobody's minutes.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal

Unit = Literal["minutes", "hours", "lessons"]

_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d)(?::00)?")
_WORDS = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)(?:시간|hours?|hrs?|h))?(?:(?P<m>\d+(?:\.\d+)?)(?:분|minutes?|mins?|m))?"
)
_LESSONS = re.compile(r"(\d+(?:\.\d+)?)(?:차시|회차|교시)")
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_RATIO = re.compile(r"(\d+)(?:회|회차|차시)?[/／](\d+)(?:회|회차|차시)?")
_MOST = 1_000_000


class NotAnAmount(ValueError):
    """``code``: amount-unreadable | amount-not-whole | amount-zero | amount-too-large."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_minutes(value: object, unit: Unit, lesson_minutes: int = 50, most: int = _MOST) -> int:
    """Minutes from 1 to ``most``. A unit written in the cell wins over the column's.

    Raises NotAnAmount.
    """
    minutes = _minutes(value, unit, lesson_minutes)
    whole = minutes.to_integral_value()
    # A spreadsheet stores 1/3 h as 0.333…: less than a second off is its arithmetic, not a claim.
    if abs(minutes - whole) > Decimal("0.01"):
        raise NotAnAmount("amount-not-whole")
    if whole <= 0:
        raise NotAnAmount("amount-zero")
    if whole > most:
        raise NotAnAmount("amount-too-large")
    return int(whole)


def _minutes(value: object, unit: Unit, lesson_minutes: int) -> Decimal:
    each = {"minutes": 1, "hours": 60, "lessons": lesson_minutes}[unit]
    if isinstance(value, bool) or value is None:
        raise NotAnAmount("amount-unreadable")
    if isinstance(value, timedelta):
        return Decimal(str(value.total_seconds())) / 60
    if isinstance(value, time):  # Excel reads a duration below a day as a time of day
        return Decimal(value.hour * 60 + value.minute)
    if isinstance(value, int | float):
        return _decimal(repr(value)) * each
    if not isinstance(value, str):
        raise NotAnAmount("amount-unreadable")
    text = "".join(unicodedata.normalize("NFKC", value).split()).casefold().replace(",", "")
    if _PLAIN.fullmatch(text):
        return _decimal(text) * each
    if match := _CLOCK.fullmatch(text):
        return Decimal(int(match[1]) * 60 + int(match[2]))
    if match := _LESSONS.fullmatch(text):
        return _decimal(match[1]) * lesson_minutes
    match = _WORDS.fullmatch(text)
    if match is None or (match["h"] is None and match["m"] is None):
        raise NotAnAmount("amount-unreadable")
    return _decimal(match["h"] or "0") * 60 + _decimal(match["m"] or "0")


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise NotAnAmount("amount-unreadable") from None
    if not number.is_finite():
        raise NotAnAmount("amount-unreadable")
    if number.adjusted() > 15:  # before any arithmetic on it
        raise NotAnAmount("amount-too-large")
    return number


def parse_count(value: object) -> int:
    """A whole number, 0 or more, also as ``10회``. Raises NotAnAmount."""
    if isinstance(value, bool) or value is None:
        raise NotAnAmount("amount-unreadable")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and 0 <= value <= 10_000:
        return value
    if isinstance(value, str):
        text = "".join(unicodedata.normalize("NFKC", value).split())
        if match := re.fullmatch(r"(\d{1,5})(?:\.0+)?(?:회|회차|차시|번|명|건)?", text):
            return int(match[1])
    raise NotAnAmount("amount-unreadable")


def parse_attendance(value: object) -> tuple[int, int]:
    """``8/10`` as sessions attended and held. Raises NotAnAmount."""
    if isinstance(value, str):
        text = "".join(unicodedata.normalize("NFKC", value).split())
        if match := _RATIO.fullmatch(text):
            return int(match[1]), int(match[2])
    raise NotAnAmount("amount-unreadable")
