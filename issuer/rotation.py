"""Changing an institution's key: in turn, with overlap, or in an emergency.

In turn (``rotate``):

1. make the new key (file or token) and note it as ``next``;
2. bind it in the registry, from now on;
3. in one transaction it becomes ``active`` and the old one ``retiring``;
4. end the old one in the registry when the overlap is over: what it signed and is not anchored
   yet has until then.

In an emergency (``replace``) step 4 comes as soon as the chain allows, because the past on the
chain is fixed; and what the old key signed since the day it was lost, or what is not anchored
yet, is revoked and marked to be issued anew (``issuer.replacement``). What it signed before stays
good: its anchor shows when.

Killed before step 3, the same call goes on where it stopped; killed after it, ``settle`` sets the
end that is missing (every ``baeum keys`` command does that first).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential.errors import BaeumError
from credential.text import Text
from issuer import key_history
from issuer.key_history import ACTIVE, COMPROMISED, NEXT, RETIRING, KeyEntry
from issuer.keys import ED25519, Keystore
from issuer.keys.keyfile import missing
from ledger.database.key_models import SigningKey
from ledger.database.models import Institution
from ledger.database.session import Database
from ledger.institutions import require

OVERLAP: Final = timedelta(days=7)
"""How long an old key still counts; every batch it signed must be anchored by then."""
SOON: Final = timedelta(seconds=60)
"""How far ahead an end is set in an emergency: the registry takes none that has passed, and the
transaction has to be mined first."""


class CompromiseInTheFuture(BaeumError):
    """Nobody knows today that a key will be lost tomorrow."""

    code = "compromise-in-the-future"
    title = Text("유출 시점이 미래입니다", "The compromise lies in the future")


class KeyNotBound(BaeumError):
    """The registry knows the key as another institution's."""

    code = "key-bound-elsewhere"
    title = Text("다른 기관의 키로 등록되어 있습니다", "The key is another institution's")
    status: ClassVar[int] = 409


class Registry(Protocol):
    """The registry on the chain; ``ledger.chain.gateway.Gateway`` is one."""

    def did_period(self, name: str) -> tuple[bytes, int, int]: ...
    def bind_did(self, institution: str, name: str, valid_from: datetime) -> None: ...
    def end_did(self, name: str, when: datetime) -> None: ...
    def block_time(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Rotation:
    """What changed. ``old`` is None for the first key of an algorithm."""

    new: KeyEntry
    old: KeyEntry | None
    revoked: tuple[str, ...] = ()

    def to_json(self, now: datetime) -> dict[str, Any]:
        return {
            "new": self.new.to_json(now),
            "old": None if self.old is None else self.old.to_json(now),
            "revoked": list(self.revoked),
        }


def rotate(
    database: Database,
    keystore: Keystore,
    registry: Registry,
    institution: str,
    now: datetime,
    *,
    algorithm: str = ED25519,
    did: str | None = None,
    backend: str | None = None,
    overlap: timedelta = OVERLAP,
) -> Rotation:
    """Give the institution a new key in turn. ``did``: sign under this did:web from now on.

    Raises ``UnknownInstitution``, what making a key raises and what the registry raises.
    """
    entry = _prepare(database, keystore, institution, algorithm, did, backend, now)
    _bind(registry, entry, now)
    with database.session() as session:
        old = _take_over(session, entry, now, RETIRING, now + overlap)
    if old is not None and old.ends_at is not None:
        _end(registry, old.name, old.ends_at)
    return _done(database, entry, old)


def replace(
    database: Database,
    keystore: Keystore,
    registry: Registry,
    institution: str,
    compromised_at: datetime,
    reason: str,
    now: datetime,
    *,
    algorithm: str = ED25519,
    backend: str | None = None,
    soon: timedelta = SOON,
) -> Rotation:
    """Take a key out of use because others may have it since ``compromised_at``.

    Raises ``CompromiseInTheFuture``, ``KeyMissing`` when there is no key to replace, and as
    ``rotate``.
    """
    from issuer.replacement import revoke_signed_by

    if compromised_at > now:
        raise CompromiseInTheFuture(
            Text("유출 시점은 지금보다 앞서야 합니다", "The compromise must lie in the past"),
            Text("유출된 것으로 보는 시점을 적어 주세요", "Give the time since when it is lost"),
        )
    entry = _prepare(database, keystore, institution, algorithm, None, backend, now)
    _bind(registry, entry, now)
    chain_now = datetime.fromtimestamp(registry.block_time(), UTC)
    ends_at = (max(now, chain_now) + soon).replace(microsecond=0)
    with database.session() as session:
        old = _take_over(session, entry, now, COMPROMISED, ends_at, compromised_at, reason)
        if old is None:
            raise missing(institution)
        # In the transaction that names the key lost: there is no moment at which it is known to
        # be lost and what it signed still stands.
        revoked = revoke_signed_by(session, old, reason, now)
    _end(registry, old.name, old.ends_at or ends_at)
    return _done(database, entry, old, revoked)


def settle(database: Database, registry: Registry) -> list[str]:
    """Set the ends in the registry that a killed run left out; the methods concerned."""
    with database.reading() as session:
        ended = [
            entry
            for entry in key_history.history(session)
            if entry.state in (RETIRING, COMPROMISED) and entry.ends_at is not None
        ]
    settled = []
    for entry in ended:
        assert entry.ends_at is not None
        if _end(registry, entry.name, entry.ends_at):
            settled.append(entry.method)
    return settled


# --- the steps ------------------------------------------------------------------------------------


def _prepare(
    database: Database,
    keystore: Keystore,
    institution: str,
    algorithm: str,
    did: str | None,
    backend: str | None,
    now: datetime,
) -> KeyEntry:
    """Step 1: the key that waits, or one made and not noted, or a new one."""
    with database.reading() as session:
        require(session, institution)
        ready = key_history.waiting(session, institution, algorithm)
        before = key_history.active(session, institution, algorithm)
        half = key_history.unnoted(session, keystore.keys(institution), algorithm)
    if ready is not None:
        return ready
    if half is None or (backend is not None and half.backend != backend):
        half = keystore.add(institution, algorithm, backend)
    if did is None and before is not None and before.did.startswith("did:web:"):
        did = before.did
    with database.session() as session:
        return key_history.add(session, half, did or half.did, NEXT, now)


def _bind(registry: Registry, entry: KeyEntry, now: datetime) -> None:
    """Step 2."""
    from ledger.chain.names import institution_id

    owner, _, _ = registry.did_period(entry.name)
    if owner == bytes(32):
        registry.bind_did(entry.institution, entry.name, now)
    elif owner != institution_id(entry.institution):
        raise KeyNotBound(
            Text(f"{entry.method}는 다른 기관의 키입니다", f"{entry.method} is another's key"),
            Text("새 키를 만들어 다시 해 주세요", "Make another key and try again"),
        )


def _take_over(
    session: Session,
    entry: KeyEntry,
    now: datetime,
    state: str,
    ends_at: datetime,
    compromised_at: datetime | None = None,
    reason: str | None = None,
) -> KeyEntry | None:
    """Step 3: the old key as it is now."""
    old = key_history.in_state(session, entry.institution, entry.algorithm, ACTIVE)
    if old is not None and old.method != entry.method:
        old.state, old.ends_at = state, ends_at
        old.compromised_at, old.reason = compromised_at, reason
        session.flush()
    new = session.scalars(select(SigningKey).where(SigningKey.method == entry.method)).one()
    new.state, new.active_from = ACTIVE, now
    if entry.algorithm == ED25519:
        holder = session.get_one(Institution, entry.institution, with_for_update=True)
        holder.did = entry.did
    session.flush()
    return None if old is None else key_history.entry_of(old)


def _end(registry: Registry, name: str, when: datetime) -> bool:
    """Step 4. False when the registry has that end, an earlier one, or never knew the key."""
    owner, _, until = registry.did_period(name)
    if owner == bytes(32) or until <= int(when.timestamp()):
        return False
    # A run that was killed may come back after the time it had set; then as soon as can be.
    chain_now = datetime.fromtimestamp(registry.block_time(), UTC)
    registry.end_did(name, when if when > chain_now else chain_now + SOON)
    return True


def _done(
    database: Database, entry: KeyEntry, old: KeyEntry | None, revoked: tuple[str, ...] = ()
) -> Rotation:
    with database.reading() as session:
        now = {e.method: e for e in key_history.history(session, entry.institution)}
    return Rotation(now[entry.method], None if old is None else now[old.method], revoked)
