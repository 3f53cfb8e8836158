"""Every folder of published vectors that concerns credentials is replayed, or says why it is not.

A folder that appears and is not in the table fails here, so that no vector goes unnoticed.
"""

from __future__ import annotations

import json

import pytest
from vectors import ROOT, vectors

from verifier import Outcome, Verdict

REPLAYED = {
    "1edtech-openbadges-spec": "tests/credential/test_integrity.py, tests/credential/test_model.py",
    "1edtech-validator": "here; JWT in tests/verifier/test_vc_jwt.py",
    "blockcerts-cert-verifier-js": "v3 in tests/verifier/test_blockcerts.py",
    "contexts": "tests/credential/test_contexts.py",
    "dcc-vc-test-fixtures": "here; tests/verifier/test_credentials_by_others.py",
    "dcc-verifier-core": "here",
    "educredentials-obv3-examples": "here",
    "ietf-token-status-list": "tests/credential/test_token_status.py",
    "impierce-obv3": "here",
    "oauth-sd-jwt-spec": "tests/credential/test_sd_jwt.py",
    "oauth-sd-jwt-vc-spec": "tests/credential/test_sd_jwt.py",
    "owf-sd-jwt-js": "tests/credential/test_sd_jwt.py",
    "owf-sd-jwt-python": "tests/credential/test_sd_jwt.py",
    "rfc8785-jcs": "tests/credential/test_jcs.py",
    "sd-jwt-generated": "tests/credential/test_sd_jwt.py",
    "transmute-vc-jwt-sd-testcases": "tests/credential/test_sd_jwt.py",
    "w3c-rdf-canon": "tests/credential/test_rdfc.py",
    "w3c-vc-bitstring-status-list": "tests/credential/test_status.py",
    "w3c-vc-data-integrity-examples": "here",
    "w3c-vc-data-model-2.0-test-suite": "tests/credential/test_model.py",
    "w3c-vc-di-ecdsa": "tests/credential/test_suites.py",
    "w3c-vc-di-eddsa": "tests/credential/test_integrity.py, tests/credential/test_suites.py",
    "waltid-obv3": "tests/verifier/test_vc_jwt.py",
}
NOT_REPLAYED = {
    "1edtech-openbadges-v2": "Open Badges 2.x: hosted assertions, another standard",
    "blockcerts-cert-issuer": "unsigned inputs of an issuer",
    "blockcerts-cert-schema": "schemas and examples of Blockcerts 1.1 to 3.2, none with an anchor",
    "dif-bbs-signature": "BBS is not offered",
    "w3c-ccg-data-integrity-assertions": "keys and templates of a suite that runs over HTTP",
    "w3c-cid-examples": "fragments of controlled identifier documents in prose",
    "w3c-vc-data-model-examples": "fragments of prose, unsigned",
    "w3c-vc-data-model-schema": "informative schemas; the structure is judged by credential.model",
    "w3c-vc-di-bbs": "bbs-2023 is not offered",
    "w3c-vc-di-ecdsa-test-suite": "inputs for issuers of ecdsa-sd-2023, which is verified only",
}
OTHERS = {
    "adl-xapi", "adl-xapi-spec", "did-jwk", "did-key", "did-web", "eudi-openid4vp",
    "google-certificate-transparency", "multibase", "oneroster-generator-templates", "openid4vci",
    "openid4vp", "transmute-did-key", "transparency-dev-merkle",
}  # fmt: skip
"""Not about credentials: tested by their own rooms."""

V3 = "1edtech-validator/inspector-vc/src/test/resources/ob30"


def test_every_folder_has_an_answer():
    vectors("SOURCES.md")
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert folders == REPLAYED.keys() | NOT_REPLAYED.keys() | OTHERS


def documents(folder):
    found = []
    for path in sorted((ROOT / folder).rglob("*.json")):
        try:
            body = json.loads(path.read_text())
        except ValueError:
            continue
        if isinstance(body, dict) and "@context" in body:
            found.append(pytest.param(body, id=str(path.relative_to(ROOT))))
    return found


ALL = [
    case
    for folder in (
        "dcc-vc-test-fixtures",
        "dcc-verifier-core",
        "educredentials-obv3-examples",
        "impierce-obv3",
        "w3c-vc-data-integrity-examples",
        V3,
    )
    for case in documents(folder)
]


@pytest.mark.parametrize("body", ALL)
def test_none_of_theirs_is_valid_here_and_none_is_a_crash(still_world, body):
    """Nobody here has registered these issuers, so whatever else holds, the verdict is not valid;
    and what is not signed, or was changed, has no facts."""
    report = still_world.verify(body)
    assert report.verdict is not Verdict.VALID
    if report.check("proof").outcome is not Outcome.PASSED:
        assert report.facts == {}


SIGNED_BY_DID_KEY = [
    case
    for case in ALL
    if isinstance(proof := case.values[0].get("proof"), dict)
    and str(proof.get("verificationMethod", "")).startswith("did:key:")
    and case.id.startswith("dcc-")
]


@pytest.mark.parametrize("body", SIGNED_BY_DID_KEY)
def test_what_dcc_signed_with_a_did_key_holds_until_it_is_changed(still_world, body, request):
    """VC 1.1 and 2.0, Ed25519Signature2020 and eddsa-rdfc-2022."""
    name = request.node.callspec.id.lower()
    report = still_world.verify(body)
    if report.check("schema").outcome is not Outcome.PASSED or "tampered" in name:
        assert report.facts == {}
        return
    assert report.check("proof").outcome is Outcome.PASSED, report.check("proof").reason.en
    changed = still_world.verify(body | {"name": "changed"})
    assert changed.check("proof").outcome is not Outcome.PASSED


def test_there_are_enough_of_them():
    vectors("dcc-vc-test-fixtures")
    assert len(SIGNED_BY_DID_KEY) >= 30


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("simple-err-proof-value.json", Verdict.INVALID),
        ("simple-err-proof-method.json", Verdict.INVALID),
        ("simple-err-issuer.json", Verdict.INVALID),
        ("simple-err-issued.json", Verdict.INVALID),
        ("simple-err-type.json", Verdict.INVALID),
        ("simple-noproof.json", Verdict.INVALID),
    ],
)
def test_1edtech_negative_cases(still_world, name, outcome):
    body = (vectors(V3) / name).read_bytes()
    report = still_world.verify(body)
    assert report.verdict in (outcome, Verdict.UNDETERMINED)
    assert report.facts == {} or report.decisive.id != "proof"
