"""Step 1: can what was handed in be read, within the limits, in exactly one way?"""

from __future__ import annotations

from typing import Any, ClassVar

from credential.errors import BaeumError
from credential.evidence import Evidence, evidence_of, strict_json
from credential.text import Text
from verifier.case import Case
from verifier.report import Finding, failed, passed

_REMEDY = Text(
    "증명을 준 사람에게 원본 파일을 다시 요청해 주십시오.",
    "Ask the person who gave you the credential for the original file.",
)


class NotJson(BaeumError):
    """An evidence object built in memory that no file could hold."""

    code: ClassVar[str] = "evidence-unreadable"


def check(case: Case) -> Finding:
    """Size, depth and duplicate members are refused by ``strict_json`` before all else.

    An evidence object made elsewhere is written out and read again, so that it meets the same
    limits. A receipt has one spelling (an address in capitals would be the same address in a
    different file), so that two different files are never the same evidence.
    """
    try:
        body = case.presented if isinstance(case.presented, bytes) else written_out(case.presented)
        value = strict_json(body)
        evidence = evidence_of(value)
        canonical = evidence.receipt is None or _is_canonical(value, evidence)
    except BaeumError as unreadable:
        return failed(unreadable.code, unreadable.detail, remedy=unreadable.remedy or _REMEDY)
    if not canonical:
        return failed(
            "receipt-not-canonical",
            Text(
                "영수증이 정해진 표기와 다르게 적혀 있습니다.",
                "The receipt is not written in its one canonical way.",
            ),
            remedy=_REMEDY,
        )
    case.evidence = evidence
    return passed(
        "readable",
        Text("파일을 읽을 수 있습니다.", "The file can be read."),
        details={"bytes": len(body), "receipt": evidence.receipt is not None},
    )


def _is_canonical(value: dict[str, Any], evidence: Evidence) -> bool:
    wrapper = evidence.to_json()
    return (
        type(value["version"]) is int
        and value["receipt"] == wrapper["receipt"]
        and value.keys() == wrapper.keys()
    )


def written_out(evidence: Evidence) -> bytes:
    """The evidence as JSON bytes. Raises ``BaeumError`` when no file could hold it."""
    try:
        return evidence.to_bytes()
    except (TypeError, ValueError, RecursionError) as wrong:
        raise NotJson(
            Text("JSON으로 쓸 수 없는 값이 들어 있습니다.", "It holds a value JSON cannot write.")
        ) from wrong
