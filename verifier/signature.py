"""Whose key a Data Integrity proof was made with, and whether it verifies.

Used twice: for the credential (steps 3 and 4) and for the status lists it names (step 8). Nothing
outside the document is believed: a proof cannot bring its own key, and the DID it names is
resolved here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

from credential import did, ecdsa_sd_base, integrity, merkle_proof_2019, suites
from credential.contexts import UnknownContext
from credential.errors import BaeumError
from credential.multikey import PublicKey
from credential.text import Text
from verifier import blockcerts
from verifier.blockcerts import Transactions
from verifier.did_web import DidSource


class SignatureWrong(BaeumError):
    """The proof does not hold. ``code`` of the instance is in ``facts["reason"]``."""

    code: ClassVar[str] = "signature-wrong"
    title: ClassVar[Text] = Text("서명이 맞지 않습니다", "The signature does not hold")


class SignatureUnknown(BaeumError):
    """The proof is of a kind, or by a DID, that cannot be checked here."""

    code: ClassVar[str] = "signature-unknown"
    title: ClassVar[Text] = Text("서명을 확인할 수 없습니다", "The signature cannot be checked")


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A proof that verified: which method of which DID made it, and how many proofs beside it are
    of a kind that cannot be checked here."""

    verification_method: str
    did: str
    cryptosuite: str
    proof: Mapping[str, Any]
    unchecked: int = 0
    claimed: bool = False
    """The key is what a did:web method says of itself: whose it is has to be asked elsewhere."""

    @property
    def discloses_everything(self) -> bool:
        """It is the base proof of a selective suite, which is meant for its holder alone."""
        selective = self.cryptosuite == suites.ECDSA_SD
        return selective and ecdsa_sd_base.is_base(self.proof.get("proofValue"))


@lru_cache(maxsize=512)
def did_document(identifier: str) -> dict[str, Any]:
    """The DID document. Pure for the methods known here, so it never grows old.

    Raises ``SignatureUnknown`` when the method is not one that can be resolved.
    """
    try:
        return did.document(identifier)
    except BaeumError as failure:
        raise SignatureUnknown(
            Text(
                f"서명한 쪽의 식별자를 해석할 수 없습니다: {failure.detail.ko}",
                f"The signer's identifier cannot be resolved: {failure.detail.en}",
            ),
            failure.remedy,
            {"reason": "did-unresolved"},
        ) from failure


def resolved(identifier: str, did_source: DidSource | None) -> dict[str, Any]:
    """The DID document, of a did:web from the source. Raises ``SignatureUnknown``."""
    if did_source is None or not identifier.startswith("did:web:"):
        return did_document(identifier)
    try:
        return did_source.document(identifier)
    except BaeumError as failure:
        raise SignatureUnknown(
            Text(
                f"서명한 쪽의 식별자를 해석할 수 없습니다: {failure.detail.ko}",
                f"The signer's identifier cannot be resolved: {failure.detail.en}",
            ),
            failure.remedy,
            {"reason": "did-unresolved"},
        ) from failure


def check_signature(
    document: Mapping[str, Any],
    did_source: DidSource | None = None,
    transactions: Transactions | None = None,
) -> SignedBy:
    """Verify the proofs of a document and return the issuer's, or the first if none is.

    Every proof that can be checked must verify: a second proof that is broken is a reason to
    doubt, not to look away. One of an unknown suite beside one that verified is counted in
    ``unchecked``. Raises ``SignatureWrong``, and ``SignatureUnknown`` when none can be checked.
    """
    signed = dict(document)
    try:
        proofs = integrity.proofs(signed)
    except integrity.ProofInvalid as wrong:
        code = "proof-absent" if "proof" not in document else "proof-malformed"
        raise SignatureWrong(wrong.detail, wrong.remedy, {"reason": code}) from wrong
    signers: list[SignedBy] = []
    unknown: list[SignatureUnknown] = []
    for proof in proofs:
        try:
            if merkle_proof_2019.is_merkle_proof(proof):
                signers.append(_check_anchored(signed, proof, did_source, transactions))
            else:
                signers.append(_check_one(signed, proof, did_source))
        except SignatureUnknown as not_known:
            unknown.append(not_known)
    if not signers:
        raise unknown[0]
    issuer = issuer_of(document)
    chosen = next((signer for signer in signers if signer.did == issuer), signers[0])
    return replace(chosen, unchecked=len(unknown))


def issuer_of(document: Mapping[str, Any]) -> str | None:
    """The issuer's identifier, whether written alone or inside an object."""
    issuer = document.get("issuer")
    if isinstance(issuer, Mapping):
        issuer = issuer.get("id")
    return issuer if isinstance(issuer, str) else None


def _check_one(
    document: dict[str, Any], proof: dict[str, Any], did_source: DidSource | None
) -> SignedBy:
    method = proof.get("verificationMethod")
    try:
        identifier = did.subject_of(method)
    except BaeumError as wrong:
        raise SignatureWrong(wrong.detail, None, {"reason": "method-malformed"}) from wrong
    method = str(method)
    claimed = did.claimed_key(method)
    key = claimed or _issuing_key(resolved(identifier, did_source), method)
    try:
        integrity.verify(document, proof, key)
    except (UnknownContext, integrity.CryptosuiteUnsupported) as unknown:
        raise SignatureUnknown(
            unknown.detail, unknown.remedy, {"reason": unknown.code}
        ) from unknown
    except BaeumError as failure:
        raise _mismatch(failure) from failure
    return SignedBy(
        method, identifier, str(suites.suite_name(proof)), proof, claimed=claimed is not None
    )


def _check_anchored(
    document: dict[str, Any],
    proof: dict[str, Any],
    did_source: DidSource | None,
    transactions: Transactions | None,
) -> SignedBy:
    """A proof whose signature is a transaction (Blockcerts)."""
    try:
        method, identifier = blockcerts.signer_of(
            document, proof, transactions, lambda one: resolved(one, did_source)
        )
    except blockcerts.NotAsked as unknown:
        raise SignatureUnknown(unknown.detail, unknown.remedy, unknown.facts) from unknown
    except SignatureUnknown:
        raise
    except BaeumError as wrong:
        reason = str(wrong.facts.get("reason", "key-not-for-issuing"))
        raise SignatureWrong(wrong.detail, None, {"reason": reason}) from wrong
    return SignedBy(method, identifier, merkle_proof_2019.CRYPTOSUITE, proof)


def _issuing_key(document: dict[str, Any], method: str) -> PublicKey:
    try:
        return did.verification_key(document, method, "assertionMethod")
    except BaeumError as failure:
        raise _wrong(
            "key-not-for-issuing",
            "서명 키가 그 식별자의 발급용 키가 아닙니다.",
            "The key is not one this identifier issues with.",
        ) from failure


def _mismatch(failure: BaeumError) -> SignatureWrong:
    """Where exactly it differs is not said: that could show what the holder did not sign."""
    if isinstance(failure, integrity.ProofInvalid):
        return _wrong(
            failure.code,
            "서명이 내용과 맞지 않습니다. 발급 뒤에 내용이 바뀌었거나, "
            "그 키로 서명한 것이 아닙니다.",
            "The signature does not fit the content: it was changed after issuing, "
            "or was not signed with that key.",
        )
    return _wrong(
        failure.code,
        "내용에 서명이 덮지 못하는 부분이 있어 받아들이지 않습니다.",
        "Part of the content cannot be covered by the signature, so it is not accepted.",
    )


def _wrong(reason: str, ko: str, en: str) -> SignatureWrong:
    return SignatureWrong(Text(ko, en), None, {"reason": reason})
