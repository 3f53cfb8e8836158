"""The standing of everybody from the database: the same answers as one audit at a time."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from ledger.credit import Policy, bundled
from ledger.credit.columns import WORDS, columns_of
from ledger.database.models import (
    Accreditation,
    Award,
    Credential,
    Institution,
    Learner,
    LearningRecord,
    StatusChange,
    StatusList,
)
from ledger.database.session import Database
from ledger.database.standings import DegreeStanding, RecordHold
from ledger.holds import Hold
from ledger.standing import audit_learner, context_of, records_of, register_of
from ledger.standings.reading import read_stretch
from ledger.standings.recompute import ReportOutdated, confirm, dry_run
from ledger.standings.sweep import Sweep, refresh_all, refresh_learner, stretches

TODAY = date(2026, 6, 1)
NOW = datetime(2026, 6, 1, 1, tzinfo=UTC)
POLICY = next(p for p in bundled() if p.key == "seoul.citizen-degree@2025.1")


def a_record(rng: random.Random, number: int, learner: str) -> LearningRecord:
    day = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=rng.randrange(90))
    start = day + timedelta(minutes=rng.randrange(24 * 60), seconds=rng.choice((0, 0, 30)))
    kind = rng.choice(("course", "course", "volunteering", "volunteering", "project"))
    exact = kind == "volunteering"
    minutes = rng.choice((60, 240, 600, 900, 1400))
    return LearningRecord(
        id=f"rec_{number:05d}",
        learner_id=learner,
        institution_id=rng.choice(("uni", "centre", "bad")),
        kind=kind,
        category=rng.choice((None, "인문학", "서울학", "?")),
        title_ko="기록",
        code=f"C{rng.randrange(5)}" if kind == "course" else None,
        offering=f"o{rng.randrange(20)}" if kind == "course" else None,
        course_class=f"k{rng.randrange(15)}" if kind == "course" else None,
        started_at=start,
        ended_at=start + (timedelta(minutes=minutes + 1) if exact else timedelta(days=35)),
        exact_interval=exact,
        minutes=minutes if rng.random() < 0.9 else minutes + rng.randrange(3),
        attended=rng.randrange(5, 11) if kind == "course" else None,
        sessions=10 if kind == "course" else None,
        approved=rng.choice((True, False)) if kind == "project" else None,
        source_key=f"row-{number}",
        status=rng.choice(("verified",) * 8 + ("retracted", "superseded")),
        content_sha256=number.to_bytes(32, "big"),
        recorded_at=day + timedelta(days=rng.randrange(36, 300)),
    )


@pytest.fixture
def town(database: Database) -> Database:
    """Eighty learners; one holds a degree, one has a revoked credential, one has no record."""
    rng = random.Random(11)
    since = datetime(2019, 12, 31, 15, tzinfo=UTC)
    with database.session() as session:
        session.add_all(
            Institution(id=n, name_ko=n, name_en=n, issuer_group=g, created_at=NOW)
            for n, g in (("uni", "scc"), ("centre", None), ("bad", None))
        )
        session.flush()
        for name in ("uni", "centre", "bad"):
            for kind in ("course", "volunteering", "project"):
                over = datetime(2023, 2, 10, 15, tzinfo=UTC)
                to = over if (name, kind) == ("centre", "volunteering") else None
                session.add(
                    Accreditation(institution_id=name, kind=kind, valid_from=since, valid_to=to)
                )
        number = 0
        for n in range(80):
            session.add(Learner(id=f"lrn_{n:02d}", created_at=NOW))
            session.flush()
            for _ in range(0 if n == 79 else rng.randrange(1, 22)):
                session.add(a_record(rng, number, f"lrn_{n:02d}"))
                number += 1
        session.flush()
        mine = session.scalars(
            select(LearningRecord.id).where(LearningRecord.learner_id == "lrn_03")
        ).all()
        session.add(
            Award(
                learner_id="lrn_03",
                degree="bachelor",
                state="valid",
                awarded_on=date(2026, 1, 5),
                basis="ledger",
                used={mine[0]: 60},
            )
        )
        _revoke(session, "lrn_05")
    return database


def _revoke(session: Any, learner: str) -> None:
    record = session.scalars(
        select(LearningRecord).where(LearningRecord.learner_id == learner).limit(1)
    ).one()
    session.add(
        StatusList(
            id="list", institution_id="uni", size=8, allocated=b"\1", revoked=b"\1", suspended=b"\0"
        )
    )
    session.flush()
    session.add(
        Credential(
            id="urn:x",
            record_id=record.id,
            learner_id=learner,
            institution_id="uni",
            kind=record.kind,
            document=b"{}",
            leaf=b"\0" * 32,
            status_list_id="list",
            status_index=0,
            issued_at=NOW,
        )
    )
    session.flush()
    session.add(
        StatusChange(credential_id="urn:x", action="revoke", reason="r", at=NOW - timedelta(1))
    )


def stored(database: Database) -> dict[str, tuple[str, bool, bool, int]]:
    with database.reading() as session:
        return {
            s.learner_id: (s.degree, s.hours_met, s.eligible, s.missing)
            for s in session.scalars(select(DegreeStanding))
        }


def expected(database: Database, policy: Policy = POLICY) -> dict[str, tuple[str, bool, bool, int]]:
    """One whole audit after the other."""
    answers = {}
    with database.reading() as session:
        people = session.scalars(select(LearningRecord.learner_id).distinct()).all()
        for learner in people:
            degree = "master" if learner == "lrn_03" else "bachelor"
            audit = audit_learner(session, learner, degree, TODAY, policy=policy).document
            short = sum(m["minutes"] for m in audit["missing"])
            answers[learner] = (degree, audit["hours_met"], audit["eligible"], short)
    return answers


def only_standing(answers: dict[str, Any], database: Database) -> dict[str, Any]:
    """Without learners all of whose records were superseded: they have no standing."""
    with database.reading() as session:
        live = session.scalars(
            select(LearningRecord.learner_id).where(LearningRecord.status != "superseded")
        ).all()
    return {k: v for k, v in answers.items() if k in set(live)}


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def test_everybody_has_the_answer_of_a_whole_audit(town: Database) -> None:
    done = refresh_all(url_of(town), POLICY, TODAY, workers=1)
    answers = stored(town)
    assert answers == only_standing(expected(town), town)
    assert done.learners == len(answers)
    assert min(done.screen, done.bounds, done.program, done.hours_met) > 0
    # again, from the middle of a run that was killed: the same table
    with town.session() as session:
        session.execute(delete(DegreeStanding).where(DegreeStanding.learner_id > "lrn_40"))
    refresh_all(url_of(town), POLICY, TODAY, workers=1)
    assert stored(town) == answers


def test_two_processes_give_what_one_gives(town: Database) -> None:
    seen = []
    one = refresh_all(url_of(town), POLICY, TODAY, workers=1, progress=seen.append)
    answers = stored(town)
    assert refresh_all(url_of(town), POLICY, TODAY, workers=2) == one == seen[-1]
    assert stored(town) == answers


def test_columns_say_what_the_records_say(town: Database) -> None:
    from ledger.credit import parse_context, parse_records

    with town.reading() as session:
        issuers, aliases = register_of(session)
        context = parse_context({"issuers": issuers})
        stretch = read_stretch(session.connection(), "lrn_10", "lrn_30", context, aliases)
        for place, learner in enumerate(stretch.ids):
            rows = slice(stretch.bounds[place], stretch.bounds[place + 1])
            if stretch.columns.odd[rows].any():
                continue
            raw = records_of(session, learner, TODAY)
            known = parse_records(raw)[0]
            theirs = columns_of([known], parse_context(context_of(session, learner, TODAY)))
            mine = columns_of([stretch.records(place)], context)
            assert _shape(mine) == _shape(theirs)


def _shape(columns: Any) -> list[Any]:
    """Rows in words, without the issuer's own number, in an order of their own."""
    listed = columns.words.listed()
    names = [n for n in WORDS if n != "issuer_record"]
    words = [[None if c < 0 else listed[c] for c in columns.coded[n]] for n in names]
    numbers = [
        getattr(columns, n).tolist()
        for n in ("timed", "start", "end", "first", "last", "minutes", "attended", "sessions")
    ]
    more = [columns.verified.tolist(), columns.approved.tolist(), columns.odd.tolist()]
    return sorted(map(str, zip(*words, *numbers, *more, strict=True)))


def test_stretches_cover_everybody_once(town: Database) -> None:
    with town.reading() as session:
        ranges = list(stretches(session, 7))
        assert [low for low, _ in ranges[1:]] == [high for _, high in ranges[:-1]]
        assert (ranges[0][0], ranges[-1][1]) == ("", None)
        assert len(ranges) == 12


def test_one_new_record_changes_one_standing(town: Database) -> None:
    refresh_all(url_of(town), POLICY, TODAY, workers=1)
    before = stored(town)
    with town.session() as session:
        sweep = Sweep(session, POLICY, TODAY)
        fresh = a_record(random.Random(1), 90_000, "lrn_20")
        fresh.status, fresh.institution_id, fresh.kind, fresh.approved = (
            "verified",
            "uni",
            "project",
            True,
        )
        fresh.exact_interval, fresh.minutes = False, 6000
        session.add(fresh)
        session.flush()
        found = refresh_learner(session, sweep, "lrn_20")
    assert found is not None
    assert found.missing == 0
    after = stored(town)
    assert after["lrn_20"] == ("bachelor", True, True, 0)
    assert {k: v for k, v in after.items() if k != "lrn_20"} == {
        k: v for k, v in before.items() if k != "lrn_20"
    }
    assert after == only_standing(expected(town), town)


def test_fraud_at_one_institution_is_shown_first_and_done_when_confirmed(town: Database) -> None:
    refresh_all(url_of(town), POLICY, TODAY, workers=1)
    before = stored(town)
    hold = Hold("bad")
    with town.reading() as session:
        report = dry_run(session, POLICY, TODAY, hold=hold)
        body = report.to_json()
    assert stored(town) == before
    assert body["affected"] == report.affected > 20
    assert body["records"] > body["affected"]
    assert not body["gain"]
    assert len(body["lose"]) > 5
    assert body["unchanged"] == body["affected"] - len(body["lose"])
    with town.session() as session:
        done = confirm(
            session, POLICY, TODAY, report.digest, hold=hold, reason="forged", by="kim", now=NOW
        )
    assert done.digest == report.digest
    after = stored(town)
    assert after == only_standing(expected(town), town)
    changed = {k for k in before if before[k] != after[k]}
    assert changed == {c["learner"] for c in body["lose"]}
    with town.session() as session:
        order = session.scalars(select(RecordHold)).one()
        assert (order.reason, order.ordered_by, order.report) == ("forged", "kim", report.digest)
        # lifted, everything is as before
        order.lifted_by, order.lifted_at = "lee", NOW + timedelta(minutes=1)
    refresh_all(url_of(town), POLICY, TODAY, workers=1)
    assert stored(town) == before


def test_a_report_that_is_out_of_date_is_not_confirmed(town: Database) -> None:
    with town.reading() as session:
        digest = dry_run(session, POLICY, TODAY, hold=Hold("bad")).digest
    with town.session() as session:
        session.execute(
            delete(LearningRecord).where(
                LearningRecord.institution_id == "bad", LearningRecord.learner_id == "lrn_20"
            )
        )
    with pytest.raises(ReportOutdated), town.session() as session:
        confirm(session, POLICY, TODAY, digest, hold=Hold("bad"), reason="r", by="b", now=NOW)
    with town.reading() as session:
        assert session.scalar(select(func.count()).select_from(RecordHold)) == 0


def test_a_hold_covers_a_kind_and_a_range_of_days() -> None:
    hold = Hold("x", "course", date(2026, 1, 1), date(2026, 2, 1))
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)]
    assert [hold.covers("x", "course", d) for d in days] == [False, True, True, False]
    assert not hold.covers("y", "course", days[1])
    assert not hold.covers("x", "project", days[1])


def test_a_degree_that_the_records_left_would_not_earn_is_at_risk(town: Database) -> None:
    with town.session() as session:
        for n, where in ((60, "bad"), (61, "uni")):
            session.add(Learner(id=f"lrn_x{n}", created_at=NOW))
            session.flush()
            one = a_record(random.Random(n), 91_000 + n, f"lrn_x{n}")
            one.status, one.institution_id, one.kind, one.approved = (
                "verified",
                where,
                "project",
                True,
            )
            one.exact_interval, one.minutes = False, 6000
            session.add(one)
            session.flush()
            session.add(
                Award(
                    learner_id=f"lrn_x{n}",
                    degree="bachelor",
                    state="valid",
                    awarded_on=date(2026, 1, 5),
                    basis="ledger",
                    used={one.id: 6000},
                )
            )
    with town.reading() as session:
        report = dry_run(session, POLICY, TODAY, hold=Hold("bad"))
    assert [(a.learner, a.degree, a.missing) for a in report.at_risk if "x" in a.learner] == [
        ("lrn_x60", "bachelor", 6000)
    ]


def test_a_new_policy_recomputes_whom_it_touches(town: Database) -> None:
    import json

    from ledger.credit import parse_policy

    document = json.loads(json.dumps(POLICY.document))
    document["caps"][0]["max"] = 60
    document["policy"]["version"] = "2027.1"
    stricter = parse_policy(json.dumps(document))
    with town.reading() as session:
        report = dry_run(session, POLICY, TODAY, new_policy=stricter)
        again = dry_run(session, POLICY, TODAY, new_policy=POLICY)
        helpers = set(
            session.scalars(
                select(LearningRecord.learner_id).where(
                    LearningRecord.kind == "volunteering", LearningRecord.status != "superseded"
                )
            )
        )
    assert again.affected == 0
    assert report.affected == len(helpers) < 79
    before, after = expected(town), expected(town, stricter)
    assert {c.learner for c in report.lose} == {k for k in before if after[k] != before[k]}
    assert report.cause["touches"] == ["volunteering"]
    with town.session() as session:
        confirm(session, POLICY, TODAY, report.digest, new_policy=stricter, now=NOW)
    assert set(stored(town)) == {c.learner for c in report.lose}
