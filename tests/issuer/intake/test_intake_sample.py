"""The sample files: they are what the script makes, and each ends as its README says."""

from __future__ import annotations

import io
import re
import runpy
from datetime import date

import openpyxl
import pytest
from conftest_intake import NOW, SAMPLE
from sqlalchemy import func, select

from issuer.intake import SubmissionReport, ingest
from ledger import institutions
from ledger.database.models import Award, Learner, LearnerItem
from ledger.database.session import Database
from ledger.learners import Identities, learner_by
from ledger.standing import audit_learner

FILES = {
    "citizens-university.xlsx": "seoul-citizens-university",
    "digital-learning-centre.csv": "digital-learning-centre",
    "volunteering.csv": "seoul-volunteer-centre",
    "certificates.csv": "seoul-lifelong-education",
    "projects.csv": "seoul-citizens-university",
    "paper-degrees.csv": "seoul-lifelong-education",
}
AS_OF = date(2026, 10, 1)


def test_the_script_makes_exactly_the_committed_files() -> None:
    made = runpy.run_path(str(SAMPLE / "make.py"))["make"]()
    assert set(made) == set(FILES)
    for name, content in made.items():
        if name.endswith(".csv"):
            assert content == (SAMPLE / name).read_bytes(), name
    # An archive's bytes depend on the zlib at hand; its cells do not.
    name = "citizens-university.xlsx"
    assert cells(made[name]) == cells((SAMPLE / name).read_bytes())


def cells(content: bytes) -> list[tuple[object, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    return list(book.worksheets[0].iter_rows(values_only=True))


@pytest.fixture
def reports(register: Database, identities: Identities) -> dict[str, SubmissionReport]:
    """Every sample file handed in by its institution."""
    return {
        name: ingest(register, identities, SAMPLE / name, institution=institution, now=NOW)
        for name, institution in FILES.items()
    }


def readme_table() -> dict[str, tuple[int, ...]]:
    rows = {}
    for line in (SAMPLE / "README.md").read_text("utf-8").splitlines():
        match = re.match(r"\| `([\w.-]+)`.*?\|([\d, |]+)\|$", line)
        if match:
            rows[match[1]] = tuple(int(n.replace(",", "")) for n in match[2].split("|"))
    return rows


def test_each_file_ends_as_the_readme_says_and_the_three_get_their_answers(
    register: Database, identities: Identities, reports: dict[str, SubmissionReport]
) -> None:
    counted = {
        name: (r.rows, r.accepted, r.duplicates, r.review, r.rejected)
        for name, r in reports.items()
    }
    assert counted == readme_table()
    for report in reports.values():
        for problem in report.problems:
            assert problem.reason.ko
            assert problem.reason.en
            assert problem.remedy.ko
    [total] = reports["citizens-university.xlsx"].totals
    assert total.difference == 20 * 60
    assert reports["digital-learning-centre.csv"].encoding == "cp949"
    with register.reading() as session:
        assert session.scalar(select(func.count()).select_from(Learner)) == 300
        assert session.scalar(select(func.count()).select_from(Award)) == 40
        answers = {}
        for number, degree in (
            ("SM24-000101", "bachelor"),
            ("SM21-000202", "master"),
            ("SM24-000303", "bachelor"),
        ):
            learner = learner_by(session, identities, "seoul-member", number)
            assert learner is not None
            found = audit_learner(session, learner, degree, AS_OF)
            missing = [m["minutes"] for m in found.to_json()["missing"]]
            answers[number] = (found.hours_met, found.eligible, missing)
        assert answers == {
            "SM24-000101": (True, True, []),
            "SM21-000202": (True, True, []),
            "SM24-000303": (False, False, [10]),
        }
        master = learner_by(session, identities, "seoul-member", "SM21-000202")
        items = session.scalars(select(LearnerItem).where(LearnerItem.learner_id == master)).all()
        assert {(item.item, item.state) for item in items} == {
            ("graduation_research", "approved"),
            ("learning_output", "approved"),
        }


def test_the_register_is_read_again_without_doing_anything_twice(register: Database) -> None:
    entries = institutions.read_register(SAMPLE / "institutions.yaml")
    with register.session() as session:
        assert institutions.register(session, entries, NOW) == []
