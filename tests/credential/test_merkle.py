"""Merkle trees: published vectors valid and corrupted, the attacks, and bounded memory."""

from __future__ import annotations

import json
import tracemalloc
from base64 import b64decode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import ROOT, vectors

from credential import merkle

INCLUSION = sorted((ROOT / "transparency-dev-merkle/inclusion").rglob("*.json"))


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(str(i).encode()) for i in range(count)]


def reference_root(hashes: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return merkle.node_hash(reference_root(hashes[:split]), reference_root(hashes[split:]))


def test_rfc6962_vectors():
    data = json.loads(
        (vectors("google-certificate-transparency") / "rfc6962-tree-vectors.json").read_text()
    )
    hashes = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in data["leaves_hex"]]
    accumulator = merkle.Accumulator()
    assert accumulator.root.hex() == data["empty_root"]
    for count, root in enumerate(data["roots_hex"], start=1):
        accumulator.append(hashes[count - 1])
        assert merkle.Tree(hashes[:count]).root.hex() == root
        assert accumulator.root.hex() == root
    for case in data["leaf_hash"]:
        assert merkle.leaf_hash(bytes.fromhex(case["leaf_hex"])).hex() == case["hash"]
    for case in data["node_hash"]:
        pair = bytes.fromhex(case["left"]), bytes.fromhex(case["right"])
        assert merkle.node_hash(*pair).hex() == case["hash"]


@pytest.mark.parametrize("path", INCLUSION or [None], ids=lambda p: p and "/".join(p.parts[-2:]))
def test_inclusion_vectors_valid_and_corrupted(path):
    vectors("transparency-dev-merkle")
    case = json.loads(path.read_text())
    root, leaf = (b64decode(case[name] or "") for name in ("root", "leafHash"))
    entries = [b64decode(entry) for entry in case["proof"] or []]
    place = case["leafIdx"], case["treeSize"]
    if case["wantErr"]:
        with pytest.raises(merkle.PathInvalid):
            merkle.verify_path(leaf, *place, entries, root)
    else:
        merkle.verify_path(leaf, *place, entries, root)


@given(st.integers(0, 70))
def test_tree_is_the_rfc_definition(count):
    hashes = leaves(count)
    assert merkle.Tree(hashes).root == reference_root(hashes)


@given(st.data())
def test_every_path_verifies_and_no_other_place_does(data):
    size = data.draw(st.integers(1, 200))
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    tree = merkle.Tree(hashes)
    path = tree.path(index)
    assert len(path) == merkle.path_length(index, size)
    merkle.verify_path(hashes[index], index, size, path, tree.root)
    wrong = data.draw(st.integers(0, 250).filter(lambda i: i != index))
    with pytest.raises(merkle.PathInvalid):
        merkle.verify_path(hashes[index], wrong, size, path, tree.root)


@given(st.integers(1, 40), st.integers(0, 5), st.data())
def test_a_path_from_tiles_is_the_path_of_the_tree(size, height, data):
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    roots = merkle.subtree_roots(iter(hashes), height)
    start = index >> height << height
    tile = hashes[start : start + (1 << height)]
    path = merkle.path_from_subtrees(index, size, tile, roots, height)
    tree = merkle.Tree(hashes)
    assert path == tree.path(index)
    assert merkle.root_of_subtrees(roots) == tree.root


def test_a_tile_of_another_batch_is_refused():
    roots = merkle.subtree_roots(leaves(20), 2)
    with pytest.raises(merkle.PathInvalid):
        merkle.path_from_subtrees(5, 20, leaves(40)[20:24], roots, 2)
    with pytest.raises(merkle.PathInvalid):
        merkle.path_from_subtrees(5, 21, leaves(20)[4:8], roots, 2)


def test_an_inner_node_offered_as_a_leaf_is_refused():
    hashes = leaves(8)
    tree = merkle.Tree(hashes)
    inner = merkle.node_hash(hashes[0], hashes[1])
    with pytest.raises(merkle.PathInvalid):  # with the rest of the real path
        merkle.verify_path(inner, 0, 8, tree.path(0)[1:], tree.root)
    # as the leaf of a tree of half the size it would fit, but a leaf is hashed with its own prefix
    forged = merkle.leaf_hash(hashes[0] + hashes[1])
    with pytest.raises(merkle.PathInvalid):
        merkle.verify_path(forged, 0, 4, tree.path(0)[1:], tree.root)


def test_a_duplicated_last_leaf_is_refused():
    hashes = leaves(3)
    tree = merkle.Tree(hashes)
    assert merkle.Tree([*hashes, hashes[2]]).root != tree.root  # CVE-2012-2459
    with pytest.raises(merkle.PathInvalid):
        merkle.verify_path(hashes[2], 3, 4, [hashes[2], *tree.path(2)], tree.root)


@pytest.mark.parametrize(("index", "size"), [(-1, 8), (8, 8), (0, 0), (3, 9), (3, 2**64), (2, 8)])
def test_a_wrong_index_or_size_is_refused(index, size):
    hashes = leaves(8)
    tree = merkle.Tree(hashes)
    with pytest.raises(merkle.PathInvalid):
        merkle.verify_path(hashes[3], index, size, tree.path(3), tree.root)


@pytest.mark.parametrize("change", [lambda p: p[:-1], lambda p: [*p, p[0]], lambda p: []])
def test_a_path_of_wrong_length_is_refused(change):
    hashes = leaves(8)
    tree = merkle.Tree(hashes)
    with pytest.raises(merkle.PathInvalid):
        merkle.verify_path(hashes[3], 3, 8, change(tree.path(3)), tree.root)


def test_an_entry_that_is_not_a_hash_is_refused():
    hashes = leaves(2)
    with pytest.raises(merkle.PathInvalid):
        merkle.root_from_path(hashes[0], 0, 2, [hashes[1] + b"\0"])


def test_a_million_leaves_stream_in_bounded_memory():
    count = 1_000_000
    accumulator = merkle.Accumulator()
    tracemalloc.start(1)
    try:
        for i in range(1000):
            accumulator.append(i.to_bytes(32))
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        for i in range(1000, 20_000):
            accumulator.append(i.to_bytes(32))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 64 * 1024
    for i in range(20_000, count):
        accumulator.append(i.to_bytes(32))
    roots = merkle.subtree_roots(i.to_bytes(32) for i in range(count))
    assert len(roots) == 32 * 3907
    assert merkle.root_of_subtrees(roots) == accumulator.root
    tile = [i.to_bytes(32) for i in range(256 * 3906, count)]
    path = merkle.path_from_subtrees(count - 1, count, tile, roots)
    merkle.verify_path(tile[-1], count - 1, count, path, accumulator.root)


@given(st.integers(1, 40), st.data())
def test_no_other_size_or_index_leads_to_the_commitment(size, data):
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    tree = merkle.Tree(hashes)
    path = tree.path(index)
    assert merkle.commitment_from_path(hashes[index], index, size, path) == tree.commitment
    for other_size in range(1, 2 * size + 2):
        for other in range(other_size):
            if (other, other_size) == (index, size) or len(path) != merkle.path_length(
                other, other_size
            ):
                continue
            found = merkle.commitment_from_path(hashes[index], other, other_size, path)
            assert found != tree.commitment


def test_wrong_size_that_the_bare_tree_head_accepts_is_refused_by_the_commitment():
    """Leaf 0 of 3 has the path of leaf 0 of 4: why the size is hashed into what is anchored."""
    hashes = leaves(3)
    tree = merkle.Tree(hashes)
    path = tree.path(0)
    assert merkle.root_from_path(hashes[0], 0, 4, path) == tree.root
    assert merkle.commitment_from_path(hashes[0], 0, 4, path) != tree.commitment
    accumulator = merkle.Accumulator()
    for leaf in hashes:
        accumulator.append(leaf)
    assert accumulator.commitment == tree.commitment
    assert tree.commitment == sha256(b"baeum/root/1" + (3).to_bytes(8) + tree.root).digest()
