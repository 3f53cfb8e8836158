"""Who a learner is: identifiers as keyed commitments, names encrypted, everything else opaque.

A learner is found by a verified identifier only, never by a name. The identifier itself is not
kept: only HMAC-SHA-256 of it under a key that lives outside the database, so a copy of the database
cannot be searched for a guessed member number. Erasing the name row erases the person.
"""

from __future__ import annotations

import hmac
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from credential.errors import BaeumError
from credential.text import Text
from ledger.database.models import Learner, LearnerIdentifier, LearnerIdentity
from ledger.identifiers import random_id

_VERSION = b"\x01"


class NameUnreadable(BaeumError):
    """A sealed name that this key does not open, or that belongs to another learner."""

    code = "name-unreadable"
    title = Text("이름을 열 수 없습니다", "The name cannot be opened")
    status = 500


def normal_identifier(identifier: str) -> str:
    """The form in which two spellings of one identifier are equal: full-width, case, spaces."""
    if identifier.isascii():
        return "".join(identifier.lower().split())
    # Folding can make room for another composition: repeat until nothing moves.
    before = ""
    while before != identifier:
        before = identifier
        folded = unicodedata.normalize("NFKC", identifier).casefold()
        visible = (c for c in folded if unicodedata.category(c) != "Cf")
        identifier = unicodedata.normalize("NFKC", "".join("".join(visible).split()))
    return identifier


@dataclass(frozen=True, slots=True)
class Identities:
    """The two keys of identity, 32 bytes each, handed in by whoever keeps secrets."""

    commitment_key: bytes = field(repr=False)
    name_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.commitment_key) != 32 or len(self.name_key) != 32:
            raise ValueError("an identity key is 32 bytes")

    def commit(self, scheme: str, identifier: str) -> bytes:
        """32 bytes that stand for ``identifier`` of ``scheme``; equal for equal identifiers."""
        return self.keyed("identifier", scheme, normal_identifier(identifier))

    def keyed(self, *parts: str) -> bytes:
        """HMAC-SHA-256 of ``parts``, each preceded by its length so that none runs into another."""
        message = "".join([f"{len(part)}:{part}" for part in parts])
        return hmac.digest(self.commitment_key, message.encode(), "sha256")

    def seal_name(self, learner_id: str, name: str) -> bytes:
        """AES-256-GCM of ``name`` bound to ``learner_id``: version, nonce, ciphertext and tag."""
        nonce = os.urandom(12)
        sealed = AESGCM(self.name_key).encrypt(nonce, name.encode(), learner_id.encode())
        return _VERSION + nonce + sealed

    def open_name(self, learner_id: str, sealed: bytes) -> str:
        """The name; raises NameUnreadable."""
        if sealed.startswith(_VERSION):
            try:
                plain = AESGCM(self.name_key).decrypt(
                    sealed[1:13], sealed[13:], learner_id.encode()
                )
                return plain.decode()
            except InvalidTag:
                pass
        raise NameUnreadable(
            Text(
                "저장된 이름을 이 열쇠로 열 수 없습니다.",
                "The stored name does not open with this key.",
            ),
            Text(
                "비밀 열쇠 파일이 바뀌지 않았는지 확인하세요.",
                "Check that the secret key file is the right one.",
            ),
        )


@dataclass(frozen=True, slots=True)
class Known:
    """A learner found by an identifier. ``name`` is None once it was erased."""

    learner_id: str
    name: str | None


def find(
    session: Session, identities: Identities, commitments: Iterable[bytes]
) -> dict[bytes, Known]:
    """The learners behind ``commitments``, by one query for each 500; unknown ones are absent."""
    wanted = list(commitments)
    found: dict[bytes, Known] = {}
    for start in range(0, len(wanted), 500):
        rows = session.execute(
            select(LearnerIdentifier.commitment, LearnerIdentifier.learner_id, LearnerIdentity.name)
            .outerjoin(LearnerIdentity, LearnerIdentity.learner_id == LearnerIdentifier.learner_id)
            .where(LearnerIdentifier.commitment.in_(wanted[start : start + 500]))
        )
        for commitment, learner_id, sealed in rows:
            found[commitment] = Known(learner_id, _opened(identities, learner_id, sealed))
    return found


def _opened(identities: Identities, learner_id: str, sealed: bytes | None) -> str | None:
    return None if sealed is None else identities.open_name(learner_id, sealed)


def learner_by(
    session: Session, identities: Identities, scheme: str, identifier: str
) -> str | None:
    """The id of the learner known by ``identifier``, or None."""
    return session.scalar(
        select(LearnerIdentifier.learner_id).where(
            LearnerIdentifier.commitment == identities.commit(scheme, identifier)
        )
    )


def enrol(
    session: Session,
    identities: Identities,
    scheme: str,
    newcomers: Iterable[tuple[bytes, str | None]],
    now: datetime,
) -> dict[bytes, str]:
    """Create a learner for each (commitment, name) and give back their ids.

    Raises IntegrityError when somebody else enrolled one of them meanwhile: begin again.
    """
    ids = {commitment: (random_id("lrn"), name) for commitment, name in newcomers}
    if not ids:
        return {}
    session.execute(
        Learner.__table__.insert(),  # type: ignore[attr-defined]
        [{"id": learner_id, "created_at": now} for learner_id, _ in ids.values()],
    )
    session.execute(
        LearnerIdentifier.__table__.insert(),  # type: ignore[attr-defined]
        [
            {"commitment": commitment, "learner_id": learner_id, "scheme": scheme}
            for commitment, (learner_id, _) in ids.items()
        ],
    )
    named = [
        {"learner_id": learner_id, "name": identities.seal_name(learner_id, name)}
        for learner_id, name in ids.values()
        if name
    ]
    if named:
        session.execute(LearnerIdentity.__table__.insert(), named)  # type: ignore[attr-defined]
    return {commitment: learner_id for commitment, (learner_id, _) in ids.items()}


def name_of(session: Session, identities: Identities, learner_id: str) -> str | None:
    """The learner's name, or None when none was given or it was erased."""
    sealed = session.scalar(
        select(LearnerIdentity.name).where(LearnerIdentity.learner_id == learner_id)
    )
    return _opened(identities, learner_id, sealed)


def erase(session: Session, learner_id: str) -> None:
    """Forget who this is: name and identifiers go, the records stay with nobody's name on them."""
    session.execute(delete(LearnerIdentity).where(LearnerIdentity.learner_id == learner_id))
    session.execute(delete(LearnerIdentifier).where(LearnerIdentifier.learner_id == learner_id))
