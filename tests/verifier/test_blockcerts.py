"""Blockcerts v3: the path is checked here, the anchor by whoever can ask the chain."""

from __future__ import annotations

import json

import cbor2
import pytest
from blockcert import SENDER
from blockcert import blockcert as made
from eth_keys import keys
from vectors import vectors

from credential import merkle_proof_2019, multibase
from verifier import Outcome, Verdict
from verifier.blockcerts import Transaction

V3 = "blockcerts-cert-verifier-js/v3"
LEADS_TO_ITS_ROOT = {
    "cert-rl-status-list-2021.json": "btc:testnet",
    "cert-rl-status-list-2021-revoked.json": "btc:testnet",
    "ethereum-sepolia-v3.json": "eth:sepolia",
    "mocknet-vc-v2-data-integrity-proof.json": "mocknet",
    "mocknet-vc-v2-validFrom-valid.json": "mocknet",
    "mocknet-vc-v2-validUntil-expired.json": "mocknet",
}
# what each is refused for before any chain is asked
REFUSED = {
    "blockcerts-3.0-alpha.json": "a context of an unfinished version",
    "blockcerts-3.0-beta.json": "a context of an unfinished version",
    "mocknet-vc-v2-credential-schema-invalid.json": "an inline context",
    "mocknet-vc-v2-credential-schema.json": "an inline context",
    "mocknet-vc-v2-credential-subject-array.json": "an inline context",
    "mocknet-vc-v2-name-description.json": "an inline context",
    "mocknet-vc-v2-name-description-multilingual.json": "an inline context",
    "testnet-v3--no-did.json": "an inline context",
    "testnet-v3-did.json": "an inline context",
    "testnet-v3-did--verification-method-mismatch.json": "an inline context",
    "testnet-v3-did--verification-method-not-referenced.json": "an inline context",
    "testnet-v3--tampered.json": "tampered: a relative id",
    "testnet-v3-hashlink.json": "a hashlink, which its tools expand before hashing",
    "ecdsa-sd-2023-signed-credential.json": "an issuer that is no DID",
}


def document(name):
    return json.loads((vectors(V3) / name).read_text())


@pytest.mark.parametrize("name", LEADS_TO_ITS_ROOT)
def test_published_certificates_lead_to_their_roots(name):
    body = document(name)
    found = merkle_proof_2019.check(body, body["proof"])
    assert found.anchors[0].chain == LEADS_TO_ITS_ROOT[name]
    with pytest.raises(merkle_proof_2019.MerkleProofWrong):
        merkle_proof_2019.check(body | {"id": "urn:uuid:0"}, body["proof"])


@pytest.mark.parametrize("name", REFUSED)
def test_published_certificates_that_are_not_accepted(still_world, name):
    assert still_world.verify(document(name)).verdict is not Verdict.VALID


def test_offline_the_anchor_is_not_run_and_never_passed(still_world):
    report = still_world.verify(document("ethereum-sepolia-v3.json"))
    assert report.check("schema").outcome is Outcome.PASSED
    proof = report.check("proof")
    assert (proof.outcome, proof.code) == (Outcome.NOT_RUN, "anchor-not-looked-up")
    assert report.verdict is Verdict.UNDETERMINED
    assert report.facts == {}


def test_a_chain_that_is_down_is_not_run(still_world):
    def down(chain, transaction):
        raise ConnectionRefusedError

    report = still_world.verify(document("ethereum-sepolia-v3.json"), transactions=down)
    assert report.check("proof").outcome is Outcome.NOT_RUN


def test_issued_on_no_chain_at_all(still_world):
    report = still_world.verify(document("mocknet-vc-v2-data-integrity-proof.json"))
    assert report.check("proof").code == "anchored-nowhere"
    assert report.verdict is Verdict.INVALID


def test_a_published_certificate_with_its_recorded_transaction(still_world):
    """The root is on the chain; whose address sent it only the issuer's profile could tell."""
    body = document("ethereum-sepolia-v3.json")
    root = merkle_proof_2019.parse(body["proof"]["proofValue"]).root
    asked = []

    def recorded(chain, transaction):
        asked.append((chain, transaction))
        return Transaction(root, "0x7e30a37763e6ba1ffede1750bbefb4c60b17a1b3")

    report = still_world.verify(body, transactions=recorded)
    assert asked == [
        ("eth:sepolia", "1f615470024000c3ab532ed74c5a60b8f6c2feb6489a67be20f103831996f9ab")
    ]
    assert report.check("proof").code == "did-unresolved"
    other = still_world.verify(
        body, transactions=lambda *_: Transaction(bytes(32), "0x" + "00" * 20)
    )
    assert other.check("proof").code == "another-root"
    assert still_world.verify(body, transactions=lambda *_: None).verdict is Verdict.INVALID


# --- one we make ourselves, to see it pass --------------------------------------------------------


def blockcert(still_world, **changes):
    return made(still_world.document(), **changes)


def test_sent_by_the_issuers_own_key(still_world):
    body, root = blockcert(still_world)
    sender = SENDER.public_key.to_checksum_address()
    report = still_world.verify(body, transactions=lambda *_: Transaction(root, sender))
    assert report.check("proof").outcome is Outcome.PASSED
    assert report.check("issuer-key").outcome is Outcome.PASSED
    assert report.decisive.code == "issuer-not-registered"


def test_attack_sent_by_somebody_else(still_world):
    body, root = blockcert(still_world)
    stranger = keys.PrivateKey(b"\x08" * 32).public_key.to_checksum_address()
    report = still_world.verify(body, transactions=lambda *_: Transaction(root, stranger))
    assert report.check("proof").code == "another-sender"


def test_attack_content_changed(still_world):
    body, root = blockcert(still_world)
    sender = SENDER.public_key.to_checksum_address()
    report = still_world.verify(
        body | {"name": "명예박사"}, transactions=lambda *_: Transaction(root, sender)
    )
    assert report.check("proof").code == "target-elsewhere"


@pytest.mark.parametrize(
    "value", ["", "z", "z1", 7, None, "z" + "1" * 5000, "z" + multibase.base58(cbor2.dumps([1]))]
)
def test_attack_malformed_proof_values(value):
    with pytest.raises(merkle_proof_2019.MerkleProofWrong):
        merkle_proof_2019.parse(value)


def test_attack_path_of_another_length(still_world):
    body, _ = blockcert(still_world)
    parts = cbor2.loads(multibase.from_base58(body["proof"]["proofValue"][1:]))
    for path in ([], parts[3][1] * 2, parts[3][1] * 100, [[1, parts[3][1][0][1]]]):
        forged = [*parts[:3], [3, path]]
        value = "z" + multibase.base58(cbor2.dumps(forged))
        with pytest.raises(merkle_proof_2019.MerkleProofWrong):
            merkle_proof_2019.check(body, body["proof"] | {"proofValue": value})
