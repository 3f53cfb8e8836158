"""A stored credential, or all of a learner's, as an SD-JWT VC; and one as a plain ``vc+jwt``.

The institution signs, or the registrar in its place: always for a transcript, and where the
institution's name alone would say something about its learners. What the registrar signs has a
status place of the registrar's own, because the institution's list would name the institution.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from credential import did, jose, sd_jwt_vc, token_status
from credential.errors import BaeumError
from credential.jose import ALGORITHM_OF_KEY
from credential.text import Text
from issuer import key_history, shards
from issuer.batches import CredentialUnknown
from issuer.handouts import claims, types
from issuer.handouts.claims import KST
from issuer.handouts.predicates import attested
from issuer.handouts.stored import CredentialNotInForce, Stored, in_force
from issuer.keys import ED25519, Keys, Signer
from issuer.status_lists import BOTH, list_url
from ledger.database.handouts import DiscreetInstitution, Handout, HandoutCredential
from ledger.database.models import Credential, StatusList
from ledger.database.session import Database
from ledger.learners import Identities

VALIDITY: Final = timedelta(days=365)
TRANSCRIPT_VALIDITY: Final = timedelta(days=90)
__all__ = ["CredentialNotInForce", "HandOut", "hand_out", "hand_out_transcript"]

MAX_RECORDS: Final = 500
"""Records in one transcript; a longer one would not fit into what wallets accept."""


class MustBeDiscreet(BaeumError):
    """The institution's name is sensitive: only the registrar signs for it."""

    code: ClassVar[str] = "institution-discreet"
    title: ClassVar[Text] = Text("기관이 직접 서명할 수 없습니다", "The institution may not sign")
    status: ClassVar[int] = 409


class HolderKeyUnusable(BaeumError):
    """The holder's DID names no key that could sign a presentation."""

    code: ClassVar[str] = "holder-key-unusable"
    title: ClassVar[Text] = Text("보유자의 키를 쓸 수 없습니다", "The holder's key cannot be used")
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class HandOut:
    """``text`` is what the learner is handed; ``signed_by`` the institution that signed it."""

    text: str
    signed_by: str
    expires_at: datetime


def hand_out(
    database: Database,
    keystore: Keys,
    credential_id: str,
    *,
    registrar: str,
    public_url: str,
    now: datetime,
    identities: Identities | None = None,
    holder: str | None = None,
    by_registrar: bool = False,
    algorithm: str = ED25519,
) -> HandOut:
    """One credential as an SD-JWT VC, bound to the key of ``holder`` (a did:key or did:jwk) or of
    the learner's own wallet; ``algorithm`` is the kind of key to sign with.

    Raises ``CredentialUnknown``, ``CredentialNotInForce``, ``HolderKeyUnusable`` and what opening
    the key raises.
    """
    with database.session() as session:
        (stored,) = in_force(session, [credential_id], identities)
        discreet = session.get(DiscreetInstitution, stored.institution) is not None
        by = registrar if by_registrar or discreet else stored.institution
        signer = _signer(session, keystore, by, algorithm)
        until = _hour(now) + VALIDITY
        if by == stored.institution:
            place = (stored.list_id, stored.index)
        else:
            place = _place(session, by, _learner(session, credential_id), [stored], now, until)
        body, frame = claims.with_person(
            *claims.of_record(stored.covered),
            subject=signer.pseudonym(stored.covered.record.learner_id),
            name=stored.name,
            predicates=attested(session, stored.covered.record.learner_id)
            if by == registrar
            else {},
        )
        bound = _bound(holder or stored.holder)
    around = _around(public_url, stored.covered.record.kind, signer, place, now, until)
    return _signed(body | bound | around, frame, signer, by, until)


def hand_out_transcript(
    database: Database,
    keystore: Keys,
    learner_id: str,
    *,
    registrar: str,
    public_url: str,
    now: datetime,
    identities: Identities | None = None,
    holder: str | None = None,
    algorithm: str = ED25519,
) -> HandOut:
    """All of a learner's credentials that are in force, under the registrar's name.

    Raises as ``hand_out``; ``CredentialUnknown`` when there is none.
    """
    with database.session() as session:
        query = (
            select(Credential.id)
            .where(Credential.learner_id == learner_id)
            .order_by(Credential.issued_at.desc(), Credential.id)
            .limit(MAX_RECORDS)
        )
        found = list(session.scalars(query))
        stored = in_force(session, found, identities, skip=True)
        if not stored:
            raise CredentialUnknown(
                Text("효력이 있는 증명이 없습니다", "The learner has no credential in force"),
                Text("먼저 증명을 발급해 주세요", "Issue credentials first"),
                {"learner": learner_id},
            )
        stored.sort(key=lambda one: (one.covered.record.ended_at, one.covered.credential_id))
        signer = _signer(session, keystore, registrar, algorithm)
        until = _hour(now) + TRANSCRIPT_VALIDITY
        place = _place(session, registrar, learner_id, stored, now, until)
        body, frame = claims.with_person(
            *claims.of_transcript([one.covered for one in stored], now.astimezone(KST).year),
            subject=signer.pseudonym(learner_id),
            name=stored[0].name,
            predicates=attested(session, learner_id),
        )
        bound = _bound(holder or stored[0].holder)
    around = _around(public_url, types.TRANSCRIPT, signer, place, now, until)
    return _signed(body | bound | around, frame, signer, registrar, until)


def as_vc_jwt(
    database: Database, keystore: Keys, credential_id: str, *, algorithm: str = ED25519
) -> HandOut:
    """The stored credential, word for word, secured as ``vc+jwt`` (VC-JOSE-COSE section 3.1).

    It names its institution: there is nothing to withhold in this form. Raises as ``hand_out``,
    and ``MustBeDiscreet``.
    """
    with database.session() as session:
        (stored,) = in_force(session, [credential_id], None)
        if session.get(DiscreetInstitution, stored.institution) is not None:
            raise MustBeDiscreet(
                Text(
                    "이 기관의 이름은 가려야 하므로 이 형식으로는 내주지 않습니다",
                    "This institution's name is withheld, which this form cannot do",
                ),
                Text("sd-jwt 형식으로 받으십시오", "Ask for the form sd-jwt"),
            )
        signer = _signer(session, keystore, stored.institution, algorithm)
        document = orjson.loads(session.get_one(Credential, credential_id).document)
    document.pop("proof", None)
    text = jose.sign(
        document,
        algorithm=ALGORITHM_OF_KEY[signer.algorithm],
        typ="vc+jwt",
        kid=signer.verification_method,
        sign=signer.sign,
        cty="vc",
    )
    return HandOut(text, stored.institution, datetime.max.replace(tzinfo=KST))


def _signed(
    body: dict[str, Any], frame: dict[Any, Any], signer: Signer, by: str, until: datetime
) -> HandOut:
    token = sd_jwt_vc.issue(
        body,
        frame,
        algorithm=ALGORITHM_OF_KEY[signer.algorithm],
        kid=signer.verification_method,
        sign=signer.sign,
    )
    return HandOut(str(token), by, until)


def _around(
    public_url: str,
    kind: str,
    signer: Signer,
    place: tuple[str, int],
    now: datetime,
    until: datetime,
) -> dict[str, Any]:
    """The claims of the token itself. Times are whole hours: to the second they would tell two
    copies of one credential apart from all others."""
    list_id, index = place
    return {
        "iss": signer.did,
        "vct": types.vct(public_url, kind),
        "vct#integrity": sd_jwt_vc.integrity(types.metadata(public_url, kind)),
        "iat": int(_hour(now).timestamp()),
        "exp": int(until.timestamp()),
        "status": token_status.reference(list_url(public_url, list_id, BOTH), index),
    }


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def _signer(session: Session, keystore: Keys, institution: str, algorithm: str) -> Signer:
    """The key of this kind that signs for the institution today."""
    entry = key_history.active(session, institution, algorithm)
    method = None if entry is None else entry.method
    return keystore.signer(institution, method, algorithm=algorithm)


def _bound(holder: str | None) -> dict[str, Any]:
    if holder is None:
        return {}
    try:
        document = did.document(holder)
        (method,) = document["authentication"]
        key = did.verification_key(document, method, "authentication")
    except (BaeumError, KeyError, ValueError) as error:
        raise HolderKeyUnusable(
            Text(f"보유자의 DID: {holder[:100]}", f"The holder's DID: {holder[:100]}"),
            Text("did:key 또는 did:jwk를 쓰십시오", "Use a did:key or did:jwk"),
        ) from error
    if key.kind not in ALGORITHM_OF_KEY:
        raise HolderKeyUnusable(
            Text(f"쓸 수 없는 종류의 키입니다: {key.kind}", f"A key of kind {key.kind}"),
            Text("Ed25519 또는 P-256 키를 쓰십시오", "Use an Ed25519 or P-256 key"),
        )
    return {"cnf": sd_jwt_vc.confirmation(key)}


def _learner(session: Session, credential_id: str) -> str:
    return session.get_one(Credential, credential_id).learner_id


def _place(
    session: Session,
    by: str,
    learner_id: str,
    stored: Sequence[Stored],
    now: datetime,
    until: datetime,
) -> tuple[str, int]:
    """A status place of its own in the registrar's lists, tied to the credentials it covers."""
    list_id, (index,) = shards.reserve(session, by, 1)
    handout = Handout(
        id=uuid.uuid4().urn,
        learner_id=learner_id,
        status_list_id=list_id,
        status_index=index,
        issued_at=now,
        expires_at=until,
    )
    session.add(handout)
    session.flush()
    session.add_all(
        HandoutCredential(handout_id=handout.id, credential_id=one.covered.credential_id)
        for one in stored
    )
    # a list that has not been published yet with this place in it is due
    session.get_one(StatusList, list_id).changed += 1
    return list_id, index
