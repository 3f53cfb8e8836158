"""The degree office of one home: its steps, its papers, and the bits that follow.

Commands and the API get the same object from here.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baeum.home import Home, now
from credential.errors import BaeumError
from credential.text import Text

if TYPE_CHECKING:
    from credential.disclosure import View
    from credential.evidence import Evidence
    from issuer.intake import SubmissionReport
    from issuer.papers import RollLine
    from ledger.awards.office import Office

PAPER_MAPPING = "paper-degrees"


class NoDegreeCredential(BaeumError):
    """The degree has no credential yet, so there is nothing to show anybody."""

    code = "degree-not-issued"
    title = Text("학위증이 아직 없습니다", "The degree has no credential yet")
    status = 409


def office_of(home: Home) -> Office:
    """The office: after each step the status lists follow what was decided."""
    from ledger.awards.office import Office

    return Office(home.database, now, home.identities, afterwards=lambda: follow(home))


def follow(home: Home) -> None:
    """Turn and publish the status bits of degrees whose state changed. Safe to repeat."""
    from baeum import operations
    from issuer.degree_status import align

    if align(home.database, now()):
        operations.publish(home)


def import_paper(home: Home, file: Path, institution: str, by: str) -> SubmissionReport:
    """Take in the roll of degrees given on paper; each is marked as such, with a history row."""
    from issuer.intake import ingest
    from ledger.awards.imports import note_imported
    from ledger.awards.people import Actor

    actor = Actor(by)
    report = ingest(
        home.database,
        home.identities,
        file,
        institution=institution,
        mapping=PAPER_MAPPING,
        now=now(),
    )
    office_of(home).take(note_imported, actor, source=file.name[:120])
    return report


def roll_of(home: Home, since: date | None, until: date | None) -> list[RollLine]:
    """The degrees given between two days, inclusive, with names."""
    from issuer.papers import RollLine
    from ledger.awards import views

    office = office_of(home)
    found = office.look(views.awards, home.identities, since=since, until=until, limit=None)
    return [
        RollLine(
            number=line["award"],
            name=line["learnerName"],
            degree=Text(**line["degreeName"]),
            awarded_on=date.fromisoformat(line["awardedOn"]),
            minutes=line["minutes"],
            basis=line["basis"],
            state=line["state"],
        )
        for line in found
    ]


def evidence_of(home: Home, award_id: int, view: View) -> Evidence:
    """The degree's evidence file with what ``view`` discloses of its records.

    Raises ``Unknown`` and ``NoDegreeCredential``.
    """
    from dataclasses import replace

    from sqlalchemy import select

    from credential.disclosure import reduce
    from issuer.batches import evidence_for
    from ledger.awards.errors import unknown
    from ledger.database.awards import Decision
    from ledger.database.models import Credential

    with home.database.reading() as session:
        decision = session.scalar(
            select(Decision).where(Decision.award_id == award_id, Decision.superseded.is_(False))
        )
        if decision is None:
            raise unknown(Text("심사로 수여한 학위", "degree given by decision"), award_id)
        credential = session.scalar(
            select(Credential.id).where(Credential.record_id == decision.record_id)
        )
        if credential is None:
            raise NoDegreeCredential(
                Text(f"{award_id}번 학위의 증명이 없습니다.", f"Degree {award_id} is not issued."),
                Text(
                    "baeum issue와 baeum anchor를 실행하세요.", "Run baeum issue and baeum anchor."
                ),
                {"award": award_id},
            )
        disclosure: dict[str, Any] = json.loads(decision.disclosure)
        return replace(evidence_for(session, credential), disclosure=reduce(disclosure, view))
