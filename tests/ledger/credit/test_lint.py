"""The publish-time rules: one policy that breaks each, and the line that is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from credit_cases import BASE, block, degree, document, policy

from ledger.credit import bundled, lint, load_policy, parse_policy
from ledger.credit.errors import PolicyUnreadable
from ledger.credit.lint import lint_versions

BASIS = {"basis": "decided for tests"}


def rules(*, level: str = "error", **changes: Any) -> set[str]:
    return {f.rule for f in lint(policy(**changes)) if f.level == level}


def test_bundled_policies_have_no_errors_and_leave_no_gap() -> None:
    assert len(bundled()) == 7
    for one in bundled():
        assert [f for f in lint(one) if f.level == "error"] == [], one.key
    assert lint_versions(bundled()) == []


def test_assumed_numbers_are_marked_in_every_bundled_policy() -> None:
    for one in bundled():
        assert "L-ASSUMED" in {f.rule for f in lint(one)}, one.key


def cap(ident: str, window: str, most: int, **match: Any) -> dict[str, Any]:
    return {"id": ident, "match": match or {"any": True}, "window": window, "max": most, **BASIS}


BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "blocks do not add up": (
        "L-HOURS",
        {"degrees": [{**degree([block("B", 600)]), "advertised_hours": 11}]},
    ),
    "a block without basis": (
        "L-BASIS",
        {"degrees": [{**BASE["degrees"][0], "blocks": [block("B", 6000)]}]},
    ),
    "a cap without basis": (
        "L-BASIS",
        {"caps": [{"id": "C", "match": {"any": True}, "window": "day", "max": 480}]},
    ),
    "a waiting time without basis": (
        "L-BASIS",
        {
            "degrees": [
                BASE["degrees"][0],
                degree([block("M", 600)], "master", after={"degree": "bachelor", "wait_days": 180}),
            ]
        },
    ),
    "a basis of its own invention": (
        "L-BASIS",
        {"degrees": [degree([{**block("B", 600), "basis": "everybody knows"}])]},
    ),
    "a draft number": ("L-DRAFT", {"degrees": [degree([{**block("B", 600), "basis": "draft"}])]}),
    "caps that cross by kind": (
        "L-NEST",
        {
            "caps": [
                cap("A", "degree", 600, type=["course", "project"]),
                cap("B2", "degree", 600, type=["project", "certificate"]),
            ]
        },
    ),
    "a day cap over more kinds than the degree cap": (
        "L-NEST",
        {"caps": [cap("A", "day", 600), cap("B2", "degree", 600, type="course")]},
    ),
    "terms that reach over the year": (
        "L-NEST",
        {
            "clock": {**BASE["clock"], "terms": ["03-01", "09-01"]},
            "caps": [cap("A", "term", 600), cap("B2", "year", 900)],
        },
    ),
    "a share of the hours earned": (
        "L-RATIO",
        {
            "caps": [
                {
                    "id": "A",
                    "match": {"type": "course"},
                    "window": "degree",
                    "max_ratio": "3/10",
                    "of": "earned",
                    **BASIS,
                }
            ]
        },
    ),
    "table rows that overlap": (
        "L-TABLE",
        {
            "conversions": [{"id": "CV", "match": {"type": "certificate"}, "table": "t", **BASIS}],
            "tables": {
                "t": [
                    {"code": "X", "minutes": 1, "from": "2024-01-01", "to": "2025-06-01"},
                    {"code": "X", "minutes": 2, "from": "2025-01-01"},
                ]
            },
        },
    ),
    "a table that does not exist": (
        "L-WORD",
        {"conversions": [{"id": "CV", "match": {"type": "certificate"}, "table": "t", **BASIS}]},
    ),
    "an alias to nothing": (
        "L-ALIAS",
        {"taxonomy": {"version": "t", "leaves": ["red"], "alias": {"붉음": "rot"}}},
    ),
    "an alias with two meanings at once": (
        "L-ALIAS",
        {
            "taxonomy": {
                "version": "t",
                "leaves": ["red", "blue"],
                "alias": {"x": [{"leaf": "red"}, {"leaf": "blue", "from": "2025-01-01"}]},
            }
        },
    ),
    "a category outside the taxonomy": (
        "L-WORD",
        {"degrees": [degree([block("B", 600, category=["mauve"])])]},
    ),
    "keep the longest duplicate": ("L-KEEP", {"identity": {**BASE["identity"], "keep": "longest"}}),
    "class beats volunteering": (
        "L-KEEP",
        {"identity": {**BASE["identity"], "overlap": {"across_type": "course_wins"}}},
    ),
    "an objective that does not put the degree first": (
        "L-KEEP",
        {"allocation": {"objective": ["oldest_first", "record_id"]}},
    ),
    "a duration in years": (
        "L-DURATION",
        {"transition": {"choose_by": "enrolment_date", "close_old_after": "P2Y"}},
    ),
    "a duration in months": (
        "L-DURATION",
        {"transition": {"choose_by": "enrolment_date", "close_old_after": "P60M"}},
    ),
    "a version that ends before it begins": (
        "L-RANGE",
        {"policy": {**BASE["policy"], "effective": {"from": "2025-01-01", "to": "2024-01-01"}}},
    ),
    "an id used twice": ("L-ID", {"degrees": [degree([block("B", 300), block("B", 300)])]}),
    "a degree without a name": (
        "L-TEXT",
        {"degrees": [{k: v for k, v in degree([block("B", 600)]).items() if k != "name"}]},
    ),
    "a degree nobody can reach": (
        "L-REACH",
        {"degrees": [degree([block("B", 600, type="course")])], "caps": [cap("A", "degree", 300)]},
    ),
    "a degree after one that does not exist": (
        "L-WORD",
        {"degrees": [degree([block("B", 600)], after={"degree": "squire", **BASIS})]},
    ),
    "a term cap without terms": ("L-WORD", {"caps": [cap("A", "term", 300)]}),
    "a cap on a degree that does not exist": (
        "L-WORD",
        {"caps": [{**cap("A", "day", 300), "degrees": ["squire"]}]},
    ),
    "a maximum below the minimum": (
        "L-BLOCK",
        {"degrees": [degree([{**block("B", 600), "max": 599}])]},
    ),
    "an exception moved to nowhere": (
        "L-WORD",
        {"transition": {"choose_by": "enrolment_date", "moved": {"OLD": "NOWHERE"}}},
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_linter_refuses(name: str) -> None:
    rule, changes = BROKEN[name]
    assert rule in rules(**changes)


def test_the_base_policy_of_the_tests_is_clean() -> None:
    assert rules() == set()


def test_a_rule_that_begins_after_the_policy_does_not_make_the_degree_unreachable() -> None:
    blocks = [block("A", 300, type="course"), block("B", 300, type="course")]
    blocks[0]["accept"]["to"], blocks[1]["accept"]["from"] = "2024-01-01", "2031-01-01"
    findings = lint(policy(degrees=[degree(blocks)]))
    assert "L-REACH" not in {f.rule for f in findings}


def test_an_institution_cap_across_kinds_is_only_a_warning() -> None:
    changes: dict[str, Any] = {
        "caps": [cap("A", "day", 300, type="course"), {**cap("I", "degree", 900), "per": "issuer"}]
    }
    assert "L-NEST" not in rules(**changes)
    assert "L-NEST" in rules(level="warning", **changes)


def test_versions_that_tie_or_leave_a_gap_are_found() -> None:
    def version(start: str, end: str | None) -> Any:
        head = {**BASE["policy"], "version": start, "effective": {"from": start, "to": end}}
        return policy(policy=head)

    one, two = version("2020-01-01", "2021-01-01"), version("2021-01-01", None)
    assert lint_versions([two, one]) == []
    assert [f.rule for f in lint_versions([one, version("2021-02-01", None)])] == ["L-RANGE"]
    assert [f.rule for f in lint_versions([one, version("2020-12-31", None)])] == ["L-RANGE"]
    assert [f.rule for f in lint_versions([version("2020-01-01", None), two])] == ["L-RANGE"]


YAML = """\
format: degree-rules/1
policy:
  id: x
  version: "1"
  effective: {from: 2025-01-01, to: null}
clock: {timezone: Asia/Seoul}
units: {base: minute}
taxonomy: {version: "1", leaves: [red]}
evidence:
  count_status: [verified]
  issuer: {registry: any}
identity: {same_learning: []}
degrees:
  - id: bachelor
    name: {ko: 학사, en: Bachelor}
    advertised_hours: 100
    blocks:
      - id: B
        min: 6000
        accept: {any: true}
        basis: decided on 2025-01-01
transition: {choose_by: enrolment_date}
"""


def test_a_finding_names_its_line() -> None:
    text = YAML.replace("        basis: decided on 2025-01-01\n", "")
    [finding] = [f for f in lint(parse_policy(text)) if f.level == "error"]
    assert (finding.rule, finding.line) == ("L-BASIS", 19)
    text = YAML.replace("hours: 100", "hours: 101")
    [finding] = [f for f in lint(parse_policy(text)) if f.level == "error"]
    assert (finding.rule, finding.line) == ("L-HOURS", 16)


@pytest.mark.parametrize(
    ("before", "after", "rule", "line"),
    [
        ('version: "1"\n  eff', "version: 2025.10\n  eff", "F-FLOAT", 4),
        ("from: 2025-01-01", "from: 2025-02-30", "F-DATE", 5),
        ("from: 2025-01-01", "from: 2025-1-1", "F-SCHEMA", 5),
        ("from: 2025-01-01", "from: 20250101", "F-SCHEMA", 5),
        ("min: 6000", "min: 6000.0", "F-FLOAT", 19),
        ("min: 6000", "min: 6_000", "F-FLOAT", 19),
        ("min: 6000", "min: 100:00", "F-SCHEMA", 19),
        ("min: 6000", "min: 0x10", "F-SCHEMA", 19),
        ("min: 6000", "min: -5", "F-SCHEMA", 19),
        ("min: 6000", "min: .inf", "F-FLOAT", 19),
        ("min: 6000", "min: yes", "F-SCHEMA", 19),
        ("any: true", "any: yes", "F-SCHEMA", 20),
        ("Asia/Seoul", "Asia/Atlantis", "F-ZONE", 6),
        ("Asia/Seoul", "../../etc/passwd", "F-ZONE", 6),
        ("id: x", "id: &x x", "F-ANCHOR", 3),
        ("id: x", "id: !!python/object:os.system x", "F-TAG", 3),
        ("id: x", "id: x\n  id: y", "F-TWICE", 4),
        ("any: true", "not: {category: [red]}", "F-SCHEMA", 20),
        ("any: true", "any: true, or: [{type: a, or: [{type: b}]}]", "F-SCHEMA", 20),
        ("degree-rules/1", "degree-rules/2", "F-SCHEMA", 1),
        ("  - id: bachelor", "  - id: [", "F-YAML", 16),
        (
            "clock: {timezone: Asia/Seoul}",
            "clock: {timezone: Asia/Seoul, year: 'academic:02-30'}",
            "F-DATE",
            6,
        ),
    ],
)
def test_yaml_that_would_become_something_else_is_refused_with_its_line(
    before: str, after: str, rule: str, line: int
) -> None:
    assert before in YAML
    with pytest.raises(PolicyUnreadable) as caught:
        parse_policy(YAML.replace(before, after, 1))
    assert caught.value.facts["rule"] == rule
    assert caught.value.facts["line"] == line


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "a: b: c",
        "[" * 100_000,
        "{" * 500,
        "&a [*a]",
        "x" * 300_000,
        "\x00",
        "? [a]\n: b",
    ],
)
def test_hostile_policy_text_is_refused(text: str) -> None:
    with pytest.raises(PolicyUnreadable):
        parse_policy(text)


def test_a_policy_file_that_is_missing_or_not_utf8_is_refused(tmp_path: Any) -> None:
    with pytest.raises(PolicyUnreadable):
        load_policy(tmp_path / "nowhere.yaml")
    broken = tmp_path / "cp949.yaml"
    broken.write_bytes("format: 학위".encode("cp949"))
    with pytest.raises(PolicyUnreadable):
        load_policy(broken)


def test_quoting_and_layout_do_not_change_the_hash_and_numbers_do() -> None:
    assert (
        parse_policy(YAML).hash == parse_policy(YAML.replace("2025-01-01,", '"2025-01-01",')).hash
    )
    assert parse_policy(YAML).hash == parse_policy("# a note\n" + YAML).hash
    assert parse_policy(YAML).hash != parse_policy(YAML.replace("6000", "6001")).hash
    assert parse_policy(json.dumps(document())).hash == policy().hash
