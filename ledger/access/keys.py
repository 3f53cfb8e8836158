"""Keys of an institution's programs: they act for the institution, whoever made them.

A key may do a chosen part of what programs may do, for chosen kinds and sites, until a chosen day.
Rotation makes a successor and lets the old one live a little longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import institutions
from ledger.access import log
from ledger.access.accounts import Person, hash_of, secret
from ledger.access.errors import AccountInvalid, Conflicts, NotYours
from ledger.access.permissions import OF_KEYS, Permission
from ledger.access.sessions import TOKEN_PREFIX, revoke_token
from ledger.database.access import AccessToken, Account, Site
from ledger.identifiers import random_id

LONGEST: Final = timedelta(days=366)
OVERLAP: Final = timedelta(days=7)


def create(
    session: Session,
    by: Person,
    institution: str,
    *,
    label: str,
    permissions: Iterable[str],
    now: datetime,
    kinds: Iterable[str] = (),
    sites: Iterable[str] = (),
    days: int = 180,
) -> tuple[AccessToken, str]:
    """A new key and its secret, shown once. Raises ``NotPermitted``, ``AccountInvalid``."""
    by.insist(Permission.KEYS_MANAGE, institution)
    institutions.require(session, institution)
    wanted = sorted(set(permissions))
    if not wanted or not set(wanted) <= {p.value for p in OF_KEYS}:
        known = ", ".join(sorted(OF_KEYS))
        raise AccountInvalid(
            "permissions",
            f"허용할 일을 하나 이상 고르세요: {known}",
            f"Choose at least one of: {known}",
        )
    if not 1 <= len(label.strip()) <= 100:
        raise AccountInvalid(
            "label", "이름표는 1자에서 100자입니다.", "A label has 1 to 100 characters."
        )
    if not 1 <= days <= LONGEST.days:
        raise AccountInvalid(
            "days",
            f"기한은 1일에서 {LONGEST.days}일 사이입니다.",
            f"A key lives 1 to {LONGEST.days} days.",
        )
    places = sorted(set(sites))
    for site in places:
        found = session.get(Site, site)
        if found is None or found.institution_id != institution:
            raise NotYours("site")
    row = AccessToken(
        institution_id=institution,
        label=label.strip(),
        permissions=wanted,
        kinds=sorted({kind.strip() for kind in kinds if kind.strip()}),
        sites=places,
        expires_at=now + timedelta(days=days),
    )
    return _store(session, by, row, "create-key", now)


def _store(
    session: Session, by: Person, row: AccessToken, action: str, now: datetime
) -> tuple[AccessToken, str]:
    text = TOKEN_PREFIX + secret()[0]
    row.id, row.hash, row.created_at = random_id("key"), hash_of(text), now
    # who answers for it; the command line has no account, so the institution's first one does
    row.account_id = by.account_id
    if session.get(Account, by.account_id) is None:
        row.account_id = _first(session, row.institution_id)
    session.add(row)
    session.flush()
    log.note(
        session, now, by.account_id, action, row.id, row.institution_id, permissions=row.permissions
    )
    return row, text


def _first(session: Session, institution: str | None) -> str:
    found = session.scalar(
        select(Account.id)
        .where(Account.institution_id == institution, Account.state != "disabled")
        .order_by(Account.created_at, Account.id)
        .limit(1)
    )
    if found is None:
        raise AccountInvalid(
            "institution",
            "이 기관에는 아직 사람이 없습니다. 관리자를 먼저 초대하세요.",
            "Nobody of this institution has an account yet: invite a manager first.",
        )
    return found


def rotate(session: Session, by: Person, key_id: str, now: datetime) -> tuple[AccessToken, str]:
    """A successor with the same scope and length of life; the old one ends after ``OVERLAP``."""
    old = one(session, by, key_id)
    if state(old, now) != "active":
        raise Conflicts(
            "이미 바꿨거나 끝난 열쇠입니다.", "This key was rotated or has ended already."
        )
    row, text = _store(
        session,
        by,
        AccessToken(
            institution_id=old.institution_id,
            label=old.label,
            permissions=old.permissions,
            kinds=old.kinds,
            sites=old.sites,
            expires_at=now + (old.expires_at - old.created_at),
        ),
        "rotate-key",
        now,
    )
    old.replaced_by, old.expires_at = row.id, min(old.expires_at, now + OVERLAP)
    return row, text


def revoke(session: Session, by: Person, key_id: str, now: datetime) -> None:
    """End a key at once; repeating it does nothing."""
    revoke_token(session, one(session, by, key_id).id, now, by.account_id)


def one(session: Session, by: Person, key_id: str) -> AccessToken:
    """A key of an institution whose keys ``by`` manages; raises ``NotYours`` for all others."""
    row = session.get(AccessToken, key_id, with_for_update=True)
    if (
        row is None
        or row.institution_id is None
        or not by.may(Permission.KEYS_MANAGE, row.institution_id)
    ):
        raise NotYours("key")
    return row


def listed(session: Session, by: Person) -> list[AccessToken]:
    """The institutions' keys ``by`` manages, newest first."""
    wanted = (
        select(AccessToken)
        .where(AccessToken.institution_id.is_not(None))
        .order_by(AccessToken.created_at.desc(), AccessToken.id)
    )
    reach = by.reach(Permission.KEYS_MANAGE)
    if reach is not None:
        wanted = wanted.where(AccessToken.institution_id.in_(reach))
    return list(session.scalars(wanted))


def state(row: AccessToken, now: datetime) -> str:
    """``active``, ``ending`` (rotated, still good), ``expired`` or ``revoked``."""
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at <= now:
        return "expired"
    return "ending" if row.replaced_by is not None else "active"
