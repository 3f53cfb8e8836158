"""Bitstring Status List: published lists, both bit orders told apart, and hostile lists."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import vectors

from credential import multibase, status

EMPTY = bytes(status.MIN_BITS // 8)


def lists(value):
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "encodedList":
                yield item
            else:
                yield from lists(item)
    elif isinstance(value, list):
        for item in value:
            yield from lists(item)


def test_published_examples():
    found = 0
    for path in sorted(vectors("w3c-vc-bitstring-status-list/examples").glob("*.json")):
        for text in lists(json.loads(path.read_text())):
            assert status.decode(text) == EMPTY
            found += 1
    assert found >= 1


@given(st.sets(st.integers(0, status.MIN_BITS - 1), max_size=50))
def test_round_trip(indices):
    bits = status.with_bits(EMPTY, indices, True)
    decoded = status.decode(status.encode(bits))
    assert {i for i in indices if status.bit(decoded, i)} == indices
    assert sum(byte.bit_count() for byte in decoded) == len(indices)
    assert status.with_bits(decoded, indices, False) == EMPTY


def test_index_zero_is_the_most_significant_bit_of_the_first_byte():
    assert status.with_bits(EMPTY, [0], True)[0] == 0x80
    assert status.with_bits(EMPTY, [7], True)[0] == 0x01
    assert status.with_bits(EMPTY, [8], True)[1] == 0x80


def test_equal_lists_are_equal_texts():
    assert status.encode(EMPTY) == status.encode(bytes(len(EMPTY)))


def encoded(packed: bytes) -> str:
    return "u" + multibase.base64url(packed)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "text"),
        ("", "text"),
        ("u+/==", "text"),
        (encoded(b"not gzip"), "gzip"),
        (encoded(gzip.compress(EMPTY)[:-9]), "gzip"),
        (encoded(gzip.compress(EMPTY) + b"x"), "gzip"),
        (encoded(gzip.compress(EMPTY[:-1])), "too-short"),
        (encoded(gzip.compress(b"")), "too-short"),
    ],
)
def test_refuses(text, reason):
    with pytest.raises(status.StatusListInvalid) as caught:
        status.decode(text)
    assert caught.value.facts["reason"] == reason


def test_a_gzip_bomb_is_stopped_while_it_unpacks():
    bomb = gzip.compress(bytes(200_000_000), compresslevel=9)
    with pytest.raises(status.StatusListInvalid) as caught:
        status.decode(encoded(bomb))
    assert caught.value.facts["reason"] == "too-long"


@pytest.mark.parametrize("index", [-1, status.MIN_BITS, 2**40])
def test_an_index_outside_the_list_is_refused(index):
    with pytest.raises(status.StatusListInvalid):
        status.bit(EMPTY, index)
    with pytest.raises(status.StatusListInvalid):
        status.with_bits(EMPTY, [index], True)
