"""Step 4: is the key that signed the issuer's own, meant for issuing?"""

from __future__ import annotations

from credential import did
from credential.errors import BaeumError
from credential.text import Text
from verifier.case import Case
from verifier.report import Finding, failed, not_run, passed
from verifier.signature import SignatureUnknown, did_document


def check(case: Case) -> Finding:
    """The issuer's DID document, not the signer's, must list the method under assertionMethod,
    with the issuer as its controller. (Controlled Identifiers 1.0, section 3.3)"""
    signer = case.signed_by
    issuer = case.named_issuer
    if signer is None or issuer is None:
        return failed(
            "issuer-absent", Text("발급 기관이 적혀 있지 않습니다.", "It does not name an issuer.")
        )
    try:
        document = did_document(issuer)
        did.verification_key(document, signer.verification_method, "assertionMethod")
    except SignatureUnknown as unknown:
        return not_run("did-unresolved", unknown.detail, remedy=unknown.remedy)
    except BaeumError:
        return _not_the_issuers(issuer)
    if document.get("id") != issuer or signer.did != issuer:
        return _not_the_issuers(issuer)
    case.issuer = issuer
    return passed(
        "issuer-signed",
        Text("증명에 적힌 발급 기관의 키로 서명되었습니다.", "The issuer it names signed it."),
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
