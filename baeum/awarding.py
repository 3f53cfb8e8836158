"""The degree office of one home: its steps, its papers, and the bits that follow.

Commands and the API get the same object from here.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from baeum.home import Home, now

if TYPE_CHECKING:
    from credential.disclosure import View
    from credential.evidence import Evidence
    from issuer.intake import SubmissionReport
    from issuer.papers import RollLine
    from ledger.awards.office import Office

PAPER_MAPPING = "paper-degrees"


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
    from issuer.papers import roll_lines
    from ledger.awards import views

    office = office_of(home)
    found = office.look(views.awards, home.identities, since=since, until=until, limit=None)
    return roll_lines(found)


def evidence_of(home: Home, award_id: int, view: View) -> Evidence:
    """The degree's evidence file with what ``view`` discloses of its records."""
    from issuer.degree_evidence import degree_evidence

    with home.database.reading() as session:
        return degree_evidence(session, award_id, view)
