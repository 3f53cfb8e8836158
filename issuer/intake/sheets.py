"""A file as a stream of rows: CSV, TSV and XLSX, with every guard a hostile file needs.

The kind is told from the content, not from the name. Rows come with the number a spreadsheet
shows beside them; rows without any content are skipped but counted. Memory does not grow with the
file, except for an XLSX's shared strings, which have their own limit.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

import openpyxl
from defusedxml.common import DefusedXmlException
from openpyxl.utils.exceptions import InvalidFileException

from credential.text import Text
from issuer.intake.encodings import examine
from issuer.intake.limits import DEFAULT, Limits
from issuer.intake.refusals import ArchiveBomb, FileTooLarge, FileUnreadable

# str, int, float, bool, datetime, date, time, timedelta or None: as the file has it
Cell: TypeAlias = object
Row: TypeAlias = tuple[int, Sequence[Cell]]

_CELL_AT_MOST = 1 << 20  # csv: beyond this a quotation mark was never closed
_XLSX_ROWS = 1_048_576


@dataclass(frozen=True, slots=True)
class Sheet:
    """``rows``: one pass over (row number, cells). ``total``: rows to expect, when known."""

    rows: Iterator[Row]
    total: int | None
    form: str  # csv | xlsx
    encoding: str | None
    unread: tuple[str, ...] = ()  # names of the other sheets of a workbook


@contextmanager
def open_sheet(
    handle: BinaryIO,
    *,
    limits: Limits = DEFAULT,
    encoding: str | None = None,
    sheet: str | None = None,
) -> Iterator[Sheet]:
    """Open a table from a seekable binary file. Raises FileUnreadable, FileTooLarge, ArchiveBomb,
    EncodingUnclear, MixedEncodings; while rows are read, FileUnreadable and FileTooLarge."""
    size = handle.seek(0, io.SEEK_END)
    handle.seek(0)
    head = handle.read(8)
    handle.seek(0)
    if size == 0:
        raise FileUnreadable(
            Text("빈 파일입니다.", "The file is empty."),
            Text("내용이 있는 파일을 제출하세요.", "Hand in a file with content."),
        )
    if size > limits.file_bytes:
        most = limits.file_bytes // 1024**2
        raise FileTooLarge(
            Text(f"파일은 {most}MB까지 받습니다.", f"A file may have {most} MB at most."),
            Text("파일을 나누어 제출하세요.", "Split the file and hand in the parts."),
        )
    if head.startswith(b"PK\x03\x04"):
        with _workbook(handle, limits, sheet) as opened:
            yield opened
    elif head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileUnreadable(
            Text(
                "암호가 걸려 있거나 옛 형식(.xls)인 엑셀 파일입니다.",
                "It is an Excel file with a password, or of the old .xls kind.",
            ),
            Text(
                "암호를 풀고 .xlsx로 다시 저장해 제출하세요.",
                "Remove the password, save it as .xlsx and hand it in again.",
            ),
        )
    else:
        text = examine(handle, encoding)
        with _text_rows(handle, text.encoding, text.lines, limits) as opened:
            yield opened


# --- text -----------------------------------------------------------------------------------------


@contextmanager
def _text_rows(handle: BinaryIO, encoding: str, lines: int, limits: Limits) -> Iterator[Sheet]:
    # A byte that does not decode becomes U+FFFD and costs its row, not the file.
    stream = io.TextIOWrapper(handle, encoding=encoding, errors="replace", newline="")
    try:
        delimiter = _delimiter(stream)
        if lines > limits.rows + 100:
            # Read to the end first: refused before anything is stored, not after ten million rows.
            for _ in _read_csv(stream, delimiter, limits):
                pass
            stream.seek(0)
        yield Sheet(_read_csv(stream, delimiter, limits), lines, "csv", encoding)
    finally:
        stream.detach()


def _delimiter(stream: io.TextIOWrapper) -> str:
    sample = stream.read(64 * 1024).splitlines()[:20]
    stream.seek(0)
    # The header is the line with the most columns; its separator is the file's.
    return max(",\t;|", key=lambda mark: max((line.count(mark) for line in sample), default=0))


def _read_csv(stream: io.TextIOWrapper, delimiter: str, limits: Limits) -> Iterator[Row]:
    csv.field_size_limit(_CELL_AT_MOST)
    number, kept = 0, 0
    try:
        for cells in csv.reader(stream, delimiter=delimiter):
            number += 1
            if not any(cells):
                continue
            kept += 1
            if kept > limits.rows + 100:  # titles, header and totals are not counted as rows
                raise _too_many_rows(limits)
            if len(cells) > limits.columns:
                raise _too_many_columns(limits)
            yield number, cells
    except csv.Error as error:
        raise FileUnreadable(
            Text(
                f"{number + 1}번째 줄부터 표로 읽을 수 없습니다. "
                "닫히지 않은 따옴표가 있는 것 같습니다.",
                f"From row {number + 1} on it does not read as a table; a quotation mark "
                "seems not to be closed.",
            ),
            Text("그 줄을 고쳐 다시 제출하세요.", "Correct that row and hand the file in again."),
            {"row": number + 1},
        ) from error


def _too_many_rows(limits: Limits) -> FileTooLarge:
    return FileTooLarge(
        Text(
            f"한 파일에는 {limits.rows:,}행까지 받습니다.",
            f"A file may have {limits.rows:,} rows at most.",
        ),
        Text("파일을 나누어 제출하세요.", "Split the file and hand in the parts."),
    )


def _too_many_columns(limits: Limits) -> FileTooLarge:
    return FileTooLarge(
        Text(
            f"한 행에는 {limits.columns:,}열까지 받습니다.",
            f"A row may have {limits.columns:,} columns at most.",
        ),
        Text("필요 없는 열을 지우고 다시 제출하세요.", "Delete the columns that are not needed."),
    )


# --- workbooks ------------------------------------------------------------------------------------


@contextmanager
def _workbook(handle: BinaryIO, limits: Limits, sheet: str | None) -> Iterator[Sheet]:
    damaged = FileUnreadable(
        Text("엑셀 파일이 손상되었습니다.", "The Excel file is damaged."),
        Text(
            "엑셀에서 열어 .xlsx로 다시 저장해 제출하세요.",
            "Open it in Excel, save it as .xlsx and hand it in again.",
        ),
    )
    try:
        _guard_archive(handle, limits)
        book = openpyxl.load_workbook(handle, read_only=True, data_only=True, keep_links=False)
    except _BROKEN as error:
        raise damaged from error
    try:
        names = [each.title for each in book.worksheets]
        if not names or (sheet is not None and sheet not in names):
            raise FileUnreadable(
                Text(
                    f"시트를 찾을 수 없습니다. 있는 시트: {names}",
                    f"No such sheet; there are {names}.",
                ),
                Text("시트 이름을 확인하세요.", "Check the name of the sheet."),
            )
        chosen = book.worksheets[0] if sheet is None else book[sheet]
        stated = int(chosen.max_row or 0)
        chosen.reset_dimensions()  # what the file says about its size is not believed

        def rows() -> Iterator[Row]:
            try:
                for number, cells in enumerate(chosen.iter_rows(values_only=True), 1):
                    if number > _XLSX_ROWS or number > limits.rows + 100:
                        raise _too_many_rows(limits)
                    if len(cells) > limits.columns and any(
                        cell is not None for cell in cells[limits.columns :]
                    ):
                        raise _too_many_columns(limits)
                    if any(cell is not None and cell != "" for cell in cells):
                        yield number, cells
            except _BROKEN as error:
                raise damaged from error

        known = stated if 0 < stated <= _XLSX_ROWS else None
        unread = tuple(name for name in names if name != chosen.title)
        yield Sheet(rows(), known, "xlsx", None, unread)
    finally:
        book.close()


# What openpyxl and the parsers below it raise on a file that is not what it says.
_BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    InvalidFileException,
    DefusedXmlException,
    zlib.error,
    SyntaxError,  # every XML parser's error is one
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    OSError,
)


def _guard_archive(handle: BinaryIO, limits: Limits) -> None:
    """Refuse by the archive's own table of contents, before a byte is unpacked.

    zipfile never unpacks more of a member than the table states, so the stated sizes bind.
    """
    with zipfile.ZipFile(handle) as archive:
        members = archive.infolist()
        plain = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if any(member.compress_type not in plain for member in members):
            raise zipfile.BadZipFile("a compression no spreadsheet program uses")
        for member in members[: limits.members]:
            if member.filename.lower().endswith((".xml", ".rels")) and not member.flag_bits & 1:
                with archive.open(member) as opened:
                    # No spreadsheet has a document type; a bomb of entities needs one.
                    if b"<!DOCTYPE" in opened.read(4096):
                        raise zipfile.BadZipFile("a document type declaration")
    handle.seek(0)
    if not any(member.filename == "xl/workbook.xml" for member in members):
        raise FileUnreadable(
            Text(
                "엑셀(.xlsx) 파일이 아닌 압축 파일입니다.", "It is an archive, but no .xlsx file."
            ),
            Text("압축을 풀고 CSV나 XLSX를 제출하세요.", "Unpack it and hand in the CSV or XLSX."),
        )
    if any(member.flag_bits & 1 for member in members):
        raise FileUnreadable(
            Text("암호가 걸린 파일입니다.", "The file has a password."),
            Text("암호를 풀어 제출하세요.", "Remove the password and hand it in again."),
        )
    total = sum(member.file_size for member in members)
    strings = sum(m.file_size for m in members if m.filename.lower().endswith("sharedstrings.xml"))
    steep = any(
        member.file_size > limits.ratio_from_bytes
        and member.file_size > limits.ratio * max(member.compress_size, 1)
        for member in members
    )
    if (
        steep
        or len(members) > limits.members
        or total > limits.unpacked_bytes
        or strings > limits.shared_strings_bytes
    ):
        raise ArchiveBomb(
            Text(
                "압축을 풀면 지나치게 커지는 파일이라 열지 않았습니다.",
                "It would unpack to far more than its size; it was not opened.",
            ),
            Text(
                "엑셀에서 새 파일로 다시 저장하거나 CSV로 저장해 제출하세요.",
                "Save it again from Excel as a new file or as CSV.",
            ),
        )
