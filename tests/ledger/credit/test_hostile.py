"""Input nobody should send: audits report it, count nothing of it, and never crash."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from credit_cases import block, counted, degree, line, policy, record, run, span
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credential.errors import BaeumError
from ledger.credit import audit_files, bundled, parse_context, parse_records
from ledger.credit.errors import (
    DegreeUnknown,
    InputUnreadable,
    PolicyRefused,
    PolicyUnreadable,
    SolverDisagrees,
)
from ledger.credit.model import FREE, Model

BAD: dict[str, dict[str, Any]] = {
    "no id": {"id": None},
    "an id that is a number": {"id": 7},
    "minutes as text": {"minutes": "60"},
    "minutes as a float": {"minutes": 60.0},
    "minutes as true": {"minutes": True},
    "negative minutes": {"minutes": -60},
    "absurd minutes": {"minutes": 10**18},
    "an impossible date": {"date": "2025-02-30"},
    "a date with a time": {"date": "2025-03-10T09:00:00+09:00"},
    "a date as a number": {"date": 20250310},
    "a year before records": {"date": "0001-01-01"},
    "no time at all": {"date": None},
    "a time without offset": {"start": "2025-03-10T09:00:00", "end": "2025-03-10T10:00:00"},
    "an end before the start": {
        "start": "2025-03-10T10:00:00+09:00",
        "end": "2025-03-10T09:00:00+09:00",
    },
    "an end that is the start": {
        "start": "2025-03-10T10:00:00+09:00",
        "end": "2025-03-10T10:00:00Z",
        "minutes": None,
        "date": None,
        "intervals": [["2025-03-10T10:00:00Z", "2025-03-10T10:00:00Z"]],
    },
    "only a start": {"start": "2025-03-10T10:00:00+09:00"},
    "more minutes than the interval holds": {
        "start": "2025-03-10T09:00:00+09:00",
        "end": "2025-03-10T10:00:00+09:00",
        "minutes": 61,
    },
    "two months without minutes": {
        "start": "2025-03-01T09:00:00+09:00",
        "end": "2025-05-01T10:00:00+09:00",
        "minutes": None,
    },
    "ten years": {"start": "2015-03-01", "end": "2025-03-01"},
    "an offset of 99 hours": {"start": "2025-03-10T09:00:00+99:00", "end": "2025-03-10T10:00:00Z"},
    "more attended than held": {"attended": 11, "sessions": 10},
    "attended as text": {"attended": "8"},
    "a type that is a list": {"type": ["course"]},
    "a lone surrogate": {"issuer": "\ud800"},
    "a category of a million letters": {"category": "x" * 1_000_000},
    "intervals that are not pairs": {"intervals": [["2025-03-10T09:00:00Z"]]},
    "approval as text": {"approved": "yes"},
    "verified at noon": {"verified_at": "noon"},
}


@pytest.mark.parametrize("name", BAD)
def test_a_record_that_cannot_be_understood_is_reported_and_not_counted(name: str) -> None:
    bad = {**record("bad", 60), **BAD[name]}
    result = run(policy(), [record("good", 60), bad])
    assert counted(result) == {"good": 60}
    [entry] = [e for e in result.document["records"] if e["record"] != "good"]
    assert entry["code"] == "E-READ"
    assert entry["why"]["ko"]
    assert entry["why"]["en"]


@pytest.mark.parametrize("raw", [None, 7, "text", [], [[]], float("nan"), {}, {"id": "x" * 600}])
def test_a_record_that_is_not_an_object_is_reported(raw: Any) -> None:
    result = run(policy(), [raw, record("good", 60)])
    assert counted(result) == {"good": 60}
    assert len(result.document["records"]) == 2


CONTEXTS: list[dict[str, Any]] = [
    {"issuers": []},
    {"issuers": {"scu": {"periods": [["2025-13-01", None]]}}},
    {"issuers": {"scu": {"periods": "always"}}},
    {"issuers": {"scu": None}},
    {"issuers": {"scu": {"group": 7}}},
    {"held": {"bachelor": {"state": "valid", "awarded": "yesterday"}}},
    {"held": {"bachelor": "valid"}},
    {"held": [1]},
    {"items": [["a"], "b", 7]},
    {"items": "thesis"},
    {"priors": {"x": "three"}},
    {"priors": 7},
    {"priors": [["a", "b", "c"], 4, None]},
    {"used": {"a": -1, "b": 1.5, "c": "x", "gone": 100}},
    {"used": [1]},
    {"exceptions": [{"id": "X"}, 7, {"id": "Y", "kind": "make_president"}]},
    {
        "exceptions": [
            {"id": "Z", "kind": "reduce_block", "target": "B", "by": "k", "why": "w", "minutes": -1}
        ]
    },
]


@pytest.mark.parametrize("context", CONTEXTS)
def test_what_is_not_understood_in_the_context_is_noted_and_never_guessed(
    context: dict[str, Any],
) -> None:
    result = run(policy(), [record("a", 60)], **context)
    assert result.document["notes"]
    assert result.document["counted"] == 60


def test_contradictory_locks_never_crash_an_audit() -> None:
    cap = {
        "id": "V",
        "match": {"type": "volunteering"},
        "window": "day",
        "max": 100,
        "basis": "decided for tests",
    }
    one = span("a", "2025-03-10 09:00", "2025-03-10 12:00", offering="o")
    two = span("b", "2025-03-10 10:00", "2025-03-10 13:00", offering="o")
    three = span("c", "2025-03-10 20:00", "2025-03-11 04:00")
    used = {"a": 180, "b": 999, "c": 400, "ghost": 10}
    for method in ("auto", "program"):
        result = run(policy(caps=[cap]), [one, two, three], used=used, method=method)
        assert result.document["counted"] <= 480


def test_an_award_in_the_future_is_not_held() -> None:
    later = degree(
        [block("M", 60)], "master", after={"degree": "bachelor", "basis": "decided for tests"}
    )
    rules = policy(degrees=[degree([block("B", 60)]), later])
    held = {"bachelor": {"state": "valid", "awarded": "2099-01-01"}}
    assert not run(rules, [record("a", 60)], which="master", held=held).eligible


def test_an_unknown_degree_is_a_typed_error() -> None:
    with pytest.raises(DegreeUnknown):
        run(policy(), [], which="emperor")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = [
    "id",
    "type",
    "category",
    "issuer",
    "status",
    "start",
    "end",
    "date",
    "minutes",
    "attended",
    "sessions",
    "offering",
    "course_class",
    "code",
    "verified_at",
    "intervals",
    "lessons",
    "about",
]
plausible = st.sampled_from(
    [
        "a",
        "b",
        "verified",
        "course",
        "volunteering",
        "2025-03-10",
        "2025-03-10T09:00:00+09:00",
        "2025-03-10T23:59:59.5Z",
        0,
        1,
        60,
        480,
        100_000,
    ]
)
wild_records = st.lists(
    st.dictionaries(st.sampled_from(FIELDS), plausible | json_values, max_size=12) | json_values,
    max_size=6,
)
wild_context = st.dictionaries(
    st.sampled_from(["issuers", "held", "items", "priors", "used", "exceptions"]),
    json_values,
    max_size=6,
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(wild_records, wild_context)
def test_no_input_crashes_an_audit(records: list[Any], context: dict[str, Any]) -> None:
    rules = bundled()[-1]
    result = run(rules, records, **context)
    assert result.document["counted"] <= result.document["required"]
    assert run(rules, records[::-1], **context).canonical() == result.canonical()


# --- files ---------------------------------------------------------------------------------------


def write(path: Path, value: Any) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
    return path


def test_an_audit_of_plain_files(tmp_path: Path) -> None:
    records = write(tmp_path / "records.json", [record("a", 6000)])
    context = write(
        tmp_path / "context.json",
        {"issuers": {"scu": {"group": "scc", "periods": [["2020-01-01", None]]}}},
    )
    result = audit_files("seoul.citizen-degree@2025.1", records, context, "2026-01-01", "bachelor")
    assert result.eligible
    wanted = {
        "hours_met",
        "eligible",
        "allocation",
        "records",
        "missing",
        "cheapest",
        "policy",
        "policy_hash",
        "trace_hash",
    }
    assert wanted <= set(result.to_json())
    assert set(result.document["records"][0]) == {"record", "code", "minutes", "of", "cap", "why"}
    timed = audit_files(
        "seoul.citizen-degree@2025.1", records, None, "2025-03-09T00:00:00Z", "bachelor"
    )
    assert not timed.hours_met


@pytest.mark.parametrize(
    ("records", "context", "as_of", "error"),
    [
        ("not json", "{}", "2026-01-01", InputUnreadable),
        ("{}", "{}", "2026-01-01", InputUnreadable),
        ("[]", "[]", "2026-01-01", InputUnreadable),
        ("[]", "{}", "tomorrow", InputUnreadable),
        ("[]", "{}", "2026-13-01", InputUnreadable),
        ("[" * 100_000, "{}", "2026-01-01", InputUnreadable),
    ],
)
def test_files_that_cannot_be_read_as_a_whole_are_typed_errors(
    tmp_path: Path, records: str, context: str, as_of: str, error: type[BaeumError]
) -> None:
    with pytest.raises(error) as caught:
        audit_files(
            "seoul.citizen-degree@2025.1",
            write(tmp_path / "r.json", records),
            write(tmp_path / "c.json", context),
            as_of,
            "bachelor",
        )
    assert caught.value.remedy is not None


def test_missing_files_and_unfit_policies_are_typed_errors(tmp_path: Path) -> None:
    records = write(tmp_path / "r.json", [])
    with pytest.raises(InputUnreadable):
        audit_files(
            "seoul.citizen-degree@2025.1", tmp_path / "no.json", None, "2026-01-01", "bachelor"
        )
    with pytest.raises(PolicyUnreadable):
        audit_files(tmp_path / "no.yaml", records, None, "2026-01-01", "bachelor")
    unfit = write(
        tmp_path / "p.yaml",
        json.dumps(
            {
                **policy().document,
                "degrees": [
                    {**degree([block("B", 6000)]), "advertised_hours": 99},
                ],
            }
        ),
    )
    with pytest.raises(PolicyRefused) as caught:
        audit_files(unfit, records, None, "2026-01-01", "bachelor")
    [finding] = caught.value.facts["findings"]
    assert (finding["rule"], finding["line"]) == ("L-HOURS", 1)


# --- the solver is not believed ------------------------------------------------------------------


def test_a_solution_that_breaks_a_line_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model()
    column = model.column(10, ("x",))
    model.line([(column, 1)], 3, FREE, ("at least three",))
    solution = model.minimise({column: 1})
    assert solution is not None
    assert (solution.values, solution.objective) == ([3], 3)
    monkeypatch.setattr(Model, "holds", lambda self, values: False)
    with pytest.raises(SolverDisagrees):
        model.minimise({column: 1})


def test_a_wrong_multiplier_proves_nothing() -> None:
    from fractions import Fraction

    model = Model()
    column = model.column(10, ("x",))
    model.line([(column, 1)], 3, FREE, ("at least three",))
    assert model.bound({column: 1}, [Fraction(1)]) == 3
    assert model.bound({column: 1}, [Fraction(5)]) == 15 - 40
    assert model.bound({column: 1}, [Fraction(-1)]) is None


def test_a_hundred_records_that_all_collide_are_still_audited() -> None:
    rng = random.Random(9)
    records = []
    for n in range(100):
        start = rng.randrange(8, 12)
        records.append(
            span(
                f"r{n:03d}",
                f"2025-03-{1 + n % 5:02d} {start:02d}:{rng.randrange(0, 60, 15):02d}",
                f"2025-03-{1 + n % 5:02d} {start + 3:02d}:{rng.randrange(0, 60, 15):02d}",
                offering=f"o{n % 40}",
                course_class=f"k{n % 37}",
            )
        )
    rules = next(p for p in bundled() if p.key == "seoul.citizen-degree@2025.1")
    result = run(rules, records)
    assert result.document["counted"] <= 5 * 480
    assert len(result.document["records"]) == 100
    assert line(result, "r000")["code"] in ("OK", "D-SAME", "CAP", "OVERLAP")
    assert parse_records(records)[1] == []
    assert parse_context({}).issuers is None
