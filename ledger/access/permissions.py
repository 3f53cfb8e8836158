"""What can be permitted, and which role is permitted what. A role's name is stored; this table is
the only place that says what it means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """One thing a route may ask for."""

    OWN_LEARNING = "own-learning"
    """A citizen's own records, the way to a degree, what-if."""
    OWN_APPLICATION = "own-application"
    """Apply for a degree for oneself, and take the application back."""
    LEARNERS_READ = "learners-read"
    """Any learner's records and audits."""
    AWARDS_READ = "awards-read"
    """Applications, decisions, cases, rolls and their history."""
    AWARDS_APPLY = "awards-apply"
    """Hand in an application for somebody at the desk; cohorts, items, open courses."""
    AWARDS_REVIEW = "awards-review"
    AWARDS_DECIDE = "awards-decide"
    """Enter the committee's decision."""
    AWARDS_CONFER = "awards-confer"
    """Confer a degree; open and close cases after it."""
    CREDENTIALS_ISSUE = "credentials-issue"
    """Hand in records and issue for one's institution."""
    RECORDS_SUBMIT = "records-submit"
    CREDENTIALS_READ = "credentials-read"
    CREDENTIALS_STATUS = "credentials-status"
    """Revoke, suspend, reinstate."""
    PEOPLE_MANAGE = "people-manage"
    """Invite and disable people, as far as the role reaches."""
    KEYS_MANAGE = "keys-manage"
    """Keys of an institution's programs."""
    LOG_READ = "log-read"
    ACCESS_MANAGE = "access-manage"
    """Invite people, give roles, make and revoke tokens."""


class Role(StrEnum):
    """What a person is at an institution or the degree office."""

    CITIZEN = "citizen"
    CLERK = "clerk"
    REVIEWER = "reviewer"
    COMMITTEE = "committee"
    REGISTRAR = "registrar"
    ISSUER = "issuer"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


_OF_CREDENTIALS: Final = (
    Permission.RECORDS_SUBMIT,
    Permission.CREDENTIALS_READ,
    Permission.CREDENTIALS_STATUS,
)
_OF_PEOPLE: Final = (Permission.PEOPLE_MANAGE, Permission.KEYS_MANAGE, Permission.LOG_READ)

GRANTS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.CITIZEN: frozenset({Permission.OWN_LEARNING, Permission.OWN_APPLICATION}),
    Role.CLERK: frozenset(
        {Permission.LEARNERS_READ, Permission.AWARDS_READ, Permission.AWARDS_APPLY}
    ),
    Role.REVIEWER: frozenset(
        {Permission.LEARNERS_READ, Permission.AWARDS_READ, Permission.AWARDS_REVIEW}
    ),
    Role.COMMITTEE: frozenset(
        {Permission.LEARNERS_READ, Permission.AWARDS_READ, Permission.AWARDS_DECIDE}
    ),
    Role.REGISTRAR: frozenset({Permission.AWARDS_READ, Permission.AWARDS_CONFER}),
    Role.ISSUER: frozenset({Permission.CREDENTIALS_ISSUE, *_OF_CREDENTIALS}),
    Role.MANAGER: frozenset({Permission.CREDENTIALS_READ, *_OF_PEOPLE}),
    Role.AUDITOR: frozenset(
        {Permission.LEARNERS_READ, Permission.AWARDS_READ}
        | {Permission.CREDENTIALS_READ, Permission.LOG_READ}
    ),
    Role.ADMINISTRATOR: frozenset({Permission.ACCESS_MANAGE, *_OF_PEOPLE}),
}

PLACED: Final = frozenset({Role.ISSUER, Role.MANAGER})
"""Roles held in one institution; what they permit ends there. All others are city-wide."""

OF_KEYS: Final = frozenset({Permission.CREDENTIALS_ISSUE, *_OF_CREDENTIALS})
"""What an institution's key may be given; people and keys are never managed by a machine."""


def granted(roles: Iterable[str]) -> frozenset[Permission]:
    """All that ``roles`` permit; a name that is no role (any more) permits nothing."""
    known = {role.value: role for role in Role}
    found: frozenset[Permission] = frozenset()
    for name in roles:
        if name in known:
            found |= GRANTS[known[name]]
    return found
