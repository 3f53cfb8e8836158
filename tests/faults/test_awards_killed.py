"""The way to a degree, killed at every statement that writes and every commit, before and after.

Doing the same again ends where an undisturbed run ends: one award, one degree record, one chain of
history, nothing half-written.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from office import CHAIR, KIM, LEE, MEMBERS, NOW, PARK, REGISTRAR, found
from sqlalchemy import select
from sqlalchemy.orm import Session
from town import Countdown, FaultyDatabase, Killed

from ledger.awards import applications, cases, decisions, history
from ledger.awards.errors import NotNow
from ledger.database.awards import Application, AwardCase, AwardHistory, Decision, Review
from ledger.database.models import Award, LearningRecord
from ledger.database.session import Database, open_database

LATER = NOW + timedelta(days=20)


def application(session: Session) -> str:
    return session.scalars(select(Application.id)).one()


def award(session: Session) -> Award:
    return session.scalars(select(Award)).one()


def case(session: Session) -> str:
    return session.scalars(select(AwardCase.id)).one()


def begin(session: Session) -> object:
    try:
        return applications.apply(session, "lrn_b", "bachelor", KIM, NOW)
    except NotNow:  # it was given before
        return None


def accuse(session: Session) -> object:
    try:
        return cases.open_case(
            session, award(session).id, KIM, cause="fraud", grounds="g", suspend=True, now=NOW
        )
    except NotNow:  # withdrawn before
        return None


STEPS: list[Callable[[Session], object]] = [
    begin,
    *(
        lambda s, who=who: applications.review(
            s, application(s), who, recommends=True, conflict=False, reason="r", now=NOW
        )
        for who in (KIM, LEE)
    ),
    lambda s: decisions.decide(
        s, application(s), CHAIR, approve=True, meeting="1", members=MEMBERS, reason="r", now=NOW
    ),
    lambda s: decisions.confer(s, application(s), PARK, institution=REGISTRAR, reason="r", now=NOW),
    accuse,
    lambda s: cases.schedule(s, case(s), KIM, on=date(2026, 5, 15), reason="r", now=NOW),
    lambda s: cases.hear(s, case(s), KIM, statement="s", now=LATER),
    lambda s: cases.close(s, case(s), LEE, withdraw=True, reason="r", now=LATER),
]


def live(database: Any) -> None:
    """All of it, one transaction a step; a step that was done is passed over."""
    for step in STEPS:
        with database.session() as session:
            try:
                step(session)
            except NotNow:
                session.rollback()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("office") / "db"
    database = open_database(f"sqlite:///{path}")
    database.migrate()
    found(database)
    database.close()
    return path


def standing(database: Database) -> dict[str, Any]:
    with database.reading() as session:
        assert history.check(session).whole
        (given,) = session.scalars(select(Award)).all()
        (made,) = session.scalars(
            select(LearningRecord).where(LearningRecord.kind == "degree")
        ).all()
        (decision,) = session.scalars(select(Decision)).all()
        assert (decision.award_id, decision.record_id) == (given.id, made.id)
        return {
            "award": (given.state, given.used),
            "case": [(c.state, c.outcome) for c in session.scalars(select(AwardCase))],
            "reviews": [r.reviewer for r in session.scalars(select(Review))],
            "history": [
                (h.action, h.before, h.after) for h in session.scalars(select(AwardHistory))
            ],
        }


@pytest.mark.parametrize(
    "every", [pytest.param(4, id="some"), pytest.param(1, id="all", marks=pytest.mark.soak)]
)
def test_killed_anywhere_the_same_again_ends_as_if_nothing_had_happened(
    template: Path, tmp_path: Path, every: int
) -> None:
    shutil.copy(template, tmp_path / "whole")
    undisturbed = open_database(f"sqlite:///{tmp_path / 'whole'}")
    counting = Countdown(None)
    live(FaultyDatabase(undisturbed, counting))
    expected = standing(undisturbed)
    undisturbed.close()
    assert counting.seen > 60, "every statement and commit is a place to die"
    for moment in range(0, counting.seen, every):
        shutil.copy(template, tmp_path / "db")
        database = open_database(f"sqlite:///{tmp_path / 'db'}")
        with pytest.raises(Killed):
            live(FaultyDatabase(database, Countdown(moment)))
        live(database)
        assert standing(database) == expected, moment
        database.close()
        for left in tmp_path.glob("db*"):
            left.unlink()
