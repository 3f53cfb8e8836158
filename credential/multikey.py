"""Public keys as Multikey texts (Controlled Identifiers 1.0 section 2.2.2) and as JWKs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from credential import multibase
from credential.errors import BaeumError
from credential.text import Text

ED25519 = "ed25519"
X25519 = "x25519"
P256 = "p256"
P384 = "p384"
SECP256K1 = "secp256k1"

# multicodec prefix (an unsigned varint) and length of the raw key in bytes
_CODECS: dict[str, tuple[bytes, int]] = {
    ED25519: (b"\xed\x01", 32),
    X25519: (b"\xec\x01", 32),
    P256: (b"\x80\x24", 33),
    P384: (b"\x81\x24", 49),
    SECP256K1: (b"\xe7\x01", 33),
}
_CURVES: dict[str, tuple[str, ec.EllipticCurve, int]] = {
    "P-256": (P256, ec.SECP256R1(), 32),
    "P-384": (P384, ec.SECP384R1(), 48),
    "secp256k1": (SECP256K1, ec.SECP256K1(), 32),
}
_OKP = {"Ed25519": ED25519, "X25519": X25519}
_EC = {kind: curve for kind, curve, _ in _CURVES.values()}


class KeyUnreadable(BaeumError):
    """The text or JWK is not a public key of a supported kind."""

    code: ClassVar[str] = "key-unreadable"
    title: ClassVar[Text] = Text("공개키를 읽을 수 없습니다", "The public key cannot be read")
    status: ClassVar[int] = 422

    def __init__(self, reason: str) -> None:
        super().__init__(
            Text(f"공개키를 읽을 수 없습니다: {reason}", f"Not a public key: {reason}"),
            Text(
                "발급 기관의 DID와 키 형식을 확인하십시오.",
                "Check the issuer's DID and the form of its key.",
            ),
        )


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: ``kind`` as named in this module, ``raw`` bytes (compressed point for EC)."""

    kind: str
    raw: bytes


def encode(public: bytes, kind: str = ED25519) -> str:
    """The Multikey text ``z…`` of a raw public key; raises ``KeyUnreadable`` on a wrong length."""
    prefix, length = _codec(kind)
    if len(public) != length:
        raise KeyUnreadable(f"a {kind} key has {length} bytes, not {len(public)}")
    return "z" + multibase.base58(prefix + public)


def decode(text: object) -> PublicKey:
    """The key in a Multikey text; raises ``KeyUnreadable``."""
    if not isinstance(text, str) or not text.startswith("z"):
        raise KeyUnreadable("a Multikey starts with z")
    return _decoded(text)


@lru_cache(maxsize=512)
def _decoded(text: str) -> PublicKey:
    try:
        data = multibase.decode(text)
    except multibase.NotMultibase as error:
        raise KeyUnreadable(error.detail.en) from error
    for kind, (prefix, length) in _CODECS.items():
        if data.startswith(prefix):
            if len(data) != len(prefix) + length:
                raise KeyUnreadable(f"a {kind} key has {length} bytes")
            return _on_curve(PublicKey(kind, data[len(prefix) :]))
    raise KeyUnreadable("unsupported kind of key")


def from_jwk(jwk: object) -> PublicKey:
    """The key in a public JWK (RFC 7517, 8037); ``KeyUnreadable`` also for a private one."""
    if not isinstance(jwk, Mapping):
        raise KeyUnreadable("a JWK is an object")
    if "d" in jwk:
        raise KeyUnreadable("the JWK holds a private key")
    curve = jwk.get("crv")
    if jwk.get("kty") == "OKP" and curve in _OKP:
        return PublicKey(_OKP[curve], _coordinate(jwk, "x", 32))
    if jwk.get("kty") == "EC" and curve in _CURVES:
        kind, _, size = _CURVES[curve]
        x, y = _coordinate(jwk, "x", size), _coordinate(jwk, "y", size)
        _point(kind, b"\x04" + x + y)
        return PublicKey(kind, bytes([2 + (y[-1] & 1)]) + x)
    raise KeyUnreadable("unsupported kind of key")


def to_jwk(key: PublicKey) -> dict[str, str]:
    """The public JWK of a key."""
    for curve, kind in _OKP.items():
        if kind == key.kind:
            return {"kty": "OKP", "crv": curve, "x": multibase.base64url(key.raw)}
    curve, size = next((c, n) for c, (kind, _, n) in _CURVES.items() if kind == key.kind)
    point = _point(key.kind, key.raw).public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {
        "kty": "EC",
        "crv": curve,
        "x": multibase.base64url(point[1 : 1 + size]),
        "y": multibase.base64url(point[1 + size :]),
    }


def _codec(kind: str) -> tuple[bytes, int]:
    if kind not in _CODECS:
        raise KeyUnreadable(f"unsupported kind of key {kind!r}")
    return _CODECS[kind]


def _on_curve(key: PublicKey) -> PublicKey:
    if key.kind in _EC:
        _point(key.kind, key.raw)
    return key


def _point(kind: str, point: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_EC[kind], point)
    except ValueError as error:
        raise KeyUnreadable("the point is not on the curve") from error


def _coordinate(jwk: Mapping[str, Any], name: str, size: int) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str):
        raise KeyUnreadable(f"the JWK has no {name}")
    try:
        data = multibase.from_base64url(text)
    except multibase.NotMultibase as error:
        raise KeyUnreadable(error.detail.en) from error
    if len(data) != size:
        raise KeyUnreadable(f"{name} has {len(data)} bytes, not {size}")
    return data
