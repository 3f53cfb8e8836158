"""Institutions, sites, keys, two persons, kept answers and the log, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from doors import PASSWORD, quick_passwords
from people import NOW, OURS, THEIRS, Town, populated
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from credential.text import Text
from ledger.access import accounts, answered, keys, log, people, proposals, sessions
from ledger.access.errors import (
    AccountInvalid,
    Conflicts,
    NotPermitted,
    NotYours,
    SignInFailed,
    TooManyTries,
)
from ledger.access.permissions import Permission, Role
from ledger.database.access import AccessToken, Account
from ledger.database.session import Database

__all__ = ["quick_passwords"]
READ = Permission.CREDENTIALS_READ.value


@pytest.fixture
def town(database: Database) -> Town:
    return populated(database)


def test_a_manager_reaches_their_own_institution_only(town: Town) -> None:
    manager, theirs = town.who("manager"), town.ids["their-issuer"]
    assert manager.reach(Permission.PEOPLE_MANAGE) == {OURS}
    assert town.who("administrator").reach(Permission.PEOPLE_MANAGE) is None
    assert town.who("reviewer").reach(Permission.PEOPLE_MANAGE) == frozenset()
    with town.database.session() as session:
        assert {a.name for a in people.listed(session, manager)} == {"issuer", "manager"}
        assert len(people.listed(session, town.who("administrator"))) == len(town.ids)
        acts: list[Callable[[], object]] = [
            lambda: people.disable(session, manager, theirs, NOW),
            lambda: people.invite_again(session, manager, theirs, NOW),
            lambda: people.set_roles(session, manager, theirs, ["issuer"], NOW),
            lambda: people.disable(session, manager, town.ids["reviewer"], NOW),
            lambda: people.set_site(session, manager, THEIRS, "x", Text("가", "a"), NOW),
        ]
        for act in acts:
            with pytest.raises(NotYours):
                act()
        for role in Role:
            if role not in (Role.ISSUER, Role.MANAGER):
                with pytest.raises(NotPermitted):
                    people.set_roles(session, manager, town.ids["issuer"], [role], NOW)
                with pytest.raises(NotPermitted):
                    people.invite(session, manager, "new.one", [role], NOW)
        with pytest.raises(NotPermitted):
            people.invite(session, manager, "new.one", ["issuer"], NOW, institution_id=THEIRS)
        for taken in ("their-issuer", "issuer", "administrator"):
            with pytest.raises(Conflicts):
                people.invite(session, manager, taken, ["issuer"], NOW, institution_id=OURS)
    assert town.who("their-issuer").institution_id == THEIRS


def test_the_last_manager_stays(town: Town) -> None:
    manager, administrator = town.who("manager"), town.who("administrator")
    with town.database.session() as session:
        with pytest.raises(Conflicts):
            people.set_roles(session, manager, manager.account_id, ["issuer"], NOW)
        with pytest.raises(Conflicts):
            people.disable(session, administrator, manager.account_id, NOW)
        people.set_roles(session, manager, town.ids["issuer"], ["issuer", "manager"], NOW)
        with pytest.raises(Conflicts):
            people.disable(session, manager, manager.account_id, NOW)
        people.disable(session, administrator, manager.account_id, NOW)
    with pytest.raises(SignInFailed):
        town.door.sign_in("manager", PASSWORD)


def test_a_person_of_a_site_acts_at_that_site(town: Town) -> None:
    with town.database.session() as session:
        site = people.set_site(session, people.SYSTEM, OURS, "mapo", Text("마포", "Mapo"), NOW)
        with pytest.raises(AccountInvalid):
            people.invite(
                session, people.SYSTEM, "at.site", ["issuer"], NOW,
                institution_id=THEIRS, site_id=site,
            )  # fmt: skip
        code = people.invite(
            session, people.SYSTEM, "at.site", ["issuer"], NOW, institution_id=OURS, site_id=site
        )
    who = town.door.invited(code)
    assert who.may(Permission.RECORDS_SUBMIT, OURS, site)
    assert not who.may(Permission.RECORDS_SUBMIT, OURS, f"{OURS}/other")
    assert not who.may(Permission.RECORDS_SUBMIT, THEIRS)
    assert town.who("issuer").may(Permission.RECORDS_SUBMIT, OURS, f"{OURS}/other")


def test_a_key_is_scoped_used_rotated_and_revoked(town: Town) -> None:
    manager = town.who("manager")
    with town.database.session() as session:
        row, secret = keys.create(
            session, manager, OURS, label="LMS", permissions=[READ], days=30, now=NOW,
            kinds=["course"],
        )  # fmt: skip
        with pytest.raises(NotPermitted):
            keys.create(session, manager, THEIRS, label="x", permissions=[READ], now=NOW)
        for wrong in ([], ["people-manage"], ["awards-read"], ["nonsense"]):
            with pytest.raises(AccountInvalid):
                keys.create(session, manager, OURS, label="x", permissions=wrong, now=NOW)
    machine = town.door.by_token(secret)
    assert machine is not None
    assert machine.machine
    assert machine.kinds == {"course"}
    assert machine.may(Permission.CREDENTIALS_READ, OURS)
    assert not machine.may(Permission.CREDENTIALS_READ, THEIRS)
    assert not machine.may(Permission.CREDENTIALS_STATUS)
    assert town.door.by_token(secret + "x") is None
    with town.database.session() as session:
        assert session.get_one(AccessToken, row.id).used_at == NOW
        assert secret.encode() not in session.get_one(AccessToken, row.id).hash
        fresh, successor = keys.rotate(session, manager, row.id, NOW)
        with pytest.raises(Conflicts):
            keys.rotate(session, manager, row.id, NOW)
        with pytest.raises(NotYours):
            keys.revoke(session, town.who("their-manager"), fresh.id, NOW)
    town.clock.move(days=6)
    assert town.door.by_token(secret) is not None
    town.clock.move(days=1)
    assert town.door.by_token(secret) is None
    assert town.door.by_token(successor) is not None
    with town.database.session() as session:
        people.set_roles(session, people.SYSTEM, town.ids["issuer"], ["manager"], NOW)
        people.disable(session, people.SYSTEM, manager.account_id, NOW)
    assert town.door.by_token(successor) is not None, "it is the institution's, not the person's"
    with town.database.session() as session:
        keys.revoke(session, town.who("issuer"), fresh.id, NOW)
    assert town.door.by_token(successor) is None


def test_a_persons_own_token_is_no_key_of_the_institution(town: Town) -> None:
    with town.database.session() as session:
        account = session.get_one(Account, town.ids["issuer"])
        row, _ = sessions.create_token(session, account, "mine", [READ], NOW)
        assert keys.listed(session, town.who("manager")) == []
        with pytest.raises(NotYours):
            keys.revoke(session, town.who("manager"), row.id, NOW)


def test_two_persons(town: Town) -> None:
    issuer, permission = town.who("issuer"), Permission.CREDENTIALS_STATUS
    with town.database.session() as session:
        row = proposals.propose(
            session, issuer, permission, "urn:uuid:1", {"action": "revoke"}, NOW, OURS
        )
        with pytest.raises(NotPermitted):
            proposals.confirm(session, issuer, row.id, NOW)
        for stranger in (town.who("clerk"), town.who("their-issuer")):
            assert proposals.waiting(session, stranger, NOW) == []
            with pytest.raises(NotYours):
                proposals.confirm(session, stranger, row.id, NOW)
        people.set_roles(session, people.SYSTEM, town.ids["manager"], ["issuer", "manager"], NOW)
    second = town.who("manager")
    with town.database.session() as session:
        assert [p.id for p in proposals.waiting(session, second, NOW)] == [row.id]
        with pytest.raises(Conflicts):
            proposals.confirm(session, second, row.id, NOW + proposals.OPEN_FOR)
        assert proposals.confirm(session, second, row.id, NOW).body == {"action": "revoke"}
        with pytest.raises(Conflicts):
            proposals.confirm(session, second, row.id, NOW)


def test_a_kept_answer_is_given_again_and_work_is_done_once(town: Town) -> None:
    db, request = town.database, b"a" * 32
    assert answered.take(db, "key_1", "k", request, NOW) is None
    with pytest.raises(answered.StillRunning):
        answered.take(db, "key_1", "k", request, NOW)
    assert answered.take(db, "key_2", "k", request, NOW) is None, "another's key is another key"
    answered.keep(db, "key_1", "k", answered.Answer(200, "application/json", b"{}"))
    found = answered.take(db, "key_1", "k", request, NOW)
    assert found == answered.Answer(200, "application/json", b"{}")
    with pytest.raises(answered.KeyReused):
        answered.take(db, "key_1", "k", b"b" * 32, NOW)
    answered.give_back(db, "key_2", "k")
    assert answered.take(db, "key_2", "k", request, NOW) is None
    dead = NOW + answered.ABANDONED
    assert answered.take(db, "key_2", "k", request, dead) is None, "its process died"
    later = NOW + answered.KEPT + timedelta(seconds=1)
    assert answered.take(db, "key_1", "k", b"b" * 32, later) is None, "kept for a day"


def test_the_log_is_a_chain_without_names(town: Town) -> None:
    with pytest.raises(SignInFailed):
        town.door.sign_in("issuer", "wrong wrong wrong")
    town.door.sign_out(town.door.sign_in("issuer", PASSWORD))
    with town.database.reading() as session:
        found = log.check(session)
        assert found.whole
        rows = list(log.export(session))
    assert [row["action"] for row in rows[-3:]] == ["sign-in-refused", "sign-in", "sign-out"]
    assert len(rows) == found.rows > 15
    assert "김" not in repr(rows)
    assert log.check_rows(_split(rows), rows[9]["hash"]) == found
    spoils: list[Callable[[list[dict[str, Any]]], object]] = [
        lambda r: r.pop(5),
        lambda r: r[5].update(action="nothing"),
        lambda r: r[5].update(at="2020-01-01T00:00:00+00:00"),
        lambda r: r.insert(3, r.pop(4)),
    ]
    for spoil in spoils:
        copy = [dict(row) for row in rows]
        spoil(copy)
        assert not log.check_rows(_split(copy)).whole
    assert not log.check_rows(_split(rows), "00" * 32).whole
    cut = log.check_rows(_split(rows[:-1]), rows[-1]["hash"])
    assert cut.broken_at == len(rows), "an end cut off shows against a head written down"


def _split(rows: list[dict[str, Any]]) -> Any:
    for row in rows:
        body = {name: value for name, value in row.items() if name not in ("previous", "hash")}
        yield body, row["previous"], row["hash"]


def test_guesses_made_side_by_side_all_count(town: Town) -> None:
    def guess(_: int) -> str:
        try:
            town.door.sign_in("issuer", "wrong wrong wrong")
        except (SignInFailed, TooManyTries) as error:
            return type(error).__name__
        return "in"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(guess, range(8)))
    assert outcomes.count("SignInFailed") == accounts.FREE_TRIES
    assert outcomes.count("TooManyTries") == 8 - accounts.FREE_TRIES


@pytest.mark.parametrize("what", ["UPDATE access_log SET actor = 'x'", "DELETE FROM access_log"])
def test_the_database_refuses_to_rewrite_the_log(town: Town, what: str) -> None:
    with pytest.raises(DatabaseError), town.database.session() as session:
        session.execute(text(what))


def test_an_institution_sees_its_own_rows_only(town: Town) -> None:
    with town.database.reading() as session:
        rows = log.rows(session, town.who("manager").reach(Permission.LOG_READ), limit=500)
        assert {row["institution_id"] for row in rows} == {OURS}
        everything = log.rows(session, town.who("auditor").reach(Permission.LOG_READ), limit=500)
    assert len(everything) > len(rows)
    assert accounts.LEAST_PASSWORD >= 10
