"""Whole files: encodings, headers, mappings; and files made to do harm. Nothing is half stored."""

from __future__ import annotations

import io
import os
import random
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from conftest_intake import COURSE_HEADER, UNIVERSITY, course
from sqlalchemy import func, select

from issuer.intake import mapping_by_id, ready_mappings
from issuer.intake.limits import Limits
from issuer.intake.mapping import parse_mapping
from issuer.intake.refusals import (
    ArchiveBomb,
    ColumnMissing,
    ColumnTwice,
    EncodingUnclear,
    FileRefused,
    FileTooLarge,
    FileUnreadable,
    MappingInvalid,
    MappingUnknown,
    MixedEncodings,
    NotAllowed,
    ResidentNumberFound,
)
from ledger.database.models import Learner, Submission
from ledger.database.session import Database, open_database
from ledger.institutions import UnknownInstitution


@pytest.fixture
def database(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Database]:
    """One backend is enough here: none of these files reaches the database."""
    path = tmp_path / "test.db"
    shutil.copy(migrated_sqlite, path)
    opened = open_database(f"sqlite:///{path}")
    yield opened
    opened.close()


GOOD = [COURSE_HEADER, course(), course(회원번호="SM24-2", 성명="박둘", 수강번호="E2")]


def nothing_stored(database: Database) -> bool:
    with database.reading() as session:
        return not any(
            session.scalar(select(func.count()).select_from(table))
            for table in (Submission, Learner)
        )


def sheet(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# --- encodings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize("feed", ["\r\n", "\n", "\r"])
def test_encodings_are_told_apart_with_certainty(hand_in, encoding: str, feed: str) -> None:
    report = hand_in(feed.join(GOOD).encode(encoding))
    assert report.accepted == 2


@pytest.mark.parametrize("mark", ["\t", ";", "|"])
def test_other_separators(hand_in, mark: str) -> None:
    assert hand_in([line.replace(",", mark) for line in GOOD]).accepted == 2


def test_mixed_encodings_are_refused_naming_the_line(hand_in, register) -> None:
    raw = b"\n".join([GOOD[0].encode(), GOOD[1].encode(), GOOD[2].encode("cp949")])
    with pytest.raises(MixedEncodings) as caught:
        hand_in(raw)
    assert caught.value.facts["line"] == 3
    assert nothing_stored(register)


def test_a_few_bytes_valid_both_ways_are_a_question(hand_in, register) -> None:
    raw = GOOD[0].encode("ascii", "ignore") + "\n표".encode("cp949")  # also U+01E5 in UTF-8
    with pytest.raises(EncodingUnclear) as caught:
        hand_in(raw)
    assert caught.value.remedy is not None
    assert nothing_stored(register)


@pytest.mark.parametrize("encoding", ["latin-1", "shift-jis", "gb18030"])
def test_other_countries_encodings_are_a_question(hand_in, encoding: str) -> None:
    words = {
        "latin-1": "é à ü, ñ",
        "shift-jis": "日本語の表ですよ,カタカナ",
        "gb18030": "简体中文表格的内容",
    }
    with pytest.raises(EncodingUnclear):
        hand_in(f"a,b\n{words[encoding]}\n{words[encoding]}\n".encode(encoding))


def test_the_answer_to_the_question_is_taken_and_bad_bytes_cost_their_row(hand_in) -> None:
    raw = b"\n".join([*(line.encode("cp949") for line in GOOD), course(수강번호="E3").encode()])
    report = hand_in(raw, encoding="cp949")
    assert (report.accepted, report.rejected) == (2, 1)
    assert report.problems[0].code == "text-broken"


# --- headers and mappings -------------------------------------------------------------------------


def test_a_missing_column_is_named(hand_in, register) -> None:
    with pytest.raises(ColumnMissing) as caught:
        hand_in([GOOD[0].replace("강좌명", "과정이름"), *GOOD[1:]])
    assert caught.value.facts["missing"] == ["강좌명"]
    assert "강좌명" in caught.value.detail.ko
    assert nothing_stored(register)


def test_a_missing_column_is_named_with_the_mapping_given(hand_in) -> None:
    with pytest.raises(ColumnMissing) as caught:
        hand_in(["회원번호,비고", "SM24-1,x"], mapping=UNIVERSITY)
    assert "출석횟수" in caught.value.facts["missing"]


def test_headings_are_found_below_titles_in_any_order_and_spacing(hand_in) -> None:
    header = "비고, 출석 횟수 ,*회원번호,강좌명,개강일,종강일,수업횟수,수업시간(시간)"
    report = hand_in(["2025년 결과", "", header, "x,9,SM24-1,서울학,2025-04-07,2025-06-09,10,20"])
    assert report.accepted == 1
    assert report.unused_columns == ("비고",)


def test_the_same_heading_twice_is_refused(hand_in) -> None:
    with pytest.raises(ColumnTwice):
        hand_in([GOOD[0] + ",강좌명", GOOD[1] + ",x"])


def test_a_header_of_nothing_known(hand_in) -> None:
    with pytest.raises(MappingUnknown):
        hand_in(["가,나,다", "1,2,3"])
    with pytest.raises(MappingUnknown):
        hand_in(GOOD, mapping="no-such-mapping")


def test_an_unknown_institution_lists_the_near_ones(hand_in, register) -> None:
    with pytest.raises(UnknownInstitution) as caught:
        hand_in(GOOD, institution="seoul-citizen-university")
    assert caught.value.facts["near"][0] == UNIVERSITY
    with pytest.raises(UnknownInstitution) as caught:
        hand_in(GOOD, institution="시민대학")
    assert caught.value.facts["near"][0] == UNIVERSITY
    assert nothing_stored(register)


def test_only_a_registrar_hands_in_degrees(hand_in, register) -> None:
    lines = ["회원번호,성명,학위,수여일", "SM24-1,김하나,명예시민학사,2022. 3. 29."]
    with pytest.raises(NotAllowed):
        hand_in(lines)
    assert nothing_stored(register)
    assert hand_in(lines, institution="seoul-lifelong-education").accepted == 1


def test_every_ready_mapping_is_valid_and_complete() -> None:
    assert {m.id for m in ready_mappings()} >= {
        UNIVERSITY,
        "digital-learning-centre",
        "paper-degrees",
    }
    for mapping in ready_mappings():
        assert mapping_by_id(mapping.id) is mapping
        assert mapping.name.ko
        assert mapping.name.en


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "format: baeum-mapping/1",
        "format: baeum-mapping/1\nid: x\nversion: '1'\nname: {ko: 가, en: a}\n"
        "makes: record\nscheme: s\n"
        "kind: course\nfields: {identifier: {columns: [a]}, title_ko: {columns: [b]}}",
        "!!python/object/apply:os.system [echo]",
    ],
)
def test_a_wrong_mapping_is_refused(text: str) -> None:
    with pytest.raises(MappingInvalid):
        parse_mapping(text, "test")


# --- workbooks ------------------------------------------------------------------------------------


def test_a_workbook_with_real_dates_and_numbers(hand_in) -> None:
    row: list[object] = ["SM24-1", "김하나", 17.0, "SEO101", "서울학 산책", "서울학", "2025-1",
                         date(2025, 4, 7), date(2025, 6, 9), 10, 9, 2.5]  # fmt: skip
    report = hand_in(sheet([["제목"], [], list(COURSE_HEADER.split(",")), row]), name="f.xlsx")
    assert (report.form, report.accepted) == ("xlsx", 1)


def test_other_sheets_are_named_as_unread(hand_in) -> None:
    book = openpyxl.load_workbook(io.BytesIO(BOOK))
    book.create_sheet("2학기")
    out = io.BytesIO()
    book.save(out)
    [note] = hand_in(out.getvalue(), name="two.xlsx").notes
    assert "2학기" in note.ko


def rewritten(book: bytes, name: str, change) -> bytes:  # type: ignore[no-untyped-def]
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.namelist():
            body = old.read(member)
            new.writestr(member, change(body) if member == name else body)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
BOOK = sheet([COURSE_HEADER.split(","), course().split(",")])


def test_a_zip_bomb_as_workbook_is_not_opened(hand_in, register) -> None:
    bomb = rewritten(BOOK, SHEET, lambda body: body + b" " * (40 << 20))
    assert len(bomb) < 100_000
    with pytest.raises(ArchiveBomb):
        hand_in(bomb, name="bomb.xlsx")
    assert nothing_stored(register)


def test_a_zip_bomb_in_the_shared_strings(hand_in) -> None:
    out = io.BytesIO(BOOK)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings2/sharedStrings.xml", os.urandom(1 << 16) * 2)
    with pytest.raises(ArchiveBomb):
        hand_in(out.getvalue(), name="b.xlsx", limits=Limits(shared_strings_bytes=1 << 16))


def entities(body: bytes) -> bytes:
    laughs = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9)
    )
    head, _, rest = body.partition(b"?>") if body.startswith(b"<?xml") else (b"", b"", body)
    return (head + b"?>" if head else b"") + laughs + b"]>" + rest.replace(b"</c>", b"</c>", 1)


@pytest.mark.parametrize(
    "member", [SHEET, "xl/styles.xml", "xl/workbook.xml", "[Content_Types].xml"]
)
def test_an_entity_bomb_in_a_workbook_is_refused(hand_in, register, member: str) -> None:
    bomb = rewritten(BOOK, member, lambda body: entities(body).replace(b"<t>", b"<t>&j;", 1))
    with pytest.raises(FileUnreadable):
        hand_in(bomb, name="bomb.xlsx")
    assert nothing_stored(register)


def test_a_workbook_with_a_million_columns(hand_in, register) -> None:
    wide = sheet([[f"c{i}" for i in range(5_000)]])
    with pytest.raises(FileTooLarge):
        hand_in(wide, name="wide.xlsx")
    far = rewritten(BOOK, SHEET, lambda body: body.replace(b'r="A2"', b'r="ZZZZZ2"', 1))
    with pytest.raises(FileRefused):
        hand_in(far, name="far.xlsx")
    assert nothing_stored(register)


def test_a_workbook_that_claims_a_row_beyond_the_last(hand_in, register) -> None:
    far = rewritten(BOOK, SHEET, lambda body: body.replace(b'<row r="2"', b'<row r="99999999"', 1))
    with pytest.raises(FileRefused):
        hand_in(far, name="far.xlsx", limits=Limits(rows=10_000))
    assert nothing_stored(register)


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_workbook_is_refused_or_read_never_a_crash(hand_in, seed: int) -> None:
    chance = random.Random(seed)
    broken = bytearray(BOOK)
    for _ in range(20):
        broken[chance.randrange(4, len(broken))] = chance.randrange(256)
    with suppress(FileRefused):
        hand_in(bytes(broken), name="broken.xlsx")


def test_not_a_workbook_after_all(hand_in) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FileUnreadable):
        hand_in(out.getvalue(), name="a.xlsx")
    with pytest.raises(FileUnreadable) as caught:
        hand_in(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), name="a.xls")
    assert "암호" in caught.value.detail.ko


# --- text made to do harm -------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b",,,\n,,\n", b"\xef\xbb\xbf"])
def test_an_empty_file(hand_in, content: bytes) -> None:
    with pytest.raises(FileUnreadable):
        hand_in(content)


@pytest.mark.parametrize("seed", range(8))
def test_binary_garbage(hand_in, register, seed: int) -> None:
    with pytest.raises(FileRefused):
        hand_in(random.Random(seed).randbytes(5_000))
    assert nothing_stored(register)


def test_a_file_that_is_not_there(hand_in, register, identities, tmp_path) -> None:
    from conftest_intake import NOW

    from issuer.intake import ingest

    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(FileUnreadable):
            ingest(register, identities, path, institution=UNIVERSITY, now=NOW)


def test_a_million_columns(hand_in, register) -> None:
    with pytest.raises(FileTooLarge):
        hand_in([",".join(map(str, range(1_000_000))), "1,2"])
    assert nothing_stored(register)


def test_too_many_rows_are_refused_before_anything_is_stored(hand_in, register) -> None:
    lines = [COURSE_HEADER, *(course(수강번호=f"E{n}") for n in range(3_000))]
    with pytest.raises(FileTooLarge) as caught:
        hand_in(lines, limits=Limits(rows=1_000))
    assert "1,000" in caught.value.detail.en
    assert nothing_stored(register)


def test_a_file_over_the_size_limit(hand_in) -> None:
    with pytest.raises(FileTooLarge):
        hand_in(GOOD, limits=Limits(file_bytes=100))


def test_a_quotation_mark_never_closed(hand_in, register) -> None:
    with pytest.raises(FileUnreadable) as caught:
        hand_in([*GOOD, '"' + "x" * (2 << 20)])
    assert caught.value.facts["row"] == 4
    assert nothing_stored(register)


def test_one_endless_line(hand_in) -> None:
    with pytest.raises(FileRefused):
        hand_in("가".encode() * 3_000_000)


@pytest.mark.parametrize("heading", ["주민등록번호", "주민 등록 번호"])
def test_a_column_of_resident_numbers_by_its_heading(hand_in, register, heading: str) -> None:
    with pytest.raises(ResidentNumberFound) as caught:
        hand_in([f"{GOOD[0]},{heading}", f"{GOOD[1]},900101-1234567"])
    assert "900101" not in str(caught.value.to_json())
    assert caught.value.facts == {"column": 13}
    assert nothing_stored(register)


def test_a_column_of_resident_numbers_by_its_content(hand_in, register, caplog) -> None:
    with pytest.raises(ResidentNumberFound) as caught:
        hand_in([f"{GOOD[0]},비고", f"{GOOD[1]},900101-1234567", f"{GOOD[2]},9505052345678"])
    assert "900101" not in str(caught.value.to_json()) + caplog.text
    assert nothing_stored(register)
