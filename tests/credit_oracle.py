"""Two independent answers to compare the credit engine with.

``brute``: every assignment of every minute of a tiny case, with the whole tie-break order.
``most_minutes``: a plain maximum flow, minute by minute of the clock, for larger cases without
choices. Neither shares code with ``ledger.credit``; both work on the abstract case.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import Any


@dataclass
class Item:
    """A record of a case. ``clock``: minutes (offsets) it may use, else ``days`` it may use;
    at most ``minutes`` of them; ``used`` are locked."""

    id: str
    kind: str
    color: str
    issuer: str
    minutes: int
    clock: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    used: int = 0
    order: tuple[Any, ...] = ()


@dataclass
class Case:
    """``blocks``: (id, minimum, kinds or None, colors or None); ``caps``: (kinds, window, most,
    per issuer); ``overlays``: ("min", kinds, minutes) or ("distinct", count, each);
    ``most_items``: certificates that may count."""

    items: list[Item]
    blocks: list[tuple[str, int, tuple[str, ...] | None, tuple[str, ...] | None]]
    caps: list[tuple[tuple[str, ...], str, int, bool]] = field(default_factory=list)
    overlays: list[tuple[Any, ...]] = field(default_factory=list)
    most_items: int | None = None
    midnight: int = 0

    def takes(self, item: Item, b: int) -> bool:
        _, _, kinds, colors = self.blocks[b]
        return (kinds is None or item.kind in kinds) and (colors is None or item.color in colors)

    def day(self, minute: int) -> int:
        """0 before midnight, 1 after."""
        return 0 if minute < self.midnight else 1


Result = tuple[int, tuple[int, ...], int, tuple[int, ...], tuple[tuple[int, ...], ...]]


def brute(case: Case) -> Result | None:
    """(missing, overlay shortages, minutes used, minutes per record, blocks per record), all in
    tie-break order; None when the locked minutes contradict the limits."""
    items = sorted(case.items, key=lambda i: i.order)
    keys = sorted({k for i in items for k in i.keys})
    held_keys = {k for i in items if i.used for k in i.keys}
    colors = sorted({i.color for i in items})
    windows: list[tuple[int, Any]] = []
    for c, (_, window, _, per) in enumerate(case.caps):
        days = (0, 1) if window == "day" else (0,)
        issuers = sorted({i.issuer for i in items}) if per else [""]
        windows += [(c, (d, s)) for d in days for s in issuers]
    place = {w: n for n, w in enumerate(windows)}
    over = bool(case.overlays)
    total_need = sum(b[1] for b in case.blocks)
    most_fill = total_need + 12 if over else total_need

    def charge(item: Item, per_day: tuple[int, int], own: bool) -> dict[int, int]:
        cost: dict[int, int] = defaultdict(int)
        for c, (kinds, window, _, per) in enumerate(case.caps):
            if item.kind not in kinds or (window == "degree" and not own):
                continue
            for d in (0, 1):
                if per_day[d]:
                    key = (d if window == "day" else 0, item.issuer if per else "")
                    cost[place[(c, key)]] += per_day[d]
        return cost

    def ways(item: Item) -> list[tuple[int, tuple[int, int], int, tuple[int, int]]]:
        """(clock mask, own minutes by day, total, locked minutes by day)."""
        found = set()
        if item.clock:
            for size in range(item.used, item.minutes + 1):
                for chosen in combinations(item.clock, size):
                    mask = sum(1 << m for m in chosen)
                    for held in combinations(chosen, item.used):
                        mine = [m for m in chosen if m not in held]
                        by = [0, 0]
                        for m in mine:
                            by[case.day(m)] += 1
                        lock = [0, 0]
                        for m in held:
                            lock[case.day(m)] += 1
                        found.add((mask, (by[0], by[1]), len(mine), (lock[0], lock[1])))
        else:
            spread = (
                [(n, 0) for n in range(item.minutes + 1)]
                if item.days == (0,)
                else (
                    [(0, n) for n in range(item.minutes + 1)]
                    if item.days == (1,)
                    else [
                        (a, b) for a in range(item.minutes + 1) for b in range(item.minutes + 1 - a)
                    ]
                )
            )
            for own in spread:
                for lock in spread:
                    if sum(lock) == item.used and sum(own) + item.used <= item.minutes:
                        found.add((0, own, sum(own), lock))
        return sorted(found)

    options = [ways(i) for i in items]
    limits = tuple(case.caps[c][2] for c, _ in windows)

    @cache
    def best(
        n: int,
        room: tuple[int, ...],
        fill: tuple[int, ...],
        mask: int,
        taken: frozenset[str],
        certs: int,
        seen: tuple[int, ...],
    ) -> Any:
        if n == len(items):
            short = sum(max(0, b[1] - f) for b, f in zip(case.blocks, fill, strict=True))
            looks = []
            for kind, first, second in case.overlays:
                if kind == "min":
                    looks.append(max(0, second - seen[len(colors)]))
                else:
                    reached = sum(seen[c] >= max(1, second) for c in range(len(colors)))
                    looks.append(max(0, first - reached))
            return short, tuple(looks), 0, (), ()
        item = items[n]
        accepted = [b for b in range(len(case.blocks)) if case.takes(item, b)]
        winner = None
        for bits, own, size, lock in options[n]:
            if bits & mask:
                continue
            if size and (
                not accepted
                or any(k in taken for k in item.keys)
                or (not item.used and any(k in held_keys for k in item.keys))
                or (item.kind == "certificate" and certs == case.most_items)
            ):
                continue
            left = list(room)
            for w, minutes in charge(item, own, True).items():
                left[w] -= minutes
            for w, minutes in charge(item, lock, False).items():
                left[w] -= minutes
            if any(v < 0 for v in left):
                continue
            counts = list(seen)
            counts[colors.index(item.color)] += size
            if case.overlays and case.overlays[0][0] == "min" and item.kind in case.overlays[0][1]:
                counts[len(colors)] += size
            for parts in splits(size, len(accepted)):
                filled = list(fill)
                for b, part in zip(accepted, parts, strict=True):
                    filled[b] += part
                if not over and any(f > b[1] for f, b in zip(filled, case.blocks, strict=True)):
                    continue
                if sum(filled) > most_fill:
                    continue
                rest = best(
                    n + 1,
                    tuple(left),
                    tuple(filled),
                    mask | bits,
                    taken | frozenset(item.keys if size and not item.used else ()),
                    certs + (1 if size and item.kind == "certificate" else 0),
                    tuple(counts),
                )
                if rest is None:
                    continue
                where = [0] * len(case.blocks)
                for b, part in zip(accepted, parts, strict=True):
                    where[b] = part
                key = (
                    rest[0],
                    rest[1],
                    rest[2] + size,
                    (-size, *rest[3]),
                    (tuple(-w for w in where), *rest[4]),
                )
                if winner is None or key < winner:
                    winner = key
        return winner

    found = best(0, limits, (0,) * len(case.blocks), 0, frozenset(), 0, (0,) * (len(colors) + 1))
    del keys
    if found is None:
        return None
    short, looks, used, use, where = found
    return (
        short,
        looks,
        used,
        tuple(-u for u in use),
        tuple(tuple(-w for w in row) for row in where),
    )


def splits(total: int, parts: int) -> list[tuple[int, ...]]:
    """All ways to write ``total`` as ``parts`` numbers."""
    if parts == 0:
        return [()] if total == 0 else []
    if parts == 1:
        return [(total,)]
    return [(n, *rest) for n in range(total + 1) for rest in splits(total - n, parts - 1)]


def most_minutes(case: Case) -> int:
    """The most minutes blocks can hold, by augmenting paths on a network of single edges.

    source -> kind cap -> (kind, day) cap -> clock minute or (record, day) -> record -> block ->
    sink. Only for cases whose caps are nested by kind and whose records hold no choices.
    """
    network = _Network()
    for item in case.items:
        cells: list[tuple[Any, int, int]] = (
            [(("minute", m), case.day(m), 1) for m in item.clock]
            if item.clock
            else [(("cell", item.id, d), d, item.minutes) for d in item.days]
        )
        network.add(("record", item.id), ("out", item.id), item.minutes)
        for node, d, room in cells:
            # the shared minute comes after the record: record -> minute keeps kinds apart
            network.add(("kind-day", item.kind, d), ("slot", item.id, node), room)
            network.add(("slot", item.id, node), ("record", item.id), room)
        for b, (name, _, _, _) in enumerate(case.blocks):
            if case.takes(item, b):
                network.add(("out", item.id), ("block", name), 1 << 30)
    kinds = sorted({i.kind for i in case.items})
    for kind in kinds:
        whole = [m for ks, w, m, _ in case.caps if kind in ks and w == "degree"]
        daily = [m for ks, w, m, _ in case.caps if kind in ks and w == "day"]
        network.add("source", ("kind", kind), min([*whole, 1 << 30]))
        for d in (0, 1):
            network.add(("kind", kind), ("kind-day", kind, d), min([*daily, 1 << 30]))
    for name, minimum, _, _ in case.blocks:
        network.add(("block", name), "sink", minimum)
    return network.flow("source", "sink")


class _Network:
    def __init__(self) -> None:
        self.room: dict[Any, dict[Any, int]] = defaultdict(dict)

    def add(self, a: Any, b: Any, room: int) -> None:
        self.room[a][b] = self.room[a].get(b, 0) + room
        self.room[b].setdefault(a, 0)

    def flow(self, source: Any, sink: Any) -> int:
        total = 0
        while True:
            came = {source: source}
            queue = deque([source])
            while queue and sink not in came:
                at = queue.popleft()
                for nxt, room in self.room[at].items():
                    if room > 0 and nxt not in came:
                        came[nxt] = at
                        queue.append(nxt)
            if sink not in came:
                return total
            step, at = 1 << 60, sink
            while at != source:
                step = min(step, self.room[came[at]][at])
                at = came[at]
            at = sink
            while at != source:
                self.room[came[at]][at] -= step
                self.room[at][came[at]] += step
                at = came[at]
            total += step
