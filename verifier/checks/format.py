"""Step 1: can what was handed in be read, within the limits, in exactly one way?"""

from __future__ import annotations

from typing import Any, ClassVar

from credential import envelope
from credential.errors import BaeumError
from credential.evidence import Evidence, evidence_of, strict_json
from credential.text import Text
from verifier.case import Case
from verifier.jwt_errors import judged
from verifier.report import Finding, failed, passed
from verifier.tokens import read_token

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
        evidence, canonical = _read(body)
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
    if envelope.is_envelope(evidence.credential):
        wrong = _open(case, evidence)
        if wrong is not None:
            return wrong
    else:
        case.evidence = evidence
    return passed(
        "readable",
        Text("파일을 읽을 수 있습니다.", "The file can be read."),
        details={"bytes": len(body), "receipt": evidence.receipt is not None},
    )


def _read(body: bytes) -> tuple[Evidence, bool]:
    """What was presented, and whether its receipt, if any, is in its one spelling."""
    token = envelope.around(body)
    if token is not None:
        return token, True
    value = strict_json(body)
    evidence = evidence_of(value)
    return evidence, evidence.receipt is None or _is_canonical(value, evidence)


def _open(case: Case, evidence: Evidence) -> Finding | None:
    """Take the token out of its envelope; only what is in it is looked at from here on. Its
    disclosures must fit before anything else is asked: added ones are nobody's word."""
    text = envelope.unwrap(evidence.credential)
    if text is None or evidence.receipt is not None:
        return failed(
            "envelope-malformed",
            Text("증명을 담은 봉투의 형식이 잘못되었습니다.", "A malformed envelope."),
            remedy=_REMEDY,
        )
    try:
        case.token = read_token(text)
    except BaeumError as wrong:
        return judged(wrong, _REMEDY)
    case.evidence = Evidence(case.token.document)
    return None


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
