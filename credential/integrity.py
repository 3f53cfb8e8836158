"""Data Integrity proofs: signed with ``eddsa-rdfc-2022`` or ``eddsa-jcs-2022``, checked with more.

W3C vc-di-eddsa 1.0 sections 3.2 and 3.3; ``credential.suites`` lists what else is checked. Signing
and checking stand side by side and share the hashing. Both hash the document without its ``proof``
member and nothing else removed; a suite that is not in the table is an error, never a pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

from credential import contexts, ecdsa_sd, ecdsa_sd_base, multibase, suites
from credential.errors import BaeumError
from credential.multikey import PublicKey
from credential.suites import ECDSA_SD, Suite
from credential.text import Text

RDFC = suites.RDFC
JCS = suites.JCS
SUITES = (RDFC, JCS)
"""What we sign with."""
CHECKED = (*suites.SUITES, ECDSA_SD)
"""What is checked."""
MAX_PROOFS = 16

Document = dict[str, Any]
Signer = Callable[[bytes], bytes]
"""Ed25519 over the 64 bytes it is given; answers the 64-byte signature."""

_DATE_TIME = re.compile(
    r"-?\d{4,}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d):[0-5]\d)"
)


class ProofInvalid(BaeumError):
    """The proof does not hold. The subclasses tell a forged document from one we cannot judge."""

    code: ClassVar[str] = "proof-invalid"
    title: ClassVar[Text] = Text("서명이 올바르지 않습니다", "The proof is not valid")
    status: ClassVar[int] = 422

    def __init__(self, ko: str, en: str, remedy: Text | None = None, **facts: Any) -> None:
        ask = Text(
            "증명을 발급한 기관에서 다시 받으십시오.",
            "Get the credential again from the institution that issued it.",
        )
        super().__init__(Text(ko, en), remedy or ask, facts)


class ProofMalformed(ProofInvalid):
    """The proof lacks a member, or one is not of the form the standard gives."""

    code: ClassVar[str] = "proof-malformed"


class CryptosuiteUnsupported(ProofInvalid):
    """The proof names a cryptosuite or type this module does not check."""

    code: ClassVar[str] = "cryptosuite-unsupported"


class SignatureMismatch(ProofInvalid):
    """The signature is not the key's over this document: something was changed, or another key."""

    code: ClassVar[str] = "signature-mismatch"


class PurposeMismatch(ProofInvalid):
    """The proof was made for another purpose."""

    code: ClassVar[str] = "proof-purpose-mismatch"


def sign(
    document: Document,
    *,
    sign: Signer,
    verification_method: str,
    created: datetime | str,
    nonce: str | None,
    cryptosuite: str = RDFC,
    proof_purpose: str = "assertionMethod",
    load: contexts.Loader = contexts.load,
) -> Document:
    """A copy of the document with a proof; added to a proof set when it has proofs already.

    ``created`` an aware datetime or an RFC 3339 text; ``nonce`` goes into the proof as is. Raises
    ``CryptosuiteUnsupported`` and whatever the canonical form raises.
    """
    options: Document = {
        "type": "DataIntegrityProof",
        "cryptosuite": cryptosuite,
        "created": timestamp(created),
        "verificationMethod": verification_method,
        "proofPurpose": proof_purpose,
    }
    if nonce is not None:
        options["nonce"] = nonce
    if cryptosuite == JCS and "@context" in document:
        options = {"@context": document["@context"], **options}
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    signature = sign(hash_data(unsecured, options, load=load))
    proof = {**options, "proofValue": "z" + multibase.base58(signature)}
    earlier = proofs(document) if "proof" in document else []
    return {**unsecured, "proof": [*earlier, proof] if earlier else proof}


def verify(
    document: Document,
    proof: Document,
    public_key: bytes | PublicKey,
    *,
    purpose: str = "assertionMethod",
    load: contexts.Loader = contexts.load,
) -> None:
    """Check one proof of a document against a key; returns only when it holds.

    1. The proof is of a known suite, for ``purpose``, with a key that suite may be used with.
    2. Its members have the form the standard gives; its context, if any, begins the document's.
    3. A proof in a chain covers the proofs it names.
    4. The signature is of the key's length, canonical, and the key's over the hashes of both.

    A selective proof (``ecdsa-sd-2023``) has its own step 4 (``credential.ecdsa_sd`` and
    ``credential.ecdsa_sd_base``).

    Raises ``ProofInvalid`` (a subclass says which), or what the canonical form raises.
    """
    key = public_key if isinstance(public_key, PublicKey) else PublicKey("ed25519", public_key)
    suite = _known_suite(proof)
    usable = suite.keys if suite is not None else ecdsa_sd.KEYS
    if key.kind not in usable or len(key.raw) != suites.LENGTHS[key.kind][0]:
        raise CryptosuiteUnsupported(
            "이 서명 방식에 쓸 수 없는 종류의 키입니다.",
            "A key of a kind this suite is not used with.",
            key=key.kind,
        )
    if proof.get("proofPurpose") != purpose:
        raise PurposeMismatch(
            "다른 목적으로 만든 서명입니다.",
            "The proof was made for another purpose.",
            purpose=str(proof.get("proofPurpose"))[:60],
        )
    _check_members(proof)
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    if "@context" in proof:
        unsecured["@context"] = _proof_context(unsecured, proof)
    if "previousProof" in proof:
        unsecured["proof"] = _previous(document, proof)
    if suite is None:
        try:
            value = proof.get("proofValue")
            selective = ecdsa_sd_base if ecdsa_sd_base.is_base(value) else ecdsa_sd
            good = selective.holds(unsecured, options, value, key, load=load)
        except ecdsa_sd.ProofValueMalformed as error:
            raise ProofMalformed(error.detail.ko, error.detail.en, error.remedy) from error
    else:
        signature = _signature(proof, suites.LENGTHS[key.kind][1])
        data = suite.hash_data(unsecured, options, key.kind, load=load)
        good = suites.holds(key, data, signature)
    if not good:
        raise SignatureMismatch(
            "서명이 내용과 맞지 않습니다. 내용이 바뀌었거나 다른 키로 서명되었습니다.",
            "The signature does not match the content: it was changed, or signed by another key.",
        )


def proofs(document: Document) -> list[Document]:
    """The proofs of a document, each to be verified; raises ``ProofMalformed`` if there is none."""
    found = document.get("proof")
    entries: list[Any] = found if isinstance(found, list) else [found]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ProofMalformed("서명이 없습니다.", "There is no proof.")
    if len(entries) > MAX_PROOFS:
        raise ProofMalformed("서명이 너무 많습니다.", "There are too many proofs.")
    return entries


def hash_data(
    unsecured: Document, options: Document, *, load: contexts.Loader = contexts.load
) -> bytes:
    """The 64 bytes that are signed: SHA-256 of the proof options, then of the document.

    Sections 3.2.3 to 3.2.5 (RDFC) and 3.3.3 to 3.3.5 (JCS).
    """
    suite = options.get("cryptosuite")
    if suite not in SUITES:
        raise _unsupported(suite)
    return suites.SUITES[str(suite)].hash_data(unsecured, options, load=load)


def timestamp(created: datetime | str) -> str:
    """An xsd:dateTimeStamp to the second, in UTC; raises ``ProofMalformed`` for a naive one."""
    if isinstance(created, datetime):
        if created.tzinfo is None:
            raise ProofMalformed("시간대가 없는 시각입니다.", "A time without a time zone.")
        return created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if _DATE_TIME.fullmatch(created) is None:
        raise ProofMalformed("시각의 형식이 올바르지 않습니다.", "Not an RFC 3339 time.")
    return created


def _known_suite(proof: Document) -> Suite | None:
    """The suite; None for the selective one, which is checked in its own way."""
    name = suites.suite_name(proof)
    if name == ECDSA_SD:
        return None
    if name is None or name not in suites.SUITES:
        raise _unsupported(name or proof.get("type"))
    return suites.SUITES[name]


def _unsupported(name: object) -> CryptosuiteUnsupported:
    return CryptosuiteUnsupported(
        f"지원하지 않는 서명 방식입니다: {str(name)[:60]}",
        f"A kind of proof this program does not check: {str(name)[:60]}",
        Text(
            f"다음 방식으로 서명된 증명을 제출하십시오: {', '.join(CHECKED)}",
            f"Present a credential signed with one of {', '.join(CHECKED)}.",
        ),
        suite=str(name)[:60],
    )


def _signature(proof: Document, length: int) -> bytes:
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z"):
        raise ProofMalformed(
            "proofValue가 base58btc 멀티베이스가 아닙니다.",
            "proofValue is not base58btc multibase.",
        )
    try:
        signature = multibase.decode(value)
    except multibase.NotMultibase as error:
        raise ProofMalformed(error.detail.ko, error.detail.en) from error
    if len(signature) != length:
        raise ProofMalformed(
            f"서명이 {length}바이트가 아닙니다.", f"The signature is not {length} bytes."
        )
    return signature


def _check_members(proof: Document) -> None:
    if not isinstance(proof.get("verificationMethod"), str):
        raise ProofMalformed("verificationMethod가 없습니다.", "There is no verificationMethod.")
    for name in ("created", "expires"):
        value = proof.get(name)
        if name in proof and (not isinstance(value, str) or _DATE_TIME.fullmatch(value) is None):
            raise ProofMalformed(
                f"{name}의 시각 형식이 올바르지 않습니다.", f"{name} is not an RFC 3339 time."
            )


def _proof_context(unsecured: Document, proof: Document) -> Any:
    """The proof's context, which must begin the document's (section 3.3.2 step 4)."""
    ours, theirs = (
        value if isinstance(value, list) else [value]
        for value in (unsecured.get("@context"), proof["@context"])
    )
    # only the JCS proof signs its own context; elsewhere a shorter one would be anyone's addition
    suite = suites.SUITES.get(str(proof.get("cryptosuite")))
    expected = ours[: len(theirs)] if suite is not None and suite.jcs else ours
    if not theirs or expected != theirs:
        raise ProofMalformed(
            "서명의 컨텍스트가 문서의 컨텍스트와 다릅니다.",
            "The proof's context is not the beginning of the document's.",
        )
    return proof["@context"]


def _previous(document: Document, proof: Document) -> list[Document]:
    """The proofs a proof in a chain covers (VC Data Integrity 1.0 section 4.3)."""
    named = proof["previousProof"]
    wanted = named if isinstance(named, list) else [named]
    others = [entry for entry in proofs(document) if entry is not proof and "id" in entry]
    found = [entry for entry in others if entry["id"] in wanted]
    if not wanted or len(found) != len(wanted) or len({e["id"] for e in found}) != len(wanted):
        raise ProofMalformed(
            "앞선 서명(previousProof)이 없습니다.", "A previous proof it names is missing."
        )
    return found
