"""An institution's key changes, in turn and in an emergency; old credentials stay good."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from small_city import CENTRE, UNIVERSITY, Found, SmallCity, found_city  # noqa: F401

from credential import integrity, merkle, receipt
from credential.evidence import Evidence
from credential.receipt import Receipt
from ledger.chain.names import institution_id


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {check["id"]: check["code"] for check in report["checks"]}


@pytest.mark.parametrize("did", ["key", "web"])
def test_a_rotation_breaks_no_old_credential(found_city: Found, did: str) -> None:  # noqa: F811
    city = found_city(did)
    first = city.record()
    city.issue()
    before = city.evidence(city.credential_of(first))
    assert city.verify(before)["verdict"] == "valid"

    _wait_for_the_clock(city)
    rotated = city.baeum("keys", "rotate", UNIVERSITY)
    assert rotated["old"]["state"] == "retiring"
    assert rotated["new"]["method"] != rotated["old"]["method"]
    assert (rotated["new"]["did"] == rotated["old"]["did"]) == (did == "web")

    second = city.record()
    city.issue()
    after = city.evidence(city.credential_of(second))
    methods = [
        orjson.loads(path.read_bytes())["credential"]["proof"]["verificationMethod"]
        for path in (before, after)
    ]
    assert methods == [rotated["old"]["method"], rotated["new"]["method"]]
    for path in (before, after):
        assert city.verify(path)["verdict"] == "valid"
    # and with no network at all: the bundle carries whose keys signed the lists
    for record, blocks, code in ((first, 3, "in-force"), (second, 0, "in-force"), (first, 0, None)):
        bundle = city.evidence(city.credential_of(record), "--bundle", "--blocks", str(blocks))
        report = city.verify(bundle, "--offline", "--trust-block", _block(city, bundle, blocks))
        # a block from before the rotation knows no new key
        assert outcomes(report)["status"] == (code or "status-list-unreadable"), report
    listed = city.baeum("keys", "list", UNIVERSITY)["keys"]
    assert [key["state"] for key in listed] == ["retiring", "active"]


def _wait_for_the_clock(city: SmallCity) -> None:
    """Blocks made in one second are dated a second apart, so a busy chain runs ahead of the clock.
    A list that is to be seen as newer than a block has to be made when the clock is past it."""
    with city.opened() as home:
        block = home.endpoint().call("eth_getBlockByNumber", ["latest", False])
    time.sleep(max(0.0, int(block["timestamp"], 16) + 1.1 - time.time()))


def _block(city: SmallCity, bundle: Path, blocks: int) -> str:
    number = orjson.loads(bundle.read_bytes())["receipt"]["blockNumber"] + blocks
    with city.opened() as home:
        return str(home.endpoint().call("eth_getBlockByNumber", [hex(number), False])["hash"])


def test_a_lost_key_is_replaced(found_city: Found) -> None:  # noqa: F811
    """Signed and anchored before it was lost: good. After: refused, and made anew by us."""
    city = found_city()
    before, after, waiting = city.record(), None, None
    city.issue()
    good = city.evidence(city.credential_of(before))
    time.sleep(1.1)  # block times are whole seconds
    lost = datetime.now(UTC)
    time.sleep(1.1)
    after = city.record()
    city.issue()
    waiting = city.record()
    city.issue(anchor=False)
    late, unanchored = city.credential_of(after), city.credential_of(waiting)
    late_file = city.evidence(late)

    replaced = city.baeum(
        "keys", "replace", UNIVERSITY, "--compromised-at", lost.isoformat(),
        "--reason", "laptop lost", "--margin", "2",
    )  # fmt: skip
    assert replaced["old"]["state"] == "compromised"
    assert sorted(replaced["revoked"]) == sorted([late, unanchored])
    assert city.verify(good)["verdict"] == "valid"
    report = city.verify(late_file)
    assert report["verdict"] == "invalid"
    assert outcomes(report)["status"] == "revoked"

    city.issue()
    for record in (after, waiting):
        fresh = city.evidence(city.credential_of(record))
        assert city.verify(fresh)["verdict"] == "valid"
    assert city.credential_of(after) != late

    # whoever has the key signs on, and even gets it anchored
    time.sleep(2.1)
    forged = _forge(city, good, replaced["old"]["method"])
    report = city.verify(forged)
    assert report["verdict"] == "invalid"
    assert outcomes(report)["accreditation"] == "key-not-valid-then"
    assert outcomes(report)["proof"] == "signature-right"


def _forge(city: SmallCity, model: Any, method: str) -> Any:
    """A credential signed with the lost key, anchored by the registrar who does not know."""
    document = orjson.loads(model.read_bytes())["credential"]
    document.pop("proof")
    document["credentialSubject"]["achievement"]["name"] = "위조"
    with city.opened() as home:
        signer = home.keystore.signer(UNIVERSITY, method)
        signed = integrity.sign(
            document,
            sign=signer.sign,
            verification_method=method,
            created=datetime(2026, 1, 1, tzinfo=UTC),
            nonce="A" * 22,
        )
        network, gateway = home.network(), home.gateway()
        contract, issuer = bytes.fromhex(network.anchor[2:]), institution_id(UNIVERSITY)
        leaf = merkle.leaf_hash(
            receipt.leaf_input(
                signed, chain_id=network.chain_id, contract=contract, institution=issuer
            )
        )
        tree = merkle.Tree([leaf])
        sent = gateway.sign_anchor(
            tree.commitment, gateway.nonce(gateway.address), gateway.suggest_fees()
        )
        gateway.send(sent.raw)
        mined = gateway.receipt(sent.hash)
        assert mined is not None
        assert mined.sequence is not None
        assert mined.head is not None
        evidence = Evidence(
            signed,
            Receipt(
                leaf_index=0,
                tree_size=1,
                path=(),
                root=tree.commitment,
                chain_id=network.chain_id,
                contract=contract,
                institution=issuer,
                anchored_by=institution_id("seoul-lifelong-education"),
                transaction=bytes.fromhex(sent.hash[2:]),
                block_number=mined.block_number,
                block_hash=bytes.fromhex(mined.block_hash[2:]),
                block_time=mined.block_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
                sequence=mined.sequence,
                head=bytes.fromhex(mined.head[2:]),
            ),
        )
    path = city.home.parent / "forged.json"
    path.write_bytes(evidence.to_bytes())
    return path


def test_what_cannot_be_is_refused_and_changes_nothing(found_city: Found) -> None:  # noqa: F811
    city = found_city()
    ahead = city.baeum(
        "keys", "replace", UNIVERSITY, "--compromised-at", "2999-01-01T00:00Z", "--reason", "x",
        code=2,
    )  # fmt: skip
    assert ahead["code"] == "compromise-in-the-future"
    assert city.baeum("keys", "rotate", "nobody", code=2)["code"] == "unknown-institution"
    naive = city.baeum(
        "keys", "replace", UNIVERSITY, "--compromised-at", "2026-01-01", "--reason", "x", code=2
    )
    assert naive["code"] == "argument-invalid"
    assert len(city.baeum("keys", "list", UNIVERSITY)["keys"]) == 1
    assert len(city.baeum("keys", "list")["keys"]) == 3


def test_signing_in_a_process_of_its_own(found_city: Found) -> None:  # noqa: F811
    city = found_city(BAEUM_SIGNING="process")
    records = [city.record(), city.record(CENTRE)]
    city.issue()
    for record in records:
        assert city.verify(city.evidence(city.credential_of(record)))["verdict"] == "valid"
