"""Step 9: is today within the dates the issuer wrote? (VC 2.0, section 4.9)"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from credential.text import Text
from verifier.case import Case
from verifier.instants import instant, spoken, written
from verifier.report import Finding, failed, passed


def check(case: Case) -> Finding:
    """Both ends count as inside; the start is forgiven the policy's clock skew."""
    proof: Any = case.signed_by.proof if case.signed_by is not None else {}
    try:
        starts = _optional(_named(case, "validFrom", "issuanceDate"))
        ends = _optional(_named(case, "validUntil", "expirationDate"))
        proof_ends = _optional(proof.get("expires"))
        if case.token is not None:
            starts = _latest(starts, case.token.moment("nbf"))
            ends = _earliest(ends, case.token.moment("exp"))
    except ValueError:
        return failed(
            "date-malformed",
            Text("유효 기간의 날짜 형식이 잘못되었습니다.", "A validity date is malformed."),
        )
    details = {
        name: written(moment)
        for name, moment in (("validFrom", starts), ("validUntil", ends))
        if moment is not None
    }
    if starts is not None and starts > case.now + case.policy.clock_skew:
        return failed(
            "not-yet-valid",
            Text("유효 기간이 아직 시작되지 않았습니다.", "It is not valid yet."),
            remedy=Text(
                f"{spoken(starts).ko} 이후에 다시 확인해 주십시오.",
                f"Verify again after {spoken(starts).en}.",
            ),
            details=details,
        )
    if (ends is not None and ends < case.now) or (proof_ends is not None and proof_ends < case.now):
        return failed(
            "expired",
            Text("유효 기간이 지났습니다.", "Its validity has ended."),
            remedy=Text(
                "발급 기관에 새 증명을 요청해 주십시오.", "Ask the issuer for a new credential."
            ),
            details=details,
        )
    return passed(
        "within-dates", Text("유효 기간 안입니다.", "Today is within its dates."), details=details
    )


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _named(case: Case, name: str, in_version_1: str) -> object:
    """The member by its name of VC 2.0, or of VC 1.1 (only one of them is a known word)."""
    value = case.document.get(name)
    return case.document.get(in_version_1) if value is None else value


def _optional(value: object) -> Any:
    return None if value is None else instant(value)
