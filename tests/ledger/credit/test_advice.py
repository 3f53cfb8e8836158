"""For a "no": the cheapest way closes the gap, a minute less does not, and the no is proved."""

from __future__ import annotations

import random
from typing import Any

import pytest
from credit_cases import block, counted, degree, missing, policy, record, run
from credit_random import a_case

from ledger.credit import bundled, lint
from ledger.credit.advice import certificate
from ledger.credit.program import Proof


def learned(way: dict[str, Any], less: int = 0) -> list[Any]:
    """The advice as records, on days of their own."""
    found: list[Any] = []
    for n, add in enumerate(way["add"]):
        body = {k: add[k] for k in ("type", "category", "issuer_group") if add[k]}
        if add["course"]:
            body["code"] = add["course"]
        # one record a day, each of another institution, so that no such cap is in the way
        for _ in range(add["minutes"] - less):
            day = len(found)
            body["issuer"] = add["issuer"] or f"new-{n}-{day}"
            date = f"2026-0{1 + day // 28}-{1 + day % 28:02d}"
            found.append(record(f"z{day:03d}", 1, date, **body))
        less = 0
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_cheapest_way_closes_the_gap_and_a_minute_less_does_not(seed: int) -> None:
    rng = random.Random(4000 + seed)
    for _ in range(12):
        _, changes, raws, used = a_case(rng, rng.randrange(1, 6))
        changes.pop("conversions", None)
        rules = policy(**changes)
        result = run(rules, raws, used=used)
        for way in result.document["cheapest"]:
            assert run(rules, raws + learned(way), used=used).hours_met
            if way["minutes"]:
                assert not run(rules, raws + learned(way, less=1), used=used).hours_met
        if not result.document["cheapest"] and not result.hours_met and not changes["caps"]:
            assert "L-REACH" in {f.rule for f in lint(rules)}
        minutes = [way["minutes"] for way in result.document["cheapest"]]
        assert minutes == sorted(minutes)


@pytest.mark.parametrize("seed", range(10))
def test_every_no_is_proved_by_integer_arithmetic(seed: int) -> None:
    rng = random.Random(5000 + seed)
    for _ in range(20):
        _, changes, raws, used = a_case(rng, rng.randrange(2, 9))
        result = run(policy(**changes), raws, used=used)
        proof = result.document["certificate"]
        if missing(result):
            assert proof["kind"] in ("minimum-cut", "dual", "cases")
            assert proof["required"] - proof["reachable"] == missing(result)
        else:
            assert proof is None


def test_a_minimum_cut_names_the_records_and_the_caps_that_hold_a_learner_back() -> None:
    cap = {
        "id": "VOL",
        "match": {"type": "volunteering"},
        "window": "degree",
        "max": 300,
        "basis": "decided for tests",
    }
    blocks = [block("RED", 600, category=["red"]), block("ANY", 600)]
    records = [
        record("v", 900, type="volunteering", category="blue"),
        record("r", 200, category="red"),
    ]
    result = run(policy(degrees=[degree(blocks)], caps=[cap]), records)
    proof = result.document["certificate"]
    assert proof["kind"] == "minimum-cut"
    assert (proof["required"], proof["reachable"]) == (1200, 500)
    limits = [
        (p["rule"], p.get("cap") or p.get("record"), p["minutes"])
        for p in proof["cases"][0]["limits"]
    ]
    assert ("cap", "VOL", 300) in limits
    assert ("record", "r", 200) in limits


def test_a_choice_between_duplicates_is_proved_case_by_case() -> None:
    blocks = [block("RED", 100, category=["red"]), block("BLUE", 100, category=["blue"])]
    records = [
        record("a", 100, category="red", course_class="k"),
        record("b", 100, category="blue", course_class="k"),
    ]
    result = run(policy(degrees=[degree(blocks)]), records)
    assert missing(result) == 100
    assert result.document["certificate"]["kind"] in ("minimum-cut", "dual", "cases")


def test_a_proof_that_was_not_found_says_so() -> None:
    rules = next(p for p in bundled() if p.key == "seoul.citizen-degree@2025.1")
    from ledger.credit.problem import build_problem

    degree_ = rules.degree("bachelor")
    assert degree_ is not None
    problem = build_problem(rules, degree_, [], {}, blocks=degree_.blocks)
    assert certificate(rules, problem, Proof(6000, []))["kind"] == "none"


def test_a_kind_whose_cap_is_full_is_not_offered() -> None:
    cap = {
        "id": "VOL",
        "match": {"type": "volunteering"},
        "window": "degree",
        "max": 300,
        "basis": "decided for tests",
    }
    rules = policy(degrees=[degree([block("B", 600)])], caps=[cap])
    result = run(rules, [record("v", 300, type="volunteering")])
    offered = {add["type"] for way in result.document["cheapest"] for add in way["add"]}
    assert offered == {"course"}
    assert result.document["cheapest"][0]["minutes"] == 300


def test_a_mixture_is_offered_when_no_single_kind_is_enough() -> None:
    blocks = [block("RED", 60, category=["red"]), block("BLUE", 60, category=["blue"])]
    ways = run(policy(degrees=[degree(blocks)]), []).document["cheapest"]
    assert [way["minutes"] for way in ways] == [120]
    assert [add["category"] for add in ways[0]["add"]] == ["blue", "red"]


def test_three_different_courses_are_advised_as_three() -> None:
    overlay = {
        "id": "O",
        "distinct": "course",
        "count": 3,
        "each_min": 60,
        "accept": {"any": True},
        "basis": "decided for tests",
    }
    rules = policy(degrees=[degree([block("B", 60)], overlays=[overlay])])
    result = run(rules, [record("a", 60, code="X")])
    assert not result.hours_met
    assert result.document["cheapest"][0]["minutes"] == 120
    assert len(result.document["cheapest"][0]["add"]) == 2
    assert all(add["course"] is None for add in result.document["cheapest"][0]["add"])


def test_seoul_tells_a_learner_ten_minutes_short_what_closes_the_gap() -> None:
    rules = next(p for p in bundled() if p.key == "seoul.citizen-degree@2025.1")
    result = run(rules, [record("a", 5990)])
    way = result.document["cheapest"][0]
    assert (way["minutes"], way["add"][0]["type"]) == (10, "course")
    assert way["why"] == {
        "ko": "강좌 10분을 더하면 채워집니다.",
        "en": "10 min of courses would close the gap.",
    }
    assert counted(result) == {"a": 5990}
