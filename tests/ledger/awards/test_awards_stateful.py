"""Any order of steps by anybody: the states stay sound and the history whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)
from office import CHAIR, LEARNERS, MEMBERS, NOW, REGISTRAR, found, place
from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.errors import BaeumError
from ledger.awards import applications, cases, decisions, history
from ledger.awards.people import Actor
from ledger.database.awards import Application, AwardCase, AwardHistory, Decision, Review
from ledger.database.models import Award, LearningRecord
from ledger.database.session import open_database

PEOPLE = st.sampled_from(["kim", "lee", "park", "choi"]).map(Actor)
OPEN = {"applied", "reviewing", "reviewed", "approved"}
_made: list[Path] = []


def fresh() -> Path:
    """A copy of an office on SQLite."""
    if not _made:
        folder = Path(tempfile.mkdtemp(prefix="baeum-office-"))
        database = open_database(f"sqlite:///{folder / 'db'}")
        database.migrate()
        found(database)
        with database.session() as session:
            place(session)
        database.close()
        _made.append(folder)
    copy = Path(tempfile.mkdtemp(prefix="baeum-office-"))
    shutil.copy(_made[0] / "db", copy / "db")
    return copy


class Office(RuleBasedStateMachine):
    """Every step is tried whenever it comes up; what is refused must change nothing."""

    applied = Bundle("applied")
    opened = Bundle("opened")

    @initialize()
    def start(self) -> None:
        self.folder = fresh()
        self.database = open_database(f"sqlite:///{self.folder / 'db'}")
        self.now = NOW

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            shutil.rmtree(self.folder)

    def take(self, step: Callable[[Session], Any]) -> Any:
        """One transaction; a refusal is a typed error with a remedy and leaves no row."""
        rows = self._rows()
        try:
            with self.database.session() as session:
                taken = step(session)
        except BaeumError as refusal:
            taken, refused = None, refusal
        else:
            refused = None
        if refused is not None:
            assert refused.remedy is not None
            assert self._rows() == rows
        return taken

    def _rows(self) -> int:
        with self.database.reading() as session:
            return len(session.scalars(select(AwardHistory.sequence)).all())

    @rule(
        target=applied,
        who=st.sampled_from(LEARNERS),
        degree=st.sampled_from(["bachelor", "master"]),
    )
    def apply(self, who: str, degree: str) -> Any:
        taken = self.take(lambda s: applications.apply(s, who, degree, Actor("kim"), self.now))
        return multiple() if taken is None else taken.id

    @rule(app=applied, who=PEOPLE, recommends=st.booleans(), conflict=st.booleans())
    def review(self, app: str, who: Actor, recommends: bool, conflict: bool) -> None:
        self.take(
            lambda s: applications.review(
                s, app, who, recommends=recommends, conflict=conflict, reason="r", now=self.now
            )
        )

    @rule(app=applied)
    def two_reviews(self, app: str) -> None:
        for who in ("kim", "lee"):
            self.review(app, Actor(who), True, False)

    @rule(app=applied, who=PEOPLE, approve=st.booleans(), meeting=st.sampled_from(["1", "2"]))
    def decide(self, app: str, who: Actor, approve: bool, meeting: str) -> None:
        self.take(
            lambda s: decisions.decide(
                s,
                app,
                who,
                approve=approve,
                meeting=meeting,
                members=MEMBERS,
                reason="r",
                now=self.now,
            )
        )

    @rule(app=applied)
    def confer(self, app: str) -> None:
        self.decide(app, CHAIR, True, "1")
        self.take(
            lambda s: decisions.confer(
                s, app, Actor("park"), institution=REGISTRAR, reason="r", now=self.now
            )
        )

    @rule(app=consumes(applied))
    def cancel(self, app: str) -> None:
        self.take(lambda s: applications.cancel(s, app, Actor("kim"), "r", self.now))

    @rule(number=st.integers(0, 3))
    def retract(self, number: int) -> None:
        def step(session: Session) -> None:
            session.get_one(LearningRecord, f"rec_a{number}").status = "retracted"

        self.take(step)

    @rule(target=opened, number=st.integers(1, 3), suspend=st.booleans())
    def open_case(self, number: int, suspend: bool) -> Any:
        taken = self.take(
            lambda s: cases.open_case(
                s, number, Actor("kim"), cause="error", grounds="g", suspend=suspend, now=self.now
            )
        )
        return multiple() if taken is None else taken.id

    @rule(case=opened, days=st.integers(5, 20))
    def schedule(self, case: str, days: int) -> None:
        on = date(2026, 5, 1) + timedelta(days=days)
        self.take(lambda s: cases.schedule(s, case, Actor("kim"), on=on, reason="r", now=self.now))

    @rule(case=opened)
    def hear(self, case: str) -> None:
        later = self.now + timedelta(days=30)
        self.take(lambda s: cases.hear(s, case, Actor("kim"), statement="s", now=later))

    @rule(case=opened, withdraw=st.booleans(), who=PEOPLE)
    def close(self, case: str, withdraw: bool, who: Actor) -> None:
        self.take(lambda s: cases.close(s, case, who, withdraw=withdraw, reason="r", now=self.now))

    @invariant()
    def sound(self) -> None:
        if not hasattr(self, "database"):
            return
        with self.database.reading() as session:
            apps = session.scalars(select(Application)).all()
            live = [(a.learner_id, a.degree) for a in apps if a.closed_at is None]
            assert len(set(live)) == len(live)
            for app in apps:
                assert (app.closed_at is None) == (app.state in OPEN)
                people = session.scalars(
                    select(Review.reviewer).where(
                        Review.application_id == app.id, Review.recommendation != "recused"
                    )
                ).all()
                decision = decisions.decision_on(session, app.id)
                if app.state in ("approved", "conferred", "refused"):
                    assert len(set(people)) >= 2
                    assert decision is not None
                    assert decision.chair not in people
                if app.state == "conferred":
                    assert decision is not None
                    assert decision.award_id is not None
                    assert decision.record_id is not None
            assert len({a.learner_id for a in apps if a.state == "approved"}) == len(
                [a for a in apps if a.state == "approved"]
            )
            self._awards_are_sound(session)
            assert history.check(session).whole

    def _awards_are_sound(self, session: Session) -> None:
        spent: dict[str, int] = {}
        for award in session.scalars(select(Award)):
            assert session.scalar(select(Decision.id).where(Decision.award_id == award.id))
            for record, minutes in award.used.items():
                if award.state != "withdrawn":
                    spent[record] = spent.get(record, 0) + minutes
            heard = session.scalars(
                select(AwardCase).where(
                    AwardCase.award_id == award.id, AwardCase.outcome == "withdrawn"
                )
            ).all()
            assert (award.state == "withdrawn") == bool(heard)
            for case in heard:
                assert case.heard_on is not None
                assert case.closed_by != case.opened_by
        assert all(minutes <= 6000 for minutes in spent.values()), "each minute once"


TestOffice = Office.TestCase
TestOffice.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
