"""Who acts: an account's name, and what could be a conflict of interest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger.awards.errors import input_wrong

_NAME = re.compile(r"[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,62}[^\s\x00-\x1f\x7f]|[^\s\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person at the office. ``id`` is the account's name, never a learner's name;
    ``institution`` whom they work for, ``learner_id`` who they are as a learner, if known."""

    id: str
    institution: str | None = None
    learner_id: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.id):
            raise input_wrong(
                "담당자 이름은 1자에서 64자 사이여야 합니다.",
                "The name of who acts has 1 to 64 characters.",
                "actor",
            )
