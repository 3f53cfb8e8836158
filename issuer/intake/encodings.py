"""Which encoding a text file is in: certain, or a question. Never a guess.

Korean offices send UTF-8 (with or without BOM) and CP949. Both can be told apart line by line:
Hangul in UTF-8 is three bytes of a strict pattern that CP949 text almost never forms. What is left
over (a few bytes that are valid both ways, another country's encoding) is refused with a question.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import BinaryIO

from credential.text import Text
from issuer.intake.refusals import EncodingUnclear, FileTooLarge, FileUnreadable, MixedEncodings

KNOWN = {
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "utf-8-sig": "utf-8-sig",
    "cp949": "cp949",
    "euc-kr": "cp949",
    "ms949": "cp949",
    "utf-16": "utf-16",
}
_LONGEST_LINE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TextFile:
    """``encoding`` as Python names it; ``lines`` counts line feeds."""

    encoding: str
    lines: int


@dataclass(slots=True)
class _Tally:
    utf8: int = 0  # lines that are UTF-8 and hold a character beyond U+07FF
    cp949: int = 0  # lines that are CP949 and not UTF-8, and their characters:
    wide: int = 0
    hangul: int = 0
    hanja: int = 0
    both: int = 0
    neither: int = 0
    first_utf8: int = 0
    first_cp949: int = 0
    first_neither: int = 0


def examine(handle: BinaryIO, asked: str | None = None) -> TextFile:
    """Read the whole file once; the handle is left at its start.

    ``asked``: what a person answered; then nothing is detected. Raises EncodingUnclear,
    MixedEncodings, FileUnreadable.
    """
    handle.seek(0)
    head = handle.read(4)
    handle.seek(0)
    if asked is not None:
        known = KNOWN.get(asked.lower().replace("_", "-"))
        if known is None:
            raise EncodingUnclear(
                Text("지원하지 않는 인코딩입니다.", "That encoding is not supported."),
                Text("utf-8 또는 cp949로 지정하세요.", "Say utf-8 or cp949."),
            )
        found = known
    elif head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        found = "utf-16"
    else:
        found = ""
    tally, lines, before = _Tally(), 0, b""
    while block := handle.read(1 << 20):
        lines += block.count(b"\n")
        if found:
            continue
        if b"\0" in block and lines < 2:
            raise FileUnreadable(
                Text("글자 파일이 아니라 이진 파일로 보입니다.", "It looks binary, not like text."),
                Text("CSV 또는 XLSX 파일을 제출하세요.", "Hand in a CSV or XLSX file."),
            )
        before = _count(before + block, tally, lines)
        if len(before) > _LONGEST_LINE:
            raise FileTooLarge(
                Text("한 줄이 너무 길어 표로 읽을 수 없습니다.", "A line is too long for a table."),
                Text("줄 바꿈과 열의 수를 확인하세요.", "Check its line breaks and columns."),
            )
    handle.seek(0)
    if found:
        return TextFile(found, lines)
    if before:
        _classify(before, tally, lines + 1)
    return TextFile(_decide(tally, head), lines + bool(before))


def _count(block: bytes, tally: _Tally, lines_read: int) -> bytes:
    """Classify the complete lines of ``block``; returns the piece after the last line feed."""
    body, feed, rest = block.rpartition(b"\n")
    if not feed:
        return rest
    if not body.isascii():
        number = lines_read - body.count(b"\n")
        for offset, line in enumerate(body.split(b"\n")):
            if not line.isascii():
                _classify(line, tally, number + offset)
    return rest


def _classify(line: bytes, tally: _Tally, number: int) -> None:
    if line.isascii():
        return
    try:
        as_utf8: str | None = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        as_utf8 = None
    if as_utf8 is not None and any(c > "\u07ff" for c in as_utf8):
        tally.utf8 += 1
        tally.first_utf8 = tally.first_utf8 or number
        return
    try:
        as_cp949: str | None = line.decode("cp949")
    except UnicodeDecodeError:
        as_cp949 = None
    if as_utf8 is not None:
        tally.both += as_cp949 is not None
        tally.utf8 += as_cp949 is None
    elif as_cp949 is None:
        tally.neither += 1
        tally.first_neither = tally.first_neither or number
    else:
        tally.cp949 += 1
        tally.first_cp949 = tally.first_cp949 or number
        for c in as_cp949:
            tally.wide += c > "\x7f"
            tally.hangul += "가" <= c <= "힣"
            tally.hanja += "\u4e00" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff"


def _decide(tally: _Tally, head: bytes) -> str:
    question = Text(
        "이 파일의 인코딩을 알려 주세요(UTF-8 또는 CP949). "
        "엑셀에서 ‘CSV UTF-8’로 다시 저장하면 확실합니다.",
        "Say which encoding it is in (UTF-8 or CP949). Saving it again as 'CSV UTF-8' makes sure.",
    )
    # Korean prose is nearly all Hangul; Chinese read as CP949 is two fifths hanja, Japanese kana.
    korean = tally.hangul * 4 >= tally.wide * 3 and tally.hanja * 10 <= tally.wide
    if tally.utf8 and tally.cp949 and korean:
        line = max(tally.first_utf8, tally.first_cp949)
        raise MixedEncodings(
            Text(
                f"UTF-8과 CP949가 한 파일에 섞여 있습니다({line}번째 줄부터 달라집니다).",
                f"UTF-8 and CP949 are mixed in one file (it changes at line {line}).",
            ),
            Text(
                "두 파일을 이어 붙였다면 따로 제출하거나, 한 인코딩으로 다시 저장하세요.",
                "If two files were joined, hand them in separately, or save it in one encoding.",
            ),
            {"line": line},
        )
    if tally.neither or (tally.cp949 and (tally.utf8 or not korean)):
        line = tally.first_neither
        where = Text(f" ({line}번째 줄)", f" (line {line})") if line else Text("", "")
        raise EncodingUnclear(
            Text(
                f"UTF-8로도 CP949로도 읽을 수 없는 글자가 있습니다{where.ko}.",
                f"Some characters read neither as UTF-8 nor as CP949{where.en}.",
            ),
            question,
            {"line": line} if line else None,
        )
    if tally.utf8 or head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if tally.cp949:
        return "cp949"
    if tally.both:
        raise EncodingUnclear(
            Text(
                "글자 몇 개가 UTF-8로도 CP949로도 읽혀 어느 쪽인지 정할 수 없습니다.",
                "The few special characters read both as UTF-8 and as CP949.",
            ),
            question,
        )
    return "utf-8-sig"
