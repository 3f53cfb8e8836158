"""Edges a mutation of the engine showed to be unwatched."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from credit_cases import block, counted, degree, line, policy, record, run, span

from ledger.credit.clock import Clock

BASIS = {"basis": "decided for tests"}


def after(**more: Any) -> Any:
    rule = {"degree": "bachelor", "state": "valid", "wait_days": 0, **BASIS, **more}
    return policy(
        degrees=[degree([block("B", 60)]), degree([block("M", 600)], "master", after=rule)]
    )


def test_attended_minutes_of_a_timed_class_still_compete_for_the_clock() -> None:
    conversion = {
        "id": "CV",
        "match": {"type": "course"},
        "gives": "attended",
        "pass_if": {"attended_ratio_at_least": "1/2"},
        **BASIS,
    }
    rules = policy(conversions=[conversion])
    lesson = span("c", "2025-03-10 09:00", "2025-03-10 11:00", "course", attended=3, sessions=4)
    helping = span("v", "2025-03-10 09:00", "2025-03-10 11:00")
    assert run(rules, [lesson, helping]).document["counted"] == 120
    assert counted(run(rules, [lesson])) == {"c": 90}


def test_without_an_award_there_is_no_day_to_count_from() -> None:
    rules = after(hours_from="none", **{"or": [{"prior": "career", "at_least": 3}]})
    records = [record("a", 600, "2025-03-10")]
    refused = run(rules, records, which="master", as_of="2025-03-10")
    assert line(refused, "a")["code"] == "E-BEFORE"
    assert run(rules, records, which="master", as_of="2025-03-10", priors={"career": 3}).eligible


def test_learning_of_the_day_of_the_award_counts_and_a_night_is_cut_at_its_midnight() -> None:
    rules = after(hours_from="none")
    held = {"bachelor": {"state": "valid", "awarded": "2025-03-10"}}
    records = [
        record("same", 100, "2025-03-10"),
        record("eve", 100, "2025-03-09"),
        span("night", "2025-03-09 22:00", "2025-03-10 01:00"),
    ]
    assert counted(run(rules, records, which="master", held=held)) == {"same": 100, "night": 60}


def test_a_valid_track_counts_even_when_another_is_suspended() -> None:
    held = {
        "bachelor": {"state": "suspended", "awarded": "2024-01-01"},
        "bachelor/history": {"state": "valid", "awarded": "2024-02-01"},
        "bachelors": {"state": "valid", "awarded": "2024-02-01"},
    }
    assert run(after(), [record("a", 600)], which="master", held=held).eligible
    del held["bachelor/history"]
    assert not run(after(), [record("a", 600)], which="master", held=held).eligible


def test_a_course_that_still_runs_is_in_the_future_as_a_whole() -> None:
    times = [[f"2025-03-{d}T09:00:00+09:00", f"2025-03-{d}T11:00:00+09:00"] for d in (10, 17)]
    result = run(policy(), [record("c", intervals=times)], as_of="2025-03-12")
    assert line(result, "c")["code"] == "E-FUTURE"
    assert counted(run(policy(), [record("c", intervals=times)], as_of="2025-03-17")) == {"c": 240}


def test_a_record_that_was_simply_not_needed_is_not_blamed_on_an_item_limit() -> None:
    conversion = {
        "id": "ART",
        "match": {"type": "article"},
        "gives": {"per_item": 60},
        "max_items": 2,
        **BASIS,
    }
    rules = policy(degrees=[degree([block("B", 60)])], conversions=[conversion])
    records = [record(f"n{n}", type="article", day=f"2025-03-0{n + 1}") for n in range(3)]
    result = run(rules, records)
    assert [line(result, f"n{n}")["code"] for n in range(3)] == ["OK", "UNUSED", "UNUSED"]


@pytest.mark.parametrize(
    ("year", "day", "name"),
    [((1, 1), "2025-03-10", "2025"), ((3, 1), "2025-02-28", "2024-03-01")],
)
def test_a_year_is_called_by_its_number_or_its_first_day(
    year: tuple[int, int], day: str, name: str
) -> None:
    clock = Clock(year_start=year)
    assert clock.name("year", clock.key("year", date.fromisoformat(day).toordinal())) == name


@pytest.mark.parametrize("minute", [-40_000_000, -9_500_000, -1, 0, 900, 9_700_000, 29_000_000])
def test_a_day_holds_its_minutes_in_every_era(minute: int) -> None:
    clock = Clock()
    ordinal = clock.day(minute)
    assert clock.midnight(ordinal) <= minute < clock.midnight(ordinal + 1)
    assert [p[1:] for p in clock.split(minute, minute + 1)] == [(minute, minute + 1)]


def test_locked_nights_leave_only_what_the_day_cap_leaves() -> None:
    cap = {"id": "V", "match": {"type": "volunteering"}, "window": "day", "max": 120, **BASIS}
    rules = policy(
        caps=[cap], degrees=[degree([block("B", 60)]), degree([block("M", 600)], "master")]
    )
    night = span("n", "2025-03-10 22:00", "2025-03-11 02:00")
    other = span("o", "2025-03-11 10:00", "2025-03-11 12:00")
    for method in ("auto", "program"):
        result = run(rules, [night, other], which="master", used={"n": 180}, method=method)
        # 240 minutes in two days of 120; 180 are taken
        assert result.document["counted"] == 60
