"""One disagreement between the database and what it is compared with, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from credential.text import Text

RESTORE = Text(
    "백업과 대조하고 바뀐 행을 되돌려 주세요", "Compare with the backup and restore the row"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement and what to do about it."""

    code: str
    detail: Text
    remedy: Text
    batch_id: int | None = None
    credential_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "detail": self.detail.to_json(),
            "remedy": self.remedy.to_json(),
            "batch": self.batch_id,
            "credential": self.credential_id,
        }
