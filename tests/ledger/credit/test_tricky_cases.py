"""The 46 tricky cases, each by its number; decisions of the city are tested with both settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from credit_cases import (
    BASE,
    block,
    counted,
    degree,
    document,
    line,
    missing,
    policy,
    record,
    run,
    span,
)

from ledger.credit import Policy, bundled, choose, parse_policy, parse_records
from ledger.credit.errors import PolicyAmbiguous, PolicyNotFound
from ledger.credit.reasons import hours

BASIS = {"basis": "decided for tests"}
VOL_DAY = {"id": "VOL-DAY", "match": {"type": "volunteering"}, "window": "day", "max": 480, **BASIS}
VOL_YEAR = {
    "id": "VOL-YEAR",
    "match": {"type": "volunteering"},
    "window": "year",
    "max": 600,
    **BASIS,
}


def attendance(steps: dict[str, str], **more: Any) -> list[dict[str, Any]]:
    rule = {"attended_ratio_at_least": steps}
    return [
        {"id": "CV", "match": {"type": "course"}, "pass_if": rule, "gives": "full", **more, **BASIS}
    ]


USUAL = attendance({"sessions_ge_10": "7/10", "else": "4/5"})


def wants(minutes: int, **changes: Any) -> Policy:
    """One block of any kind."""
    return policy(degrees=[degree([block("B", minutes)])], **changes)


def certificates(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    conversion = {
        "id": "CERT",
        "match": {"type": "certificate"},
        "table": "t",
        "group_by": "subject",
        **more,
        **BASIS,
    }
    return {"conversions": [conversion], "tables": {"t": list(rows)}}


# --- time and counting ---------------------------------------------------------------------------


def test_case_01_two_volunteer_records_overlap_count_six_hours_not_eight() -> None:
    one = span("a", "2025-03-10 09:00", "2025-03-10 13:00", issuer="1365")
    two = span("b", "2025-03-10 11:00", "2025-03-10 15:00", issuer="vms")
    result = run(wants(6000), [one, two])
    assert result.document["counted"] == 360
    assert {line(result, i)["code"] for i in "ab"} == {"OK"}


def test_case_02_eleven_hours_in_one_day_at_two_places_count_eight() -> None:
    one = span("a", "2025-03-10 07:00", "2025-03-10 13:00", issuer="one")
    two = span("b", "2025-03-10 14:00", "2025-03-10 19:00", issuer="two")
    result = run(wants(6000, caps=[VOL_DAY]), [one, two])
    assert result.document["counted"] == 480
    assert line(result, "b") | {"why": None} == {
        "record": "b",
        "code": "OK",
        "minutes": 120,
        "of": 300,
        "cap": "VOL-DAY",
        "why": None,
    }


def test_case_03_a_record_across_midnight_is_split_at_midnight_in_seoul() -> None:
    night = span("n", "2025-03-10 20:00", "2025-03-11 06:00")
    day = span("d", "2025-03-10 09:00", "2025-03-10 17:00")
    result = run(wants(6000, caps=[VOL_DAY]), [night, day])
    # 8 h of the tenth are full with either; the six hours after midnight are the eleventh's
    assert result.document["counted"] == 480 + 360


def test_case_04_a_utc_time_belongs_to_the_day_it_is_in_seoul() -> None:
    late = span("x", "2024-12-31T15:30:00Z", "2024-12-31T20:30:00Z")
    old = span("y", "2024-12-30T00:00:00Z", "2024-12-30T08:00:00Z")
    rules = wants(6000, caps=[VOL_DAY, {**VOL_YEAR, "max": 480}])
    # 2024's cap is full with y; x begins at 00:30 on 1 January 2025
    assert run(rules, [late, old]).document["counted"] == 480 + 300


def test_case_05_summer_time_and_utc_plus_eight_thirty_come_from_the_tz_database() -> None:
    # 1988: Seoul was UTC+10 in June, so 14:30Z is 00:30 of the next day
    june = span("j", "1988-06-01T13:00:00Z", "1988-06-01T15:00:00Z")
    assert counted(run(wants(6000, caps=[{**VOL_DAY, "max": 60}]), [june])) == {"j": 120}
    # 1960: UTC+8:30, so 15:15Z is still the same day in Seoul
    older = span("o", "1960-01-01T15:00:00Z", "1960-01-01T15:25:00Z")
    other = span("p", "1960-01-01T02:00:00Z", "1960-01-01T03:00:00Z")
    assert run(wants(6000, caps=[{**VOL_DAY, "max": 60}]), [older, other]).document["counted"] == 60


def test_case_06_twelve_records_of_thirty_minutes_are_six_hours() -> None:
    records = [record(f"r{n:02d}", 30, f"2025-03-{n + 1:02d}") for n in range(12)]
    result = run(wants(360), records)
    assert result.hours_met
    assert result.document["counted"] == 360


@pytest.mark.parametrize(("lesson", "minutes"), [(60, 600), (50, 500)])
def test_case_07_a_lesson_is_sixty_or_fifty_minutes_as_the_policy_says(
    lesson: int, minutes: int
) -> None:
    rules = wants(6000, units={**BASE["units"], "lesson_minutes": lesson})
    assert counted(run(rules, [record("c", lessons=10)])) == {"c": minutes}


def test_case_07_the_issuers_own_lesson_length_comes_first() -> None:
    issuers = {"scu": {"group": "g", "periods": [["2020-01-01", None]], "lesson_minutes": 45}}
    assert counted(run(wants(6000), [record("c", lessons=10)], issuers=issuers)) == {"c": 450}


def test_case_08_ninety_nine_hours_fifty_nine_is_not_one_hundred() -> None:
    result = run(policy(), [record("c", 5999)])
    assert not result.hours_met
    assert missing(result) == 1
    assert result.document["hours"] == {"counted": "99.9", "required": "100.0", "missing": "0.0"}
    assert result.document["missing"] == [{"block": "B", "minutes": 1}]
    assert [hours(m) for m in (5999, 6000, 5, 6, 0)] == ["99.9", "100.0", "0.0", "0.1", "0.0"]


def test_case_09_class_and_volunteering_at_once_count_once_for_whichever_helps() -> None:
    blocks = [block("B-COURSE", 120, type=["course"]), block("B-VOL", 60, type=["volunteering"])]
    lesson = span("c", "2025-03-10 09:00", "2025-03-10 11:00", kind="course")
    helping = span("v", "2025-03-10 10:00", "2025-03-10 12:00")
    result = run(policy(degrees=[degree(blocks)]), [lesson, helping])
    assert result.hours_met
    assert counted(result) == {"c": 120, "v": 60}


def test_case_09_switch_a_city_may_count_both_kinds_at_once() -> None:
    identity = {**BASE["identity"], "overlap": {"across_type": "count_both"}}
    lesson = span("c", "2025-03-10 09:00", "2025-03-10 11:00", kind="course")
    helping = span("v", "2025-03-10 09:00", "2025-03-10 11:00")
    again = span("w", "2025-03-10 09:00", "2025-03-10 11:00")
    records = [lesson, helping, again]
    assert run(wants(6000), records).document["counted"] == 120
    assert run(wants(6000, identity=identity), records).document["counted"] == 240


@pytest.mark.parametrize(
    ("attended", "sessions", "passes"),
    [(7, 10, True), (6, 10, False), (4, 5, True), (3, 5, False), (7, 9, False), (8, 9, True)],
)
def test_case_10_attendance_is_compared_as_fractions(
    attended: int, sessions: int, passes: bool
) -> None:
    result = run(
        wants(6000, conversions=USUAL), [record("c", 600, attended=attended, sessions=sessions)]
    )
    assert line(result, "c")["code"] == ("OK" if passes else "E-ATTEND")
    assert line(result, "c")["minutes"] == (600 if passes else 0)


@pytest.mark.parametrize(("step", "passes"), [("sessions_ge_10", False), ("sessions_ge_9", True)])
def test_case_10_switch_which_rule_a_nine_session_course_falls_under(
    step: str, passes: bool
) -> None:
    rules = wants(6000, conversions=attendance({step: "7/10", "else": "4/5"}))
    result = run(rules, [record("c", 600, attended=7, sessions=9)])
    assert (line(result, "c")["code"] == "OK") is passes


@pytest.mark.parametrize(("gives", "minutes"), [("full", 600), ("attended", 420)])
def test_switch_a_passed_course_gives_full_or_attended_hours(gives: str, minutes: int) -> None:
    rules = [{**USUAL[0], "gives": gives}]
    result = run(wants(6000, conversions=rules), [record("c", 600, attended=7, sessions=10)])
    assert counted(result) == {"c": minutes}


# --- duplicates ----------------------------------------------------------------------------------


def test_case_11_the_same_class_at_two_institutions_counts_once() -> None:
    records = [
        record("a", 1200, issuer="u1", course_class="mental-health"),
        record("b", 1200, issuer="u2", course_class="mental-health"),
    ]
    result = run(wants(6000), records)
    assert result.document["counted"] == 1200
    assert line(result, "b")["code"] == "D-SAME"
    assert "a" in line(result, "b")["why"]["ko"]


def test_case_12_two_feeds_ten_minutes_apart_are_flagged_and_never_deleted() -> None:
    one = span("a", "2025-03-10 09:00", "2025-03-10 13:00", issuer="1365")
    two = span("b", "2025-03-10 09:10", "2025-03-10 13:10", issuer="vms")
    result = run(wants(6000), [one, two])
    assert {"code": "R-TWIN", "records": ["a", "b"]} in result.document["flags"]
    assert {line(result, i)["code"] for i in "ab"} == {"OK"}
    assert result.document["counted"] == 250


@pytest.mark.parametrize(
    ("key", "minutes"),
    [(["person", "course_class"], 600), (["person", "course_class", "year"], 1200)],
)
def test_case_13_switch_a_course_taken_again_is_the_same_learning_or_new(
    key: list[str], minutes: int
) -> None:
    identity = {**BASE["identity"], "same_learning": [key]}
    records = [
        record("a", 600, "2024-05-01", course_class="k"),
        record("b", 600, "2025-05-01", course_class="k"),
    ]
    assert run(wants(6000, identity=identity), records).document["counted"] == minutes


def test_case_14_names_that_differ_by_spelling_meet_in_a_class_of_the_policy() -> None:
    rows = [
        {"code": "심리학 I", "course_class": "psych-1"},
        {"code": "심리학1", "course_class": "psych-1"},
        {"code": "심리학첫째", "course_class": "psych-1"},
    ]
    records = [record(f"r{n}", 600, code=row["code"]) for n, row in enumerate(rows)]
    assert run(wants(6000), records).document["counted"] == 1800
    assert run(wants(6000, equivalences=rows), records).document["counted"] == 600


def test_case_15_the_higher_certificate_replaces_the_lower_never_both() -> None:
    rows = certificates(
        {"code": "LL-2", "subject": "lifelong", "minutes": 1200},
        {"code": "LL-1", "subject": "lifelong", "minutes": 1800},
    )
    records = [
        record("low", type="certificate", code="LL-2", day="2024-05-01"),
        record("high", type="certificate", code="LL-1"),
    ]
    result = run(wants(6000, **rows), records)
    assert counted(result) == {"high": 1800}
    assert line(result, "low")["code"] == "D-SAME"


def test_case_15_a_certificate_and_the_course_that_prepared_it_can_be_one_learning() -> None:
    rows = certificates({"code": "LL-2", "subject": "lifelong", "minutes": 1200})
    course = record("course", 900, course_class="ll")
    paper = record("paper", type="certificate", code="LL-2", course_class="ll")
    assert counted(run(wants(6000, **rows), [course, paper])) == {"paper": 1200}


def test_case_16_project_volunteering_and_article_about_one_activity_count_once() -> None:
    records = [
        record("p", 600, type="project", about="v"),
        record("v", 480, type="volunteering"),
        record("n", 120, type="article", about="v"),
    ]
    assert counted(run(wants(6000), records)) == {"p": 600}


def test_case_17_the_shorter_copy_counts_when_its_category_is_needed() -> None:
    blocks = [block("RED", 1200, category=["red"]), block("ANY", 600)]
    records = [
        record("short", 1200, category="red", course_class="k"),
        record("long", 1500, category="blue", course_class="k"),
        record("rest", 600, category="blue"),
    ]
    result = run(policy(degrees=[degree(blocks)]), records)
    assert result.hours_met
    assert counted(result) == {"short": 1200, "rest": 600}


# --- allocation ----------------------------------------------------------------------------------


def test_case_18_a_record_that_fits_two_blocks_is_split_per_block() -> None:
    blocks = [block("C", 300, type=["course"]), block("ANY", 300)]
    result = run(policy(degrees=[degree(blocks)]), [record("c", 600)])
    assert result.document["allocation"] == [
        {"record": "c", "block": "C", "minutes": 300},
        {"record": "c", "block": "ANY", "minutes": 300},
    ]


def test_case_19_greedy_would_refuse_this_learner() -> None:
    blocks = [block("ANY", 600), block("RED", 600, category=["red"])]
    records = [record("a", 600, "2025-01-10", category="red"), record("b", 600, category="blue")]
    result = run(policy(degrees=[degree(blocks)]), records)
    assert result.hours_met
    assert result.document["allocation"][0] == {"record": "a", "block": "RED", "minutes": 600}


def test_case_20_ties_are_broken_by_rule_oldest_then_id() -> None:
    records = [
        record("c", 600, "2025-01-02"),
        record("b", 600, "2025-01-01"),
        record("a", 600, "2025-01-02"),
    ]
    assert counted(run(wants(1200), records)) == {"b": 600, "a": 600}
    assert run(wants(1200), records).canonical() == run(wants(1200), records[::-1]).canonical()


def test_case_20_flexible_minutes_are_kept_for_the_next_degree() -> None:
    later = degree(
        [block("M", 600, category=["red"])], "master", after={"degree": "bachelor", **BASIS}
    )
    rules = policy(degrees=[degree([block("B", 600)]), later])
    records = [
        record("red", 600, "2024-01-01", category="red"),
        record("blue", 600, category="blue"),
    ]
    assert counted(run(rules, records)) == {"blue": 600}


SURPLUS = {"degree": "bachelor", "state": "valid", "wait_days": 0, **BASIS}


@pytest.mark.parametrize(
    ("carry", "minutes"), [("surplus", 400 + 500), ("none", 500), ("all", 1000 + 500)]
)
def test_case_21_switch_what_of_the_bachelor_carries_over(carry: str, minutes: int) -> None:
    later = degree([block("M", 6000)], "master", after={**SURPLUS, "hours_from": carry})
    rules = policy(degrees=[degree([block("B", 600)]), later])
    records = [record("old", 1000, "2024-01-01"), record("new", 500, "2025-05-01")]
    held = {"bachelor": {"state": "valid", "awarded": "2025-02-01"}}
    result = run(rules, records, which="master", held=held, used={"old": 600})
    assert result.document["counted"] == minutes
    if carry == "surplus":
        assert line(result, "old")["minutes"] == 400
        assert "10 h" in line(result, "old")["why"]["en"]
    if carry == "none":
        assert line(result, "old")["code"] == "E-BEFORE"


def test_case_22_locked_minutes_stay_locked_and_only_the_rest_moves() -> None:
    later = degree([block("M", 600)], "master", after={**SURPLUS, "hours_from": "surplus"})
    rules = policy(degrees=[degree([block("B", 600)]), later])
    records = [record("a", 600, "2024-01-01"), record("late", 600, "2024-06-01")]
    held = {"bachelor": {"state": "valid", "awarded": "2025-02-01"}}
    result = run(rules, records, which="master", held=held, used={"a": 600})
    assert counted(result) == {"late": 600}
    assert line(result, "a")["code"] == "LOCKED"


def test_case_23_old_records_do_not_use_up_a_cap_that_newer_ones_need() -> None:
    blocks = [block("RED", 600, category=["red"]), block("ANY", 600, type=["course"])]
    cap = {"id": "VOL", "match": {"type": "volunteering"}, "window": "degree", "max": 600, **BASIS}
    records = [
        record("old", 600, "2024-01-01", type="volunteering", category="blue"),
        record("new", 600, "2025-01-01", type="volunteering", category="red"),
        record("c", 600, category="blue"),
    ]
    result = run(policy(degrees=[degree(blocks)], caps=[cap]), records)
    assert result.hours_met
    assert counted(result) == {"new": 600, "c": 600}


def test_case_24_the_audit_names_the_taxonomy_version_it_used() -> None:
    result = run(wants(600), [record("a", 600, category="a code of next year")])
    assert result.document["taxonomy"] == "t1"
    assert result.hours_met  # an unknown category still counts where any kind does


def test_case_25_a_partners_code_stands_for_the_required_course_between_dates() -> None:
    blocks = [block("CITY", 600, course=["CITY-101"])]
    rows = [
        {
            "code": "P-7",
            "issuer": "partner",
            "course": "CITY-101",
            "from": "2025-01-01",
            "to": "2025-07-01",
        }
    ]
    rules = policy(degrees=[degree(blocks)], equivalences=rows)

    def taken(day: str, issuer: str = "partner") -> bool:
        return run(rules, [record("p", 600, day, issuer=issuer, code="P-7")]).hours_met

    assert [taken("2025-01-01"), taken("2025-06-30"), taken("2025-07-01")] == [True, True, False]
    assert not taken("2025-03-01", "someone-else")


def test_case_25_else_a_signed_human_substitution() -> None:
    rules = policy(degrees=[degree([block("CITY", 600, course=["CITY-101"])])])
    exception = {
        "id": "X1",
        "kind": "accept_record",
        "target": "CITY",
        "record": "p",
        "by": "registrar kim",
        "why": "same syllabus",
        "expires": "2026-07-01",
    }
    records = [record("p", 600, code="OTHER")]
    assert run(rules, records, exceptions=[exception]).hours_met
    unsigned = {**exception, "by": ""}
    assert not run(rules, records, exceptions=[unsigned]).hours_met


# --- change over time ----------------------------------------------------------------------------


def version(number: str, start: str, end: str | None, **changes: Any) -> Policy:
    head = {**BASE["policy"], "version": number, "effective": {"from": start, "to": end}}
    return policy(policy=head, **changes)


def test_case_26_the_version_is_chosen_by_the_date_the_policy_names() -> None:
    old, new = version("1", "2020-01-01", "2025-01-01"), version("2", "2025-01-01", None)
    assert choose([new, old], "test.policy", day("2024-12-31")).version == "1"
    assert choose([new, old], "test.policy", day("2025-01-01")).version == "2"
    with pytest.raises(PolicyNotFound):
        choose([new, old], "test.policy", day("2019-12-31"))
    with pytest.raises(PolicyAmbiguous):
        choose([new, version("3", "2024-06-01", None)], "test.policy", day("2025-06-01"))
    assert choose(bundled(), "seoul.citizen-degree", day("2023-01-01")).version == "2022.1"


def test_case_26_moving_forward_gives_both_answers_to_compare() -> None:
    old, new = version("1", "2020-01-01", None), version("2", "2025-01-01", None, caps=[VOL_YEAR])
    records = [record("v", 6000, type="volunteering")]
    assert run(old, records).hours_met
    assert not run(new, records).hours_met


def test_case_27_a_class_never_beats_volunteering_at_the_cost_of_the_degree() -> None:
    blocks = [block("V", 120, type=["volunteering"])]
    helping = span("v", "2025-03-10 09:00", "2025-03-10 11:00")
    rules = policy(degrees=[degree(blocks)])
    assert run(rules, [helping]).hours_met
    lesson = span("c", "2025-03-10 09:00", "2025-03-10 11:00", kind="course")
    assert run(rules, [helping, lesson]).hours_met


@pytest.mark.parametrize(
    ("day", "minutes"), [("2025-12-31", 900), ("2026-01-01", 600), ("2024-12-31", None)]
)
def test_case_28_a_certificate_is_worth_what_the_table_said_on_its_own_date(
    day: str, minutes: int | None
) -> None:
    rows = certificates(
        {"code": "IT-1", "subject": "it", "minutes": 900, "from": "2025-01-01"},
        {"code": "IT-1", "subject": "it", "minutes": 600, "from": "2026-01-01"},
    )
    paper = record(
        "k", type="certificate", code="IT-1", day=day, verified_at="2026-05-01T09:00:00+09:00"
    )
    result = run(wants(6000, **rows), [paper])
    if minutes is None:
        assert line(result, "k")["code"] == "E-NOTABLE"
    else:
        assert counted(result) == {"k": minutes}


ACCREDITED = {
    "count_status": ["verified"],
    "issuer": {"registry": "accredited", "valid_at": "activity_end"},
}


def test_case_29_the_day_of_the_activity_decides_whether_the_issuer_was_accredited() -> None:
    issuers = {
        "scu": {"group": "g", "periods": [["2024-01-01", "2025-03-10"], ["2025-06-01", None]]}
    }
    days = ["2023-12-31", "2024-01-01", "2025-03-09", "2025-03-10", "2025-06-01"]
    records = [record(f"r{n}", 60, d) for n, d in enumerate(days)]
    result = run(wants(6000, evidence=ACCREDITED), records, issuers=issuers)
    codes = [line(result, f"r{n}")["code"] for n in range(5)]
    assert codes == ["E-ISSUER", "OK", "OK", "E-ISSUER", "OK"]


def test_case_29_fraud_suspends_the_issuers_records_and_they_stop_counting() -> None:
    records = [record("a", 600, status="suspended"), record("b", 600)]
    result = run(wants(6000), records)
    assert counted(result) == {"b": 600}
    assert line(result, "a")["code"] == "E-STATUS"


def test_case_29_an_issuer_nobody_knows_does_not_count() -> None:
    result = run(wants(600, evidence=ACCREDITED), [record("a", 600)], issuers={})
    assert line(result, "a")["code"] == "E-ISSUER"
    unchecked = run(wants(600, evidence=ACCREDITED), [record("a", 600)])
    assert unchecked.document["not_checked"] == ["issuer"]


def test_case_30_a_renamed_department_is_an_alias_with_dates() -> None:
    taxonomy = {
        "version": "t2",
        "leaves": ["red", "green", "blue"],
        "alias": {
            "시민학": [{"leaf": "red", "to": "2023-01-01"}, {"leaf": "blue", "from": "2023-01-01"}]
        },
    }
    rules = policy(degrees=[degree([block("RED", 600, category=["red"])])], taxonomy=taxonomy)
    assert run(rules, [record("a", 600, "2022-12-31", category="시민학")]).hours_met
    assert not run(rules, [record("a", 600, "2023-01-01", category="시민학")]).hours_met


@pytest.mark.parametrize(("verified", "code"), [("2025-06-10", "OK"), ("2025-06-11", "E-LATE")])
def test_case_31_the_ninety_second_day_is_in_time_and_the_next_is_late(
    verified: str, code: str
) -> None:
    evidence = {**BASE["evidence"], "late_after_days": {"volunteering": 92, "default": 365}}
    rules = wants(6000, evidence=evidence)
    late = record("v", 60, type="volunteering", verified_at=f"{verified}T23:59:00+09:00")
    assert line(run(rules, [late]), "v")["code"] == code
    approved = {**late, "late_approved": {"by": "kim", "at": "2025-07-01", "why": "illness"}}
    assert line(run(rules, [approved]), "v")["code"] == "OK"
    strict = wants(6000, evidence={**evidence, "late_action": "reject"})
    assert line(run(strict, [approved]), "v")["code"] == code


@pytest.mark.parametrize(("cutoff", "met"), [("verification", False), ("activity", True)])
def test_case_31_switch_from_which_moment_a_record_counts(cutoff: str, met: bool) -> None:
    rules = wants(600, evidence={**BASE["evidence"], "cutoff": cutoff})
    late = record("a", 600, "2025-03-10", verified_at="2025-07-01T09:00:00+09:00")
    result = run(rules, [late], as_of="2025-06-01")
    assert result.hours_met is met
    assert line(result, "a")["code"] == ("OK" if met else "E-FUTURE")


def test_case_32_a_corrected_record_supersedes_the_old_one() -> None:
    records = [record("v1", 240, status="superseded"), record("v2", 180)]
    assert counted(run(wants(6000), records)) == {"v2": 180}


# --- award, revocation, people -------------------------------------------------------------------


def test_case_33_after_a_revocation_the_audit_is_made_of_all_records_verified_before() -> None:
    rules = wants(600)
    records = [record("a", 600, "2024-01-01"), record("spare", 600, "2024-02-01")]
    assert counted(run(rules, records, as_of="2025-06-01")) == {"a": 600}
    records[0]["status"] = "revoked"
    again = run(rules, records, as_of="2025-06-01")
    assert again.hours_met
    assert counted(again) == {"spare": 600}
    assert not run(rules, records[:1], as_of="2025-06-01").hours_met


def test_case_34_no_master_while_the_bachelor_is_suspended() -> None:
    later = degree([block("M", 600)], "master", after={**SURPLUS, "hours_from": "surplus"})
    rules = policy(degrees=[degree([block("B", 600)]), later])
    for state, eligible in (("suspended", False), ("valid", True)):
        held = {"bachelor": {"state": state, "awarded": "2024-01-01"}}
        result = run(rules, [record("a", 600)], which="master", held=held)
        assert result.hours_met
        assert result.eligible is eligible
        assert [r["code"] for r in result.document["reasons"]] == ([] if eligible else ["P-DEGREE"])


def test_case_35_a_mass_error_is_a_dry_run_of_the_same_function() -> None:
    records = [record("a", 600, issuer="bad"), record("b", 300, issuer="good")]
    before = run(wants(600), records)
    after = run(
        wants(600), [{**r, "status": "suspended"} if r["issuer"] == "bad" else r for r in records]
    )
    assert (before.hours_met, after.hours_met) == (True, False)
    assert missing(after) == 300


def test_case_36_and_37_merged_accounts_are_counted_as_one_person() -> None:
    one = span("a", "2025-03-10 07:00", "2025-03-10 13:00", offering="o")
    two = span("b", "2025-03-10 12:00", "2025-03-10 20:00")
    copy = record("c", 360, type="volunteering", offering="o")
    rules = wants(6000, caps=[VOL_DAY])
    apart = [run(rules, records).document["counted"] for records in ([one], [two, copy])]
    assert apart == [360, 480]
    merged = run(rules, [one, two, copy])
    assert merged.document["counted"] == 480  # one day, one cap, one of the copies
    assert {line(merged, "a")["code"], line(merged, "c")["code"]} != {"OK"}


def test_case_38_the_answer_carries_hashes_so_it_outlives_the_text() -> None:
    result = run(wants(600), [record("a", 600)])
    assert result.document["policy_hash"].startswith("sha256:")
    assert result.trace_hash.startswith("sha256:")
    assert run(wants(600), [record("a", 601)]).trace_hash != result.trace_hash


def test_case_39_switch_residence_at_admission_or_at_award_is_an_item_of_that_date() -> None:
    for needed in ("resident_at_admission", "resident_at_award"):
        item = {"id": "RES", "item": needed, "state": "confirmed", **BASIS}
        rules = policy(degrees=[degree([block("B", 600)], items=[item])])
        result = run(rules, [record("a", 600)], items=[["resident_at_admission", "confirmed"]])
        assert result.hours_met
        assert result.eligible is (needed == "resident_at_admission")


WAITING = {**SURPLUS, "wait_days": 180, "hours_from": "surplus"}


@pytest.mark.parametrize(
    ("rule", "as_of", "eligible"),
    [
        ("exclude_first_day", "2025-06-29", False),
        ("exclude_first_day", "2025-06-30", True),
        ("include_first_day", "2025-06-28", False),
        ("include_first_day", "2025-06-29", True),
    ],
)
def test_case_40_day_179_no_day_180_yes(rule: str, as_of: str, eligible: bool) -> None:
    later = degree([block("M", 600)], "master", after=WAITING)
    clock = {**BASE["clock"], "period_rule": rule}
    rules = policy(degrees=[degree([block("B", 600)]), later], clock=clock)
    held = {"bachelor": {"state": "valid", "awarded": "2025-01-01"}}
    result = run(rules, [record("a", 600)], which="master", held=held, as_of=as_of)
    assert result.eligible is eligible
    if not eligible:
        assert result.document["reasons"][0]["code"] == "P-WAIT"


@pytest.mark.parametrize(
    ("end", "first"), [("as_is", "2025-06-28"), ("next_working_day", "2025-07-01")]
)
def test_case_40_switch_when_the_last_day_is_a_holiday(end: str, first: str) -> None:
    # 28 June 2025 is a Saturday; the Monday after is made a holiday here
    later = degree([block("M", 600)], "master", after={**WAITING, "wait_days": 178})
    clock = {**BASE["clock"], "period_end": end, "holidays": ["2025-06-30"]}
    rules = policy(degrees=[degree([block("B", 600)]), later], clock=clock)
    held = {"bachelor": {"state": "valid", "awarded": "2025-01-01"}}
    result = run(rules, [record("a", 600)], which="master", held=held, as_of="2025-06-27")
    assert first in result.document["reasons"][0]["why"]["en"]


def test_case_41_eligible_says_nothing_about_places() -> None:
    rules = next(p for p in bundled() if p.key == "seoul.citizen-degree@2025.1")
    result = run(rules, [record("a", 6000)])
    assert result.eligible
    assert "admitted" not in json.dumps(result.document)
    assert "denied" not in json.dumps(result.document)


@pytest.mark.parametrize(
    ("priors", "eligible"),
    [
        ({}, False),
        ({"related_bachelor": True}, True),
        ({"related_career_years": 2}, False),
        ({"related_career_years": 3}, True),
        ([["related_career_years", 4]], True),
        (["related_bachelor"], True),
    ],
)
def test_case_42_another_way_in_is_a_fact_not_minutes(priors: Any, eligible: bool) -> None:
    rules = next(p for p in bundled() if p.key == "seoul.citizen-degree@2025.1")
    records = [record(c, 6000, category=c) for c in ("theory", "practice", "selfstudy")]
    items = [["research_output", "approved"]]
    result = run(rules, records, which="doctor/history", items=items, priors=priors)
    assert result.hours_met
    assert result.eligible is eligible


def test_case_43_an_exception_expires_and_moves_with_its_block() -> None:
    transition = {**BASE["transition"], "moved": {"OLD": "B"}}
    rules = wants(600, transition=transition)
    exception = {
        "id": "X",
        "kind": "reduce_block",
        "target": "OLD",
        "minutes": 100,
        "by": "committee",
        "why": "illness",
        "expires": "2026-01-01",
    }
    records = [record("a", 500, "2025-03-10")]
    assert run(rules, records, as_of="2025-12-31", exceptions=[exception]).hours_met
    expired = run(rules, records, as_of="2026-01-01", exceptions=[exception])
    assert not expired.hours_met
    assert "expired" in expired.document["notes"][0]["en"]
    lost = run(wants(600), records, as_of="2025-12-31", exceptions=[exception])
    assert not lost.hours_met
    assert "OLD" in lost.document["notes"][0]["en"]


def test_case_43_a_waived_item_names_its_exception() -> None:
    item = {"id": "I", "item": "thesis", "state": "approved", **BASIS}
    rules = policy(degrees=[degree([block("B", 600)], items=[item])])
    waiver = {"id": "X", "kind": "waive_item", "target": "I", "by": "committee", "why": "w"}
    assert not run(rules, [record("a", 600)]).eligible
    result = run(rules, [record("a", 600)], exceptions=[waiver])
    assert result.eligible
    assert result.document["conditions"][0]["exception"] == "X"


def test_case_44_two_applications_at_once_lock_first_then_recompute() -> None:
    later = degree([block("M", 600)], "master", after={**SURPLUS, "hours_from": "surplus"})
    rules = policy(degrees=[degree([block("B", 600)]), later])
    records = [record("a", 900)]
    first = run(rules, records)
    assert first.eligible
    held = {"bachelor": {"state": "valid", "awarded": "2025-06-01"}}
    second = run(rules, records, which="master", held=held, used=counted(first))
    assert missing(second) == 300


def test_case_45_more_than_a_day_in_a_day_is_flagged_never_refused() -> None:
    records = [record("a", 900), record("b", 900, issuer="two")]
    result = run(wants(6000), records)
    assert result.document["counted"] == 1800
    assert [f["code"] for f in result.document["flags"]] == ["R-24H"]


def test_case_45_eight_hours_every_day_for_a_month_are_flagged() -> None:
    records = [record(f"r{n:02d}", 480, f"2025-01-{n + 1:02d}") for n in range(30)]
    assert [f["code"] for f in run(wants(6000), records).document["flags"]] == ["R-STREAK"]
    assert run(wants(6000), records[:29]).document["flags"] == []


def test_case_46_what_is_not_reconciled_has_a_status_that_does_not_count() -> None:
    records = [record("a", 600, status="pending"), record("b", 600, status="")]
    result = run(wants(600), records)
    assert [line(result, i)["code"] for i in "ab"] == ["E-STATUS", "E-STATUS"]


# --- the same id twice, and what a record is worth -----------------------------------------------


def test_one_record_sent_twice_is_one_and_two_records_with_one_id_are_none() -> None:
    assert counted(run(wants(6000), [record("a", 60), record("a", 60)])) == {"a": 60}
    result = run(wants(6000), [record("a", 60), record("a", 90)])
    assert line(result, "a")["code"] == "E-READ"


def test_a_course_of_two_months_with_its_minutes_leaves_room_for_the_rest() -> None:
    course = record("c", 1200, start="2025-03-01T10:00:00+09:00", end="2025-05-05T12:00:00+09:00")
    helping = span("v", "2025-03-10 09:00", "2025-03-10 13:00")
    assert counted(run(wants(6000), [course, helping])) == {"c": 1200, "v": 240}


def test_six_clock_hours_never_hold_seven_hours_of_learning() -> None:
    part = record("p", 180, start="2025-03-10T09:00:00+09:00", end="2025-03-10T13:00:00+09:00")
    whole = span("w", "2025-03-10 11:00", "2025-03-10 15:00")
    assert run(wants(6000), [part, whole]).document["counted"] == 360


def test_session_times_of_a_class_are_exact() -> None:
    lesson = record(
        "c",
        intervals=[
            ["2025-03-10T09:00:00+09:00", "2025-03-10T11:00:00+09:00"],
            ["2025-03-17T09:00:00+09:00", "2025-03-17T11:00:00+09:00"],
        ],
    )
    helping = span("v", "2025-03-17 10:00", "2025-03-17 12:00")
    assert run(wants(6000), [lesson, helping]).document["counted"] == 300


def test_half_rate_volunteering_still_counts_each_clock_minute_once() -> None:
    conversion = {
        "id": "HALF",
        "match": {"type": "volunteering"},
        "gives": {"ratio": "1/2"},
        **BASIS,
    }
    one = span("a", "2025-03-10 09:00", "2025-03-10 13:00")
    two = span("b", "2025-03-10 11:00", "2025-03-10 15:00")
    assert run(wants(6000, conversions=[conversion]), [one, two]).document["counted"] == 180


def test_a_fixed_number_of_minutes_per_article() -> None:
    conversion = {
        "id": "ART",
        "match": {"type": "article"},
        "gives": {"per_item": 120},
        "max_items": 2,
        **BASIS,
    }
    records = [record(f"n{n}", type="article", day=f"2025-03-0{n + 1}") for n in range(3)]
    result = run(wants(6000, conversions=[conversion]), records)
    assert result.document["counted"] == 240
    assert line(result, "n2")["code"] == "D-ITEMS"


def test_documents_of_the_tests_are_policies() -> None:
    assert parse_policy(json.dumps(document())).id == "test.policy"
    assert parse_records([]) == ([], [])


def day(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text)
