"""Evidence files and receipts: strict at the door, lossless, and the leaf bound to its place."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from hashlib import sha256

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credential import evidence, jcs, merkle, receipt
from credential.evidence import Evidence, EvidenceUnreadable
from credential.receipt import Receipt, ReceiptMalformed

CREDENTIAL = {"@context": ["https://www.w3.org/ns/credentials/v2"], "proof": {"nonce": "salt"}}
PLACE = {"chain_id": 31337, "contract": b"\x11" * 20, "institution": b"\x22" * 32}


def digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def make(credential=None, *, index: int = 5, size: int = 9) -> Receipt:
    leaves = [merkle.leaf_hash(str(n).encode()) for n in range(size)]
    leaves[index] = merkle.leaf_hash(receipt.leaf_input(credential or CREDENTIAL, **PLACE))
    tree = merkle.Tree(leaves)
    return Receipt(
        leaf_index=index,
        tree_size=size,
        path=tuple(tree.path(index)),
        root=tree.commitment,
        anchored_by=digest("registrar"),
        transaction=digest("transaction"),
        block_number=7,
        block_hash=digest("block"),
        block_time="2026-11-23T09:00:00Z",
        sequence=1,
        head=digest("head"),
        **PLACE,
    )


def test_the_leaf_is_what_the_format_says():
    data = receipt.leaf_input(CREDENTIAL, **PLACE)
    place = sha256(b"baeum/place/1" + (31337).to_bytes(8) + b"\x11" * 20 + b"\x22" * 32).digest()
    content = sha256(jcs.canonical(CREDENTIAL)).digest()
    assert data == b"baeum/leaf/1" + place + content
    assert receipt.leaf_from_digest(content, receipt.place(**PLACE)) == merkle.leaf_hash(data)


def test_round_trip():
    given_evidence = Evidence(CREDENTIAL, make())
    assert evidence.parse(given_evidence.to_bytes()) == given_evidence
    assert evidence.parse(Evidence(CREDENTIAL).to_bytes()) == Evidence(CREDENTIAL)
    assert evidence.parse(orjson.dumps(CREDENTIAL)) == Evidence(CREDENTIAL)


def test_inclusion_holds_for_the_credential_and_no_other():
    made = make()
    made.check_inclusion(CREDENTIAL)
    with pytest.raises(merkle.PathInvalid):
        made.check_inclusion({**CREDENTIAL, "name": "x"})


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 1},
        {"contract": b"\x12" * 20},
        {"institution": b"\x23" * 32},
        {"leaf_index": 4},
        {"tree_size": 17},
        {"root": digest("other")},
        {"path": ()},
    ],
)
def test_a_receipt_of_another_chain_contract_institution_or_place_is_refused(change):
    with pytest.raises(merkle.PathInvalid):
        dataclasses.replace(make(), **change).check_inclusion(CREDENTIAL)


@pytest.mark.parametrize("member", sorted(make().to_json()))
def test_every_member_is_required_and_typed(member):
    body = make().to_json()
    for bad in (None, "x", -1, True, 1.5, 2**70, "0x12", "0x" + "AA" * 32, [None], {}):
        with pytest.raises(ReceiptMalformed) as caught:
            Receipt.from_json(body | {member: bad})
        assert caught.value.facts["member"] == member
    del body[member]
    with pytest.raises(ReceiptMalformed):
        Receipt.from_json(body)


def test_an_unknown_member_of_a_receipt_is_refused():
    with pytest.raises(ReceiptMalformed):
        Receipt.from_json(make().to_json() | {"rpcUrl": "https://evil.example"})
    with pytest.raises(ReceiptMalformed):
        Receipt.from_json([])
    with pytest.raises(ReceiptMalformed):
        Receipt.from_json(make().to_json() | {"path": ["0x" + "00" * 32] * 64})


DEEP = b'{"@context":' + b"[" * 70 + b"]" * 70 + b"}"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b" " * (evidence.MAX_BYTES + 1), "too-large"),
        (DEEP, "too-deep"),
        (b"[" * 100_000, "too-deep"),
        (b'{"@context":"' + b"[{" * 100, "not-json"),
        (b'{"@context":"\xff"}', "not-utf-8"),
        ('{"@context":"한글"}'.encode("cp949"), "not-utf-8"),
        ('{"@context":"x"}'.encode("utf-16"), "not-utf-8"),
        (b"\xef\xbb\xbf{}", "not-json"),
        (b"", "not-json"),
        (b"{", "not-json"),
        (b'{"a":1}x', "not-json"),
        (b"{'a':1}", "not-json"),
        (b'{"@context":"x","@context":"y"}', "duplicate-name"),
        (b'{"@context":"x","s":{"a":1,"\\u0061":2}}', "duplicate-name"),
        (b'{"@context":9007199254740992}', "number"),
        (b'{"@context":-9007199254740992}', "number"),
        (b'{"@context":' + b"9" * 5000 + b"}", "number"),
        (b'{"@context":1e400}', "number"),
        (b'{"@context":NaN}', "number"),
        (b'{"@context":-Infinity}', "number"),
        (b'{"@context":"\\ud800"}', "text"),
        (b'{"@context":{"\\udfff":1}}', "text"),
        (b"[]", "shape"),
        (b"1", "shape"),
        (b"{}", "shape"),
        (b'{"type":"BaeumEvidence"}', "shape"),
        (b'{"type":"BaeumEvidence","version":2,"credential":{}}', "shape"),
        (b'{"type":"BaeumEvidence","version":1,"credential":[]}', "shape"),
        (b'{"type":"BaeumEvidence","version":1,"credential":{},"x":1}', "shape"),
        (b'{"type":"BaeumEvidence","version":1,"credential":{},"receipt":{}}', "receipt"),
    ],
)
def test_what_cannot_be_read_safely_is_refused(data, reason):
    with pytest.raises(EvidenceUnreadable) as caught:
        evidence.parse(data)
    assert caught.value.facts["reason"] == reason
    assert caught.value.detail.ko


def test_brackets_in_text_are_not_depth():
    data = json.dumps({"@context": "[{" * 500 + '\\"['}).encode()
    assert evidence.parse(data).credential["@context"].startswith("[{")
    paired = b'{"@context":"\\ud83d\\ude00"}'
    assert evidence.parse(paired).credential["@context"] == "\U0001f600"


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(EvidenceUnreadable):
        assert isinstance(evidence.parse(data), Evidence)
