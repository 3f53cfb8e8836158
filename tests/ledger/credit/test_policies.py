"""The bundled policies decide as the public record says; the worked example of the manual runs."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from credit_cases import counted, line, missing, record, run, span

from ledger.credit import Policy, audit_files, bundled

DOCS = Path(__file__).parents[3] / "docs" / "credit-policies.md"
ISSUERS = {
    i: {"group": "evaluated", "periods": [["2018-01-01", None]]}
    for i in ("scu", "one", "two", "three")
}


def named(key: str) -> Policy:
    return next(p for p in bundled() if p.key == key)


def example(name: str) -> str:
    found = re.search(
        rf"<!-- example: {name} -->\n```\w+\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL
    )
    assert found is not None
    return found[1]


def test_the_worked_example_of_the_manual_runs(tmp_path: Path) -> None:
    paths = {}
    for name in ("policy", "records", "context"):
        paths[name] = tmp_path / name
        paths[name].write_text(example(name), "utf-8")
    result = audit_files(
        paths["policy"], paths["records"], paths["context"], "2025-12-01", "bachelor"
    ).to_json()
    expected = json.loads(example("answer"))
    for name in ("hours_met", "eligible", "missing", "allocation"):
        assert result[name] == expected[name]
    assert {r["record"]: r["code"] for r in result["records"]} == expected["codes"]
    assert [
        {"type": way["add"][0]["type"], "minutes": way["minutes"]} for way in result["cheapest"]
    ] == expected["cheapest"]
    assert {k: result["certificate"][k] for k in expected["certificate"]} == expected["certificate"]


def test_the_manual_names_every_rule_and_code_there_is() -> None:
    from ledger.credit import lint as lint_module
    from ledger.credit import reasons

    text = DOCS.read_text("utf-8")
    source = Path(inspect.getsourcefile(lint_module) or "").read_text("utf-8")
    rules = set(re.findall(r'"(L-[A-Z]+)"', source))
    assert rules
    codes = {c for c in reasons.RECORD if not c.startswith("OK-") and c != "E-LATE-REJECT"}
    codes |= {c for c in reasons.CONDITION if c not in ("MET", "OVERLAY-COUNT")}
    assert [word for word in sorted(rules | codes) if word not in text] == []


def seoul(version: str, records: list[Any], which: str = "bachelor", **context: Any) -> Any:
    return run(
        named(f"seoul.citizen-degree@{version}"), records, which=which, issuers=ISSUERS, **context
    )


HELD: dict[str, Any] = {"bachelor": {"state": "valid", "awarded": "2019-06-01"}}


def test_seoul_2025_is_a_hundred_two_hundred_and_three_hundred_hours() -> None:
    records = [record("a", 6000), record("b", 12000), record("c", 18000)]
    bachelor = seoul("2025.1", records)
    assert bachelor.eligible
    assert counted(bachelor) == {"a": 6000}
    master = seoul("2025.1", records, "master", held=HELD, used=counted(bachelor))
    assert master.hours_met
    assert not master.eligible
    output = [["learning_output", "approved"]]
    master = seoul("2025.1", records, "master", held=HELD, used=counted(bachelor), items=output)
    assert master.eligible
    assert counted(master) == {"b": 12000}
    held = HELD | {"master": {"state": "valid", "awarded": "2020-06-01"}}
    used = counted(bachelor) | counted(master)
    items = [["research_output", "approved"]]
    doctor = seoul("2025.1", records, "doctor", held=held, used=used, items=items)
    assert doctor.eligible
    assert counted(doctor) == {"c": 18000}


@pytest.mark.parametrize("kind", ["course", "volunteering", "certificate", "project", "mentoring"])
def test_seoul_2025_counts_every_recognised_kind(kind: str) -> None:
    records = [record(f"r{n}", 400, f"2025-03-{n + 1:02d}", type=kind) for n in range(15)]
    assert seoul("2025.1", records).eligible


def test_seoul_2025_keeps_only_the_observed_cap() -> None:
    result = seoul("2025.1", [span("v", "2025-03-10 08:00", "2025-03-10 18:00")])
    assert (line(result, "v")["minutes"], line(result, "v")["cap"]) == (480, "CAP-VOL-DAY")
    assert len(named("seoul.citizen-degree@2025.1").caps) == 1


def test_seoul_2018_counts_courses_only() -> None:
    records = [record("a", 5000), record("v", 5000, type="volunteering")]
    assert missing(seoul("2018.1", records)) == 1000


def test_seoul_2019_asks_for_advanced_courses_and_social_participation() -> None:
    records = [
        record("s", 1200, category="social_participation", type="volunteering"),
        record("q", 7200, category="required", code="Q"),
        *(record(f"a{n}", 1200, category="advanced", code=f"A{n}") for n in range(3)),
    ]
    assert seoul("2019.1", records, "master", held=HELD).eligible
    same = [{**r, "code": "A0"} if r["id"].startswith("a") else r for r in records]
    refused = seoul("2019.1", same, "master", held=HELD)
    assert not refused.hours_met
    assert [r["id"] for r in refused.document["reasons"]] == ["M-ADVANCED"]


def test_seoul_2021_is_one_hundred_eighty_and_twenty() -> None:
    items = [["graduation_research", "approved"]]
    records = [
        record("c", 4800, category="공통과목"),
        record("s", 1200, category="전공세미나"),
        record("g", 6000, category="인문학"),
    ]
    assert seoul("2021.1", records, "master", held=HELD, items=items).eligible
    assert missing(seoul("2021.1", records[:1] + records[2:], "master", held=HELD)) == 1200


def test_the_volunteer_master_needs_two_hundred_hours_done_before() -> None:
    study = [record("p", 12000, category="practice")]
    done = [
        record(f"v{n:02d}", 480, f"2021-03-{n + 1:02d}", type="volunteering") for n in range(25)
    ]
    items = [["learning_output", "approved"]]
    result = seoul("2022.1", study + done, "master/volunteer", held=HELD, items=items)
    assert result.eligible
    assert counted(result) == {"p": 12000}
    result = seoul("2022.1", study + done[1:], "master/volunteer", held=HELD, items=items)
    assert result.hours_met
    assert [r["code"] for r in result.document["reasons"]] == ["ADMISSION"]
    # hours the bachelor used still show that they were done
    used = {f"v{n:02d}": 480 for n in range(12)}
    again = seoul("2022.1", study + done, "master/volunteer", held=HELD, items=items, used=used)
    assert again.eligible


def test_incheon_needs_three_hours_of_common_courses() -> None:
    rules = named("incheon.citizen-degree@1")
    records = [record("e", 6000, category="선택"), record("c", 179, category="공통")]
    assert missing(run(rules, records, issuers=ISSUERS)) == 1
    records[1]["minutes"] = 180
    assert run(rules, records, issuers=ISSUERS).eligible


def credits(ident: str, number: int, day: str, **more: Any) -> Any:
    return record(ident, 900 * number, day, attended=5, sessions=5, **more)


def test_the_credit_bank_caps_terms_years_and_institutions() -> None:
    rules = named("example.credit-bank@1")

    def total(*records: Any) -> int:
        return int(run(rules, list(records), issuers=ISSUERS).document["counted"]) // 900

    spring, autumn, next_year = "2024-05-01", "2024-10-01", "2025-05-01"
    assert total(credits("a", 30, spring)) == 24
    assert total(credits("a", 24, spring), credits("b", 24, autumn)) == 42
    # January still belongs to the autumn term and the academic year before
    assert total(credits("a", 24, autumn), credits("b", 24, "2025-01-15")) == 24
    assert total(credits("a", 42, spring), credits("b", 42, next_year)) == 48
    many = [
        credits(f"r{y}{t}", 21, f"20{y}-{m}-01", category=c)
        for y in range(20, 26)
        for t, m, c in (("s", "05", "major"), ("f", "10", "liberal"))
    ]
    assert total(*many) == 105
    spread = [{**r, "issuer": ("one", "two")[n % 2]} for n, r in enumerate(many)]
    assert total(*spread) == 140
    assert run(rules, spread, issuers=ISSUERS).eligible


def test_the_credit_bank_takes_certificates_from_a_dated_table() -> None:
    rules = named("example.credit-bank@1")
    papers = [
        record("low", type="certificate", code="KR-IT-2", day="2024-05-01"),
        record("high", type="certificate", code="KR-IT-1", day="2025-05-01"),
        record("other", type="certificate", code="KR-XX-1", day="2025-05-01"),
    ]
    result = run(rules, papers, issuers=ISSUERS)
    assert counted(result) == {"high": 13500}
    assert [line(result, i)["code"] for i in ("low", "other")] == ["D-SAME", "E-NOTABLE"]
