"""The report on a file as a spreadsheet: the original columns, then the verdict and why.

The rows come from the file itself, handed in again for the purpose, because nothing of it was
kept. Cells that a spreadsheet would run as a formula are neutralised (CWE-1236).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Literal, TypeAlias

import openpyxl
from sqlalchemy import select

from credential.text import Text
from issuer.intake.ingestion import stored_report
from issuer.intake.refusals import FileRefused
from issuer.intake.sheets import open_sheet
from ledger.database.models import Submission, SubmissionRow
from ledger.database.session import Database

Language = Literal["ko", "en"]
_Verdict: TypeAlias = Any  # row, verdict, record, same as row, problems

_ADDED = Text("판정,기록 번호,같은 행,사유,조치", "verdict,record,same as row,reason,remedy")
_VERDICTS = {
    "accepted": Text("받음", "accepted"),
    "duplicate": Text("중복", "duplicate"),
    "review": Text("확인 필요", "to review"),
    "rejected": Text("반려", "rejected"),
}
_FORMULA = re.compile(r"^[\s\x00-\x1f]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class OtherFile(FileRefused):
    """The file handed in for the export is not the one the report is about."""

    code = "other-file"
    title = Text("보고서와 다른 파일입니다", "It is not the file of this report")


def neutral(cell: object) -> object:
    """The cell so that no spreadsheet runs it: text that begins like a formula gets an apostrophe.

    Plain numbers stay as they are, signed ones too.
    """
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        return cell.isoformat()
    if cell is None or isinstance(cell, bool | int | float | date | datetime | time):
        return cell
    text = _CONTROL.sub("", str(cell))
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def export_report(
    database: Database,
    submission_id: str,
    source: Path,
    target: Path,
    *,
    language: Language = "ko",
    encoding: str | None = None,
) -> int:
    """Write the verdicts on ``source`` to ``target`` (.csv or .xlsx); returns the rows written.

    ``source`` must be the file that was taken in: raises OtherFile when it is not.
    """
    with database.reading() as session:
        submission = session.get_one(Submission, submission_id)
        report = stored_report(session, submission_id)
        header = int(submission.summary["header"])
        with source.open("rb") as handle:
            if hashlib.file_digest(handle, "sha256").digest() != submission.file_sha256:
                raise OtherFile(
                    Text(
                        f"‘{report.file_name}’ 파일이 필요합니다.",
                        f"The file '{report.file_name}' is needed.",
                    ),
                    Text("제출했던 그 파일을 지정하세요.", "Give the very file handed in."),
                )
            verdicts = session.execute(
                select(
                    SubmissionRow.row,
                    SubmissionRow.verdict,
                    SubmissionRow.record_id,
                    SubmissionRow.duplicate_of,
                    SubmissionRow.problems,
                )
                .where(SubmissionRow.submission_id == submission_id)
                .order_by(SubmissionRow.row)
                .execution_options(yield_per=5_000)
            )
            used = encoding or report.encoding
            with open_sheet(handle, encoding=used) as sheet:
                joined = _joined(sheet.rows, iter(verdicts), header, language)
                write = _write_xlsx if target.suffix.lower() == ".xlsx" else _write_csv
                return write(target, joined)


def _joined(
    rows: Iterable[tuple[int, Iterable[object]]],
    verdicts: Iterator[_Verdict],
    header: int,
    language: Language,
) -> Iterator[list[object]]:
    ko = language == "ko"
    added = (_ADDED.ko if ko else _ADDED.en).split(",")
    width = 0
    following = next(verdicts, None)
    for number, cells in rows:
        if number < header:
            continue
        line = [neutral(cell) for cell in cells]
        width = width or len(line)
        line += [None] * (width - len(line))
        if number == header:
            yield [*line, *added]
            continue
        if following is None or following[0] != number:
            yield line  # a row of totals
            continue
        _, verdict, record, same, problems = following
        said = [each["reason"][language] for each in problems]
        remedies = [each["remedy"][language] for each in problems]
        name = _VERDICTS[verdict]
        yield [
            *line,
            name.ko if ko else name.en,
            record,
            same,
            neutral(" / ".join(said)),
            neutral(" / ".join(dict.fromkeys(remedies))),
        ]
        following = next(verdicts, None)


def _write_csv(target: Path, lines: Iterator[list[object]]) -> int:
    count = -1
    # The BOM makes Excel read it as UTF-8.
    with target.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        for line in lines:
            writer.writerow(line)
            count += 1
    return count


def _write_xlsx(target: Path, lines: Iterator[list[object]]) -> int:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("verdicts")
    count = -1
    for line in lines:
        sheet.append(line)
        count += 1
    raw = io.BytesIO()
    book.save(raw)
    target.write_bytes(raw.getvalue())
    return count
