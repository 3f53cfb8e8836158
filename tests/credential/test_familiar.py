"""A shape seen before gives what the generic path gives, on valid and on mutated documents."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published import load
from shapes import TEMPLATE, VALUES, awkward, broken_iris, iris, numbers, values
from vectors import ROOT

from credential import contexts, familiar, rdf
from credential.errors import BaeumError
from credential.evidence import strict_json
from credential.shape import Shape

SHAPE = Shape(TEMPLATE)
DOCUMENT = SHAPE.document(VALUES)


def outcome(call, document):
    try:
        return call(document)
    except BaeumError as error:
        return type(error)


def same(document):
    """Three times: unknown, compiled, and from the compiled plan."""
    before = json.dumps(document)
    expected = outcome(rdf.canonical_nquads, document)
    for _ in range(3):
        assert outcome(familiar.canonical_nquads, document) == expected
    assert json.dumps(document) == before
    return expected


def paths(value, at=()):
    yield at
    if isinstance(value, dict):
        items = list(value.items())
    else:
        items = list(enumerate(value)) if isinstance(value, list) else []
    for key, item in items:
        yield from paths(item, (*at, key))


def replaced(document, path, value):
    changed = copy.deepcopy(document)
    parent = changed
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return changed


PATHS = [path for path in paths(DOCUMENT) if path]


@given(values)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_valid_credentials(filled):
    assert isinstance(same(SHAPE.document(filled)), bytes)


@given(
    st.sampled_from(PATHS),
    st.none()
    | st.booleans()
    | numbers
    | awkward
    | iris
    | broken_iris
    | st.sampled_from(
        ["{v0}", "{v1}", "VerifiableCredential", "Result", "\ud800", 2**53, float("nan"), [], {},
         ["a", "a"], {"id": "urn:x"}, {"@value": "a"}, {"@value": "a", "@language": "ko"},
         {"@list": ["a", "b"]}, {"@id": "urn:x", "@type": "Result"}, {"@context": []},
         {"@value": "30", "@type": "xsd:double"}, [[1]], {"@set": []}]
    ),
)  # fmt: skip
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_values(path, value):
    same(replaced(DOCUMENT, path, value))


@given(
    st.sampled_from([path for path in PATHS if isinstance(path[-1], str)]),
    st.sampled_from(["name", "id", "@id", "type", "@type", "undefined", "@graph", "{v0}", "proof",
                     "@context", "evidence", "description", "https://e.example/p", "v0", ""]),
)  # fmt: skip
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_renamed_members(path, name):
    changed = copy.deepcopy(DOCUMENT)
    parent = changed
    for step in path[:-1]:
        parent = parent[step]
    parent[name] = parent.pop(path[-1])
    same(changed)


@pytest.mark.parametrize(
    "context",
    [
        [contexts.VC_V2],
        [contexts.VC_V2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"],
        [contexts.VC_V2, {"name": "https://evil.example/#name"}],
        [contexts.VC_V2, "https://evil.example/context"],
        ["{v0}"],
        "{v0}",
        None,
    ],
)
def test_another_context_is_another_shape(context):
    same(DOCUMENT)
    same(DOCUMENT | {"@context": context})


def test_a_type_is_part_of_the_shape():
    same(DOCUMENT)
    assert same(DOCUMENT | {"type": ["VerifiableCredential", "Diploma"]}) is rdf.UndefinedTerm
    assert same(DOCUMENT | {"type": ["VerifiableCredential", "{v0}"]}) is rdf.UndefinedTerm


def test_what_one_source_of_contexts_allows_another_does_not_inherit():
    document = DOCUMENT | {
        "@context": [*TEMPLATE["@context"], "https://www.w3.org/ns/credentials/examples/v2"]
    }
    for _ in range(3):
        familiar.canonical_nquads(document, load=load)
        with pytest.raises(contexts.UnknownContext):
            familiar.canonical_nquads(document)


def test_a_known_shape_is_not_expanded_again(monkeypatch):
    for _ in range(3):
        expected = familiar.canonical_nquads(DOCUMENT)

    def unreachable(*_args, **_options):
        raise AssertionError("expanded again")

    monkeypatch.setattr(rdf, "quads", unreachable)
    assert familiar.canonical_nquads(DOCUMENT) == expected
    assert familiar.canonical_nquads(DOCUMENT | {"name": "다른 이름"}) != expected


def test_a_known_proof_is_not_expanded_again(monkeypatch):
    config = {
        "@context": TEMPLATE["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-11-23T00:00:00Z",
        "verificationMethod": "did:key:z6Mk#z6Mk",
        "proofPurpose": "assertionMethod",
        "nonce": "YWJj",
    }
    expected = same(config)
    monkeypatch.setattr(rdf, "quads", None)
    assert familiar.canonical_nquads(config) == expected
    monkeypatch.undo()
    same(config | {"proofPurpose": "authentication"})
    same(config | {"proofPurpose": "{v0}"})


def test_a_large_document_is_not_remembered():
    result = {"type": ["Result"], "resultDescription": "urn:x", "value": "1"}
    subject = DOCUMENT["credentialSubject"] | {
        "result": [result | {"value": str(n)} for n in range(familiar.MAX_VALUES)]
    }
    assert isinstance(same(DOCUMENT | {"credentialSubject": subject}), bytes)


def test_published_documents():
    folders = ["1edtech-openbadges-spec/examples", "dcc-vc-test-fixtures/verifiableCredentials"]
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.json"))]
    if not found:
        pytest.skip(f"published vectors absent: {ROOT}")
    for path in found:
        try:
            same(strict_json(path.read_bytes()))
        except BaeumError:
            continue
