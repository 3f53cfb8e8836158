"""What the database tells the credit engine about a learner."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ledger.database.models import (
    Accreditation,
    Award,
    Credential,
    Institution,
    Learner,
    LearnerItem,
    LearningRecord,
    StatusChange,
    StatusList,
)
from ledger.database.session import Database
from ledger.standing import LearnerUnknown, audit_learner, context_of, records_of

NOW = datetime(2026, 5, 1, 3, tzinfo=UTC)
TODAY = date(2026, 5, 1)
LEARNER = "lrn_a"


def record(id: str, **changes: Any) -> LearningRecord:
    values: dict[str, Any] = {
        "id": id,
        "learner_id": LEARNER,
        "institution_id": "uni",
        "kind": "course",
        "title_ko": "강좌",
        "started_at": datetime(2025, 3, 2, 15, tzinfo=UTC),
        "ended_at": datetime(2025, 5, 9, 14, 59, 59, tzinfo=UTC),
        "exact_interval": False,
        "minutes": 6000,
        "source_key": id,
        "status": "verified",
        "content_sha256": id.encode().ljust(32),
        "recorded_at": NOW - timedelta(days=1),
    }
    return LearningRecord(**(values | changes))


@pytest.fixture
def world(database: Database) -> Database:
    """Two institutions and a learner; ``uni`` lost volunteering at the end of 2024."""
    with database.session() as session:
        session.add_all(
            Institution(id=n, name_ko=n, name_en=n, issuer_group=g, created_at=NOW)
            for n, g in (("uni", "scc"), ("centre", None))
        )
        session.add(Learner(id=LEARNER, created_at=NOW))
        session.flush()
        since = datetime(2019, 12, 31, 15, tzinfo=UTC)
        for name, kind, to in (
            ("uni", "course", None),
            ("uni", "project", None),
            ("uni", "registrar", None),
            ("uni", "volunteering", datetime(2024, 12, 31, 15, tzinfo=UTC)),
            ("centre", "course", None),
        ):
            session.add(
                Accreditation(institution_id=name, kind=kind, valid_from=since, valid_to=to)
            )
    return database


def put(world: Database, *rows: Any) -> None:
    with world.session() as session:
        for row in rows:
            session.add(row)
            session.flush()


def codes(world: Database, as_of: date | datetime = TODAY) -> dict[str, str]:
    with world.reading() as session:
        found = audit_learner(session, LEARNER, "bachelor", as_of)
        return {line["record"]: line["code"] for line in found.to_json()["records"]}


def test_a_record_as_the_engine_reads_it(world: Database) -> None:
    start = datetime(2025, 5, 10, 0, tzinfo=UTC)
    put(
        world,
        record("r1", attended=8, sessions=10, offering="o", category="seoul"),
        record(
            "r2",
            exact_interval=True,
            started_at=start,
            ended_at=start + timedelta(hours=2),
            minutes=120,
        ),
    )
    with world.reading() as session:
        first, second = records_of(session, LEARNER, TODAY)
    assert first["start"] == "2025-03-03"
    assert first["end"] == "2025-05-09"
    assert (first["attended"], first["sessions"], first["offering"]) == (8, 10, "o")
    assert second["start"] == "2025-05-10T09:00:00+09:00"
    assert "category" not in second
    assert codes(world) == {"r1": "OK", "r2": "UNUSED"}


def test_what_was_superseded_is_left_out(world: Database) -> None:
    put(world, record("r1", status="superseded"), record("r2", source_key="r1"))
    assert codes(world) == {"r2": "OK"}


def test_accreditation_is_by_kind(world: Database) -> None:
    put(world, record("r1"), record("r2", kind="volunteering"), record("r3", kind="mentoring"))
    assert codes(world) == {"r1": "OK", "r2": "E-ISSUER", "r3": "E-ISSUER"}
    with world.reading() as session:
        issuers = context_of(session, LEARNER, TODAY)["issuers"]
    assert issuers["uni"] == {"group": "scc", "periods": [["2020-01-01", None]]}
    assert issuers["uni:volunteering"]["periods"] == [["2020-01-01", "2025-01-01"]]
    assert "uni:mentoring" not in issuers


def credential(world: Database, record_id: str) -> None:
    with world.session() as session:
        if session.get(StatusList, "stl_1") is None:
            session.add(
                StatusList(
                    id="stl_1", institution_id="uni", size=8, used=0,
                    allocated=b"\0", revoked=b"\0", suspended=b"\0",
                )
            )  # fmt: skip
            session.flush()
        session.add(
            Credential(
                id=f"urn:{record_id}", record_id=record_id, learner_id=LEARNER,
                institution_id="uni", kind="course", document=b"{}", leaf=b"\0" * 32,
                status_list_id="stl_1", status_index=int(record_id[1:]), issued_at=NOW,
            )
        )  # fmt: skip


def change(record_id: str, action: str, at: datetime) -> StatusChange:
    return StatusChange(credential_id=f"urn:{record_id}", action=action, reason="x", at=at)


def test_a_revoked_or_suspended_credential_takes_its_record_along(world: Database) -> None:
    put(world, record("r1"), record("r2"), record("r3"))
    for name in ("r1", "r2", "r3"):
        credential(world, name)
    hour = timedelta(hours=1)
    put(
        world,
        change("r1", "revoke", NOW),
        change("r1", "reinstate", NOW + hour),
        change("r2", "suspend", NOW),
        change("r3", "suspend", NOW),
        change("r3", "reinstate", NOW + hour),
    )
    assert codes(world) == {"r1": "E-STATUS", "r2": "E-STATUS", "r3": "OK"}
    with world.reading() as session:
        before = records_of(session, LEARNER, NOW - hour)
    assert {each["status"] for each in before} == {"verified"}


def test_degrees_items_and_locked_minutes_as_of_a_day(world: Database) -> None:
    put(
        world,
        record("r1"),
        Award(learner_id=LEARNER, degree="bachelor", state="valid", awarded_on=TODAY,
              basis="ledger", used={"r1": 6000}),
        LearnerItem(learner_id=LEARNER, item="learning_output", state="approved", decided_on=TODAY),
    )  # fmt: skip
    with world.reading() as session:
        context = context_of(session, LEARNER, TODAY)
        assert context["held"] == {"bachelor": {"state": "valid", "awarded": "2026-05-01"}}
        assert context["items"] == [["learning_output", "approved"]]
        assert context["used"] == {"r1": 6000}
        earlier = context_of(session, LEARNER, TODAY - timedelta(days=1))
        assert (earlier["held"], earlier["items"], earlier["used"]) == ({}, [], {})
        found = audit_learner(session, LEARNER, "master", TODAY)
        assert [m["minutes"] for m in found.to_json()["missing"]] == [12000]


def test_what_was_recorded_later_was_not_known_then(world: Database) -> None:
    put(world, record("r1"))
    assert codes(world, date(2026, 4, 1)) == {"r1": "E-FUTURE"}


def test_an_unknown_learner(world: Database) -> None:
    with world.reading() as session, pytest.raises(LearnerUnknown):
        audit_learner(session, "lrn_nobody", "bachelor", TODAY)
