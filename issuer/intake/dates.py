"""Days and times as Korean offices write them, into dates and instants.

Understood: 2021-05-25, 2021. 5. 25., 21.5.25, '21. 5. 25., ’21/5/25, 20210525, 2021년 5월 25일,
a weekday behind it, '21. 9. (the whole month), Excel dates and serial numbers; times as 14:30,
14시 30분, 오후 2:30, 24:00; periods as A~B where B may leave out what it shares with A.
Nothing is guessed: what does not fit raises ``NotADate`` and costs its row.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

KST = ZoneInfo("Asia/Seoul")

_WEEKDAY = re.compile(r"\(\s*[월화수목금토일]\s*(?:요일)?\s*\)")
_QUOTES = str.maketrans(dict.fromkeys("’‘`´′＇", "'") | dict.fromkeys("–—−", "-"))
_DAY = re.compile(
    r"(?P<y>'?\d{2}|\d{4})\s*(?:년|[.\-/])\s*(?P<m>\d{1,2})\s*(?:(?:월|[.\-/])\s*(?P<d>\d{1,2})\s*(?:일|\.)?"
    r"|월|\.)?"
)
_COMPACT = re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})")
_TIME = re.compile(
    r"(?P<half>오전|오후|am|pm)?\s*(?P<h>\d{1,2})\s*(?::\s*(?P<min>\d{2})(?::(?P<s>\d{2})(?:\.0+)?)?"
    r"|시(?:\s*(?P<kmin>\d{1,2})\s*분)?)\s*(?P<after>am|pm)?"
)
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_EXCEL_ZERO = date(1899, 12, 30)
# Excel serials of 1990-01-01 and 2100-01-01: outside, a bare number is no date.
_SERIALS = (32874, 73051)


class NotADate(ValueError):
    """``code``: date-unreadable | date-impossible | time-unreadable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Days:
    """An inclusive range of days: one day, or a month when only that is known."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Moment:
    """A wall-clock time in Seoul (aware)."""

    at: datetime


def parse_when(value: object) -> Days | Moment:
    """A cell that holds a day, a month or a day with a time. Raises NotADate."""
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return Moment(value.astimezone(KST))
        if value.time() == time.min:
            return Days(value.date(), value.date())
        return Moment(value.replace(microsecond=0, tzinfo=KST))
    if isinstance(value, date):
        return Days(value, value)
    if isinstance(value, bool) or value is None:
        raise NotADate("date-unreadable")
    if isinstance(value, int | float):
        return _serial(float(value))
    if not isinstance(value, str):
        raise NotADate("date-unreadable")
    text = _clean(value)
    if _ISO.fullmatch(text):
        try:
            return Moment(datetime.fromisoformat(text).astimezone(KST))
        except (ValueError, OverflowError):
            raise NotADate("date-impossible") from None
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return _serial(float(text))
    match = _DAY.match(text) or _COMPACT.match(text)
    if match is None:
        raise NotADate("date-unreadable")
    rest = text[match.end() :].lstrip("T, ")
    days = _days(match)
    if not rest:
        return days
    if days.first != days.last:
        raise NotADate("date-unreadable")
    clock, next_day = parse_time(rest)
    return Moment(at(days.first, clock, next_day=next_day))


def parse_day(value: object) -> date:
    """A cell that holds one day, without a time. Raises NotADate."""
    when = parse_when(value)
    if isinstance(when, Moment):
        return when.at.date()
    if when.first != when.last:
        raise NotADate("date-vague")
    return when.first


def parse_period(value: object) -> Days:
    """``A~B`` or one day. B may leave out the year or the year and month. Raises NotADate."""
    if not isinstance(value, str) or "~" not in value.replace("∼", "~").replace("～", "~"):
        when = parse_when(value)
        return when if isinstance(when, Days) else Days(when.at.date(), when.at.date())
    left, _, right = _clean(value).replace("∼", "~").partition("~")
    start = parse_when(left.strip())
    if not isinstance(start, Days):
        raise NotADate("date-unreadable")
    right = right.strip()
    short = re.fullmatch(r"(?:(\d{1,2})\s*[.월\-/]\s*)?(\d{1,2})\s*[.일]?", right)
    if short:
        month = int(short[1]) if short[1] else start.first.month
        last = _date(start.first.year, month, int(short[2]))
        end = Days(last, last)
    else:
        found = parse_when(right)
        if not isinstance(found, Days):
            raise NotADate("date-unreadable")
        end = found
    return Days(start.first, end.last)


def parse_time(value: object) -> tuple[time, bool]:
    """A time of day, and whether it is 24:00 (midnight of the next day). Raises NotADate."""
    if isinstance(value, datetime):
        value = value.time()
    if isinstance(value, time):
        return value.replace(microsecond=0, tzinfo=None), False
    if isinstance(value, timedelta):  # Excel's [h]:mm
        value = value.total_seconds() / 86400
    if isinstance(value, float) and 0 <= value < 1:
        seconds = round(value * 86400)
        return time(seconds // 3600 % 24, seconds // 60 % 60, seconds % 60), seconds == 86400
    if not isinstance(value, str):
        raise NotADate("time-unreadable")
    match = _TIME.fullmatch(_clean(value).casefold())
    if match is None:
        raise NotADate("time-unreadable")
    hour, minute = int(match["h"]), int(match["min"] or match["kmin"] or 0)
    half = match["half"] or match["after"]
    if half is not None:
        if not 1 <= hour <= 12:
            raise NotADate("time-unreadable")
        hour = hour % 12 + (12 if half in ("오후", "pm") else 0)
    second = int(match["s"] or 0)
    if (hour, minute, second) == (24, 0, 0):
        return time.min, True
    try:
        return time(hour, minute, second), False
    except ValueError:
        raise NotADate("time-unreadable") from None


def at(day: date, clock: time, *, next_day: bool = False) -> datetime:
    """That time of that day in Seoul."""
    return datetime.combine(day + timedelta(days=next_day), clock, KST)


def start_of(day: date) -> datetime:
    """Midnight at which ``day`` begins in Seoul, in UTC."""
    return datetime.combine(day, time.min, KST).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The last whole second of ``day`` in Seoul, in UTC: its Korean date is still ``day``."""
    return datetime.combine(day, time(23, 59, 59), KST).astimezone(UTC)


def _clean(value: str) -> str:
    text = _WEEKDAY.sub(" ", unicodedata.normalize("NFKC", value).translate(_QUOTES))
    return " ".join(text.split())


def _days(match: re.Match[str]) -> Days:
    year_text = match["y"].lstrip("'")
    # Two digits are of this century: no learning record of the scheme is older than 2013.
    year = int(year_text) + (2000 if len(year_text) == 2 else 0)
    month = int(match["m"])
    if match["d"] is not None:
        day = _date(year, month, int(match["d"]))
        return Days(day, day)
    first = _date(year, month, 1)
    return Days(first, first.replace(day=calendar.monthrange(year, month)[1]))


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise NotADate("date-impossible") from None


def _serial(number: float) -> Days | Moment:
    if not _SERIALS[0] <= number < _SERIALS[1]:
        raise NotADate("date-unreadable")
    seconds = round(number % 1 * 86400)
    day = _EXCEL_ZERO + timedelta(days=int(number))
    if seconds == 0:
        return Days(day, day)
    return Moment(datetime.combine(day, time.min, KST) + timedelta(seconds=seconds))
