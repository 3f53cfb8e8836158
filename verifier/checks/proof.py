"""Step 3: does the proof or the token's signature verify? (VC Data Integrity 1.0, section 4.3)"""

from __future__ import annotations

from credential.text import Text
from verifier.case import Case
from verifier.report import Finding, Note, failed, not_run, passed
from verifier.signature import SignatureUnknown, SignatureWrong, check_signature
from verifier.tokens import check_token

UNCHECKED = Note(
    "proofs-unchecked",
    Text(
        "이 검증기가 모르는 방식의 다른 서명은 확인하지 않았습니다.",
        "Another proof, of a kind this verifier does not know, was not checked.",
    ),
)
BASE_PROOF = Note(
    "base-proof-shown",
    Text(
        "보유자만 갖는 원본 서명(base proof)이 제시되었습니다. 모든 항목이 드러납니다. 다음에는 "
        "보일 항목만 골라 만든 서명(derived proof)을 요청해 주십시오.",
        "A base proof was presented, which is meant for its holder alone and discloses everything. "
        "Ask the holder to derive a proof of what is to be shown.",
    ),
)


def check(case: Case) -> Finding:
    """The details of a wrong signature say nothing of the content: nobody signed it."""
    try:
        signer = (
            check_signature(case.document, case.did_source, case.transactions)
            if case.token is None
            else check_token(case.token, case.did_source)
        )
    except SignatureUnknown as unknown:
        return not_run(str(unknown.facts["reason"]), unknown.detail, remedy=unknown.remedy)
    except SignatureWrong as wrong:
        return failed(
            str(wrong.facts["reason"]),
            wrong.detail,
            remedy=Text(
                "이 파일을 쓰지 말고, 발급 기관에서 원본을 다시 받아 주십시오.",
                "Do not use this file; get the original from the issuer again.",
            ),
        )
    case.signed_by = signer
    return passed(
        "signature-right",
        Text(
            "서명이 맞습니다. 발급 뒤에 내용이 바뀌지 않았습니다.",
            "The signature holds: the content is as it was signed.",
        ),
        details={
            "cryptosuite": signer.cryptosuite,
            "verificationMethod": signer.verification_method,
        },
        notes=[
            *([UNCHECKED] if signer.unchecked else []),
            *([BASE_PROOF] if signer.discloses_everything else []),
        ],
    )
