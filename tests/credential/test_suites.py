"""Proofs of suites that others issue with: the W3C vectors, and what must not pass."""

from __future__ import annotations

import copy
import json

import cbor2
import pytest
from published import load
from vectors import vectors

from credential import did, ecdsa_sd, integrity, multibase, suites
from credential.errors import BaeumError
from credential.integrity import ProofInvalid

SIGNED = [
    "w3c-vc-di-ecdsa/ecdsa-rdfc-2019-p256/signedECDSAP256.json",
    "w3c-vc-di-ecdsa/ecdsa-rdfc-2019-p384/signedECDSAP384.json",
    "w3c-vc-di-ecdsa/ecdsa-jcs-2019-p256/signedJCSECDSAP256.json",
    "w3c-vc-di-ecdsa/ecdsa-jcs-2019-p384/signedJCSECDSAP384.json",
    "w3c-vc-di-eddsa/Ed25519Signature2020/signedEdSig.json",
    "w3c-vc-di-eddsa/proof-set-chain/signedProofSet1.json",
    "w3c-vc-di-eddsa/proof-set-chain/signedProofSet2.json",
    "w3c-vc-di-eddsa/proof-set-chain/signedProofChain1.json",
    "w3c-vc-di-eddsa/proof-set-chain/signedProofChain2.json",
    "w3c-vc-di-ecdsa/ecdsa-sd-2023/prc/derivedRevealDocument.json",
    "w3c-vc-di-ecdsa/ecdsa-sd-2023/prc/addSignedSDBase.json",
]
DERIVED = "w3c-vc-di-ecdsa/ecdsa-sd-2023/prc/derivedRevealDocument.json"


def document(name: str) -> dict:
    body: dict = json.loads((vectors(name)).read_text())
    return body


def verify_all(signed: dict) -> int:
    found = integrity.proofs(signed)
    for proof in found:
        method = proof["verificationMethod"]
        key = did.verification_key(did.document(did.subject_of(method)), method, "assertionMethod")
        integrity.verify(signed, proof, key, load=load)
    return len(found)


@pytest.mark.parametrize("name", SIGNED)
def test_published_vectors_verify(name):
    assert verify_all(document(name)) >= 1


@pytest.mark.parametrize("name", SIGNED)
def test_a_changed_document_does_not(name):
    signed = document(name)
    changes = [{"validFrom": "1999-01-01T00:00:00Z"}, {"issuer": "https://mallory.example"}]
    for change in changes:
        with pytest.raises(BaeumError):
            verify_all(signed | change)


@pytest.mark.parametrize("name", SIGNED)
def test_a_changed_proof_does_not(name):
    signed = document(name)
    for place in range(len(integrity.proofs(signed))):
        forged = copy.deepcopy(signed)
        proof = integrity.proofs(forged)[place]
        proof["created"] = "1999-01-01T00:00:00Z"
        with pytest.raises(BaeumError):
            verify_all(forged)


@pytest.mark.parametrize("curve", ["p256", "p384"])
@pytest.mark.parametrize("suite", ["ecdsa-rdfc-2019", "ecdsa-jcs-2019"])
def test_the_published_hashes(suite, curve):
    place = vectors("w3c-vc-di-ecdsa") / f"{suite}-{curve}"
    (signed,) = place.glob("signed*.json")
    (combined,) = place.glob("combinedHash*.txt")
    body = json.loads(signed.read_text())
    proof = body.pop("proof")
    options = {key: value for key, value in proof.items() if key != "proofValue"}
    ours = suites.SUITES[suite].hash_data(body, options, curve, load=load)
    assert ours.hex() == combined.read_text().strip()


def test_a_proof_chain_without_its_first_link():
    signed = document("w3c-vc-di-eddsa/proof-set-chain/signedProofChain2.json")
    chained = [proof for proof in signed["proof"] if "previousProof" in proof]
    assert chained
    with pytest.raises(ProofInvalid):
        verify_all(signed | {"proof": chained})


@pytest.mark.parametrize("name", SIGNED[:4])
def test_attack_suite_confusion_within_ecdsa(name):
    signed = document(name)
    other = {"ecdsa-rdfc-2019": "ecdsa-jcs-2019", "ecdsa-jcs-2019": "ecdsa-rdfc-2019"}
    proof = signed["proof"]
    for suite in (other[proof["cryptosuite"]], "eddsa-rdfc-2022", "ecdsa-sd-2023"):
        with pytest.raises(BaeumError):
            verify_all(signed | {"proof": proof | {"cryptosuite": suite}})


def test_attack_ed25519_signature_2020_with_a_cryptosuite_beside_it():
    signed = document("w3c-vc-di-eddsa/Ed25519Signature2020/signedEdSig.json")
    signed["proof"]["cryptosuite"] = "eddsa-rdfc-2022"
    with pytest.raises(integrity.CryptosuiteUnsupported):
        verify_all(signed)


@pytest.mark.parametrize("length", [0, 63, 65, 95])
def test_a_signature_of_another_length(length):
    signed = document(SIGNED[0])
    signed["proof"]["proofValue"] = "z" + multibase.base58(b"\x01" * length)
    with pytest.raises(integrity.ProofMalformed):
        verify_all(signed)


def test_attack_ecdsa_zero_and_group_order():
    signed = document(SIGNED[0])
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for r, s in ((0, 0), (1, 0), (0, 1), (order, order), (order - 1, order)):
        value = r.to_bytes(32) + s.to_bytes(32)
        signed["proof"]["proofValue"] = "z" + multibase.base58(value)
        with pytest.raises(integrity.SignatureMismatch):
            verify_all(signed)


# --- selective disclosure -------------------------------------------------------------------------


def test_the_published_verification_data():
    """The relabelled statements and the parts of the proof value, as the W3C printed them."""
    folder = vectors("w3c-vc-di-ecdsa/ecdsa-sd-2023/prc")
    signed = document(DERIVED)
    derived = ecdsa_sd.parse(signed["proof"]["proofValue"])
    expected = json.loads((folder / "verifyDerivedProofValue.json").read_text())
    assert derived.base_signature.hex() == expected["baseSignature"]
    assert [one.hex() for one in derived.signatures] == expected["signatures"]
    assert list(derived.mandatory) == expected["mandatoryIndexes"]


def parts_of(signed: dict) -> list:
    data = multibase.decode(signed["proof"]["proofValue"])
    parts: list = cbor2.loads(data[3:])
    return parts


def with_parts(signed: dict, parts: list) -> dict:
    value = "u" + multibase.base64url(b"\xd9\x5d\x01" + cbor2.dumps(parts))
    return signed | {"proof": signed["proof"] | {"proofValue": value}}


def test_attack_statement_hidden_or_added_after_deriving():
    signed = document(DERIVED)
    parts = parts_of(signed)
    assert verify_all(with_parts(signed, parts)) == 1
    forgeries = [
        [*parts[:2], parts[2][1:], *parts[3:]],  # a signature dropped
        [*parts[:2], [*parts[2], parts[2][0]], *parts[3:]],  # one doubled
        [*parts[:2], parts[2][::-1], *parts[3:]],  # another order
        [*parts[:4], parts[4][1:]],  # a mandatory statement made optional
        [*parts[:4], [*parts[4], 999]],  # a statement that is not there
        [*parts[:3], {}, parts[4]],  # labels lost
    ]
    for forged in forgeries:
        with pytest.raises(BaeumError):
            verify_all(with_parts(signed, forged))


def test_attack_another_proof_key():
    """The holder may not sign statements with a key of their own."""
    signed = document(DERIVED)
    parts = parts_of(signed)
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    own = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    point = own.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    with pytest.raises(integrity.SignatureMismatch):
        verify_all(with_parts(signed, [parts[0], b"\x80\x24" + point, *parts[2:]]))


@pytest.mark.parametrize(
    "value",
    ["", "u", "z6Mk", "u2V0B", "u2V0BgA", 7, None, "u2V0B" + "A" * 300_000],
)
def test_malformed_proof_values(value):
    signed = document(DERIVED)
    with pytest.raises(integrity.ProofMalformed):
        verify_all(signed | {"proof": signed["proof"] | {"proofValue": value}})
