"""Data Integrity proofs: published vectors, fixtures of other issuers, and the attacks."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from nacl.signing import SigningKey
from published import load
from vectors import ROOT, vectors

from credential import contexts, did, integrity, multibase, multikey, rdf
from credential.multikey import PublicKey

KEY = SigningKey(b"i" * 32)
PUBLIC = bytes(KEY.verify_key)
DID = did.did_key(PUBLIC)
ORDER = 2**252 + 27742317777372353535851937790883648493

UNSECURED = {
    "@context": [contexts.VC_V2, contexts.OB_V3],
    "id": "urn:uuid:58172aac-d8ba-41ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "name": "이수증",
    "issuer": {"id": DID, "type": ["Profile"], "name": "서울시민대학"},
    "validFrom": "2026-01-01T00:00:00Z",
    "credentialSubject": {"type": ["AchievementSubject"], "creditsEarned": 30.5},
}


def read(path):
    return json.loads(path.read_bytes())


def sign(data):
    return KEY.sign(data).signature


def signed(document=UNSECURED, **options):
    given = {
        "verification_method": did.key_method(DID),
        "created": "2026-11-23T00:00:00Z",
        "nonce": "YWJjZGVmZ2hpamtsbW5vcA",
    }
    return integrity.sign(document, **{"sign": sign, **given, **options})


def resolve(proof, purpose="assertionMethod"):
    method = proof["verificationMethod"]
    return did.verification_key(did.document(did.subject_of(method)), method, purpose)


def verify_all(document, **options):
    for proof in integrity.proofs(document):
        integrity.verify(document, proof, resolve(proof), **options)


VECTORS = [
    "eddsa-rdfc-2022/signedDataInt",
    "eddsa-jcs-2022/signedJCS",
    "proof-set-chain/signedProofSet1",
    "proof-set-chain/signedProofSet2",
    "proof-set-chain/signedProofChain1",
    "proof-set-chain/signedProofChain2",
]


@pytest.mark.parametrize("name", VECTORS)
def test_published_vectors_verify(name):
    verify_all(read(vectors("w3c-vc-di-eddsa") / f"{name}.json"), load=load)


@pytest.mark.parametrize("name", VECTORS)
def test_published_vectors_with_one_character_changed_do_not(name):
    document = read(vectors("w3c-vc-di-eddsa") / f"{name}.json")
    document["name"] += "."
    for proof in integrity.proofs(document):
        with pytest.raises(integrity.SignatureMismatch):
            integrity.verify(document, proof, resolve(proof), load=load)


@pytest.mark.parametrize(
    ("folder", "suffix", "suite"),
    [
        ("eddsa-rdfc-2022", "DataInt", integrity.RDFC),
        ("eddsa-jcs-2022", "JCS", integrity.JCS),
    ],
)
def test_signing_gives_the_published_hashes_and_signature(folder, suffix, suite):
    base = vectors("w3c-vc-di-eddsa")
    pair = read(base / "keyPair.json")
    seed = multibase.decode(pair["privateKeyMultibase"])[2:]
    key = SigningKey(seed)
    seen = []

    def recording(data):
        seen.append(data)
        return key.sign(data).signature

    expected = read(base / folder / f"signed{suffix}.json")
    document = integrity.sign(
        read(base / "unsigned.json"),
        sign=recording,
        verification_method=expected["proof"]["verificationMethod"],
        created=expected["proof"]["created"],
        nonce=None,
        cryptosuite=suite,
        load=load,
    )
    assert document == expected
    combined = (base / folder / f"combinedHash{suffix}.txt").read_text().strip()
    assert seen[0].hex() == combined


@pytest.mark.parametrize("name", ["ob", "clr"])
def test_1edtech_walk_through(name):
    folder = vectors("1edtech-openbadges-spec/linked-data-proof")
    document = read(folder / f"linked-data-proof-{name}-007-signed-credential.json")
    steps = read(folder / f"linked-data-proof-{name}.steps.json")["inline_values"]
    public = bytes.fromhex(steps[0]["value"])
    for proof in integrity.proofs(document):
        integrity.verify(document, proof, public)
    document["validFrom"] = "2011-01-01T00:00:00Z"
    with pytest.raises(integrity.SignatureMismatch):
        integrity.verify(document, integrity.proofs(document)[0], public)


DCC = sorted((ROOT / "dcc-vc-test-fixtures/verifiableCredentials/v2").rglob("*.json"))


@pytest.mark.parametrize("path", DCC or [None], ids=lambda p: p and "/".join(p.parts[-3:]))
def test_credentials_that_others_issued(path):
    vectors("dcc-vc-test-fixtures")
    document = read(path)
    checked = 0
    for proof in integrity.proofs(document):
        if proof["verificationMethod"].startswith("did:key:"):
            integrity.verify(document, proof, resolve(proof), load=load)
            changed = document | {"id": "urn:uuid:00000000-0000-4000-8000-000000000000"}
            with pytest.raises(integrity.SignatureMismatch):
                integrity.verify(changed, proof, resolve(proof), load=load)
            checked += 1
    assert checked or "didweb" in str(path).lower()


@pytest.mark.parametrize("suite", integrity.SUITES)
def test_sign_and_verify(suite):
    document = signed(cryptosuite=suite)
    verify_all(document)
    assert document["proof"]["nonce"]
    assert {k: v for k, v in document.items() if k != "proof"} == UNSECURED


@pytest.mark.parametrize("suite", integrity.SUITES)
@pytest.mark.parametrize(
    "change",
    [
        {"name": "이수중"},
        {"validFrom": "2026-01-01T00:00:01Z"},
        {"validUntil": "2036-01-01T00:00:00Z"},
        {"issuer": {**UNSECURED["issuer"], "name": "서울시민대학교"}},
        {"credentialSubject": {"type": ["AchievementSubject"], "creditsEarned": 30.6}},
    ],
)
def test_any_change_is_noticed(suite, change):
    document = signed(cryptosuite=suite) | change
    with pytest.raises(integrity.SignatureMismatch):
        verify_all(document)


@pytest.mark.parametrize("suite", integrity.SUITES)
@pytest.mark.parametrize(
    "change",
    [
        {"created": "2026-11-23T00:00:01Z"},
        {"nonce": "another"},
        {"expires": "2036-11-23T00:00:00Z"},
        {"domain": "example.org"},
        {"id": "urn:uuid:00000000-0000-4000-8000-000000000000"},
    ],
)
def test_any_change_of_the_proof_is_noticed(suite, change):
    document = signed(cryptosuite=suite)
    document["proof"] |= change
    with pytest.raises(integrity.SignatureMismatch):
        integrity.verify(document, document["proof"], PUBLIC)


def test_a_proof_swapped_between_two_credentials_is_refused():
    first = signed()
    second = signed(UNSECURED | {"id": "urn:uuid:00000000-0000-4000-8000-000000000001"})
    for document, proof in ((first, second["proof"]), (second, first["proof"])):
        with pytest.raises(integrity.SignatureMismatch):
            integrity.verify(document | {"proof": proof}, proof, PUBLIC)


@pytest.mark.parametrize(
    "change",
    [
        {"cryptosuite": "none"},
        {"cryptosuite": None},
        {"cryptosuite": "EDDSA-RDFC-2022"},
        {"cryptosuite": "eddsa-2022"},
        {"cryptosuite": "ecdsa-rdfc-2019"},
        {"cryptosuite": ["eddsa-rdfc-2022"]},
        {"type": "Ed25519Signature2020"},
        {"type": ["DataIntegrityProof"]},
        {"type": None},
    ],
)
def test_an_unknown_suite_or_type_is_an_error_never_a_pass(change):
    document = signed()
    document["proof"] |= change
    with pytest.raises(integrity.CryptosuiteUnsupported):
        integrity.verify(document, document["proof"], PUBLIC)


def test_algorithm_confusion_between_the_two_suites_is_refused():
    for first, second in (integrity.SUITES, integrity.SUITES[::-1]):
        document = signed(cryptosuite=first)
        document["proof"]["cryptosuite"] = second
        with pytest.raises(integrity.SignatureMismatch):
            integrity.verify(document, document["proof"], PUBLIC)


@pytest.mark.parametrize("kind", [multikey.P256, multikey.X25519, multikey.SECP256K1])
def test_a_key_of_another_kind_is_refused(kind):
    document = signed()
    with pytest.raises(integrity.CryptosuiteUnsupported):
        integrity.verify(document, document["proof"], PublicKey(kind, PUBLIC))


def test_another_key_is_refused():
    document = signed()
    other = bytes(SigningKey(b"o" * 32).verify_key)
    with pytest.raises(integrity.SignatureMismatch):
        integrity.verify(document, document["proof"], other)


@pytest.mark.parametrize("public", [bytes(32), b"\1" + bytes(31), b"\xff" * 32])
def test_a_key_of_small_order_or_off_the_curve_is_refused(public):
    document = signed()
    document["proof"]["proofValue"] = "z" + multibase.base58(b"\1" + bytes(63))
    with pytest.raises(integrity.SignatureMismatch):
        integrity.verify(document, document["proof"], public)


def test_a_malleable_signature_is_refused():
    document = signed()
    signature = multibase.decode(document["proof"]["proofValue"])
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    forged = signature[:32] + scalar.to_bytes(32, "little")
    document["proof"]["proofValue"] = "z" + multibase.base58(forged)
    with pytest.raises(integrity.SignatureMismatch):
        integrity.verify(document, document["proof"], PUBLIC)


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        "",
        "z",
        "zabc",
        "z0OIl",
        "u" + multibase.base64url(bytes(64)),
        "z" + multibase.base58(bytes(range(65))),
        "z" + multibase.base58(bytes(range(1, 64))),
        "z" + "1" * 5_000,
    ],
)
def test_a_proof_value_that_is_not_64_bytes_of_base58(value):
    document = signed()
    document["proof"]["proofValue"] = value
    with pytest.raises(integrity.ProofMalformed):
        integrity.verify(document, document["proof"], PUBLIC)


@pytest.mark.parametrize(
    "change",
    [
        {"created": "yesterday"},
        {"created": 5},
        {"created": "2026-13-01T00:00:00Z"},
        {"created": "2026-01-01T00:00:00"},
        {"expires": None},
        {"verificationMethod": None},
        {"verificationMethod": {"id": "did:key:x#x"}},
    ],
)
def test_malformed_proofs_are_refused(change):
    document = signed()
    document["proof"] |= change
    with pytest.raises(integrity.ProofMalformed):
        integrity.verify(document, document["proof"], PUBLIC)


@pytest.mark.parametrize("found", [None, [], "proof", [None], [{}] * 17])
def test_a_document_without_usable_proofs(found):
    with pytest.raises(integrity.ProofMalformed):
        integrity.proofs(UNSECURED | {"proof": found})
    with pytest.raises(integrity.ProofMalformed):
        integrity.proofs(UNSECURED)


def test_a_proof_for_another_purpose_is_refused():
    document = signed(proof_purpose="authentication")
    with pytest.raises(integrity.PurposeMismatch):
        integrity.verify(document, document["proof"], PUBLIC)
    integrity.verify(document, document["proof"], PUBLIC, purpose="authentication")


def test_only_the_outer_proof_is_left_out_of_the_hash():
    inner = {"type": ["AchievementSubject"], "creditsEarned": 1}
    document = signed(UNSECURED | {"credentialSubject": inner}, cryptosuite=integrity.JCS)
    document["credentialSubject"]["proof"] = {"type": "DataIntegrityProof"}
    with pytest.raises(integrity.SignatureMismatch):
        integrity.verify(document, document["proof"], PUBLIC)


def test_an_undefined_term_added_after_signing_is_refused_not_ignored():
    document = signed()
    document["honours"] = "summa cum laude"
    with pytest.raises(rdf.UndefinedTerm):
        integrity.verify(document, document["proof"], PUBLIC)
    document = signed()
    document["proof"]["signedBy"] = "did:web:evil.example"
    with pytest.raises(rdf.UndefinedTerm):
        integrity.verify(document, document["proof"], PUBLIC)


def test_a_context_replaced_or_inlined_after_signing_is_refused():
    document = signed()
    for context in (
        [contexts.VC_V2, contexts.OB_V3, {"name": "https://evil.example/#x"}],
        [contexts.VC_V2, "https://evil.example/context"],
    ):
        with pytest.raises((rdf.InlineContext, contexts.UnknownContext)):
            integrity.verify(document | {"@context": context}, document["proof"], PUBLIC)


def test_the_context_in_a_jcs_proof_must_begin_the_documents():
    document = signed(cryptosuite=integrity.JCS)
    document["@context"] = [contexts.VC_V2]
    with pytest.raises(integrity.ProofMalformed):
        integrity.verify(document, document["proof"], PUBLIC)
    document = signed(cryptosuite=integrity.JCS)
    document["proof"]["@context"] = []
    with pytest.raises(integrity.ProofMalformed):
        integrity.verify(document, document["proof"], PUBLIC)


def test_the_context_in_an_rdfc_proof_must_be_the_documents():
    document = signed()
    document["proof"]["@context"] = UNSECURED["@context"]
    integrity.verify(document, document["proof"], PUBLIC)
    for context in ([contexts.VC_V2], contexts.VC_V2, [*UNSECURED["@context"], contexts.OB_V3]):
        document["proof"]["@context"] = context
        with pytest.raises(integrity.ProofMalformed):
            integrity.verify(document, document["proof"], PUBLIC)


def test_a_proof_set_has_each_proof_over_the_same_document():
    document = signed(signed(), cryptosuite=integrity.JCS)
    assert [p["cryptosuite"] for p in integrity.proofs(document)] == list(integrity.SUITES)
    verify_all(document)
    document["proof"].reverse()
    verify_all(document)


def test_a_proof_chain_that_lost_an_earlier_proof_is_refused():
    document = read(vectors("w3c-vc-di-eddsa") / "proof-set-chain/signedProofChain2.json")
    *earlier, last = document["proof"]
    for kept in (earlier[:2], earlier[1:2], []):
        with pytest.raises(integrity.ProofMalformed):
            integrity.verify(document | {"proof": [*kept, last]}, last, resolve(last), load=load)
    twice = [*earlier, copy.deepcopy(earlier[2]), last]
    with pytest.raises(integrity.ProofMalformed):
        integrity.verify(document | {"proof": twice}, last, resolve(last), load=load)


def test_times_are_written_in_utc_to_the_second():
    korea = timezone(timedelta(hours=9))
    assert integrity.timestamp(datetime(2026, 1, 1, 9, tzinfo=korea)) == "2026-01-01T00:00:00Z"
    assert integrity.timestamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"
    with pytest.raises(integrity.ProofMalformed):
        integrity.timestamp(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(integrity.ProofMalformed):
        integrity.timestamp("2026-01-01")


def test_signing_with_an_unknown_suite_is_refused():
    with pytest.raises(integrity.CryptosuiteUnsupported):
        signed(cryptosuite="eddsa-2022")
