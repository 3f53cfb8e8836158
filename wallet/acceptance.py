"""What a wallet looks at before it takes a credential in. Needs no network: who issued it is shown
to the citizen, whether that institution is accredited is for a verifier to say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from credential import did, integrity, jcs, model
from credential.errors import BaeumError
from credential.evidence import Evidence, parse
from credential.text import Text
from wallet.errors import CredentialRefused

_AGAIN = Text(
    "발급 기관에서 원본 파일을 다시 받아 주십시오.", "Get the original file from the issuer again."
)


def check(evidence: Evidence, holder: str) -> Evidence:
    """The evidence, read anew under the limits of a file. Raises ``CredentialRefused``.

    1. It can be read and has the structure of a credential.
    2. It is not issued to the key of somebody else.
    3. Every proof verifies with a key of the issuer it names.
    4. The receipt's path, if there is a receipt, leads from this credential to its root.
    """
    try:
        evidence = parse(evidence.to_bytes())
    except (BaeumError, TypeError, ValueError) as wrong:
        detail = wrong.detail if isinstance(wrong, BaeumError) else _NOT_JSON
        raise CredentialRefused(detail, _AGAIN, {"reason": "malformed"}) from wrong
    document = evidence.credential
    problems = model.check(document)
    if problems:
        raise CredentialRefused(
            Text("증명의 구조가 표준과 다릅니다.", "The structure differs from the standard."),
            _AGAIN,
            {"reason": "malformed", "problems": [problem.to_json() for problem in problems[:5]]},
        )
    _require_own(document, holder)
    _require_proof(document)
    if evidence.receipt is not None:
        try:
            evidence.receipt.check_inclusion(document)
        except BaeumError as wrong:
            raise _refused(
                "path",
                "영수증이 이 증명의 것이 아닙니다.",
                "The receipt does not belong to this credential.",
            ) from wrong
    return evidence


_NOT_JSON = Text("JSON으로 쓸 수 없는 값이 들어 있습니다.", "It holds a value JSON cannot write.")


def identifier(document: Mapping[str, Any]) -> str:
    """The name of a credential in the wallet: its own id, or one made from its content."""
    named = document.get("id")
    if isinstance(named, str) and named:
        return named
    return "urn:sha256:" + hashlib.sha256(jcs.canonical(dict(document))).hexdigest()


def _require_own(document: Mapping[str, Any], holder: str) -> None:
    """A subject named by a DID must be the holder's. Without a DID it is the bearer's."""
    subjects = document.get("credentialSubject")
    for subject in subjects if isinstance(subjects, list) else [subjects]:
        named = subject.get("id") if isinstance(subject, Mapping) else None
        if isinstance(named, str) and named.startswith("did:") and named != holder:
            raise CredentialRefused(
                Text(
                    "다른 사람의 지갑에 발급된 증명이어서 받을 수 없습니다.",
                    "It was issued to the wallet of somebody else.",
                ),
                Text(
                    "발급 기관에 이 지갑의 식별자를 알려 주고 다시 발급받아 주십시오.",
                    "Give the issuer the identifier of this wallet and have it issued again.",
                ),
                {"reason": "not-yours", "subject": named[:200], "holder": holder},
            )


def _require_proof(document: dict[str, Any]) -> None:
    issuer = document.get("issuer")
    issuer = issuer.get("id") if isinstance(issuer, Mapping) else issuer
    try:
        for proof in integrity.proofs(document):
            method = proof.get("verificationMethod")
            if did.subject_of(method) != issuer:
                raise _refused(
                    "issuer",
                    "증명에 적힌 기관이 아닌 다른 키로 서명되어 있습니다.",
                    "It was signed by another key than that of the issuer it names.",
                )
            key = did.verification_key(did.document(str(issuer)), str(method), "assertionMethod")
            integrity.verify(document, proof, key)
    except CredentialRefused:
        raise
    except BaeumError as wrong:
        raise CredentialRefused(wrong.detail, _AGAIN, {"reason": "proof"}) from wrong


def _refused(reason: str, ko: str, en: str) -> CredentialRefused:
    return CredentialRefused(Text(ko, en), _AGAIN, {"reason": reason})
