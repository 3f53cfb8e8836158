"""Managing people, as far as one's role reaches: an institution's manager sees and changes that
institution's people only; who is not to be seen does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.text import Text
from ledger import institutions
from ledger.access import accounts, log
from ledger.access.accounts import Person
from ledger.access.errors import AccountInvalid, Conflicts, NotPermitted, NotYours
from ledger.access.permissions import PLACED, Permission, Role
from ledger.database.access import Account, Site

SYSTEM: Final = Person(
    "system",
    "system",
    "system",
    (Role.ADMINISTRATOR.value,),
    frozenset(Permission),
    None,
    None,
)
"""Whoever has a shell on the server: the command line acts as this."""


def givable(by: Person) -> list[Role]:
    """The roles ``by`` may give, in the order of the table."""
    reach = by.reach(Permission.PEOPLE_MANAGE)
    return [role for role in Role if reach is None or (reach and role in PLACED)]


def listed(session: Session, by: Person, after: str = "", limit: int = 50) -> list[Account]:
    """The accounts ``by`` manages, by name, those after ``after``."""
    wanted = select(Account).where(Account.name > after).order_by(Account.name).limit(limit)
    reach = by.reach(Permission.PEOPLE_MANAGE)
    if reach is not None:
        wanted = wanted.where(Account.institution_id.in_(reach))
    return [account for account in session.scalars(wanted) if _seen(by, account)]


def one(session: Session, by: Person, account_id: str) -> Account:
    """An account that ``by`` manages; raises ``NotYours`` for all others."""
    account = session.get(Account, account_id, with_for_update=True)
    if account is None or not _seen(by, account):
        raise NotYours("account")
    return account


def _seen(by: Person, account: Account) -> bool:
    reach = by.reach(Permission.PEOPLE_MANAGE)
    return reach is None or (
        account.institution_id in reach and set(account.roles) <= {role.value for role in PLACED}
    )


def invite(
    session: Session,
    by: Person,
    name: str,
    roles: Iterable[str],
    now: datetime,
    *,
    shown: str | None = None,
    institution_id: str | None = None,
    site_id: str | None = None,
) -> str:
    """A new person, and the code that is shown once. Raises ``NotPermitted``, ``Conflicts`` (the
    name is taken), ``AccountInvalid``."""
    wanted = list(roles)
    if not set(wanted) <= {role.value for role in givable(by)}:
        raise NotPermitted(Permission.PEOPLE_MANAGE)
    if institution_id is not None:
        by.insist(Permission.PEOPLE_MANAGE, institution_id)
    if session.scalar(select(Account.id).where(Account.name == name)) is not None:
        raise Conflicts("이미 있는 이름입니다.", "This name is taken.")
    return accounts.invite(
        session,
        name,
        wanted,
        now,
        shown=shown,
        institution_id=institution_id,
        site_id=site_id,
        by=by.account_id,
    )


def invite_again(session: Session, by: Person, account_id: str, now: datetime) -> str:
    """A new code for a lost invitation or a forgotten password."""
    account = one(session, by, account_id)
    return accounts.invite(
        session,
        account.name,
        account.roles,
        now,
        institution_id=account.institution_id,
        learner_id=account.learner_id,
        site_id=account.site_id,
        by=by.account_id,
    )


def set_roles(
    session: Session, by: Person, account_id: str, roles: Iterable[str], now: datetime
) -> None:
    """Replace somebody's roles by these; their next request has them."""
    account = one(session, by, account_id)
    wanted = sorted(set(roles))
    if not set(wanted) <= {role.value for role in givable(by)}:
        raise NotPermitted(Permission.PEOPLE_MANAGE)
    if not wanted:
        raise AccountInvalid(
            "roles", "역할이 하나는 있어야 합니다.", "At least one role is needed."
        )
    if {Role(name) for name in wanted} & PLACED and account.institution_id is None:
        raise AccountInvalid("roles", "기관이 없는 계정입니다.", "This account has no institution.")
    if Role.CITIZEN in wanted and account.learner_id is None:
        raise AccountInvalid("roles", "학습자가 아닌 계정입니다.", "No learner is bound to it.")
    _keep_a_manager(session, account, Role.MANAGER.value in wanted)
    account.roles = wanted
    log.note(session, now, by.account_id, "roles", account.id, account.institution_id, roles=wanted)


def disable(session: Session, by: Person, account_id: str, now: datetime) -> None:
    """Shut somebody out at once. Nobody does it to themselves."""
    account = one(session, by, account_id)
    if account.id == by.account_id:
        raise Conflicts("자기 계정은 중지할 수 없습니다.", "You cannot disable yourself.")
    _keep_a_manager(session, account, False)
    accounts.disable(session, account.name, now, by.account_id)


def _keep_a_manager(session: Session, account: Account, stays: bool) -> None:
    if stays or Role.MANAGER.value not in account.roles:
        return
    others = session.scalars(
        select(Account)
        .where(
            Account.institution_id == account.institution_id,
            Account.state != "disabled",
            Account.id != account.id,
        )
        .with_for_update()
    )
    if not any(Role.MANAGER.value in other.roles for other in others):
        raise Conflicts(
            "기관의 마지막 관리자입니다. 다른 관리자를 먼저 정해 주세요.",
            "This is the institution's last manager: name another one first.",
        )


def set_site(
    session: Session, by: Person, institution: str, site: str, name: Text, now: datetime
) -> str:
    """A place of an institution, made or renamed; its id is ``institution/site``."""
    institutions.require(session, institution)
    if not by.may(Permission.PEOPLE_MANAGE, institution):
        raise NotYours("institution")
    full = f"{institution}/{site}"
    if not site or len(full) > 64:
        raise AccountInvalid("site", "학습장 번호가 잘못되었습니다.", "A site's id is too long.")
    row = session.get(Site, full)
    if row is None:
        row = Site(id=full, institution_id=institution)
        session.add(row)
    row.name_ko, row.name_en = name.ko, name.en
    log.note(session, now, by.account_id, "site", full, institution)
    return full
