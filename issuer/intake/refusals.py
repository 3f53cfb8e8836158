"""Why a whole file is refused, each with the one thing to do next. Nothing of it is then stored.

A row that is wrong never ends up here: it gets its own verdict (see ``verdicts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from credential.errors import BaeumError
from credential.text import Text


class FileRefused(BaeumError):
    """Root of the refusals."""

    code: ClassVar[str] = "file-refused"
    title: ClassVar[Text] = Text("파일을 받을 수 없습니다", "The file cannot be taken in")
    status: ClassVar[int] = 422


class FileUnreadable(FileRefused):
    """Empty, damaged, protected, or no table at all."""

    code = "file-unreadable"
    title = Text("파일을 읽을 수 없습니다", "The file cannot be read")


class FileTooLarge(FileRefused):
    """Over one of the limits: bytes, rows, columns or the length of a cell."""

    code = "file-too-large"
    title = Text("파일이 너무 큽니다", "The file is too large")
    status = 413


class ArchiveBomb(FileTooLarge):
    """An XLSX that would unpack to far more than it is."""

    code = "archive-bomb"
    title = Text("압축이 비정상적인 파일입니다", "The file unpacks abnormally")


class EncodingUnclear(FileRefused):
    """The bytes could be read in more than one way, or in none: a person has to say."""

    code = "encoding-unclear"
    title = Text("글자 인코딩을 알 수 없습니다", "The text encoding is unclear")


class MixedEncodings(EncodingUnclear):
    """Some lines are UTF-8 and others CP949."""

    code = "mixed-encodings"
    title = Text("글자 인코딩이 섞여 있습니다", "Two text encodings are mixed")


class ColumnMissing(FileRefused):
    """A column that the mapping needs is not in the header row."""

    code = "column-missing"
    title = Text("필요한 열이 없습니다", "A needed column is missing")


class ColumnTwice(FileRefused):
    """Two columns have the same heading."""

    code = "column-twice"
    title = Text("같은 이름의 열이 둘 있습니다", "Two columns have the same heading")


class MappingUnknown(FileRefused):
    """No ready mapping fits, or several do, or none has this name."""

    code = "mapping-unknown"
    title = Text("파일 형식을 알아볼 수 없습니다", "The kind of file is not recognised")


class MappingInvalid(FileRefused):
    """The mapping itself is wrong."""

    code = "mapping-invalid"
    title = Text("매핑이 올바르지 않습니다", "The mapping is not valid")


class ResidentNumberFound(FileRefused):
    """A column holds, or says it holds, resident registration numbers. Its content is not kept."""

    code = "resident-number"
    title = Text("주민등록번호가 들어 있습니다", "The file contains resident registration numbers")

    @classmethod
    def column(cls, number: int) -> ResidentNumberFound:
        """``number``: the column, counted from 1; its heading is not repeated either."""
        return cls(
            Text(
                f"{number}번째 열이 주민등록번호(또는 외국인등록번호)로 보입니다. "
                "이 번호는 어디에도 받지 않으며, 읽은 내용은 남기지 않았습니다.",
                f"Column {number} looks like resident (or alien) registration numbers. They are "
                "accepted nowhere, and nothing of what was read was kept.",
            ),
            Text(
                "그 열을 지운 뒤 다시 제출하세요. 학습자는 회원번호로 찾습니다.",
                "Delete that column and hand the file in again. Learners are found by their "
                "member number.",
            ),
            {"column": number},
        )


class SubmissionBusy(FileRefused):
    """Somebody else is taking in the same file right now."""

    code = "submission-busy"
    title = Text("같은 파일을 처리하는 중입니다", "The same file is being taken in")
    status = 409


class NotAllowed(FileRefused):
    """The institution may not hand in this kind of file."""

    code = "not-allowed"
    title = Text("이 기관이 제출할 수 없는 파일입니다", "The institution may not hand this in")
    status = 403


def listed(words: Sequence[str], most: int = 12) -> str:
    """A short list for a message."""
    shown = ", ".join(words[:most])
    return f"{shown}, …" if len(words) > most else shown
