"""What a row becomes: accepted, duplicate, to be reviewed or rejected; on both databases."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime

import pytest
from conftest_intake import COURSE_HEADER, HELP_HEADER, VOLUNTEERS, course, helped
from sqlalchemy import func, select

from issuer.intake import SubmissionReport
from ledger import learners
from ledger.database.models import (
    Award,
    Learner,
    LearnerIdentity,
    LearnerItem,
    LearningRecord,
    Submission,
    SubmissionRow,
)
from ledger.database.session import Database
from ledger.learners import Identities


def codes(report: SubmissionReport) -> list[str]:
    return [problem.code for problem in report.problems]


def verdicts(report: SubmissionReport) -> tuple[int, int, int, int]:
    return report.accepted, report.duplicates, report.review, report.rejected


def live(database: Database) -> list[LearningRecord]:
    with database.reading() as session:
        return list(
            session.scalars(select(LearningRecord).where(LearningRecord.status == "verified"))
        )


def test_a_good_row_becomes_a_record_of_a_learner(hand_in, register, identities) -> None:
    report = hand_in([COURSE_HEADER, course()])
    assert verdicts(report) == (1, 0, 0, 0)
    assert report.mapping == "seoul-citizens-university@1"
    [record] = live(register)
    assert (record.kind, record.category, record.minutes) == ("course", "seoul", 1200)
    assert (record.attended, record.sessions, record.offering) == (9, 10, "2025-1")
    assert record.started_at == datetime(2025, 4, 6, 15, tzinfo=UTC)  # midnight in Seoul
    assert record.ended_at == datetime(2025, 6, 9, 14, 59, 59, tzinfo=UTC)
    assert not record.exact_interval
    with register.reading() as session:
        learner = learners.learner_by(session, identities, "seoul-member", " sm24-1 ")
        assert learner == record.learner_id
        assert learners.name_of(session, identities, record.learner_id) == "김하나"


def test_neither_number_nor_name_is_stored_in_clear(hand_in, register) -> None:
    hand_in([COURSE_HEADER, course(수강번호="010-1234-5678")])
    with register.reading() as session:
        for table in LearningRecord.metadata.sorted_tables:
            stored = repr(session.execute(select(table)).all())
            assert "김하나" not in stored
            assert "SM24-1" not in stored
            assert "010-1234-5678" not in stored
            assert "김하나".encode() not in stored.encode("unicode_escape")


def test_one_person_is_found_across_institutions(hand_in, register) -> None:
    hand_in([COURSE_HEADER, course()])
    report = hand_in([HELP_HEADER, helped()], institution=VOLUNTEERS)
    assert report.new_learners == 0
    with register.reading() as session:
        assert session.scalar(select(func.count()).select_from(Learner)) == 1


@pytest.mark.parametrize(
    ("changes", "code", "column"),
    [
        ({"회원번호": " "}, "id-missing", "회원번호"),
        ({"강좌명": ""}, "cell-empty", "강좌명"),
        ({"강좌명": "가" * 301}, "cell-too-long", "강좌명"),
        ({"개강일": "2025-02-30"}, "date-impossible", "개강일"),
        ({"개강일": "작년 봄"}, "date-unreadable", "개강일"),
        ({"종강일": "2025-04-01"}, "end-before-start", "종강일"),
        ({"종강일": "2031-04-01"}, "date-future", "종강일"),
        ({"출석횟수": "11"}, "attended-over-sessions", "출석횟수"),
        ({"출석횟수": "-1"}, "amount-unreadable", "출석횟수"),
        ({"수업시간(시간)": "0"}, "amount-zero", "수업시간(시간)"),
        ({"수업시간(시간)": "1.33"}, "amount-not-whole", "수업시간(시간)"),
        ({"수업시간(시간)": "스무 시간"}, "amount-unreadable", "수업시간(시간)"),
        ({"수업시간(시간)": "1e9"}, "amount-unreadable", "수업시간(시간)"),
        ({"수업시간(시간)": "99999999"}, "amount-too-large", "수업시간(시간)"),
        ({"강좌명": "서울\x00학"}, "control-character", "강좌명"),
        ({"강좌명": "서울\u202e학"}, "control-character", "강좌명"),
        ({"강좌명": "서울\ufffd"}, "text-broken", None),
        ({"강좌명": "강좌 900101-1234567"}, "resident-number", None),
    ],
)
def test_a_bad_row_is_rejected_with_field_reason_and_remedy(hand_in, changes, code, column) -> None:
    report = hand_in([COURSE_HEADER, course(**changes), course(회원번호="SM24-2", 수강번호="E2")])
    assert verdicts(report) == (1, 0, 0, 1)
    [problem] = report.problems
    assert (problem.row, problem.code, problem.column) == (2, code, column)
    assert problem.reason.ko
    assert problem.remedy.en
    for value in changes.values():
        assert len(value) < 3 or value not in str(problem.to_json())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"분야": "천문학"}, "value-unlisted"),
        ({"개강일": "1999-04-07", "종강일": "1999-06-07"}, "date-old"),
        ({"개강일": "2023-04-07"}, "span-long"),
        ({"종강일": "2025-04-08", "수업시간(시간)": "40"}, "amount-over-day"),
    ],
)
def test_a_doubtful_row_goes_to_review_and_is_not_recorded(
    hand_in, register, changes, code
) -> None:
    report = hand_in([COURSE_HEADER, course(**changes)])
    assert verdicts(report) == (0, 0, 1, 0)
    assert codes(report) == [code]
    assert live(register) == []


def test_composed_and_decomposed_hangul_are_one(hand_in, register) -> None:
    nfd = unicodedata.normalize("NFD", course())
    report = hand_in([unicodedata.normalize("NFD", COURSE_HEADER), course(), nfd])
    assert verdicts(report) == (1, 1, 0, 0)
    assert codes(report) == ["same-row"]
    assert live(register)[0].title_ko == "서울학 산책"


def test_the_same_row_twice_is_a_duplicate_of_the_first(hand_in, register) -> None:
    report = hand_in([COURSE_HEADER, course(), course(수강번호="E2"), course()])
    assert verdicts(report) == (1, 2, 0, 0)
    with register.reading() as session:
        rows = session.scalars(select(SubmissionRow).order_by(SubmissionRow.row)).all()
        assert [(row.row, row.verdict, row.duplicate_of) for row in rows] == [
            (2, "accepted", None),
            (3, "duplicate", 2),
            (4, "duplicate", 2),
        ]
        assert len({row.record_id for row in rows}) == 1


def test_one_number_with_two_contents_asks_which(hand_in) -> None:
    report = hand_in([COURSE_HEADER, course(), course(출석횟수="3")])
    assert verdicts(report) == (1, 0, 1, 0)
    assert codes(report) == ["number-clash"]


def test_the_same_file_again_does_nothing_and_gives_the_stored_report(hand_in, register) -> None:
    lines = [COURSE_HEADER, course(), course(회원번호="", 수강번호="E2")]
    first = hand_in(lines)
    again = hand_in(lines, name="another-name.csv")
    assert again.repeated
    assert again.submission_id == first.submission_id
    assert again.problems == first.problems
    assert len(live(register)) == 1
    with register.reading() as session:
        assert session.scalar(select(func.count()).select_from(Submission)) == 1


def test_a_corrected_file_supersedes_what_changed_and_only_that(hand_in, register) -> None:
    same = course(회원번호="SM24-2", 성명="박둘", 수강번호="E2")
    hand_in([COURSE_HEADER, course(), same])
    report = hand_in([COURSE_HEADER, course(출석횟수="10"), same])
    assert verdicts(report) == (1, 1, 0, 0)
    assert report.superseded == 1
    assert codes(report) == ["supersedes", "unchanged"]
    assert "attended" in report.problems[0].reason.en
    records = {record.attended: record for record in live(register)}
    assert set(records) == {10, 9}
    with register.reading() as session:
        [old] = session.scalars(
            select(LearningRecord).where(LearningRecord.status == "superseded")
        ).all()
    assert records[10].supersedes_id == old.id


def test_a_correction_taken_back_is_one_more_record(hand_in, register) -> None:
    hand_in([COURSE_HEADER, course()])
    hand_in([COURSE_HEADER, course(출석횟수="10")])
    report = hand_in(
        [COURSE_HEADER, course(), course(회원번호="SM24-9", 수강번호="E9", 성명="한아홉")]
    )
    assert report.superseded == 1
    assert sorted(record.attended for record in live(register)) == [9, 9]
    with register.reading() as session:
        assert session.scalar(select(func.count()).select_from(LearningRecord)) == 4


def test_missing_rows_are_no_deletions(hand_in, register) -> None:
    hand_in([COURSE_HEADER, course(), course(회원번호="SM24-2", 수강번호="E2")])
    hand_in([COURSE_HEADER, course(회원번호="SM24-2", 수강번호="E2")])
    assert len(live(register)) == 2


def test_hours_are_not_moved_to_somebody_else(hand_in, register) -> None:
    hand_in([COURSE_HEADER, course()])
    report = hand_in([COURSE_HEADER, course(회원번호="SM24-2", 성명="박둘")])
    assert codes(report) == ["other-learner"]
    assert verdicts(report) == (0, 0, 1, 0)


def test_a_retracted_record_does_not_come_back_by_itself(hand_in, register) -> None:
    hand_in([COURSE_HEADER, course()])
    with register.session() as session:
        session.execute(LearningRecord.__table__.update().values(status="retracted"))
    report = hand_in(
        [COURSE_HEADER, course(), course(회원번호="SM24-2", 성명="박둘", 수강번호="E2")]
    )
    assert verdicts(report) == (1, 0, 1, 0)
    assert codes(report) == ["was-retracted"]


def test_two_spellings_of_a_name_are_noted_and_accepted(hand_in, register, identities) -> None:
    report = hand_in(
        [COURSE_HEADER, course(), course(성명="김하니", 수강번호="E2", 강좌번호="2025-2")]
    )
    assert verdicts(report) == (2, 0, 0, 0)
    assert codes(report) == ["name-differs"]
    assert "김하니" not in str(report.to_json())
    with register.reading() as session:
        [identity] = session.scalars(select(LearnerIdentity)).all()
        assert identities.open_name(identity.learner_id, identity.name) == "김하나"


def test_a_number_with_quite_another_name_is_reviewed(hand_in, register) -> None:
    hand_in([COURSE_HEADER, course()])
    report = hand_in([COURSE_HEADER, course(성명="독고영재", 수강번호="E2", 강좌번호="2025-2")])
    assert verdicts(report) == (0, 0, 1, 0)
    assert codes(report) == ["name-other"]


def test_one_name_with_two_numbers_is_two_people(hand_in, register) -> None:
    report = hand_in([COURSE_HEADER, course(), course(회원번호="SM24-2", 수강번호="E2")])
    assert report.new_learners == 2


def test_overlapping_volunteering_is_accepted_and_noted(hand_in, register) -> None:
    report = hand_in(
        [
            HELP_HEADER,
            helped(),
            helped(확인번호="V2", 봉사활동명="문화행사 안내", 시작시각="11:00", 종료시각="13:00"),
            helped(확인번호="V3", 봉사활동명="하천 정화", 시작시각="13:00", 종료시각="14:00"),
        ],
        institution=VOLUNTEERS,
    )
    assert verdicts(report) == (3, 0, 0, 0)
    assert [(p.row, p.code) for p in report.problems] == [(3, "overlap-row")]
    later = hand_in(
        [
            HELP_HEADER,
            helped(확인번호="V4", 봉사활동명="문해교실", 시작시각="08:00", 종료시각="09:30"),
        ],
        institution=VOLUNTEERS,
    )
    assert codes(later) == ["overlap"]


def test_a_correction_does_not_overlap_what_it_replaces(hand_in) -> None:
    hand_in([HELP_HEADER, helped()], institution=VOLUNTEERS)
    report = hand_in([HELP_HEADER, helped(종료시각="12:30")], institution=VOLUNTEERS)
    assert codes(report) == ["supersedes"]


def test_volunteering_minutes_are_those_between_the_times(hand_in, register) -> None:
    rows = [
        helped(),
        helped(확인번호="V2", 시작시각="오후 2시", 종료시각="24:00", **{"인정시간(분)": "480"}),
    ]
    hand_in([HELP_HEADER, *rows], institution=VOLUNTEERS)
    found = {record.minutes: record for record in live(register)}
    assert set(found) == {180, 480}
    assert found[480].ended_at == datetime(2025, 5, 10, 15, tzinfo=UTC)
    assert all(record.exact_interval for record in found.values())


def test_more_minutes_than_lie_between_the_times_is_reviewed(hand_in) -> None:
    report = hand_in([HELP_HEADER, helped(**{"인정시간(분)": "240"})], institution=VOLUNTEERS)
    assert codes(report) == ["amount-over-interval"]


def test_two_equal_days_without_times_might_be_two(hand_in) -> None:
    day = {"시작시각": "", "종료시각": "", "인정시간(분)": "120"}
    report = hand_in(
        [HELP_HEADER, helped(**day), helped(확인번호="V2", **day)], institution=VOLUNTEERS
    )
    assert verdicts(report) == (1, 0, 1, 0)
    assert codes(report) == ["maybe-same"]


def test_outside_its_accreditation_a_record_is_kept_and_says_so(hand_in, register) -> None:
    header = "회원번호,신청번호,과정구분,강좌명,교육일,교육시간(분)"
    report = hand_in(
        [header, "SM24-1,D1,기초,스마트폰 완전정복,2023. 2. 3.,90"],
        institution="digital-learning-centre",
    )
    assert verdicts(report) == (1, 0, 0, 0)
    assert codes(report) == ["not-accredited"]
    assert live(register)[0].level == "basic"


def test_totals_are_recomputed_and_the_difference_shown(hand_in) -> None:
    report = hand_in(
        [
            "서울시민대학 수강 결과",
            "",
            COURSE_HEADER,
            course(),
            course(회원번호="", 수강번호="E2"),
            "합계,,,,,,,,,,,42",
        ]
    )
    assert report.rows == 2
    assert [(*tuple(total), total.difference) for total in report.totals] == [
        ("minutes", 2520, 2400, 120)
    ]


def test_a_dry_run_decides_everything_and_stores_nothing(hand_in, register) -> None:
    lines = [COURSE_HEADER, course(), course(), course(회원번호="", 수강번호="E2")]
    rehearsal = hand_in(lines, dry_run=True)
    assert verdicts(rehearsal) == (1, 1, 0, 1)
    assert (rehearsal.dry_run, rehearsal.submission_id) == (True, None)
    with register.reading() as session:
        for table in (Learner, LearningRecord, Submission, SubmissionRow):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    assert verdicts(hand_in(lines)) == (1, 1, 0, 1)


def test_progress_tells_rows_done_and_to_do(hand_in) -> None:
    told: list[tuple[int, int | None]] = []
    hand_in([COURSE_HEADER, course()], progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 1)]


def test_erasing_a_person_leaves_records_without_a_name(hand_in, register, identities) -> None:
    hand_in([COURSE_HEADER, course()])
    with register.session() as session:
        learner = learners.learner_by(session, identities, "seoul-member", "SM24-1")
        assert learner is not None
        learners.erase(session, learner)
    with register.reading() as session:
        assert learners.name_of(session, identities, learner) is None
        assert learners.learner_by(session, identities, "seoul-member", "SM24-1") is None
    assert [record.learner_id for record in live(register)] == [learner]


def test_another_key_finds_nobody_and_opens_no_name(hand_in, register, identities) -> None:
    hand_in([COURSE_HEADER, course()])
    stranger = Identities(b"x" * 32, b"y" * 32)
    with register.reading() as session:
        assert learners.learner_by(session, stranger, "seoul-member", "SM24-1") is None
        [identity] = session.scalars(select(LearnerIdentity)).all()
        with pytest.raises(learners.NameUnreadable):
            stranger.open_name(identity.learner_id, identity.name)
        with pytest.raises(learners.NameUnreadable):
            identities.open_name("lrn_other", identity.name)


PROJECT = "과제번호,회원번호,성명,구분,과제명,시작일,종료일,인정시간(시간),승인"


def project(verdict: str) -> str:
    return f"P1,SM24-1,김하나,졸업연구,골목 지도,2025-03-03,2025-05-02,20,{verdict}"


def test_an_approved_research_decides_the_conditions_of_the_master(hand_in, register) -> None:
    hand_in([PROJECT, project("승인")])
    with register.reading() as session:
        items = session.scalars(select(LearnerItem).order_by(LearnerItem.item)).all()
    assert [(item.item, item.state, item.decided_on) for item in items] == [
        ("graduation_research", "approved", date(2025, 5, 2)),
        ("learning_output", "approved", date(2025, 5, 2)),
    ]


def test_a_project_not_approved_is_rejected_and_nobody_is_enrolled(hand_in, register) -> None:
    report = hand_in([PROJECT, project("미승인"), project("심사 중").replace("P1", "P2")])
    assert verdicts(report) == (0, 0, 1, 1)
    assert codes(report) == ["not-approved", "approval-pending"]
    with register.reading() as session:
        assert session.scalar(select(func.count()).select_from(Learner)) == 0


def test_an_approval_taken_back_asks_a_person(hand_in, register) -> None:
    hand_in([PROJECT, project("승인")])
    report = hand_in([PROJECT, project("반려")])
    assert codes(report) == ["approval-withdrawn"]
    assert verdicts(report) == (0, 0, 1, 0)
    assert len(live(register)) == 1


DEGREES = "학위번호,회원번호,성명,학위,수여일"


def test_degrees_given_on_paper(hand_in, register) -> None:
    report = hand_in(
        [
            DEGREES,
            "1,SM24-1,김하나,명예시민학사,2022. 3. 29.",
            "1,SM24-1,김하나,시민학사,2022-03-29",
            "2,SM24-1,김하나,명예시민학사,2023. 3. 29.",
            "3,SM24-2,박둘,명예시민박사,’23. 3.",
            "4,SM24-3,최셋,명예교수,2023. 3. 29.",
        ],
        institution="seoul-lifelong-education",
    )
    assert verdicts(report) == (1, 1, 1, 2)
    assert codes(report) == ["same-row", "degree-differs", "date-vague", "value-unknown"]
    with register.reading() as session:
        [award] = session.scalars(select(Award)).all()
    assert (award.degree, award.basis, award.awarded_on) == ("bachelor", "paper", date(2022, 3, 29))
    assert (award.state, award.used) == ("valid", {})
