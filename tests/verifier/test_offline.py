"""Evidence bundles: all checked from a trusted block hash, and nothing said that is not proven."""

from __future__ import annotations

import copy
import json
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth_keys import keys
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import PUBLIC_URL, World, the_world

from baeum.bundles import NotAnchoredYet, bundle
from credential.chain_proof import Header
from credential.evidence import Evidence, EvidenceUnreadable, parse
from credential.seals import block_hash
from ledger.chain.bundle import BundleUnavailable
from verifier import Outcome, Report, Trust, Verdict
from verifier.offline import NoBundle, verify_offline
from verifier.status_source import DirectorySource
from verifier.trust import TrustUnreadable, Validators

CHAIN = ("anchor", "accreditation")


@pytest.fixture(scope="module")
def world() -> World:
    return the_world()


def make(world: World, file: bytes, blocks: int = 0) -> Evidence:
    made, _ = bundle(
        parse(file),
        endpoint=world.chain,
        registry=world.network.registry.lower(),
        status_source=DirectorySource(f"{PUBLIC_URL}/status", world.status_directory),
        blocks=blocks,
    )
    return parse(made.to_bytes())


@pytest.fixture(scope="module")
def good(world: World) -> Evidence:
    return make(world, world.valid)


def block_of(evidence: Evidence) -> bytes:
    assert evidence.receipt is not None
    return evidence.receipt.block_hash


def check(world: World, evidence: Evidence, block: bytes | None = None, **changes: Any) -> Report:
    settings: dict[str, Any] = {
        "trust": world.trust,
        "trusted_block": block_of(evidence) if block is None else block,
        "now": datetime.now(UTC),
    }
    return verify_offline(evidence, **settings | changes)


def changed(evidence: Evidence, **members: Any) -> Evidence:
    return replace(evidence, proofs={**copy.deepcopy(evidence.proofs or {}), **members})


def test_a_bundle_is_valid_against_its_block(world: World, good: Evidence) -> None:
    report = check(world, good)
    assert report.verdict is Verdict.VALID, report.to_json()
    assert all(each.outcome is Outcome.PASSED for each in report.checks)
    assert "without a network" in report.check("anchor").reason.en


def test_a_revoked_and_a_suspended_credential_are_not(world: World) -> None:
    for file in (world.revoked, world.suspended):
        report = check(world, make(world, file))
        assert report.verdict is Verdict.INVALID
        assert report.check("status").outcome is Outcome.FAILED


def test_a_tampered_credential_is_refused(world: World, good: Evidence) -> None:
    report = check(world, Evidence(parse(world.tampered).credential, good.receipt, good.proofs))
    assert report.check("proof").outcome is Outcome.FAILED


def test_another_trusted_block_proves_nothing(world: World, good: Evidence) -> None:
    report = check(world, good, b"\x01" * 32)
    assert report.verdict is Verdict.UNDETERMINED
    assert report.check("anchor").outcome is Outcome.NOT_RUN


def test_no_trusted_block_and_no_validators_prove_nothing(world: World, good: Evidence) -> None:
    report = verify_offline(good, trust=world.trust, trusted_block=None, now=datetime.now(UTC))
    assert report.verdict is Verdict.UNDETERMINED


def test_a_network_that_is_not_trusted_is_said_so(world: World, good: Evidence) -> None:
    report = check(world, good, trust=Trust(()))
    assert report.check("anchor").code == "chain-not-trusted"


def test_every_node_is_needed_or_harmless_and_none_can_be_changed(
    world: World, good: Evidence
) -> None:
    """Without a node, or with one bit of it changed, the bundle never says more than it did."""
    nodes = list((good.proofs or {})["nodes"])
    harmless = set()
    for place, node in enumerate(nodes):
        flipped = node[:-1] + ("0" if node[-1] != "0" else "1")
        for other in ([*nodes[:place], *nodes[place + 1 :]], [*nodes[:place], flipped]):
            report = check(world, changed(good, nodes=other))
            if report.verdict is Verdict.VALID:  # a slot of the registrar's, who anchored nothing
                harmless.add(node)
                continue
            assert report.verdict is Verdict.UNDETERMINED
            assert any(report.check(step).outcome is Outcome.NOT_RUN for step in CHAIN)
    assert len(harmless) <= len(nodes) // 3


def test_a_changed_header_is_another_block(world: World, good: Evidence) -> None:
    header = (good.proofs or {})["headers"][0]
    for place in range(8, len(header), 61):
        flipped = header[:place] + ("0" if header[place] != "0" else "1") + header[place + 1 :]
        report = check(world, changed(good, headers=[flipped]))
        assert report.verdict is Verdict.UNDETERMINED


def test_another_transaction_of_the_block_is_not_the_anchor(world: World, good: Evidence) -> None:
    report = check(world, changed(good, transactionIndex=1))
    assert report.verdict is Verdict.UNDETERMINED
    assert good.receipt is not None
    lied = replace(good, receipt=replace(good.receipt, transaction=b"\x07" * 32))
    assert check(world, lied).check("anchor").code == "transaction-not-in-block"


def test_a_receipt_that_names_another_root_is_refused(world: World, good: Evidence) -> None:
    assert good.receipt is not None
    lied = replace(good, receipt=replace(good.receipt, sequence=good.receipt.sequence + 1))
    assert check(world, lied).check("anchor").code == "another-sender"


def test_an_unaccredited_issuer_is_refused_from_proofs_of_absence(
    world: World, good: Evidence
) -> None:
    """The registry of another address: the state proof shows that nothing is there."""
    (network,) = world.trust.networks
    elsewhere = Trust((replace(network, registry="0x" + "11" * 20),))
    report = check(world, good, trust=elsewhere)
    assert report.check("accreditation").outcome is Outcome.NOT_RUN


@pytest.mark.parametrize(
    "members",
    [
        {"headers": []},
        {"headers": ["0x"]},
        {"headers": ["0xc0"]},
        {"headers": "0x00"},
        {"headers": [7]},
        {"transactionIndex": -1},
        {"transactionIndex": True},
        {"nodes": [None]},
        {"nodes": {}},
        {"statusLists": [{}]},
        {"statusLists": 1},
        {"type": "Other"},
        {"more": 1},
    ],
)
def test_malformed_proofs_are_not_believed(
    world: World, good: Evidence, members: dict[str, Any]
) -> None:
    assert check(world, changed(good, **members)).verdict is Verdict.UNDETERMINED


def test_a_bundle_without_its_status_lists_cannot_tell(world: World, good: Evidence) -> None:
    report = check(world, changed(good, statusLists=[]))
    assert report.verdict is Verdict.UNDETERMINED
    assert report.check("status").outcome is Outcome.NOT_RUN


def test_a_forged_status_list_is_refused(world: World, good: Evidence) -> None:
    lists = copy.deepcopy((good.proofs or {})["statusLists"])
    lists[0]["list"]["credentialSubject"]["statusPurpose"] = "suspension"
    report = check(world, changed(good, statusLists=lists))
    assert report.check("status").outcome is Outcome.FAILED


def test_an_old_snapshot_is_not_a_pass(world: World, good: Evidence) -> None:
    later = datetime.now(UTC).replace(year=datetime.now(UTC).year + 1)
    report = check(world, good, now=later)
    assert report.check("status").outcome is Outcome.NOT_RUN


def test_a_file_without_proofs_is_no_bundle(world: World, good: Evidence) -> None:
    with pytest.raises(NoBundle):
        check(world, parse(world.valid), b"\0" * 32)
    with pytest.raises(NotAnchoredYet):
        make(world, Evidence(good.credential).to_bytes())
    with pytest.raises(EvidenceUnreadable):  # proofs of nothing
        parse(Evidence(good.credential, None, good.proofs).to_bytes())


def test_online_verification_takes_a_bundle_too(world: World, good: Evidence) -> None:
    assert world.services.verify(good).verdict is Verdict.VALID


def test_a_block_that_is_not_there_yet_gives_no_bundle(world: World) -> None:
    with pytest.raises(BundleUnavailable):
        make(world, world.valid, blocks=100)


def test_the_check_itself_makes_no_socket(
    world: World, good: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was asked for")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    assert check(world, good).verdict is Verdict.VALID


def test_the_command_touches_no_network(world: World, good: Evidence, tmp_path: Path) -> None:
    """The command, in a process that ends at the first look-up, connection or datagram. (A library
    makes a socket when it is imported, to see whether this machine knows IPv6; nothing is sent.)"""
    file = tmp_path / "credential.baeum.json"
    file.write_bytes(good.to_bytes())
    (network,) = world.trust.networks
    trust = {
        "chainId": network.chain_id,
        "registry": network.registry,
        "anchor": network.anchor,
        "selfRun": True,
        "rpc": ["http://192.0.2.1:8545"],
    }
    home = tmp_path / "home"
    home.mkdir()
    (home / "network.json").write_text(json.dumps({"networks": [trust]}))
    program = (
        "import os, sys\n"
        "def watch(event, args):\n"
        "    if event.startswith('socket.') and event not in ('socket.__new__', 'socket.bind'):\n"
        "        os._exit(99)\n"
        "sys.addaudithook(watch)\n"
        "from baeum.cli import main\n"
        "sys.exit(main())\n"
    )
    block = "0x" + block_of(good).hex()
    ran = subprocess.run(
        [sys.executable, "-c", program, "verify", str(file), "--offline", "--trust-block", block],
        env={"BAEUM_HOME": str(home), "PATH": "", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


SEALERS = [keys.PrivateKey(bytes([number]) * 32) for number in range(1, 5)]
VALIDATORS = frozenset(key.public_key.to_canonical_address() for key in SEALERS)


def sealed_by(good: Evidence, signing: list[keys.PrivateKey]) -> Evidence:
    """The bundle as a QBFT network would have made it: the same block, sealed by ``signing``."""
    plain = Header.decode(bytes.fromhex((good.proofs or {})["headers"][0][2:]))
    parts = [bytes(32), sorted(VALIDATORS), [], b""]
    digest = plain.with_extra_data(rlp.encode([*parts, []])).hash
    seals = [key.sign_msg_hash(digest).to_bytes() for key in signing]
    header = plain.with_extra_data(rlp.encode([*parts, seals]))
    assert good.receipt is not None
    receipt = replace(good.receipt, block_hash=block_hash(header, "qbft"))
    return replace(
        changed(good, headers=["0x" + header.encode().hex()]),
        receipt=receipt,
    )


def sealed_clique(good: Evidence, signer: keys.PrivateKey) -> Evidence:
    """The bundle as a network with clique style seals would have made it."""
    plain = Header.decode(bytes.fromhex((good.proofs or {})["headers"][0][2:]))
    digest = plain.with_extra_data(bytes(32)).hash
    header = plain.with_extra_data(bytes(32) + signer.sign_msg_hash(digest).to_bytes())
    assert good.receipt is not None
    receipt = replace(good.receipt, block_hash=header.hash)
    return replace(changed(good, headers=["0x" + header.encode().hex()]), receipt=receipt)


@pytest.mark.parametrize(
    ("kind", "trusted", "sealing", "code"),
    [
        ("qbft", 4, 3, 0),  # two thirds of four, rounded up
        ("qbft", 4, 2, 2),
        ("clique", 1, 1, 0),
        ("clique", 2, 1, 2),  # half is not more than half
        ("clique", 1, 2, 2),  # sealed by one who is no signer
    ],
)
def test_the_command_takes_validators_for_a_trusted_block(
    world: World,
    good: Evidence,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    trusted: int,
    sealing: int,
    code: int,
) -> None:
    from baeum.cli import main

    (network,) = world.trust.networks
    addresses = [key.public_key.to_address() for key in SEALERS[:trusted]]
    entry = {
        "chainId": network.chain_id,
        "registry": network.registry,
        "anchor": network.anchor,
        "validators": {"kind": kind, "addresses": addresses},
    }
    (tmp_path / "network.json").write_text(json.dumps({"networks": [entry]}))
    made = (
        sealed_by(good, SEALERS[:sealing])
        if kind == "qbft"
        else sealed_clique(good, SEALERS[sealing - 1])
    )
    (tmp_path / "bundle.json").write_bytes(made.to_bytes())
    monkeypatch.setenv("BAEUM_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert _exit(main, ["verify", "bundle.json", "--offline"], monkeypatch) == code


def _exit(main: Any, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["baeum", *arguments])
    try:
        return int(main() or 0)
    except SystemExit as ended:
        return int(ended.code or 0)


def permissioned(world: World, validators: frozenset[bytes] = VALIDATORS) -> Trust:
    (network,) = world.trust.networks
    return Trust((replace(network, validators=Validators("qbft", validators)),))


def test_two_thirds_of_the_validators_stand_in_for_a_trusted_hash(
    world: World, good: Evidence
) -> None:
    now, trust = datetime.now(UTC), permissioned(world)
    for count, verdict in ((4, "valid"), (3, "valid"), (2, "undetermined"), (0, "undetermined")):
        evidence = sealed_by(good, SEALERS[:count])
        report = verify_offline(evidence, trust=trust, trusted_block=None, now=now)
        assert report.verdict.value == verdict, report.to_json()


def test_a_qbft_block_may_be_trusted_by_hash_without_knowing_its_validators(
    world: World, good: Evidence
) -> None:
    evidence = sealed_by(good, SEALERS)
    assert check(world, evidence).verdict is Verdict.VALID
    assert check(world, evidence, b"\x03" * 32).verdict is Verdict.UNDETERMINED


def test_validators_of_another_network_do_not_count(world: World, good: Evidence) -> None:
    others = permissioned(world, frozenset({b"\x09" * 20}))
    evidence = sealed_by(good, SEALERS)
    report = verify_offline(evidence, trust=others, trusted_block=None, now=datetime.now(UTC))
    assert report.verdict is Verdict.UNDETERMINED


def test_a_given_hash_is_asked_of_a_permissioned_network_too(world: World, good: Evidence) -> None:
    evidence = sealed_by(good, [])
    assert check(world, evidence, trust=permissioned(world)).verdict is Verdict.VALID
    report = check(world, evidence, b"\x03" * 32, trust=permissioned(world))
    assert report.verdict is Verdict.UNDETERMINED


def test_validators_in_a_trust_file() -> None:
    entry = {"chainId": 1, "registry": "0x" + "01" * 20, "anchor": "0x" + "02" * 20}
    listed = {"kind": "qbft", "addresses": ["0x" + "03" * 20]}
    (network,) = Trust.from_json({"networks": [entry | {"validators": listed}]}).networks
    assert network.validators == Validators("qbft", frozenset({b"\x03" * 20}))
    for wrong in ({}, [], listed | {"kind": "pow"}, listed | {"addresses": []}, {"kind": "qbft"}):
        with pytest.raises(TrustUnreadable):
            Trust.from_json({"networks": [entry | {"validators": wrong}]})


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(value, dict | list):
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(found for key, each in inner for found in places(each, (*path, key)))]


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.text(max_size=6),
    st.binary(max_size=80).map(lambda raw: "0x" + raw.hex()),
    st.just([]),
    st.just({}),
    st.just("0xc0"),
)


@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(which=st.integers(0, 10_000), replacement=ANYTHING)
def test_any_part_of_the_proofs_replaced_by_anything(
    world: World, good: Evidence, which: int, replacement: Any
) -> None:
    """Never an error, and never a pass that rests on what was replaced."""
    proofs = copy.deepcopy(good.proofs or {})
    path = [found for found in places(proofs) if found][which % (len(places(proofs)) - 1)]
    target: Any = proofs
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = replacement
    spoilt = replace(good, proofs=proofs)
    report = check(world, spoilt)
    if report.verdict is Verdict.VALID and proofs != good.proofs:
        assert path[0] == "nodes"  # one that no step asked for
        assert len(path) == 2
