"""A small office for tests of degrees: a registrar, a university, learners with enough learning."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from credential.text import Text
from ledger.awards import applications, cohorts, decisions
from ledger.awards.people import Actor
from ledger.database.models import Accreditation, Institution, Learner, LearnerItem, LearningRecord
from ledger.database.session import Database

NOW = datetime(2026, 5, 1, 3, tzinfo=UTC)
REGISTRAR = "seoul-lifelong-education"
UNIVERSITY = "uni"
KIM, LEE, PARK, CHAIR = (Actor(name) for name in ("kim", "lee", "park", "choi"))
MEMBERS = ("han", "oh")
LEARNERS = ("lrn_a", "lrn_b", "lrn_c")


def record(id: str, learner: str, **changes: Any) -> LearningRecord:
    """A verified course of 100 hours."""
    values: dict[str, Any] = {
        "id": id,
        "learner_id": learner,
        "institution_id": UNIVERSITY,
        "kind": "course",
        "title_ko": "강좌",
        "started_at": datetime(2025, 3, 2, 15, tzinfo=UTC),
        "ended_at": datetime(2025, 5, 9, 14, 59, 59, tzinfo=UTC),
        "exact_interval": False,
        "minutes": 6000,
        "source_key": id,
        "status": "verified",
        "content_sha256": id.encode().ljust(32),
        "recorded_at": NOW - timedelta(days=30),
    }
    return LearningRecord(**(values | changes))


def found(database: Database) -> None:
    """``lrn_a`` has 400 hours and an approved output, ``lrn_b`` 100, ``lrn_c`` 99 h 59 min."""
    with database.session() as session:
        session.add_all(
            Institution(id=n, name_ko=n, name_en=n, issuer_group="scc", created_at=NOW)
            for n in (REGISTRAR, UNIVERSITY)
        )
        session.add_all(Learner(id=n, created_at=NOW) for n in LEARNERS)
        session.flush()
        since = datetime(2019, 12, 31, 15, tzinfo=UTC)
        for name, kind in (
            (REGISTRAR, "registrar"),
            (REGISTRAR, "degree"),
            (UNIVERSITY, "course"),
        ):
            session.add(Accreditation(institution_id=name, kind=kind, valid_from=since))
        session.add_all(record(f"rec_a{n}", "lrn_a") for n in range(4))
        session.add(record("rec_b0", "lrn_b"))
        session.add(record("rec_c0", "lrn_c", minutes=5999))
        session.add(
            LearnerItem(
                learner_id="lrn_a",
                item="learning_output",
                state="approved",
                decided_on=date(2026, 4, 1),
            )
        )


def place(session: Session, learner: str = "lrn_a", degree: str = "master") -> None:
    """A place in a cohort of the degree."""
    cohorts.open_cohort(
        session,
        f"{degree}-2026",
        degree,
        Text("2026 과정", "Cohort 2026"),
        KIM,
        opens_on=date(2026, 4, 1),
        closes_on=date(2026, 6, 1),
        quota=1,
        now=NOW,
    )
    cohorts.ask_for_place(session, f"{degree}-2026", learner, KIM, NOW)
    cohorts.admit(session, f"{degree}-2026", learner, KIM, rank=1, reason="1순위", now=NOW)


def reviewed(session: Session, learner: str, degree: str = "bachelor") -> str:
    """An application that two persons have reviewed; its id."""
    taken = applications.apply(session, learner, degree, KIM, NOW)
    for person in (KIM, LEE):
        applications.review(
            session,
            taken.id,
            person,
            recommends=True,
            conflict=False,
            reason="요건 확인",
            now=NOW,
        )
    return taken.id


def approved(session: Session, learner: str, degree: str = "bachelor") -> str:
    """An application the committee approved; its id."""
    application = reviewed(session, learner, degree)
    decisions.decide(
        session,
        application,
        CHAIR,
        approve=True,
        meeting="2026-3",
        members=MEMBERS,
        reason="만장일치",
        now=NOW,
    )
    return application


def conferred(session: Session, learner: str, degree: str = "bachelor") -> str:
    """An application whose degree was given; its id."""
    application = approved(session, learner, degree)
    decisions.confer(session, application, PARK, institution=REGISTRAR, reason="수여식", now=NOW)
    return application
