"""Merkle trees and audit paths as RFC 9162 section 2.1 defines them, over SHA-256.

Leaves and inner nodes are hashed with different prefixes, an index and a size belong to every
path, and a path has exactly one valid length: an inner node passed off as a leaf, a leaf counted
twice or a path of another tree is refused.

An RFC 9162 tree head does not bind the size: the same path also leads there under some other sizes
and indices. What is anchored is therefore ``commitment(size, head)``, which binds it.

A tree of n leaves is never kept whole: ``Accumulator`` streams in O(log n) memory, and a path
needs one tile of 256 leaves and the roots of the tiles (``subtree_roots``), 32 bytes for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import ClassVar

from credential.errors import BaeumError
from credential.text import Text

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
TILE_HEIGHT = 8
MAX_SIZE = 2**63 - 1


class PathInvalid(BaeumError):
    """The path is not one of a tree of that size at that index, or leads to another root."""

    code: ClassVar[str] = "merkle-path-invalid"
    title: ClassVar[Text] = Text(
        "묶음에 들어 있다는 증거가 올바르지 않습니다", "The proof of inclusion is not valid"
    )
    status: ClassVar[int] = 422

    def __init__(self, ko: str, en: str) -> None:
        super().__init__(
            Text(ko, en),
            Text(
                "발급 기관에서 증명 파일을 다시 받으십시오.",
                "Get the credential file again from the issuer.",
            ),
        )


def leaf_hash(data: bytes) -> bytes:
    """SHA-256 of 0x00 and the leaf's data."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and the two 32-byte children."""
    return sha256(b"\1" + left + right).digest()


class Tree:
    """A tree over leaf *hashes* (32 bytes each), every level kept: for batches and tests."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        levels = [list(leaves)]
        while len(levels[-1]) > 1:
            levels.append(_parents(levels[-1]))
        self._levels = levels

    def __len__(self) -> int:
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """The tree head; of no leaves, SHA-256 of nothing."""
        return self._levels[-1][0] if self._levels[0] else EMPTY_ROOT

    @property
    def commitment(self) -> bytes:
        """What is anchored for this tree."""
        return commitment(len(self), self.root)

    def path(self, index: int) -> list[bytes]:
        """The audit path of leaf ``index``, from the bottom; raises ``PathInvalid``."""
        _check_place(index, len(self))
        path = []
        for level in self._levels[:-1]:
            if index ^ 1 < len(level):
                path.append(level[index ^ 1])
            index >>= 1
        return path


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that ``path`` leads to from a leaf hash (RFC 9162 section 2.1.3.2).

    Raises ``PathInvalid`` when the index is not in the tree, the length is not the one path of
    such a leaf has, or an entry is not a hash. The caller compares the root.
    """
    _check_place(index, size)
    if len(path) != path_length(index, size):
        raise PathInvalid(
            "경로의 길이가 나무의 크기와 맞지 않습니다.",
            "The path's length does not fit the tree's size.",
        )
    if any(len(entry) != HASH_SIZE for entry in (leaf, *path)):
        raise PathInvalid("32바이트 해시가 아닙니다.", "An entry is not a 32-byte hash.")
    last = size - 1
    node = leaf
    for entry in path:
        if index & 1 or index == last:
            node = node_hash(entry, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, entry)
        index, last = index >> 1, last >> 1
    return node


def verify_path(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf hash is at ``index`` of the tree; raises ``PathInvalid``."""
    if root_from_path(leaf, index, size, path) != root:
        raise elsewhere()


def elsewhere() -> PathInvalid:
    """The path is well formed and leads to another root than the recorded one."""
    return PathInvalid(
        "경로가 기록된 뿌리로 이어지지 않습니다. 내용이 바뀌었거나 다른 묶음의 증거입니다.",
        "The path does not lead to the recorded root: the content was changed, or the proof "
        "belongs to another batch.",
    )


def commitment(size: int, tree_head: bytes) -> bytes:
    """What is anchored for a tree: SHA-256 of a tag, the size (u64 big-endian) and the tree head.

    With the size bound, a leaf's index follows from its path, so both are what they say.
    """
    return sha256(b"baeum/root/1" + size.to_bytes(8) + tree_head).digest()


def commitment_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The anchored value that ``path`` leads to; raises ``PathInvalid`` as ``root_from_path``."""
    return commitment(size, root_from_path(leaf, index, size, path))


def path_length(index: int, size: int) -> int:
    """How many entries the audit path of leaf ``index`` in a tree of ``size`` leaves has."""
    # the lowest levels, where the path and the tree's right edge differ, give one entry each;
    # above, the node lies on the edge and has a sibling only where it is a right child
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


class Accumulator:
    """The root of a stream of leaf hashes, in memory that grows with the logarithm only."""

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add the next leaf hash."""
        size = self.size
        while size & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            size >>= 1
        self._peaks.append(leaf)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The tree head of what was appended so far."""
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = node_hash(peak, node)
        return node

    @property
    def commitment(self) -> bytes:
        """What is anchored for a tree of what was appended so far."""
        return commitment(self.size, self.root)


def subtree_roots(leaves: Iterable[bytes], height: int = TILE_HEIGHT) -> bytes:
    """The roots of the tiles of 2**height leaf hashes, 32 bytes each, joined; streams.

    The last tile may be smaller. The root of the whole tree is ``root_of_subtrees`` of these.
    """
    tile: list[bytes] = []
    roots = []
    for leaf in leaves:
        tile.append(leaf)
        if len(tile) == 1 << height:
            roots.append(_root(tile))
            tile = []
    if tile:
        roots.append(_root(tile))
    return b"".join(roots)


def root_of_subtrees(roots: bytes) -> bytes:
    """The root of the whole tree from what ``subtree_roots`` gave."""
    return _root(_split(roots)) if roots else EMPTY_ROOT


def path_from_subtrees(
    index: int,
    size: int,
    subtree_leaves: Sequence[bytes],
    roots: bytes,
    height: int = TILE_HEIGHT,
) -> list[bytes]:
    """The audit path of leaf ``index`` from its own tile's leaf hashes and all tiles' roots.

    Raises ``PathInvalid`` when the tile or the roots are not those of a tree of ``size`` leaves.
    """
    _check_place(index, size)
    tile, width = index >> height, 1 << height
    expected = min(width, size - tile * width)
    tiles = _split(roots)
    if len(subtree_leaves) != expected or len(tiles) != -(-size // width):
        raise PathInvalid(
            "저장된 묶음 자료가 나무의 크기와 맞지 않습니다.",
            "The stored tile does not fit the tree's size.",
        )
    lower = Tree(subtree_leaves)
    if lower.root != tiles[tile]:
        raise PathInvalid(
            "저장된 묶음 자료가 그 뿌리와 다릅니다.", "The stored tile and its root differ."
        )
    return lower.path(index - tile * width) + Tree(tiles).path(tile)


def _parents(level: list[bytes]) -> list[bytes]:
    above = [
        sha256(b"\1" + left + right).digest()
        for left, right in zip(level[::2], level[1::2], strict=False)
    ]
    if len(level) & 1:
        above.append(level[-1])
    return above


def _root(leaves: list[bytes]) -> bytes:
    while len(leaves) > 1:
        leaves = _parents(leaves)
    return leaves[0]


def _split(roots: bytes) -> list[bytes]:
    if len(roots) % HASH_SIZE:
        raise PathInvalid("32바이트 해시가 아닙니다.", "Not a sequence of 32-byte hashes.")
    return [roots[at : at + HASH_SIZE] for at in range(0, len(roots), HASH_SIZE)]


def _check_place(index: int, size: int) -> None:
    if not 0 <= index < size <= MAX_SIZE:
        raise PathInvalid(
            "나무 안에 없는 자리입니다.", "The index is not inside a tree of that size."
        )
