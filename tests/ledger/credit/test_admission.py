"""Each rule of admission by itself: what it lets through, what it stops, and what is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from credit_cases import (
    BASE,
    block,
    counted,
    degree,
    line,
    missing,
    policy,
    record,
    run,
    span,
)

from ledger.credit import Policy, audit, parse_context, parse_records, verdict

BASIS = {"basis": "decided for tests"}
SURPLUS = {"degree": "bachelor", "state": "valid", "wait_days": 0, **BASIS}


def wants(minutes: int = 6000, **changes: Any) -> Policy:
    return policy(degrees=[degree([block("B", minutes)])], **changes)


def taking(**accept: Any) -> Policy:
    return policy(degrees=[degree([block("B", 600, **accept)])])


@pytest.mark.parametrize(
    ("accept", "good", "bad"),
    [
        ({"type": "course"}, {}, {"type": "project"}),
        ({"category": "red"}, {"category": "red"}, {"category": "blue"}),
        ({"category": "red"}, {"category": "빨강"}, {"category": "mauve"}),
        ({"issuer_group": "g"}, {"issuer_group": "g"}, {"issuer_group": "h"}),
        ({"issuer": ["scu", "two"]}, {"issuer": "two"}, {"issuer": "three"}),
        ({"level": "hard"}, {"level": "hard"}, {"level": "easy"}),
        ({"level": "hard"}, {"level": "hard"}, {}),
        ({"course": "C1"}, {"code": "C1"}, {"code": "C2"}),
        ({"from": "2025-03-10"}, {}, {"date": "2025-03-09"}),
        ({"to": "2025-03-11"}, {}, {"date": "2025-03-11"}),
        ({"or": [{"level": "hard"}, {"type": "project"}]}, {"type": "project"}, {}),
        (
            {"type": "course", "or": [{"level": "hard"}]},
            {"level": "hard"},
            {"type": "project", "level": "hard"},
        ),
    ],
)
def test_every_word_of_a_predicate(
    accept: dict[str, Any], good: dict[str, Any], bad: dict[str, Any]
) -> None:
    result = run(taking(**accept), [record("g", 60, **good), record("b", 60, **bad)])
    assert (line(result, "g")["code"], line(result, "b")["code"]) == ("OK", "E-BLOCK")


@pytest.mark.parametrize(
    ("need", "present", "absent"),
    [
        ("offering", {"offering": "o"}, {}),
        ("attendance", {"attended": 1, "sessions": 2}, {"attended": 1}),
        ("attendance", {"attended": 1, "sessions": 2}, {"sessions": 2}),
        ("interval", {"start": "2025-03-10T01:00:00Z", "end": "2025-03-10T03:00:00Z"}, {}),
        ("code", {"code": "C"}, {"number": "7"}),
        ("number", {"number": "7"}, {"code": "C"}),
        ("approval", {"approved": True}, {}),
        ("approval", {"approved": True}, {"approved": False}),
    ],
)
def test_every_kind_of_evidence(need: str, present: dict[str, Any], absent: dict[str, Any]) -> None:
    rules = wants(evidence={**BASE["evidence"], "require": {"course": [need]}})
    found = run(rules, [record("g", 60, **present), record("b", 60, **absent)])
    assert (line(found, "g")["code"], line(found, "b")["code"]) == ("OK", "E-EVIDENCE")
    # other kinds need nothing; what a person refused never counts
    others = [record("p", 60, type="project"), record("n", 60, type="project", approved=False)]
    found = run(rules, others)
    assert [line(found, i)["code"] for i in "pn"] == ["OK", "E-EVIDENCE"]


def accredited(valid_at: str) -> Policy:
    issuer = {"registry": "accredited", "valid_at": valid_at}
    return wants(evidence={"count_status": ["verified"], "issuer": issuer})


@pytest.mark.parametrize(
    ("valid_at", "codes"),
    [
        ("activity_end", ["OK", "E-ISSUER", "OK"]),
        ("activity_start", ["E-ISSUER", "OK", "OK"]),
        ("whole_activity", ["E-ISSUER", "E-ISSUER", "OK"]),
    ],
)
def test_the_day_on_which_an_issuer_must_be_accredited(valid_at: str, codes: list[str]) -> None:
    issuers = {"scu": {"group": "g", "periods": [["2025-03-10", "2025-03-20"]]}}
    spans = [
        ("2025-03-09", "2025-03-11"),
        ("2025-03-19", "2025-03-20"),
        ("2025-03-10", "2025-03-19"),
    ]
    records = [record(f"r{n}", 60, start=a, end=b) for n, (a, b) in enumerate(spans)]
    result = run(accredited(valid_at), records, issuers=issuers)
    assert [line(result, f"r{n}")["code"] for n in range(3)] == codes
    said = line(result, f"r{codes.index('E-ISSUER')}")["why"]["en"]
    assert spans[codes.index("E-ISSUER")][0 if valid_at == "activity_start" else 1] in said


def test_the_registers_group_and_lesson_length_come_before_the_records_and_the_policys() -> None:
    rules = policy(degrees=[degree([block("B", 600, issuer_group="g")])])
    periods = {"periods": [["2020-01-01", None]]}
    for standing, given, minutes in (
        ({"group": "g", "lesson_minutes": 45}, "h", 450),
        ({"group": None}, "g", 600),
        ({"group": "h"}, "g", 0),
    ):
        result = run(
            rules,
            [record("a", lessons=10, issuer_group=given)],
            issuers={"scu": {**periods, **standing}},
        )
        assert result.document["counted"] == minutes
    assert counted(run(rules, [record("a", lessons=10, issuer_group="g")])) == {"a": 600}
    assert counted(run(wants(), [record("a", 30, lessons=10)])) == {"a": 30}


def test_what_stands_for_a_course_or_a_class_and_when() -> None:
    rows = [
        {"code": "P", "issuer": "two", "course": "C1", "from": "2025-01-01", "to": "2025-04-01"},
        {"code": "Q", "course_class": "k"},
    ]
    rules = policy(degrees=[degree([block("B", 600, course="C1")])], equivalences=rows)
    cases = {
        "ok": {"issuer": "two"},
        "early": {"issuer": "two", "date": "2024-12-31"},
        "late": {"issuer": "two", "date": "2025-04-01"},
        "other": {"issuer": "three"},
    }
    result = run(rules, [record(i, 60, code="P", **more) for i, more in cases.items()])
    assert counted(result) == {"ok": 60}
    twins = [
        record("a", 60, code="Q"),
        record("b", 50, course_class="k"),
        record("c", 40, code="Z"),
    ]
    assert counted(run(wants(equivalences=rows), twins)) == {"a": 60, "c": 40}
    own = [
        record("a", 60, code="P", issuer="two", course_class="m"),
        record("b", 50, course_class="m"),
    ]
    assert counted(run(wants(equivalences=rows), own)) == {"a": 60}


def table(**more: Any) -> dict[str, Any]:
    rows = [
        {"code": "L1", "subject": "life", "minutes": 600},
        {"code": "L2", "subject": "life", "minutes": 500},
    ]
    conversion = {"id": "CV", "match": {"type": "certificate"}, "table": "t", **more, **BASIS}
    return {"conversions": [conversion], "tables": {"t": rows}}


@pytest.mark.parametrize(
    ("group", "minutes"), [({"group_by": "subject"}, 600), ({"group_by": "code"}, 1100), ({}, 1100)]
)
def test_certificates_are_one_by_subject_or_by_code(group: dict[str, Any], minutes: int) -> None:
    papers = [record(c, type="certificate", code=c) for c in ("L1", "L2")]
    result = run(wants(**table(**group)), papers)
    assert result.document["counted"] == minutes
    # the table decides, not what the record says of itself; and no minutes are no answer
    same = [{**p, "minutes": 1} for p in papers]
    assert run(wants(**table(**group)), same).document["counted"] == minutes
    assert line(run(wants(), papers), "L1")["code"] == "E-READ"


def test_a_limit_of_items_binds_only_where_the_policy_has_one() -> None:
    papers = [record(c, type="certificate", code=c) for c in ("L1", "L2")]
    limited = run(wants(**table(max_items=1)), papers)
    assert counted(limited) == {"L1": 600}
    assert line(limited, "L2")["code"] == "D-ITEMS"
    assert len(counted(run(wants(**table(max_items=2)), papers))) == 2


@pytest.mark.parametrize(
    ("missing_", "attended", "sessions", "code"),
    [
        ("pass", None, None, "OK"),
        ("fail", None, None, "E-EVIDENCE"),
        ("pass", None, 10, "OK"),
        ("pass", None, 0, "E-EVIDENCE"),
        ("pass", 0, 0, "E-EVIDENCE"),
        ("pass", 5, 10, "OK"),
        ("fail", 5, 10, "OK"),
        ("fail", 4, 10, "E-ATTEND"),
    ],
)
def test_attendance_that_is_not_known(
    missing_: str, attended: int | None, sessions: int | None, code: str
) -> None:
    rule = {"attended_ratio_at_least": "1/2", "if_missing": missing_}
    conversion = {"id": "CV", "match": {"type": "course"}, "pass_if": rule, "gives": "attended"}
    rules = wants(conversions=[{**conversion, **BASIS}])
    result = run(rules, [record("a", 61, attended=attended, sessions=sessions)])
    assert line(result, "a")["code"] == code
    known = bool(attended and sessions)
    assert result.document["counted"] == (0 if code != "OK" else 61 * 5 // 10 if known else 61)


def after_the_award(**more: Any) -> Policy:
    after = {**SURPLUS, "hours_from": "none", **more}
    return policy(
        degrees=[degree([block("B", 60)]), degree([block("M", 6000)], "master", after=after)]
    )


def test_only_exact_times_are_cut_at_the_day_of_the_award() -> None:
    held = {"bachelor": {"state": "valid", "awarded": "2025-03-11"}}
    night = {"start": "2025-03-10T22:00:00+09:00", "end": "2025-03-11T06:00:00+09:00"}
    records = [
        record("exact", **night, type="volunteering"),
        record("part", 60, **{**night, "start": "2025-03-10T12:00:00+09:00"}),
        record("day", 60, "2025-03-11"),
        record("before", 60, "2025-03-10"),
    ]
    result = run(after_the_award(), records, which="master", held=held)
    codes = {r["record"]: r["code"] for r in result.document["records"]}
    assert codes == {"exact": "OK", "part": "E-BEFORE", "day": "OK", "before": "E-BEFORE"}
    assert counted(result) == {"exact": 360, "day": 60}
    assert line(result, "before")["of"] == 60


def test_a_refusal_says_how_many_minutes_it_is_about() -> None:
    result = run(
        wants(), [record("a", 77, status="pending"), record("b", lessons=2, status="pending")]
    )
    assert [line(result, i)["of"] for i in "ab"] == [77, 0]
    late = wants(evidence={**BASE["evidence"], "late_after_days": {"default": 10}})
    found = run(late, [record("a", 60, verified_at="2025-03-21T00:00:00+09:00")])
    assert "11" in line(found, "a")["why"]["en"]
    assert line(found, "a")["code"] == "E-LATE"


def test_a_record_made_by_hand_without_a_day_is_not_understood() -> None:
    rules, context = wants(), parse_context({})
    [good] = parse_records([record("a", 60)])[0]
    for broken in (replace(good, first=None), replace(good, last=None)):
        result = audit(rules, "bachelor", [broken], context, date(2026, 1, 1))
        assert line(result, "a")["code"] == "E-READ"


def test_an_activity_that_ends_with_the_day_of_the_audit_counts() -> None:
    last = span("a", "2025-03-10 20:00", "2025-03-10 23:59")
    over = span("b", "2025-03-10 23:00", "2025-03-11 00:01")
    same = record("c", 60, "2025-03-10")
    result = run(wants(), [last, over, same], as_of="2025-03-10")
    assert [line(result, i)["code"] for i in "abc"] == ["OK", "E-FUTURE", "OK"]
    assert line(run(wants(), [same], as_of="2025-03-09"), "c")["code"] == "E-FUTURE"


def test_exceptions_add_up_and_never_ask_for_less_than_nothing() -> None:
    def reduce(ident: str, minutes: int) -> dict[str, Any]:
        return {
            "id": ident,
            "kind": "reduce_block",
            "target": "B",
            "minutes": minutes,
            "by": "k",
            "why": "w",
        }

    rules = wants(600)
    assert missing(run(rules, [], exceptions=[reduce("x", 100), reduce("y", 50)])) == 450
    assert run(rules, [], exceptions=[reduce("x", 700)]).hours_met
    assert missing(run(rules, [], exceptions=[reduce("x", 0)])) == 600


def test_an_exception_lets_one_record_into_one_block() -> None:
    rules = policy(
        degrees=[degree([block("RED", 60, category=["red"]), block("C", 60, type="course")])]
    )
    let = {"kind": "accept_record", "target": "RED", "by": "k", "why": "same contents"}
    records = [record("a", 60, category="blue", type="project"), record("b", 60, type="project")]
    result = run(rules, records, exceptions=[{**let, "id": "x", "record": "a"}])
    assert counted(result) == {"a": 60}
    both = [{**let, "id": "x", "record": "a"}, {**let, "id": "y", "record": "b"}]
    assert result.document["allocation"] == [{"record": "a", "block": "RED", "minutes": 60}]
    assert counted(run(rules, records, exceptions=both)) == {"a": 60}


def test_simple_learners_are_decided_without_the_solver() -> None:
    """The cheap path is what makes a city possible; a change must not lose it unseen."""
    day = {"id": "D", "match": {"type": "volunteering"}, "window": "day", "max": 480, **BASIS}
    help_ = [span(f"v{n}", f"2025-03-{n + 10} 08:00", f"2025-03-{n + 10} 18:00") for n in range(3)]
    for rules, records, met in (
        (wants(600), [record("a", 600)], True),
        (wants(600), [record("a", 500)], False),
        (wants(600), [], False),
        (wants(6000, caps=[day]), help_, False),
        (wants(900, caps=[day]), help_, True),
        (wants(60), [record("a", 90), record("b", 90)], True),
        (wants(60), [record("a", 90, offering="o"), record("b", 90, offering="o")], True),
    ):
        result = run(rules, records)
        assert (result.hours_met, result.path) == (met, "bounds")
        quick = verdict(
            rules, "bachelor", parse_records(records)[0], parse_context({}), date(2026, 6, 1)
        )
        assert (quick.hours_met, quick.path) == (met, "bounds")
    choice = [record("a", 90, offering="o"), record("b", 30, offering="o")]
    assert run(wants(600), choice).path == "program"
