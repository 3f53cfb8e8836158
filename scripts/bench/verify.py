"""How fast one credential is verified with everything warm, beside what is possible.

``run(count)`` makes a temporary home with the embedded chain, issues and anchors a batch, and
verifies its credentials one after another, each with all nine checks: proof, Merkle path, anchor,
accreditation and status. Warm means that the chain's answers and the status lists are in the
verifier's caches, as they are for the second employer of the day. The floor is measured in the same
run: one Ed25519 verification and the hashes of one document, nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from issue import register, synthesise
from sqlalchemy import select

from baeum import operations
from baeum.home import Home, now
from baeum.settings import Settings
from issuer.batches import evidence_for
from ledger.database.models import Credential
from verifier.verify import verify

BATCH = 512


def run(count: int, *, progress: Any = None) -> dict[str, Any]:
    """Verify ``count`` times. Milliseconds: ``p50_ms, p99_ms, cold_ms`` (the very first one)."""
    with (
        tempfile.TemporaryDirectory(prefix="baeum-bench-") as folder,
        Home(Settings(home=Path(folder))) as home,
    ):
        files = _files(home, min(count, BATCH))
        trust = home.trust()
        chains = home.chains(trust)
        source = home.status_source()

        def once(content: bytes) -> float:
            started = time.perf_counter()
            report = verify(content, trust=trust, chain=chains, status_source=source, now=now())
            taken = time.perf_counter() - started
            if report.verdict != "valid":
                raise RuntimeError(str(report.summary.en))
            return taken

        cold = once(files[0])
        for content in files:
            once(content)
        taken = []
        started = time.perf_counter()
        for number in range(count):
            taken.append(once(files[number % len(files)]))
            if progress is not None:
                progress(number + 1, count)
        seconds = time.perf_counter() - started
        floor = _floor(len(files[0]))
    taken.sort()
    return {
        "count": count,
        "seconds": round(seconds, 3),
        "per_second": round(count / seconds, 1),
        "floor_per_second": round(floor, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "p50_ms": round(statistics.median(taken) * 1000, 3),
        "p99_ms": round(taken[int(len(taken) * 0.99)] * 1000, 3),
        "cold_ms": round(cold * 1000, 1),
        "bytes_each": len(files[0]),
    }


def _files(home: Home, count: int) -> list[bytes]:
    """Evidence files of one anchored batch."""
    operations.set_up(home, register())
    synthesise(home.database, home.identities, count)
    operations.issue(home)
    operations.seal(home)
    operations.anchor(home)
    operations.publish(home)
    with home.database.reading() as session:
        ids = session.scalars(select(Credential.id).order_by(Credential.leaf_index)).all()
        return [evidence_for(session, one).to_bytes() for one in ids]


def _floor(size: int) -> float:
    from nacl.signing import SigningKey

    key = SigningKey.generate()
    body = os.urandom(size)
    signature = key.sign(body[:64]).signature
    started = time.perf_counter()
    rounds = 2_000
    for _ in range(rounds):
        hashlib.sha256(body).digest()
        hashlib.sha256(body[:300]).digest()
        hashlib.sha256(body).digest()
        key.verify_key.verify(body[:64], signature)
    return rounds / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    print(json.dumps(run(parser.parse_args().count)))


if __name__ == "__main__":
    main()
