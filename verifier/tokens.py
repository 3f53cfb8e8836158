"""A credential that came as a token: what form it has, what it claims, who signed it.

Three forms end up as the same ``Token``. An SD-JWT VC has claims. A ``vc+jwt`` (VC-JOSE-COSE) has
a VC 2.0 document as its payload. An older JWT has a document in its ``vc`` claim (VC 1.1 section
6.3.1) or beside JWT claims (Open Badges 3.0 section 8.2); what JWT claims and document both say
must agree, because two readers would read it differently otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from credential import did, jose, sd_jwt, sd_jwt_vc
from credential.errors import BaeumError
from credential.jose import Jws, JwsRefused
from credential.model import Problem
from credential.multikey import PublicKey
from credential.sd_jwt import SdJwt
from credential.text import Text
from verifier.did_web import DidSource
from verifier.instants import instant, written
from verifier.signature import (
    SignatureUnknown,
    SignatureWrong,
    SignedBy,
    did_document,
    issuer_of,
    resolved,
)

SD_JWT_VC = "dc+sd-jwt"
VC_JWT = "vc+jwt"
VC_1_JWT = "vc-jwt"

_JWT_CLAIMS = ("iss", "sub", "jti", "iat", "nbf", "exp", "aud", "cnf", "nonce", "vc")
_TYPS: Mapping[str, tuple[str | None, ...]] = {
    SD_JWT_VC: sd_jwt_vc.TYPS,
    VC_JWT: ("vc+jwt", "vc+ld+jwt", "JWT", None),
    VC_1_JWT: ("JWT", "vc+jwt", None),
}


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart. ``document`` is the credential in its own words: claims of an SD-JWT VC
    with what was disclosed in place, otherwise a VC document. Nothing is checked yet."""

    form: str
    signed: Jws
    payload: Mapping[str, Any]
    document: dict[str, Any]
    sd: SdJwt | None = None

    @property
    def is_sd_jwt_vc(self) -> bool:
        return self.form == SD_JWT_VC

    @property
    def issuer(self) -> str | None:
        """Whom the token names as its issuer."""
        named = self.payload.get("iss") if self.is_sd_jwt_vc else issuer_of(self.document)
        return named if isinstance(named, str) else None

    def moment(self, claim: str) -> datetime | None:
        """A NumericDate claim as an instant. Raises ``ValueError`` when it is malformed."""
        if claim not in self.payload:
            return None
        seconds = sd_jwt_vc.numeric_date(self.payload[claim])
        if seconds is None:
            raise ValueError(claim)
        return datetime.fromtimestamp(seconds, UTC)

    def holder_key(self) -> PublicKey | None:
        """The key it is bound to, if any. Raises ``KeyUnreadable``."""
        return sd_jwt_vc.holder_key(self.payload)

    def problems(self) -> Iterator[Problem]:
        """Where JWT claims and structure are not as their standards have them."""
        if self.is_sd_jwt_vc:
            yield from sd_jwt_vc.problems(self.document)
            return
        for claim, said in self._repeated():
            if claim in self.payload and said != self.payload[claim]:
                yield Problem(
                    "claims-contradict",
                    f"/{claim}",
                    Text(
                        f"토큰의 {claim}와 증명의 내용이 서로 다릅니다.",
                        f"The claim {claim} contradicts the credential inside.",
                    ),
                )

    def _repeated(self) -> Iterator[tuple[str, object]]:
        subject = self.document.get("credentialSubject")
        subject = subject[0] if isinstance(subject, list) and subject else subject
        yield "iss", issuer_of(self.document)
        yield "jti", self.document.get("id")
        if isinstance(subject, Mapping) and "id" in subject:
            yield "sub", subject["id"]


def read_token(text: str) -> Token:
    """Take a token apart. Raises ``JwsInvalid``, ``SdJwtInvalid``."""
    if "~" in text:
        token = sd_jwt.parse(text)
        signed, found = sd_jwt_vc.read(token)
        _require_typ(signed, SD_JWT_VC)
        return Token(SD_JWT_VC, signed, signed.claims(), found.claims, token)
    signed = jose.parse(text)
    payload = signed.claims()
    inner = payload.get("vc")
    form = VC_JWT if inner is None else VC_1_JWT
    _require_typ(signed, form)
    if isinstance(inner, dict):
        return Token(form, signed, payload, _version_1(inner, payload))
    document = {name: value for name, value in payload.items() if name not in _JWT_CLAIMS}
    return Token(form, signed, payload, document)


def check_token(token: Token, did_source: DidSource | None = None) -> SignedBy:
    """The signature, under the key the header names of the issuer's own DID.

    Raises ``SignatureWrong``, ``SignatureUnknown``.
    """
    identifier, method = _method(token)
    key = method_key(identifier, method, "assertionMethod", did_source)
    try:
        jose.verify(token.signed, key)
    except BaeumError as wrong:
        reason = str(wrong.facts.get("reason", wrong.code))
        raise SignatureWrong(wrong.detail, None, {"reason": reason}) from wrong
    made = _created(token)
    proof = {} if made is None else {"created": written(made)}
    return SignedBy(method, identifier, token.signed.algorithm, proof)


def method_key(
    identifier: str, method: str, purpose: str, did_source: DidSource | None = None
) -> PublicKey:
    """The key of a verification method, as the DID's own document lists it for a purpose."""
    claimed = did.claimed_key(method)
    if claimed is not None:
        return claimed  # whose it is, step 4 asks
    document = resolved(identifier, did_source)
    try:
        return did.verification_key(document, method, purpose)
    except BaeumError as failure:
        raise SignatureWrong(
            Text(
                "서명 키가 그 식별자의 이 용도의 키가 아닙니다.",
                "The key is not one this identifier uses for this purpose.",
            ),
            None,
            {"reason": "key-not-for-issuing"},
        ) from failure


def _method(token: Token) -> tuple[str, str]:
    """The DID and the verification method the header names. A ``kid`` may be a DID URL, a fragment
    of the issuer's DID, or absent where that DID has one key only."""
    issuer, kid = token.issuer, token.signed.kid
    if kid is not None and kid.startswith("did:") and "#" in kid:
        return did.subject_of(kid), kid
    named = kid if kid is not None and kid.startswith("did:") else issuer
    if named is None or not named.startswith("did:"):
        raise SignatureUnknown(
            Text(
                "발급자가 DID가 아니어서 공개키를 찾을 수 없습니다.",
                "The issuer is not a DID, so its key cannot be found here.",
            ),
            None,
            {"reason": "did-unresolved"},
        )
    if kid is not None and kid.startswith("#"):
        return named, f"{named}{kid}"
    if kid is not None and named != kid:
        return named, f"{named}#{kid}"
    only = [method["id"] for method in did_document(named).get("verificationMethod", [])]
    if len(only) != 1:
        raise SignatureUnknown(
            Text("어느 키로 서명했는지 적혀 있지 않습니다.", "It does not say which key signed."),
            None,
            {"reason": "key-not-named"},
        )
    return named, str(only[0])


def _created(token: Token) -> datetime | None:
    """When the issuer says to have signed: ``iat``, else when it begins to hold."""
    for claim in ("iat", "nbf"):
        try:
            moment = token.moment(claim)
        except ValueError:
            continue
        if moment is not None:
            return moment
    try:
        return instant(token.document.get("validFrom", token.document.get("issuanceDate")))
    except ValueError:
        return None


def _require_typ(signed: Jws, form: str) -> None:
    """A token of another type, such as a key binding or a status list, is no credential."""
    if signed.typ not in _TYPS[form]:
        raise JwsRefused(
            f"증명이 아닌 토큰입니다(typ: {str(signed.typ)[:40]}).",
            f"A token that is no credential (typ: {str(signed.typ)[:40]}).",
            "typ-wrong",
        )


def _version_1(inner: dict[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    """The document in ``vc`` with what the JWT claims say filled in where it is silent."""
    document = dict(inner)
    if "iss" in payload:
        document.setdefault("issuer", payload["iss"])
    if "jti" in payload:
        document.setdefault("id", payload["jti"])
    for claim, member in (("nbf", "issuanceDate"), ("exp", "expirationDate")):
        seconds = sd_jwt_vc.numeric_date(payload.get(claim))
        if seconds is not None and member not in document:
            document[member] = written(datetime.fromtimestamp(seconds, UTC))
    subject = document.get("credentialSubject")
    if isinstance(subject, dict) and "sub" in payload and "id" not in subject:
        document["credentialSubject"] = {"id": payload["sub"], **subject}
    return document
