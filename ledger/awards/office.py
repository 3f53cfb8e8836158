"""The degree office as one object for whoever serves people: a command, a page, an API.

``take`` runs one step as one transaction; ``look`` reads. Steps are the functions of this package
with ``(session, …, now=)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.text import Text
from ledger import prospects
from ledger.awards import views
from ledger.awards.applications import KST, Taken
from ledger.awards.errors import Unknown
from ledger.catalogue import open_courses
from ledger.database.models import Accreditation
from ledger.database.session import Database
from ledger.learners import Identities
from ledger.standing import audit_learner

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Office:
    """``identities`` opens names for the office's own lists; without it there are none.

    ``afterwards`` is called after each step that changed something: the composition root lets
    status bits follow there. It may fail or be killed; it is called again later.
    """

    database: Database
    clock: Callable[[], datetime]
    identities: Identities | None = None
    afterwards: Callable[[], object] = field(default=lambda: None)

    def take(self, step: Callable[..., Taken], *arguments: Any, **named: Any) -> Taken:
        """One step, one transaction; ``now`` is added. Raises what the step raises."""
        with self.database.session() as session:
            taken = step(session, *arguments, **named, now=self.clock())
        if taken.changed:
            self.afterwards()
        return taken

    def write(
        self, job: Callable[Concatenate[Session, P], T], *given: P.args, **named: P.kwargs
    ) -> T:
        """One transaction of something that is not a step, such as importing open courses."""
        with self.database.session() as session:
            return job(session, *given, **named)

    def look(
        self, view: Callable[Concatenate[Session, P], T], *arguments: P.args, **named: P.kwargs
    ) -> T:
        """What ``view`` reads, in one state of the database."""
        with self.database.reading() as session:
            return view(session, *arguments, **named)

    def today(self) -> date:
        """Today in Seoul, where the days of the policies are."""
        return self.clock().astimezone(KST).date()

    # What is asked for every day, so that nobody has to know the functions behind it.

    def applications(self, **chosen: Any) -> dict[str, Any]:
        """A page of applications with names (``views.applications``: state, learner_id, after)."""
        return self.look(views.applications, self.identities, **chosen)

    def application(self, application_id: str) -> dict[str, Any]:
        """One application with recommendation, reviews, decision and history."""
        return self.look(views.application, application_id, self.clock(), self.identities)

    def awards(self, **chosen: Any) -> list[dict[str, Any]]:
        """Degrees given, with names (``views.awards``: learner_id, since, until, after, limit)."""
        return self.look(views.awards, self.identities, **chosen)

    def ways(self, learner_id: str) -> list[dict[str, Any]]:
        """The audit of every degree of the policy in force, today."""
        return self.look(prospects.ways, learner_id, self.today())

    def audit(self, learner_id: str, degree: str) -> dict[str, Any]:
        """The audit of one degree, today."""
        return self.look(audit_learner, learner_id, degree, self.today()).to_json()

    def titles(self, learner_id: str) -> dict[str, dict[str, str]]:
        """By record id: title in both languages, the day it ended, and its institution."""
        return self.look(views.titles, learner_id)

    def what_if(self, learner_id: str, degree: str, **assumed: Any) -> dict[str, Any]:
        """Today's audit beside the one under assumptions: take, without, policy."""
        return self.look(prospects.what_if, learner_id, degree, self.today(), **assumed)

    def suggestions(self, learner_id: str, degree: str) -> dict[str, Any]:
        """Which open courses bring the learner closest."""
        return self.look(prospects.suggestions, learner_id, degree, self.today())

    def open_courses(self) -> list[dict[str, Any]]:
        """Courses that can be joined today."""
        return self.look(open_courses, self.today())

    def awarding_institution(self) -> str:
        """Who signs degrees: the first institution accredited for them. Raises ``Unknown``."""
        with self.database.reading() as session:
            found = session.scalars(
                select(Accreditation.institution_id)
                .where(Accreditation.kind == "degree", Accreditation.valid_from <= self.clock())
                .order_by(Accreditation.id)
                .limit(1)
            ).first()
        if found is None:
            raise Unknown(
                Text(
                    "학위를 수여하도록 인증된 기관이 없습니다.",
                    "No institution is accredited to give degrees.",
                ),
                Text(
                    "기관 목록의 수여 기관에 kind: degree를 추가하고 baeum setup을 실행하세요.",
                    "Add kind: degree to the awarding institution's entry and run baeum setup.",
                ),
            )
        return found
