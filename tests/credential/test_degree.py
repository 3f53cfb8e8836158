"""The commitments of a degree, read back from the credential its template makes."""

from __future__ import annotations

from typing import Any

import pytest

from credential.degree import claims_of
from issuer.signing import SAMPLE_DEGREE, prepare, sample_values
from issuer.templates import template_for


@pytest.fixture
def credential() -> dict[str, Any]:
    template = template_for("degree")
    shape = prepare(template, frozenset()).shape
    document: dict[str, Any] = shape.document(template.fill(sample_values("degree", frozenset())))
    return document


def test_the_template_says_what_the_verifier_reads(credential: dict[str, Any]) -> None:
    claims = claims_of(credential)
    assert claims is not None
    assert (
        claims.policy,
        claims.policy_hash,
        claims.record_set_root,
        claims.allocation_hash,
        claims.trace_hash,
        claims.taxonomy,
    ) == tuple(SAMPLE_DEGREE)
    assert (claims.degree, claims.minutes) == ("SM-101", 1230)


def test_the_text_says_that_it_is_no_academic_degree(credential: dict[str, Any]) -> None:
    assert "비공인" in credential["name"]
    assert "비공인" in credential["description"]
    assert credential["credentialSubject"]["achievement"]["achievementType"] == (
        "ext:HonoraryDegree"
    )


@pytest.mark.parametrize("spoil", ["twice", "missing", "kind", "subject"])
def test_anything_else_has_no_commitments(credential: dict[str, Any], spoil: str) -> None:
    subject = credential["credentialSubject"]
    if spoil == "twice":
        subject["result"].append(dict(subject["result"][1], value="sha256:other"))
    elif spoil == "missing":
        del subject["result"][2]
    elif spoil == "kind":
        subject["achievement"]["achievementType"] = "Course"
    else:
        credential["credentialSubject"] = [subject]
    assert claims_of(credential) is None
