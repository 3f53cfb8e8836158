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
from issuer.keys import Keystore
from issuer.keys.keyfile import KeyfileCorrupted, KeyfileExposed, KeyMissing
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


@dataclass(frozen=True, slots=True)
class NotReady:
    """An institution that cannot, and why."""

    institution: str
    reason: Reason


def give_key(database: Database, keystore: Keystore, institution_id: str) -> str:
    """Make the institution's signing key, unless it has one, and note its DID. Returns the DID.

    Safe to repeat after a crash at any point. Raises ``UnknownInstitution`` and ``DidTaken``.
    """
    with database.reading() as session:
        require(session, institution_id)
    if not keystore.has(institution_id):
        keystore.create(institution_id)
    did = keystore.signer(institution_id).did
    with database.session() as session:
        institution = require(session, institution_id)
        if institution.did is None:
            institution.did = did
        elif institution.did != did:
            raise DidTaken(
                Text(
                    f"{institution_id}의 등록된 DID {institution.did}의 키가 아닙니다",
                    f"{institution_id} is registered with {institution.did}, not with this key",
                ),
                Text(
                    "등록된 DID의 키 파일을 되돌려 주세요",
                    "Restore the key file of the registered DID",
                ),
                {"institution": institution_id},
            )
    return did


def issuers(session: Session, keystore: Keystore) -> list[Ready | NotReady]:
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
    return [
        _issuer(institution, keystore, Accreditations(periods[institution.id]))
        for institution in session.scalars(select(Institution).order_by(Institution.id))
    ]


def _issuer(
    institution: Institution, keystore: Keystore, accreditations: Accreditations
) -> Ready | NotReady:
    try:
        did = keystore.signer(institution.id).did
    except (KeyMissing, KeyfileCorrupted, KeyfileExposed) as error:
        remedy = error.remedy or Text("키 파일을 확인해 주세요", "Check the key file")
        return NotReady(institution.id, Reason(error.code, error.detail, remedy))
    if institution.did != did:
        return NotReady(
            institution.id,
            Reason(
                DidTaken.code,
                Text(
                    "이 기관의 키가 등록된 DID와 다릅니다",
                    "The key here is not the institution's registered DID",
                ),
                Text(
                    "등록된 DID의 키 파일을 되돌리거나 DID를 등록해 주세요",
                    "Restore the key file of the registered DID, or register this one",
                ),
            ),
        )
    facts = IssuerFacts(institution.id, did, institution.name_ko, institution.name_en)
    return Ready(facts, accreditations)
