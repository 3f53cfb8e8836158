"""What a verification says: nine checks, each with an outcome and a reason, and one verdict.

The verdict is computed here, from the checks and from nothing else, so that no check can be
carried out and then forgotten: a required check that is missing counts as not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from credential.text import Text

CHECK_IDS = (
    "format",
    "schema",
    "proof",
    "issuer-key",
    "merkle-path",
    "anchor",
    "accreditation",
    "status",
    "validity",
)
"""The checks in their order; the step number of a check is its place here, from 1."""

HOLDER = "holder"
"""The tenth, for what is presented by the holder of a key; absent from other reports."""


class Outcome(StrEnum):
    """What came of one check. ``NOT_RUN`` means: could not be told, never: was not needed."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    NOT_RUN = "not_run"


class Verdict(StrEnum):
    """The answer as a whole (exit codes 0, 1 and 2 of the command)."""

    VALID = "valid"
    INVALID = "invalid"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader should know about a check that does not change its outcome."""

    code: str
    reason: Text

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "reason": self.reason.to_json()}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check function returns; the numbered list in ``verify`` turns it into a Check."""

    outcome: Outcome
    code: str
    reason: Text
    remedy: Text | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered step of a report."""

    id: str
    step: int
    outcome: Outcome
    required: bool
    code: str
    reason: Text
    remedy: Text | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": self.id,
            "step": self.step,
            "outcome": self.outcome.value,
            "required": self.required,
            "code": self.code,
            "reason": self.reason.to_json(),
        }
        if self.remedy is not None:
            body["remedy"] = self.remedy.to_json()
        if self.details:
            body["details"] = dict(self.details)
        if self.notes:
            body["notes"] = [note.to_json() for note in self.notes]
        return body


def passed(
    code: str, reason: Text, *, details: Mapping[str, Any] | None = None, notes: Iterable[Note] = ()
) -> Finding:
    return Finding(Outcome.PASSED, code, reason, None, details or {}, tuple(notes))


def failed(
    code: str, reason: Text, *, remedy: Text | None = None, details: Mapping[str, Any] | None = None
) -> Finding:
    return Finding(Outcome.FAILED, code, reason, remedy, details or {})


def warning(
    code: str, reason: Text, *, remedy: Text | None = None, details: Mapping[str, Any] | None = None
) -> Finding:
    return Finding(Outcome.WARNING, code, reason, remedy, details or {})


def not_run(
    code: str, reason: Text, *, remedy: Text | None = None, details: Mapping[str, Any] | None = None
) -> Finding:
    return Finding(Outcome.NOT_RUN, code, reason, remedy, details or {})


def verdict_of(checks: Sequence[Check], required: Iterable[str]) -> Verdict:
    """The verdict: a required check that failed makes it ``invalid``; otherwise a required check
    that is anything but passed, or missing altogether, makes it ``undetermined``."""
    outcomes = {check.id: check.outcome for check in checks}
    wanted = [outcomes.get(check_id, Outcome.NOT_RUN) for check_id in required]
    if any(outcome is Outcome.FAILED for outcome in wanted):
        return Verdict.INVALID
    if all(outcome is Outcome.PASSED for outcome in wanted):
        return Verdict.VALID
    return Verdict.UNDETERMINED


_VALID = Text("이 증명은 유효합니다.", "This credential is valid.")
_INVALID = Text("이 증명은 인정할 수 없습니다: ", "This credential cannot be accepted: ")
_UNDETERMINED = Text(
    "이 증명이 유효한지 아직 판단할 수 없습니다: ",
    "Whether this credential is valid cannot be told yet: ",
)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole result. ``facts`` hold only what a checked signature covers (empty otherwise)."""

    verdict: Verdict
    checks: tuple[Check, ...]
    facts: Mapping[str, Any]
    checked_at: datetime

    @classmethod
    def of(
        cls,
        checks: Sequence[Check],
        *,
        required: Iterable[str],
        facts: Mapping[str, Any],
        checked_at: datetime,
    ) -> Report:
        return cls(verdict_of(checks, required), tuple(checks), dict(facts), checked_at)

    def with_check(self, check: Check) -> Report:
        """The report with a further check, made by somebody else, and the verdict anew."""
        checks = (*self.checks, check)
        required = [c.id for c in checks if c.required]
        return Report(verdict_of(checks, required), checks, self.facts, self.checked_at)

    def check(self, check_id: str) -> Check:
        """The check with this id; ``KeyError`` when there is none."""
        for check in self.checks:
            if check.id == check_id:
                return check
        raise KeyError(check_id)

    @property
    def decisive(self) -> Check | None:
        """The first check the verdict hangs on; None when the verdict is ``valid``."""
        if self.verdict is Verdict.VALID:
            return None
        looked_for = (
            (Outcome.FAILED,)
            if self.verdict is Verdict.INVALID
            else (Outcome.NOT_RUN, Outcome.WARNING)
        )
        for check in self.checks:
            if check.required and check.outcome in looked_for:
                return check
        return None

    @property
    def summary(self) -> Text:
        """One sentence for the top of the page: the verdict and the reason it hangs on."""
        decisive = self.decisive
        if decisive is None:
            return _VALID if self.verdict is Verdict.VALID else _UNDETERMINED
        lead = _INVALID if self.verdict is Verdict.INVALID else _UNDETERMINED
        return Text(lead.ko + decisive.reason.ko, lead.en + decisive.reason.en)

    def to_json(self) -> dict[str, Any]:
        """Stable plain data: members are only ever added, codes never change their meaning."""
        return {
            "verdict": self.verdict.value,
            "summary": self.summary.to_json(),
            "checkedAt": self.checked_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "facts": dict(self.facts),
            "checks": [check.to_json() for check in self.checks],
        }
