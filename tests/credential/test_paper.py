"""Evidence as a QR code's text: small enough, lossless, and hostile texts refused."""

from __future__ import annotations

import zlib
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey
from shapes import TEMPLATE, VALUES, values

from credential import did, integrity, multibase, paper
from credential.evidence import Evidence, EvidenceUnreadable
from credential.receipt import Receipt
from credential.shape import Shape

KEY = SigningKey(b"k" * 32)
SHAPE = Shape(TEMPLATE)


def digest(n: int) -> bytes:
    return zlib.crc32(bytes([n])).to_bytes(4) * 2 + bytes(
        (n * 37 + i * 101) % 256 for i in range(24)
    )


def receipt(steps: int = 20) -> Receipt:
    return Receipt(
        leaf_index=700_001,
        tree_size=1_000_000,
        path=tuple(digest(n) for n in range(steps)),
        root=digest(100),
        chain_id=31_337_001,
        contract=digest(101)[:20],
        institution=digest(102),
        anchored_by=digest(103),
        transaction=digest(104),
        block_number=123_456,
        block_hash=digest(105),
        block_time="2026-11-23T09:00:00Z",
        sequence=42,
        head=digest(106),
    )


def signed(filled) -> dict:
    public = did.did_key(bytes(KEY.verify_key))
    return integrity.sign(
        SHAPE.document(filled | {"issuer": public}),
        sign=lambda data: KEY.sign(data).signature,
        verification_method=did.key_method(public),
        created="2026-11-23T00:00:00Z",
        nonce="YWJjZGVmZ2hpamtsbW5vcA",
    )


def test_a_credential_of_ours_with_a_path_of_20_fits_a_qr_code():
    filled = VALUES | {
        "credential": "urn:uuid:0d6f0a6e-93ab-4a1c-8a55-0c8d0c4a2f10",
        "name": "디지털 시민교육: 스마트폰으로 하는 생활 행정 이수증",
        "criteria": "전체 수업 시간의 80퍼센트 이상 출석하고 마지막 과제를 내야 합니다.",
    }
    text = paper.encode(Evidence(signed(filled), receipt()))
    assert len(text) < 2_900
    assert paper.decode(text) == Evidence(signed(filled), receipt())
    assert paper.decode(f"https://verify.example/ko/verify#{text}\n").receipt == receipt()


@given(values, st.integers(0, 40) | st.none())
@settings(max_examples=40, deadline=None)
def test_round_trip(filled, steps):
    document = SHAPE.document(filled)
    evidence = Evidence(document, None if steps is None else receipt(steps))
    assert paper.decode(paper.encode(evidence, limit=None)) == evidence


def test_what_does_not_fit_is_said_so():
    document = {"@context": [], "noise": [sha256(bytes([n])).hexdigest() for n in range(70)]}
    with pytest.raises(paper.TooLargeForPaper):
        paper.encode(Evidence(document))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1.",
        "v1.AA",
        "v1.AAAA",
        "v2.AAAA",
        "v1.!!!!",
        "https://x.example/#v1.",
        "v1." + "A" * 70_000,
    ],
)
def test_hostile_texts_are_refused(text):
    with pytest.raises(EvidenceUnreadable):
        paper.decode(text)


@given(st.binary(max_size=400))
def test_random_bytes_are_refused(data):
    with pytest.raises(EvidenceUnreadable):
        paper.decode("v1." + multibase.base64url(data))


def test_every_cut_is_refused():
    text = paper.encode(Evidence(signed(VALUES), receipt()))
    for length in range(0, len(text) - 1, 37):
        with pytest.raises(EvidenceUnreadable):
            paper.decode(text[:length])


def test_a_bomb_is_stopped_while_it_unpacks():
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(b" " * 20_000_000) + deflate.flush()
    with pytest.raises(EvidenceUnreadable) as caught:
        paper.decode("v1." + multibase.base64url(b"\0\0" + packed))
    assert caught.value.facts["reason"] == "too-large"
