"""Merkle-Patricia proofs against tries another library built, and every broken one refused."""

from __future__ import annotations

import contextlib

import pytest
import rlp
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from credential.chain_proof import EMPTY_TRIE, Header, Nodes, NotProven


def built(entries: dict[bytes, bytes]) -> HexaryTrie:
    trie = HexaryTrie({})
    for key, value in entries.items():
        trie[key] = value
    return trie


def proof(trie: HexaryTrie, key: bytes) -> list[bytes]:
    return [rlp.encode(node) for node in trie.get_proof(key)]


ENTRIES = st.dictionaries(
    st.integers(0, 300).map(rlp.encode), st.binary(min_size=1, max_size=60), max_size=40
)


@settings(deadline=None, max_examples=150)
@given(ENTRIES, st.integers(0, 300).map(rlp.encode))
def test_presence_and_absence_as_the_library_says(entries, key):
    trie = built(entries)
    assert Nodes(proof(trie, key)).value(trie.root_hash, key) == entries.get(key)


@settings(deadline=None, max_examples=100)
@given(ENTRIES.filter(bool), st.data())
def test_a_missing_or_changed_node_proves_nothing(entries, data):
    key = data.draw(st.sampled_from(sorted(entries)))
    trie = built(entries)
    nodes = proof(trie, key)
    place = data.draw(st.integers(0, len(nodes) - 1))
    at = data.draw(st.integers(0, len(nodes[place]) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = bytearray(nodes[place])
    changed[at] ^= bit
    hashed = place == 0 or len(nodes[place]) >= 32  # a shorter node stands inside its parent
    for other in (nodes[:place] + nodes[place + 1 :], [*nodes[:place], bytes(changed)]):
        bag = Nodes([*other, *nodes[place + 1 :]])
        if hashed:
            with pytest.raises(NotProven):
                bag.value(trie.root_hash, key)
        else:
            assert bag.value(trie.root_hash, key) == entries[key]


def test_the_empty_trie_holds_nothing():
    assert Nodes([]).value(EMPTY_TRIE, b"any") is None


@given(st.binary(max_size=300))
def test_noise_is_no_header_and_no_node(noise):
    with pytest.raises(NotProven):
        Header.decode(noise)
    with pytest.raises(NotProven):
        Nodes([noise]).value(b"\x01" * 32, b"key")


@settings(max_examples=200)
@given(
    st.recursive(st.binary(max_size=40), lambda inner: st.lists(inner, max_size=17), max_leaves=40)
)
def test_hostile_nodes_never_crash(node):
    """A root that is the hash of nonsense: an answer or ``NotProven``, never another error."""
    encoded = rlp.encode(node)
    with contextlib.suppress(NotProven):
        Nodes([encoded]).value(keccak(encoded), b"\x12\x34")
