"""Blockcerts v3: whose transaction holds the root a Merkle proof leads to?

Such a proof has no signature: the sender of the transaction is its signer. Who can ask the chain is
handed in; without that nothing is known about who made the credential, and it never passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from eth_hash.auto import keccak

from credential import did, merkle_proof_2019
from credential.contexts import UnknownContext
from credential.errors import BaeumError
from credential.multibase import from_base64url
from credential.multikey import SECP256K1, PublicKey, to_jwk
from credential.text import Text


@dataclass(frozen=True, slots=True)
class Transaction:
    """A mined transaction: the data it carries, and its sender (Ethereum: 0x and 40 hex digits)."""

    data: bytes
    sender: str


Transactions = Callable[[str, str], Transaction | None]
"""The transaction of a chain (``eth:sepolia``) by its id in hex; None when that chain has none.
Raises ``OSError`` or ``BaeumError`` when the chain cannot be asked."""


class Unanchored(BaeumError):
    """The proof is wrong: ``facts["reason"]`` says how."""

    code: ClassVar[str] = "merkle-proof-wrong"
    title: ClassVar[Text] = Text("머클 증명이 맞지 않습니다", "The Merkle proof does not hold")


class NotAsked(BaeumError):
    """Nobody here can say whether the transaction exists, or whose key its sender has."""

    code: ClassVar[str] = "anchor-not-looked-up"
    title: ClassVar[Text] = Text("체인 기록을 확인하지 못했습니다", "The anchor was not looked up")


def signer_of(
    document: Mapping[str, Any],
    proof: Mapping[str, Any],
    transactions: Transactions | None,
    did_document: Callable[[str], dict[str, Any]],
) -> tuple[str, str]:
    """The verification method and DID that anchored the credential.

    1. The credential leads to the root. 2. A transaction on a real chain carries exactly the root.
    3. Its sender is the key the proof names, as that DID's document lists it.
    Raises ``Unanchored``, ``NotAsked`` and what resolving the DID raises.
    """
    try:
        found = merkle_proof_2019.check(document, proof)
    except UnknownContext as unknown:
        raise NotAsked(unknown.detail, unknown.remedy, {"reason": unknown.code}) from unknown
    except BaeumError as wrong:
        reason = str(wrong.facts.get("reason", wrong.code))
        raise Unanchored(wrong.detail, None, {"reason": reason}) from wrong
    anchor = found.anchors[0]
    if anchor.chain == merkle_proof_2019.MOCKNET:
        raise _wrong(
            "anchored-nowhere",
            "어느 체인에도 기록되지 않은 시험용 증명입니다.",
            "It was issued on no chain at all, for tests.",
        )
    transaction = _looked_up(anchor, transactions)
    if transaction is None or transaction.data != found.root:
        raise _wrong(
            "another-root",
            "그 거래에 이 증명의 뿌리값이 없습니다.",
            "The transaction does not carry the root of this credential.",
        )
    method = str(proof.get("verificationMethod"))
    identifier = method.partition("#")[0]
    key = did.verification_key(did_document(identifier), method, "assertionMethod")
    if key.kind != SECP256K1 or _address(key) != transaction.sender.lower():
        raise _wrong(
            "another-sender",
            "거래를 보낸 쪽의 키가 증명에 적힌 발급자의 키가 아닙니다.",
            "The transaction was sent with another key than the issuer's.",
        )
    return method, identifier


def _looked_up(
    anchor: merkle_proof_2019.Anchor, transactions: Transactions | None
) -> Transaction | None:
    failure: Exception | None = None
    if transactions is not None:
        try:
            return transactions(anchor.chain, anchor.transaction)
        except (OSError, BaeumError) as error:
            failure = error
    raise NotAsked(
        Text(
            f"체인({anchor.chain})의 거래를 확인할 수 없습니다.",
            f"The transaction on {anchor.chain} cannot be looked up here.",
        ),
        Text(
            "그 체인에 접속할 수 있는 곳에서 확인해 주십시오.",
            "Verify where that chain can be asked.",
        ),
        {"reason": NotAsked.code, "chain": anchor.chain},
    ) from failure


def _address(key: PublicKey) -> str:
    jwk = to_jwk(key)
    point = from_base64url(jwk["x"]) + from_base64url(jwk["y"])
    return "0x" + keccak(point)[12:].hex()


def _wrong(reason: str, ko: str, en: str) -> Unanchored:
    return Unanchored(Text(ko, en), None, {"reason": reason})
