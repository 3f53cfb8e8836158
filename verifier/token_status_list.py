"""A Token Status List (draft-ietf-oauth-status-list), read and its signature checked.

Remembered by its bytes, as a Bitstring list is (``verifier.status_list``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from credential import jose, sd_jwt_vc, token_status
from credential.errors import BaeumError
from credential.jose import JwsUnsupported
from credential.text import Text
from credential.token_status import TokenStatusList
from verifier.signature import SignatureUnknown, SignatureWrong
from verifier.status_list import MAX_BITS, MIN_BITS, ListUnacceptable, ListUnreadable
from verifier.tokens import Token, check_token


@dataclass(frozen=True, slots=True)
class SignedTokenList:
    """A list whose signature verified. ``uri`` is its ``sub``, ``issuer`` the DID that signed."""

    uri: str
    issuer: str
    method: str
    entries: TokenStatusList
    issued_at: datetime
    expires_at: datetime | None
    ttl: timedelta | None


@lru_cache(maxsize=32)
def read_token_list(body: bytes) -> SignedTokenList:
    """Section 8.3. Raises ``ListUnacceptable``, or ``ListUnreadable`` when it cannot be told."""
    try:
        signed = jose.parse(body.decode("ascii").strip(), max_bytes=token_status.MAX_TEXT)
        claims = signed.claims()
    except JwsUnsupported as unknown:
        raise ListUnreadable(unknown.detail, unknown.remedy, {"reason": "unreadable"}) from unknown
    except jose.JwsRefused as wrong:
        raise _signature() from wrong
    except (BaeumError, UnicodeDecodeError) as wrong:
        raise _malformed() from wrong
    if signed.typ != token_status.TYP:
        raise _malformed()
    try:
        signer = check_token(Token(token_status.TYP, signed, claims, {"issuer": _issuer(signed)}))
    except SignatureUnknown as unknown:
        raise ListUnreadable(unknown.detail, unknown.remedy, {"reason": "unreadable"}) from unknown
    except SignatureWrong as wrong:
        raise _signature() from wrong
    if claims.get("iss", signer.did) != signer.did:
        raise _bad(
            "status-list-other-issuer",
            "상태 목록에 서명한 기관과 목록에 적힌 기관이 다릅니다.",
            "The status list was signed by another than the issuer it names.",
        )
    issued_at = _instant(claims.get("iat"))
    expires_at = _instant(claims["exp"]) if "exp" in claims else None
    ttl = claims.get("ttl")
    if ttl is not None and (type(ttl) is not int or ttl <= 0):
        raise _malformed()
    if not isinstance(claims.get("sub"), str):
        raise _malformed()
    try:
        entries = token_status.decode(claims.get("status_list"), max_bytes=MAX_BITS // 8)
    except BaeumError as wrong:
        raise _malformed() from wrong
    if len(entries) < MIN_BITS:
        raise _bad(
            "status-list-too-short",
            "상태 목록이 너무 짧아 누구를 확인하는지 드러납니다(131,072자리 이상).",
            "The status list is so short that it shows who is being checked (131,072 at least).",
        )
    return SignedTokenList(
        uri=claims["sub"],
        issuer=signer.did,
        method=signer.verification_method,
        entries=entries,
        issued_at=issued_at,
        expires_at=expires_at,
        ttl=None if ttl is None else timedelta(seconds=min(ttl, 10**9)),
    )


def _issuer(signed: jose.Jws) -> str | None:
    named = signed.claims().get("iss")
    return named if isinstance(named, str) else None


def _instant(value: object) -> datetime:
    seconds = sd_jwt_vc.numeric_date(value)
    if seconds is None:
        raise _malformed()
    return datetime.fromtimestamp(seconds, UTC)


def _signature() -> ListUnacceptable:
    return _bad(
        "status-list-signature-wrong",
        "상태 목록의 서명이 없거나 맞지 않습니다.",
        "The status list is not signed, or its signature does not hold.",
    )


def _malformed() -> ListUnacceptable:
    return _bad(
        "status-list-malformed",
        "상태 목록의 형식이 잘못되었습니다.",
        "The status list is malformed.",
    )


def _bad(reason: str, ko: str, en: str) -> ListUnacceptable:
    return ListUnacceptable(Text(ko, en), None, {"reason": reason})
