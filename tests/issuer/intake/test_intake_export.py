"""The report as a spreadsheet: original columns, verdicts, and no formula that runs."""

from __future__ import annotations

import csv
from datetime import date, time
from pathlib import Path

import openpyxl
import pytest
from conftest_intake import COURSE_HEADER, course
from hypothesis import given
from hypothesis import strategies as st

from issuer.intake import export_report
from issuer.intake.export import OtherFile, neutral
from ledger.database.session import Database

LINES = [
    "제목",
    COURSE_HEADER,
    course(성명="=HYPERLINK(1)"),
    course(회원번호="", 수강번호="E2"),
    "합계,,,,,,,,,,,40",
]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_original_columns_with_verdict_reason_and_remedy(
    hand_in, register: Database, tmp_path: Path, form: str
) -> None:
    report = hand_in(LINES)
    target = tmp_path / f"report.{form}"
    assert export_report(register, report.submission_id, tmp_path / "file.csv", target) == 3
    if form == "csv":
        rows = list(csv.reader(target.read_text("utf-8-sig").splitlines()))
    else:
        sheet = openpyxl.load_workbook(target).worksheets[0]
        rows = [["" if c is None else str(c) for c in r] for r in sheet.iter_rows(values_only=True)]
    assert rows[0][:12] == COURSE_HEADER.split(",")
    assert rows[0][12] == "판정"
    assert rows[1][1] == "'=HYPERLINK(1)"
    assert rows[1][12] == "받음"
    assert rows[1][13].startswith("rec_")
    assert rows[2][12] == "반려"
    assert "학습자 번호" in rows[2][15]
    assert "회원번호를 적어" in rows[2][16]
    assert rows[3][0] == "합계"


def test_in_english(hand_in, register: Database, tmp_path: Path) -> None:
    report = hand_in(LINES)
    target = tmp_path / "report.csv"
    export_report(register, report.submission_id, tmp_path / "file.csv", target, language="en")
    assert "rejected" in target.read_text("utf-8-sig")


def test_another_file_is_refused(hand_in, register: Database, tmp_path: Path) -> None:
    report = hand_in(LINES)
    (tmp_path / "file.csv").write_text("something else")
    with pytest.raises(OtherFile):
        export_report(register, report.submission_id, tmp_path / "file.csv", tmp_path / "r.csv")


@given(st.text(), st.sampled_from("=+-@＝＋－＠\t\r\n"))
def test_no_text_begins_like_a_formula(text: str, mark: str) -> None:
    found = neutral(mark + text)
    assert isinstance(found, str)
    assert (
        found[:1] not in tuple("=+-@＝＋－＠\t\r\n")
        or found.lstrip("+-").replace(",", "").replace(".", "").isdigit()
    )


@pytest.mark.parametrize(
    "cell", ["가나다", "-12.5", "+3", 5, 2.5, None, date(2025, 1, 1), time(9, 30)]
)
def test_what_is_harmless_stays(cell: object) -> None:
    assert neutral(cell) == cell


@pytest.mark.parametrize("cell", ["=1+1", " =1", "-1+2", "@SUM(A1)", "+cmd|' /C calc'!A0", "－1+1"])
def test_formulas_are_neutralised(cell: str) -> None:
    assert str(neutral(cell)).startswith("'")
