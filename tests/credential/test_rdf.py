"""JSON-LD to canonical RDF: published vectors, and nothing dropped without a word."""

from __future__ import annotations

import hashlib
import json

import pytest
from published import load
from vectors import vectors

from credential import contexts, jcs, rdf, rdfc

BASE = {
    "@context": [contexts.VC_V2, contexts.OB_V3],
    "id": "urn:uuid:58172aac-d8ba-41ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "issuer": "did:web:a.example",
    "credentialSubject": {"type": ["AchievementSubject"], "creditsEarned": 30.5},
}


def read(path):
    return json.loads(path.read_bytes())


def test_eddsa_vectors():
    folder = vectors("w3c-vc-di-eddsa")
    document = rdf.canonical_nquads(read(folder / "unsigned.json"), load=load)
    assert document == (folder / "eddsa-rdfc-2022/canonDocDataInt.txt").read_bytes()
    config = read(folder / "eddsa-rdfc-2022/proofConfigDataInt.json")
    canonical = rdf.canonical_nquads(config, load=load)
    assert canonical == (folder / "eddsa-rdfc-2022/proofCanonDataInt.txt").read_bytes()


@pytest.mark.parametrize("name", ["ob", "clr"])
def test_1edtech_walk_through(name):
    folder = vectors("1edtech-openbadges-spec/linked-data-proof")
    steps = [
        entry["value"]
        for entry in read(folder / f"linked-data-proof-{name}.steps.json")["inline_values"]
    ]
    document = read(folder / f"linked-data-proof-{name}-007-signed-credential.json")
    document.pop("proof", None)
    digest = hashlib.sha256(rdf.canonical_nquads(document)).hexdigest()
    assert digest in steps


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"hours": 30}, rdf.UndefinedTerm),
        ({"type": ["VerifiableCredential", "Diploma"]}, rdf.UndefinedTerm),
        ({"credentialSubject": {"grade": "A"}}, rdf.UndefinedTerm),
        ({"id": "relative"}, rdf.InvalidIri),
        ({"id": "urn:a b"}, rdf.InvalidIri),
        ({"id": "urn:a\n"}, rdf.InvalidIri),
        ({"id": "urn:a> <urn:p> <urn:o"}, rdf.InvalidIri),
        ({"issuer": "relative"}, rdf.InvalidIri),
        ({"id": "_:b0"}, rdf.InvalidIri),
        ({"id": "@foo"}, rdf.InvalidIri),
        ({"name": None}, rdf.LossyValue),
        ({"name": [None]}, rdf.LossyValue),
        ({"@graph": []}, rdf.LossyValue),
        ({"@included": []}, rdf.LossyValue),
        ({"@reverse": {}}, rdf.LossyValue),
        ({"@nest": {}}, rdf.LossyValue),
        ({"@comment": "x"}, rdf.LossyValue),
        ({"name": {"@language": "ko"}}, rdf.LossyValue),
        ({"name": {"@value": "x", "@language": "k o"}}, rdf.LossyValue),
        ({"name": {"@value": "x", "@direction": "rtl"}}, rdf.LossyValue),
        ({"credentialSubject": {"creditsEarned": 2**53}}, rdf.LossyValue),
        ({"credentialSubject": {"creditsEarned": float("nan")}}, rdf.LossyValue),
        ({"name": "\ud800"}, rdf.LossyValue),
        ({"name": b"x"}, rdf.LossyValue),
        ({"id": 5}, rdf.NotLinkedData),
        ({"type": 5}, rdf.NotLinkedData),
        ({"id": "urn:x", "@id": "urn:y"}, rdf.NotLinkedData),
    ],
)
def test_refuses(change, error):
    with pytest.raises(error):
        rdf.canonical_nquads(BASE | change)


@pytest.mark.parametrize(
    ("context", "error"),
    [
        ({"name": "https://evil.example/#name"}, rdf.InlineContext),
        ([contexts.VC_V2, {"issuer": "https://evil.example/#issuer"}], rdf.InlineContext),
        ([contexts.VC_V2, None], rdf.InlineContext),
        (None, rdf.InlineContext),
        ([], rdf.InlineContext),
        ([contexts.VC_V2, "https://evil.example/context"], contexts.UnknownContext),
        ([contexts.VC_V2, "./context"], contexts.UnknownContext),
        # the base contexts protect their terms, so one cannot follow the other and redefine them
        ([contexts.VC_V2, contexts.VC_V1], rdf.NotLinkedData),
    ],
)
def test_a_context_replaced_inlined_or_redefining_a_term_is_refused(context, error):
    with pytest.raises(error):
        rdf.canonical_nquads(BASE | {"@context": context})
    nested = BASE | {"credentialSubject": {"@context": context, "creditsEarned": 1}}
    with pytest.raises(error):
        rdf.canonical_nquads(nested)


def test_an_undefined_term_is_never_silently_dropped_from_the_signed_graph():
    plain = rdf.canonical_nquads(BASE)
    for path in ("issuer", "credentialSubject"):
        changed = json.loads(json.dumps(BASE))
        entry = {"id": "did:web:a.example", "type": ["Profile"]}
        changed[path] = (changed[path] if isinstance(changed[path], dict) else entry) | {
            "honours": "summa cum laude"
        }
        with pytest.raises(rdf.UndefinedTerm):
            rdf.canonical_nquads(changed)
    assert b"honours" not in plain


def test_integral_floats_are_integers_as_other_implementations_read_them():
    subject = BASE["credentialSubject"]
    as_float = BASE | {"credentialSubject": subject | {"creditsEarned": 30.0}}
    as_integer = BASE | {"credentialSubject": subject | {"creditsEarned": 30}}
    assert rdf.canonical_nquads(as_float) == rdf.canonical_nquads(as_integer)
    # the context says https where XML Schema says http; the signature needs what it says
    assert b'"30"^^<https://www.w3.org/2001/XMLSchema#float>' in rdf.canonical_nquads(as_float)
    assert b'"3.05E1"^^' in rdf.canonical_nquads(BASE)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.5, "5.5E0"),
        (0.1, "1.0E-1"),
        (1 / 3, "3.333333333333333E-1"),
        (123456.789, "1.23456789E5"),
        (5e-324, "4.940656458412465E-324"),
        (-0.5, "-5.0E-1"),
    ],
)
def test_canonical_doubles(value, text):
    assert rdf.number(value, None) == f'"{text}"^^<{rdf.XSD}double>'


def test_a_deep_document_is_refused():
    document = BASE
    for _ in range(rdf.MAX_DEPTH + 1):
        document = {"@context": contexts.VC_V2, "credentialSubject": document}
    with pytest.raises(rdf.DocumentTooLarge):
        rdf.canonical_nquads(document)


def test_a_huge_document_is_refused():
    subject = {"type": ["AchievementSubject"], "creditsEarned": [0] * rdf.MAX_VALUES}
    with pytest.raises(rdf.DocumentTooLarge):
        rdf.canonical_nquads(BASE | {"credentialSubject": subject})


def test_many_indistinguishable_entries_are_refused_not_computed():
    entries = [{"type": ["Result"], "alignment": [{"type": ["Alignment"]}] * 9}] * 9
    subject = {"type": ["AchievementSubject"], "result": entries}
    with pytest.raises(rdfc.DatasetTooCostly):
        rdf.canonical_nquads(BASE | {"credentialSubject": subject})


def test_the_order_of_members_and_of_values_does_not_matter():
    turned = dict(reversed(BASE.items())) | {"type": BASE["type"][::-1]}
    assert rdf.canonical_nquads(turned) == rdf.canonical_nquads(BASE)


def test_the_document_is_left_as_it_was():
    before = jcs.canonical(BASE)
    rdf.canonical_nquads(BASE)
    assert jcs.canonical(BASE) == before
