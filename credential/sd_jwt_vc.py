"""SD-JWT VC (draft-ietf-oauth-sd-jwt-vc): a credential as an SD-JWT, bound to its holder's key.

The profile adds to RFC 9901: the media type ``dc+sd-jwt``, the type claim ``vct`` with metadata
about it, claims that may never be withheld, and the key of the holder in ``cnf``. Whoever presents
signs a key binding over what is presented, for one audience and one nonce.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from credential import jose, multikey, sd_jwt
from credential.jose import Jws
from credential.model import Problem
from credential.multikey import KeyUnreadable, PublicKey
from credential.rdf import IRI
from credential.sd_jwt import Path, Read, SdJwt
from credential.text import Text

TYP: Final = "dc+sd-jwt"
TYPS: Final = (TYP, "vc+sd-jwt")
"""The media type, and its name in drafts before 06, which is still read."""
KEY_BINDING: Final = "kb+jwt"
NEVER_WITHHELD: Final = frozenset({"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status"})
"""Section 3.2.2.2: claims a verifier needs before it may believe any other."""

_NUMERIC_DATES = ("iat", "nbf", "exp")


class KeyBindingWrong(sd_jwt.SdJwtInvalid):
    """What was presented is not bound, here and now, to the holder's key."""

    code = "key-binding-wrong"
    title = Text("제시한 사람의 것인지 확인되지 않습니다", "Not shown to be the presenter's own")


def issue(
    claims: Mapping[str, Any],
    frame: Mapping[str, Any],
    *,
    algorithm: str,
    kid: str,
    sign: jose.Sign,
    salt: Callable[[], str] | None = None,
) -> SdJwt:
    """Conceal what the frame says and sign. ``kid`` is the issuer's verification method.

    Raises ``ValueError`` for a frame that would withhold what may not be, or claims without
    ``iss`` and ``vct``.
    """
    if withheld := NEVER_WITHHELD & set(frame.get("_sd", ())):
        raise ValueError(f"never withheld: {sorted(withheld)}")
    if wrong := list(problems(claims)):
        raise ValueError(wrong[0].reason.en)
    options = {} if salt is None else {"salt": salt}
    payload, disclosures = sd_jwt.conceal(claims, frame, **options)
    token = jose.sign(payload, algorithm=algorithm, typ=TYP, kid=kid, sign=sign)
    return SdJwt(token, tuple(disclosure.text for disclosure in disclosures))


def read(token: SdJwt) -> tuple[Jws, Read]:
    """The issuer's JWT and the claims with their disclosures, no signature checked yet.

    Raises ``JwsInvalid`` and ``SdJwtInvalid``, the latter also for a disclosure of a claim that
    may not be withheld: its absence would have meant something.
    """
    signed = jose.parse(token.jwt)
    found = sd_jwt.read(signed.claims(), token.disclosures)
    for path in found.disclosed:
        if path[0] in NEVER_WITHHELD:
            raise sd_jwt.SdJwtInvalid(
                f"가릴 수 없는 항목입니다: {path[0]}",
                f"A claim that may not be withheld: {path[0]}",
                "withheld-claim",
            )
    return signed, found


def problems(claims: Mapping[str, Any]) -> Iterator[Problem]:
    """What of the claims is not as the draft has it (section 3.2.2)."""
    if not isinstance(claims.get("vct"), str) or not claims["vct"]:
        yield _problem("vct", "증명의 유형(vct)이 없습니다.", "There is no vct.")
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or IRI.fullmatch(issuer) is None:
        yield _problem("iss", "발급자(iss)가 없습니다.", "There is no iss, or it is no URI.")
    for name in _NUMERIC_DATES:
        if name in claims and numeric_date(claims[name]) is None:
            yield _problem(name, f"{name}가 시각이 아닙니다.", f"{name} is not a NumericDate.")
    for name in ("cnf", "status"):
        if name in claims and not isinstance(claims[name], Mapping):
            yield _problem(name, f"{name}가 객체가 아닙니다.", f"{name} is not an object.")
    if "sub" in claims and not isinstance(claims["sub"], str):
        yield _problem("sub", "sub가 글자가 아닙니다.", "sub is not text.")


def numeric_date(value: object) -> float | None:
    """Seconds since 1970 (RFC 7519 section 2), or None when it is not such a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 253_402_300_800 else None  # the year 10000


def confirmation(key: PublicKey) -> dict[str, Any]:
    """The ``cnf`` that binds a credential to a holder's key (RFC 7800 section 3.2)."""
    return {"jwk": multikey.to_jwk(key)}


def holder_key(claims: Mapping[str, Any]) -> PublicKey | None:
    """The key in ``cnf``; None when the credential is bound to nobody. Raises ``KeyUnreadable``."""
    if "cnf" not in claims:
        return None
    bound = claims["cnf"]
    if not isinstance(bound, Mapping) or "jwk" not in bound:
        raise KeyUnreadable("cnf names a key in another way than by jwk")
    return multikey.from_jwk(bound["jwk"])


def bind(
    token: SdJwt, *, audience: str, nonce: str, at: int, algorithm: str, sign: jose.Sign
) -> SdJwt:
    """The holder's part: the presentation with its key binding (RFC 9901 section 4.3)."""
    signed = jose.parse(token.jwt)
    claims = {
        "iat": at,
        "aud": audience,
        "nonce": nonce,
        "sd_hash": sd_jwt.digest(token.bound_part.encode(), _hash(signed.claims())),
    }
    binding = jose.sign(claims, algorithm=algorithm, typ=KEY_BINDING, sign=sign)
    return SdJwt(token.jwt, token.disclosures, binding)


def check_binding(
    token: SdJwt,
    payload: Mapping[str, Any],
    key: PublicKey,
    *,
    audience: str,
    nonce: str,
    now: float,
    max_age: float,
    skew: float,
) -> None:
    """Whether the holder of ``key`` presented exactly this, to this audience, just now.

    RFC 9901 section 7.3 step 5. 1. There is a key binding, of its own type. 2. The signature is
    the holder's. 3. It was made lately. 4. Audience and nonce are the ones asked for. 5. It covers
    what is presented, no disclosure more or less. Raises ``KeyBindingWrong``, ``JwsInvalid``.
    """
    if token.key_binding is None:
        raise _unbound("키 결속(KB-JWT)이 없습니다.", "There is no key binding.", "absent")
    binding = jose.parse(token.key_binding)
    if binding.typ != KEY_BINDING:
        raise _unbound("키 결속의 유형이 아닙니다.", "Not of the type of a key binding.", "type")
    jose.verify(binding, key)
    claims = binding.claims()
    made = numeric_date(claims.get("iat"))
    if made is None or not now - max_age <= made <= now + skew:
        raise _unbound("방금 제시한 것이 아닙니다.", "It was not presented just now.", "not-fresh")
    if claims.get("aud") != audience:
        raise _unbound("다른 곳에 제시한 것입니다.", "It was presented to another.", "audience")
    if not isinstance(claims.get("nonce"), str) or claims["nonce"] != nonce:
        raise _unbound(
            "이번 요청에 대한 것이 아닙니다.", "It does not answer this request.", "nonce"
        )
    if claims.get("sd_hash") != sd_jwt.digest(token.bound_part.encode(), _hash(payload)):
        raise _unbound(
            "제시된 항목이 결속된 것과 다릅니다.",
            "What is presented is not what was bound.",
            "sd-hash",
        )


def select(token: SdJwt, reveal: list[Path]) -> SdJwt:
    """What a wallet hands over: the token with these claims and those they lie in."""
    return sd_jwt.present(token, jose.parse(token.jwt).claims(), reveal)


def integrity(metadata: bytes) -> str:
    """The ``vct#integrity`` of a type's metadata document (W3C SRI, sha256)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(metadata).digest()).decode("ascii")


def metadata_fits(claims: Mapping[str, Any], metadata: bytes) -> bool:
    """Whether a document is the one the credential names, byte for byte (section 7)."""
    named = claims.get("vct#integrity")
    return isinstance(named, str) and integrity(metadata) in named.split()


def _hash(payload: Mapping[str, Any]) -> str:
    name = payload.get("_sd_alg", "sha-256")
    if name not in sd_jwt.HASHES:
        raise sd_jwt.SdJwtInvalid("모르는 해시입니다.", "An unknown hash.", "hash-unsupported")
    return str(name)


def _unbound(ko: str, en: str, reason: str) -> KeyBindingWrong:
    return KeyBindingWrong(ko, en, reason)


def _problem(claim: str, ko: str, en: str) -> Problem:
    return Problem("claim", f"/{claim}", Text(ko, en))
