"""Compact JWS (RFC 7515) as this program signs and believes them: a closed door.

Algorithms are an allow-list, each tied to one kind of key, so neither ``none`` nor an algorithm of
another family gets anywhere. Header members are an allow-list too: a header that brings its own
key, or says where to fetch one, is refused, and so is any ``crit``. Signing takes a callable,
because the key lives where it cannot be taken out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Final

import orjson

from credential import multibase, multikey
from credential.errors import BaeumError
from credential.evidence import MAX_BYTES, EvidenceUnreadable, strict_json
from credential.multikey import PublicKey
from credential.text import Text

ES256: Final = "ES256"
ES384: Final = "ES384"
EDDSA: Final = "EdDSA"

KEY_OF_ALGORITHM: Final[Mapping[str, str]] = {
    ES256: multikey.P256,
    ES384: multikey.P384,
    EDDSA: multikey.ED25519,
    "Ed25519": multikey.ED25519,  # its fully specified name, RFC 9864
}
ALGORITHM_OF_KEY: Final[Mapping[str, str]] = {
    multikey.ED25519: EDDSA,
    multikey.P256: ES256,
    multikey.P384: ES384,
}
MAX_HEADER: Final = 8_192
MAX_TOKEN: Final = 24 * 1024 * 1024
"""The longest is a status list; ``parse`` is told a smaller limit for all others."""

_KNOWN = {"alg", "typ", "kid", "cty", "iss"}
_INJECTED = {"jku", "jwk", "x5u"}
_CERTIFICATES = {"x5c", "x5t", "x5t#S256"}
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")

Sign = Callable[[bytes], bytes]
"""The raw signature: 64 bytes for Ed25519, r ‖ s for ECDSA (RFC 7518 section 3.4)."""


class JwsInvalid(BaeumError):
    """The token does not hold; ``facts["reason"]`` says why. Subclasses tell what kind of no."""

    code: ClassVar[str] = "token-invalid"
    title: ClassVar[Text] = Text("토큰이 올바르지 않습니다", "The token is not valid")
    status: ClassVar[int] = 422

    def __init__(self, ko: str, en: str, reason: str) -> None:
        super().__init__(
            Text(ko, en),
            Text(
                "토큰을 발급한 기관에서 다시 받으십시오.",
                "Get the token again from the institution that issued it.",
            ),
            {"reason": reason},
        )


class JwsMalformed(JwsInvalid):
    """Not a compact JWS in the one form it may have."""

    code: ClassVar[str] = "token-malformed"


class JwsRefused(JwsInvalid):
    """The header asks for what is never done: no signature, a key of its own, ``crit``."""

    code: ClassVar[str] = "token-refused"


class JwsUnsupported(JwsInvalid):
    """An algorithm, or a way to name the key, that this program does not check."""

    code: ClassVar[str] = "token-unsupported"


class JwsMismatch(JwsInvalid):
    """The signature is not this key's over this token."""

    code: ClassVar[str] = "signature-mismatch"


@dataclass(frozen=True, slots=True)
class Jws:
    """A compact JWS taken apart, nothing of it checked: ``payload`` is bytes nobody may have
    signed."""

    text: str
    header: Mapping[str, Any]
    payload: bytes

    @property
    def algorithm(self) -> str:
        return str(self.header["alg"])

    @property
    def typ(self) -> str | None:
        typ = self.header.get("typ")
        return typ if isinstance(typ, str) else None

    @property
    def kid(self) -> str | None:
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else None

    def claims(self) -> dict[str, Any]:
        """The payload as a JSON object. Raises ``JwsMalformed``."""
        return _object(self.payload, "payload")


def looks_compact(text: str) -> bool:
    """Whether a text has the form of a compact JWS."""
    return _COMPACT.fullmatch(text) is not None


def parse(text: str, *, max_bytes: int = MAX_BYTES) -> Jws:
    """Take a compact JWS apart and judge its header.

    Raises ``JwsMalformed``, ``JwsRefused`` (``alg: none``, ``jwk``/``jku``/``x5u``, ``crit``) and
    ``JwsUnsupported`` (another algorithm, certificates, an unknown header member).
    """
    if len(text) > max_bytes or not looks_compact(text):
        raise JwsMalformed("서명된 토큰(JWS)이 아닙니다.", "Not a compact JWS.", "not-a-jws")
    head, body, _ = text.split(".")
    if len(head) > MAX_HEADER:
        raise JwsMalformed("헤더가 너무 큽니다.", "The header is too large.", "header-too-large")
    try:
        header = _object(multibase.from_base64url(head), "header")
        payload = multibase.from_base64url(body)
    except multibase.NotMultibase as error:
        raise JwsMalformed(error.detail.ko, error.detail.en, "base64url") from error
    _judge(header)
    return Jws(text, header, payload)


def verify(token: Jws, key: PublicKey) -> None:
    """Returns only when the signature is ``key``'s. Raises ``JwsMismatch``, ``JwsUnsupported``."""
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey

    if KEY_OF_ALGORITHM[token.algorithm] != key.kind:
        raise JwsRefused(
            f"서명 방식({token.algorithm})과 키의 종류가 다릅니다.",
            f"The algorithm ({token.algorithm}) is not one for this kind of key.",
            "algorithm-confusion",
        )
    jwk: dict[str, str | list[str]] = dict(multikey.to_jwk(key))
    try:
        public: ECKey | OKPKey = (
            OKPKey.import_key(jwk) if jwk["kty"] == "OKP" else ECKey.import_key(jwk)
        )
        jws.deserialize_compact(token.text, public, registry=_registry(token.algorithm))
    except (JoseError, ValueError) as error:
        raise JwsMismatch(
            "서명이 내용과 맞지 않습니다. 내용이 바뀌었거나 다른 키로 서명되었습니다.",
            "The signature does not match the content: it was changed, or signed by another key.",
            "signature-mismatch",
        ) from error


@cache
def _registry(algorithm: str) -> Any:
    """One algorithm and no other; the header was judged before."""
    from joserfc.jws import JWSRegistry

    class OneAlgorithm(JWSRegistry):
        max_header_length = MAX_HEADER
        max_payload_length = MAX_TOKEN

        def get_alg(self, name: str) -> Any:
            # joserfc's own would warn that EdDSA has a newer name
            if name != algorithm:
                raise ValueError(name)
            return self.algorithms[name]

    return OneAlgorithm(algorithms=[algorithm], strict_check_header=False)


def sign(
    payload: Mapping[str, Any] | bytes,
    *,
    algorithm: str,
    typ: str,
    sign: Sign,
    kid: str | None = None,
    **header: Any,
) -> str:
    """A compact JWS. ``typ`` without ``application/``; ``kid`` a DID URL where there is one."""
    if algorithm not in KEY_OF_ALGORITHM:
        raise ValueError(f"not an algorithm we sign with: {algorithm}")
    members = {"alg": algorithm, "typ": typ} | ({} if kid is None else {"kid": kid}) | header
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    signed = f"{multibase.base64url(orjson.dumps(members))}.{multibase.base64url(body)}"
    return f"{signed}.{multibase.base64url(sign(signed.encode('ascii')))}"


def _judge(header: Mapping[str, Any]) -> None:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise JwsMalformed("alg가 없습니다.", "The header has no alg.", "alg-absent")
    if algorithm.lower() == "none":
        raise JwsRefused("서명이 없는 토큰입니다.", "A token without a signature.", "alg-none")
    injected = sorted(_INJECTED & header.keys())
    if injected:
        raise JwsRefused(
            f"스스로 키를 가져오는 토큰은 받아들이지 않습니다({', '.join(injected)}).",
            f"A token that brings or names its own key is not accepted ({', '.join(injected)}).",
            "key-injected",
        )
    if "crit" in header:
        raise JwsRefused(
            "이 프로그램이 모르는 필수 확장(crit)이 있습니다.",
            "It demands an extension this program does not know (crit).",
            "crit-unknown",
        )
    if algorithm not in KEY_OF_ALGORITHM:
        raise JwsUnsupported(
            f"지원하지 않는 서명 방식입니다: {algorithm[:40]}",
            f"An algorithm this program does not check: {algorithm[:40]}",
            "algorithm-unsupported",
        )
    if _CERTIFICATES & header.keys():
        raise JwsUnsupported(
            "인증서로 서명자를 밝히는 토큰은 확인하지 않습니다.",
            "A token whose signer is named by certificates is not checked here.",
            "certificates-unsupported",
        )
    unknown = sorted(header.keys() - _KNOWN)
    if unknown:
        raise JwsUnsupported(
            f"모르는 헤더 항목입니다: {unknown[0][:40]}",
            f"A header member this program does not know: {unknown[0][:40]}",
            "header-unknown",
        )
    for name in ("typ", "kid", "cty"):
        if name in header and not isinstance(header[name], str):
            raise JwsMalformed(f"{name}가 글자가 아닙니다.", f"{name} is not text.", "header")


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        value = strict_json(data)
    except EvidenceUnreadable as error:
        raise JwsMalformed(error.detail.ko, error.detail.en, f"{what}-json") from error
    if not isinstance(value, dict):
        raise JwsMalformed("JSON 객체가 아닙니다.", "Not a JSON object.", f"{what}-json")
    return value
