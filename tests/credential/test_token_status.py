"""Token Status List: the draft's vectors, and agreement with the Bitstring list."""

from __future__ import annotations

import json
import re
import zlib

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import vectors

from credential import jose, multibase, status, token_status
from credential.status import StatusListInvalid
from credential.token_status import TokenStatusList

FOLDER = "ietf-token-status-list"


def test_the_long_vectors_say_what_the_draft_says():
    cases = json.loads((vectors(FOLDER) / "test-vectors.json").read_text())["vectors"]
    assert len(cases) == 2
    for case in cases:
        listed = token_status.decode({"bits": case["bits"], "lst": case["lst"]})
        assert len(listed) == case["size"]
        expected = {int(index): value for index, value in case["non_zero_statuses"].items()}
        for index, value in expected.items():
            assert listed[index] == value
        assert sum(bin(byte).count("1") for byte in listed.packed) == sum(
            bin(value).count("1") for value in expected.values()
        )


EXAMPLES = ("encoding1_long", "encoding2", "encoding4", "encoding")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_published_lists_as_json_and_as_cbor(name):
    """The same list in both encodings of the draft, and the index values the text gives."""
    folder = vectors(FOLDER) / "examples"
    text = (folder / f"status_list_{name}_json.md").read_text()
    listed = token_status.decode(json.loads("".join(text[text.index("{") :].split())))
    text = (folder / f"status_list_{name}_cbor.md").read_text().split("encoded:")[-1]
    encoded = cbor2.loads(bytes.fromhex("".join(text.split())))
    assert encoded["bits"] == listed.bits
    assert zlib.decompress(encoded["lst"]) == listed.packed
    if name == "encoding1_long":
        draft = (vectors(FOLDER) / "draft-ietf-oauth-status-list.md").read_text()
        said = draft[draft.index("## 1-bit Status List") :].split("## 2-bit")[0]
        for index, value in re.findall(r"status\[(\d+)\] = 0b([01]+)", said):
            assert listed[int(index)] == int(value, 2)


def test_the_published_token():
    text = "".join((vectors(FOLDER) / "examples" / "status_list_jwt_raw.md").read_text().split())
    signed = jose.parse(text)
    assert signed.typ == token_status.TYP
    assert len(token_status.decode(signed.claims()["status_list"])) == 16


def test_the_short_examples():
    """Sections 4.1: two bytes of one-bit statuses, and of two-bit statuses."""
    one = TokenStatusList(1, bytes([0xB9, 0xA3]))
    assert [one[n] for n in range(16)] == [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    two = TokenStatusList(2, bytes([0xC9, 0x44, 0xF9]))
    assert [two[n] for n in range(12)] == [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
    assert token_status.decode({"bits": 1, "lst": "eNrbuRgAAhcBXQ"}) == one
    assert token_status.decode({"bits": 2, "lst": "eNo76fITAAPfAgc"}) == two


@given(
    revoked=st.sets(st.integers(0, 2047), max_size=60),
    suspended=st.sets(st.integers(0, 2047), max_size=60),
)
def test_it_says_what_the_two_bitstring_lists_say(revoked, suspended):
    empty = bytes(256)
    gone, held = status.with_bits(empty, revoked, True), status.with_bits(empty, suspended, True)
    listed = token_status.decode(token_status.from_bitstrings(gone, held).to_json())
    for index in range(2048):
        if index in revoked:
            expected = token_status.INVALID
        else:
            expected = token_status.SUSPENDED if index in suspended else token_status.VALID
        assert listed[index] == expected


@pytest.mark.parametrize("index", [-1, 16, 10**9])
def test_an_index_outside_the_list(index):
    with pytest.raises(StatusListInvalid):
        TokenStatusList(1, bytes(2))[index]


def test_attack_decompression_bomb():
    bomb = multibase.base64url(zlib.compress(bytes(64 * 1024 * 1024), 9))
    with pytest.raises(StatusListInvalid) as caught:
        token_status.decode({"bits": 1, "lst": bomb})
    assert caught.value.facts["reason"] == "too-long"


def test_attack_data_after_the_end_or_cut_off():
    packed = zlib.compress(bytes(100))
    for wrong in (packed + b"x", packed[:-1], packed[:5]):
        with pytest.raises(StatusListInvalid):
            token_status.decode({"bits": 1, "lst": multibase.base64url(wrong)})


@pytest.mark.parametrize(
    "claim",
    [
        None,
        [],
        {},
        {"bits": 3, "lst": ""},
        {"bits": True, "lst": ""},
        {"bits": 1},
        {"bits": 1, "lst": 7},
        {"bits": 1, "lst": "eNrbuRgAAhcBXQ=="},
        {"bits": 1, "lst": "AAAA"},
        {"bits": "1", "lst": "eNrbuRgAAhcBXQ"},
    ],
)
def test_malformed_lists(claim):
    with pytest.raises(StatusListInvalid):
        token_status.decode(claim)
