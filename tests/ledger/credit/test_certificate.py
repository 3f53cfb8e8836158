"""The certificate of a "no", checked by counting alone: nothing of the engine is used to check."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest
from credit_cases import missing, policy, record, run
from credit_random import a_case

from ledger.credit import parse_policy


def parts(proof: dict[str, Any]) -> tuple[set[str], set[str], set[tuple[str, str]]]:
    """Blocks on the far side of the cut, records and cap windows it goes through."""
    [case] = proof["cases"]
    limits = case["limits"]
    return (
        {p["block"] for p in limits if p["rule"] == "block"},
        {p["record"] for p in limits if p["rule"] == "record"},
        {(p["cap"], p["window"]) for p in limits if p["rule"] == "cap"},
    )


def days_of(raw: dict[str, Any]) -> list[str]:
    return sorted({raw.get("date") or raw["start"], raw.get("date") or raw["end"]})


@pytest.mark.parametrize("seed", range(8))
def test_every_way_from_a_record_to_a_missing_block_goes_through_the_cut(seed: int) -> None:
    """A cut is right when it stops every way, and its limits add up to what is reached."""
    rng = random.Random(7000 + seed)
    seen = 0
    for _ in range(30):
        case, changes, raws, _ = a_case(
            rng, rng.randrange(2, 10), timed=0.0, keys=0, locks=0, crossing=False
        )
        document = run(policy(**changes), raws).document
        proof = document["certificate"]
        if proof is None or proof["kind"] != "minimum-cut":
            continue
        seen += 1
        far, cut, full = parts(proof)
        minimum = {name: most for name, most, _, _ in case.blocks}
        # what the blocks on the far side ask for, less what the limits let through, is missing
        through = sum(
            p["minutes"] for p in proof["cases"][0]["limits"] if p["rule"] in ("record", "cap")
        )
        short = proof["required"] - proof["reachable"]
        assert sum(minimum[b] for b in far) - through == short
        assert proof["required"] == sum(minimum.values())
        assert short == sum(m["minutes"] for m in document["missing"])
        for raw in raws:
            item = next(i for i in case.items if i.id == raw["id"])
            into = {b[0] for n, b in enumerate(case.blocks) if case.takes(item, n)}
            if not into & far or raw["id"] in cut:
                continue
            mine = [c for c in changes["caps"] if raw["type"] in c["match"]["type"]]
            whole = any((c["id"], "degree") in full for c in mine)
            daily = [c["id"] for c in mine if c["window"] == "day"]
            every_day = all(any((c, d) in full for c in daily) for d in days_of(raw))
            assert whole or every_day, (raw, proof)
        # and each limit is what it says: no more than the record has, or the cap allows
        for part in proof["cases"][0]["limits"]:
            if part["rule"] == "cap":
                [rule] = [c for c in changes["caps"] if c["id"] == part["cap"]]
                assert part["minutes"] == rule["max"]
            if part["rule"] == "record":
                [raw] = [r for r in raws if r["id"] == part["record"]]
                assert part["minutes"] <= raw["minutes"]
    assert seen > 5


@pytest.mark.parametrize("seed", range(4))
def test_every_line_of_a_proof_names_its_rule_and_multiplier(seed: int) -> None:
    rng = random.Random(8000 + seed)
    for _ in range(15):
        _, changes, raws, used = a_case(rng, rng.randrange(2, 8))
        result = run(policy(**changes), raws, used=used)
        proof = result.document["certificate"]
        if proof is None:
            continue
        assert proof["why"]["ko"]
        assert proof["why"]["en"]
        assert proof["required"] - proof["reachable"] == missing(result)
        rules = {"block", "cap", "clock", "record", "same", "items", "overlay", "reached", "stage"}
        for case in proof["cases"]:
            for part in case["limits"]:
                assert part["rule"] in rules
                assert Fraction(part["times"]) > 0


def test_a_no_of_the_city_reads_as_a_cut() -> None:
    from credit_lives import everything

    result = run(everything(), [record("a", 30, category="red", issuer="scu")], issuers=None)
    assert result.document["certificate"]["kind"] in ("minimum-cut", "dual", "cases")
    assert parse_policy is not None
