"""Attacks on a verifier, one test each, named after the attack. None may end in ``valid``."""

from __future__ import annotations

import copy
import json
import sys
from dataclasses import replace

import pytest

from credential import integrity, merkle
from credential.evidence import Evidence
from credential.multibase import base58
from credential.receipt import leaf_input
from verifier import Outcome, Verdict


def assert_rejected(report, check_id: str, code: str | None = None) -> None:
    """The verdict is ``invalid`` because of this check."""
    assert report.verdict is Verdict.INVALID, report.to_json()
    assert report.decisive.id == check_id, report.decisive
    if code is not None:
        assert report.decisive.code == code
    assert report.decisive.reason.ko
    assert report.decisive.reason.en


def changed_receipt(evidence: Evidence, **changes) -> Evidence:
    return Evidence(evidence.credential, replace(evidence.receipt, **changes))


# -- proof --


def test_one_character_of_the_content_changed(world):
    evidence = world.issue()
    evidence.credential["credentialSubject"]["identifier"][0]["identityHash"] = "김하눌"
    assert_rejected(world.verify(evidence), "proof", "signature-mismatch")


def test_proof_swapped_between_two_credentials_of_a_batch(world):
    first, second = (world.university.sign(world.document()) for _ in range(2))
    one, two = world.anchor([first, second])
    assert world.verify(one).verdict is Verdict.VALID
    swapped = {**first, "proof": second["proof"]}
    for receipt in (one.receipt, two.receipt):
        assert_rejected(world.verify(Evidence(swapped, receipt)), "proof")


def test_receipt_swapped_between_two_credentials_of_a_batch(world):
    one, two = world.anchor([world.university.sign(world.document()) for _ in range(2)])
    report = world.verify(Evidence(one.credential, two.receipt))
    assert_rejected(report, "merkle-path", "path-elsewhere")


def test_receipt_swapped_between_two_batches(world):
    one, two = world.issue(), world.issue()
    report = world.verify(Evidence(one.credential, two.receipt))
    assert_rejected(report, "merkle-path", "path-elsewhere")


def test_proof_removed(world):
    evidence = world.issue()
    del evidence.credential["proof"]
    assert_rejected(world.verify(evidence), "proof", "proof-absent")


@pytest.mark.parametrize("proof", [[], None, "none", [None], [[]], {}, 7])
def test_proof_that_is_no_proof(world, proof):
    evidence = world.issue()
    evidence.credential["proof"] = proof
    report = world.verify(evidence)
    assert report.verdict is not Verdict.VALID
    assert report.check("proof").outcome is not Outcome.PASSED


def test_second_proof_of_a_set_is_broken(world):
    evidence = world.issue()
    broken = {**evidence.credential["proof"], "proofValue": "z" + base58(b"\x01" * 64)}
    evidence.credential["proof"] = [evidence.credential["proof"], broken]
    assert_rejected(world.verify(evidence), "proof")


@pytest.mark.parametrize("suite", ["none", "ecdsa-rdfc-2019", "bbs-2023", "", None, 7])
def test_alg_confusion_unknown_cryptosuite(world, suite):
    evidence = world.issue()
    evidence.credential["proof"]["cryptosuite"] = suite
    report = world.verify(evidence)
    assert report.verdict is not Verdict.VALID
    assert report.check("proof").outcome is not Outcome.PASSED
    assert report.facts == {}


def test_alg_confusion_other_known_cryptosuite(world):
    evidence = world.issue()
    evidence.credential["proof"]["cryptosuite"] = "eddsa-jcs-2022"
    assert_rejected(world.verify(evidence), "proof")


@pytest.mark.parametrize("member", ["jwk", "publicKeyMultibase", "publicKeyJwk", "verificationKey"])
def test_key_injected_into_the_proof(world, member):
    """A proof that brings its own key is not believed: the key comes from the DID alone."""
    evidence = world.issue()
    stranger = world.stranger("an attacker")
    forged = stranger.sign(
        {k: v for k, v in evidence.credential.items() if k != "proof"},
        verification_method=world.university.method,
    )
    forged["proof"][member] = stranger.did.removeprefix("did:key:")
    assert_rejected(world.verify(Evidence(forged, evidence.receipt)), "proof")


def test_signature_of_a_stranger_under_the_issuers_method(world):
    stranger = world.stranger("an attacker")
    forged = stranger.sign(world.document(), verification_method=world.university.method)
    assert_rejected(world.verify(forged), "proof", "signature-mismatch")


def test_proof_made_for_another_purpose(world):
    signed = world.university.sign(world.document(), proof_purpose="authentication")
    assert_rejected(world.verify(world.anchor([signed])[0]), "proof")


# -- context --


def test_context_redefined_inline(world):
    """An inline context could make a word mean nothing, so that it can be changed unnoticed."""
    evidence = world.issue()
    evidence.credential["@context"].append({"name": None})
    evidence.credential["name"] = "박사 학위"
    assert_rejected(world.verify(evidence), "schema", "context-inline")


def test_context_redefined_deep_inside(world):
    evidence = world.issue()
    achievement = evidence.credential["credentialSubject"]["achievement"]
    achievement["@context"] = {"name": "https://attacker.example/name"}
    assert_rejected(world.verify(evidence), "schema", "context-inline")


def test_context_redefined_by_an_inline_one_signed_with_jcs(world):
    """The JCS suite signs the context too, but readers would still take the word at face value."""
    document = world.document()
    document["@context"].append({"name": "https://attacker.example/nothing"})
    signed = world.university.sign(document, cryptosuite="eddsa-jcs-2022")
    assert_rejected(world.verify(signed), "schema", "context-inline")


def test_context_replaced_by_an_unknown_one(world):
    evidence = world.issue()
    evidence.credential["@context"][1] = "https://attacker.example/context.json"
    assert_rejected(world.verify(evidence), "schema", "structure-wrong")


def test_context_added_that_is_unknown(world):
    evidence = world.issue()
    evidence.credential["@context"].append("https://attacker.example/context.json")
    report = world.verify(evidence)
    assert report.verdict is Verdict.UNDETERMINED
    assert report.check("schema").code == "context-unknown"


def test_context_replaced_by_another_known_one(world):
    evidence = world.issue()
    evidence.credential["@context"] = evidence.credential["@context"][:1]
    report = world.verify(evidence)
    assert report.verdict is Verdict.INVALID
    assert report.decisive.id in ("schema", "proof")


def test_undefined_term_is_not_dropped_from_what_is_signed(world):
    evidence = world.issue()
    evidence.credential["credentialSubject"]["grade"] = "A+"
    assert_rejected(world.verify(evidence), "proof")


# -- issuer --


def test_issuer_key_of_another_institution(world):
    """Signed by the centre, in the name of the university."""
    document = world.document(world.university)
    forged = world.centre.sign(document)
    evidence = world.anchor([forged], world.university)[0]
    assert_rejected(world.verify(evidence), "issuer-key", "not-the-issuers-key")


def test_batch_place_of_another_institution(world):
    """The centre's credential, put under the university's name in the tree."""
    world.accredit(world.centre, "course")
    signed = world.centre.sign(world.document(world.centre))
    evidence = world.anchor([signed], world.university)[0]
    assert_rejected(world.verify(evidence), "accreditation", "another-institution")


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        (3, "not-for-this-kind"),
        (4, "suspended-then"),
        (5, "ended-then"),
        (6, "key-not-valid-then"),
        (0, "issuer-not-registered"),
    ],
)
def test_issuer_without_standing_at_that_time(world, standing, code):
    evidence = world.issue()
    world.accredit(world.university, "course", lambda _: standing)
    assert_rejected(world.verify(evidence), "accreditation", code)


def test_accredited_for_another_kind(world):
    evidence = world.issue(achievement_type="CommunityService")
    assert_rejected(world.verify(evidence), "accreditation", "not-for-this-kind")


def test_kind_that_nobody_knows(world):
    evidence = world.issue(achievement_type="ext:wizardry")  # not the name of a kind of ours
    assert_rejected(world.verify(evidence), "accreditation", "kind-unknown")
    evidence = world.issue(achievement_type="ext:Wizardry")  # one, but nobody is accredited for it
    assert_rejected(world.verify(evidence), "accreditation", "not-for-this-kind")


def test_after_suspension(world):
    """Anchored after the suspension: not good. Anchored before: stays good."""
    suspended_from = int(world.anchored_at.timestamp()) + 1

    def judge(time):
        return 4 if time >= suspended_from else 1

    world.accredit(world.university, "course", judge)
    before = world.issue()
    assert world.verify(before).verdict is Verdict.VALID
    signed = world.university.sign(world.document())
    after = world.anchor([signed], at=world.anchored_at.replace(day=9))[0]
    assert_rejected(world.verify(after), "accreditation", "suspended-then")


def test_provisional_accreditation_is_good_and_said(world):
    evidence = world.issue()
    world.accredit(world.university, "course", lambda _: 2)
    report = world.verify(evidence)
    assert report.verdict is Verdict.VALID
    assert [note.code for note in report.check("accreditation").notes] == ["provisional"]


# -- Merkle --


def test_inner_node_as_leaf(world):
    """The root's child cannot be offered as the leaf of a smaller tree: leaves are computed."""
    evidence = world.issue()
    receipt = evidence.receipt
    shorter = changed_receipt(
        evidence, leaf_index=receipt.leaf_index // 2, tree_size=2, path=receipt.path[1:]
    )
    assert_rejected(world.verify(shorter), "merkle-path")


def test_inner_node_hashed_as_a_leaf_differs(world):
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


def test_duplicated_last_leaf(world):
    """In a tree of three the last leaf is not doubled, so index 3 does not exist."""
    signed = [world.university.sign(world.document()) for _ in range(3)]
    evidence = world.anchor(signed)[2]
    doubled = changed_receipt(evidence, leaf_index=3, tree_size=4)
    assert_rejected(world.verify(doubled), "merkle-path")
    receipt = evidence.receipt
    leaf = merkle.leaf_hash(
        leaf_input(
            evidence.credential,
            chain_id=receipt.chain_id,
            contract=receipt.contract,
            institution=receipt.institution,
        )
    )
    for index in (2, 3):
        padded = changed_receipt(
            evidence, leaf_index=index, tree_size=4, path=(leaf, *receipt.path)
        )
        assert_rejected(world.verify(padded), "merkle-path")


@pytest.mark.parametrize("change", ["shorter", "longer", "empty"])
def test_wrong_path_length(world, change):
    evidence = world.issue()
    path = evidence.receipt.path
    paths = {"shorter": path[:-1], "longer": (*path, b"\x00" * 32), "empty": ()}
    report = world.verify(changed_receipt(evidence, path=paths[change]))
    assert_rejected(report, "merkle-path", "path-malformed")


def test_index_outside_the_tree(world):
    evidence = world.issue()
    report = world.verify(changed_receipt(evidence, leaf_index=4))
    assert_rejected(report, "merkle-path", "path-malformed")


def test_every_other_index_and_size(world):
    """An RFC 9162 tree head alone would accept some of these: the anchored root binds the size."""
    evidence = world.issue()
    place = evidence.receipt.leaf_index, evidence.receipt.tree_size
    for size in range(1, 12):
        for index in range(size):
            if (index, size) != place:
                moved = changed_receipt(evidence, leaf_index=index, tree_size=size)
                assert_rejected(world.verify(moved), "merkle-path")


# -- anchor --


def test_anchor_on_another_chain(world):
    signed = world.university.sign(world.document())
    evidence = world.anchor([signed], chain_id=1)[0]
    assert_rejected(world.verify(evidence), "anchor", "chain-not-trusted")


def test_receipt_of_one_chain_relabelled_for_another(world):
    """The leaf commits to the chain, so a receipt cannot be carried over."""
    signed = world.university.sign(world.document())
    elsewhere = world.anchor([signed], chain_id=1)[0]
    relabelled = changed_receipt(elsewhere, chain_id=20260)
    assert_rejected(world.verify(relabelled), "merkle-path", "path-elsewhere")


def test_anchor_by_another_contract(world):
    signed = world.university.sign(world.document())
    evidence = world.anchor([signed], contract=b"\xee" * 20)[0]
    assert_rejected(world.verify(evidence), "anchor", "contract-not-trusted")


def test_event_forged_by_another_contract(world):
    """The receipt names the trusted contract, the event comes from the attacker's."""
    evidence = world.issue()
    transaction = "0x" + evidence.receipt.transaction.hex()
    world.node.receipts[transaction]["logs"][0]["address"] = "0x" + "ee" * 20
    assert_rejected(world.verify(evidence), "anchor", "event-of-another-contract")


def test_another_event_of_the_trusted_contract(world):
    evidence = world.issue()
    transaction = "0x" + evidence.receipt.transaction.hex()
    world.node.receipts[transaction]["logs"][0]["topics"][0] = "0x" + "77" * 32
    assert_rejected(world.verify(evidence), "anchor", "event-of-another-contract")


def test_anchor_by_another_sender(world):
    evidence = world.issue()
    claimed = changed_receipt(evidence, anchored_by=world.university.on_chain)
    assert_rejected(world.verify(claimed), "anchor", "another-sender")


def test_anchored_by_an_institution_that_is_no_registrar(world):
    """The centre anchors the university's credential, for a kind of its own."""
    signed = world.university.sign(world.document())
    evidence = world.anchor([signed], by=world.centre, event_kind="volunteering")[0]
    assert_rejected(world.verify(evidence), "anchor", "anchored-without-right")


def test_registrar_that_was_not_accredited_then(world):
    evidence = world.issue()
    world.accredit(world.registrar, "registrar", lambda _: 5)
    assert_rejected(world.verify(evidence), "accreditation", "registrar-not-accredited")


def test_institution_anchors_its_own_kind_only(world):
    signed = world.university.sign(world.document())
    own = world.anchor([signed], by=world.university, event_kind="course")[0]
    assert world.verify(own).verdict is Verdict.VALID
    signed = world.university.sign(world.document())
    other = world.anchor([signed], by=world.university, event_kind="volunteering")[0]
    assert_rejected(world.verify(other), "anchor", "anchored-without-right")


def test_another_root_than_the_transactions(world):
    evidence = world.issue()
    transaction = "0x" + evidence.receipt.transaction.hex()
    world.node.receipts[transaction]["logs"][0]["topics"][1] = "0x" + "55" * 32
    assert_rejected(world.verify(evidence), "anchor", "another-root")


@pytest.mark.parametrize(
    "changes", [{"sequence": 8}, {"head": b"\x0a" * 32}, {"anchored_by": b"\x0b" * 32}]
)
def test_receipt_that_differs_from_the_event(world, changes):
    report = world.verify(changed_receipt(world.issue(), **changes))
    assert_rejected(report, "anchor", "another-sender")


def test_transaction_of_another_block(world):
    one, two = world.issue(), world.issue()
    report = world.verify(changed_receipt(one, transaction=two.receipt.transaction))
    assert_rejected(report, "anchor", "transaction-not-in-block")


def test_transaction_that_failed(world):
    evidence = world.issue()
    world.node.receipts["0x" + evidence.receipt.transaction.hex()]["status"] = "0x0"
    assert_rejected(world.verify(evidence), "anchor", "transaction-failed")


@pytest.mark.parametrize("time", ["2026-11-01T23:59:59Z", "2026-13-02T00:00:00Z"])
def test_block_time_backdated(world, time):
    """Backdating would move the credential before a suspension."""
    report = world.verify(changed_receipt(world.issue(), block_time=time))
    assert_rejected(report, "anchor", "receipt-contradicts-chain")


def test_not_final(world):
    signed = world.university.sign(world.document())
    evidence = world.anchor([signed], confirmations=2)[0]
    report = world.verify(evidence)
    assert report.verdict is Verdict.UNDETERMINED
    assert report.check("anchor").code == "anchor-not-final"
    assert report.check("anchor").outcome is Outcome.NOT_RUN
    world.node.mine(world.anchored_at.replace(day=3))
    assert world.verify(evidence).verdict is Verdict.VALID


def test_reorganised_away(world):
    evidence = world.issue()
    assert world.verify(evidence).verdict is Verdict.VALID
    number = evidence.receipt.block_number
    world.node.receipts.clear()
    del world.node.blocks[number:]
    for hour in range(6):
        world.node.mine(world.anchored_at.replace(hour=hour))
    assert_rejected(world.verify(evidence), "anchor", "reorganised-away")


def test_reorganised_into_another_block(world):
    """The transaction was mined again later: the old receipt no longer says the truth."""
    evidence = world.issue()
    number = evidence.receipt.block_number
    transaction = "0x" + evidence.receipt.transaction.hex()
    del world.node.blocks[number:]
    world.node.mine(world.anchored_at)
    moved = world.node.mine(world.anchored_at.replace(day=3), [transaction])
    world.node.receipts[transaction] |= {
        "blockNumber": moved["number"],
        "blockHash": moved["hash"],
    }
    for day in range(4, 9):
        world.node.mine(world.anchored_at.replace(day=day))
    assert_rejected(world.verify(evidence), "anchor", "reorganised-away")


# -- the file --


def test_duplicate_member_in_the_file(world):
    body = world.issue().to_bytes()
    doubled = body.replace(b'"credential":', b'"credential": {}, "credential":', 1)
    assert_rejected(world.verify(doubled), "format")


def test_receipt_in_another_spelling(world):
    """Same meaning, other bytes: not the evidence that was handed out."""
    evidence = world.issue()
    address = "0x" + evidence.receipt.contract.hex()
    body = evidence.to_bytes().decode()
    assert_rejected(
        world.verify(body.replace(address, "0x" + address[2:].upper())),
        "format",
        "receipt-not-canonical",
    )
    flag = body.replace('"version": 1', '"version": true')
    assert flag != body
    assert_rejected(world.verify(flag), "format")


@pytest.fixture
def deep_recursion_allowed():
    """An EVM in the same process raises Python's recursion limit far beyond what the C stack
    holds; a parser that relies on the limit then takes the whole process down."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("deep_recursion_allowed")
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"":'])
def test_nesting_that_would_overflow_the_stack(world, opening):
    hostile = opening * (1_000_000 // len(opening))
    assert_rejected(world.verify(hostile), "format")
    evidence = world.issue()
    world.lists.bodies[world.list_url(world.university, "revocation")] = hostile
    assert_rejected(world.verify(evidence), "status", "status-list-malformed")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'"text"',
        b"[" * 5000,
        b'{"@context":' + b"[" * 60 + b"]" * 60 + b"}",
        b" " * 1_100_000,
        b'{"a":NaN}',
        b'{"type":"BaeumEvidence","version":1,"credential":{}}',
        b'{"type":"BaeumEvidence","version":1,"credential":{"proof":[]},"receipt":{}}',
        b'{"@context":"https://www.w3.org/ns/credentials/v2","proof":{"verificationMethod":"#"}}',
        json.dumps({"@context": ["\ud800"]}).encode(),
    ],
)
def test_garbage_is_an_answer_and_not_a_crash(world, body):
    report = world.verify(body)
    assert report.verdict is Verdict.INVALID
    assert report.facts == {}


def test_an_object_no_file_could_hold(world):
    evidence = world.issue()
    strange = copy.deepcopy(evidence.credential)
    strange["credentialSubject"]["creditsEarned"] = {1, 2}
    assert_rejected(world.verify(Evidence(strange, evidence.receipt)), "format")


def test_verification_does_not_change_what_it_is_given(still_world, good):
    before = copy.deepcopy(good.to_json())
    still_world.verify(good)
    assert good.to_json() == before


def test_integrity_signs_with_two_suites_and_checks_a_closed_list():
    """The verifier relies on it: a suite added there must be looked at here."""
    assert integrity.SUITES == ("eddsa-rdfc-2022", "eddsa-jcs-2022")
    assert set(integrity.CHECKED) - set(integrity.SUITES) == {
        "ecdsa-rdfc-2019",
        "ecdsa-jcs-2019",
        "ecdsa-sd-2023",
        "Ed25519Signature2020",
    }
