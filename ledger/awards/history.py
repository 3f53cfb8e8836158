"""The history of every step: append-only, each row's hash over its content and the row before.

The head (number and hash of the last row) is one locked row, so writers queue and the chain has no
forks. Whoever wrote the head down elsewhere, in the minutes of a meeting for instance, can tell
later that nothing before it was altered, removed or slipped in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credential.jcs import canonical
from ledger.database.awards import AwardHistory, AwardHistoryHead

ORIGIN = bytes(32)
"""What the first row follows."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done. ``subject`` is what it was done to (``app_…``, ``award:7``, ``case_…``)."""

    actor: str
    action: str
    subject: str
    reason: str
    learner_id: str | None = None
    before: str | None = None
    after: str | None = None
    facts: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of the whole history found. ``broken_at``: the first row that does not fit."""

    rows: int
    head: str
    broken_at: int | None

    @property
    def whole(self) -> bool:
        return self.broken_at is None


def append(session: Session, now: datetime, steps: Iterable[Step]) -> None:
    """Add rows within the caller's transaction; the head's lock is held until it ends."""
    head = _head(session)
    for step in steps:
        body = {
            "sequence": head.sequence + 1,
            "at": _written(now),
            "actor": step.actor,
            "action": step.action,
            "subject": step.subject,
            "learner_id": step.learner_id,
            "before": step.before,
            "after": step.after,
            "reason": step.reason,
            "facts": dict(step.facts or {}),
        }
        digest = row_hash(head.hash, body)
        session.add(AwardHistory(**{**body, "at": now}, previous=head.hash, hash=digest))
        head.sequence, head.hash = head.sequence + 1, digest
    session.flush()


def _head(session: Session) -> AwardHistoryHead:
    head = session.get(AwardHistoryHead, 1, with_for_update=True)
    if head is not None:
        return head
    try:
        with session.begin_nested():
            session.add(AwardHistoryHead(id=1, sequence=0, hash=ORIGIN))
    except IntegrityError:
        pass  # somebody else began it this moment
    return session.get_one(AwardHistoryHead, 1, with_for_update=True, populate_existing=True)


def row_hash(previous: bytes, body: Mapping[str, Any]) -> bytes:
    """SHA-256 over a tag, the hash of the row before and the RFC 8785 form of the row."""
    return sha256(b"baeum/award-history/1" + previous + canonical(dict(body))).digest()


def check(session: Session, head: str | None = None) -> Checked:
    """Recompute every hash. ``head``: one written down earlier, hex; it must be in the chain."""
    previous, count, broken = ORIGIN, 0, None
    seen = head is None
    for row in session.scalars(
        select(AwardHistory).order_by(AwardHistory.sequence).execution_options(yield_per=500)
    ):
        count += 1
        body = {
            "sequence": row.sequence,
            "at": _written(row.at),
            "actor": row.actor,
            "action": row.action,
            "subject": row.subject,
            "learner_id": row.learner_id,
            "before": row.before,
            "after": row.after,
            "reason": row.reason,
            "facts": row.facts,
        }
        fits = (
            row.sequence == count
            and row.previous == previous
            and row.hash == row_hash(previous, body)
        )
        if not fits and broken is None:
            broken = count
        previous = row.hash
        seen = seen or row.hash.hex() == head
    stored = session.get(AwardHistoryHead, 1)
    end = (0, ORIGIN) if stored is None else (stored.sequence, stored.hash)
    if broken is None and (end != (count, previous) or not seen):
        broken = count + 1
    return Checked(count, previous.hex(), broken)


def of(session: Session, subject: str) -> list[dict[str, Any]]:
    """The rows about one thing, oldest first, as JSON."""
    rows = session.scalars(
        select(AwardHistory).where(AwardHistory.subject == subject).order_by(AwardHistory.sequence)
    )
    return [
        {
            "at": _written(row.at),
            "by": row.actor,
            "action": row.action,
            "before": row.before,
            "after": row.after,
            "reason": row.reason,
            "facts": row.facts,
        }
        for row in rows
    ]


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
