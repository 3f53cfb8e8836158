"""From an application to a degree, and what becomes of it, on both databases."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from office import (
    CHAIR,
    KIM,
    LEE,
    MEMBERS,
    NOW,
    PARK,
    REGISTRAR,
    UNIVERSITY,
    approved,
    conferred,
    found,
    place,
    record,
    reviewed,
)
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from credential.disclosure import open_disclosure
from credential.errors import BaeumError
from credential.text import Text
from ledger.awards import afterwards, applications, cases, cohorts, decisions, history
from ledger.awards.errors import (
    CohortNeeded,
    ConflictOfInterest,
    DecisionOutdated,
    InputWrong,
    NotEligible,
    NotNow,
    PlacesTaken,
    SamePerson,
    Unknown,
)
from ledger.awards.people import Actor
from ledger.database.awards import (
    Application,
    AwardCase,
    AwardHistory,
    CohortPlace,
    Decision,
)
from ledger.database.models import Award, LearningRecord
from ledger.database.session import Database
from ledger.standing import audit_learner, records_of


@pytest.fixture
def office(database: Database) -> Database:
    found(database)
    return database


def award(session: Any, learner: str = "lrn_a", degree: str = "bachelor") -> Award:
    found_award = session.scalar(
        select(Award).where(Award.learner_id == learner, Award.degree == degree)
    )
    assert isinstance(found_award, Award)
    return found_award


def test_a_degree_is_given_and_everything_it_rests_on_is_frozen(office: Database) -> None:
    with office.session() as session:
        application = conferred(session, "lrn_a")
    with office.reading() as session:
        given = award(session)
        decision = session.scalars(select(Decision)).one()
        assert (given.state, given.basis, sum(given.used.values())) == ("valid", "ledger", 6000)
        audit = json.loads(decision.audit)
        assert audit["eligible"]
        assert decision.trace_hash == audit["trace_hash"]
        assert decision.taxonomy == audit["taxonomy"]
        assert given.policy == audit["policy"]
        assert given.policy_hash is not None
        assert "sha256:" + given.policy_hash.hex() == audit["policy_hash"]
        opened = open_disclosure(
            json.loads(decision.disclosure), decision.record_set_root, decision.allocation_hash
        )
        assert len(opened.records) == 4, "the whole record set, counted or not"
        made = session.get_one(LearningRecord, decision.record_id)
        assert (made.kind, made.institution_id, made.minutes) == ("degree", REGISTRAR, 6000)
        assert made.id not in {r["id"] for r in records_of(session, "lrn_a", NOW)}
        steps = [row["action"] for row in history.of(session, application)]
        assert steps == ["apply", "review", "review", "decide", "confer"]
        assert history.check(session).whole


def test_the_minutes_a_bachelor_used_are_not_there_for_the_master(office: Database) -> None:
    with office.session() as session:
        conferred(session, "lrn_a")
        place(session)
        conferred(session, "lrn_a", "master")
    with office.reading() as session:
        used = [award(session, degree=d).used for d in ("bachelor", "master")]
        assert [sum(u.values()) for u in used] == [6000, 12000]
        for name in used[0].keys() & used[1].keys():
            assert used[0][name] + used[1][name] <= 6000


def test_two_applications_the_same_day_are_decided_one_after_the_other(office: Database) -> None:
    with office.session() as session:
        place(session)
        master = reviewed(session, "lrn_a", "master")
        bachelor = approved(session, "lrn_a")
    with office.session() as session, pytest.raises(NotEligible):
        decide(session, master)  # no bachelor yet
    with office.session() as session:
        decisions.confer(session, bachelor, PARK, institution=REGISTRAR, reason="수여", now=NOW)
    with office.session() as session:
        decide(session, master)
        decisions.confer(session, master, PARK, institution=REGISTRAR, reason="수여", now=NOW)
    with office.reading() as session:
        assert len(session.scalars(select(Award)).all()) == 2


def decide(session: Any, application: str, **changes: Any) -> Any:
    values: dict[str, Any] = {
        "approve": True,
        "meeting": "2026-4",
        "members": MEMBERS,
        "reason": "위원회 결정",
        "now": NOW,
    }
    chair = changes.pop("chair", CHAIR)
    return decisions.decide(session, application, chair, **(values | changes))


def test_the_committee_cannot_approve_against_the_policy(office: Database) -> None:
    with office.session() as session:
        application = reviewed(session, "lrn_c")
    with office.session() as session, pytest.raises(NotEligible) as refused:
        decide(session, application)
    assert refused.value.facts["reasons"][0]["code"] == "SHORT"
    with office.session() as session:
        decide(session, application, approve=False)
    with office.reading() as session:
        assert session.get_one(Application, application).state == "refused"


def test_a_signed_exception_lets_the_committee_approve_until_it_expires(office: Database) -> None:
    with office.session() as session:
        signed = cohorts.sign_exception(
            session, "lrn_c", CHAIR, kind="reduce_block", target="B-HOURS", minutes=1,
            why="강의실 정전으로 1분 부족", expires_on=date(2026, 5, 3), now=NOW,
        )  # fmt: skip
        again = cohorts.sign_exception(
            session, "lrn_c", CHAIR, kind="reduce_block", target="B-HOURS", minutes=1,
            why="강의실 정전으로 1분 부족", expires_on=date(2026, 5, 3), now=NOW,
        )  # fmt: skip
        assert (again.id, again.changed) == (signed.id, False)
        application = reviewed(session, "lrn_c")
    with office.session() as session, pytest.raises(NotEligible):
        decide(session, application, now=NOW + timedelta(days=2))
    with office.session() as session:
        decide(session, application, now=NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "wave"}, "kind"),
        ({"target": "NO-SUCH"}, "target"),
        ({"minutes": 0}, "minutes"),
        ({"expires_on": date(2026, 5, 1)}, "expires_on"),
        ({"kind": "accept_record"}, "record_id"),
    ],
)
def test_an_exception_that_says_too_little_is_refused(
    office: Database, changes: dict[str, Any], field: str
) -> None:
    values: dict[str, Any] = {
        "kind": "reduce_block", "target": "B-HOURS", "minutes": 1, "why": "정전",
        "expires_on": date(2026, 6, 1), "now": NOW,
    }  # fmt: skip
    with office.session() as session, pytest.raises(InputWrong) as refused:
        cohorts.sign_exception(session, "lrn_c", CHAIR, **(values | changes))
    assert refused.value.facts["field"] == field


def test_two_different_persons_review(office: Database) -> None:
    with office.session() as session:
        taken = applications.apply(session, "lrn_b", "bachelor", KIM, NOW)
        look(session, taken.id, KIM)
    with office.session() as session, pytest.raises(SamePerson):
        look(session, taken.id, KIM, recommends=False)
    with office.session() as session, pytest.raises(NotNow) as refused:
        decide(session, taken.id)
    assert refused.value.remedy is not None
    assert "Two different persons" in refused.value.remedy.en
    with office.session() as session:
        assert look(session, taken.id, LEE).state == "reviewed"
    with office.session() as session, pytest.raises(SamePerson):
        decide(session, taken.id, chair=LEE)
    with office.session() as session, pytest.raises(InputWrong):
        decide(session, taken.id, members=())


def look(session: Any, application: str, actor: Actor, **changes: Any) -> Any:
    values = {"recommends": True, "conflict": False, "reason": "확인", "now": NOW}
    return applications.review(session, application, actor, **(values | changes))


def test_a_conflict_of_interest_is_declared_and_checked(office: Database) -> None:
    with office.session() as session:
        taken = applications.apply(session, "lrn_b", "bachelor", KIM, NOW)
    teacher, applicant = Actor("jung", institution=UNIVERSITY), Actor("b", learner_id="lrn_b")
    for person in (teacher, applicant):
        with office.session() as session, pytest.raises(ConflictOfInterest):
            look(session, taken.id, person)
    with office.session() as session:
        assert look(session, taken.id, teacher, conflict=True).state == "applied"
        for person in (KIM, Actor("lee", institution=REGISTRAR)):
            look(session, taken.id, person)
    with office.session() as session, pytest.raises(ConflictOfInterest):
        decide(session, taken.id, members=("jung", "han"))


def test_a_cohort_has_places_and_who_waits_is_not_refused(office: Database) -> None:
    with office.session() as session, pytest.raises(CohortNeeded):
        applications.apply(session, "lrn_a", "master", KIM, NOW)
    with office.session() as session:
        place(session)
        cohorts.ask_for_place(session, "master-2026", "lrn_b", KIM, NOW)
    with office.session() as session, pytest.raises(PlacesTaken):
        cohorts.admit(session, "master-2026", "lrn_b", KIM, rank=2, reason="2순위", now=NOW)
    with office.reading() as session:
        assert session.get_one(CohortPlace, ("master-2026", "lrn_b")).state == "waiting"
    with office.session() as session:
        cohorts.release(session, "master-2026", "lrn_a", KIM, "본인 포기", NOW)
        done = cohorts.admit(session, "master-2026", "lrn_b", KIM, rank=2, reason="순번", now=NOW)
        assert done.state == "admitted"
    late = NOW + timedelta(days=60)
    with office.session() as session, pytest.raises(InputWrong):
        cohorts.ask_for_place(session, "master-2026", "lrn_c", KIM, late)


def test_an_alternative_entry_is_a_checked_fact(office: Database) -> None:
    def entry() -> bool:
        with office.reading() as session:
            audit = audit_learner(session, "lrn_a", "doctor/history", NOW).document
            (after,) = [c for c in audit["conditions"] if c["id"] == "after:master"]
            return bool(after["met"])

    assert not entry()
    with office.session() as session:
        cohorts.note_prior(
            session,
            "lrn_a",
            "related_career_years",
            3,
            KIM,
            evidence="경력증명서",
            now=NOW - timedelta(hours=1),
        )
    assert entry()
    with office.session() as session, pytest.raises(InputWrong):
        cohorts.note_prior(session, "lrn_a", "noble_birth", 1, KIM, evidence="?", now=NOW)


def test_a_record_revoked_between_decision_and_conferral_sends_it_back(office: Database) -> None:
    with office.session() as session:
        application = approved(session, "lrn_b")
    with office.session() as session:
        session.get_one(LearningRecord, "rec_b0").status = "retracted"
    with office.session() as session, pytest.raises(DecisionOutdated):
        decisions.confer(session, application, PARK, institution=REGISTRAR, reason="x", now=NOW)
    with office.session() as session:
        session.add(record("rec_b1", "lrn_b"))
    with office.session() as session:
        decide(session, application)
        decisions.confer(session, application, PARK, institution=REGISTRAR, reason="x", now=NOW)
    with office.reading() as session:
        assert award(session, "lrn_b").used == {"rec_b1": 6000}
        assert session.scalar(select(func.count()).select_from(Decision)) == 2


def test_a_late_record_does_not_move_what_is_frozen(office: Database) -> None:
    with office.session() as session:
        conferred(session, "lrn_b")
        session.add(record("rec_b1", "lrn_b", recorded_at=NOW + timedelta(days=1)))
    with office.reading() as session:
        assert award(session, "lrn_b").used == {"rec_b0": 6000}
        assert afterwards.affected(session, NOW + timedelta(days=2)) == []
    with office.session() as session, pytest.raises(NotNow):
        afterwards.confirm(
            session, award(session, "lrn_b").id, CHAIR, meeting="m", members=MEMBERS,
            reason="r", now=NOW,
        )  # fmt: skip


def test_a_record_revoked_after_the_award_is_reported_and_people_decide(office: Database) -> None:
    with office.session() as session:
        conferred(session, "lrn_a")
        conferred(session, "lrn_b")
        used = next(iter(award(session).used))
        session.get_one(LearningRecord, used).status = "retracted"
        session.get_one(LearningRecord, "rec_b0").status = "retracted"
    with office.reading() as session:
        report = {a.learner_id: a for a in afterwards.affected(session, NOW)}
        assert report["lrn_a"].still_met
        assert not report["lrn_b"].still_met
        assert report["lrn_b"].recommendation == "open-case"
        assert {a.state for a in session.scalars(select(Award))} == {"valid"}, "nothing moved"
    with office.session() as session, pytest.raises(NotEligible):
        confirm(session, report["lrn_b"].award_id)
    with office.session() as session:
        confirm(session, report["lrn_a"].award_id)
        assert not confirm(session, report["lrn_a"].award_id).changed
    with office.reading() as session:
        assert used not in award(session).used
        assert [a.learner_id for a in afterwards.affected(session, NOW)] == ["lrn_b"]
        kinds = session.scalars(
            select(LearningRecord.status)
            .where(LearningRecord.kind == "degree", LearningRecord.learner_id == "lrn_a")
            .order_by(LearningRecord.status)
        ).all()
        assert kinds == ["superseded", "verified"]


def confirm(session: Any, award_id: int) -> Any:
    return afterwards.confirm(
        session, award_id, CHAIR, meeting="2026-5", members=MEMBERS, reason="재심", now=NOW
    )


def test_withdrawal_takes_a_case_a_hearing_and_another_person(office: Database) -> None:
    with office.session() as session:
        conferred(session, "lrn_a")
        place(session)
        conferred(session, "lrn_a", "master")
        bachelor = award(session).id
        case = opened(session, bachelor).id
        assert award(session).state == "suspended"
        assert opened(session, bachelor).id == case
    with office.reading() as session:
        audit = audit_learner(session, "lrn_a", "master", NOW).document
        assert not audit["eligible"], "a suspended bachelor is no ground for a master"
        assert award(session, degree="master").state == "valid"
    with office.session() as session, pytest.raises(NotNow):
        shut(session, case)
    with office.session() as session, pytest.raises(InputWrong):
        cases.schedule(session, case, KIM, on=date(2026, 5, 5), reason="통지", now=NOW)
    with office.session() as session:
        cases.schedule(session, case, KIM, on=date(2026, 5, 11), reason="통지", now=NOW)
    with office.session() as session, pytest.raises(InputWrong):
        cases.hear(session, case, KIM, statement="진술", now=NOW)
    later = NOW + timedelta(days=10)
    with office.session() as session:
        cases.hear(session, case, KIM, statement="진술", now=later)
    with office.session() as session, pytest.raises(SamePerson):
        shut(session, case, KIM)
    with office.session() as session:
        shut(session, case)
    with office.reading() as session:
        assert award(session).state == "withdrawn"
        assert award(session, degree="master").state == "valid", "never automatic"
        cascade = session.scalars(select(AwardCase).where(AwardCase.caused_by == case)).one()
        assert (cascade.cause, cascade.state) == ("cascade", "open")
        assert history.check(session).whole
    with office.session() as session, pytest.raises(NotNow):
        opened(session, bachelor)


def opened(session: Any, award_id: int, suspend: bool = True) -> Any:
    return cases.open_case(
        session, award_id, KIM, cause="fraud", grounds="허위 수료증", suspend=suspend, now=NOW
    )


def shut(session: Any, case: str, actor: Actor = LEE, withdraw: bool = True) -> Any:
    return cases.close(session, case, actor, withdraw=withdraw, reason="결정", now=NOW)


def test_a_degree_that_is_kept_is_valid_again(office: Database) -> None:
    with office.session() as session:
        conferred(session, "lrn_b")
        case = opened(session, award(session, "lrn_b").id).id
        shut(session, case, withdraw=False)
        assert award(session, "lrn_b").state == "valid"


def test_each_step_may_be_repeated_and_does_nothing_twice(office: Database) -> None:
    with office.session() as session:
        application = conferred(session, "lrn_b")
    with office.session() as session:
        for person in (KIM, LEE):
            assert not look(session, application, person).changed
        assert not decide(session, application, meeting="2026-3").changed
        assert not decisions.confer(
            session, application, PARK, institution=REGISTRAR, reason="수여", now=NOW
        ).changed
    with office.reading() as session:
        assert session.scalar(select(func.count()).select_from(Award)) == 1
        assert session.scalar(select(func.count()).select_from(AwardHistory)) == 5


def test_a_held_degree_cannot_be_applied_for_again(office: Database) -> None:
    with office.session() as session:
        conferred(session, "lrn_b")
    with office.session() as session, pytest.raises(NotNow):
        applications.apply(session, "lrn_b", "bachelor", KIM, NOW)


def test_an_application_can_be_taken_back(office: Database) -> None:
    with office.session() as session:
        application = reviewed(session, "lrn_b")
        applications.cancel(session, application, KIM, "본인 요청", NOW)
        assert not applications.cancel(session, application, KIM, "본인 요청", NOW).changed
        again = applications.apply(session, "lrn_b", "bachelor", KIM, NOW)
        assert again.id != application
    with office.session() as session, pytest.raises(NotNow):
        decide(session, application)


UNKNOWN = [
    lambda s: applications.cancel(s, "app_x", KIM, "r", NOW),
    lambda s: cases.open_case(s, 99, KIM, cause="error", grounds="g", suspend=False, now=NOW),
    lambda s: cases.close(s, "case_x", KIM, withdraw=False, reason="r", now=NOW),
    lambda s: cohorts.admit(s, "none", "lrn_a", KIM, rank=None, reason="r", now=NOW),
    lambda s: applications.apply(s, "lrn_a", "bachelor", KIM, NOW, policy="no@1"),
]


@pytest.mark.parametrize("step", UNKNOWN)
def test_what_does_not_exist_is_said_to_be_missing(office: Database, step: Any) -> None:
    with office.session() as session, pytest.raises(Unknown) as refused:
        step(session)
    assert refused.value.remedy is not None


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001, "a\nb"])
def test_every_step_has_a_reason(office: Database, reason: str) -> None:
    with office.session() as session, pytest.raises(InputWrong):
        applications.apply(session, "lrn_b", "bachelor", KIM, NOW, reason=reason)


@pytest.mark.parametrize("name", ["", " kim", "k\nm", "x" * 65])
def test_who_acts_has_a_name(name: str) -> None:
    with pytest.raises(InputWrong):
        Actor(name)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE award_history SET reason = 'x' WHERE sequence = 1",
        "DELETE FROM award_history WHERE sequence = 1",
    ],
)
def test_the_database_refuses_to_rewrite_the_history(office: Database, statement: str) -> None:
    with office.session() as session:
        conferred(session, "lrn_b")
    with pytest.raises((DBAPIError, BaeumError)), office.session() as session:
        session.execute(text(statement))


def test_a_history_altered_underneath_is_found(office: Database) -> None:
    with office.session() as session:
        conferred(session, "lrn_b")
        head = history.check(session).head
    with office.session() as session:
        conferred(session, "lrn_a")
        assert history.check(session, head).whole
        assert not history.check(session, "00" * 32).whole, "a head that is not in the chain"
        if office.dialect == "sqlite":
            session.execute(text("DROP TRIGGER award_history_no_update"))
        else:
            session.execute(text("DROP TRIGGER award_history_kept ON award_history"))
        session.execute(text("UPDATE award_history SET reason = 'x' WHERE sequence = 3"))
        session.expire_all()
        assert history.check(session).broken_at == 3


def test_a_cohort_that_never_opens_is_refused(office: Database) -> None:
    with office.session() as session, pytest.raises(InputWrong):
        cohorts.open_cohort(
            session, "c", "master", Text("가", "a"), KIM, opens_on=date(2026, 5, 1),
            closes_on=date(2026, 5, 1), quota=1, now=NOW,
        )  # fmt: skip
