"""Bulk rows come back as ordinary ones do, and fail as they do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ledger.database.bulk import insert_rows
from ledger.database.models import Award, Institution, Learner, Submission, SubmissionRow
from ledger.database.session import Database

NOW = datetime(2026, 10, 1, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=9)))
COLUMNS = ("id", "name_ko", "name_en", "issuer_group", "created_at")


def test_rows_come_back_as_the_models_take_them(database: Database) -> None:
    tricky = "가\t나\\N\n'\"; DROP TABLE x; --,{}"
    with database.session() as session:
        insert_rows(
            session,
            Institution.__table__,
            COLUMNS,
            [("a", tricky, "\\N", None, NOW), ("b", "나", "B", "g", NOW.astimezone(UTC))],
        )
        insert_rows(session, Learner.__table__, ("id", "created_at"), [("lrn_a", NOW)])
        columns = ("learner_id", "degree", "state", "awarded_on", "basis", "used", "policy_hash")
        award = (
            "lrn_a",
            "bachelor",
            "valid",
            date(2024, 2, 29),
            "paper",
            {"가": [1, None]},
            b"\0\xff",
        )
        insert_rows(session, Award.__table__, columns, [award])
        insert_rows(session, Learner.__table__, ("id", "created_at"), [])
    with database.reading() as session:
        a, b = session.scalars(select(Institution).order_by(Institution.id)).all()
        assert (a.name_ko, a.name_en, a.issuer_group) == (tricky, "\\N", None)
        assert a.created_at == b.created_at == NOW
        found = session.scalars(select(Award)).one()
        assert (found.used, found.policy_hash) == ({"가": [1, None]}, b"\0\xff")
        assert found.awarded_on == date(2024, 2, 29)
        assert session.scalar(select(Institution.id).where(Institution.created_at == NOW).limit(1))


def test_a_row_twice_or_without_its_parent_is_refused(database: Database) -> None:
    row = ("a", "가", "A", None, NOW)
    with database.session() as session:
        insert_rows(session, Institution.__table__, COLUMNS, [row])
    with database.session() as session:
        with pytest.raises(IntegrityError):
            insert_rows(session, Institution.__table__, COLUMNS, [row])
        session.rollback()
    columns = ("submission_id", "row", "verdict", "problems")
    with database.session() as session:
        with pytest.raises(IntegrityError):
            insert_rows(
                session, SubmissionRow.__table__, columns, [("sub_none", 1, "accepted", [])]
            )
        session.rollback()
    with database.reading() as session:
        assert session.query(Submission).count() == 0
