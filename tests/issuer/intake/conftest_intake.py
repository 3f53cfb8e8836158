"""A register of institutions, keys, and a way to hand in a few lines as a file."""

# ruff: noqa: E501  (a header row stays one line)

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from issuer.intake import SubmissionReport, ingest
from ledger import institutions
from ledger.database.session import Database
from ledger.learners import Identities

SAMPLE = Path(__file__).parents[3] / "scripts" / "sample"
NOW = datetime(2026, 10, 1, 3, 0, tzinfo=UTC)
UNIVERSITY = "seoul-citizens-university"
VOLUNTEERS = "seoul-volunteer-centre"

COURSE_HEADER = "회원번호,성명,수강번호,과목코드,강좌명,분야,강좌번호,개강일,종강일,수업횟수,출석횟수,수업시간(시간)"
HELP_HEADER = "확인번호,회원번호,성명,봉사활동명,활동일,시작시각,종료시각,인정시간(분)"


def course(**changes: str) -> str:
    """One good course row, with ``changes`` by heading."""
    row = dict(
        zip(
            COURSE_HEADER.split(","),
            [
                "SM24-1",
                "김하나",
                "E1",
                "SEO101",
                "서울학 산책",
                "서울학",
                "2025-1",
                "2025-04-07",
                "2025-06-09",
                "10",
                "9",
                "20",
            ],
            strict=True,
        )
    )
    assert set(changes) <= set(row)
    return ",".join((row | changes).values())


def helped(**changes: str) -> str:
    """One good volunteering row."""
    row = dict(
        zip(
            HELP_HEADER.split(","),
            ["V1", "SM24-1", "김하나", "도서관 책 정리", "2025-05-10", "09:00", "12:00", ""],
            strict=True,
        )
    )
    assert set(changes) <= set(row)
    return ",".join((row | changes).values())


@pytest.fixture
def identities() -> Identities:
    return Identities(b"c" * 32, b"n" * 32)


@pytest.fixture
def register(database: Database) -> Database:
    """The database with the sample institutions."""
    with database.session() as session:
        institutions.register(
            session, institutions.read_register(SAMPLE / "institutions.yaml"), NOW
        )
    return database


HandIn = Callable[..., SubmissionReport]


@pytest.fixture
def hand_in(register: Database, identities: Identities, tmp_path: Path) -> HandIn:
    """``hand_in(lines or bytes, institution=…, name=…)``: writes a file and takes it in."""

    def go(
        content: list[str] | bytes,
        *,
        institution: str = UNIVERSITY,
        name: str = "file.csv",
        now: datetime = NOW,
        **options: Any,
    ) -> SubmissionReport:
        path = tmp_path / name
        raw = content if isinstance(content, bytes) else "\r\n".join(content).encode()
        path.write_bytes(raw)
        return ingest(register, identities, path, institution=institution, now=now, **options)

    return go
