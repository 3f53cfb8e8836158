"""Which institutions can sign here, and for what they are accredited.

The chain holds the authoritative accreditation; this is the database's copy, read once per run so
that a record which would not verify is not signed in the first place.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.errors import BaeumError
from credential.text import Text
from issuer import key_history
from issuer.key_history import KeyEntry
from issuer.keys import ED25519, Keys, Keystore, PublicHalf
from issuer.keys.keyfile import KeyfileCorrupted, KeyfileExposed, KeyMissing, missing
from issuer.templates import IssuerFacts
from ledger.database.models import Accreditation, Institution
from ledger.database.session import Database
from ledger.institutions import require


class DidTaken(BaeumError):
    """The institution has another DID than the key here."""

    code = "did-differs"
    title = Text("등록된 DID와 키가 다릅니다", "The key is not the registered DID's")
    status: ClassVar[int] = 409


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a record gets no credential now. ``code`` is stable and kebab-case."""

    code: str
    text: Text
    remedy: Text


NOT_ACCREDITED = Reason(
    "not-accredited",
    Text(
        "활동이 끝난 날에 이 종류로 인증된 기관이 아니었습니다",
        "The institution was not accredited for this kind when the activity ended",
    ),
    Text(
        "기관 인증의 종류와 기간을 확인해 주세요", "Check the kinds and dates of its accreditation"
    ),
)
ACCREDITATION_ENDED = Reason(
    "accreditation-ended",
    Text(
        "기관의 이 종류 인증이 지금은 유효하지 않습니다",
        "The institution's accreditation for this kind does not hold today",
    ),
    Text(
        "인증을 갱신하거나 승계 기관이 발급해야 합니다",
        "Renew the accreditation, or let the successor issue",
    ),
)


@dataclass(frozen=True, slots=True)
class Accreditations:
    """The dated permissions of one institution, by kind: half-open intervals."""

    periods: dict[str, list[tuple[datetime, datetime | None]]]

    def holds(self, kind: str, at: datetime) -> bool:
        for start, end in self.periods.get(kind, ()):
            if start <= at and (end is None or at < end):
                return True
        return False

    def refusal(self, kind: str, ended_at: datetime, now: datetime) -> Reason | None:
        """Accredited when the activity ended, and still: a verifier asks for the time of issue."""
        if not self.holds(kind, ended_at):
            return NOT_ACCREDITED
        if not self.holds(kind, now):
            return ACCREDITATION_ENDED
        return None


@dataclass(frozen=True, slots=True)
class Ready:
    """An institution that can sign here."""

    facts: IssuerFacts
    accreditations: Accreditations
    method: str
    """The verification method that signs now."""


@dataclass(frozen=True, slots=True)
class NotReady:
    """An institution that cannot, and why."""

    institution: str
    reason: Reason


def give_key(
    database: Database, keystore: Keystore, institution_id: str, did: str | None = None
) -> str:
    """Make the institution's signing key, unless it has one, and note it. Returns its method.

    ``did``: the did:web it signs under; without one, the key's own did:key. Counts at set-up only:
    an institution with a key keeps its DID. Safe to repeat after a crash at any point. Raises
    ``UnknownInstitution`` and ``DidTaken``.
    """
    with database.reading() as session:
        institution = require(session, institution_id)
        noted = key_history.active(session, institution_id)
        registered, since = institution.did, institution.created_at
    if noted is None and not keystore.has(institution_id):
        keystore.create(institution_id)
    try:
        half = _first(keystore, institution_id, noted)
        method = noted.method if noted is not None else half.method(did)
        keystore.signer(institution_id, method)
    except KeyMissing as error:
        if not keystore.has(institution_id):
            raise
        raise _did_taken(institution_id, registered) from error
    if noted is None:
        if registered not in (None, did or half.did):
            raise _did_taken(institution_id, registered)
        with database.session() as session:
            institution = require(session, institution_id)
            institution.did = did or half.did
            key_history.add(session, half, institution.did, key_history.ACTIVE, since)
    return method


def _first(keystore: Keystore, institution_id: str, noted: KeyEntry | None) -> PublicHalf:
    for half in keystore.keys(institution_id):
        wanted = noted is None or half.multikey == noted.method.partition("#")[2]
        if wanted and half.algorithm == ED25519:
            return half
    raise missing(institution_id)


def _did_taken(institution_id: str, registered: str | None) -> DidTaken:
    return DidTaken(
        Text(
            f"{institution_id}의 등록된 DID {registered}의 키가 아닙니다",
            f"{institution_id} is registered with {registered}, not with this key",
        ),
        Text(
            "등록된 DID의 키 파일을 되돌려 주세요",
            "Restore the key file of the registered DID",
        ),
        {"institution": institution_id},
    )


def issuers(session: Session, keystore: Keys) -> list[Ready | NotReady]:
    """Every institution, ready to sign or with the reason why not, ordered by id.

    Raises ``WrongPassphrase``, which concerns all of them.
    """
    periods: dict[str, dict[str, list[tuple[datetime, datetime | None]]]] = defaultdict(dict)
    for row in session.execute(
        select(
            Accreditation.institution_id,
            Accreditation.kind,
            Accreditation.valid_from,
            Accreditation.valid_to,
        )
    ):
        periods[row.institution_id].setdefault(row.kind, []).append((row.valid_from, row.valid_to))
    methods = key_history.active_methods(session)
    return [
        _issuer(
            institution,
            keystore,
            methods.get(institution.id),
            Accreditations(periods[institution.id]),
        )
        for institution in session.scalars(select(Institution).order_by(Institution.id))
    ]


def _issuer(
    institution: Institution,
    keystore: Keys,
    method: str | None,
    accreditations: Accreditations,
) -> Ready | NotReady:
    try:
        if method is None:
            raise missing(institution.id)
        keystore.signer(institution.id, method)
    except (KeyMissing, KeyfileCorrupted, KeyfileExposed) as error:
        if isinstance(error, KeyMissing) and keystore.has(institution.id):
            return NotReady(institution.id, _OTHER_KEY)
        remedy = error.remedy or Text("키 파일을 확인해 주세요", "Check the key file")
        return NotReady(institution.id, Reason(error.code, error.detail, remedy))
    did = method.partition("#")[0]
    facts = IssuerFacts(institution.id, did, institution.name_ko, institution.name_en)
    return Ready(facts, accreditations, method)


_OTHER_KEY = Reason(
    DidTaken.code,
    Text(
        "이 기관의 키가 등록된 DID와 다릅니다",
        "The key here is not the institution's registered DID",
    ),
    Text(
        "등록된 DID의 키 파일을 되돌리거나 DID를 등록해 주세요",
        "Restore the key file of the registered DID, or register this one",
    ),
)
