"""Base proofs of ``ecdsa-sd-2023``: the W3C's intermediate values, and what must not pass."""

from __future__ import annotations

import json

import cbor2
import pytest
from published import load
from selective import issue_base
from vectors import vectors

from credential import did, ecdsa_sd_base, integrity, multibase
from credential.ecdsa_sd import ProofValueMalformed, hashed

FOLDER = "w3c-vc-di-ecdsa/ecdsa-sd-2023/prc"


def printed(name):
    return json.loads((vectors(FOLDER) / name).read_text())


@pytest.fixture
def signed():
    return printed("addSignedSDBase.json")


def verify(signed):
    proof = signed["proof"]
    method = proof["verificationMethod"]
    key = did.verification_key(did.document(did.subject_of(method)), method, "assertionMethod")
    integrity.verify(signed, proof, key, load=load)


def parts_of(signed):
    parts: list = cbor2.loads(multibase.decode(signed["proof"]["proofValue"])[3:])
    return parts


def with_parts(signed, parts):
    value = "u" + multibase.base64url(b"\xd9\x5d\x00" + cbor2.dumps(parts))
    return signed | {"proof": signed["proof"] | {"proofValue": value}}


def test_the_published_statements_hashes_and_signatures(signed):
    base = ecdsa_sd_base.parse(signed["proof"]["proofValue"])
    unsecured = {name: value for name, value in signed.items() if name != "proof"}
    mandatory, others = ecdsa_sd_base.grouped(unsecured, base, load=load)
    assert sorted(mandatory + others) == printed("addBaseDocHMACCanon.json")
    transform = printed("addBaseTransform.json")
    assert mandatory == [line for _, line in transform["mandatory"]["value"]]
    assert others == [line for _, line in transform["nonMandatory"]["value"]]
    assert hashed(mandatory).hex() == printed("addHashData.json")["mandatoryHash"]
    raw = printed("addRawBaseSignatureInfo.json")
    assert [one.hex() for one in base.signatures] == raw["signatures"]
    assert base.pointers == raw["mandatoryPointers"]
    verify(signed)


@pytest.mark.parametrize("changed", ["mandatory", "other", "added", "removed"])
def test_attack_statement_changed(signed, changed):
    verify(signed)
    subject = signed["credentialSubject"]
    if changed == "mandatory":
        signed["issuer"]["image"] = "data:image/png;base64,AAAA"
    elif changed == "other":
        subject["familyName"] = "JONES"
    elif changed == "added":
        subject["additionalName"] = "Q"
    else:
        del subject["familyName"]
    with pytest.raises(integrity.SignatureMismatch):
        verify(signed)


def test_attack_parts_changed(signed):
    parts = parts_of(signed)
    verify(with_parts(signed, parts))
    signatures, pointers = parts[3], parts[4]
    for forged in (
        [*parts[:3], signatures[1:], pointers],  # a signature dropped
        [*parts[:3], signatures[::-1], pointers],  # another order
        [*parts[:3], [*signatures[:-1], signatures[0]], pointers],  # one twice
        [*parts[:4], ["/credentialSubject/familyName"]],  # a pointer swapped
        [*parts[:4], []],  # nothing mandatory
        [*parts[:4], [*pointers, "/name"]],  # more made mandatory
        [*parts[:3], signatures[1:], [*pointers, "/name"]],  # ... with its signature dropped
        [*parts[:2], bytes(32), *parts[3:]],  # another secret
        [bytes(64), *parts[1:]],
    ):
        with pytest.raises(integrity.SignatureMismatch):
            verify(with_parts(signed, forged))


@pytest.mark.parametrize(
    "pointers",
    [
        ["/nowhere"],
        ["issuer"],
        ["/type/7"],
        ["/type/-1"],
        ["/name/x"],
        [7],
        "/issuer",
        ["/" * 2000],
    ],
)
def test_attack_pointer_to_nothing(signed, pointers):
    with pytest.raises(integrity.ProofMalformed):
        verify(with_parts(signed, [*parts_of(signed)[:4], pointers]))


@pytest.mark.parametrize("value", ["u2V0A", "u2V0AgA", "u2V0A" + "A" * 300_000])
def test_malformed_base_proofs(value):
    with pytest.raises(ProofValueMalformed):
        ecdsa_sd_base.parse(value)


def test_attack_own_identifiers_of_the_kind_we_give(signed):
    """Two nodes could be made one by giving the name that the other gets."""
    signed["credentialSubject"]["id"] = "urn:bnid:0"
    with pytest.raises(integrity.ProofMalformed):
        verify(signed)


POINTERS = [
    ["/credentialSubject/achievement/name", "/issuer", "/type"],
    ["/credentialSubject/achievement/tag/1", "/validFrom"],
    [""],
    [],
    ["/credentialSubject", "/credentialSubject/achievement/name"],
]


@pytest.mark.parametrize("pointers", POINTERS)
def test_pointers_into_arrays_and_nested_objects(pointers):
    document = {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": '한글 "과정"',
        "validFrom": "2026-11-01T00:00:00Z",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "urn:uuid:1",
                "type": ["Achievement"],
                "name": "글쓰기",
                "tag": ["a", "b"],
            },
        },
    }
    signed = issue_base(document, pointers)
    verify(signed)
    for change in ({"name": "x"}, {"validFrom": "2020-01-01T00:00:00Z"}):
        with pytest.raises(integrity.SignatureMismatch):
            verify(signed | change)
