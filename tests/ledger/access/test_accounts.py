"""Inviting, accepting, signing in, sessions and tokens, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from doors import PASSWORD as GOOD
from doors import quick_passwords

from ledger.access import accounts, sessions
from ledger.access.door import Door
from ledger.access.errors import (
    AccountInvalid,
    AccountUnknown,
    InvitationEnded,
    SignInFailed,
    TooManyTries,
)
from ledger.access.permissions import GRANTS, Permission, Role, granted
from ledger.database import access as tables
from ledger.database.models import Learner
from ledger.database.session import Database

__all__ = ["quick_passwords"]
START = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(database: Database, clock: Clock) -> Door:
    return Door(database, clock)


def invite(database: Database, name: str = "kim", *roles: str, **more: str) -> str:
    with database.session() as session:
        return accounts.invite(session, name, roles or ("reviewer",), START, **more)


def test_from_an_invitation_to_a_session(database: Database, door: Door) -> None:
    code = invite(database, "kim", "reviewer", "clerk")
    assert door.invited(code).name == "kim"
    visit = door.by_session(door.accept(code, GOOD))
    assert visit is not None
    assert visit.fresh
    assert visit.person.roles == ("clerk", "reviewer")
    assert visit.person.permissions == GRANTS[Role.CLERK] | GRANTS[Role.REVIEWER]
    again = door.by_session(door.sign_in(" KIM ", GOOD))
    assert again is not None
    assert again.person == visit.person


def test_no_secret_is_kept_as_it_is(database: Database, door: Door) -> None:
    code = invite(database)
    secret = door.accept(code, GOOD)
    with database.reading() as session:
        account = session.query(tables.Account).one()
        assert account.password is not None
        assert account.password.startswith("$argon2id$")
        kept = {row.hash for row in session.query(tables.AccessSession)}
        kept |= {row.hash for row in session.query(tables.Invitation)}
    assert kept == {accounts.hash_of(secret), accounts.hash_of(code)}
    assert secret.encode() not in kept


@pytest.mark.parametrize("password", ["", "short", "aaaaaaaaaaaaaaaa", "x" * 201])
def test_a_poor_password_is_refused_and_the_invitation_still_good(
    database: Database, door: Door, password: str
) -> None:
    code = invite(database)
    with pytest.raises(AccountInvalid) as refused:
        door.accept(code, password)
    assert refused.value.facts["field"] == "password"
    door.accept(code, GOOD)


def test_an_invitation_works_once_for_a_week_and_a_new_one_ends_it(
    database: Database, door: Door, clock: Clock
) -> None:
    first, second = invite(database), invite(database)
    with pytest.raises(InvitationEnded):
        door.accept(first, GOOD)
    clock.now = START + accounts.INVITATION_LASTS
    with pytest.raises(InvitationEnded):
        door.accept(second, GOOD)
    clock.now -= timedelta(seconds=1)
    door.accept(second, GOOD)
    with pytest.raises(InvitationEnded):
        door.accept(second, GOOD)


def test_wrong_passwords_make_the_account_wait_longer_each_time(
    database: Database, door: Door, clock: Clock
) -> None:
    door.accept(invite(database), GOOD)
    waits = []
    for _ in range(accounts.FREE_TRIES + 2):
        with pytest.raises(SignInFailed):
            door.sign_in("kim", "not the password")
        with database.reading() as session:
            until = session.query(tables.Account).one().wait_until
        if until is not None:
            waits.append((until - clock.now).total_seconds())
            with pytest.raises(TooManyTries) as told:
                door.sign_in("kim", GOOD)  # the right one does not help either
            assert told.value.facts["retry_after"] >= waits[-1]
            clock.now = until
    assert waits == [4, 8, 16]
    door.sign_in("kim", GOOD)
    with pytest.raises(SignInFailed):  # and it begins anew
        door.sign_in("kim", "not the password")


def test_an_unknown_name_gets_the_answer_of_a_wrong_password(
    database: Database, door: Door
) -> None:
    door.accept(invite(database), GOOD)
    with pytest.raises(SignInFailed) as unknown:
        door.sign_in("lee", GOOD)
    with pytest.raises(SignInFailed) as wrong:
        door.sign_in("kim", "not the password")
    assert unknown.value.to_json() == wrong.value.to_json()


def test_a_session_ends_when_idle_and_after_twelve_hours(
    database: Database, door: Door, clock: Clock
) -> None:
    secret = door.accept(invite(database), GOOD)
    while clock.now < START + sessions.WHOLE - timedelta(minutes=25):
        clock.now += timedelta(minutes=25)
        assert door.by_session(secret) is not None
    clock.now = START + sessions.WHOLE
    assert door.by_session(secret) is None
    idle = door.sign_in("kim", GOOD)
    clock.now += sessions.IDLE
    assert door.by_session(idle) is None


def test_freshness_ends_and_the_password_brings_it_back_in_another_session(
    database: Database, door: Door, clock: Clock
) -> None:
    secret = door.accept(invite(database), GOOD)
    clock.now += sessions.FRESH
    visit = door.by_session(secret)
    assert visit is not None
    assert not visit.fresh
    with pytest.raises(SignInFailed):
        door.confirm(secret, "not the password")
    renewed = door.confirm(secret, GOOD)
    assert door.by_session(secret) is None
    visit = door.by_session(renewed)
    assert visit is not None
    assert visit.fresh


def test_a_new_password_ends_every_other_session(database: Database, door: Door) -> None:
    first = door.accept(invite(database), GOOD)
    second = door.sign_in("kim", GOOD)
    person = door.invited(invite(database))
    third = door.change_password(person.account_id, GOOD, GOOD + "!")
    assert (door.by_session(first), door.by_session(second)) == (None, None)
    assert door.by_session(third) is not None
    door.sign_out_everywhere(person.account_id)
    assert door.by_session(third) is None


def test_a_disabled_account_opens_nothing(database: Database, door: Door) -> None:
    secret = door.accept(invite(database), GOOD)
    with database.session() as session:
        account = accounts.by_name(session, "kim")
        _, token = sessions.create_token(session, account, "roll", ["awards-read"], START)
        accounts.disable(session, "kim", START)
    assert door.by_session(secret) is None
    assert door.by_token(token) is None
    with pytest.raises(SignInFailed):
        door.sign_in("kim", GOOD)


def test_a_token_does_what_it_was_made_for_until_it_ends(
    database: Database, door: Door, clock: Clock
) -> None:
    invite(database, "kim", "reviewer", "administrator")
    with database.session() as session:
        account = accounts.by_name(session, "kim")
        row, token = sessions.create_token(
            session, account, "roll", ["awards-read"], START, timedelta(days=2)
        )
        with pytest.raises(AccountInvalid):
            sessions.create_token(session, account, "x", ["awards-decide"], START)
        with pytest.raises(AccountInvalid):
            sessions.create_token(session, account, "x", [], START)
    assert token.encode() != row.hash
    person = door.by_token(token)
    assert person is not None
    assert person.permissions == {Permission.AWARDS_READ}
    with database.reading() as session:
        assert session.query(tables.AccessToken).one().used_at == START
    # a role that is taken away takes the permission from the token too
    invite(database, "kim", "administrator")
    taken = door.by_token(token)
    assert taken is not None
    assert taken.permissions == set()
    with database.session() as session:
        sessions.revoke_token(session, row.id, START)
        with pytest.raises(AccountUnknown):
            sessions.revoke_token(session, "tok_nothing", START)
    assert door.by_token(token) is None
    clock.now = START + timedelta(days=2)
    assert door.by_token("baeum_nothing") is None


def test_an_account_says_what_it_needs(database: Database) -> None:
    wrong = [
        ("K!", ("reviewer",), "name"),
        ("kim", ("king",), "roles"),
        ("kim", (), "roles"),
        ("kim", ("citizen",), "learner"),
        ("kim", ("issuer",), "institution"),
    ]
    for name, roles, field in wrong:
        with database.session() as session, pytest.raises(AccountInvalid) as refused:
            accounts.invite(session, name, roles, START)
        assert refused.value.facts["field"] == field
    with database.session() as session, pytest.raises(AccountInvalid):
        accounts.invite(session, "kim", ["citizen"], START, learner_id="lrn_nobody")
    with database.session() as session:
        session.add(Learner(id="lrn_1", holder_did=None, created_at=START))
        session.flush()
        accounts.invite(session, "kim", ["citizen"], START, learner_id="lrn_1")
    with database.reading() as session:
        assert [a.learner_id for a in accounts.listed(session)] == ["lrn_1"]


def test_a_role_that_is_no_role_permits_nothing() -> None:
    assert granted(["king", "citizen"]) == GRANTS[Role.CITIZEN]
    assert set(GRANTS) == set(Role)
    assert set().union(*GRANTS.values()) == set(Permission)
