"""Accounts: inviting, accepting an invitation, signing in, and what they may do.

A password is never set by somebody else and never has a default: an invitation's code, shown once,
lets its holder choose one. Wrong passwords make the account wait, longer each time; an unknown name
costs as much time as a wrong password and gets the same answer.
"""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ledger.access import log
from ledger.access.errors import (
    AccountInvalid,
    AccountUnknown,
    InvitationEnded,
    NotPermitted,
    SignInFailed,
    TooManyTries,
)
from ledger.access.permissions import GRANTS, PLACED, Permission, Role, granted
from ledger.database.access import AccessSession, AccessToken, Account, Invitation, Site
from ledger.database.models import Institution, Learner
from ledger.identifiers import random_id

INVITATION_LASTS: Final = timedelta(days=7)
FREE_TRIES: Final = 5
LONGEST_WAIT: Final = 900  # seconds
LEAST_PASSWORD: Final = 10
MOST_PASSWORD: Final = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}[a-z0-9]")
# RFC 9106's second recommended choice: Argon2id, 64 MiB, 3 passes, 4 lanes.
_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts, as routes see them. ``permissions`` are those of the roles, or of a token."""

    account_id: str
    name: str
    shown: str
    roles: tuple[str, ...]
    permissions: frozenset[Permission]
    institution_id: str | None
    learner_id: str | None
    site_id: str | None = None
    machine: bool = False
    kinds: frozenset[str] = frozenset()  # an institution's key; none: every kind
    sites: frozenset[str] = frozenset()

    def reach(self, permission: Permission) -> frozenset[str] | None:
        """The institutions for which it is permitted; None for every one."""
        if permission not in self.permissions:
            return frozenset()
        roles = [role for role in Role if role in self.roles and permission in GRANTS[role]]
        if not self.machine and any(role not in PLACED for role in roles):
            return None
        return frozenset() if self.institution_id is None else frozenset({self.institution_id})

    def may(
        self, permission: Permission, institution: str | None = None, site: str | None = None
    ) -> bool:
        """Whether it is permitted at all, or in ``institution`` (and there at ``site``)."""
        reach = self.reach(permission)
        if permission not in self.permissions or (
            institution is not None and reach is not None and institution not in reach
        ):
            return False
        own = self.sites or ({self.site_id} if self.site_id is not None else None)
        return site is None or reach is None or not own or site in own

    def insist(
        self, permission: Permission, institution: str | None = None, site: str | None = None
    ) -> None:
        """Raises ``NotPermitted`` unless ``may``."""
        if not self.may(permission, institution, site):
            raise NotPermitted(permission)


def secret() -> tuple[str, bytes]:
    """256 random bits as text for their holder, and the hash that is kept."""
    text = secrets.token_urlsafe(32)
    return text, hash_of(text)


def hash_of(text: str) -> bytes:
    """SHA-256: enough for what is random; looked up by equality of the hash, not of the secret."""
    return sha256(text.encode("utf-8", "replace")).digest()


def person(account: Account, limit: Iterable[str] | None = None) -> Person:
    """The account as who acts; ``limit`` keeps of its permissions only those named."""
    permissions = granted(account.roles)
    if limit is not None:
        permissions &= frozenset(p for p in Permission if p.value in set(limit))
    return Person(
        account.id,
        account.name,
        account.shown,
        tuple(account.roles),
        permissions,
        account.institution_id,
        account.learner_id,
        account.site_id,
    )


def invite(
    session: Session,
    name: str,
    roles: Iterable[str],
    now: datetime,
    *,
    shown: str | None = None,
    institution_id: str | None = None,
    learner_id: str | None = None,
    site_id: str | None = None,
    by: str = "system",
) -> str:
    """Make an account, or invite a known one anew, and give back the code that is shown once.

    A new invitation ends earlier ones; an account that was known keeps its password until the
    invitation is used. Raises ``AccountInvalid`` with the field.
    """
    wanted = _roles(roles)
    if not _NAME.fullmatch(name):
        raise AccountInvalid(
            "name",
            "이름은 영어 소문자, 숫자, . _ @ - 로 3자에서 64자입니다.",
            "A name has 3 to 64 lower-case letters, digits and . _ @ -",
        )
    if Role.CITIZEN in wanted and learner_id is None:
        raise AccountInvalid(
            "learner",
            "시민 계정에는 학습자가 있어야 합니다.",
            "A citizen's account needs a learner.",
        )
    if PLACED & set(wanted) and institution_id is None:
        raise AccountInvalid(
            "institution",
            "기관 담당자 계정에는 기관이 있어야 합니다.",
            "This role needs an institution.",
        )
    _existing(session, Institution, institution_id, "institution")
    _existing(session, Learner, learner_id, "learner")
    site = session.get(Site, site_id) if site_id is not None else None
    if site_id is not None and (site is None or site.institution_id != institution_id):
        raise AccountInvalid("site", f"{site_id}: 찾을 수 없습니다.", f"{site_id} is not known.")
    account = session.scalar(select(Account).where(Account.name == name).with_for_update())
    if account is None:
        account = Account(
            id=random_id("acc"), name=name, state="invited", password=None, failures=0,
            wait_until=None, created_at=now, shown=shown or name, roles=[],
        )  # fmt: skip
        session.add(account)
    account.roles = [role.value for role in wanted]
    account.shown = shown or account.shown
    account.institution_id, account.learner_id = institution_id, learner_id
    account.site_id = site_id
    session.flush()
    log.note(session, now, by, "invite", account.id, institution_id, roles=list(account.roles))
    session.execute(delete(Invitation).where(Invitation.account_id == account.id))
    code, hashed = secret()
    session.add(
        Invitation(
            hash=hashed, account_id=account.id, expires_at=now + INVITATION_LASTS, used_at=None
        )
    )
    return code


def invited(session: Session, code: str, now: datetime) -> Account:
    """Whose invitation this is. Raises ``InvitationEnded``."""
    invitation = session.get(Invitation, hash_of(code), with_for_update=True)
    if invitation is None or invitation.used_at is not None or invitation.expires_at <= now:
        raise InvitationEnded
    return session.get_one(Account, invitation.account_id)


def accept(session: Session, code: str, password: str, now: datetime) -> Account:
    """Use an invitation: the account gets this password and every older session ends.

    Raises ``InvitationEnded``, ``AccountInvalid`` (field ``password``).
    """
    hashed = _new_password(password)
    account = invited(session, code, now)
    session.get_one(Invitation, hash_of(code)).used_at = now
    _set_password(session, account, hashed)
    account.state = "active"
    log.note(session, now, account.id, "accept-invitation", account.id, account.institution_id)
    return account


def sign_in(session: Session, name: str, password: str, now: datetime) -> Account:
    """The account of this name and password. Commits: a wrong try is counted though it raises.

    Raises ``SignInFailed``, ``TooManyTries``.
    """
    account = session.scalar(select(Account).where(Account.name == name).with_for_update())
    if account is not None and account.wait_until is not None and account.wait_until > now:
        raise TooManyTries(int((account.wait_until - now).total_seconds()) + 1)
    known = account is not None and account.state == "active"
    stored = account.password if account is not None and known else None
    if account is not None:
        account.failures += 1
        if account.failures >= FREE_TRIES:
            wait = min(2 ** (account.failures - FREE_TRIES + 2), LONGEST_WAIT)
            account.wait_until = now + timedelta(seconds=wait)
    # Counted before it is judged, so guesses made side by side all count, and nobody waits for a
    # lock while a password is hashed.
    session.commit()
    right = _matches(stored or _nobodys(), password[:MOST_PASSWORD]) and stored is not None
    if account is None:
        raise SignInFailed
    if not right:
        log.note(session, now, account.id, "sign-in-refused", account.id, account.institution_id)
        session.commit()
        raise SignInFailed
    account = session.get_one(Account, account.id, with_for_update=True, populate_existing=True)
    if account.state != "active":
        raise SignInFailed
    account.failures, account.wait_until = 0, None
    if _HASHER.check_needs_rehash(stored or ""):
        account.password = _HASHER.hash(password)
    log.note(session, now, account.id, "sign-in", account.id, account.institution_id)
    return account


def change_password(session: Session, account_id: str, old: str, new: str, now: datetime) -> None:
    """Raises ``SignInFailed``, ``AccountInvalid``. Every session of the account ends."""
    hashed = _new_password(new)
    account = session.get_one(Account, account_id, with_for_update=True)
    if account.password is None or not _matches(account.password, old[:MOST_PASSWORD]):
        raise SignInFailed
    _set_password(session, account, hashed)
    log.note(session, now, account.id, "change-password", account.id, account.institution_id)


def disable(session: Session, name: str, now: datetime, by: str = "system") -> None:
    """From now on the account, its sessions and its tokens open nothing."""
    account = by_name(session, name)
    account.state, account.password = "disabled", None
    for table in (AccessSession, Invitation):
        session.execute(delete(table).where(table.account_id == account.id))
    log.note(session, now, by, "disable", account.id, account.institution_id)


def by_name(session: Session, name: str) -> Account:
    """Raises ``AccountUnknown``."""
    account = session.scalar(select(Account).where(Account.name == name).with_for_update())
    if account is None:
        raise AccountUnknown(name)
    return account


def listed(session: Session, after: str = "", limit: int = 100) -> list[Account]:
    """A page of accounts by name, those after ``after``."""
    return list(
        session.scalars(
            select(Account).where(Account.name > after).order_by(Account.name).limit(limit)
        )
    )


def tokens_of(session: Session, account_id: str) -> list[AccessToken]:
    """The account's tokens, newest first, revoked and ended ones too."""
    return list(
        session.scalars(
            select(AccessToken)
            .where(AccessToken.account_id == account_id)
            .order_by(AccessToken.created_at.desc())
        )
    )


def _roles(names: Iterable[str]) -> list[Role]:
    try:
        found = sorted({Role(name) for name in names})
    except ValueError as error:
        known = ", ".join(Role)
        raise AccountInvalid(
            "roles", f"모르는 역할입니다. 쓸 수 있는 역할: {known}", f"Unknown role. Known: {known}"
        ) from error
    if not found:
        raise AccountInvalid(
            "roles", "역할이 하나는 있어야 합니다.", "At least one role is needed."
        )
    return found


def _existing(
    session: Session, table: type[Institution | Learner], key: str | None, field: str
) -> None:
    if key is not None and session.get(table, key) is None:
        raise AccountInvalid(field, f"{key}: 찾을 수 없습니다.", f"{key} is not known.")


def _set_password(session: Session, account: Account, hashed: str) -> None:
    account.password = hashed
    account.failures, account.wait_until = 0, None
    session.execute(delete(AccessSession).where(AccessSession.account_id == account.id))


def _new_password(password: str) -> str:
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD or len(set(password)) < 5:
        raise AccountInvalid(
            "password",
            f"비밀번호는 {LEAST_PASSWORD}자 이상이고 서로 다른 글자가 다섯 이상이어야 합니다.",
            f"A password has at least {LEAST_PASSWORD} characters, five of them different.",
        )
    return _HASHER.hash(password)


@functools.cache
def _nobodys() -> str:
    """What an unknown name's password is compared with, so that it takes as long."""
    return _HASHER.hash(secrets.token_urlsafe(16))


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
