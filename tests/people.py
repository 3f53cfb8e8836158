"""People for tests: two institutions, a learner, and somebody in every role, signed in or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from doors import PASSWORD
from served import served
from sqlalchemy import select
from world import the_world

from api.app import create_app
from api.services import Services
from ledger.access import accounts, keys, people
from ledger.access.accounts import Person
from ledger.access.door import Door
from ledger.access.permissions import PLACED, Role
from ledger.database.access import Account
from ledger.database.models import Institution, Learner
from ledger.database.session import Database, open_database

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
OURS, THEIRS = "seoul-citizens-university", "hanbat-centre"


@dataclass
class Clock:
    """The door's clock, which a test may move."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def move(self, **time: float) -> None:
        self.at += timedelta(**time)


@dataclass
class Town:
    """The database, the clock, and the ids of its people by name."""

    database: Database
    clock: Clock = field(default_factory=Clock)
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def door(self) -> Door:
        return Door(self.database, self.clock)

    @property
    def services(self) -> Services:
        return replace(the_world().services, door=self.door, public_url="http://127.0.0.1:8780")

    def who(self, name: str) -> Person:
        with self.database.reading() as session:
            return accounts.person(session.get_one(Account, self.ids[name]))

    def key(self, institution: str, *permissions: str, **more: object) -> str:
        with self.database.session() as session:
            return keys.create(
                session, people.SYSTEM, institution, label="test", permissions=permissions,
                now=self.clock(), **more,  # type: ignore[arg-type]
            )[1]  # fmt: skip


def populated(database: Database) -> Town:
    """One person for every role: ``clerk``, ``reviewer``, …, ``issuer``, ``manager``; and
    ``their-issuer``, ``their-manager`` of the other institution."""
    town = Town(database)
    with database.session() as session:
        for name in (OURS, THEIRS):
            session.add(Institution(id=name, name_ko="기관 " + name, name_en=name, created_at=NOW))
        session.add(Learner(id="lrn_one", created_at=NOW))
        session.flush()
        for role in Role:
            add(session, town, role.value, role, OURS if role in PLACED else None)
        for role in sorted(PLACED):
            add(session, town, f"their-{role}", role, THEIRS)
    return town


def add(session: object, town: Town, name: str, role: Role, institution: str | None) -> None:
    code = accounts.invite(
        session,  # type: ignore[arg-type]
        name,
        [role],
        NOW,
        shown=f"김{name}",
        institution_id=institution,
        learner_id="lrn_one" if role is Role.CITIZEN else None,
    )
    account = accounts.accept(session, code, PASSWORD, NOW)  # type: ignore[arg-type]
    town.ids[name] = account.id


def sqlite_town(folder: Path) -> Town:
    database = open_database(f"sqlite:///{folder / 'people.db'}")
    database.migrate()
    return populated(database)


@contextmanager
def served_town(town: Town, **services: object) -> Iterator[str]:
    with served(create_app(replace(town.services, **services))) as url:  # type: ignore[arg-type]
        yield url


class Visitor:
    """Somebody with a browser that keeps cookies and forms, without the browser."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60, headers={"Accept": "text/html"})

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        return self.http.post("/sign-in", data={"name": name, "password": password})

    def form_key(self) -> str:
        found = re.search(r'name="form_key" value="([^"]+)"', self.http.get("/account").text)
        assert found is not None
        return found[1]

    def send(self, path: str, **fields: object) -> httpx.Response:
        return self.http.post(path, data={"form_key": self.form_key(), **fields})


@contextmanager
def visitor(url: str, name: str | None = None) -> Iterator[Visitor]:
    who = Visitor(url)
    if name is not None:
        answer = who.sign_in(name)
        assert answer.status_code == 303, answer.text
    yield who
    who.http.close()


def account_of(town: Town, name: str) -> Account:
    with town.database.reading() as session:
        return session.scalars(select(Account).where(Account.name == name)).one()
