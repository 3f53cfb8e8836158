"""Attacks with an issuer's keys: lost ones, ended ones, borrowed names."""

from __future__ import annotations

import json

from eth_utils.crypto import keccak

from tests.verifier.conftest import FOREVER, NOW, Institution, World
from verifier.report import Outcome

SECONDS = int(NOW.timestamp())


def code(report, check):
    return report.check(check).code


def rekeyed(world: World, institution: Institution) -> Institution:
    """The same institution with a second key, bound in the registry."""
    second = Institution(institution.id + " second key")
    second.id, second.on_chain = institution.id, institution.on_chain
    world.node.dids[keccak(text=second.did)] = institution.on_chain
    return second


def republish(world: World, institution: Institution, signer: Institution) -> None:
    for purpose in ("revocation", "suspension"):
        world.publish(institution, purpose, signer=signer, issuer=signer.did)


def test_anchored_after_the_key_ended(world: World) -> None:
    evidence = world.issue()
    ended = int(world.anchored_at.timestamp()) - 1
    world.node.periods[keccak(text=world.university.did)] = (0, ended)
    assert code(world.verify(evidence), "accreditation") == "key-not-valid-then"


def test_anchored_before_the_key_ended_with_lists_by_the_new_one(world: World) -> None:
    evidence = world.issue()
    second = rekeyed(world, world.university)
    world.node.periods[keccak(text=world.university.did)] = (0, SECONDS - 60)
    republish(world, world.university, second)
    assert world.verify(evidence).verdict == "valid"


def test_a_status_list_by_the_lost_key_cannot_unrevoke(world: World) -> None:
    """Whoever has the old key signs a clean list, dated as they like: it says nothing."""
    evidence = world.issue()
    world.node.periods[keccak(text=world.university.did)] = (0, SECONDS - 60)
    report = world.verify(evidence)
    assert report.check("status").outcome is Outcome.NOT_RUN
    assert report.verdict == "undetermined"


def test_a_status_list_by_another_institution_or_a_stranger(world: World) -> None:
    evidence = world.issue()
    republish(world, world.university, world.centre)
    assert code(world.verify(evidence), "status") == "status-list-other-issuer"
    republish(world, world.university, world.stranger("nobody"))
    # Nobody knows that key. It may be newer than what was read of the registry, or not: never good.
    assert world.verify(evidence).verdict != "valid"


def test_a_did_web_that_names_its_own_key(world: World) -> None:
    """A method ``did:web:…#z6Mk…`` spells its key out; that alone makes nobody the issuer."""
    thief = Institution("thief")
    did = "did:web:www.snu.ac.kr"
    method = f"{did}#{thief.did.removeprefix('did:key:')}"
    document = world.document()
    document["issuer"]["id"] = did
    signed = thief.sign(document, verification_method=method)
    [evidence] = world.anchor([signed])
    report = world.verify(evidence)
    assert code(report, "issuer-key") == "did-web-unknown"
    assert report.verdict != "valid"
    assert report.facts == {}  # nothing it says is shown as anybody's word
    # bound to another institution than the one the anchor names: refused as that
    world.node.dids[keccak(text=method)] = world.centre.on_chain
    world.node.periods[keccak(text=method)] = (0, FOREVER)
    world.accredit(world.centre, "course")
    assert code(world.verify(evidence), "accreditation") == "another-institution"


def test_a_did_web_the_registry_binds_needs_no_document(world: World) -> None:
    university = world.university
    did = "did:web:baeum.example:institutions:university"
    method = f"{did}#{university.did.removeprefix('did:key:')}"
    world.node.dids[keccak(text=method)] = university.on_chain
    document = world.document()
    document["issuer"]["id"] = did
    [evidence] = world.anchor([university.sign(document, verification_method=method)])
    for purpose in ("revocation", "suspension"):
        body = world.list_document(university, purpose, issuer=did)
        world.put(university, purpose, university.sign(body, verification_method=method))
    assert world.verify(evidence).verdict == "valid"
    # taken by somebody else's key under the same DID
    thief = Institution("thief")
    forged = thief.sign(document, verification_method=f"{did}#{thief.did.removeprefix('did:key:')}")
    [evidence] = world.anchor([forged])
    assert world.verify(evidence).verdict != "valid"


def test_the_node_is_down_and_nothing_is_called_forged(world: World) -> None:
    evidence = world.issue()
    second = rekeyed(world, world.university)
    republish(world, world.university, second)
    world.node.down = True
    report = world.verify(json.loads(evidence.to_bytes()))
    assert not [c.id for c in report.checks if c.outcome is Outcome.FAILED]
    assert report.verdict == "undetermined"
