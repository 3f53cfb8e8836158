"""The allocation against brute force and against a plain maximum flow, on random cases."""

from __future__ import annotations

import random
from typing import Any

import pytest
from credit_cases import block, counted, degree, missing, policy, record, run
from credit_oracle import Case, Item, brute, most_minutes

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


@pytest.mark.parametrize("seed", range(40))
def test_every_tiny_case_is_the_one_brute_force_finds(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(25):
        case, changes, raws, used = a_case(rng, rng.randrange(1, 5))
        expected = brute(case)
        if expected is None:
            continue
        rules = policy(**changes)
        results = [run(rules, raws, used=used, method=m) for m in ("auto", "program")]
        short, looks, total, use, where = expected
        ids = [i.id for i in sorted(case.items, key=lambda i: i.order)]
        for result in results:
            assert missing(result) == short
            assert [o["missing"] for o in result.document["overlays"]] == list(looks)
            assert result.document["counted"] == total
            got = counted(result)
            assert [got.get(i, 0) for i in ids] == list(use)
            split = {(a["record"], a["block"]): a["minutes"] for a in result.document["allocation"]}
            assert split == {
                (i, case.blocks[b][0]): minutes
                for i, row in zip(ids, where, strict=True)
                for b, minutes in enumerate(row)
                if minutes
            }
        assert results[0].trace_hash == results[1].trace_hash


@pytest.mark.parametrize("seed", range(20))
def test_the_total_is_the_maximum_flow(seed: int) -> None:
    rng = random.Random(1000 + seed)
    for _ in range(40):
        case, changes, raws, _ = a_case(
            rng, rng.randrange(3, 16), timed=0.0, keys=0, locks=0, crossing=False
        )
        result = run(policy(**changes), raws)
        required = sum(b[1] for b in case.blocks)
        assert missing(result) == required - most_minutes(case)


@pytest.mark.parametrize("seed", range(12))
def test_one_more_valid_record_never_lowers_the_answer(seed: int) -> None:
    rng = random.Random(2000 + seed)
    for _ in range(15):
        _, changes, raws, _ = a_case(rng, rng.randrange(2, 9), locks=0)
        rules = policy(**changes)
        fewer, more = run(rules, raws[:-1]), run(rules, raws)
        assert missing(more) <= missing(fewer)
        assert more.hours_met or not fewer.hours_met
        assert more.eligible or not fewer.eligible


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_the_input_never_shows(seed: int) -> None:
    rng = random.Random(3000 + seed)
    for _ in range(12):
        _, changes, raws, used = a_case(rng, rng.randrange(2, 10))
        rules = policy(**changes)
        first = run(rules, raws, used=used)
        rng.shuffle(raws)
        assert run(rules, raws, used=used).canonical() == first.canonical()
