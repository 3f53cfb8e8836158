"""How fast the degrees of a whole city are decided, from the database.

``run(learners, each)`` fills a database with an invented population (its time is reported apart),
then decides every learner's next degree and stores the verdict, in several processes. Beside it:
one learner with 300 records with the whole explanation, one learner again after one new record, and
an order that holds back one institution's records. The floor is reading the same rows from the same
index in as many processes, and adding up their minutes: nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from ledger.credit import Policy, audit, bundled, parse_context, parse_records
from ledger.database.bulk import insert_rows
from ledger.database.models import Accreditation, Award, Institution, Learner, LearningRecord
from ledger.database.session import Database, open_database
from ledger.holds import Hold
from ledger.standing import context_of, records_of
from ledger.standings.recompute import dry_run
from ledger.standings.sweep import Sweep, refresh_all, refresh_learner, stretches

AS_OF = date(2026, 11, 20)
POLICY = "seoul.citizen-degree@2025.1"
INSTITUTIONS = 400
KST = timedelta(hours=9)
COLUMNS = (
    "id",
    "learner_id",
    "institution_id",
    "kind",
    "category",
    "level",
    "title_ko",
    "code",
    "offering",
    "course_class",
    "started_at",
    "ended_at",
    "exact_interval",
    "minutes",
    "attended",
    "sessions",
    "approved",
    "source_key",
    "status",
    "content_sha256",
    "recorded_at",
)
FIELDS = (
    "인문학",
    "서울학",
    "시민학",
    "문화예술학",
    "사회경제학",
    "생활환경학",
    "미래학",
    "디지털",
)


def learner_id(number: int) -> str:
    """Ids whose order says nothing of when somebody came."""
    return "lrn_" + hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()


def institution_id(number: int) -> str:
    return f"institution-{number:03d}"


def a_life(number: int, records: int) -> Iterator[tuple[Any, ...]]:
    """The records of one learner, as the city's systems hand them in.

    Three fifths take short courses, a quarter long ones, the rest are close to a hundred hours.
    Of the records about 54 % are courses (1 in 12 with too little attendance, 1 in 40 taken again),
    35 % volunteering with clock times (some of it over 8 hours a day, 1 in 30 handed in by a second
    centre ten minutes apart), the rest certificates, projects and mentoring. 1 in 100 is withdrawn,
    1 in 60 from an institution that was no longer accredited.
    """
    rng = random.Random(number)
    chance = rng.random()
    hours = (1, 2, 2, 3) if chance < 0.6 else (4, 8, 12, 20) if chance < 0.85 else (3, 5, 6, 7)
    learner = learner_id(number)
    homes = [rng.randrange(INSTITUTIONS - 8) for _ in range(3)]
    before: datetime | None = None
    course = ""
    for n in range(records):
        day = date(2022, 1, 3) + timedelta(days=rng.randrange(1700))
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - KST
        start += timedelta(hours=rng.randrange(8, 15), minutes=rng.choice((0, 30)))
        where = rng.choice(homes)
        kind = rng.random()
        status = "retracted" if rng.random() < 0.01 else "verified"
        if rng.random() < 1 / 60:
            where = INSTITUTIONS - 1 - rng.randrange(8)
        serial = number * 1000 + n
        field = rng.choice(FIELDS)
        exact, category, code, offering, same = False, field, None, None, None
        attended = sessions = approved = None
        minutes = 60 * rng.choice(hours)
        title = f"{field} 열린강좌 {serial % 900}"
        if kind < 0.54:
            kind_ = "course"
            same = course if course and rng.random() < 1 / 40 else f"class-{rng.randrange(40_000)}"
            course, offering, code = same, f"off-{rng.randrange(400_000)}", f"C{serial % 700:03d}"
            sessions = rng.choice((5, 8, 10))
            attended = sessions - (sessions // 2 if rng.random() < 1 / 12 else rng.randrange(2))
            end = start + timedelta(days=7 * sessions, hours=2)
        elif kind < 0.89:
            kind_, exact, category = "volunteering", True, None
            if before is not None and rng.random() < 1 / 30:
                start = before + timedelta(minutes=10)
                where = rng.choice(homes)
            minutes = 60 * rng.choice((2, 3, 4, 4, 4, 9))
            before, end = start, start + timedelta(minutes=minutes)
            title = f"봉사활동 {serial % 300}"
        else:
            kind_ = rng.choice(("certificate", "project", "mentoring"))
            end = start + timedelta(hours=2)
            approved = True if kind_ == "project" else None
        yield (
            f"rec_{serial:012d}",
            learner,
            institution_id(where),
            kind_,
            category,
            "기초" if n % 3 else None,
            title,
            code,
            offering,
            same,
            start,
            end,
            exact,
            minutes,
            attended,
            sessions,
            approved,
            f"row-{serial}",
            status,
            hashlib.sha256(str(serial).encode()).digest(),
            end + timedelta(days=3 + n % 20),
        )


def build(database: Database, learners: int, each: int) -> float:
    """Fill an empty database; seconds. Indexes are made after the rows."""
    started = time.perf_counter()
    made = datetime(2022, 1, 1, tzinfo=UTC)
    with database.session() as session:
        session.execute(
            insert(Institution),
            [
                {
                    "id": institution_id(n),
                    "name_ko": f"기관 {n}",
                    "name_en": f"Institution {n}",
                    "issuer_group": None,
                    "created_at": made,
                }
                for n in range(INSTITUTIONS)
            ],
        )
        session.execute(
            insert(Accreditation),
            [
                {
                    "institution_id": institution_id(n),
                    "kind": kind,
                    "valid_from": datetime(2018, 1, 1, tzinfo=UTC),
                    "valid_to": datetime(2023, 1, 1, tzinfo=UTC) if n >= INSTITUTIONS - 8 else None,
                }
                for n in range(INSTITUTIONS)
                for kind in ("course", "volunteering", "certificate", "project", "mentoring")
            ],
        )
    table: Any = LearningRecord.__table__
    later = [index for index in table.indexes if not index.unique]
    with database.session() as session:
        for index in later:
            index.drop(session.connection())
    holders = []
    for start in range(0, learners, 2_000):
        numbers = range(start, min(learners, start + 2_000))
        lives = {n: list(a_life(n, each)) for n in numbers}
        with database.session() as session:
            people: Any = Learner.__table__
            ids = [(learner_id(n), made) for n in numbers]
            insert_rows(session, people, ("id", "created_at"), ids)
            insert_rows(session, table, COLUMNS, [row for life in lives.values() for row in life])
        # 1 in 400 holds the bachelor already, and its minutes are locked
        holders.extend((n, lives[n]) for n in numbers if n % 400 == 7)
        if len(holders) > 500 or numbers[-1] == learners - 1:
            _award(database, holders)
            holders = []
    with database.session() as session:
        for index in later:
            index.create(session.connection())
    with database.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("ANALYZE" if database.dialect == "sqlite" else "VACUUM ANALYZE"))
    return time.perf_counter() - started


def _award(database: Database, holders: list[tuple[int, list[tuple[Any, ...]]]]) -> None:
    with database.session() as session:
        for number, life in holders:
            used = {row[0]: row[13] for row in life[:6] if row[18] == "verified"}
            session.add(
                Award(
                    learner_id=learner_id(number),
                    degree="bachelor",
                    state="valid",
                    awarded_on=date(2026, 6, 12),
                    basis="ledger",
                    policy=POLICY,
                    used=used,
                )
            )


def _add_up(url: str, ranges: list[tuple[str, str | None]]) -> int:
    database = open_database(url)
    total = 0
    try:
        for low, high in ranges:
            where = "learner_id >= :low" + (" AND learner_id < :high" if high else "")
            with database.reading() as session:
                rows = session.connection().execute(
                    text(
                        "SELECT learner_id, institution_id, kind, status, started_at, ended_at, "
                        f"minutes FROM learning_record WHERE {where} ORDER BY learner_id"
                    ),
                    {"low": low, "high": high},
                )
                total += sum(row[6] for row in rows.cursor.fetchall())  # type: ignore[union-attr]
    finally:
        database.close()
    return total


def _floor(url: str, database: Database, learners: int, workers: int) -> float:
    """Learners a second when their rows are read and nothing is decided."""
    with database.reading() as session:
        ranges = list(stretches(session))[:50]
    started = time.perf_counter()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(_add_up, [url] * workers, [ranges[n::workers] for n in range(workers)]))
    return min(learners, 4096 * len(ranges)) / (time.perf_counter() - started)


def _one_learner(database: Database, policy: Policy) -> float:
    """Milliseconds of a whole audit of a learner with 300 records, read from the database."""
    times = []
    who = "lrn_~300"
    with database.session() as session:
        session.add(Learner(id=who, created_at=datetime(2022, 1, 1, tzinfo=UTC)))
        session.flush()
        _insert(session, who, list(a_life(1, 300)))
        for _ in range(15):
            session.expire_all()
            started = time.perf_counter()
            records, odd = parse_records(records_of(session, who, AS_OF))
            context = parse_context(context_of(session, who, AS_OF))
            audit(policy, "bachelor", records, context, AS_OF, unreadable=odd).canonical()
            times.append(time.perf_counter() - started)
        session.rollback()
    return statistics.median(times) * 1000


def _incremental(database: Database, policy: Policy, each: int) -> float:
    """Milliseconds from one new record to the new verdict in the table, without the disk's wait."""
    times = []
    with database.reading() as session:
        sweep = Sweep(session, policy, AS_OF)
    with database.session() as session:
        for n in range(60):
            _insert(session, learner_id(n * 3), list(a_life(n * 3, each + 1))[-1:])
            started = time.perf_counter()
            refresh_learner(session, sweep, learner_id(n * 3))
            times.append(time.perf_counter() - started)
        session.rollback()
    return statistics.median(times) * 1000


def _insert(session: Session, learner: str, life: list[tuple[Any, ...]]) -> None:
    table: Any = LearningRecord.__table__
    rows = [("rec_~" + r[0], learner, *r[2:17], "~" + r[17], *r[18:]) for r in life]
    insert_rows(session, table, COLUMNS, rows)


def _fraud(database: Database, policy: Policy, wanted: int) -> dict[str, Any]:
    """The dry run of holding back about 3,000 records of one institution."""
    with database.reading() as session:
        ended = session.scalars(
            select(LearningRecord.ended_at)
            .where(LearningRecord.institution_id == institution_id(3))
            .order_by(LearningRecord.ended_at)
        ).all()
        until = (ended[min(wanted, len(ended)) - 1] + KST).date()
        started = time.perf_counter()
        report = dry_run(session, policy, AS_OF, hold=Hold(institution_id(3), None, None, until))
    return {
        "fraud_records": report.records,
        "fraud_learners": report.affected,
        "fraud_seconds": round(time.perf_counter() - started, 2),
    }


def _peak_mb(workers: int) -> float:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024
    return (own + workers * largest) / scale


def run(
    learners: int,
    each: int,
    *,
    workers: int = 2,
    url: str | None = None,
    policy: str = POLICY,
) -> dict[str, Any]:
    """``count, seconds, per_second, floor_per_second, peak_rss_mb, share_bounds, share_solver,
    one_learner_300_ms, incremental_ms`` and beside them the parts. ``url``: a database to use; it
    is filled when it is empty, and used as it is when not."""
    rules = next(p for p in bundled() if p.key == policy)
    with tempfile.TemporaryDirectory(prefix="baeum-bench-") as folder:
        where = url or f"sqlite:///{Path(folder) / 'credit.db'}"
        database = open_database(where, wait_seconds=120)
        database.migrate()
        with database.reading() as session:
            filled = session.scalar(select(Learner.id).limit(1)) is not None
        built = 0.0 if filled else build(database, learners, each)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = usage.ru_utime + usage.ru_stime
        started = time.perf_counter()
        done = refresh_all(where, rules, AS_OF, workers=workers)
        seconds = time.perf_counter() - started
        peak = _peak_mb(workers)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = usage.ru_utime + usage.ru_stime - used
        floor = _floor(where, database, done.learners, workers)
        one = _one_learner(database, rules)
        incremental = _incremental(database, rules, each)
        fraud = _fraud(database, rules, 3_000)
        database.close()
    return {
        "count": done.learners,
        "seconds": round(seconds, 2),
        "per_second": round(done.learners / seconds, 1),
        "floor_per_second": round(floor, 1),
        "peak_rss_mb": round(peak, 1),
        "share_bounds": round((done.screen + done.bounds) / max(1, done.learners), 5),
        "share_solver": round(done.program / max(1, done.learners), 5),
        "one_learner_300_ms": round(one, 2),
        "incremental_ms": round(incremental, 2),
        "share_screen": round(done.screen / max(1, done.learners), 5),
        "hours_met": done.hours_met,
        "eligible": done.eligible,
        "cpu_us_each": round(used / max(1, done.learners) * 1e6, 1),
        **fraud,
        "records_each": each,
        "build_seconds": round(built, 1),
        "workers": workers,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", "--learners", dest="learners", type=int, default=100_000)
    parser.add_argument("--records-per-learner", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--policy", default=POLICY)
    parser.add_argument("--database", help="SQLAlchemy URL of a database to fill once and keep")
    options = parser.parse_args()
    result = run(
        options.learners,
        options.records_per_learner,
        workers=options.workers,
        url=options.database,
        policy=options.policy,
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
