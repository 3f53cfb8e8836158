"""Makes tokens of the institutions of ``conftest``: SD-JWT VCs, VC-JWTs and their status lists."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nacl.signing import SigningKey

from credential import sd_jwt_vc, status, token_status
from credential.multikey import PublicKey
from credential.sd_jwt import SdJwt

HOLDER = SigningKey(b"h" * 32)
AUDIENCE = "https://employer.example"
NONCE = "n-0S6_WzA2Mj"
INDEX = 4242


def signer(key: SigningKey) -> Any:
    return lambda data: key.sign(data).signature


def token_list_url(institution: Any) -> str:
    return f"https://baeum.example/status/stl_{institution.id}/token"


def publish_token_list(
    world: Any,
    institution: Any,
    *,
    revoked: list[int] | None = None,
    suspended: list[int] | None = None,
    bits: int = 131_072,
    by: Any = None,
    **changes: Any,
) -> None:
    empty = bytes(bits // 8)
    listed = token_status.from_bitstrings(
        status.with_bits(empty, revoked or [], True), status.with_bits(empty, suspended or [], True)
    )
    now = int(world.now.timestamp())
    options: dict[str, Any] = {
        "uri": token_list_url(institution),
        "issued_at": now - 3600,
        "expires_at": now + 86400,
        "ttl": 43200,
        "algorithm": "EdDSA",
        "kid": (by or institution).method,
        "sign": signer((by or institution).key),
    } | changes
    text = token_status.sign(listed, **options)
    world.lists.bodies[token_list_url(institution)] = text.encode()


def claims(world: Any, issuer: Any, **changes: Any) -> dict[str, Any]:
    at = int(world.now.timestamp()) - 86400
    key = PublicKey("ed25519", bytes(HOLDER.verify_key))
    return {
        "iss": issuer.did,
        "vct": "https://baeum.example/vct/course",
        "iat": at,
        "nbf": at,
        "cnf": sd_jwt_vc.confirmation(key),
        "status": token_status.reference(token_list_url(issuer), INDEX),
        "accredited": True,
        "kind": "course",
        "minutes": 1200,
        "category": "디지털",
        "year": 2026,
        "title": "생활 속 인공지능",
        "institution": {"id": issuer.did, "name": "서울시민대학"},
        "learner": {"name": "김하늘"},
    } | changes


def sd_jwt_vc_of(world: Any, issuer: Any, *, frame: Any = None, **changes: Any) -> SdJwt:
    return sd_jwt_vc.issue(
        claims(world, issuer, **changes),
        frame or {"_sd": ["title", "institution", "learner"], "_sd_decoy": 3},
        algorithm="EdDSA",
        kid=issuer.method,
        sign=signer(issuer.key),
    )


def presented(
    world: Any,
    token: SdJwt,
    *,
    reveal: Any = (("title",),),
    at: datetime | None = None,
    key: SigningKey = HOLDER,
    audience: str = AUDIENCE,
    nonce: str = NONCE,
) -> SdJwt:
    shown = token if reveal is None else sd_jwt_vc.select(token, list(reveal))
    return sd_jwt_vc.bind(
        shown,
        audience=audience,
        nonce=nonce,
        at=int((at or world.now).timestamp()),
        algorithm="EdDSA",
        sign=signer(key),
    )
