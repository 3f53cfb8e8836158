"""Places where one changed operator went unseen (scripts/mutate.py): each now has its own test."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from credit_cases import BASE, block, counted, degree, line, missing, policy, record, run, span

from ledger.credit import lint, parse_context, parse_records
from ledger.credit.audit import holds
from ledger.credit.clock import Clock, merge
from ledger.credit.model import Model

BASIS = {"basis": "decided for tests"}
CERT = {"id": "CV", "match": {"type": "certificate"}, "gives": "full", "max_items": 1, **BASIS}


def papers(*minutes: int) -> list[Any]:
    return [record(f"p{n}", m, type="certificate") for n, m in enumerate(minutes)]


def test_a_proof_names_the_conversion_whose_item_limit_holds_back() -> None:
    rules = policy(degrees=[degree([block("B", 300)])], conversions=[CERT])
    proof = run(rules, papers(100, 100)).document["certificate"]
    limits = proof["cases"][0]["limits"]
    assert {"rule": "items", "conversion": "CV", "minutes": 1, "times": "100"} in limits


def test_the_largest_of_limited_items_and_only_those_of_the_rule() -> None:
    rules = policy(degrees=[degree([block("B", 300)])], conversions=[CERT])
    records = [*papers(100, 100, 100), record("c", 50), record("d", 50)]
    result = run(rules, records)
    assert missing(result) == 100
    assert {line(result, i)["code"] for i in ("c", "d")} == {"OK"}
    assert [line(result, f"p{n}")["code"] for n in range(3)] == ["OK", "D-ITEMS", "D-ITEMS"]
    # one of two is enough: that needs no solver
    enough = run(policy(degrees=[degree([block("B", 60)])], conversions=[CERT]), papers(60, 60))
    assert (enough.hours_met, enough.path) == (True, "bounds")


@pytest.mark.parametrize(("most", "whole"), [(120, True), (119, False), (None, True)])
def test_an_allocation_that_fills_a_block_too_far_does_not_hold(
    most: int | None, whole: bool
) -> None:
    rule = block("B", 60) | ({} if most is None else {"max": most})
    look = [{"id": "O", "min": 60, "accept": {"any": True}, **BASIS}]
    rules = policy(degrees=[degree([rule], overlays=look)])
    known = parse_records([record("a", 120)])[0]
    context, day = parse_context({}), date(2026, 1, 1)
    assert holds(rules, "bachelor", known, context, day, {("a", "B"): 120}) is whole
    assert not holds(rules, "bachelor", known, context, day, {("a", "B"): 59})
    assert not holds(rules, "bachelor", known, context, day, {("a", "B"): 121})
    assert not holds(rules, "bachelor", known, context, day, {("z", "B"): 60})


def test_only_an_exception_of_its_kind_waives_an_item() -> None:
    item = {"id": "I", "item": "thesis", "state": "approved", **BASIS}
    rules = policy(degrees=[degree([block("B", 60)], items=[item])])
    other = {"id": "X", "kind": "reduce_block", "target": "I", "minutes": 1, "by": "k", "why": "w"}
    assert not run(rules, [record("a", 60)], exceptions=[other]).eligible
    wrong = {"id": "X", "kind": "waive_item", "target": "B", "by": "k", "why": "w"}
    assert not run(rules, [record("a", 60)], exceptions=[wrong]).eligible


@pytest.mark.parametrize(
    ("lesson", "minutes"), [(1, 10), (240, 2400), (0, None), (241, None), (True, None)]
)
def test_the_length_of_a_lesson_has_bounds(lesson: Any, minutes: int | None) -> None:
    issuers = {"scu": {"periods": [["2020-01-01", None]], "lesson_minutes": lesson}}
    rules = policy(evidence={"count_status": ["verified"], "issuer": {"registry": "accredited"}})
    result = run(rules, [record("a", lessons=10)], issuers=issuers)
    assert counted(result) == ({} if minutes is None else {"a": minutes})
    assert bool(result.document["notes"]) is (minutes is None)


@pytest.mark.parametrize(
    ("minutes", "known"), [(1_000_000, True), (1_000_001, False), (0, True), (-1, False)]
)
def test_an_exception_of_too_many_minutes_is_not_understood(minutes: int, known: bool) -> None:
    rule = {"id": "X", "kind": "reduce_block", "target": "B", "by": "k", "why": "w"}
    context = parse_context({"exceptions": [{**rule, "minutes": minutes}]})
    assert (len(context.exceptions), len(context.notes)) == ((1, 0) if known else (0, 1))


def test_spans_that_touch_are_one_and_spans_apart_are_two() -> None:
    assert merge([(0, 5), (5, 9), (10, 12), (11, 15)]) == ((0, 9), (10, 15))
    assert merge([(0, 9), (2, 3)]) == ((0, 9),)


def test_a_waiting_time_ends_on_no_day_off() -> None:
    clock = Clock(roll="next_working_day", holidays=frozenset({date(2025, 3, 10)}))
    # 8 and 9 March 2025 are a weekend, the 10th is made a holiday
    ends = [clock.after_days(date(2025, 3, 1), days) for days in (6, 7, 8, 9, 10)]
    assert [e.day for e in ends] == [7, 11, 11, 11, 11]


def test_a_solution_outside_a_bound_or_a_line_is_not_believed() -> None:
    model = Model()
    one, two = model.column(5, ("a",), 1), model.column(5, ("b",))
    model.line([(one, 1), (two, 1)], 2, 6, ("sum",))
    assert model.holds([1, 1])
    assert model.holds([5, 1])
    for wrong in ([0, 3], [6, 0], [1, -1], [1, 0], [5, 2]):
        assert not model.holds(wrong)
    # a line and bounds added after the first solve count too
    assert model.minimise({one: 1, two: 1}) is not None
    model.line([(two, 1)], 2, 5, ("late",))
    model.fix(one, 2, 5)
    found = model.minimise({one: 1, two: 1})
    assert found is not None
    assert (found.values, found.objective) == ([2, 2], 4)
    assert model.minimise({one: 1, two: 1}, below=4) is None


@pytest.mark.parametrize("word", ["P", "PT"])
def test_letters_that_only_look_like_a_duration_are_left_alone(word: str) -> None:
    taxonomy = {"version": "t", "leaves": ["red", "green", "blue", word]}
    assert "L-DURATION" not in {f.rule for f in lint(policy(taxonomy=taxonomy))}


def test_a_basis_is_only_a_basis_where_a_number_can_be() -> None:
    rules = policy(units={**BASE["units"], "basis": "because"})
    assert "L-BASIS" in {f.rule for f in lint(rules) if f.level == "error"}


@pytest.mark.parametrize(("minutes", "flagged"), [(720, False), (721, True)])
def test_more_than_a_day_in_a_day_takes_two_records(minutes: int, flagged: bool) -> None:
    records = [record("a", 720), record("b", minutes, issuer="two")]
    found = [f["code"] for f in run(policy(), records).document["flags"]]
    assert ("R-24H" in found) is flagged
    assert "R-24H" not in [f["code"] for f in run(policy(), [record("a", 1500)]).document["flags"]]


def test_thirty_days_in_a_row_and_not_with_a_gap() -> None:
    days = [f"2025-01-{n + 1:02d}" for n in range(31)]
    gap = [record(f"r{n:02d}", 480, d) for n, d in enumerate(days) if n != 15]
    assert run(policy(), gap).document["flags"] == []
    whole = [record(f"r{n:02d}", 480, d) for n, d in enumerate(days)]
    assert [f["code"] for f in run(policy(), whole).document["flags"]] == ["R-STREAK"]


def test_a_record_across_an_early_or_late_hour_belongs_to_its_day() -> None:
    rules = policy(
        caps=[{"id": "D", "match": {"type": "volunteering"}, "window": "day", "max": 60, **BASIS}]
    )
    first = span("a", "2025-03-10 00:00", "2025-03-10 01:00")
    last = span("b", "2025-03-09 23:00", "2025-03-10 00:00")
    assert run(rules, [first, last]).document["counted"] == 120


def test_the_same_learning_held_by_an_earlier_degree_shuts_the_copy_out() -> None:
    after = {"degree": "bachelor", "state": "valid", "wait_days": 0, **BASIS}
    rules = policy(
        degrees=[degree([block("B", 60)]), degree([block("M", 600)], "master", after=after)]
    )
    held = {"bachelor": {"state": "valid", "awarded": "2025-01-01"}}
    records = [
        record("a", 60, offering="o"),
        record("b", 90, offering="o"),
        record("c", 30),
        record("d", 45, offering="p"),
    ]
    result = run(rules, records, which="master", held=held, used={"a": 20})
    codes = {r["record"]: (r["code"], r["minutes"]) for r in result.document["records"]}
    assert codes == {"a": ("OK", 40), "b": ("D-SAME", 0), "c": ("OK", 30), "d": ("OK", 45)}
