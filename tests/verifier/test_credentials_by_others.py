"""Credentials of other issuers, with which we share nothing but the standards."""

from __future__ import annotations

import json

import pytest
from selective import issue_base
from vectors import vectors

from verifier import Outcome, Verdict, VerificationPolicy

FOLDER = "dcc-vc-test-fixtures/verifiableCredentials/v2/dataIntegrityProof/didKey"
GOOD = (
    "legacyRegistry-noStatus-noExpiry-OBSpecExample.json",
    "legacyRegistry-noStatus-noExpiry-basicOBv3.json",
    "legacyRegistry-noStatus-noExpiry-minimal.json",
    "oidf-noStatus-notExpired-complexIssuer.json",
)


@pytest.mark.parametrize("name", GOOD)
def test_a_stranger_is_registered_nowhere_and_not_forged(still_world, name):
    body = (vectors(FOLDER) / name).read_bytes()
    report = still_world.verify(body)
    for check_id in ("format", "schema", "proof", "issuer-key", "validity"):
        assert report.check(check_id).outcome is Outcome.PASSED
    assert report.decisive.code == "issuer-not-registered"
    assert report.verdict is Verdict.INVALID
    assert report.facts["issuer"]["id"].startswith("did:key:")
    signature_only = VerificationPolicy(required=frozenset({"format", "schema", "proof"}))
    assert still_world.verify(body, policy=signature_only).verdict is Verdict.VALID


@pytest.mark.parametrize("name", GOOD)
def test_a_strangers_credential_that_was_changed_is_not_merely_unregistered(still_world, name):
    document = json.loads((vectors(FOLDER) / name).read_bytes())
    document["name"] = "Doctor of Everything"
    report = still_world.verify(document)
    assert report.decisive.id == "proof"
    assert report.facts == {}


def test_with_the_node_down_a_stranger_is_not_called_unregistered(world):
    world.node.down = True
    report = world.verify((vectors(FOLDER) / GOOD[0]).read_bytes())
    assert report.check("accreditation").outcome is Outcome.NOT_RUN
    assert report.verdict is Verdict.UNDETERMINED


def test_an_expired_one(still_world):
    report = still_world.verify((vectors(FOLDER) / "twoOIDF-validStatus-expired.json").read_bytes())
    assert report.check("validity").code == "expired"


def test_two_proofs_of_different_ages_both_hold(still_world):
    folder = vectors("dcc-vc-test-fixtures/verifiableCredentials/v2/bothSignatureTypes/didkey")
    body = (folder / "legacy-noStatus-noExpiry.json").read_bytes()
    proof = still_world.verify(body).check("proof")
    assert proof.outcome is Outcome.PASSED
    assert proof.notes == ()
    changed = json.loads(body) | {"validFrom": "2020-01-01T00:00:00Z"}
    assert still_world.verify(changed).decisive.id == "proof"


def test_a_known_proof_beside_an_unknown_one(still_world):
    body = json.loads((vectors(FOLDER) / GOOD[0]).read_bytes())
    unknown = body["proof"] | {"cryptosuite": "bbs-2023"}
    proof = still_world.verify(body | {"proof": [body["proof"], unknown]}).check("proof")
    assert proof.outcome is Outcome.PASSED
    assert [note.code for note in proof.notes] == ["proofs-unchecked"]


def test_a_proof_from_before_data_integrity(still_world):
    folder = vectors("dcc-vc-test-fixtures/verifiableCredentials/v2/ed25519/didKey")
    body = (folder / "legacy-noStatus-noExpiry.json").read_bytes()
    report = still_world.verify(body)
    assert report.check("proof").details["cryptosuite"] == "Ed25519Signature2020"
    assert report.decisive.code == "issuer-not-registered"


@pytest.mark.parametrize(
    ("suite", "method"), [("ed25519", "didWeb"), ("dataIntegrityProof", "didweb")]
)
def test_what_cannot_be_judged_is_not_called_forged(still_world, suite, method):
    """Whatever cannot be judged here is told apart from what was judged and is wrong."""
    folder = vectors(f"dcc-vc-test-fixtures/verifiableCredentials/v2/{suite}/{method}")
    for path in sorted(folder.glob("*.json")):
        report = still_world.verify(path.read_bytes())
        if report.check("schema").outcome is Outcome.PASSED:
            # A did:web key that spells itself out is tried; whose it is cannot be told here.
            first = next(c for c in report.checks if c.outcome is not Outcome.PASSED)
            assert first.id in ("proof", "issuer-key")
            assert first.outcome is Outcome.NOT_RUN
            assert report.verdict is Verdict.UNDETERMINED


def test_a_base_proof_holds_with_a_warning_that_it_discloses_everything(still_world):
    signed = issue_base(still_world.document(), ["/issuer", "/validFrom"])
    proof = still_world.verify(signed).check("proof")
    assert proof.outcome is Outcome.PASSED
    assert [note.code for note in proof.notes] == ["base-proof-shown"]
    assert "derive" in proof.notes[0].reason.en
    changed = still_world.verify(signed | {"name": "명예박사"})
    assert changed.check("proof").outcome is Outcome.FAILED
    assert changed.verdict is Verdict.INVALID
