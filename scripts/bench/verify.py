"""How fast credentials are verified with everything warm, in bulk and one at a time.

``run(count)`` makes a temporary home with the embedded chain, issues and anchors a batch, and
verifies its credentials, each with all nine checks: proof, Merkle path, anchor, accreditation and
status. In bulk over the workers first, then some alone in this process. Warm means that the chain's
answers and the status lists are in the verifier's caches, as they are for the second employer of
the day. The floor is measured in the same run and over as many processes: one Ed25519 verification
and the hashes of one document, nothing else.
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
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from issue import register, synthesise
from sqlalchemy import select

from baeum import operations
from baeum.home import Home, now
from baeum.settings import Settings
from baeum.verifying import HomeVerifier
from issuer.batches import evidence_for
from ledger.database.models import Credential
from verifier.bulk import CHUNK, BulkVerifier
from verifier.verify import verify

BATCH = 2_048
"""Different credentials in the batch; they come round again until ``count``."""
ALONE = 1_000


def run(count: int, *, workers: int = 2) -> dict[str, Any]:
    """Verify ``count`` in bulk, then up to 1,000 one at a time.

    ``seconds`` and ``per_second`` are of the bulk run with its workers up and warm, which took
    ``start_seconds``; ``cpu_us_each`` is the processor time of one in all processes.
    ``peak_rss_mb`` adds up this process and ``workers`` times the largest worker. Milliseconds of
    one alone: ``p50_ms, p99_ms, cold_ms`` (the very first one).
    """
    with (
        tempfile.TemporaryDirectory(prefix="baeum-bench-") as folder,
        Home(Settings(home=Path(folder))) as home,
    ):
        files = _files(home, min(count, BATCH))
        bulk = _bulk(HomeVerifier(home.settings), files, count, workers)
        alone = _alone(home, files, min(count, ALONE))
        floor = _floor(len(files[0]), min(count, 10_000), workers)
    return {
        "count": count,
        **bulk,
        "floor_per_second": round(floor, 1),
        "peak_rss_mb": round(_peak_mb(workers), 1),
        **alone,
        "bytes_each": len(files[0]),
        "workers": workers,
    }


def _bulk(make: HomeVerifier, files: list[bytes], count: int, workers: int) -> dict[str, float]:
    def evidence(number: int) -> Iterator[bytes]:
        return islice(cycle(files), number)

    before = _child_seconds()
    started = time.perf_counter()
    with BulkVerifier(make, workers=workers) as bulk:
        for _ in bulk.verify(evidence(workers * 4 * CHUNK)):
            pass
        ready = time.perf_counter()
        for answer in bulk.verify(evidence(count)):
            if answer.verdict != "valid":
                raise RuntimeError(answer.report.decode())
        ended = time.perf_counter()
    return {
        "seconds": round(ended - ready, 3),
        "per_second": round(count / (ended - ready), 1),
        "start_seconds": round(ready - started, 3),
        "cpu_us_each": round((_child_seconds() - before) / count * 1e6, 1),
    }


def _alone(home: Home, files: list[bytes], count: int) -> dict[str, float]:
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
    for content in files[:200]:
        once(content)
    taken = sorted(once(content) for content in islice(cycle(files), count))
    return {
        "p50_ms": round(statistics.median(taken) * 1000, 3),
        "p99_ms": round(taken[int(len(taken) * 0.99)] * 1000, 3),
        "cold_ms": round(cold * 1000, 1),
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


def _floor(size: int, count: int, workers: int) -> float:
    """Credentials a second if there were nothing but one signature and the hashes."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(_check_only, [10] * workers, [size] * workers))
        started = time.perf_counter()
        list(pool.map(_check_only, [count // workers] * workers, [size] * workers))
        return count / (time.perf_counter() - started)


def _check_only(count: int, size: int) -> None:
    from nacl.signing import SigningKey

    key = SigningKey.generate()
    body = os.urandom(size)
    signature = key.sign(body[:64]).signature
    for _ in range(count):
        hashlib.sha256(body).digest()
        hashlib.sha256(body[:300]).digest()
        hashlib.sha256(body).digest()
        key.verify_key.verify(body[:64], signature)


def _child_seconds() -> float:
    """Of the workers that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_mb(workers: int) -> float:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024  # bytes there, KiB here
    return (own + workers * largest) / scale


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print(json.dumps(run(options.count, workers=options.workers)))


if __name__ == "__main__":
    main()
