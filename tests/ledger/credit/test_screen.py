"""The screen of many learners and the verdict of one against the full engine, on random cases."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
from credit_cases import BASE, block, degree, missing, policy, record, run, span
from credit_random import a_case

from ledger.credit import Context, Policy, bundled, parse_context, parse_records, verdict
from ledger.credit.columns import columns_of
from ledger.credit.screen import Screen

AS_OF = date(2026, 6, 1)
BASIS = {"basis": "decided for tests"}


def screened(
    rules: Policy, people: list[list[Any]], which: str = "bachelor", **context: Any
) -> list[int | None]:
    """For each learner the missing minutes, None where the screen leaves it to the engine."""
    found = rules.degree(which)
    assert found is not None
    known = parse_context(context) if context else Context()
    records = [parse_records(raws)[0] for raws in people]
    answer = Screen(rules, found, known, AS_OF).missing(columns_of(records, known))
    return [int(m) if d else None for d, m in zip(answer.decided, answer.missing, strict=True)]


@pytest.mark.parametrize("seed", range(10))
def test_whoever_is_decided_is_decided_as_the_engine_does(seed: int) -> None:
    rng = random.Random(4000 + seed)
    decided = 0
    for _ in range(8):
        _, changes, raws, _ = a_case(rng, rng.randrange(1, 8), timed=0.6, keys=0.2, locks=0)
        rules = policy(**changes)
        # the same rules, several learners at once: parts of the records each
        people = [raws, raws[::2], raws[1::2], raws[:1], []]
        for raws_of_one, found in zip(people, screened(rules, people), strict=True):
            full = run(rules, raws_of_one)
            if found is not None:
                decided += 1
                assert found == missing(full), raws_of_one
                assert full.hours_met == (found == 0)
            quick = verdict(rules, "bachelor", parse_records(raws_of_one)[0], Context(), AS_OF)
            assert (quick.hours_met, quick.eligible) == (full.hours_met, full.eligible)
            assert quick.missing == missing(full)
    assert decided > 12


def a_life(rng: random.Random) -> list[Any]:
    """Records as the city's systems hand them in: what the screen has to know by heart."""
    records = []
    for n in range(rng.randrange(1, 25)):
        day = date.fromordinal(date(2023, 1, 1).toordinal() + rng.randrange(120))
        ident, chance = f"r{n}", rng.random()
        more: dict[str, Any] = {
            "issuer": rng.choice(("scu", "two", "three", "nobody")),
            "status": rng.choice(("verified",) * 12 + ("pending", "revoked")),
            "category": rng.choice(("인문학", "서울학", "common", "practice", "none", None)),
            "verified_at": f"{day.replace(year=2024)}T09:00:30Z",
        }
        if chance < 0.45:
            more |= {"start": str(day), "end": str(date.fromordinal(day.toordinal() + 35))}
            more |= {"offering": f"o{rng.randrange(12)}", "course_class": f"k{rng.randrange(9)}"}
            more |= {"attended": rng.randrange(3, 11), "sessions": 10}
            records.append(record(ident, rng.choice((120, 600, 1200)), **more))
        elif chance < 0.8:
            hour, long = rng.randrange(6, 23), rng.randrange(1, 12)
            end = date.fromordinal(day.toordinal() + (hour + long) // 24)
            stamps = f"{day} {hour:02d}:00", f"{end} {(hour + long) % 24:02d}:00"
            if rng.random() < 0.2:
                more["minutes"] = long * 30
            records.append(span(ident, *stamps, **more))
        elif chance < 0.9:
            more |= {"type": "certificate", "code": f"C{rng.randrange(3)}"}
            records.append(record(ident, 300, str(day), **more))
        else:
            more |= {"type": "project", "approved": rng.choice((True, False))}
            records.append(record(ident, rng.randrange(2000), str(day), **more))
    return records


ISSUERS = {
    "scu": {"group": "evaluated", "periods": [["2020-01-01", None]]},
    "two": {"group": "other", "periods": [["2020-01-01", "2023-03-01"]]},
    "three": {"group": None, "periods": [["2023-02-01", None]]},
}


@pytest.mark.parametrize("rules", bundled(), ids=lambda p: p.key)
def test_bundled_policies_on_lives_of_the_city(rules: Policy) -> None:
    rng = random.Random(5000)
    people = [a_life(rng) for _ in range(24)]
    context = {"issuers": ISSUERS}
    for which in rules.degrees:
        answers = screened(rules, people, which.id, **context)
        for raws, found in zip(people, answers, strict=True):
            if found is not None:
                full = run(rules, raws, which=which.id, as_of=str(AS_OF), **context)
                assert found == missing(full)
                assert (found == 0) == full.hours_met


def alone(rules: Policy, *raws: Any) -> int | None:
    return screened(rules, [list(raws)])[0]


VOL_DAY = {"id": "D", "match": {"type": "volunteering"}, "window": "day", "max": 480, **BASIS}


def wants(minutes: int, **changes: Any) -> Policy:
    return policy(degrees=[degree([block("B", minutes)])], **changes)


def test_what_the_screen_settles_by_itself() -> None:
    rules = wants(6000, caps=[VOL_DAY])
    night = span("n", "2025-03-10 20:00", "2025-03-11 06:00")
    day = span("d", "2025-03-10 09:00", "2025-03-10 17:00")
    assert alone(rules, night, day) == 6000 - 480 - 360
    twins = [record(i, m, offering="o") for i, m in (("a", 300), ("b", 500))]
    assert alone(rules, *twins) == 6000 - 500
    overlap = [
        span("a", "2025-03-10 09:00", "2025-03-10 13:00"),
        span("b", "2025-03-10 11:00", "2025-03-10 15:00"),
    ]
    assert alone(rules, *overlap) == 6000 - 360
    assert alone(rules) == 6000
    assert alone(wants(60), record("a", 60)) == 0


def test_what_the_screen_leaves_to_the_engine() -> None:
    blocks = [block("RED", 1200, category=["red"]), block("ANY", 600)]
    rules = policy(degrees=[degree(blocks)])
    choice = [
        record("short", 1200, category="red", course_class="k"),
        record("long", 1500, category="blue", course_class="k"),
        record("rest", 600, category="blue"),
    ]
    assert alone(rules, *choice) is None
    assert alone(wants(6000), record("a", 60, about="b")) is None
    assert alone(wants(6000), record("a", lessons=10)) is None
    many = [block(f"B{n}", 60) for n in range(5)]
    assert alone(policy(degrees=[degree(many)]), record("a", 60)) is None
    look = [{"id": "O", "min": 60, "accept": {"type": "project"}, **BASIS}]
    looks = policy(degrees=[degree([block("B", 60)], overlays=look)])
    assert alone(looks, record("a", 60)) is None
    assert alone(looks, record("a", 59)) == 1


def test_two_records_that_exclude_each_other_through_a_third_are_no_bound() -> None:
    """x-y and x-z are one learning each: y and z may count, and x does not bound them."""
    identity = {
        **BASE["identity"],
        "same_learning": [["person", "offering"], ["person", "course_class"]],
    }
    rules = wants(6000, identity=identity)
    records = [
        record("x", 10, offering="o", course_class="k"),
        record("y", 9, offering="o"),
        record("z", 9, course_class="k"),
    ]
    assert alone(rules, *records) in (None, 6000 - 18)
    assert missing(run(rules, records)) == 6000 - 18
