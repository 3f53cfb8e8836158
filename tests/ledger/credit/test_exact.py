"""The allocation against brute force and against a plain maximum flow, on random cases.

Here 1,000 cases against brute force, 1,000 against the maximum flow and 240 with one more record;
``-m soak`` runs ten times as many.
"""

from __future__ import annotations

import random

import pytest
from credit_cases import counted, missing, policy, run
from credit_oracle import brute, most_minutes
from credit_random import a_case


@pytest.mark.parametrize("seed", range(40))
def test_every_tiny_case_is_the_one_brute_force_finds(seed: int) -> None:
    against_brute_force(seed, 25)


def against_brute_force(seed: int, cases: int) -> None:
    rng = random.Random(seed)
    done = 0
    while done < cases:
        case, changes, raws, used = a_case(rng, rng.randrange(1, 5))
        expected = brute(case)
        if expected is None:
            continue
        done += 1
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
    against_maximum_flow(1000 + seed, 50)


def against_maximum_flow(seed: int, cases: int) -> None:
    rng = random.Random(seed)
    for _ in range(cases):
        case, changes, raws, _ = a_case(
            rng, rng.randrange(3, 16), timed=0.0, keys=0, locks=0, crossing=False
        )
        result = run(policy(**changes), raws)
        required = sum(b[1] for b in case.blocks)
        assert missing(result) == required - most_minutes(case)


@pytest.mark.parametrize("seed", range(12))
def test_one_more_valid_record_never_lowers_the_answer(seed: int) -> None:
    one_more_record(2000 + seed, 20)


def one_more_record(seed: int, cases: int) -> None:
    rng = random.Random(seed)
    for _ in range(cases):
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


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_ten_times_as_many_cases(seed: int) -> None:
    against_brute_force(50_000 + seed, 500)
    against_maximum_flow(60_000 + seed, 500)
    one_more_record(70_000 + seed, 100)
