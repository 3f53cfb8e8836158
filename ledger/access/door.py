"""The door of one database: each thing somebody does at it is one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ledger.access import accounts, log, sessions
from ledger.access.accounts import Person, person
from ledger.access.errors import SignInNeeded
from ledger.access.sessions import Visit
from ledger.database.access import AccessSession, Account
from ledger.database.session import Database


class Door:
    """Signing in and out, and who a session's or token's secret belongs to."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    @property
    def database(self) -> Database:
        return self._database

    def now(self) -> datetime:
        return self._clock()

    def sign_in(self, name: str, password: str) -> str:
        """The new session's secret. Raises ``SignInFailed``, ``TooManyTries``."""
        now = self._clock()
        with self._database.session() as session:
            account = accounts.sign_in(session, name.strip().lower(), password, now)
            return sessions.open_session(session, account, now)

    def by_session(self, secret: str) -> Visit | None:
        """Who this is; None when the session ended. Writes once a minute at most."""
        now = self._clock()
        with self._database.reading() as session:
            found = sessions.visit(session, secret, now)
            to_note = bool(session.dirty)
        if to_note:
            with self._database.session() as session:
                found = sessions.visit(session, secret, now)
        return found

    def by_token(self, secret: str) -> Person | None:
        """Who this token acts for; None when it opens nothing. Writes once a minute at most."""
        now = self._clock()
        with self._database.reading() as session:
            found = sessions.bearer(session, secret, now)
            to_note = bool(session.dirty)
        if to_note:
            with self._database.session() as session:
                found = sessions.bearer(session, secret, now)
        return found

    def confirm(self, secret: str, password: str) -> str:
        """Step-up: the password again, for a new session in place of this one. Raises
        ``SignInFailed``, ``SignInNeeded``, ``TooManyTries``."""
        visit = self.by_session(secret)
        if visit is None:
            raise SignInNeeded
        opened = self.sign_in(visit.person.name, password)
        self.sign_out(secret)
        return opened

    def sign_out(self, secret: str) -> None:
        """End this session."""
        with self._database.session() as session:
            closed = sessions.close_session(session, secret)
            if closed is not None:
                log.note(session, self._clock(), closed, "sign-out", closed)

    def sign_out_everywhere(self, account_id: str) -> None:
        """End every session of an account."""
        with self._database.session() as session:
            sessions.close_all(session, account_id)
            log.note(session, self._clock(), account_id, "sign-out-everywhere", account_id)

    def invited(self, code: str) -> Person:
        """Whom an invitation is for. Raises ``InvitationEnded``."""
        with self._database.session() as session:
            return person(accounts.invited(session, code, self._clock()))

    def accept(self, code: str, password: str) -> str:
        """Use an invitation and sign in. Raises ``InvitationEnded``, ``AccountInvalid``."""
        now = self._clock()
        with self._database.session() as session:
            account = accounts.accept(session, code, password, now)
            return sessions.open_session(session, account, now)

    def change_password(self, account_id: str, old: str, new: str) -> str:
        """The new session's secret; all others end. Raises ``SignInFailed``, ``AccountInvalid``."""
        now = self._clock()
        with self._database.session() as session:
            accounts.change_password(session, account_id, old, new, now)
            return sessions.open_session(session, session.get_one(Account, account_id), now)

    def sessions_of(self, account_id: str) -> int:
        """How many sessions of an account are open."""
        now = self._clock()
        with self._database.reading() as session:
            rows = session.query(AccessSession).filter(
                AccessSession.account_id == account_id,
                AccessSession.seen_at > now - sessions.IDLE,
                AccessSession.opened_at > now - sessions.WHOLE,
            )
            return rows.count()
