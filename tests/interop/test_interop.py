"""Other implementations accept what we sign, we accept what they sign, and both refuse tampering.

The Node packages are those of package-lock.json; ``npm ci`` in this folder installs them, which
``scripts/test`` does. They run with the network off and read our bundled contexts from files.
"""

from __future__ import annotations

import json
import os
import subprocess
from importlib import resources
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from credential import contexts, did, integrity, rdf, status
from credential.errors import BaeumError
from credential.shape import Shape, ShapeSigner

pytestmark = pytest.mark.node

HERE = Path(__file__).parent
CONTEXTS = resources.files("credential").joinpath("data/contexts")
KEY = SigningKey(b"n" * 32)
DID = did.did_key(bytes(KEY.verify_key))
LIST = "https://baeum.example/status/stl_1/revocation"
SUITE = "eddsa-rdfc-2022"

TEMPLATE = {
    "@context": [contexts.VC_V2, contexts.OB_V3],
    "id": "{credential}",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "name": "{name}",
    "issuer": {"id": DID, "type": ["Profile"], "name": "서울시민대학"},
    "validFrom": "2026-03-02T09:00:00+09:00",
    "awardedDate": "2026-06-02T09:00:00+09:00",
    "credentialSubject": {
        "id": "urn:uuid:6f1c4df1-0f0c-4b0e-a6d7-5f2d6a1e2b3c",
        "type": ["AchievementSubject"],
        "identifier": [
            {
                "type": "IdentityObject",
                "identityType": "name",
                "hashed": False,
                "identityHash": '홍길동 "\\\t\u0001\u007f👩‍🎓',
            }
        ],
        "activityStartDate": "2026-03-02T09:00:00+09:00",
        "activityEndDate": "2026-06-02T09:00:00+09:00",
        "creditsEarned": "{hours}",
        "achievement": {
            "id": "urn:uuid:3f1c4df1-0f0c-4b0e-a6d7-5f2d6a1e2b3c",
            "type": ["Achievement"],
            "name": "동양 고전 읽기",
            "description": "서울시민대학의 학습 과정",
            "criteria": {"narrative": "80% 이상 출석"},
            "achievementType": "Course",
            "creditsAvailable": 40.0,
            "resultDescription": [
                {
                    "id": "urn:uuid:1f1c4df1-0f0c-4b0e-a6d7-5f2d6a1e2b3c",
                    "type": ["ResultDescription"],
                    "name": "인정 시간(분)",
                    "resultType": "ext:CreditedMinutes",
                }
            ],
        },
        "result": [
            {
                "type": ["Result"],
                "resultDescription": "urn:uuid:1f1c4df1-0f0c-4b0e-a6d7-5f2d6a1e2b3c",
                "value": "1830",
            }
        ],
    },
    "credentialStatus": [
        {
            "id": f"{LIST}#7",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": LIST,
        }
    ],
}
VALUES = {
    "credential": "urn:uuid:58172aac-d8ba-41ed-83dd-0b3aef56cc33",
    "name": "동양 고전 읽기 이수증",
    "hours": 30.5,
}


def sign(data: bytes) -> bytes:
    return KEY.sign(data).signature


@pytest.fixture(scope="module", autouse=True)
def _packages():
    if not (HERE / "node_modules").is_dir():
        reason = "npm packages absent: run npm ci in tests/interop"
        if os.environ.get("BAEUM_TEST_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def node(tmp_path):
    """Runs a script on JSON documents, each handed over as a file; answers its JSON."""

    def run(script: str, *arguments):
        words = []
        for number, argument in enumerate(arguments):
            if isinstance(argument, dict):
                path = tmp_path / f"{number}.json"
                path.write_text(json.dumps(argument), encoding="utf-8")
                argument = path
            words.append(str(argument))
        done = subprocess.run(
            ["node", script, *words], cwd=HERE, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout.splitlines()[-1])

    return run


def issued(template=TEMPLATE, **values):
    signer = ShapeSigner(Shape(template), verification_method=did.key_method(DID))
    signed = signer.sign(
        VALUES | values, created="2026-11-23T00:00:00Z", nonce="YWJjZGVmZ2hpamtsbW5vcA", sign=sign
    )
    return json.loads(signed.document_bytes)


def without_status():
    return {name: value for name, value in TEMPLATE.items() if name != "credentialStatus"}


def status_list(*revoked: int):
    bits = status.with_bits(bytes(status.MIN_BITS // 8), revoked, True)
    unsigned = {
        "@context": [contexts.VC_V2],
        "id": LIST,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": DID,
        "validFrom": "2026-11-23T00:00:00Z",
        "credentialSubject": {
            "id": f"{LIST}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": status.encode(bits),
        },
    }
    return integrity.sign(
        unsigned,
        sign=sign,
        verification_method=did.key_method(DID),
        created="2026-11-23T00:00:00Z",
        nonce=None,
    )


@pytest.mark.parametrize("hours", [30.5, 30.0, 30, 0.1, 1 / 3])
def test_digital_bazaar_accepts_what_we_sign(node, hours):
    credential = issued(without_status(), hours=hours)
    result = node("digitalbazaar.mjs", "verify", credential, CONTEXTS)
    assert result["verified"] is True, result


def test_digital_bazaar_refuses_it_tampered(node):
    credential = issued(without_status())
    credential["credentialSubject"]["creditsEarned"] = 31.5
    result = node("digitalbazaar.mjs", "verify", credential, CONTEXTS)
    assert result["verified"] is False
    assert any("signature" in error.lower() for error in result["errors"]), result


@pytest.mark.parametrize(("revoked", "verified"), [((), True), ((7,), False), ((6, 8), True)])
def test_others_read_our_status_lists(node, revoked, verified):
    lists = {LIST: status_list(*revoked)}
    result = node("digitalbazaar.mjs", "verify", issued(), CONTEXTS, lists)
    assert result["status"]["verified"] is verified, result
    assert result["verified"] is verified


def test_we_accept_what_digital_bazaar_signs(node):
    unsigned = Shape(TEMPLATE).document(VALUES)
    credential = node("digitalbazaar.mjs", "issue", unsigned, CONTEXTS)
    assert "proof" in credential, credential
    proof = integrity.proofs(credential)[0]
    method = proof["verificationMethod"]
    key = did.verification_key(did.document(credential["issuer"]["id"]), method, "assertionMethod")
    integrity.verify(credential, proof, key)
    credential["name"] += " "
    with pytest.raises(integrity.SignatureMismatch):
        integrity.verify(credential, proof, key)


AWKWARD = {
    "controls": {"name": "".join(map(chr, range(0x20))) + "\x7f\x80\x9f"},
    "separators": {"name": "\u2028\u2029\ufeff\u00a0"},
    "astral": {"name": "👩‍🎓🇰🇷\U0010fffd"},
    "composed": {"name": "한글 \u1112\u1161\u11ab"},
    "language": {"name": {"@value": "수료", "@language": "ko-KR"}},
    "doubled": {"evidence": [{"type": ["Evidence"], "name": "a"}] * 2},
    "iri": {"id": "https://한글.example/a?b=%20#c"},
    "numbers": {
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "creditsEarned": [
                0.1,
                1.5e-7,
                1 / 3,
                123456789.125,
                -0.5,
                9007199254740991,
                30.0,
                -0.0,
            ],
        }
    },
}


@pytest.mark.parametrize("name", AWKWARD)
def test_the_canonical_form_is_the_same(node, name):
    document = Shape(TEMPLATE).document(VALUES) | AWKWARD[name]
    theirs = node("digitalbazaar.mjs", "canonize", document, CONTEXTS)
    assert theirs.get("nquads", theirs) == rdf.canonical_nquads(document).decode()


REFUSED = {
    "undefined term": {"honours": "summa"},
    "undefined type": {"type": ["VerifiableCredential", "Diploma"]},
    "relative identifier": {"id": "relative"},
    "unknown context": {"@context": [contexts.VC_V2, "https://example.org/context"]},
}


@pytest.mark.parametrize("name", REFUSED)
def test_both_refuse_what_would_be_lost(node, name):
    document = Shape(TEMPLATE).document(VALUES) | REFUSED[name]
    assert "error" in node("digitalbazaar.mjs", "canonize", document, CONTEXTS)
    with pytest.raises(BaeumError):
        rdf.canonical_nquads(document)


def test_the_consortiums_verifier_accepts_what_we_sign(node):
    result = node("verifiercore.mjs", issued(without_status()))
    checks = {entry["id"]: entry.get("valid") for entry in result["log"]}
    assert checks.get("valid_signature") is True, result
    assert not result["errors"], result


def test_the_consortiums_verifier_refuses_it_tampered(node):
    credential = issued(without_status())
    credential["name"] += "."
    result = node("verifiercore.mjs", credential)
    checks = {entry["id"]: entry.get("valid") for entry in result["log"]}
    assert checks.get("valid_signature") is not True
    assert any("invalid_signature" in error for error in result["errors"]), result
