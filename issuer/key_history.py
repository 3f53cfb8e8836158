"""Which key of an institution signs, and which signed before: the database's side of the keys.

A key made is ``next`` until the registry knows it, then ``active``; the one before it is
``retiring`` (it counts until ``ends_at``, for what is on its way) or ``compromised``. Rows stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.did import bound_name
from issuer.keys import ED25519, PublicHalf
from issuer.templates.facts import instant
from ledger.database.key_models import SigningKey

NEXT: Final = "next"
ACTIVE: Final = "active"
RETIRING: Final = "retiring"
COMPROMISED: Final = "compromised"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key of the history, as it is listed and published."""

    institution: str
    algorithm: str
    did: str
    method: str
    backend: str
    number: int
    state: str
    active_from: datetime | None
    ends_at: datetime | None
    compromised_at: datetime | None
    reason: str | None

    @property
    def name(self) -> str:
        """What the registry knows it by."""
        return bound_name(self.method)

    def state_at(self, now: datetime) -> str:
        """``retired`` once a retiring key's time has run, else the state."""
        over = self.state == RETIRING and self.ends_at is not None and self.ends_at <= now
        return "retired" if over else self.state

    def to_json(self, now: datetime) -> dict[str, Any]:
        body: dict[str, Any] = {
            "institution": self.institution,
            "algorithm": self.algorithm,
            "did": self.did,
            "method": self.method,
            "backend": self.backend,
            "number": self.number,
            "state": self.state_at(now),
        }
        for name, moment in (
            ("activeFrom", self.active_from),
            ("endsAt", self.ends_at),
            ("compromisedAt", self.compromised_at),
        ):
            if moment is not None:
                body[name] = instant(moment)
        if self.reason is not None:
            body["reason"] = self.reason
        return body


def history(session: Session, institution: str | None = None) -> list[KeyEntry]:
    """Every key of an institution, or of all, oldest first within each."""
    query = select(SigningKey).order_by(SigningKey.institution_id, SigningKey.id)
    if institution is not None:
        query = query.where(SigningKey.institution_id == institution)
    return [entry_of(row) for row in session.scalars(query)]


def active(session: Session, institution: str, algorithm: str = ED25519) -> KeyEntry | None:
    """The key that signs for the institution now, or None."""
    row = in_state(session, institution, algorithm, ACTIVE)
    return None if row is None else entry_of(row)


def active_methods(session: Session, algorithm: str = ED25519) -> dict[str, str]:
    """By institution: the verification method that signs now."""
    rows = session.execute(
        select(SigningKey.institution_id, SigningKey.method).where(
            SigningKey.algorithm == algorithm, SigningKey.state == ACTIVE
        )
    )
    return {row.institution_id: row.method for row in rows}


def is_compromised(session: Session, method: str) -> bool:
    """Whether others may have this key."""
    state = session.scalar(select(SigningKey.state).where(SigningKey.method == method))
    return state == COMPROMISED


def waiting(session: Session, institution: str, algorithm: str) -> KeyEntry | None:
    """The key made for the next turn, or None."""
    row = in_state(session, institution, algorithm, NEXT)
    return None if row is None else entry_of(row)


def add(session: Session, half: PublicHalf, did: str, state: str, now: datetime) -> KeyEntry:
    """Note a key that was made; it must be the only one of its state and algorithm."""
    row = SigningKey(
        institution_id=half.institution,
        algorithm=half.algorithm,
        did=did,
        method=half.method(did),
        backend=half.backend,
        number=half.number,
        state=state,
        created_at=now,
        active_from=now if state == ACTIVE else None,
    )
    session.add(row)
    session.flush()
    return entry_of(row)


def unnoted(session: Session, halves: Sequence[PublicHalf], algorithm: str) -> PublicHalf | None:
    """A key that was made and then forgotten: a crash came before it was noted."""
    known = {entry.method.partition("#")[2] for entry in history(session)}
    left = [h for h in halves if h.algorithm == algorithm and h.multikey not in known]
    return left[-1] if left else None


def in_state(session: Session, institution: str, algorithm: str, state: str) -> SigningKey | None:
    """The one row in a state that only one can be in."""
    found: SigningKey | None = session.scalars(
        select(SigningKey).where(
            SigningKey.institution_id == institution,
            SigningKey.algorithm == algorithm,
            SigningKey.state == state,
        )
    ).one_or_none()
    return found


def entry_of(row: SigningKey) -> KeyEntry:
    """The row as a value."""
    return KeyEntry(
        row.institution_id,
        row.algorithm,
        row.did,
        row.method,
        row.backend,
        row.number,
        row.state,
        row.active_from,
        row.ends_at,
        row.compromised_at,
        row.reason,
    )
