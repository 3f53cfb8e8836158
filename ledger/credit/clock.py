"""Days, terms and years as the policy cuts them: in its time zone, from the tz database.

Instants are whole minutes since 1970-01-01T00:00Z. Korea had summer time in 1987-88 and UTC+8:30
before August 1961, so a day is not always 1,440 minutes; nothing here assumes +09:00.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY, TERM, YEAR, DEGREE = "day", "term", "year", "degree"
FINENESS = {DAY: 0, TERM: 1, YEAR: 2, DEGREE: 3}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=65536)
def _midnight(zone: str, ordinal: int) -> int:
    local = datetime.combine(date.fromordinal(ordinal), datetime.min.time(), ZoneInfo(zone))
    return int((local.astimezone(UTC) - _EPOCH).total_seconds() // 60)


@dataclass(frozen=True, slots=True)
class Clock:
    """How a policy reads time.

    ``year_start`` and ``term_starts`` are (month, day); a year or term is half-open.
    ``count_first_day``: whether the day of the event is day 1 of a waiting time.
    ``roll``: a period that ends on a Saturday, Sunday or listed holiday ends on the next working
    day when ``"next_working_day"``.
    """

    zone: str = "Asia/Seoul"
    year_start: tuple[int, int] = (1, 1)
    term_starts: tuple[tuple[int, int], ...] = ()
    count_first_day: bool = False
    roll: str = "as_is"
    holidays: frozenset[date] = frozenset()

    def day(self, minute: int) -> int:
        """The ordinal of the local day that holds this minute."""
        guess = date(1970, 1, 1).toordinal() + minute // 1440
        while _midnight(self.zone, guess) > minute:
            guess -= 1
        while _midnight(self.zone, guess + 1) <= minute:
            guess += 1
        return guess

    def midnight(self, ordinal: int) -> int:
        """The first minute of a local day."""
        return _midnight(self.zone, ordinal)

    def key(self, window: str, ordinal: int) -> int:
        """A number naming the window of this kind that holds the day: its first day's ordinal."""
        if window == DAY:
            return ordinal
        if window == DEGREE:
            return 0
        starts = (self.year_start,) if window == YEAR else self.term_starts
        year = date.fromordinal(ordinal).year
        firsts = sorted(date(y, m, d).toordinal() for y in (year - 1, year) for m, d in starts)
        return firsts[bisect_right(firsts, ordinal) - 1]

    def name(self, window: str, key: int) -> str:
        """The window in words a person knows: a day, or the first day of the term or year."""
        if window == DEGREE:
            return "degree"
        first = date.fromordinal(key)
        return str(first.year) if window == YEAR and self.year_start == (1, 1) else str(first)

    def split(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Cut ``[start, end)`` at local midnights: (day, from, to)."""
        day = self.day(start)
        while start < end:
            stop = min(end, self.midnight(day + 1))
            yield day, start, stop
            start, day = stop, day + 1

    def after_days(self, event: date, days: int) -> date:
        """The first day on which a waiting time of ``days`` days after ``event`` is over."""
        if days <= 0:
            return event
        last = event + timedelta(days=days - (1 if self.count_first_day else 0))
        if self.roll == "next_working_day":
            while last.weekday() >= 5 or last in self.holidays:
                last += timedelta(days=1)
        return last


def merge(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The union of half-open spans, in order."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def length(spans: Iterable[tuple[int, int]]) -> int:
    """Minutes in spans that do not overlap."""
    return sum(end - start for start, end in spans)
