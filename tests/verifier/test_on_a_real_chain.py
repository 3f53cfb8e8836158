"""The same verification against the compiled contracts on a real EVM.

Nothing is imagined here but the time: institutions are registered, a root is anchored, one
institution is suspended, and the verifier reads all of it through JSON-RPC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from eth_account import Account
from eth_hash.auto import keccak

from credential import merkle
from credential.evidence import Evidence
from credential.receipt import Receipt, leaf_input
from credential.text import Text
from ledger.chain.embedded import EmbeddedChain
from ledger.chain.gateway import Gateway
from ledger.chain.network import deploy
from verifier import ChainReader, Outcome, Trust, TrustedNetwork, Verdict

START = datetime(2026, 11, 1, tzinfo=UTC)


class City:
    """A chain with the contracts on it, and a clock that a test may move."""

    def __init__(self, folder: Any) -> None:
        self.moment = START
        self.account = Account.from_key(keccak(b"an operator of a test"))
        self.chain = EmbeddedChain.open(
            folder, operator=self.account.address, clock=lambda: int(self.moment.timestamp())
        )
        network = deploy(self.chain, self.account)
        self.gateway = Gateway(self.chain, network, self.account)
        self.network = network
        self.trust = Trust(
            (
                TrustedNetwork(
                    chain_id=network.chain_id,
                    registry=network.registry,
                    anchor=network.anchor,
                    self_run=network.self_run,
                    confirmations=1,
                    name=Text("시험용 체인", "a chain for tests"),
                ),
            )
        )

    def later(self, **time: float) -> None:
        self.moment += timedelta(**time)

    def anchor(self, credential: dict[str, Any], institution: bytes, registrar: bytes) -> Evidence:
        """One credential beside another leaf, anchored by this account as the registrar."""
        contract = bytes.fromhex(self.network.anchor[2:])
        place = {
            "chain_id": self.network.chain_id,
            "contract": contract,
            "institution": institution,
        }
        leaf = merkle.leaf_hash(leaf_input(credential, **place))
        tree = merkle.Tree([merkle.leaf_hash(b"another"), leaf])
        gateway = self.gateway
        signed = gateway.sign_anchor(
            tree.commitment, gateway.nonce(gateway.address), gateway.suggest_fees()
        )
        gateway.send(signed.raw)
        mined = gateway.receipt(signed.hash)
        assert mined is not None
        assert mined.succeeded
        return Evidence(
            credential,
            Receipt(
                leaf_index=1,
                tree_size=2,
                path=tuple(tree.path(1)),
                root=tree.commitment,
                anchored_by=registrar,
                transaction=bytes.fromhex(signed.hash[2:]),
                block_number=mined.block_number,
                block_hash=bytes.fromhex(mined.block_hash[2:]),
                block_time=mined.block_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
                sequence=mined.sequence or 0,
                head=bytes.fromhex((mined.head or "")[2:]),
                **place,
            ),
        )


@pytest.fixture(scope="module")
def city(tmp_path_factory, still_world) -> Iterator[City]:
    made = City(tmp_path_factory.mktemp("chain"))
    university, registrar = still_world.university, still_world.registrar
    made.gateway.register_institution(registrar.id, registrar.did, ["registrar"], START)
    made.gateway.register_institution(university.id, university.did, ["course"], START)
    made.later(hours=1)
    yield made
    made.chain.close()


@pytest.fixture
def look(city, still_world):
    reader = ChainReader(city.chain.call, city.network.chain_id)

    def verify(evidence: Evidence, **changes: Any):
        settings = {"trust": city.trust, "chain": lambda _: reader} | changes
        return still_world.verify(evidence, **settings)

    return verify


@pytest.fixture
def anchored(city, still_world) -> Evidence:
    university = still_world.university
    signed = university.sign(still_world.document())
    return city.anchor(signed, university.on_chain, still_world.registrar.on_chain)


def test_a_credential_anchored_by_the_registrar_is_valid(look, anchored):
    report = look(anchored)
    assert report.verdict is Verdict.VALID, report.to_json()
    assert [note.code for note in report.check("anchor").notes] == ["self-run-chain"]
    assert report.check("accreditation").details["standing"] == "accredited"


def test_a_receipt_that_lies_about_the_chain_is_found_out(look, anchored):
    receipt = anchored.receipt
    for changes in (
        {"anchored_by": b"\x01" * 32},
        {"sequence": receipt.sequence + 1},
        {"head": b"\x02" * 32},
        {"block_hash": b"\x03" * 32},
        {"block_time": "2026-10-01T00:00:00Z"},
        {"transaction": b"\x04" * 32},
        {"block_number": receipt.block_number - 1},
    ):
        report = look(Evidence(anchored.credential, replace(receipt, **changes)))
        assert report.verdict is Verdict.INVALID, changes
        assert report.decisive.id == "anchor"
    ahead = replace(receipt, block_number=10_000)
    assert look(Evidence(anchored.credential, ahead)).verdict is Verdict.UNDETERMINED


def test_a_kind_the_institution_is_not_accredited_for(look, city, still_world):
    university = still_world.university
    signed = university.sign(still_world.document(achievement_type="CommunityService"))
    evidence = city.anchor(signed, university.on_chain, still_world.registrar.on_chain)
    report = look(evidence)
    assert report.decisive.code == "not-for-this-kind"


def test_an_institution_the_registry_does_not_know(look, city, still_world):
    stranger = still_world.stranger("a-university-abroad")
    signed = stranger.sign(still_world.document(stranger))
    evidence = city.anchor(signed, stranger.on_chain, still_world.registrar.on_chain)
    report = look(evidence)
    assert report.check("anchor").outcome is Outcome.PASSED
    assert report.decisive.code == "issuer-not-registered"


def test_the_place_of_an_institution_that_did_not_issue(look, city, still_world):
    signed = still_world.university.sign(still_world.document())
    evidence = city.anchor(signed, b"\x0c" * 32, still_world.registrar.on_chain)
    assert look(evidence).decisive.code == "another-institution"


def test_before_and_after_a_suspension(look, city, still_world, anchored):
    """What was anchored before stays good; what was anchored meanwhile never becomes good."""
    university = still_world.university
    city.later(days=1)
    city.gateway.suspend(university.id)
    city.later(days=1)
    signed = university.sign(still_world.document())
    after = city.anchor(signed, university.on_chain, still_world.registrar.on_chain)
    city.later(days=1)
    city.gateway.reinstate(university.id)
    assert look(anchored).verdict is Verdict.VALID
    assert look(after).decisive.code == "suspended-then"


def test_an_endpoint_of_another_chain(look, city, anchored, tmp_path):
    account = Account.from_key(keccak(b"somebody else"))
    with EmbeddedChain.open(tmp_path, operator=account.address) as other:
        reader = ChainReader(other.call, city.network.chain_id)
        report = look(anchored, chain=lambda _: reader)
    assert report.verdict is Verdict.UNDETERMINED
    assert report.check("anchor").code == "endpoint-wrong-chain"
