"""The hours of many learners at once, by exact bounds: what is missing, or "ask the engine".

For every learner two numbers are worked out: minutes that are missing whatever the allocation, and
minutes that are missing under one allocation that can be had. Where they are equal, that is what
the engine would answer. Otherwise the learner is left open.

Without duplicates and shared clock time both come from one formula. Caps are nested, so the most a
set of records can give, f(set), is found by cutting sums from the inside out; and the least missing
is the largest ``need(S) - f(records that some block of S takes)`` over sets S of blocks (Rado's
theorem, the minimum cut of the whole network). With duplicates or shared clock time the lower bound
forgets part of these rules and the upper bound drops records until nothing collides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import combinations
from typing import Any

import numpy

from ledger.credit.clock import FINENESS
from ledger.credit.columns import Columns, Flags, Ints
from ledger.credit.policy import Cap, Degree, Policy
from ledger.credit.records import Context
from ledger.credit.sieve import Sieve, Supply, joined

MOST_BLOCKS = 4
_FAR = 1 << 34  # more minutes than any two instants are apart


@dataclass(frozen=True, slots=True)
class Screened:
    """``decided``: which learners; ``missing``: minutes missing in their blocks. Hours are met
    where nothing is missing (a degree with overlays is then left open)."""

    decided: Flags
    missing: Ints


class Screen:
    """One policy, degree, register of issuers and cut-off, ready for columns.

    ``able`` is False for degrees the formula does not cover (caps that cross, more than four
    blocks, hours only from a date on): then nobody is decided.
    """

    def __init__(
        self, policy: Policy, degree: Degree, context: Context, as_of: date | datetime
    ) -> None:
        self.policy, self.degree = policy, degree
        self.sieve = Sieve(policy, degree, context, as_of)
        self.caps, self.blocks = self.sieve.caps, self.sieve.blocks
        self.clock = policy.clock
        self.alone = policy.identity.across_type == "count_both"
        self.able = (
            len(self.blocks) <= MOST_BLOCKS
            and not (degree.after.degree is not None and degree.after.hours_from == "none")
            and not (len(self.caps) > 1 and any(cap.per for cap in self.caps))
            and all(cap.per in (None, "issuer") for cap in self.caps)
            and len(self.caps) < 32
        )

    def missing(self, columns: Columns) -> Screened:
        """Decide who can be decided."""
        if not self.able or not len(columns):
            none = numpy.zeros(columns.learners, numpy.int64)
            decided = numpy.full(columns.learners, self.able)
            return Screened(decided, none + self.degree.required)
        admitted = self.sieve.admit(columns)
        open_ = admitted.hard.copy()
        open_[columns.learner[columns.odd]] = True
        entangled, groups, touching = _entangled(admitted, self.alone)
        low = self._least(lambda taken: (numpy.where(taken, admitted.supply, 0), None), admitted)
        if entangled.any():
            low[entangled] = 0
            theirs = entangled[admitted.rows.learner]
            most, least = self._bounds(
                admitted.take(theirs), [g[theirs] for g in groups], touching[theirs]
            )
            low[entangled] = least[entangled]
            open_ |= entangled & (most != least)
        if self.degree.overlays:
            open_ |= low == 0
        return Screened(~open_, low)

    def _least(self, given: Callable[[Flags], tuple[Ints, Ints | None]], found: Supply) -> Ints:
        """The least missing over sets of blocks, when nothing but caps and blocks limits what
        ``given`` says the records of a set supply (and the minute from which a timed one is free).
        """
        worst = numpy.zeros(found.rows.learners, numpy.int64)
        for size in range(1, len(self.blocks) + 1):
            for chosen in combinations(range(len(self.blocks)), size):
                taken = numpy.logical_or.reduce([found.accepts[b] for b in chosen])
                supply, begin = given(taken)
                need = sum(self.blocks[b].minimum for b in chosen)
                worst = numpy.maximum(worst, need - self._most(found, supply, begin))
        return worst

    def _most(self, found: Supply, supply: Ints, start: Ints | None) -> Ints:
        """f: the most each learner's records can give under the caps."""
        learner, caps, day = found.rows.learner, found.caps, found.last
        issuer = found.rows.coded["issuer"]
        if self.caps:
            learner, caps, day, issuer, supply = self._by_day(found, supply, start)
            for n, cap in self._inside_out(caps):
                self._cut(cap, (caps >> n & 1).astype(bool), learner, day, issuer, supply)
        total = numpy.bincount(learner, weights=supply, minlength=found.rows.learners)
        return total.astype(numpy.int64)

    def _by_day(
        self, found: Supply, supply: Ints, start: Ints | None
    ) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Pieces: exact capped records are cut at local midnights."""
        rows = found.rows
        begin = rows.start if start is None else numpy.maximum(rows.start, start)
        long = (found.caps != 0) & found.exact & (found.first != found.last) & (supply > 0)
        parts = [numpy.flatnonzero(~long)]
        given, days = [supply[~long]], [found.last[~long]]
        for i in numpy.flatnonzero(long):
            for day, low, high in self.clock.split(int(begin[i]), int(rows.end[i])):
                parts.append(numpy.array([i]))
                given.append(numpy.array([high - low]))
                days.append(numpy.array([day]))
        place = numpy.concatenate(parts)
        return (
            rows.learner[place],
            found.caps[place],
            numpy.concatenate(days),
            rows.coded["issuer"][place],
            numpy.concatenate(given).astype(numpy.int64),
        )

    def _inside_out(self, caps: Ints) -> list[tuple[int, Cap]]:
        """Caps from the narrowest window and kind outwards."""
        sizes = [int((caps >> n & 1).sum()) for n in range(len(self.caps))]
        order = sorted(
            range(len(self.caps)), key=lambda n: (FINENESS[self.caps[n].window], sizes[n])
        )
        return [(n, self.caps[n]) for n in order if sizes[n]]

    def _cut(
        self, cap: Cap, mine: Flags, learner: Ints, day: Ints, issuer: Ints, supply: Ints
    ) -> None:
        """Cut the sums of one cap's windows to its limit, in place."""
        limit = cap.limit(self.degree)
        rows = numpy.flatnonzero(mine & (supply > 0))
        if not len(rows):
            return
        key = joined(learner[rows], self.sieve.window(cap.window, day[rows]))
        if cap.per is not None:
            key = joined(key, issuer[rows])
        order = numpy.argsort(key, kind="stable")
        rows, key = rows[order], key[order]
        running = numpy.cumsum(supply[rows])
        fresh = numpy.r_[True, key[1:] != key[:-1]]
        before = running - supply[rows]
        base = numpy.maximum.accumulate(numpy.where(fresh, before, 0))
        supply[rows] = numpy.clip(limit - (before - base), 0, supply[rows])

    def _bounds(self, found: Supply, groups: Sequence[Flags], touching: Flags) -> tuple[Ints, Ints]:
        """(missing under one allocation, missing under any) of learners with collisions."""
        high = self._one_allocation(found, touching)
        low = self._least(lambda taken: (numpy.where(taken, found.supply, 0), None), found)
        sign = self._signature(found)
        crowd = _same_for_all(found, touching, sign)

        def shared(taken: Flags, key: Ints | None = None, quiet: Flags | None = None) -> Any:
            # shared clock time once; of groups without clock times the largest
            begin = _free_from(found, found.timed & crowd & taken, self.alone)
            free = numpy.maximum(found.rows.end - begin, 0)
            supply = numpy.where(taken, numpy.where(touching & crowd, free, found.supply), 0)
            if key is not None and quiet is not None:
                supply[quiet & ~_largest(numpy.where(taken, key, -1), found.supply)] = 0
            return supply, begin

        low = numpy.maximum(low, self._least(shared, found))
        for key, group in zip(found.keys, groups, strict=True):
            if not group.any():
                continue
            alike = _alike(found, key, group, sign)
            quiet = alike & ~_group_any(key, found.timed)
            low = numpy.maximum(low, self._least(partial(shared, key=key, quiet=quiet), found))
            grouped = partial(_of_each_the_largest, found, key, alike)
            low = numpy.maximum(low, self._least(grouped, found))
        return high, low

    def _signature(self, found: Supply) -> Ints:
        """Equal for records on which the same caps lie, in the windows of one day."""
        if any(cap.per for cap in self.caps):
            return joined(found.caps, found.rows.coded["issuer"])
        return found.caps

    def _one_allocation(self, found: Supply, touching: Flags) -> Ints:
        """What is missing when the largest of every group counts and every stretch of the clock
        belongs to the first record on it."""
        keep = numpy.ones(len(found.supply), bool)
        for key in found.keys:
            keep &= _largest(key, found.supply)
        keep &= self._few(found, keep)
        keep &= found.whole | ~touching
        begin = _free_from(found, found.timed & keep, self.alone)
        free = numpy.maximum(found.rows.end - begin, 0)
        given = numpy.where(
            found.timed & found.whole, numpy.minimum(found.supply, free), found.supply
        )
        given = numpy.where(keep, given, 0)
        return self._least(lambda taken: (numpy.where(taken, given, 0), begin), found)

    def _few(self, found: Supply, keep: Flags) -> Flags:
        """Which records an item limit leaves, the largest first."""
        good = numpy.ones(len(keep), bool)
        for n in numpy.unique(found.limited[found.limited >= 0]):
            most = self.policy.conversions[n].max_items or 0
            rows = numpy.flatnonzero((found.limited == n) & keep)
            order = numpy.lexsort((-found.supply[rows], found.rows.learner[rows]))
            learner = found.rows.learner[rows][order]
            fresh = numpy.r_[True, learner[1:] != learner[:-1]]
            at = numpy.arange(len(rows))
            rank = at - numpy.maximum.accumulate(numpy.where(fresh, at, 0))
            good[rows[order][rank >= most]] = False
        return good


def _of_each_the_largest(
    found: Supply, key: Ints, alike: Flags, taken: Flags
) -> tuple[Ints, Ints | None]:
    """Supply of a set of records when of every group of like members only the largest counts."""
    dropped = alike & ~_largest(numpy.where(taken, key, -1), found.supply)
    return numpy.where(taken & ~dropped, found.supply, 0), None


def _crowded(key: Ints) -> Flags:
    """Members of groups of two and more."""
    rows = numpy.flatnonzero(key >= 0)
    good = numpy.zeros(len(key), bool)
    if len(rows):
        _, place, counts = numpy.unique(key[rows], return_inverse=True, return_counts=True)
        good[rows] = counts[place] > 1
    return good


def _largest(key: Ints, supply: Ints) -> Flags:
    """False for members of a group that has a larger one, or an equal one before it."""
    rows = numpy.flatnonzero(key >= 0)
    good = numpy.ones(len(key), bool)
    if len(rows):
        order = numpy.lexsort((-supply[rows], key[rows]))
        sorted_ = key[rows][order]
        good[rows[order]] = numpy.r_[True, sorted_[1:] != sorted_[:-1]]
    return good


def _group_any(key: Ints, flag: Flags) -> Flags:
    """Whether any member of a row's group has the flag."""
    rows = numpy.flatnonzero(key >= 0)
    found = numpy.zeros(len(key), bool)
    if len(rows):
        _, place = numpy.unique(key[rows], return_inverse=True)
        found[rows] = numpy.bincount(place, weights=flag[rows])[place] > 0
    return found


def _alike(found: Supply, key: Ints, group: Flags, sign: Ints) -> Flags:
    """Members of groups whose members the same caps limit on the same single day."""
    sign = numpy.where(found.caps == 0, -1, joined(sign, found.last))
    sign = numpy.where((found.caps != 0) & (found.first != found.last), -2, sign)
    rows = numpy.flatnonzero(group)
    good = numpy.zeros(len(key), bool)
    if len(rows):
        _, place = numpy.unique(key[rows], return_inverse=True)
        low = numpy.full(place.max() + 1, _FAR << 8, numpy.int64)
        high = numpy.full(place.max() + 1, -_FAR, numpy.int64)
        numpy.minimum.at(low, place, sign[rows])
        numpy.maximum.at(high, place, sign[rows])
        good[rows] = ((low == high) & (low != -2))[place]
    return good


def _by_clock(found: Supply, timed: Flags, alone: bool) -> tuple[Ints, Ints]:
    """Timed rows in order of learner (and type, when only one type excludes itself) and start; and
    a number that keeps one learner's clock before the next one's."""
    rows = numpy.flatnonzero(timed)
    stream = found.rows.learner[rows]
    if alone:
        stream = joined(stream, found.rows.coded["type"][rows])
    stream = numpy.unique(stream, return_inverse=True)[1] if len(rows) else stream
    order = numpy.lexsort((found.rows.start[rows], stream))
    return rows[order], stream[order] * _FAR


def _free_from(found: Supply, timed: Flags, alone: bool) -> Ints:
    """For each row the minute from which no earlier row claims its clock time."""
    begin = found.rows.start.copy()
    rows, shift = _by_clock(found, timed, alone)
    if len(rows) > 1:
        ends = numpy.maximum.accumulate(found.rows.end[rows] + shift)
        before = numpy.r_[-_FAR, ends[:-1] - shift[1:]]
        begin[rows] = numpy.maximum(begin[rows], before)
    return begin


def _entangled(found: Supply, alone: bool) -> tuple[Flags, list[Flags], Flags]:
    """Learners with duplicates, item limits or shared clock time; members of groups by key; rows
    that share clock time."""
    learners = numpy.zeros(found.rows.learners, bool)
    groups = [_crowded(key) for key in found.keys]
    for group in groups:
        learners[found.rows.learner[group]] = True
    learners[found.rows.learner[found.limited >= 0]] = True
    rows, shift = _by_clock(found, found.timed, alone)
    touching = numpy.zeros(len(found.supply), bool)
    if len(rows) > 1:
        start, end = found.rows.start[rows] + shift, found.rows.end[rows] + shift
        later = start[1:] < numpy.maximum.accumulate(end)[:-1]
        # whoever begins before all that come later have: the least start after it
        touching[rows[1:][later]] = True
        touching[rows[:-1][start[1:] < end[:-1]]] = True
        learners[found.rows.learner[touching]] = True
    return learners, groups, touching


def _same_for_all(found: Supply, touching: Flags, sign: Ints) -> Flags:
    """Rows of learners whose records that share clock time are all exact, whole, and under the
    same caps."""
    learner = found.rows.learner
    bad = numpy.zeros(found.rows.learners, bool)
    bad[learner[touching & ~(found.exact & found.whole)]] = True
    low = numpy.full(found.rows.learners, _FAR, numpy.int64)
    high = numpy.full(found.rows.learners, -1, numpy.int64)
    numpy.minimum.at(low, learner[touching], sign[touching])
    numpy.maximum.at(high, learner[touching], sign[touching])
    bad |= (high >= 0) & (low != high)
    return ~bad[learner]
