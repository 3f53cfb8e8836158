"""A degree computed again from what is disclosed: the same answer, or refused by name."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credential.degree import DegreeClaims
from credential.disclosure import View, commitments, reduce
from ledger.awards.recommendation import Frozen, Recommendation, freeze
from ledger.credit import Policy, audit, bundled, parse_context, parse_policy, parse_records
from ledger.credit.provable import recompute

SEOUL = next(p for p in bundled() if p.key == "seoul.citizen-degree@2025.1")
AS_OF = datetime(2026, 5, 1, 3, tzinfo=UTC)
CONTEXT: dict[str, Any] = {
    "issuers": {"uni": {"group": "scc", "periods": [["2020-01-01", None]]}},
    "held": {},
    "items": [],
    "priors": {},
    "used": {},
    "exceptions": [],
}


def course(n: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"rec_{n}",
        "type": "course",
        "category": "seoul",
        "issuer": "uni",
        "status": "verified",
        "start": "2025-03-01",
        "end": "2025-05-01",
        "minutes": 2400,
        "attended": 9,
        "sessions": 10,
        "verified_at": "2025-06-01T00:00:00+00:00",
    } | changes


RECORDS = [
    course(0),
    course(1),
    course(2, attended=3),
    course(
        3, type="volunteering", category=None, minutes=1200,
        start="2025-07-01T09:00:00+09:00", end="2025-07-03T09:00:00+09:00",
    ),
    course(4),
]  # fmt: skip


def given_degree(
    records: list[dict[str, Any]] = RECORDS,
    policy: Policy = SEOUL,
    context: dict[str, Any] = CONTEXT,
    degree: str = "bachelor",
) -> tuple[DegreeClaims, dict[str, Any], Frozen]:
    """A degree as the office freezes it: the credential's commitments and the full disclosure."""
    known, unreadable = parse_records(records)
    found = audit(policy, degree, known, parse_context(context), AS_OF, unreadable=unreadable)
    frozen = freeze(Recommendation(policy, AS_OF, records, context, found))
    claims = DegreeClaims(
        degree=degree,
        minutes=frozen.minutes,
        policy=policy.key,
        policy_hash=policy.hash,
        record_set_root=frozen.record_set_root,
        allocation_hash=frozen.allocation_hash,
        trace_hash=frozen.trace_hash,
        taxonomy=frozen.taxonomy,
    )
    return claims, json.loads(frozen.disclosure), frozen


CLAIMS, WHOLE, _ = given_degree()


@pytest.mark.parametrize("view", ["full", "counted", "categories"])
def test_any_verifier_gets_the_same_answer(view: View) -> None:
    found = recompute(CLAIMS, reduce(WHOLE, view), [SEOUL])
    assert (found.outcome, found.code) == ("passed", "recomputed")
    assert found.details["depth"] == view
    assert found.details["minutes"] == 6000
    assert ("notComputed" in found.details) == (view == "categories")


@pytest.mark.parametrize("view", ["full", "counted", "categories"])
def test_a_tampered_record_is_refused(view: View) -> None:
    changed = copy.deepcopy(reduce(WHOLE, view))
    leaf = next(x for x in changed["leaves"][2:] if "value" in x.get("parts", {}).get("what", {}))
    leaf["parts"]["what"]["value"]["minutes"] += 60
    found = recompute(CLAIMS, changed, [SEOUL])
    assert (found.outcome, found.code) == ("failed", "disclosure-root")


@pytest.mark.parametrize("view", ["full", "counted", "categories"])
def test_a_left_out_record_is_refused(view: View) -> None:
    changed = copy.deepcopy(reduce(WHOLE, view))
    del changed["leaves"][4]
    found = recompute(CLAIMS, changed, [SEOUL])
    assert (found.outcome, found.code) == ("failed", "disclosure-root")


def test_a_left_out_counted_record_is_asked_for() -> None:
    counted = reduce(WHOLE, "counted")
    uncounted = next(n for n, x in enumerate(counted["leaves"]) if "leaf" in x)
    place = WHOLE["allocation"]["value"][0]["leaf"]
    assert place != uncounted
    from credential.disclosure import _leaf

    counted["leaves"][place] = {"leaf": _leaf(WHOLE["leaves"][place]).hex()}
    found = recompute(CLAIMS, counted, [SEOUL])
    assert (found.outcome, found.code) == ("not_run", "more-needed")


def test_another_policy_is_refused() -> None:
    text = (
        json.dumps(SEOUL.document)
        .replace('"min": 6000', '"min": 5000')
        .replace('"advertised_hours": 100', '"advertised_hours": 83')
    )
    easier = parse_policy(text)
    assert easier.key == SEOUL.key
    assert easier.hash != SEOUL.hash
    assert recompute(CLAIMS, WHOLE, [easier]).code == "policy-differs"
    assert recompute(replace(CLAIMS, policy_hash=easier.hash), WHOLE, [SEOUL]).code == (
        "policy-differs"
    )
    # signed for one policy, computed under another
    assert recompute(replace(CLAIMS, policy_hash=easier.hash), WHOLE, [easier]).code == (
        "frame-differs"
    )
    found = recompute(CLAIMS, WHOLE, [])
    assert (found.outcome, found.code) == ("not_run", "policy-unknown")


@pytest.mark.parametrize("view", ["full", "counted", "categories"])
def test_a_changed_allocation_is_refused(view: View) -> None:
    changed = copy.deepcopy(reduce(WHOLE, view))
    lines = changed["allocation"]["value"]
    lines[0]["minutes"] -= 60
    lines[1]["minutes"] += 60
    found = recompute(CLAIMS, changed, [SEOUL])
    assert (found.outcome, found.code) == ("failed", "disclosure-allocation")


@pytest.mark.parametrize(
    ("view", "lines", "code"),
    [
        # more than the record has
        ("full", {"rec_0": 6000}, "allocation-differs"),
        ("counted", {"rec_0": 6000}, "not-eligible"),
        ("categories", {"rec_0": 6000}, "allocation-differs"),
        ("full", {"rec_0": 2400, "rec_1": 2400, "rec_3": 1200}, "allocation-differs"),
        ("counted", {"rec_0": 2399, "rec_1": 2401, "rec_3": 1200}, "allocation-differs"),
        # too little
        ("counted", {"rec_0": 2400}, "minutes-differ"),
        # a record that does not count: attendance 3 of 10
        ("full", {"rec_0": 2400, "rec_1": 2400, "rec_2": 1200}, "allocation-differs"),
        ("counted", {"rec_0": 2400, "rec_1": 2400, "rec_2": 1200}, "not-eligible"),
    ],
)
def test_an_allocation_the_city_should_not_have_signed_is_refused(
    view: View, lines: dict[str, int], code: str
) -> None:
    """Not the holder but the awarding side cheats: the commitments fit, the rules do not."""
    claims, false = falsified(CLAIMS, WHOLE, lines)
    found = recompute(claims, reduce(false, view), [SEOUL])
    assert (found.outcome, found.code) == ("failed", code)


def falsified(
    claims: DegreeClaims, whole: dict[str, Any], lines: dict[str, int]
) -> tuple[DegreeClaims, dict[str, Any]]:
    """Another allocation, and commitments that fit it."""
    false = copy.deepcopy(whole)
    place = {
        leaf["parts"]["where"]["value"]["id"]: n
        for n, leaf in enumerate(false["leaves"])
        if leaf["kind"] == "record"
    }
    false["allocation"]["value"] = [
        {"leaf": place[name], "block": "B-HOURS", "minutes": minutes}
        for name, minutes in lines.items()
    ]
    root, allocation = commitments(false)
    return replace(claims, record_set_root=root, allocation_hash=allocation), false


def test_a_daily_cap_shows_as_far_as_the_days_are_shown() -> None:
    """Ten hours of volunteering in one day count eight; who hides the day cannot prove the cap."""
    day = {"start": "2025-07-01T09:00:00+09:00", "end": "2025-07-01T19:00:00+09:00"}
    records = [*RECORDS, course(5, type="volunteering", minutes=600, **day)]
    claims, false = falsified(
        *given_degree(records)[:2], {"rec_0": 2400, "rec_1": 2400, "rec_4": 600, "rec_5": 600}
    )
    assert recompute(claims, reduce(false, "counted"), [SEOUL]).code == "allocation-differs"
    partly = recompute(claims, reduce(false, "categories"), [SEOUL])
    assert partly.outcome == "passed"
    assert "caps" in partly.details["notComputed"]


def test_another_trace_is_refused() -> None:
    found = recompute(replace(CLAIMS, trace_hash="sha256:" + "0" * 64), WHOLE, [SEOUL])
    assert (found.outcome, found.code) == ("failed", "trace-differs")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"degree": "master"}, "frame-differs"),
        ({"taxonomy": "1999"}, "frame-differs"),
        ({"minutes": 12000}, "minutes-differ"),
    ],
)
def test_a_disclosure_for_another_degree_is_refused(changes: dict[str, Any], code: str) -> None:
    found = recompute(replace(CLAIMS, **changes), WHOLE, [SEOUL])
    assert (found.outcome, found.code) == ("failed", code)


@pytest.mark.parametrize("view", ["full", "counted", "categories"])
def test_a_master_rests_on_its_bachelor_and_its_output(view: View) -> None:
    records = [course(n, minutes=6000) for n in range(3)]
    context = CONTEXT | {
        "held": {"bachelor": {"state": "valid", "awarded": "2025-07-01"}},
        "items": [["learning_output", "approved"]],
        "used": {"rec_0": 6000},
    }
    claims, whole, _ = given_degree(records, context=context, degree="master")
    assert recompute(claims, reduce(whole, view), [SEOUL]).outcome == "passed"
    claims, whole, _ = given_degree(records, context=context | {"held": {}}, degree="master")
    assert recompute(claims, reduce(whole, view), [SEOUL]).code == "not-eligible"


def test_a_signed_exception_is_part_of_what_is_recomputed() -> None:
    signed = [
        {
            "id": "exc_1", "kind": "reduce_block", "target": "B-HOURS", "by": "choi",
            "why": "정전", "minutes": 1200, "record": "", "expires": "2026-06-01",
        }
    ]  # fmt: skip
    records = [course(0), course(1)]
    claims, whole, _ = given_degree(records, context=CONTEXT | {"exceptions": signed})
    for view in ("full", "counted", "categories"):
        assert recompute(claims, reduce(whole, view), [SEOUL]).outcome == "passed"
    claims, whole, _ = given_degree(records)
    for view in ("full", "counted", "categories"):
        assert recompute(claims, reduce(whole, view), [SEOUL]).code == "not-eligible"


@settings(max_examples=25, deadline=None)
@given(
    minutes=st.lists(st.integers(60, 4000), min_size=1, max_size=8),
    attended=st.lists(st.integers(0, 10), min_size=8, max_size=8),
)
def test_whatever_was_frozen_is_computed_again(minutes: list[int], attended: list[int]) -> None:
    records = [
        course(n, minutes=m, attended=a, end=f"2025-0{4 + n % 4}-10")
        for n, (m, a) in enumerate(zip(minutes, attended, strict=False))
    ]
    claims, whole, frozen = given_degree(records)
    eligible = json.loads(frozen.audit)["eligible"]
    for view in ("full", "counted", "categories"):
        found = recompute(claims, reduce(whole, view), [SEOUL])
        assert (found.outcome == "passed") == eligible, found.code
