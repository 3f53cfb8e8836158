"""Which records of many learners may count, and what each is worth: ``admit`` over columns.

The same steps as ``admit.Admission`` (cut-off, status, issuer, evidence, lateness, conversion), a
column at a time. A test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import numpy

from ledger.credit.clock import DEGREE, Clock
from ledger.credit.columns import NEVER, Columns, Flags, Ints, Words
from ledger.credit.policy import Accept, Conversion, Degree, Policy, TableRow
from ledger.credit.records import Context

_FAR = 1 << 34  # more minutes than any two instants are apart


@dataclass(slots=True)
class Supply:
    """Admitted records that some block takes. ``supply`` minutes; ``first``/``last`` local days;
    ``timed``: clock times matter; ``exact``: every clock minute counts; ``whole``: a clock minute
    is worth a minute; ``limited``: the conversion whose item limit applies, or -1; ``keys``: one
    column a rule, equal numbers are one learning; ``caps``: bits of the caps on it; ``accepts``:
    one column a block; ``hard``: learners the columns cannot judge."""

    rows: Columns
    supply: Ints
    first: Ints
    last: Ints
    timed: Flags
    exact: Flags
    whole: Flags
    limited: Ints
    keys: list[Ints]
    caps: Ints
    accepts: list[Flags]
    hard: Flags

    def take(self, keep: Any) -> Supply:
        """The same of some rows."""
        return Supply(
            self.rows.take(keep),
            self.supply[keep],
            self.first[keep],
            self.last[keep],
            self.timed[keep],
            self.exact[keep],
            self.whole[keep],
            self.limited[keep],
            [key[keep] for key in self.keys],
            self.caps[keep],
            [mask[keep] for mask in self.accepts],
            self.hard,
        )


class Sieve:
    """One policy, degree, register of issuers and cut-off. ``caps``: the caps on this degree."""

    def __init__(
        self, policy: Policy, degree: Degree, context: Context, as_of: date | datetime
    ) -> None:
        self.policy, self.context = policy, context
        self.clock = policy.clock
        if isinstance(as_of, datetime):
            self.cutoff = int(as_of.astimezone(UTC).timestamp() // 60)
            self.day = self.clock.day(self.cutoff)
        else:
            self.day = as_of.toordinal()
            self.cutoff = self.clock.midnight(self.day + 1)
        self.caps = [
            cap for cap in policy.caps if not cap.degrees or {degree.id, degree.base} & cap.degrees
        ]
        self.blocks = [b for b in degree.blocks if b.minimum]

    def admit(self, rows: Columns) -> Supply:
        """What may count, of all rows."""
        policy, evidence = self.policy, self.policy.evidence
        words = rows.words
        first, last, ended = self._days(rows)
        status = _one_of(rows.coded["status"], words, evidence.statuses)
        good = status & (ended <= self.cutoff) & (last <= self.day)
        if evidence.cutoff == "verification":
            good &= rows.verified <= self.cutoff
        good &= self._accredited(rows, first, last)
        good &= self._evidence(rows)
        good &= self._in_time(rows, last)
        hard = numpy.zeros(rows.learners, bool)
        if policy.equivalences:
            named = _one_of(rows.coded["code"], words, {e.code for e in policy.equivalences})
            hard[rows.learner[named]] = True
        leaf = self._leaves(rows, last)
        supply, exact, timed, whole, limited, subject = self._worth(rows, leaf, last)
        good &= supply > 0
        keys = [*self._keys(rows, last), *subject]
        found = Supply(
            rows,
            supply,
            first,
            last,
            timed,
            exact,
            whole,
            limited,
            keys,
            numpy.zeros(len(rows), numpy.int64),
            [self._takes(block.accept, rows, leaf, last) for block in self.blocks],
            hard,
        )
        for n, cap in enumerate(self.caps):
            found.caps |= self._takes(cap.accept, rows, leaf, last).astype(numpy.int64) << n
        found = found.take(
            good & numpy.logical_or.reduce([*found.accepts, numpy.zeros(len(rows), bool)])
        )
        # a capped record whose day, term or year is not settled has to be placed by the engine
        wide = (found.caps != 0) & (found.first != found.last) & ~(found.timed & found.exact)
        for n, cap in enumerate(self.caps):
            if cap.window != DEGREE and wide.any():
                mine = wide & (found.caps >> n & 1).astype(bool)
                apart = self.window(cap.window, found.first) != self.window(cap.window, found.last)
                hard[found.rows.learner[mine & apart]] = True
        return found

    def _days(self, rows: Columns) -> tuple[Ints, Ints, Ints]:
        """First day, last day, and the minute by which it was over."""
        first, last = rows.first.copy(), rows.last.copy()
        timed = rows.timed
        if timed.any():
            low = self.clock.day(int(rows.start[timed].min()))
            high = self.clock.day(int(rows.end[timed].max()))
            low, marks = _midnights(self.clock, low // 512, high // 512)
            first[timed] = low - 1 + numpy.searchsorted(marks, rows.start[timed], "right")
            last[timed] = low - 1 + numpy.searchsorted(marks, rows.end[timed] - 1, "right")
        days, place = numpy.unique(last, return_inverse=True)
        ends = numpy.array(
            [self.clock.midnight(int(d)) if d > 0 else NEVER for d in days], numpy.int64
        )
        return first, last, numpy.where(timed, rows.end, ends[place])

    def _accredited(self, rows: Columns, first: Ints, last: Ints) -> Flags:
        evidence = self.policy.evidence
        if evidence.issuer_registry == "any" or self.context.issuers is None:
            return numpy.ones(len(rows), bool)
        low, high = {
            "activity_end": (last, last),
            "activity_start": (first, first),
            "whole_activity": (first, last),
        }[evidence.issuer_at]
        good = numpy.zeros(len(rows), bool)
        listed = rows.words.listed()
        issuer = rows.coded["issuer"]
        for place in numpy.unique(issuer):
            standing = self.context.issuers.get(listed[place]) if place >= 0 else None
            if standing is None:
                continue
            mine = issuer == place
            for start, end in standing.periods:
                inside = (low >= start.toordinal()) & mine
                if end is not None:
                    inside &= high < end.toordinal()
                good |= inside
        return good

    def _evidence(self, rows: Columns) -> Flags:
        present = {
            "offering": rows.coded["offering"] >= 0,
            "attendance": (rows.attended >= 0) & (rows.sessions >= 0),
            "interval": rows.timed,
            "code": rows.coded["code"] >= 0,
            "number": rows.numbered,
            "approval": rows.approved == 1,
        }
        good: Flags = rows.approved != 0
        for kind, needed in self.policy.evidence.require.items():
            mine = _one_of(rows.coded["type"], rows.words, {kind})
            for need in needed:
                good &= ~mine | present[need]
        return good

    def _in_time(self, rows: Columns, last: Ints) -> Flags:
        evidence = self.policy.evidence
        known = rows.verified != NEVER
        if not (evidence.late_days or evidence.late_default is not None) or not known.any():
            return numpy.ones(len(rows), bool)
        hours, place = numpy.unique(rows.verified[known], return_inverse=True)
        days = numpy.zeros(len(rows), numpy.int64)
        days[known] = numpy.array([self.clock.day(int(h)) for h in hours], numpy.int64)[place]
        limit = numpy.full(
            len(rows), _FAR if evidence.late_default is None else evidence.late_default
        )
        for kind, most in evidence.late_days.items():
            limit[_one_of(rows.coded["type"], rows.words, {kind})] = most
        late: Flags = known & (days - last > limit)
        return ~late if evidence.late_action == "reject" else ~late | rows.late_approved

    def _leaves(self, rows: Columns, last: Ints) -> Ints:
        taxonomy = self.policy.taxonomy
        category = rows.coded["category"]
        leaf = category.copy()
        listed = rows.words.listed()
        for place in numpy.unique(category[category >= 0]):
            word = listed[place]
            if word in taxonomy.leaves:
                continue
            mine = category == place
            leaf[mine] = -1
            for alias in reversed(taxonomy.aliases.get(word, ())):
                inside = mine & _within(last, alias.since, alias.until)
                leaf[inside] = rows.words[alias.leaf]
        return leaf

    def _takes(self, accept: Accept, rows: Columns, leaf: Ints, last: Ints) -> Flags:
        good = numpy.ones(len(rows), bool)
        for wanted, column in (
            (accept.types, rows.coded["type"]),
            (accept.categories, leaf),
            (accept.groups, rows.coded["group"]),
            (accept.issuers, rows.coded["issuer"]),
            (accept.levels, rows.coded["level"]),
            (accept.courses, rows.coded["code"]),
        ):
            if wanted:
                good &= _one_of(column, rows.words, wanted)
        if accept.since or accept.until:
            good &= _within(last, accept.since, accept.until)
        if accept.either:
            options = [self._takes(option, rows, leaf, last) for option in accept.either]
            good &= numpy.logical_or.reduce(options)
        return good

    def _worth(
        self, rows: Columns, leaf: Ints, last: Ints
    ) -> tuple[Ints, Flags, Flags, Flags, Ints, list[Ints]]:
        """Supply; whether every clock minute counts, whether clock times matter, whether a clock
        minute is worth a minute; the conversion whose item limit applies; keys of table rows."""
        minutes = rows.minutes
        supply = numpy.maximum(minutes, 0)
        timed = rows.timed.copy()
        exact = timed & (rows.end - rows.start == minutes)
        whole = numpy.ones(len(rows), bool)
        limited = numpy.full(len(rows), -1, numpy.int64)
        subjects: list[Ints] = []
        free = numpy.ones(len(rows), bool)
        for n, conversion in enumerate(self.policy.conversions):
            mine = free & self._takes(conversion.accept, rows, leaf, last)
            free &= ~mine
            if not mine.any():
                continue
            worth = minutes
            if conversion.gives == "table":
                worth, subject = self._table(conversion, rows, last)
                if conversion.group_by is not None:
                    key = joined(rows.learner, subject)
                    subjects.append(numpy.where(mine & (subject >= 0), key, -1))
            elif conversion.gives == "per_item":
                worth = numpy.full(len(rows), conversion.per_item)
            given = numpy.where(self._passes(conversion, rows), worth, 0)
            if conversion.gives == "attended":
                shown = (rows.attended >= 0) & (rows.sessions > 0)
                part = given * numpy.maximum(rows.attended, 0) // numpy.maximum(rows.sessions, 1)
                given = numpy.where(shown, part, given)
            elif conversion.gives == "ratio" and conversion.ratio is not None:
                given = given * conversion.ratio.numerator // conversion.ratio.denominator
                whole &= ~mine | (conversion.ratio == 1)
            supply = numpy.where(mine, numpy.maximum(given, 0), supply)
            if conversion.gives in ("table", "per_item"):
                timed &= ~mine
                exact &= ~mine
            else:
                exact &= ~mine | (supply == minutes)
            if conversion.max_items is not None:
                limited[mine] = n
        return supply, exact, timed, whole, limited, subjects

    def _passes(self, conversion: Conversion, rows: Columns) -> Flags:
        if not conversion.thresholds and conversion.gives != "attended":
            return numpy.ones(len(rows), bool)
        known = (rows.attended >= 0) & (rows.sessions > 0)
        enough = numpy.ones(len(rows), bool)
        below = numpy.ones(len(rows), bool)
        for least, ratio in conversion.thresholds:
            here = below & (rows.sessions >= least)
            below &= ~here
            short = rows.attended * ratio.denominator < ratio.numerator * rows.sessions
            enough &= ~(here & short)
        missing = (
            numpy.zeros(len(rows), bool) if conversion.if_missing == "fail" else rows.sessions != 0
        )
        return numpy.where(known, enough, missing)

    def _table(self, conversion: Conversion, rows: Columns, last: Ints) -> tuple[Ints, Ints]:
        worth = numpy.full(len(rows), -1, numpy.int64)
        subject = numpy.full(len(rows), -1, numpy.int64)
        # the latest row that has begun and not ended
        for row in sorted(conversion.table, key=_begun):
            mine = _one_of(rows.coded["code"], rows.words, {row.code})
            mine &= _within(last, row.since, row.until)
            worth[mine] = row.minutes
            value = row.subject if conversion.group_by == "subject" else row.code
            subject[mine] = rows.words[value]
        return worth, subject

    def _keys(self, rows: Columns, last: Ints) -> Iterator[Ints]:
        """One column a rule of ``same_learning``: equal numbers are one learning, -1 is none."""
        for rule in self.policy.identity.same:
            if "about" in rule:
                continue  # a record about another one is odd
            key = rows.learner.copy()
            good = numpy.ones(len(rows), bool)
            for word in rule:
                if word == "person":
                    continue
                if word in ("term", "year"):
                    term = word == "term" and bool(self.clock.term_starts)
                    column = self.window("term" if term else "year", last)
                else:
                    column = rows.coded[word]
                    good &= column >= 0
                key = joined(key, column)
            yield numpy.where(good, key, -1)

    def window(self, window: str, day: Ints) -> Ints:
        """A number naming the window of this kind that holds each day."""
        if window == DEGREE:
            return numpy.zeros(len(day), numpy.int64)
        if window == "day":
            return day
        days, place = numpy.unique(day, return_inverse=True)
        keys = [self.clock.key(window, int(d)) if d > 366 else 0 for d in days]
        return numpy.array(keys, numpy.int64)[place]


def joined(left: Ints, right: Ints) -> Ints:
    """One number for each pair of numbers, as small as can be."""
    if not len(left):
        return left
    low = int(right.min())
    width = int(right.max()) - low + 1
    if int(left.max()) * width > 1 << 60:
        left = numpy.unique(left, return_inverse=True)[1]
        right = numpy.unique(right, return_inverse=True)[1]
        low, width = 0, int(right.max()) + 1
    return left * width + (right - low)


@lru_cache(maxsize=64)
def _midnights(clock: Clock, low: int, high: int) -> tuple[int, Ints]:
    """The first minute of each local day from day ``512 * low``, given with it, to the end of the
    last stretch of 512 days."""
    days = range(512 * low, 512 * (high + 1) + 1)
    return days.start, numpy.array([clock.midnight(d) for d in days], numpy.int64)


def _begun(row: TableRow) -> date:
    return row.since or date.min


def _one_of(column: Ints, words: Words, wanted: Collection[str]) -> Flags:
    places = [words[word] for word in sorted(wanted) if word in words]
    if len(places) == 1:
        return numpy.asarray(column == places[0])
    return numpy.isin(column, places)


def _within(day: Ints, since: date | None, until: date | None) -> Flags:
    good = numpy.ones(len(day), bool)
    if since is not None:
        good &= day >= since.toordinal()
    if until is not None:
        good &= day < until.toordinal()
    return good
