"""How fast stored records become durable, signed, sealed, anchored credentials.

``run(count)`` makes a temporary home of invented records, issues them, seals the batch, anchors it
in one transaction on the embedded chain, and measures the floor in the same run on the same
machine: Ed25519, SHA-256 and the database write of rows of the same size, nothing else, divided
over the same number of processes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, text

from baeum import operations
from baeum.home import Home
from baeum.settings import Settings
from credential.text import Text
from ledger.database.models import (
    Batch,
    Credential,
    Learner,
    LearnerIdentity,
    LearningRecord,
)
from ledger.database.session import Database, open_database
from ledger.identifiers import ordered_ids, random_id
from ledger.institutions import Accredited, Entry
from ledger.learners import Identities

NOW = datetime(2026, 11, 23, tzinfo=UTC)
INSTITUTIONS = {
    "seoul-citizens-university": ("서울시민대학", "Seoul Citizens' University"),
    "geumcheon-digital-centre": ("금천구 디지털배움터", "Geumcheon Digital Learning Centre"),
}
KINDS = ("course", "course", "course", "volunteering", "certificate", "project", "mentoring")
TITLES = (
    ("스마트폰 완전정복", "All about smartphones"),
    ("디지털 금융사기 예방법", None),
    ("키오스크 어렵지 않아요", None),
    ("내가 만드는 인공지능", "Make your own AI"),
    ("3D 프린팅 기초와 실습", None),
)
NAMES = ("김하늘", "이바다", "박나무", "최구름", "정노을")
SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def register() -> list[Entry]:
    """The two institutions, accredited for every kind; the first is the registrar as well."""
    kinds = sorted(set(KINDS))
    return [
        Entry(
            institution,
            Text(name_ko, name_en),
            None,
            tuple(
                Accredited(kind, SINCE, None)
                for kind in (kinds if number else [*kinds, "registrar"])
            ),
        )
        for number, (institution, (name_ko, name_en)) in enumerate(INSTITUTIONS.items())
    ]


def synthesise(database: Database, identities: Identities, count: int) -> None:
    """A learner for every ten records, and ``count`` verified records."""
    learners = [random_id("lrn") for _ in range(max(1, count // 10))]
    with database.session() as session:
        session.execute(insert(Learner.__table__), [{"id": i, "created_at": NOW} for i in learners])
        session.execute(
            insert(LearnerIdentity.__table__),
            [
                {"learner_id": learner, "name": identities.seal_name(learner, NAMES[n % 5])}
                for n, learner in enumerate(learners)
            ],
        )
    for start in range(0, count, 5_000):
        numbers = range(start, min(count, start + 5_000))
        ids = ordered_ids("rec", len(numbers), NOW)
        with database.session() as session:
            session.execute(
                insert(LearningRecord.__table__),
                [_record(n, ids[n - start], learners[n % len(learners)]) for n in numbers],
            )


def _record(number: int, record_id: str, learner: str) -> dict[str, Any]:
    started = datetime(2026, 1, 5, 1, tzinfo=UTC) + timedelta(hours=number % 6_000)
    title_ko, title_en = TITLES[number % len(TITLES)]
    return {
        "id": record_id,
        "learner_id": learner,
        "institution_id": list(INSTITUTIONS)[number % 2],
        "kind": KINDS[number % len(KINDS)],
        "category": "디지털" if number % 3 else None,
        "level": ("기초", "생활", "심화")[number % 3],
        "title_ko": title_ko,
        "title_en": title_en,
        "code": f"DL-{number % 500:03d}",
        "started_at": started,
        "ended_at": started + timedelta(hours=40),
        "exact_interval": False,
        "minutes": 60 * (number % 30 + 1) + (30 if number % 4 == 0 else 0),
        "approved": True,
        "source_key": f"row-{number:09d}",
        "status": "verified",
        "content_sha256": hashlib.sha256(str(number).encode()).digest(),
        "recorded_at": NOW,
    }


def run(
    count: int,
    *,
    workers: int = 2,
    database_url: str | None = None,
    progress: Any = None,
) -> dict[str, Any]:
    """Issue, seal and anchor ``count`` credentials in a temporary home.

    ``count, seconds, per_second, floor_per_second, peak_rss_mb`` (this process and all workers at
    their largest), and beside them where the time went; ``cpu_us_each`` is the processor time of
    one credential in all processes, steadier than the clock on a busy machine.
    """
    with (
        tempfile.TemporaryDirectory(prefix="baeum-bench-") as folder,
        Home(Settings(home=Path(folder), database_url=database_url, workers=workers)) as home,
    ):
        operations.set_up(home, register())
        synthesise(home.database, home.identities, count)
        # A second home, so that opening the keys is in the time.
        with Home(home.settings) as issuing:
            started, used = time.perf_counter(), _cpu_seconds()
            report = operations.issue(issuing, progress)
            issued = time.perf_counter()
            operations.seal(issuing)
            sealed, used = time.perf_counter(), _cpu_seconds() - used
        operations.anchor(home)
        ended = time.perf_counter()
        with home.database.reading() as session:
            stored = session.scalar(select(func.count()).select_from(Credential)) or 0
            size = session.scalar(select(func.avg(func.length(Credential.document)))) or 0
            batches = session.scalars(select(Batch.id)).all()
        if stored != count or report.issued != count:
            raise RuntimeError(f"{stored} stored and {report.issued} reported of {count}")
        gas = sum(operations.batch_summary(home, batch).gas_used for batch in batches)
        floor = _floor(home.settings.home, min(count, 20_000), int(size), workers)
    return {
        "count": count,
        "seconds": round(ended - started, 3),
        "per_second": round(count / (ended - started), 1),
        "floor_per_second": round(floor, 1),
        "peak_rss_mb": round(_peak_mb(workers), 1),
        "cpu_us_each": round(used / count * 1e6, 1),
        "sign_and_store_seconds": round(issued - started, 3),
        "seal_seconds": round(sealed - issued, 3),
        "anchor_seconds": round(ended - sealed, 3),
        "transactions": len(batches),
        "gas": gas,
        "bytes_each": int(size),
        "workers": workers,
    }


def _floor(home: Path, count: int, size: int, workers: int) -> float:
    """Credentials a second if there were nothing but signature, hashes and one row each."""
    share = count // workers
    started = time.perf_counter()
    if workers == 1:
        _sign_only(count, size)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            list(pool.map(_warm, range(workers)))
            started = time.perf_counter()
            list(pool.map(_sign_only, [share] * workers, [size] * workers))
    signing = time.perf_counter() - started
    database = open_database(f"sqlite:///{home / 'floor.db'}")
    with database.session() as session:
        session.execute(text("CREATE TABLE floor (id TEXT PRIMARY KEY, document BLOB, leaf BLOB)"))
    body, leaf = os.urandom(size), os.urandom(32)
    started = time.perf_counter()
    for start in range(0, count, 2_000):
        rows = [
            {"id": os.urandom(16).hex(), "document": body, "leaf": leaf}
            for _ in range(min(2_000, count - start))
        ]
        with database.session() as session:
            session.execute(text("INSERT INTO floor VALUES (:id, :document, :leaf)"), rows)
    writing = time.perf_counter() - started
    database.close()
    return count / (signing + writing)


def _warm(_number: int) -> None:
    _sign_only(10, 100)


def _sign_only(count: int, size: int) -> None:
    from nacl.signing import SigningKey

    key = SigningKey.generate()
    body = os.urandom(size)
    for _ in range(count):
        # the proof options, the document, the secured document, and the leaf
        digest = hashlib.sha256(body[:300]).digest() + hashlib.sha256(body).digest()
        key.sign(digest)
        hashlib.sha256(hashlib.sha256(body).digest()).digest()


def _cpu_seconds() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime


def _peak_mb(workers: int) -> float:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024  # bytes there, KiB here
    return (own + workers * largest) / scale


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", help="SQLAlchemy URL of an empty database to use instead")
    options = parser.parse_args()
    print(json.dumps(run(options.count, workers=options.workers, database_url=options.database)))


if __name__ == "__main__":
    main()
