"""Update in place: one credential stands for a record, and what it replaced explains itself.

A record is corrected (a new one supersedes it), confirmed after it was provisional, or its
credential is to be made anew (``renew``). The credential issued then takes the place of the
earlier one in the transaction that stores it: the earlier one is revoked, names its successor,
and its bit in the ``refresh`` list says that there is a newer one (Bitstring Status List 1.0
section 3.2), so that an old copy can tell its holder where to go. A retracted record loses its
credential and gets none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from credential.errors import BaeumError
from credential.text import Text
from issuer.batches import CredentialUnknown
from issuer.key_history import KeyEntry
from issuer.status import change, check_reason, mark_refreshed
from ledger.database.models import Batch, ChainTransaction, Credential, LearningRecord
from ledger.database.session import Database

REPLACED: Final = "replaced by a newer credential"
_CHUNK: Final = 500


class RecordUnknown(BaeumError):
    """No learning record has this id."""

    code = "record-unknown"
    title = Text("없는 학습이력입니다", "There is no such record")
    status: ClassVar[int] = 404


class RecordNotLive(BaeumError):
    """The record was superseded: its successor is the one to change."""

    code = "record-superseded"
    title = Text("이미 정정된 학습이력입니다", "The record was superseded")
    status: ClassVar[int] = 409


@dataclass(frozen=True, slots=True)
class RenewReport:
    """``due`` get a new credential at the next issuing; ``not_due`` were replaced already."""

    due: tuple[str, ...]
    not_due: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetractReport:
    """``revoked``: the credentials that stood for the record or for what it superseded."""

    record: str
    revoked: tuple[str, ...]
    changed: bool


def take_places(session: Session, fresh: Mapping[str, str], now: datetime) -> int:
    """Before the credentials ``fresh`` (by record) are stored: those they replace give way.

    In the storing transaction. Returns how many were replaced.
    """
    successor = _with_superseded(session, fresh)
    old = _standing(session, successor)
    if not old:
        return 0
    change(session, "revoke", [row.id for row in old], REPLACED, now)
    places: dict[str, list[int]] = defaultdict(list)
    for row in old:
        places[row.status_list_id].append(row.status_index)
        session.execute(
            update(Credential)
            .where(Credential.id == row.id)
            .values(replaced_by=successor[row.record_id])
        )
    mark_refreshed(session, places)
    return len(old)


def renew(
    database: Database, credential_ids: Iterable[str], reason: str, now: datetime
) -> RenewReport:
    """Ask for new credentials of the same records; the old ones stand until those are stored.

    A revoked one may be renewed too. Raises ``CredentialUnknown`` (nothing is changed then) and
    ``ReasonMissing``.
    """
    check_reason(reason)
    wanted = list(dict.fromkeys(credential_ids))
    with database.session() as session:
        found = {
            row.id: row
            for start in range(0, len(wanted), _CHUNK)
            for row in session.scalars(
                select(Credential).where(Credential.id.in_(wanted[start : start + _CHUNK]))
            )
        }
        unknown = [i for i in wanted if i not in found]
        if unknown:
            raise CredentialUnknown(
                Text(f"없는 증명: {unknown[0][:80]}", f"No credential {unknown[0][:80]}"),
                Text("증명 번호를 확인해 주세요", "Check the ids of the credentials"),
                {"unknown": [i[:80] for i in unknown[:5]]},
            )
        due = [i for i in wanted if found[i].replaced_by is None]
        for credential_id in due:
            found[credential_id].renew_at = found[credential_id].renew_at or now
    return RenewReport(tuple(due), tuple(i for i in wanted if i not in set(due)))


def retract(database: Database, record_id: str, reason: str, now: datetime) -> RetractReport:
    """Take back a record: it no longer counts, and what was issued for it is revoked with it.

    Repeating it changes nothing. Raises ``RecordUnknown``, ``RecordNotLive``, ``ReasonMissing``.
    """
    check_reason(reason)
    with database.session() as session:
        record = session.get(LearningRecord, record_id, with_for_update=True)
        if record is None:
            raise RecordUnknown(
                Text(f"학습이력이 없습니다: {record_id[:80]}", f"No record {record_id[:80]}"),
                Text("이력 번호를 확인해 주세요", "Check the id of the record"),
                {"record": record_id[:80]},
            )
        if record.status == "superseded":
            raise RecordNotLive(
                Text(
                    f"{record_id}은(는) 다른 이력으로 정정되었습니다",
                    f"{record_id} was superseded by another record",
                ),
                Text("정정된 이력을 철회해 주세요", "Retract the record that superseded it"),
                {"record": record_id},
            )
        changed = record.status != "retracted"
        record.status = "retracted"
        old = _standing(session, _with_superseded(session, {record_id: record_id}))
        report = change(session, "revoke", [row.id for row in old], reason, now) if old else None
        session.execute(
            update(Credential).where(Credential.id.in_([r.id for r in old])).values(renew_at=None)
        )
    return RetractReport(record_id, () if report is None else report.changed, changed)


def revoke_signed_by(
    session: Session, key: KeyEntry, reason: str, now: datetime
) -> tuple[str, ...]:
    """Revoke, and mark to be issued anew, what a lost key signed and its anchor does not save.

    Saved is what was anchored before the key was lost. In the caller's transaction.
    """
    assert key.compromised_at is not None
    lost = key.compromised_at
    revoked: list[str] = []
    after = ""
    while True:
        rows = session.execute(
            select(Credential.id, Credential.document, ChainTransaction.block_time)
            .outerjoin(Batch, Batch.id == Credential.batch_id)
            .outerjoin(
                ChainTransaction,
                (ChainTransaction.batch_id == Batch.id)
                & ChainTransaction.block_hash.is_not(None)
                & ChainTransaction.failure.is_(None),
            )
            .where(
                Credential.institution_id == key.institution,
                Credential.replaced_by.is_(None),
                Credential.id > after,
            )
            .order_by(Credential.id)
            .limit(_CHUNK)
        ).all()
        wanted = [
            row.id
            for row in rows
            if (row.block_time is None or row.block_time >= lost)
            and _method(row.document) == key.method
        ]
        if wanted:
            change(session, "revoke", wanted, reason, now)
            session.execute(
                update(Credential).where(Credential.id.in_(wanted)).values(renew_at=now)
            )
            revoked.extend(wanted)
        if len(rows) < _CHUNK:
            return tuple(revoked)
        after = rows[-1].id


def _method(document: bytes) -> str:
    proof = orjson.loads(document)["proof"]
    first = proof[0] if isinstance(proof, list) else proof
    return str(first["verificationMethod"])


def _with_superseded(session: Session, fresh: Mapping[str, str]) -> dict[str, str]:
    """The records themselves and every record they supersede, each with the value of its heir."""
    heirs = dict(fresh)
    frontier: Sequence[str] = list(fresh)
    while frontier:
        rows = session.execute(
            select(LearningRecord.id, LearningRecord.supersedes_id).where(
                LearningRecord.id.in_(frontier), LearningRecord.supersedes_id.is_not(None)
            )
        ).all()
        earlier = {r.supersedes_id: heirs[r.id] for r in rows if r.supersedes_id not in heirs}
        heirs |= earlier
        frontier = list(earlier)
    return heirs


def _standing(session: Session, records: Mapping[str, str]) -> list[Any]:
    """The credentials that stand for these records, replaced by none yet."""
    return list(
        session.execute(
            select(
                Credential.id,
                Credential.record_id,
                Credential.status_list_id,
                Credential.status_index,
            ).where(Credential.record_id.in_(list(records)), Credential.replaced_by.is_(None))
        )
    )
