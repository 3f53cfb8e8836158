#!/usr/bin/env python3
"""Makes the sample files of this folder: invented people, real kinds of course, honest dirt.

Deterministic: the same files every time. ``python scripts/sample/make.py [FOLDER]``. What is in
them, and which three learners are made on purpose, is told in README.md beside this file.
"""

# ruff: noqa: E501  (tables of Korean words: a syllable counts twice)

from __future__ import annotations

import csv
import io
import random
import re
import sys
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
from openpyxl.styles import Font

SEED = 20251

BACHELOR = ("SM24-000101", "한가람")
MASTER = ("SM21-000202", "오하늘")
SHORT = ("SM24-000303", "서이든")

FAMILY = "김이박최정강조윤장임한오서신권황안송류홍문양손배백허남심노하곽성차주우구민진지엄채원"
GIVEN_A = "가나다라민서지현수은영준도하유채연주예시우진태승정재동성경선미혜소윤건찬"
GIVEN_B = "윤서준우연아진호민영희원빈율현수경은주하람솔결온별찬혁규식자순옥숙"

# (code, title, field, sessions, hours)
COURSES = [
    ("HUM101", "서울의 시와 소설 읽기", "인문학", 10, 20),
    ("HUM102", "고전으로 읽는 삶", "인문학", 5, 10),
    ("SEO101", "한양도성 따라 걷는 서울학", "서울학", 10, 20),
    ("SEO102", "서울의 골목과 사람들", "서울학", 5, 10),
    ("CIV101", "세계시민 교육", "시민학", 10, 20),
    ("CIV102", "디지털 시민성", "시민학", 5, 10),
    ("CUL101", "문화예술 감상과 비평", "문화예술학", 10, 20),
    ("SOC101", "사회심리학", "사회경제학", 10, 20),
    ("SOC102", "생활 속 경제 이야기", "사회경제학", 5, 10),
    ("LIV101", "기후환경과 우리 동네", "생활환경학", 10, 20),
    ("LIV102", "시민안전 바로 알기", "생활환경학", 5, 10),
    ("FUT101", "매혹적인 뇌과학", "미래학", 10, 20),
    ("FUT102", "로봇 이야기", "미래학", 5, 10),
    ("COM101", "평생학습 공통과정", "공통과목", 10, 20),
    ("COM102", "시민 연구 방법의 기초", "공통과목", 10, 20),
    ("COM103", "토론과 글쓰기", "공통과목", 10, 20),
    ("COM104", "지역사회와 시민 참여", "공통과목", 10, 20),
    ("SEM201", "정책가과정 전공세미나", "전공세미나", 10, 20),
    ("SEM202", "환경특화과정 전공세미나", "전공세미나", 10, 20),
    ("PRA201", "미래특화과정 실천학습", "실천학습", 10, 20),
]

DIGITAL = {
    "기초": ["스마트폰 완전정복", "디지털 시민되기", "SNS 제대로 배우기", "모두의 인공지능",
           "디지털 금융사기 예방법", "왕초보 컴퓨터 배우기"],
    "생활": ["나도 이제 사진작가", "내 손안의 비서", "키오스크 어렵지 않아요", "온라인 쇼핑몰 창업스쿨",
           "디지털로 일하기"],
    "심화": ["코딩 시작하기(블록 코딩)", "코알못 앱만들기", "파이썬 시작하기", "신나는 AR/VR 세상",
           "내가 만드는 인공지능", "3D 프린팅 기초와 실습"],
    "특별": ["민원24 사용법", "서울안전앱 사용법", "보이스 피싱 예방"],
}  # fmt: skip
CENTRES = ["구청 전산교육장", "독산2동 자치회관", "시흥2동 자치회관", "금천 복지관", "관악 복합학습공간",
           "강북 디지털배움터", "노원 디지털배움터", "송파 디지털배움터"]  # fmt: skip

ACTIVITIES = ["동네배움터 학습 도우미", "어르신 스마트폰 안내", "도서관 책 정리", "하천 정화 활동",
              "문해교실 보조교사", "학생상담 자원봉사", "문화행사 안내", "디지털배움터 보조강사"]  # fmt: skip

CERTIFICATES = [
    ("LL-2", "평생교육사", "2급", 20), ("IT-1", "컴퓨터활용능력", "1급", 15),
    ("IT-2", "컴퓨터활용능력", "2급", 10), ("KH-1", "한국사능력검정", "1급", 10),
    ("KL-1", "한국어교육능력", "3급", 20), ("DG-1", "디지털정보활용능력", "초급", 5),
]  # fmt: skip

PROJECTS = ["골목 안내 지도 만들기", "우리 동네 기후 일기", "마을 소리 기록", "어르신 자서전 쓰기",
            "동네 가게 이야기책", "빈집 텃밭 가꾸기", "하천 생물 조사", "이웃 언어 교실"]  # fmt: skip


@dataclass
class Files:
    """The rows of each file, before the dirt is mixed in."""

    courses: list[list[object]] = field(default_factory=list)
    digital: list[list[str]] = field(default_factory=list)
    volunteering: list[list[str]] = field(default_factory=list)
    certificates: list[list[str]] = field(default_factory=list)
    projects: list[list[str]] = field(default_factory=list)
    degrees: list[list[str]] = field(default_factory=list)


class Maker:
    """Invents everything from one seed."""

    def __init__(self) -> None:
        self.random = random.Random(SEED)
        self.files = Files()
        self.people = self._people(297)
        self._course_runs = self._runs()
        self._digital_runs: dict[tuple[str, date, str], str] = {}

    def _people(self, count: int) -> list[tuple[str, str]]:
        names: set[str] = {BACHELOR[1], MASTER[1], SHORT[1]}
        people = []
        while len(people) < count:
            pick = self.random.choice
            name = pick(FAMILY) + pick(GIVEN_A) + pick(GIVEN_B)
            if name in names or name[1] == name[2]:
                continue
            names.add(name)
            year = self.random.choice((19, 20, 21, 22, 23, 24))
            people.append((f"SM{year}-{1000 + len(people) * 7:06d}", name))
        return people

    def _runs(self) -> list[tuple[str, str, str, int, int, str, date]]:
        """Every course in each of four terms: code, title, field, sessions, hours, run, begin."""
        runs = []
        for term, begin in (
            ("2024-1", date(2024, 4, 1)), ("2024-2", date(2024, 9, 2)),
            ("2025-1", date(2025, 4, 7)), ("2025-2", date(2025, 9, 1)),
        ):  # fmt: skip
            for number, (code, title, area, sessions, hours) in enumerate(COURSES):
                start = begin + timedelta(days=number % 5)
                runs.append((code, title, area, sessions, hours, f"{term}-{code}", start))
        return runs

    # --- one row each -----------------------------------------------------------------------------

    def course(self, who: tuple[str, str], run: int, attended: int | None = None) -> None:
        code, title, area, sessions, hours, offering, start = self._course_runs[run]
        end = start + timedelta(weeks=sessions - 1)
        number = f"E{len(self.files.courses) + 1:05d}"
        self.files.courses.append([
            who[0], who[1], number, code, title, area, offering, start, end, sessions,
            sessions if attended is None else attended, hours,
        ])  # fmt: skip

    def lesson(
        self, who: tuple[str, str], level: str, title: str, day: date, minutes: int, centre: str
    ) -> None:
        run = self._digital_runs.setdefault(
            (title, day, centre), f"D{len(self._digital_runs) + 1:04d}"
        )
        number = f"DG{len(self.files.digital) + 1:05d}"
        self.files.digital.append([
            centre, number, who[0], who[1], level, title, run, f"{day:%Y. }{day.month}. {day.day}.",
            str(minutes),
        ])  # fmt: skip

    def help(
        self, who: tuple[str, str], what: str, day: date, start: time, minutes: int, note: str = ""
    ) -> None:
        end = datetime.combine(day, start) + timedelta(minutes=minutes)
        closing = "24:00" if end.date() > day else f"{end:%H:%M}"
        self.files.volunteering.append([
            f"V{len(self.files.volunteering) + 1:05d}", who[0], who[1], what, f"{day:%Y-%m-%d}",
            f"{start:%H:%M}", closing, note,
        ])  # fmt: skip

    def certificate(
        self, who: tuple[str, str], kind: int, day: date, hours: int | None = None
    ) -> None:
        code, title, grade, table = CERTIFICATES[kind]
        self.files.certificates.append([
            who[0], who[1], title, grade, code, f"C-{day:%y}-{len(self.files.certificates) + 1:04d}",
            f"{day:%Y.%m.%d}", str(hours or table),
        ])  # fmt: skip

    def project(
        self, who: tuple[str, str], kind: str, title: str, start: date, hours: int, verdict: str
    ) -> None:
        end = start + timedelta(days=60)
        self.files.projects.append([
            f"P{len(self.files.projects) + 1:04d}", who[0], who[1], kind, title, f"{start:%Y-%m-%d}",
            f"{end:%Y-%m-%d}", str(hours), verdict,
        ])  # fmt: skip

    def degree(self, who: tuple[str, str], degree: str, day: date) -> None:
        number = f"명예-{day.year}-{len(self.files.degrees) + 1:03d}"
        self.files.degrees.append(
            [number, who[0], who[1], degree, f"{day.year}. {day.month}. {day.day}."]
        )

    # --- the three on purpose ---------------------------------------------------------------------

    def on_purpose(self) -> None:
        runs = {run[5]: index for index, run in enumerate(self._course_runs)}

        # 106 hours: 60 of courses, 20 digital, 16 volunteering, 10 for a certificate.
        for offering in ("2024-1-HUM101", "2024-2-SEO101", "2025-1-CIV101"):
            self.course(BACHELOR, runs[offering], 9)
        self._lessons(BACHELOR, 10, date(2024, 5, 7))
        for week in range(4):
            self.help(
                BACHELOR, ACTIVITIES[0], date(2024, 6, 8) + timedelta(weeks=week), time(9), 240
            )
        self.certificate(BACHELOR, 3, date(2025, 6, 20))

        # Holds the bachelor on paper since 2024-02-24; 226 hours since, and an approved research.
        self.degree(MASTER, "명예시민학사", date(2024, 2, 24))
        for offering in (
            "2024-1-COM101", "2024-1-COM102", "2024-2-COM103", "2024-2-COM104", "2025-1-SEM201",
            "2025-1-HUM101", "2025-1-SEO101", "2025-2-LIV101", "2025-2-FUT101", "2025-2-CUL101",
        ):  # fmt: skip
            self.course(MASTER, runs[offering])
        self.help(MASTER, ACTIVITIES[4], date(2025, 11, 8), time(13), 180)
        self.help(MASTER, ACTIVITIES[4], date(2025, 11, 15), time(13), 180)
        self.project(
            MASTER,
            "졸업연구",
            "동네배움터가 노년의 하루를 바꾸는 길",
            date(2025, 9, 15),
            20,
            "승인",
        )

        # 5,990 minutes that count, and a course attended three times of ten, which does not.
        for offering in ("2024-1-SEO101", "2024-2-SOC101", "2025-1-LIV101"):
            self.course(SHORT, runs[offering], 8)
        self.course(SHORT, runs["2025-2-FUT101"], 3)
        self._lessons(SHORT, 8, date(2024, 10, 2))
        for week, minutes in enumerate((240, 240, 180, 170)):
            self.help(
                SHORT, ACTIVITIES[2], date(2025, 3, 8) + timedelta(weeks=week), time(10), minutes
            )
        self.certificate(SHORT, 2, date(2025, 8, 14))

    def _lessons(self, who: tuple[str, str], count: int, first: date) -> None:
        titles = [(level, title) for level, group in DIGITAL.items() for title in group]
        for number in range(count):
            level, title = titles[number]
            self.lesson(
                who, level, title, first + timedelta(weeks=number), 120, CENTRES[number % 8]
            )

    # --- everybody else ---------------------------------------------------------------------------

    def crowd(self) -> None:
        pick, between = self.random.choice, self.random.randint
        taken: set[tuple[str, int]] = set()
        while len(self.files.courses) < 1480:
            who, run = pick(self.people), between(0, len(self._course_runs) - 1)
            if (who[0], run) in taken:
                continue
            taken.add((who[0], run))
            sessions = self._course_runs[run][3]
            low = self.random.random() < 0.12
            attended = between(1, sessions // 2) if low else between(sessions - 2, sessions)
            self.course(who, run, attended)
        busy: set[tuple[str, date]] = set()
        while len(self.files.digital) < 1080:
            level = pick(list(DIGITAL))
            who, day = pick(self.people), self._day(date(2024, 3, 4), date(2025, 11, 28))
            if (who[0], day) in busy:
                continue
            busy.add((who[0], day))
            self.lesson(who, level, pick(DIGITAL[level]), day, pick((90, 120, 180)), pick(CENTRES))
        while len(self.files.volunteering) < 1020:
            who, day = pick(self.people), self._day(date(2024, 3, 2), date(2025, 12, 20))
            if (who[0], day) in busy:
                continue
            busy.add((who[0], day))
            start = time(between(9, 16), pick((0, 0, 30)))
            self.help(who, pick(ACTIVITIES), day, start, pick((60, 90, 120, 150, 180, 240)))
        for who in self.random.sample(self.people, 180):
            day = self._day(date(2024, 3, 2), date(2025, 11, 30))
            self.certificate(who, between(0, len(CERTIFICATES) - 1), day)
        for who in self.random.sample(self.people, 176):
            day = self._day(date(2024, 3, 2), date(2025, 9, 30))
            research = self.random.random() < 0.15
            verdict = pick(("승인",) * 8 + ("보완", "미승인"))
            kind, hours = ("졸업연구", 20) if research else ("학습실천", pick((8, 12, 16)))
            self.project(
                who, kind, f"{pick(CENTRES).split()[0]} {pick(PROJECTS)}", day, hours, verdict
            )
        for who in self.random.sample(self.people, 40):
            self.degree(
                who, "명예시민학사", pick((date(2019, 3, 13), date(2022, 3, 29), date(2023, 2, 24)))
            )

    def _day(self, first: date, last: date) -> date:
        return first + timedelta(days=self.random.randrange((last - first).days))

    # --- the dirt ---------------------------------------------------------------------------------

    def dirt(self) -> None:
        f, people = self.files, self.people
        # The rows of the three stay clean: everything below picks rows behind them.
        courses, digital, helped = f.courses, f.digital, f.volunteering

        courses[120][1] = _variant(str(courses[120][1]))  # two spellings of one name
        courses[340][1] = unicodedata.normalize("NFD", str(courses[340][1]))  # decomposed Hangul
        courses[341][4] = unicodedata.normalize("NFD", str(courses[341][4]))
        courses.insert(400, list(courses[399]))  # the same row twice
        courses[500][0] = None  # nobody's row
        courses[501][0] = "  " + str(courses[501][0]).lower() + " "  # a number as people type it
        courses[600][8] = "2025-02-30"  # no such day
        courses[601][10] = int(str(courses[601][9])) + 1  # more sessions than were held
        courses[700][0] = people[0][0]  # somebody else's number
        courses[700][1] = "독고영재" if people[0][1] != "독고영재" else "선우진"
        courses[800][5] = "천문학"  # a field that is in no list
        courses[900][7] = f"’{courses[900][7]:%y. %m. %d.}"  # type: ignore[str-format]

        for row in (200, 320, 640):
            digital[row][4], digital[row][5] = "기초", "왕초보 검퓨터 배우기"
        digital[210][2] = ""
        digital[220][7] = "2025. 13. 3."
        digital[230][7] = "'24. 9. 12."
        digital[231][7] = "2024년 9월 13일"
        digital[240][4] = "중급"
        digital[250][3] = _variant(digital[250][3])
        digital[260][8] = "두 시간"
        digital[261][8] = "1시간 30분"
        digital.insert(400, list(digital[399]))
        digital.insert(700, [digital[699][0], "DG90001", *digital[699][2:]])  # same, other number

        helped[150][3] = unicodedata.normalize("NFD", helped[150][3])
        helped[160][2] = unicodedata.normalize("NFD", helped[160][2])
        overlap = list(helped[300])  # half an hour later, elsewhere, the same person
        overlap[0], overlap[3] = "V90001", "문화행사 안내(보조)"
        overlap[5] = _later(overlap[5], 30)
        overlap[6] = _later(overlap[6], 30)
        helped.insert(301, overlap)
        helped[350][5], helped[350][6] = "15:00", "13:00"  # ends before it starts
        helped[360][5], helped[360][6] = "오후 2:00", "오후 4:30"
        helped[370][7] = "900"  # claims more than lies between the times
        helped[380][1] = ""
        helped[390][4] = "2025-06-31"
        helped[400][6] = "24:00"
        helped.insert(500, list(helped[499]))
        helped[600][4] = f"{date.fromisoformat(helped[600][4]):%y.%m.%d}(토)"

        f.certificates[40][6] = "’24. 9."  # only the month is known
        f.certificates[50][0] = ""
        f.certificates[60][6] = "2025.02.29"
        f.certificates[70][7] = "1.33"
        f.certificates.insert(90, list(f.certificates[89]))

        f.projects[30][1] = ""
        f.projects[40][6] = "2024-01-05"
        f.projects.insert(60, list(f.projects[59]))
        f.degrees.insert(20, list(f.degrees[19]))
        f.degrees[30][4] = "2022. 3. 32."


def _variant(name: str) -> str:
    """Another spelling of the same name: the last syllable's final consonant goes."""
    last = ord(name[-1]) - 0xAC00
    return name[:-1] + chr(0xAC00 + (last - last % 28 if last % 28 else last + 4))


def _later(clock: str, minutes: int) -> str:
    moment = datetime.combine(date(2025, 1, 1), time.fromisoformat(clock))
    return f"{moment + timedelta(minutes=minutes):%H:%M}"


# --- writing --------------------------------------------------------------------------------------


def workbook(courses: Sequence[Sequence[object]]) -> bytes:
    """The citizens' university's XLSX: title rows, real date cells, a total at the end that is
    20 hours off. Written so that the same content gives the same bytes."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "수강결과"
    sheet.append(["서울시민대학 수강 결과 (2024~2025)"])
    sheet.append(["작성: 교육운영팀", None, "단위: 시간"])
    sheet.append([])
    header = ["연번", "회원번호", "성명", "수강번호", "과목코드", "강좌명", "분야", "강좌번호", "개강일",
              "종강일", "수업횟수", "출석횟수", "수업시간(시간)"]  # fmt: skip
    sheet.append(header)
    for cell in sheet[4]:
        cell.font = Font(bold=True)
    for number, row in enumerate(courses, 1):
        sheet.append([number, *row])
    hours = sum(int(str(row[11])) for row in courses)
    sheet.append(["합계", *[None] * 11, hours + 20])
    for column, width in zip("BCFHIJ", (14, 10, 30, 18, 12, 12), strict=True):
        sheet.column_dimensions[column].width = width
    raw = io.BytesIO()
    book.save(raw)
    return _reproducible(raw.getvalue())


def _reproducible(archive: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(out, "w") as target:
        for name in sorted(source.namelist()):
            body = source.read(name)
            if name == "docProps/core.xml":
                body = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-01-05T00:00:00Z", body)
            entry = zipfile.ZipInfo(name, (2026, 1, 5, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, body)
    return out.getvalue()


def table(header: Sequence[str], rows: Sequence[Sequence[object]], encoding: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def make() -> dict[str, bytes]:
    """File name to content."""
    maker = Maker()
    maker.on_purpose()
    maker.crowd()
    maker.dirt()
    files = maker.files
    return {
        "citizens-university.xlsx": workbook(files.courses),
        "digital-learning-centre.csv": table(
            ["배움터명", "신청번호", "회원번호", "이름", "과정구분", "강좌명", "개설번호", "교육일",
             "교육시간(분)"],
            files.digital, "cp949",
        ),
        "volunteering.csv": table(
            ["확인번호", "회원번호", "성명", "봉사활동명", "활동일", "시작시각", "종료시각", "인정시간(분)"],
            files.volunteering, "utf-8",
        ),
        "certificates.csv": table(
            ["회원번호", "성명", "자격증명", "등급", "자격코드", "자격증번호", "취득일", "인정시간(시간)"],
            files.certificates, "utf-8-sig",
        ),
        "projects.csv": table(
            ["과제번호", "회원번호", "성명", "구분", "과제명", "시작일", "종료일", "인정시간(시간)", "승인"],
            files.projects, "utf-8",
        ),
        "paper-degrees.csv": table(
            ["학위번호", "회원번호", "성명", "학위", "수여일"], files.degrees, "utf-8"
        ),
    }  # fmt: skip


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in make().items():
        (folder / name).write_bytes(content)
        print(f"{folder / name}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
