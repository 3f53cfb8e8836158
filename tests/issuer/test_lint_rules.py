"""Every lint rule refuses what it is for and lets the rest through; the docs list them all."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from issuer import lint
from issuer.lint import salt
from issuer.signing import prepare, sample_values
from issuer.templates import template_for

DOCS = Path(__file__).parents[2] / "docs" / "credential-kinds.md"
START, END = "<!-- rules -->\n", "<!-- end of rules -->"

Change = Callable[[dict[str, Any]], Any]


def sample() -> dict[str, Any]:
    template = template_for("course")
    absent = frozenset[str]()
    return prepare(template, absent).shape.document(
        template.fill(sample_values("course", absent))  # type: ignore[arg-type]
    )


def achievement(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["credentialSubject"]["achievement"]
    return found


BROKEN_SHAPES: dict[str, list[Change]] = {
    "contexts": [lambda d: d["@context"].reverse(), lambda d: d["@context"].append("https://x")],
    "terms-defined": [
        lambda d: d.update(favouriteColour="blue"),
        lambda d: achievement(d).update(unheardOf="x"),
    ],
    "schema": [lambda d: achievement(d).pop("criteria"), lambda d: d.pop("issuer")],
    "status-entries": [
        lambda d: d["credentialStatus"].pop(),
        lambda d: d["credentialStatus"][1].update(statusListIndex="1"),
    ],
    "exact-minutes": [
        lambda d: d["credentialSubject"].update(creditsEarned=21),
        lambda d: d["credentialSubject"].pop("creditsEarned"),
        lambda d: d["credentialSubject"]["result"].pop(0),
    ],
    "durations": [
        lambda d: achievement(d).update(description="P60M"),
        lambda d: achievement(d).update(description="P1DT2H"),
        lambda d: achievement(d).update(description="PT3600S"),
    ],
    "no-official-level": [
        lambda d: achievement(d).update(description="EQF 6"),
        lambda d: achievement(d).update(ISCEDFCode="0611"),
    ],
}
FINE_SHAPES: list[Change] = [
    lambda d: None,
    lambda d: achievement(d).update(description="PT20H30M"),
    lambda d: achievement(d).update(description="Pottery, PTA meetings"),
]
BROKEN_VALUES: dict[str, list[dict[str, Any]]] = {
    "plain-text": [{"title": "a\u202eb"}, {"title": " "}, {"learnerName": "김\x00"}],
    "nfc": [{"title": "\u1100\u1161\u11a8"}, {"learnerName": "\u1100\u1161"}],
    "no-resident-number": [{"title": "900101-1234567"}, {"code": "9001011234567"}],
    "no-contact-data": [{"title": "문의 a@b.kr"}, {"category": "010-1234-5678"}],
    "not-in-the-future": [
        {"endedAt": "2999-01-01T00:00:00Z"},
        {"startedAt": "2026-06-01T00:00:00Z"},
        {"minutes": "0"},
    ],
    "subject-id": [{"subjectId": "김하늘"}, {"subjectId": "mailto:a@b.kr"}],
    "salt": [{salt.NONCE: ""}, {salt.NONCE: "c2hvcnQ"}],
}
FINE_VALUES: list[dict[str, Any]] = [
    {},
    {"title": "고급 파이썬 3.12"},
    {"code": "2026-0101-12"},
    {"title": "A@B 전시 기획"},
    {"subjectId": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"},
]


def broken(changes: dict[str, Any]) -> set[str]:
    values = dict(sample_values("course", frozenset())) | changes
    nonce = str(values.pop(salt.NONCE, "A" * 22))
    return {finding.rule for finding in lint.check_values(values, nonce)}


def test_every_rule_is_tried() -> None:
    assert {rule.id for rule in lint.SHAPE_RULES} == BROKEN_SHAPES.keys()
    assert {rule.id for rule in lint.VALUE_RULES} == BROKEN_VALUES.keys()


@pytest.mark.parametrize(
    ("rule", "change"), [(rule, change) for rule in BROKEN_SHAPES for change in BROKEN_SHAPES[rule]]
)
def test_a_shape_rule_refuses_what_it_is_for(rule: str, change: Change) -> None:
    document = copy.deepcopy(sample())
    change(document)
    assert rule in {finding.rule for finding in lint.check_shape(document)}


@pytest.mark.parametrize("change", FINE_SHAPES)
def test_a_right_shape_passes(change: Change) -> None:
    document = copy.deepcopy(sample())
    change(document)
    assert lint.check_shape(document) == []


@pytest.mark.parametrize(
    ("rule", "changes"),
    [(rule, changes) for rule in BROKEN_VALUES for changes in BROKEN_VALUES[rule]],
)
def test_a_value_rule_refuses_what_it_is_for(rule: str, changes: dict[str, Any]) -> None:
    assert rule in broken(changes)


@pytest.mark.parametrize("changes", FINE_VALUES)
def test_right_values_pass(changes: dict[str, Any]) -> None:
    assert broken(changes) == set()


def test_what_is_not_over_may_be_told_of_where_the_kind_says_so() -> None:
    values = dict(sample_values("course", frozenset()))
    values |= {"endedAt": "2999-01-01T00:00:00Z", "minutes": "0"}
    assert lint.check_values(values, "A" * 22, hours=False, ongoing=True) == []


def table() -> str:
    lines = ["| rule | when | enforces |", "|---|---|---|"]
    for when, rules in (("shape", lint.SHAPE_RULES), ("value", lint.VALUE_RULES)):
        lines += [f"| `{rule.id}` | {when} | {rule.clause} |" for rule in rules]
    return "\n".join(lines) + "\n"


def test_the_docs_list_every_rule() -> None:
    """``BAEUM_RENEW_DOCS=1`` writes the table anew."""
    text = DOCS.read_text(encoding="utf-8")
    before, rest = text.split(START)
    written, after = rest.split(END)
    if os.environ.get("BAEUM_RENEW_DOCS") == "1":
        written = table()
        DOCS.write_text(before + START + written + END + after, encoding="utf-8")
    assert written == table()
