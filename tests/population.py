"""A small invented city for tests: institutions with keys, learners with names, records."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from issuer.issuers import give_key
from issuer.keys import Keystore
from issuer.keys.keyfile import WorkFactor
from issuer.place import AnchorPlace
from ledger.database.models import (
    Accreditation,
    Institution,
    Learner,
    LearnerIdentity,
    LearningRecord,
)
from ledger.database.session import Database
from ledger.learners import Identities

UNIVERSITY = "seoul-citizens-university"
CENTRE = "geumcheon-digital-centre"
REGISTRAR = "seoul-lifelong-education"
NOW = datetime(2026, 11, 23, 3, 4, 5, tzinfo=UTC)
PLACE = AnchorPlace(31337, "0x" + "c0" * 20, REGISTRAR)
PUBLIC_URL = "https://baeum.seoul.example"
IDENTITIES = Identities(b"c" * 32, b"n" * 32)
CHEAP = WorkFactor(n=2**4, r=1, p=1)
KINDS = ("course", "volunteering", "certificate", "project", "mentoring")


def keystore(directory: Path) -> Keystore:
    """The keystore of a test, with a work factor that costs nothing."""
    return Keystore(directory / "keys", "a passphrase", work=CHEAP)


def found(database: Database, keys: Keystore, *ids: str) -> None:
    """Institutions with a key and an open accreditation for every kind."""
    with database.session() as session:
        for institution in ids or (UNIVERSITY, CENTRE, REGISTRAR):
            session.add(
                Institution(
                    id=institution,
                    name_ko=f"{institution} 기관",
                    name_en=institution.title(),
                    created_at=NOW,
                )
            )
            session.flush()
            for kind in KINDS:
                session.add(
                    Accreditation(
                        institution_id=institution,
                        kind=kind,
                        valid_from=datetime(2020, 1, 1, tzinfo=UTC),
                    )
                )
    for institution in ids or (UNIVERSITY, CENTRE, REGISTRAR):
        give_key(database, keys, institution)


def record(number: int, institution: str = UNIVERSITY, **changes: Any) -> dict[str, Any]:
    """One verified record as a row; ``changes`` replace columns."""
    started = datetime(2026, 3, 2, 1, 0, tzinfo=UTC) + timedelta(hours=number % 1000)
    row: dict[str, Any] = {
        "id": f"rec_{institution[:8]}{number:08d}",
        "learner_id": f"lrn_{number % 50:04d}",
        "institution_id": institution,
        "kind": KINDS[number % len(KINDS)],
        "category": "디지털" if number % 2 else None,
        "level": "기초" if number % 3 == 0 else None,
        "title_ko": f"스마트폰 완전정복 {number % 7}기",
        "title_en": f"All about smartphones {number % 7}" if number % 4 == 0 else None,
        "code": f"SM-{number % 7}" if number % 5 else None,
        "offering": None,
        "course_class": None,
        "started_at": started,
        "ended_at": started + timedelta(hours=2),
        "exact_interval": True,
        "minutes": 60 + number % 240,
        "attended": None,
        "sessions": None,
        "approved": True,
        "source_key": f"key-{number:08d}",
        "status": "verified",
        "supersedes_id": None,
        "content_sha256": hashlib.sha256(str(number).encode()).digest(),
        "submission_id": None,
        "submission_row": None,
        "recorded_at": NOW,
    }
    return row | changes


def learners(database: Database, count: int = 50, identities: Identities = IDENTITIES) -> None:
    """Learners ``lrn_0000`` …, every second one with a name."""
    ids = [f"lrn_{n:04d}" for n in range(count)]
    with database.session() as session:
        session.execute(insert(Learner.__table__), [{"id": i, "created_at": NOW} for i in ids])
        session.execute(
            insert(LearnerIdentity.__table__),
            [{"learner_id": i, "name": identities.seal_name(i, "김하늘")} for i in ids[::2]],
        )


def records(database: Database, rows: list[dict[str, Any]]) -> None:
    with database.session() as session:
        session.execute(insert(LearningRecord.__table__), rows)


def populate(database: Database, directory: Path, count: int, **changes: Any) -> Keystore:
    """Everything at once: two issuing institutions, fifty learners, ``count`` records."""
    keys = keystore(directory)
    found(database, keys)
    learners(database)
    if count:
        records(
            database,
            [record(n, (UNIVERSITY, CENTRE)[n % 2], **changes) for n in range(count)],
        )
    return keys
