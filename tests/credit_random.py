"""Random tiny cases: as the oracle sees them, and as a policy and records."""

from __future__ import annotations

import random
from typing import Any

from credit_cases import block, degree, record
from credit_oracle import Case, Item

KINDS = ("course", "volunteering", "certificate")
COLORS = ("red", "green", "blue")
# minute offset 0 is 23:54 in Seoul on 9 March, so offset 6 is midnight
MIDNIGHT = 6
DAYS = ("2025-03-09", "2025-03-10")


def stamp(offset: int) -> str:
    day, minute = (DAYS[0], 54 + offset) if offset < MIDNIGHT else (DAYS[1], offset - MIDNIGHT)
    return f"{day}T{23 if offset < MIDNIGHT else 0:02d}:{minute:02d}:00+09:00"


def an_item(
    rng: random.Random, n: int, *, timed: float, keys: float, locks: float
) -> tuple[Item, Any]:
    ident, kind, color = f"r{n}", rng.choice(KINDS), rng.choice(COLORS)
    issuer = rng.choice(("a", "b"))
    more: dict[str, Any] = {"type": kind, "category": color, "issuer": issuer}
    tags: list[str] = []
    if rng.random() < keys:
        more["offering"] = rng.choice(("x", "y"))
        tags.append("o" + more["offering"])
    if rng.random() < keys:
        more["course_class"] = rng.choice(("p", "q"))
        tags.append("c" + more["course_class"])
    if rng.random() < timed:
        start = rng.randrange(2, 9)
        length = rng.randrange(1, 5)
        clock = tuple(range(start, start + length))
        minutes = length if rng.random() < 0.7 else rng.randrange(1, length + 1)
        more |= {"start": stamp(start), "end": stamp(start + length)}
        if minutes != length:
            more["minutes"] = minutes
        last = 0 if start + length <= MIDNIGHT else 1
        order = (last, 0 if start < MIDNIGHT else 1, start)
        item = Item(ident, kind, color, issuer, minutes, clock=clock)
        raw = record(ident, **more)
    else:
        minutes = rng.randrange(1, 5)
        first = rng.randrange(2)
        last = rng.randrange(first, 2)
        if first == last:
            raw = record(ident, minutes, DAYS[first], **more)
        else:
            raw = record(ident, minutes, start=DAYS[first], end=DAYS[last], **more)
        order = (last, first, -1)
        item = Item(ident, kind, color, issuer, minutes, days=tuple(range(first, last + 1)))
    item.keys, item.order = tuple(tags), (*order, ident)
    if rng.random() < locks:
        item.used = rng.randrange(1, minutes + 1)
    return item, raw


def some(rng: random.Random, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(rng.sample(values, rng.randrange(1, len(values)))))


def a_case(
    rng: random.Random,
    size: int,
    *,
    timed: float = 0.5,
    keys: float = 0.3,
    locks: float = 0.1,
    crossing: bool = True,
) -> tuple[Case, dict[str, Any], list[Any], dict[str, int]]:
    pairs = [an_item(rng, n, timed=timed, keys=keys, locks=locks) for n in range(size)]
    blocks, rules = [], []
    for b in range(rng.randrange(1, 4)):
        kinds = some(rng, KINDS) if rng.random() < 0.5 else None
        colors = some(rng, COLORS) if rng.random() < 0.4 else None
        minimum = rng.randrange(1, 7)
        blocks.append((f"B{b}", minimum, kinds, colors))
        accept: dict[str, Any] = {}
        if kinds:
            accept["type"] = list(kinds)
        if colors:
            accept["category"] = list(colors)
        rules.append(block(f"B{b}", minimum, **accept))
    caps, limits = [], []

    def cap(kinds: tuple[str, ...], window: str, most: int, per: bool = False) -> None:
        caps.append((kinds, window, most, per))
        rule = {
            "id": f"C{len(caps)}",
            "match": {"type": list(kinds)},
            "window": window,
            "max": most,
            "basis": "decided for tests",
        }
        limits.append({**rule, "per": "issuer"} if per else rule)

    if rng.random() < 0.6:
        kind = rng.choice(KINDS)
        cap((kind,), "day", rng.randrange(1, 5))
        if rng.random() < 0.5:
            cap((kind,), "degree", rng.randrange(1, 7))
    overlays: list[tuple[Any, ...]] = []
    looks: list[dict[str, Any]] = []
    most_items = None
    changes: dict[str, Any] = {}
    if crossing:
        if rng.random() < 0.25:
            cap(KINDS, "degree", rng.randrange(2, 8), True)
        chance = rng.random()
        if chance < 0.15:
            kinds = some(rng, KINDS)
            overlays.append(("min", kinds, rng.randrange(1, 6)))
            looks.append(
                {
                    "id": "O",
                    "min": overlays[0][2],
                    "accept": {"type": list(kinds)},
                    "basis": "decided for tests",
                }
            )
        elif chance < 0.3:
            overlays.append(("distinct", rng.randrange(1, 4), rng.randrange(1, 3)))
            looks.append(
                {
                    "id": "O",
                    "distinct": "category",
                    "count": overlays[0][1],
                    "each_min": overlays[0][2],
                    "accept": {"any": True},
                    "basis": "decided for tests",
                }
            )
        if rng.random() < 0.2:
            most_items = 1
            changes["conversions"] = [
                {
                    "id": "CV",
                    "match": {"type": "certificate"},
                    "gives": "full",
                    "max_items": 1,
                    "basis": "decided for tests",
                }
            ]
    rng.shuffle(pairs)
    used = {i.id: i.used for i, _ in pairs if i.used}
    changes |= {"degrees": [degree(rules, overlays=looks)], "caps": limits}
    return (
        Case([i for i, _ in pairs], blocks, caps, overlays, most_items, MIDNIGHT),
        changes,
        [raw for _, raw in pairs],
        used,
    )
