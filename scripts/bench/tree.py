"""How long a tree takes: root, subtree roots as stored, and single proofs without the tree.

The floor is the SHA-256 calls that any such tree needs (one for each leaf, one for each inner
node, 65 bytes hashed each), made by the same library with nothing around them.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from credential import merkle

TILE = 1 << merkle.TILE_HEIGHT


def leaves(first: int, last: int) -> Iterator[bytes]:
    """Leaf hashes made as they are asked for, so that nothing but the tree takes memory."""
    place = b"baeum/leaf/1" + bytes(32)
    for number in range(first, last):
        yield merkle.leaf_hash(place + number.to_bytes(32))


def run(count: int, *, proofs: int = 1000, progress: Any = None) -> dict[str, Any]:
    """Build a tree of ``count`` leaves as a batch does, and take ``proofs`` paths out of it."""
    del progress
    started = time.perf_counter()
    roots = merkle.subtree_roots(leaves(0, count))
    anchored = merkle.commitment(count, merkle.root_of_subtrees(roots))
    built = time.perf_counter()
    step = max(1, count // proofs)
    spent = 0.0
    taken = 0
    for index in range(0, count, step):
        first = index - index % TILE
        tile = list(leaves(first, min(first + TILE, count)))
        before = time.perf_counter()
        path = merkle.path_from_subtrees(index, count, tile, roots)
        spent += time.perf_counter() - before
        if merkle.commitment_from_path(tile[index - first], index, count, path) != anchored:
            raise RuntimeError(f"leaf {index} is not in its own tree")
        taken += 1
    floor = _hashes(2 * count - 1)
    return {
        "count": count,
        "seconds": round(built - started, 3),
        "leaves_per_second": round(count / (built - started)),
        "floor_seconds": round(floor, 3),
        "times_the_floor": round((built - started) / floor, 2),
        "proof_us": round(1e6 * spent / taken),
        "proof_steps": merkle.path_length(0, count),
        "kept_bytes": len(roots),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _hashes(count: int) -> float:
    block = bytes(65)
    started = time.perf_counter()
    for _ in range(count):
        sha256(block).digest()
    return time.perf_counter() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    print(json.dumps(run(parser.parse_args().count)))
