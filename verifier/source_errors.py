"""Why something could not be fetched. The three are kept apart, because only one of them says
anything about what was looked for."""

from __future__ import annotations

from typing import ClassVar

from credential.errors import BaeumError
from credential.text import Text


class SourceError(BaeumError):
    """Something could not be fetched."""

    code: ClassVar[str] = "source-unreachable"
    title: ClassVar[Text] = Text("자료를 가져오지 못했습니다", "Could not be fetched")
    status: ClassVar[int] = 502


class SourceUnreachable(SourceError):
    """Nobody answers, or not in time. Says nothing about the credential."""


class SourceRefused(SourceError):
    """The guard will not go there, or will not take what is there."""

    code: ClassVar[str] = "source-refused"


class SourceAbsent(SourceError):
    """The place answers and says that there is no such thing (404, 410, no file)."""

    code: ClassVar[str] = "source-absent"
    status: ClassVar[int] = 404
