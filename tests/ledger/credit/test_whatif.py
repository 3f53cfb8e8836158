"""What would be if, by the same engine: pure, and from the database with its catalogue."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from office import UNIVERSITY, found

from ledger.awards.errors import Unknown
from ledger.catalogue import (
    CatalogueInvalid,
    CourseUnknown,
    import_courses,
    open_courses,
    read_catalogue,
)
from ledger.credit import bundled
from ledger.credit.errors import InputUnreadable
from ledger.credit.whatif import Standing, assume, closest, compare, missing
from ledger.database.session import Database
from ledger.prospects import suggestions, what_if
from ledger.standing import LearnerUnknown

SEOUL = next(p for p in bundled() if p.key == "seoul.citizen-degree@2025.1")
DAY = date(2026, 5, 1)
REGISTER = {"uni": {"group": "scc", "periods": [["2020-01-01", None]]}}


def record(n: int, minutes: int = 2400, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"rec_{n}", "type": "course", "category": "seoul", "issuer": "uni",
        "status": "verified", "start": "2025-03-01", "end": "2025-05-01", "minutes": minutes,
        "verified_at": "2025-06-01T00:00:00+00:00",
    } | changes  # fmt: skip


def course(n: int, minutes: int = 1200, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"c{n}", "institution": "uni", "issuer": REGISTER["uni"], "kind": "course",
        "category": "seoul", "startsOn": "2026-06-01", "endsOn": "2026-07-31", "minutes": minutes,
        "sessions": 10,
    } | changes  # fmt: skip


def standing(*records: dict[str, Any]) -> Standing:
    return Standing(records, {"issuers": REGISTER}, DAY)


def test_taking_a_course_counts_from_the_day_it_ends() -> None:
    before = standing(record(0), record(1))
    after = assume(before, take=[course(0)])
    assert after.as_of == date(2026, 8, 1)
    found = compare(before.audit(SEOUL, "bachelor"), after.audit(SEOUL, "bachelor"))
    assert found["missing"] == [1200, 0]
    assert found["eligible"] == [False, True]
    assert [r["record"] for r in found["records"]] == ["planned:c0"]
    assert "met" in found["why"]["en"]


def test_a_revoked_record_is_simply_not_there() -> None:
    before = standing(record(0), record(1), record(2))
    after = assume(before, without=["rec_1"])
    found = compare(before.audit(SEOUL, "bachelor"), after.audit(SEOUL, "bachelor"))
    assert found["eligible"] == [True, False]
    assert found["missing"] == [0, 1200]
    with pytest.raises(InputUnreadable) as refused:
        assume(before, without=["rec_9"])
    assert refused.value.facts["records"] == ["rec_9"]


def test_an_institution_that_is_not_accredited_then_helps_nobody() -> None:
    ended = {"group": "scc", "periods": [["2020-01-01", "2026-07-01"]]}
    before = Standing([record(0)], {"issuers": {}}, DAY)
    after = assume(before, take=[course(0, issuer=ended)])
    lines = {x["record"]: x["code"] for x in after.audit(SEOUL, "bachelor").document["records"]}
    assert lines["planned:c0"] == "E-ISSUER"


def test_the_courses_that_bring_closest_come_first_and_a_plan_gets_there() -> None:
    before = standing(record(0), record(1))
    offered = [
        course(0, 600),
        course(1, 1200, endsOn="2026-09-30"),
        course(2, 1200),
        course(3, 300, kind="volunteering", category=None),
        course(4, 900, issuer={"group": None, "periods": []}, institution="stranger"),
    ]
    found = closest(before, SEOUL, "bachelor", offered)
    assert [x["course"]["id"] for x in found["courses"]] == ["c2", "c1", "c0", "c3"]
    assert found["plan"]["enough"]
    assert [x["course"]["id"] for x in found["plan"]["courses"]] == ["c2"]
    little = closest(before, SEOUL, "bachelor", [course(0, 600), course(5, 300)])
    assert [x["course"]["id"] for x in little["plan"]["courses"]] == ["c0", "c5"]
    assert (little["plan"]["enough"], little["plan"]["missing"]) == (False, 300)


def test_nothing_is_suggested_to_who_has_the_hours() -> None:
    found = closest(standing(record(0, 6000)), SEOUL, "bachelor", [course(0)])
    assert found == {
        "missing": 0,
        "courses": [],
        "plan": {"courses": [], "missing": 0, "enough": True},
    }


@settings(max_examples=40, deadline=None)
@given(
    have=st.lists(st.integers(60, 3000), max_size=4),
    add=st.lists(st.integers(60, 3000), min_size=1, max_size=3),
)
def test_one_more_course_never_takes_a_learner_further_away(
    have: list[int], add: list[int]
) -> None:
    at = standing(*(record(n, minutes) for n, minutes in enumerate(have)))
    gaps = [missing(at.audit(SEOUL, "bachelor"))]
    for n, minutes in enumerate(add):
        at = assume(at, take=[course(n, minutes)])
        gaps.append(missing(at.audit(SEOUL, "bachelor")))
    assert gaps == sorted(gaps, reverse=True)


CATALOGUE = """
courses:
  - {id: HIST-1, institution: uni, kind: course, category: seoul, title_ko: 서울의 역사,
     title_en: History of Seoul, starts_on: 2026-06-01, ends_on: 2026-07-31, minutes: 1200,
     sessions: 10, apply_until: 2026-05-20}
  - {id: OLD-1, institution: uni, kind: course, title_ko: 지난 강좌, starts_on: 2025-06-01,
     ends_on: 2025-07-31, minutes: 1200}
"""


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    found(database)
    file = tmp_path / "courses.yaml"
    file.write_text(CATALOGUE, encoding="utf-8")
    with database.session() as session:
        assert import_courses(session, read_catalogue(file))["added"] == 2
        assert import_courses(session, read_catalogue(file))["unchanged"] == 2
    return database


def test_the_database_answers_what_if(city: Database) -> None:
    with city.reading() as session:
        assert [c["id"] for c in open_courses(session, DAY)] == ["HIST-1"]
        assert open_courses(session, date(2026, 5, 21)) == []
        taken = what_if(session, "lrn_c", "bachelor", DAY, take=["HIST-1"])
        assert (taken["now"]["eligible"], taken["then"]["eligible"]) == (False, True)
        less = what_if(session, "lrn_b", "bachelor", DAY, without=["rec_b0"])
        assert less["difference"]["missing"] == [0, 6000]
        other = what_if(session, "lrn_b", "bachelor", DAY, policy="seoul.citizen-degree@2019.1")
        assert other["then"]["policy"] == "seoul.citizen-degree@2019.1"
        assert other["now"]["policy"] == "seoul.citizen-degree@2025.1"
        near = suggestions(session, "lrn_c", "bachelor", DAY)
        assert [c["course"]["id"] for c in near["courses"]] == ["HIST-1"]
        assert near["courses"][0]["course"]["institution"] == UNIVERSITY
        for wrong, error in (
            ({"take": ["NONE"]}, CourseUnknown),
            ({"without": ["rec_b0"]}, InputUnreadable),
            ({"policy": "x@1"}, Unknown),
        ):
            with pytest.raises(error):
                what_if(session, "lrn_c", "bachelor", DAY, **wrong)  # type: ignore[arg-type]
        with pytest.raises(LearnerUnknown):
            what_if(session, "lrn_z", "bachelor", DAY)


@pytest.mark.parametrize(
    ("name", "content", "field"),
    [
        ("a.yaml", "courses: 3", "courses"),
        ("a.yaml", "nothing: []", "file"),
        ("a.yaml", "courses: [1]", "row"),
        ("a.csv", "id,institution\nx,uni\n", "kind"),
        (
            "a.csv",
            "id,institution,kind,title_ko,starts_on,ends_on,minutes\n"
            "x,uni,course,t,2026-06-01,2026-05-01,60\n",
            "minutes",
        ),
        (
            "a.csv",
            "id,institution,kind,title_ko,starts_on,ends_on,minutes\n"
            "x,uni,course,t,1.6.2026,2026-07-01,60\n",
            "starts_on",
        ),
    ],
)
def test_a_bad_catalogue_is_refused_by_row_and_field(
    tmp_path: Path, name: str, content: str, field: str
) -> None:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    with pytest.raises(CatalogueInvalid) as refused:
        read_catalogue(file)
    assert refused.value.facts["field"] == field


def test_a_course_of_nobody_is_not_taken_in(city: Database, tmp_path: Path) -> None:
    file = tmp_path / "courses.csv"
    file.write_text(
        "id,institution,kind,title_ko,starts_on,ends_on,minutes\n"
        "x,nobody,course,t,2026-06-01,2026-07-01,60\n",
        encoding="utf-8",
    )
    with pytest.raises(CatalogueInvalid), city.session() as session:
        import_courses(session, read_catalogue(file))
