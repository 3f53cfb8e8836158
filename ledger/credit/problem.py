"""Step 6: the allocation problem of one learner and one degree, in integers.

Records are cut into cells (a local day, term or year, and, where clock times of several records
meet, a stretch of the clock). Rows limit sums of cells: caps per window, and each clock minute
once. Same-learning groups allow one record each. Blocks take cells through classes: records that
the same blocks accept are one class.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.credit.admit import Candidate, takes
from ledger.credit.clock import DEGREE, FINENESS, Clock, length
from ledger.credit.policy import Accept, Block, Degree, Overlay, Policy


@dataclass(slots=True)
class Cell:
    """Some minutes of one record: at most ``capacity``; ``day`` a local day inside."""

    record: int
    capacity: int
    day: int
    start: int = 0


@dataclass(slots=True)
class Row:
    """``sum(coefficient * cell) <= limit``. ``cap`` is the cap's place in the policy, -1 for a
    stretch of the clock; ``locked`` cells of earlier degrees weigh in unless ``own`` is set."""

    cap: int
    key: tuple[int | str, ...]
    limit: int
    cells: list[tuple[int, int]] = field(default_factory=list)
    own: bool = False


@dataclass(slots=True)
class Problem:
    """Everything the allocation may know. Indices are places in ``records`` (in tie-break order),
    ``cells``, ``blocks``. ``tight`` rows are those that can bind; ``rows`` are all of them."""

    records: list[Candidate]
    supply: list[int]
    locked: list[int]
    cells: list[Cell]
    of: list[list[int]]
    rows: list[Row]
    tight: list[Row]
    groups: list[list[int]]
    shut: dict[int, int]
    limits: list[tuple[str, int, list[int]]]
    blocks: list[Block]
    classes: list[tuple[int, ...]]
    klass: list[int]
    overlays: list[Overlay]
    looks: list[list[int]]
    distinct: dict[int, dict[str, list[int]]]

    @property
    def required(self) -> int:
        return sum(block.minimum for block in self.blocks)


def value(candidate: Candidate, word: str) -> str | None:
    """What a record has under one of the words ``distinct`` and ``per`` know."""
    record = candidate.record
    known = {
        "category": candidate.leaf,
        "type": record.type,
        "issuer": record.issuer,
        "issuer_group": candidate.group,
        "level": record.level,
        "course": candidate.course,
    }
    return known[word]


def build_problem(
    policy: Policy,
    degree: Degree,
    candidates: Sequence[Candidate],
    locked: Mapping[str, int],
    *,
    blocks: Sequence[Block],
    admitted: Mapping[str, Sequence[str]] | None = None,
    extra: Sequence[Candidate] = (),
) -> Problem:
    """The problem of ``degree`` with ``blocks`` (its own, or those a human exception changed).

    ``locked``: minutes of each record an earlier degree holds. ``admitted``: block id to record
    ids a human exception lets in. ``extra``: imagined learning, after all records in order and
    free of day, term and year caps (it can be spread).
    """
    admitted = admitted or {}
    order = [*sorted(candidates, key=_tie_key(policy, degree)), *extra]
    accepted = [
        tuple(
            b
            for b, block in enumerate(blocks)
            if takes(block.accept, c) or c.id in admitted.get(block.id, ())
        )
        for c in order
    ]
    classes = sorted(set(accepted))
    place = {signature: i for i, signature in enumerate(classes)}
    held = [min(locked.get(c.id, 0), c.supply) for c in order]
    supply = [c.supply - h for c, h in zip(order, held, strict=True)]
    cuts = _meetings(policy, order)
    cells, of = _cells(policy, degree, order, cuts)
    rows = _cap_rows(policy, degree, order, cells) + _clock_rows(policy, order, cells, of, cuts)
    groups, shut = _groups(order, held)
    limits = []
    for conversion in policy.conversions:
        if conversion.max_items is not None:
            members = [i for i, c in enumerate(order) if c.limited == conversion.id]
            if len(members) > conversion.max_items:
                limits.append((conversion.id, conversion.max_items, members))
    looks = [[i for i, c in enumerate(order) if takes(o.accept, c)] for o in degree.overlays]
    distinct: dict[int, dict[str, list[int]]] = {}
    for n, overlay in enumerate(degree.overlays):
        if overlay.distinct is not None:
            values: dict[str, list[int]] = defaultdict(list)
            for i in looks[n]:
                found = value(order[i], overlay.distinct)
                if found is not None:
                    values[found].append(i)
            distinct[n] = dict(sorted(values.items()))
    problem = Problem(
        records=order,
        supply=supply,
        locked=held,
        cells=cells,
        of=of,
        rows=rows,
        tight=[],
        groups=groups,
        shut=shut,
        limits=limits,
        blocks=list(blocks),
        classes=classes,
        klass=[place[signature] for signature in accepted],
        overlays=list(degree.overlays),
        looks=looks,
        distinct=distinct,
    )
    problem.tight = [row for row in rows if _can_bind(problem, row)]
    return problem


def _can_bind(problem: Problem, row: Row) -> bool:
    per_record: dict[int, int] = defaultdict(int)
    scale: dict[int, int] = {}
    for cell, coefficient in row.cells:
        per_record[problem.cells[cell].record] += problem.cells[cell].capacity
        scale[problem.cells[cell].record] = coefficient
    total = 0
    for record, capacity in per_record.items():
        most = problem.supply[record] + (0 if row.own else problem.locked[record])
        total += scale[record] * min(capacity, most)
    return total > row.limit


def _tie_key(policy: Policy, degree: Degree) -> Callable[[Candidate], tuple[Any, ...]]:
    """Order of use: least useful to later degrees first, then oldest, then by id, as the policy's
    ``objective`` lists them."""
    later: list[Accept] = []
    seen = False
    for other in policy.degrees:
        if seen and other.base != degree.base and other.after.hours_from == "surplus":
            later.extend(block.accept for block in other.blocks)
        seen = seen or other.id == degree.id

    def key(candidate: Candidate) -> tuple[Any, ...]:
        parts: list[Any] = []
        for word in policy.objective:
            if word == "keep_flexible_minutes":
                parts.append(sum(takes(accept, candidate) for accept in later))
            elif word == "oldest_first":
                parts.append(candidate.sort_key())
        return (*parts, candidate.id)

    return key


IMAGINED = "?"


def caps_on(policy: Policy, degree: Degree, candidate: Candidate) -> list[int]:
    """Places in ``policy.caps`` of the caps on this record in this degree."""
    return [
        n
        for n, cap in enumerate(policy.caps)
        if (not cap.degrees or {degree.id, degree.base} & cap.degrees)
        and (candidate.record.status != IMAGINED or (cap.window == DEGREE and cap.per is None))
        and takes(cap.accept, candidate)
    ]


def _cells(
    policy: Policy, degree: Degree, order: Sequence[Candidate], cuts: Mapping[int, Sequence[int]]
) -> tuple[list[Cell], list[list[int]]]:
    clock = policy.clock
    cells: list[Cell] = []
    of: list[list[int]] = []
    for i, candidate in enumerate(order):
        windows = [policy.caps[n].window for n in caps_on(policy, degree, candidate)]
        finest = min(windows, key=FINENESS.__getitem__, default=DEGREE)
        mine: list[int] = []
        for day, start, capacity in _pieces(candidate, finest, clock, cuts.get(i, ())):
            mine.append(len(cells))
            cells.append(Cell(i, capacity, day, start))
        of.append(mine)
    return cells, of


def _pieces(
    candidate: Candidate, finest: str, clock: Clock, cuts: Sequence[int]
) -> list[tuple[int, int, int]]:
    """(day, first minute, capacity) of each cell of a record."""
    rate = candidate.rate

    def worth(minutes: int) -> int:
        # rounded up: the record's own supply, rounded down, stays the limit
        return min(candidate.supply, -(-minutes * rate.numerator // rate.denominator))

    if finest == DEGREE and not cuts:
        start = candidate.spans[0][0] if candidate.spans else 0
        return [(candidate.last, start, candidate.supply)]
    if not candidate.spans:
        days = range(candidate.first, candidate.last + 1)
        if finest == DEGREE:
            return [(candidate.last, 0, candidate.supply)]
        firsts: dict[int, int] = {}
        for day in days:
            firsts.setdefault(clock.key(finest, day), day)
        return [(day, 0, candidate.supply) for day in firsts.values()]
    pieces: list[tuple[int, int, int]] = []
    for span_start, span_end in candidate.spans:
        inner = [span_start, *(c for c in cuts if span_start < c < span_end), span_end]
        for start, end in itertools.pairwise(inner):
            if finest == DEGREE:
                pieces.append((clock.day(start), start, end - start))
                continue
            for day, low, high in clock.split(start, end):
                pieces.append((day, low, high - low))
    if cuts:
        return [(day, start, worth(minutes)) for day, start, minutes in pieces]
    merged: dict[int, tuple[int, int, int]] = {}
    for day, start, minutes in pieces:
        key = clock.key(finest, day)
        known = merged.get(key, (day, start, 0))
        merged[key] = (known[0], known[1], known[2] + minutes)
    return [(day, start, worth(minutes)) for day, start, minutes in merged.values()]


def _meetings(policy: Policy, order: Sequence[Candidate]) -> dict[int, list[int]]:
    """For each record whose clock minutes another record may claim too: where to cut it.

    A record that only lies somewhere inside its interval is left out when it finds room there
    whatever the others do; then it limits nobody.
    """
    alone = policy.identity.across_type == "count_both"
    timed = [i for i, c in enumerate(order) if c.spans]
    timed.sort(key=lambda i: order[i].spans[0])
    cuts: dict[int, list[int]] = {}
    streams: dict[str, list[int]] = defaultdict(list)
    for i in timed:
        streams[order[i].type if alone else ""].append(i)
    for members in streams.values():
        meeting = _crowd(order, members)
        points = sorted({p for i in meeting for p in _edges(order[i].spans, policy.clock)})
        for i in meeting:
            low, high = order[i].spans[0][0], order[i].spans[-1][1]
            cuts[i] = [p for p in points if low <= p <= high]
    return cuts


def _edges(spans: Sequence[tuple[int, int]], clock: Clock) -> list[int]:
    """Both ends of every span and the midnights inside."""
    edges = [p for span in spans for p in span]
    for start, end in spans:
        edges.extend(low for _, low, _ in clock.split(start, end))
    return edges


def _clock_minutes(candidate: Candidate) -> int:
    return -(-candidate.supply * candidate.rate.denominator // candidate.rate.numerator)


def _crowd(order: Sequence[Candidate], members: Sequence[int]) -> list[int]:
    """Members that share clock time with another in a way that can matter."""
    touching: dict[int, set[int]] = defaultdict(set)
    active: list[int] = []
    for i in members:
        start = order[i].spans[0][0]
        active = [j for j in active if order[j].spans[-1][1] > start]
        for j in active:
            if _shared(order[i].spans, order[j].spans):
                touching[i].add(j)
                touching[j].add(i)
        active.append(i)
    loose = [i for i in touching if not order[i].exact]
    changed = True
    while changed and loose:
        changed = False
        for i in list(loose):
            room = length(order[i].spans) - _clock_minutes(order[i])
            for j in touching[i]:
                room -= min(_shared(order[i].spans, order[j].spans), _clock_minutes(order[j]))
            if room >= 0:
                for j in touching.pop(i):
                    touching[j].discard(i)
                loose.remove(i)
                changed = True
    return sorted(i for i, others in touching.items() if others)


def _shared(left: tuple[tuple[int, int], ...], right: tuple[tuple[int, int], ...]) -> int:
    total = i = j = 0
    while i < len(left) and j < len(right):
        total += max(0, min(left[i][1], right[j][1]) - max(left[i][0], right[j][0]))
        if left[i][1] <= right[j][1]:
            i += 1
        else:
            j += 1
    return total


def _cap_rows(
    policy: Policy, degree: Degree, order: Sequence[Candidate], cells: Sequence[Cell]
) -> list[Row]:
    rows: dict[tuple[int | str, ...], Row] = {}
    applying = [caps_on(policy, degree, c) for c in order]
    for n, cell in enumerate(cells):
        candidate = order[cell.record]
        for c in applying[cell.record]:
            cap = policy.caps[c]
            key: tuple[int | str, ...] = (c, policy.clock.key(cap.window, cell.day))
            if cap.per is not None:
                key = (*key, value(candidate, cap.per) or "")
            row = rows.get(key)
            if row is None:
                row = rows[key] = Row(c, key, cap.limit(degree), [], cap.window == DEGREE)
            row.cells.append((n, 1))
    return [rows[key] for key in sorted(rows, key=str)]


def _clock_rows(
    policy: Policy,
    order: Sequence[Candidate],
    cells: Sequence[Cell],
    of: Sequence[Sequence[int]],
    meeting: Mapping[int, Sequence[int]],
) -> list[Row]:
    """One row per stretch of the clock that cells of two records share."""
    alone = policy.identity.across_type == "count_both"
    stretches: dict[tuple[str, int], list[int]] = defaultdict(list)
    for i in meeting:
        for n in of[i]:
            stretches[order[i].type if alone else "", cells[n].start].append(n)
    rows = []
    for (stream, start), members in sorted(stretches.items()):
        if len(members) < 2:
            continue
        rates = [order[cells[n].record].rate for n in members]
        scale = 1
        for rate in rates:
            scale = scale * rate.numerator
        longest = max(
            _stretch(order[cells[n].record], cells[n], meeting[cells[n].record], policy.clock)
            for n in members
        )
        rows.append(
            Row(
                -1,
                (-1, start, stream),
                longest * scale,
                [
                    (n, scale * rate.denominator // rate.numerator)
                    for n, rate in zip(members, rates, strict=True)
                ],
            )
        )
    return rows


def _stretch(candidate: Candidate, cell: Cell, cuts: Sequence[int], clock: Clock) -> int:
    """Clock minutes of the stretch a cell lies in."""
    end = next(b for a, b in candidate.spans if a <= cell.start < b)
    end = min([end, *(c for c in cuts if c > cell.start)])
    return min(end, clock.midnight(clock.day(cell.start) + 1)) - cell.start


def _groups(
    order: Sequence[Candidate], held: Sequence[int]
) -> tuple[list[list[int]], dict[int, int]]:
    """Sets of which one may count; and records shut out because an earlier degree holds the
    same learning (record -> the one that is held)."""
    members: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, candidate in enumerate(order):
        for key in candidate.same:
            members[key].append(i)
    shut: dict[int, int] = {}
    found: set[tuple[int, ...]] = set()
    for key in sorted(members):
        group = members[key]
        if len(group) < 2:
            continue
        holders = [i for i in group if held[i]]
        if holders:
            for i in group:
                if not held[i]:
                    shut.setdefault(i, holders[0])
        else:
            found.add(tuple(group))
    return [list(group) for group in sorted(found)], shut
