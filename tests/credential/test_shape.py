"""The compiled path is the generic one, byte for byte, or refuses as it does."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey
from shapes import IRIS, NUMBERS, TEMPLATE, TEXTS, VALUES, broken_iris, texts, values

from credential import did, integrity, jcs, rdf
from credential.errors import BaeumError
from credential.shape import Shape, ShapeInvalid, ShapeSigner

SHAPE = Shape(TEMPLATE)
KEY = SigningKey(bytes(range(32)))
DID = did.did_key(bytes(KEY.verify_key))


def sign(data: bytes) -> bytes:
    return KEY.sign(data).signature


def outcome(call):
    """The result, or the class of the refusal."""
    try:
        return call()
    except BaeumError as error:
        return type(error)


def both(shape, filled):
    return (
        outcome(lambda: shape.nquads(filled)),
        outcome(lambda: rdf.canonical_nquads(shape.document(filled))),
    )


def test_an_ordinary_credential():
    compiled, generic = both(SHAPE, VALUES)
    assert compiled == generic
    assert compiled.count(b"\n") > 45
    assert "홍길동".encode() in compiled


@given(values)
@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_equals_the_generic_processor(filled):
    compiled, generic = both(SHAPE, filled)
    assert compiled == generic
    assert isinstance(compiled, bytes)


@given(st.sampled_from(TEXTS), texts)
@settings(max_examples=250, deadline=None)
def test_equals_the_generic_processor_on_any_text(name, text):
    compiled, generic = both(SHAPE, VALUES | {name: text})
    assert compiled == generic


@given(st.sampled_from(IRIS), broken_iris)
@settings(max_examples=150, deadline=None)
def test_a_broken_iri_is_refused_alike(name, value):
    compiled, generic = both(SHAPE, VALUES | {name: value})
    assert compiled == generic


@given(st.sampled_from(IRIS + TEXTS + NUMBERS), st.integers() | st.floats() | st.booleans())
@settings(max_examples=150, deadline=None)
@example("hours", float("nan"))
@example("hours", float("inf"))
@example("hours", 2**53)
@example("hours", -0.0)
@example("name", 5)
@example("name", 5.5)
@example("name", True)
@example("validFrom", 5)
@example("subject", 5)
def test_a_number_where_text_belongs_is_treated_alike(name, value):
    compiled, generic = both(SHAPE, VALUES | {name: value})
    assert compiled == generic


@pytest.mark.parametrize("name", TEXTS)
def test_a_lone_surrogate_is_refused_alike(name):
    compiled, generic = both(SHAPE, VALUES | {name: "a\ud800"})
    assert compiled is generic is rdf.LossyValue


@pytest.mark.parametrize("value", ["urn:same", "https://baeum.example/status/stl_1/revocation"])
def test_equal_identifiers_merge_nodes_alike(value):
    for first in IRIS:
        for second in IRIS:
            compiled, generic = both(SHAPE, VALUES | {first: value, second: value})
            assert compiled == generic, (first, second)


def test_equal_values_collapse_alike():
    template = {
        "@context": TEMPLATE["@context"],
        "id": "urn:c",
        "type": ["VerifiableCredential"],
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "result": [
                {"type": ["Result"], "value": "{a}"},
                {"type": ["Result"], "value": "{b}"},
                {"type": ["Result"], "value": "{c}"},
            ],
            "achievement": {"id": "urn:a", "type": ["Achievement"], "tag": ["{a}", "{b}", "{c}"]},
        },
    }
    shape = Shape(template)
    for a, b, c in ["xyz", "xxy", "xyx", "yxx", "xxx"]:
        compiled, generic = both(shape, {"a": a, "b": b, "c": c})
        assert compiled == generic, (a, b, c)


def test_every_kind_of_literal():
    template = {
        "@context": TEMPLATE["@context"],
        "id": "urn:c",
        "type": ["VerifiableCredential"],
        "name": {"@value": "{text}", "@language": "ko"},
        "description": {"@value": "{text}", "@type": "http://www.w3.org/2001/XMLSchema#double"},
    }
    for value in ["30", "x", 30, 30.0, 30.5, 0, -0.0, True]:
        compiled, generic = both(Shape(template), {"text": value})
        assert compiled == generic, value
    template["description"] = {"@value": "{text}", "@language": "ko-Hang"}
    for value in ["30", "x", '"']:
        compiled, generic = both(Shape(template), {"text": value})
        assert compiled == generic
        assert b"@ko-hang" in compiled


@pytest.mark.parametrize(
    "template",
    [
        TEMPLATE | {"type": ["VerifiableCredential", "{kind}"]},
        TEMPLATE | {"@context": ["{context}"]},
        TEMPLATE | {"{member}": "x"},
    ],
)
def test_a_hole_that_could_change_the_shape_is_refused(template):
    filled = VALUES | {"kind": "urn:k", "context": "urn:c", "member": "m"}
    with pytest.raises(ShapeInvalid):
        Shape(template).nquads(filled)


def test_a_language_tag_from_a_value_is_treated_alike():
    shape = Shape(TEMPLATE | {"name": {"@value": "x", "@language": "{language}"}})
    for language in ("ko", "ko-KR", "not a tag", ""):
        compiled, generic = both(shape, VALUES | {"language": language})
        assert compiled == generic


def test_an_undefined_term_in_the_template_is_refused():
    with pytest.raises(rdf.UndefinedTerm):
        Shape(TEMPLATE | {"hoursEarned": "{hours}"}).nquads(VALUES)


@pytest.mark.parametrize("value", [None, [], {}, b"x"])
def test_a_value_that_is_not_a_scalar_is_refused(value):
    with pytest.raises(ShapeInvalid):
        SHAPE.nquads(VALUES | {"name": value})
    with pytest.raises(ShapeInvalid):
        SHAPE.document(VALUES | {"name": value})


def test_a_missing_value_is_refused():
    with pytest.raises(ShapeInvalid):
        SHAPE.nquads({name: value for name, value in VALUES.items() if name != "title"})


@pytest.mark.parametrize("suite", integrity.SUITES)
@given(filled=values, nonce=texts)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_bulk_signing_equals_signing_one(suite, filled, nonce):
    method = did.key_method(DID)
    signer = ShapeSigner(SHAPE, verification_method=method, cryptosuite=suite)
    signed = signer.sign(filled, created="2026-11-23T00:00:00Z", nonce=nonce, sign=sign)
    expected = integrity.sign(
        SHAPE.document(filled),
        sign=sign,
        verification_method=method,
        created="2026-11-23T00:00:00Z",
        nonce=nonce,
        cryptosuite=suite,
    )
    assert signed.document_bytes == jcs.canonical(expected)
    document = json.loads(signed.document_bytes)
    integrity.verify(document, document["proof"], bytes(KEY.verify_key))


@pytest.mark.parametrize("suite", integrity.SUITES)
def test_bulk_signing_refuses_a_lone_surrogate(suite):
    signer = ShapeSigner(SHAPE, verification_method=did.key_method(DID), cryptosuite=suite)
    options = {"created": "2026-11-23T00:00:00Z", "nonce": "n", "sign": sign}
    with pytest.raises((jcs.NotCanonical, rdf.LossyValue)):
        signer.sign(VALUES | {"name": "\ud800"}, **options)
    with pytest.raises((jcs.NotCanonical, rdf.LossyValue)):
        signer.sign(VALUES | {"hours": 2**53}, **options)
    with pytest.raises(integrity.ProofMalformed):
        signer.sign(VALUES, **options | {"created": "today"})


def test_bulk_signing_refuses_an_unknown_suite_and_a_second_proof():
    with pytest.raises(integrity.CryptosuiteUnsupported):
        ShapeSigner(SHAPE, verification_method="did:key:x#x", cryptosuite="none")
    with pytest.raises(ShapeInvalid):
        ShapeSigner(Shape(TEMPLATE | {"proof": {}}), verification_method="did:key:x#x")
