"""Step 4: is the key that signed the issuer's own, meant for issuing?"""

from __future__ import annotations

from credential import did
from credential.errors import BaeumError
from credential.text import Text
from verifier.case import Case
from verifier.chain_answers import ChainUnavailable
from verifier.instants import instant
from verifier.report import Finding, failed, not_run, passed
from verifier.signature import SignatureUnknown, SignedBy, resolved


def check(case: Case) -> Finding:
    """The issuer's DID document, not the signer's, must list the method under assertionMethod,
    with the issuer as its controller (Controlled Identifiers 1.0, section 3.3).

    Under a did:web the trusted registries are asked first, so that the issuer is not: a key they
    bind to an institution under this very DID URL is the issuer's, and until when it counted is
    step 7's to say. Only for one they do not know is the DID document looked for.
    """
    signer = case.signed_by
    issuer = case.named_issuer
    if signer is None or issuer is None:
        return failed(
            "issuer-absent", Text("발급 기관이 적혀 있지 않습니다.", "It does not name an issuer.")
        )
    if signer.did != issuer:
        return _not_the_issuers(issuer)
    unavailable: ChainUnavailable | None = None
    if issuer.startswith("did:web:"):
        try:
            if any(
                case.key_period(network, signer.verification_method).value.known
                for network in case.trust.networks
            ):
                return _passed(case, issuer)
        except ChainUnavailable as failure:
            unavailable = failure
        if case.did_source is None:
            return _unresolved(issuer, unavailable)
    try:
        document = resolved(issuer, case.did_source)
        did.verification_key(document, signer.verification_method, "assertionMethod")
    except SignatureUnknown as unknown:
        return not_run("did-unresolved", unknown.detail, remedy=unknown.remedy)
    except BaeumError:
        return _not_the_issuers(issuer)
    if document.get("id") != issuer:
        return _not_the_issuers(issuer)
    return _out_of_use(document, signer, issuer) or _passed(case, issuer)


def _out_of_use(document: dict[str, object], signer: SignedBy, issuer: str) -> Finding | None:
    """``revoked`` and ``expires`` of the method (Controlled Identifiers 1.0, section 2.2)."""
    method = did.find_method(document, signer.verification_method) or {}
    for name in ("revoked", "expires"):
        if name not in method:
            continue
        try:
            over = instant(method[name])
            signed = instant(signer.proof.get("created"))
        except ValueError:
            return _not_the_issuers(issuer)
        if signed >= over:
            return failed(
                "key-out-of-use",
                Text(
                    "발급 기관이 이미 쓰지 않기로 한 키로 서명되었습니다.",
                    "It was signed with a key the issuer had taken out of use.",
                ),
                details={"issuer": issuer, name: method[name]},
            )
        if name == "revoked":
            # The date of signing is the signer's own word, and the key may be in other hands.
            return not_run(
                "key-revoked-since",
                Text(
                    "서명한 키가 그 뒤에 폐기되어, 언제 서명했는지 증명되어야 합니다.",
                    "The key was revoked since; when it signed would have to be proven.",
                ),
                details={"issuer": issuer, name: method[name]},
            )
    return None


def _passed(case: Case, issuer: str) -> Finding:
    case.issuer = issuer
    return passed(
        "issuer-signed",
        Text("증명에 적힌 발급 기관의 키로 서명되었습니다.", "The issuer it names signed it."),
        details={"issuer": issuer},
    )


def _unresolved(issuer: str, unavailable: ChainUnavailable | None) -> Finding:
    if unavailable is not None:
        return not_run(unavailable.code, unavailable.detail, remedy=unavailable.remedy)
    return not_run(
        "did-web-unknown",
        Text(
            "신뢰하는 등록부가 모르는 did:web 키이며, DID 문서를 가져올 곳이 없습니다.",
            "No trusted registry knows this did:web key, and nothing is set up to resolve it.",
        ),
        remedy=Text(
            "BAEUM_DID_DOCUMENTS에 문서를 두거나 BAEUM_RESOLVE_DID_WEB을 켜 주십시오.",
            "Keep its document in BAEUM_DID_DOCUMENTS, or switch BAEUM_RESOLVE_DID_WEB on.",
        ),
        details={"issuer": issuer},
    )


def _not_the_issuers(issuer: str) -> Finding:
    return failed(
        "not-the-issuers-key",
        Text(
            "서명한 키가 증명에 적힌 발급 기관의 키가 아닙니다.",
            "The key that signed it does not belong to the issuer it names.",
        ),
        remedy=Text("적힌 발급 기관에 직접 확인해 주십시오.", "Ask the issuer it names directly."),
        details={"issuer": issuer},
    )
