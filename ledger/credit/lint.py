"""placeholder"""

from __future__ import annotations

from dataclasses import dataclass

from credential.text import Text
from ledger.credit.policy import Policy


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    line: int
    level: str
    text: Text


def lint(policy: Policy) -> list[Finding]:
    del policy
    return []
