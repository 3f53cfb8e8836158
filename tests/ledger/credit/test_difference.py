"""Whom a new version of a policy touches; everybody else keeps the answer."""

from __future__ import annotations

import random
from typing import Any

import pytest
from credit_cases import BASE, block, degree, missing, policy, run
from credit_random import KINDS, a_case

from ledger.credit.difference import touched

BASIS = {"basis": "decided for tests"}
CAP = {"id": "D", "match": {"type": "volunteering"}, "window": "day", "max": 480, **BASIS}
FULL = {"id": "C", "match": {"type": "course"}, "gives": "full", **BASIS}


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ({}, {}, []),
        ({"caps": [CAP]}, {"caps": [{**CAP, "max": 360}]}, ["volunteering"]),
        ({"caps": []}, {"caps": [CAP]}, ["volunteering"]),
        (
            {"caps": [CAP]},
            {"caps": [{**CAP, "match": {"type": ["course"]}}]},
            ["course", "volunteering"],
        ),
        ({"caps": []}, {"caps": [{**CAP, "match": {"category": "red"}}]}, "everybody"),
        (
            {"caps": []},
            {"caps": [{**CAP, "match": {"or": [{"type": "a"}, {"type": "b"}]}}]},
            ["a", "b"],
        ),
        (
            {"caps": []},
            {"caps": [{**CAP, "match": {"or": [{"type": "a"}, {"category": "red"}]}}]},
            "everybody",
        ),
        ({"conversions": []}, {"conversions": [FULL]}, ["course"]),
        ({"units": BASE["units"]}, {"units": {**BASE["units"], "lesson_minutes": 50}}, "everybody"),
        ({}, {"degrees": [degree([block("B", 60)])]}, "everybody"),
        ({}, {"policy": {**BASE["policy"], "version": "2"}}, []),
    ],
)
def test_the_kinds_a_change_speaks_of(
    before: dict[str, Any], after: dict[str, Any], kinds: Any
) -> None:
    found = touched(policy(**before), policy(**after))
    assert found.to_json() == kinds
    assert found.nothing is (kinds == [])
    assert touched(policy(**after), policy(**before)).to_json() == kinds


def test_a_new_name_of_a_block_touches_nobody() -> None:
    named = {**block("B", 6000), "name": {"ko": "나", "en": "B"}}
    assert touched(
        policy(degrees=[degree([block("B", 6000)])]), policy(degrees=[degree([named])])
    ).nothing


@pytest.mark.parametrize("seed", range(6))
def test_nobody_else_has_another_answer(seed: int) -> None:
    rng = random.Random(6000 + seed)
    spared = 0
    for _ in range(10):
        _, changes, raws, _ = a_case(rng, 6, locks=0)
        kind = rng.choice(KINDS)
        cap = {**CAP, "id": "NEW", "match": {"type": kind}, "max": rng.randrange(1, 4)}
        later = {**changes, "caps": [*changes["caps"], cap]}
        old, new = policy(**changes), policy(**later)
        reach = touched(old, new)
        assert reach.kinds is not None
        others = [r for r in raws if r["type"] not in reach.kinds]
        spared += len(others) < len(raws)
        assert missing(run(old, others)) == missing(run(new, others))
    assert spared
