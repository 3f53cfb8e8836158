"""Four eyes: an act proposed by one person and confirmed by another, who may do it as well.

The proposal holds what is to be done; who confirms gets it back once, in the same transaction, and
does it there. Nobody confirms their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.access import log
from ledger.access.accounts import Person
from ledger.access.errors import Conflicts, NotPermitted, NotYours
from ledger.access.permissions import Permission
from ledger.database.access import Proposal
from ledger.identifiers import random_id

OPEN_FOR = timedelta(days=14)


def propose(
    session: Session,
    by: Person,
    permission: Permission,
    subject: str,
    body: Mapping[str, Any],
    now: datetime,
    institution: str | None = None,
) -> Proposal:
    """Propose an act that needs ``permission``. Raises ``NotPermitted``."""
    by.insist(permission, institution)
    row = Proposal(
        id=random_id("pro"),
        action=permission.value,
        subject=subject,
        body=dict(body),
        institution_id=institution,
        state="open",
        proposed_by=by.account_id,
        proposed_at=now,
        expires_at=now + OPEN_FOR,
    )
    session.add(row)
    session.flush()
    log.note(session, now, by.account_id, "propose", row.id, institution, permission=row.action)
    return row


def confirm(session: Session, by: Person, proposal_id: str, now: datetime) -> Proposal:
    """Confirm it as a second person: what to do is in ``body``, to be done in this transaction."""
    return _decide(session, by, proposal_id, "confirmed", now)


def refuse(session: Session, by: Person, proposal_id: str, now: datetime) -> Proposal:
    """Refuse it; who proposed may take it back this way as well."""
    return _decide(session, by, proposal_id, "refused", now)


def _decide(session: Session, by: Person, proposal_id: str, what: str, now: datetime) -> Proposal:
    row = session.get(Proposal, proposal_id, with_for_update=True)
    if row is None or not by.may(Permission(row.action), row.institution_id):
        raise NotYours("proposal")
    if row.state != "open" or row.expires_at <= now:
        raise Conflicts(
            "이미 결정되었거나 기한이 지난 제안입니다.",
            "This proposal was decided already or has run out.",
        )
    if what == "confirmed" and row.proposed_by == by.account_id:
        raise NotPermitted("a-second-person")
    row.state, row.decided_by, row.decided_at = what, by.account_id, now
    log.note(session, now, by.account_id, what, row.id, row.institution_id, permission=row.action)
    return row


def waiting(session: Session, by: Person, now: datetime) -> list[Proposal]:
    """Open proposals ``by`` may see, oldest first."""
    rows = session.scalars(
        select(Proposal)
        .where(Proposal.state == "open", Proposal.expires_at > now)
        .order_by(Proposal.proposed_at)
        .limit(500)
    )
    return [row for row in rows if by.may(Permission(row.action), row.institution_id)]
