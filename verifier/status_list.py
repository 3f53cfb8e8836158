"""A status list (W3C Bitstring Status List v1.0, section 3.2), read and its signature checked.

Reading one costs milliseconds and a list serves many credentials, so lists that verified are
remembered by their bytes: the memory cannot be wrong, only full.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar

from credential import status
from credential.errors import BaeumError
from credential.evidence import strict_json
from credential.text import Text
from verifier.instants import instant
from verifier.kinds import as_list
from verifier.signature import SignatureUnknown, SignatureWrong, check_signature, issuer_of
from verifier.tokens import Token, check_token, read_token

MIN_BITS = 131_072
"""Section 2.2: a shorter list would single people out."""
MAX_BITS = 2**24


class ListUnacceptable(BaeumError):
    """A list that must not be relied on; ``facts["reason"]`` says why."""

    code: ClassVar[str] = "status-list-unacceptable"
    title: ClassVar[Text] = Text(
        "상태 목록을 인정할 수 없습니다", "The status list cannot be accepted"
    )


class ListUnreadable(ListUnacceptable):
    """A list this verifier cannot judge (unknown suite or DID method)."""

    code: ClassVar[str] = "status-list-unreadable"


@dataclass(frozen=True, slots=True)
class StatusList:
    """A list whose signature verified. ``bits`` is the decoded bitstring."""

    id: str | None
    issuer: str
    method: str
    purposes: frozenset[str]
    bits: bytes
    valid_from: datetime | None
    valid_until: datetime | None


@lru_cache(maxsize=32)
def read_list(body: bytes) -> StatusList:
    """Raises ``ListUnacceptable``, or ``ListUnreadable`` when it cannot be told."""
    token = _token(body)
    document = _document(body) if token is None else token.document
    try:
        signer = check_signature(document) if token is None else check_token(token)
    except SignatureUnknown as unknown:
        raise ListUnreadable(unknown.detail, unknown.remedy, {"reason": "unreadable"}) from unknown
    except SignatureWrong as wrong:
        raise _bad(
            "status-list-signature-wrong",
            "상태 목록의 서명이 없거나 맞지 않습니다.",
            "The status list is not signed, or its signature does not hold.",
        ) from wrong
    issuer = issuer_of(document)
    if issuer is None or issuer != signer.did:
        raise _bad(
            "status-list-other-issuer",
            "상태 목록에 서명한 기관과 목록에 적힌 기관이 다릅니다.",
            "The status list was signed by another than the issuer it names.",
        )
    subject = document.get("credentialSubject")
    if (
        not isinstance(subject, Mapping)
        or subject.get("type") != "BitstringStatusList"
        or "BitstringStatusListCredential" not in as_list(document.get("type"))
    ):
        raise _malformed()
    purposes = as_list(subject.get("statusPurpose"))
    if not purposes or not all(isinstance(purpose, str) for purpose in purposes):
        raise _malformed()
    identifier = document.get("id")
    return StatusList(
        id=identifier if isinstance(identifier, str) else None,
        issuer=issuer,
        method=signer.verification_method,
        purposes=frozenset(purposes),
        bits=_bits(subject.get("encodedList")),
        valid_from=_instant(document.get("validFrom")),
        valid_until=_instant(document.get("validUntil")),
    )


def _token(body: bytes) -> Token | None:
    """A list secured as ``vc+jwt`` (VC-JOSE-COSE), which the standard allows as well."""
    if not body.lstrip().startswith(b"eyJ"):
        return None
    try:
        token = read_token(body.decode("ascii").strip())
    except (BaeumError, UnicodeDecodeError) as wrong:
        raise _malformed() from wrong
    if list(token.problems()):
        raise _malformed()
    return token


def _document(body: bytes) -> Mapping[str, Any]:
    """Limits and depth are checked before parsing: Python's own parser recurses on the C stack."""
    try:
        document = strict_json(body)
    except BaeumError as wrong:
        raise _malformed() from wrong
    if not isinstance(document, dict):
        raise _malformed()
    return document


def _bits(encoded: object) -> bytes:
    if not isinstance(encoded, str):
        raise _malformed()
    try:
        bits = status.decode(encoded, min_bits=0, max_bits=MAX_BITS)
    except BaeumError as wrong:
        raise _malformed() from wrong
    if len(bits) * 8 < MIN_BITS:
        raise _bad(
            "status-list-too-short",
            "상태 목록이 표준이 정한 길이(131,072)보다 짧습니다.",
            "The status list is shorter than the standard allows (131,072).",
        )
    return bits


def _instant(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        return instant(value)
    except ValueError as wrong:
        raise _malformed() from wrong


def _malformed() -> ListUnacceptable:
    return _bad(
        "status-list-malformed",
        "상태 목록의 형식이 잘못되었습니다.",
        "The status list is malformed.",
    )


def _bad(reason: str, ko: str, en: str) -> ListUnacceptable:
    return ListUnacceptable(Text(ko, en), None, {"reason": reason})
