"""Sessions of people and tokens of machines: from a secret to who acts.

A session ends after half an hour without a visit and twelve hours after it began. Its form key
(CSRF) is derived from its secret, so there is nothing more to keep or to leak.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from credential.multibase import base64url
from ledger.access import log
from ledger.access.accounts import Person, hash_of, person, secret
from ledger.access.errors import AccountInvalid, AccountUnknown
from ledger.access.permissions import OF_KEYS, granted
from ledger.database.access import AccessSession, AccessToken, Account
from ledger.identifiers import random_id

IDLE: Final = timedelta(minutes=30)
WHOLE: Final = timedelta(hours=12)
FRESH: Final = timedelta(minutes=5)
TOKEN_PREFIX: Final = "baeum_"  # noqa: S105 - what shows that it is one, not a secret
_NOTED: Final = timedelta(minutes=1)  # how exact seen_at and used_at are: one write a minute


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody known. ``fresh``: the password was given in the last five minutes."""

    person: Person
    fresh: bool
    opened_at: datetime


def open_session(session: Session, account: Account, now: datetime) -> str:
    """The secret of a new session."""
    text, hashed = secret()
    session.execute(delete(AccessSession).where(AccessSession.opened_at < now - WHOLE))
    session.add(
        AccessSession(hash=hashed, account_id=account.id, opened_at=now, seen_at=now, fresh_at=now)
    )
    return text


def visit(session: Session, text: str, now: datetime) -> Visit | None:
    """Whose session this is, or None when there is none any more. Notes the visit."""
    row = session.get(AccessSession, hash_of(text))
    if row is None or row.seen_at <= now - IDLE or row.opened_at <= now - WHOLE:
        return None
    account = session.get_one(Account, row.account_id)
    if account.state != "active":
        return None
    if row.seen_at <= now - _NOTED:
        row.seen_at = now
    return Visit(person(account), row.fresh_at > now - FRESH, row.opened_at)


def close_session(session: Session, text: str) -> str | None:
    """Sign out; the account whose session it was, None when it has ended already."""
    row = session.get(AccessSession, hash_of(text))
    if row is None:
        return None
    session.delete(row)
    return row.account_id


def close_all(session: Session, account_id: str) -> None:
    """Sign out everywhere."""
    session.execute(delete(AccessSession).where(AccessSession.account_id == account_id))


def form_key(text: str) -> str:
    """What every form of this session carries (CSRF); nothing about the session follows from it."""
    return base64url(hmac.digest(text.encode(), b"baeum/form/1", "sha256"))


def create_token(
    session: Session,
    account: Account,
    label: str,
    permissions: Iterable[str],
    now: datetime,
    lasts: timedelta = timedelta(days=365),
) -> tuple[AccessToken, str]:
    """A new token and its secret, shown once. Raises ``AccountInvalid`` (``permissions``,
    ``label``): a token may not do more than its account."""
    wanted = sorted(set(permissions))
    own = granted(account.roles)
    beyond = [name for name in wanted if name not in {p.value for p in own}]
    if beyond or not wanted:
        has = ", ".join(sorted(own))
        raise AccountInvalid(
            "permissions",
            f"이 계정에 없는 권한입니다: {', '.join(beyond) or '-'}. 있는 권한: {has}",
            f"Not permitted to this account: {', '.join(beyond) or '-'}. It has: {has}",
        )
    if not 1 <= len(label) <= 100:
        raise AccountInvalid(
            "label", "이름표는 1자에서 100자입니다.", "A label has 1 to 100 characters."
        )
    text, _ = secret()
    text = TOKEN_PREFIX + text
    row = AccessToken(
        id=random_id("tok"), hash=hash_of(text), account_id=account.id, label=label,
        permissions=wanted, created_at=now, expires_at=now + lasts, revoked_at=None, used_at=None,
    )  # fmt: skip
    session.add(row)
    log.note(session, now, account.id, "create-token", row.id, account.institution_id)
    return row, text


def bearer(session: Session, text: str, now: datetime) -> Person | None:
    """Who acts with this token, or None when it opens nothing (any more). Notes the use."""
    row = session.scalar(select(AccessToken).where(AccessToken.hash == hash_of(text)))
    if row is None or row.revoked_at is not None or row.expires_at <= now:
        return None
    account = session.get_one(Account, row.account_id)
    if account.state == "disabled" and row.institution_id is None:
        return None
    if row.used_at is None or row.used_at <= now - _NOTED:
        row.used_at = now
    if row.institution_id is not None:
        return machine(row)
    return person(account, row.permissions)


def machine(row: AccessToken) -> Person:
    """The institution's key as who acts."""
    held = frozenset(p for p in OF_KEYS if p.value in row.permissions)
    return Person(
        row.id,
        row.label,
        row.label,
        (),
        held,
        row.institution_id,
        None,
        machine=True,
        kinds=frozenset(row.kinds),
        sites=frozenset(row.sites),
    )


def revoke_token(session: Session, token_id: str, now: datetime, by: str = "system") -> AccessToken:
    """From now on it opens nothing. Raises ``AccountUnknown``."""
    row = session.get(AccessToken, token_id, with_for_update=True)
    if row is None:
        raise AccountUnknown(token_id)
    if row.revoked_at is None:
        row.revoked_at = now
        log.note(session, now, by, "revoke-token", row.id, row.institution_id)
    return row
