"""What a run of issuing did, and the records it left out, counted by reason with examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from credential.text import Text
from issuer.issuers import Reason
from issuer.lint import Finding

EXAMPLES = 20
"""Records named for each reason; the rest are counted."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Records that got no credential for one reason. ``examples`` are record ids."""

    reason: Reason
    institution: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IssueReport:
    """What a run did. ``considered`` = ``issued`` + ``already`` + the counts of ``left_out``.

    ``already`` were issued by another run at the same time.
    """

    considered: int
    issued: int
    already: int
    left_out: tuple[LeftOut, ...]
    batches: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "considered": self.considered,
            "issued": self.issued,
            "already": self.already,
            "leftOut": [
                {
                    "code": entry.reason.code,
                    "institution": entry.institution,
                    "count": entry.count,
                    "reason": entry.reason.text.to_json(),
                    "remedy": entry.reason.remedy.to_json(),
                    "records": list(entry.examples),
                }
                for entry in self.left_out
            ],
            "batches": list(self.batches),
        }


@dataclass(slots=True)
class _Tally:
    reason: Reason
    count: int = 0
    examples: list[str] = field(default_factory=list)


class Leftovers:
    """Collects what is left out, in memory that does not grow with the number of records."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], _Tally] = {}

    def add(self, institution: str, reason: Reason, record_id: str) -> None:
        self.add_many(institution, reason, 1, [record_id])

    def add_many(
        self, institution: str, reason: Reason, count: int, examples: Sequence[str]
    ) -> None:
        tally = self._tallies.setdefault((institution, reason.code), _Tally(reason))
        tally.count += count
        tally.examples.extend(examples[: EXAMPLES - len(tally.examples)])

    def entries(self) -> tuple[LeftOut, ...]:
        """By institution, then by reason."""
        return tuple(
            LeftOut(tally.reason, institution, tally.count, tuple(tally.examples))
            for (institution, _), tally in sorted(self._tallies.items())
        )


def reason_of(finding: Finding) -> Reason:
    """What a rule found, as the reason a record is left out."""
    where = f"{finding.where}: " if finding.where else ""
    return Reason(
        f"lint-{finding.rule}" if finding.clause else finding.rule,
        Text(where + finding.reason.ko, where + finding.reason.en),
        finding.remedy,
    )
