"""The log of who did what: append-only, each row's hash over its content and the row before it.

No personal data: people and keys by their ids, things by theirs. The head is one locked row, so
writers queue and the chain has no forks. Whoever exported the log, or wrote its head down, can tell
later that nothing before was altered, removed or slipped in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credential.jcs import canonical
from ledger.database.access import AccessLog, AccessLogHead

ORIGIN = bytes(32)
"""What the first row follows."""
_CONTENT = ("sequence", "actor", "action", "subject", "institution_id", "facts")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. ``broken_at``: the first row that does not fit."""

    rows: int
    head: str
    broken_at: int | None

    @property
    def whole(self) -> bool:
        return self.broken_at is None


def note(
    session: Session,
    now: datetime,
    actor: str,
    action: str,
    subject: str,
    institution: str | None = None,
    **facts: Any,
) -> None:
    """Add one row within the caller's transaction; the head's lock is held until it ends."""
    head = _head(session)
    row = AccessLog(
        sequence=head.sequence + 1,
        at=now,
        actor=actor,
        action=action,
        subject=subject[:160],
        institution_id=institution,
        facts=facts,
        previous=head.hash,
        hash=b"",
    )
    row.hash = row_hash(head.hash, content(row))
    session.add(row)
    head.sequence, head.hash = row.sequence, row.hash
    session.flush()


def content(row: AccessLog) -> dict[str, Any]:
    """What the hash of a row covers."""
    body = {name: getattr(row, name) for name in _CONTENT}
    return {**body, "at": row.at.astimezone(UTC).isoformat()}


def row_hash(previous: bytes, body: Mapping[str, Any]) -> bytes:
    """SHA-256 over a tag, the hash of the row before and the RFC 8785 form of the row."""
    return sha256(b"baeum/access-log/1" + previous + canonical(dict(body))).digest()


def _head(session: Session) -> AccessLogHead:
    head = session.get(AccessLogHead, 1, with_for_update=True)
    if head is not None:
        return head
    try:
        with session.begin_nested():
            session.add(AccessLogHead(id=1, sequence=0, hash=ORIGIN))
    except IntegrityError:
        pass  # somebody else began it this moment
    return session.get_one(AccessLogHead, 1, with_for_update=True, populate_existing=True)


def check(session: Session, head: str | None = None) -> Checked:
    """Recompute every hash. ``head``: one written down earlier, hex; it must be in the chain."""
    rows = session.scalars(
        select(AccessLog).order_by(AccessLog.sequence).execution_options(yield_per=500)
    )
    found = check_rows(((content(row), row.previous.hex(), row.hash.hex()) for row in rows), head)
    stored = session.get(AccessLogHead, 1)
    end = (0, ORIGIN.hex()) if stored is None else (stored.sequence, stored.hash.hex())
    if found.whole and end != (found.rows, found.head):
        return Checked(found.rows, found.head, found.rows + 1)
    return found


def check_rows(
    rows: Iterable[tuple[Mapping[str, Any], str, str]], head: str | None = None
) -> Checked:
    """The same over an export: content, previous and hash (hex) of each row, from the first on."""
    previous, count, broken = ORIGIN, 0, None
    seen = head is None
    for body, claimed, stated in rows:
        count += 1
        expected = row_hash(previous, body)
        fits = body["sequence"] == count and claimed == previous.hex() and stated == expected.hex()
        if not fits and broken is None:
            broken = count
        previous = expected
        seen = seen or stated == head
    if broken is None and not seen:
        broken = count + 1
    return Checked(count, previous.hex(), broken)


def rows(
    session: Session,
    institutions: frozenset[str] | None,
    *,
    before: int | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """The newest rows first: all, or only those of some institutions."""
    wanted = select(AccessLog).order_by(AccessLog.sequence.desc()).limit(limit)
    if institutions is not None:
        wanted = wanted.where(AccessLog.institution_id.in_(institutions))
    if before is not None:
        wanted = wanted.where(AccessLog.sequence < before)
    return [exported(row) for row in session.scalars(wanted)]


def export(
    session: Session, institutions: frozenset[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Every row from the first on, as plain data with its hashes."""
    wanted = select(AccessLog).order_by(AccessLog.sequence).execution_options(yield_per=500)
    if institutions is not None:
        wanted = wanted.where(AccessLog.institution_id.in_(institutions))
    for row in session.scalars(wanted):
        yield exported(row)


def exported(row: AccessLog) -> dict[str, Any]:
    """A row as the export writes it."""
    return {**content(row), "previous": row.previous.hex(), "hash": row.hash.hex()}
