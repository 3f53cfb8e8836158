"""The registrar's transcript: one ClrCredential that bundles a learner's credentials.

Comprehensive Learner Record 2.0: the credentials are inside as they were signed, each with its own
proof, and the registrar signs the whole. It shows what was in force when it was made; each
credential inside keeps its own status. For a transcript whose parts can be withheld see
``issuer.handouts``.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from credential import contexts, integrity, multibase, status
from credential.errors import BaeumError
from credential.text import Text
from issuer import key_history
from issuer.keys import Keys
from issuer.keys.keyfile import missing
from issuer.names import random_urn
from issuer.templates.facts import instant
from ledger.database.models import Accreditation, Credential, Institution, StatusList

CLR_V2: Final = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
VALIDITY: Final = timedelta(days=90)
"""How long a transcript is good for: what it bundles may change, and it does not."""
MOST: Final = 500
"""Credentials in one transcript."""


class NothingToBundle(BaeumError):
    """The learner has no credential in force."""

    code = "nothing-to-bundle"
    title = Text("담을 증명이 없습니다", "There is nothing to bundle")
    status: ClassVar[int] = 404


class TranscriptTooLong(BaeumError):
    """More credentials than one document should hold."""

    code = "transcript-too-long"
    title = Text("증명이 너무 많습니다", "There are too many credentials")
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Transcript:
    """The signed document and how many credentials are in it and were left out (not in force)."""

    document: dict[str, Any]
    bundled: int
    left_out: int


def transcript(
    session: Session, keys: Keys, learner_id: str, now: datetime, *, name: str | None = None
) -> Transcript:
    """Bundle and sign what is in force today, oldest first.

    ``name``: the learner's, if it is to be in it. Raises ``NothingToBundle``,
    ``TranscriptTooLong``, ``KeyMissing`` and what opening the registrar's key raises.
    """
    found, left_out = _in_force(session, learner_id)
    if not found:
        raise NothingToBundle(
            Text(
                f"{learner_id}에게 효력 있는 증명이 없습니다",
                f"{learner_id} has no credential in force",
            ),
            Text("먼저 증명을 발급해 주세요", "Issue credentials first"),
        )
    if len(found) > MOST:
        raise TranscriptTooLong(
            Text(f"{len(found):,}건은 {MOST}건을 넘습니다", f"{len(found):,} are more than {MOST}"),
            Text("기관에 나누어 요청해 주세요", "Ask for hand-outs of single credentials"),
        )
    registrar = session.scalars(
        select(Institution)
        .join(Accreditation, Accreditation.institution_id == Institution.id)
        .where(Accreditation.kind == "registrar")
        .order_by(Accreditation.id)
        .limit(1)
    ).first()
    active = None if registrar is None else key_history.active(session, registrar.id)
    if registrar is None or active is None:
        raise missing("registrar" if registrar is None else registrar.id)
    signer = keys.signer(registrar.id, active.method)
    subject: dict[str, Any] = {
        "id": signer.pseudonym(learner_id),
        "type": ["ClrSubject"],
        "verifiableCredential": [orjson.loads(document) for document in found],
    }
    if name is not None:
        subject["identifier"] = [
            {
                "type": "IdentityObject",
                "identityType": "name",
                "hashed": False,
                "identityHash": name,
            }
        ]
    document = {
        "@context": [contexts.VC_V2, CLR_V2, contexts.OB_V3],
        "id": random_urn(secrets.token_bytes(16)),
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "학습이력 증명서 / Learning transcript",
        "issuer": {"id": signer.did, "type": ["Profile"], "name": registrar.name_ko},
        "validFrom": instant(now),
        "validUntil": instant(now + VALIDITY),
        "partial": bool(left_out),
        "credentialSubject": subject,
    }
    signed = integrity.sign(
        document,
        sign=signer.sign,
        verification_method=signer.verification_method,
        created=now,
        nonce=multibase.base64url(secrets.token_bytes(16)),
    )
    return Transcript(signed, len(found), left_out)


def _in_force(session: Session, learner_id: str) -> tuple[list[bytes], int]:
    rows = session.execute(
        select(
            Credential.document,
            Credential.status_index,
            StatusList.revoked,
            StatusList.suspended,
        )
        .join(StatusList, StatusList.id == Credential.status_list_id)
        .where(Credential.learner_id == learner_id, Credential.replaced_by.is_(None))
        .order_by(Credential.issued_at, Credential.id)
    ).all()
    good = [
        row.document
        for row in rows
        if not status.bit(row.revoked, row.status_index)
        and not status.bit(row.suspended, row.status_index)
    ]
    return good, len(rows) - len(good)
