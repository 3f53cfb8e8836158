"""Credentials of any kind, issued one at a time from a document that is handed in (VC-API).

The document keeps its words; it is held to the data model, gets the institution's DID, an id and
(where it is VC 2.0 and brings none) its places in the status lists, and is signed. Nothing is
anchored: there is no learning record behind it. What was signed is stored in the same transaction
that took its status index.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import orjson
from sqlalchemy.orm import Session

from credential import contexts, integrity, model, status
from credential.errors import BaeumError
from credential.multibase import base64url
from credential.text import Text
from issuer import shards
from issuer.keys import Keystore
from issuer.names import random_urn
from issuer.status import RevocationIsFinal
from issuer.templates import StatusPlace
from ledger.database.direct import DirectCredential
from ledger.database.models import StatusList
from ledger.database.session import Database

MAX_ID = 200
PURPOSES = ("revocation", "suspension")
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"


class CredentialRefused(BaeumError):
    """400: the document handed in cannot become a credential; ``problems`` say why."""

    code: ClassVar[str] = "credential-refused"
    title: ClassVar[Text] = Text("발급할 수 없는 내용입니다", "This cannot be issued")
    status: ClassVar[int] = 400


class CredentialExists(BaeumError):
    """409: a credential with this id was issued before."""

    code: ClassVar[str] = "credential-exists"
    title: ClassVar[Text] = Text("이미 발급된 증명 번호입니다", "A credential has this id already")
    status: ClassVar[int] = 409


class DirectCredentialUnknown(BaeumError):
    """404: the institution issued no credential of this id directly."""

    code: ClassVar[str] = "credential-unknown"
    title: ClassVar[Text] = Text("없는 증명입니다", "There is no such credential")
    status: ClassVar[int] = 404


@dataclass(frozen=True, slots=True)
class DirectIssuer:
    """Signs with the keys of ``keystore``. ``publish`` puts changed status lists where
    ``public_url`` shows them; it is called after each change, so that what is answered is what can
    be read."""

    database: Database
    keystore: Keystore
    public_url: str
    clock: Callable[[], datetime]
    publish: Callable[[], object]

    def issue(
        self, institution: str, credential: dict[str, Any], cryptosuite: str = integrity.RDFC
    ) -> dict[str, Any]:
        """The secured credential. Raises ``CredentialRefused``, ``CredentialExists``, what the
        canonical form raises, and what opening the key raises."""
        signer = self.keystore.signer(institution)
        document = _with_issuer(credential, signer.did)
        document.setdefault("id", random_urn(os.urandom(16)))
        _inject_context(document)
        _require_sound(document)
        now = self.clock()
        with self.database.session() as session:
            if session.get(DirectCredential, document["id"]) is not None:
                raise CredentialExists(
                    Text(
                        f"이미 발급된 번호입니다: {document['id']}",
                        f"Issued before: {document['id']}",
                    ),
                    Text("다른 id를 쓰거나 비워 두세요.", "Use another id, or leave it out."),
                )
            shard, [index] = shards.reserve(session, institution, 1)
            if "credentialStatus" not in document and contexts.VC_V1 not in document["@context"]:
                document["credentialStatus"] = _entries(self.public_url, shard, index)
            signed = integrity.sign(
                document,
                sign=signer.sign,
                verification_method=signer.verification_method,
                created=now,
                nonce=base64url(os.urandom(16)),
                cryptosuite=cryptosuite,
            )
            session.add(
                DirectCredential(
                    id=document["id"],
                    institution_id=institution,
                    document=orjson.dumps(signed),
                    status_list_id=shard,
                    status_index=index,
                    issued_at=now,
                )
            )
        self.publish()
        return signed

    def set_status(self, institution: str, credential_id: str, purpose: str, on: bool) -> None:
        """Set or clear a status of a credential this institution issued here.

        Raises ``DirectCredentialUnknown`` and ``RevocationIsFinal``.
        """
        with self.database.session() as session:
            row = session.get(DirectCredential, credential_id, with_for_update=True)
            if row is None or row.institution_id != institution:
                raise DirectCredentialUnknown(
                    Text(
                        f"이 기관이 발급한 증명이 아닙니다: {credential_id[:80]}",
                        f"Not issued by this institution: {credential_id[:80]}",
                    ),
                    Text("증명의 id를 확인해 주세요.", "Check the id of the credential."),
                )
            if f"/{row.status_list_id}/{purpose}#".encode() not in row.document:
                raise _refused(
                    "credentialStatus",
                    "이 증명에는 이 서버의 상태 목록이 적혀 있지 않습니다.",
                    "The credential names no status list of this server.",
                )
            _turn(session, row, purpose, on, self.clock())
        self.publish()


def _with_issuer(credential: dict[str, Any], did: str) -> dict[str, Any]:
    if "proof" in credential:
        raise _refused("proof", "서명이 이미 들어 있습니다.", "It has a proof already.")
    issuer = credential.get("issuer", did)
    named = issuer.get("id", did) if isinstance(issuer, dict) else issuer
    if named != did:
        raise _refused(
            "issuer",
            "발급 기관이 이 서버의 기관이 아닙니다.",
            f"The issuer is another than this institution, {did}.",
        )
    return {**credential, "issuer": {**issuer, "id": did} if isinstance(issuer, dict) else did}


def _inject_context(document: dict[str, Any]) -> None:
    """VC 1.1 does not define our proof: name the context that does (Data Integrity 1.0, 2.4.1)."""
    named = document.get("@context")
    if isinstance(named, list) and contexts.VC_V1 in named and DATA_INTEGRITY not in named:
        document["@context"] = [*named, DATA_INTEGRITY]


def _require_sound(document: dict[str, Any]) -> None:
    problems = model.check(document)
    if problems:
        raise CredentialRefused(
            problems[0].reason,
            Text("problems의 항목을 고쳐 주세요.", "Correct what problems lists."),
            {"problems": [problem.to_json() for problem in problems[:20]]},
        )
    if len(document["id"]) > MAX_ID:
        raise _refused("id", f"id가 {MAX_ID}자보다 깁니다.", f"id is longer than {MAX_ID}.")


def _entries(public_url: str, shard: str, index: int) -> list[dict[str, str]]:
    place = StatusPlace.at(public_url, shard)
    return [
        {
            "id": f"{url}#{index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose,
            "statusListIndex": str(index),
            "statusListCredential": url,
        }
        for purpose, url in zip(PURPOSES, (place.revocation, place.suspension), strict=True)
    ]


def _turn(session: Session, row: DirectCredential, purpose: str, on: bool, now: datetime) -> None:
    shard = session.get_one(StatusList, row.status_list_id, with_for_update=True)
    if purpose == "revocation":
        if not on and row.revoked_at is not None:
            raise RevocationIsFinal(
                Text(f"취소된 증명입니다: {row.id}", f"{row.id} is revoked"),
                Text("필요하면 새 증명을 발급해 주세요", "Issue a new credential if one is due"),
                {"credential": row.id},
            )
        if on and row.revoked_at is None:
            row.revoked_at = now
            shard.revoked = status.with_bits(shard.revoked, [row.status_index], True)
            shard.changed += 1
    elif (row.suspended_at is not None) is not on:
        row.suspended_at = now if on else None
        shard.suspended = status.with_bits(shard.suspended, [row.status_index], on)
        shard.changed += 1


def _refused(member: str, ko: str, en: str) -> CredentialRefused:
    return CredentialRefused(
        Text(ko, en),
        Text("보낸 내용을 고쳐 주세요.", "Correct what was sent."),
        {"member": member},
    )
