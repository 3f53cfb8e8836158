"""Revoking, suspending, reinstating; ``publish`` makes the lists say so.

A change is a row with its reason and a bit. Any number of changes to a list are one rewrite of its
bits, and publishing encodes and signs a list once however many changed. Revocation is final
(Bitstring Status List 1.0 section 2.1: it is not reversible); suspension can be lifted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from credential import status
from credential.errors import BaeumError
from credential.text import Text
from issuer.batches import CredentialUnknown
from issuer.handouts import following as handouts
from issuer.status_lists import NotPublished, PublishReport, publish
from ledger.database.models import Credential, StatusChange, StatusList
from ledger.database.session import Database

__all__ = [
    "NotPublished",
    "PublishReport",
    "ReasonMissing",
    "RevocationIsFinal",
    "StatusReport",
    "publish",
    "reinstate",
    "revoke",
    "suspend",
]

_LOOK_UP: Final = 500
MAX_REASON: Final = 2_000


class ReasonMissing(BaeumError):
    """A status is never changed without saying why."""

    code = "reason-missing"
    title = Text("사유가 없습니다", "There is no reason")


class RevocationIsFinal(BaeumError):
    """A revoked credential cannot be reinstated; a new one is issued instead."""

    code = "revocation-is-final"
    title = Text("취소는 되돌릴 수 없습니다", "A revocation cannot be undone")
    status: ClassVar[int] = 409


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Which credentials changed, and which already were as asked (nothing was written for them)."""

    action: str
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]

    @property
    def message(self) -> Text:
        """What happened, for people."""
        done, already = _SAID[self.action]
        parts = []
        if self.changed:
            parts.append(done.format(count=len(self.changed)))
        if self.unchanged:
            parts.append(already.format(count=len(self.unchanged)))
        if not parts:
            return Text("바뀐 증명이 없습니다.", "No credential was named.")
        return Text(" ".join(p.ko for p in parts), " ".join(p.en for p in parts))


_SAID: Final[Mapping[str, tuple[Text, Text]]] = {
    "revoke": (
        Text("증명 {count}건을 취소했습니다.", "{count} revoked."),
        Text("{count}건은 이미 취소되어 있었습니다.", "{count} had been revoked before."),
    ),
    "suspend": (
        Text("증명 {count}건을 정지했습니다.", "{count} suspended."),
        Text(
            "{count}건은 이미 정지되었거나 취소되어 있었습니다.",
            "{count} had been suspended or revoked before.",
        ),
    ),
    "reinstate": (
        Text("증명 {count}건의 정지를 풀었습니다.", "{count} reinstated."),
        Text("{count}건은 정지된 상태가 아니었습니다.", "{count} were not suspended."),
    ),
}


def revoke(
    database: Database, credential_ids: Iterable[str], reason: str, now: datetime
) -> StatusReport:
    """Revoke for good. Repeating it changes nothing and says so.

    All or nothing: raises ``CredentialUnknown`` naming the first unknown ids, ``ReasonMissing``.
    """
    return _change(database, "revoke", credential_ids, reason, now)


def suspend(
    database: Database, credential_ids: Iterable[str], reason: str, now: datetime
) -> StatusReport:
    """Suspend until reinstated. A revoked credential stays revoked. Errors as for ``revoke``."""
    return _change(database, "suspend", credential_ids, reason, now)


def reinstate(
    database: Database, credential_ids: Iterable[str], reason: str, now: datetime
) -> StatusReport:
    """Lift a suspension. Raises ``RevocationIsFinal``, and errors as for ``revoke``."""
    return _change(database, "reinstate", credential_ids, reason, now)


def _change(
    database: Database, action: str, credential_ids: Iterable[str], reason: str, now: datetime
) -> StatusReport:
    check_reason(reason)
    with database.session() as session:
        return change(session, action, credential_ids, reason, now)


def check_reason(reason: str) -> None:
    """Raises ``ReasonMissing``."""
    if not reason.strip() or len(reason) > MAX_REASON:
        raise ReasonMissing(
            Text(
                f"사유를 1자 이상 {MAX_REASON:,}자 이하로 적어야 합니다",
                f"Give a reason of 1 to {MAX_REASON:,} characters",
            ),
            Text("--reason에 사유를 적어 주세요", "Give the reason with --reason"),
        )


def change(
    session: Session, action: str, credential_ids: Iterable[str], reason: str, now: datetime
) -> StatusReport:
    """As ``revoke`` and the others, in the caller's transaction: ``action`` is their name."""
    wanted = list(dict.fromkeys(credential_ids))
    changed: list[str] = []
    unchanged: list[str] = []
    for list_id, entries in sorted(_by_list(session, wanted).items()):
        shard = session.get_one(StatusList, list_id, with_for_update=True)
        turned = [e for e in entries if _turns(shard, action, *e)]
        if turned:
            _turn(shard, action, [index for _, index in turned])
        done = {credential_id for credential_id, _ in turned}
        changed.extend(done)
        unchanged.extend(i for i, _ in entries if i not in done)
    if changed:
        handouts.follow(session, changed)
    order = {credential_id: n for n, credential_id in enumerate(wanted)}
    changed.sort(key=order.__getitem__)
    unchanged.sort(key=order.__getitem__)
    if changed:
        session.execute(
            insert(StatusChange.__table__),  # type: ignore[arg-type]
            [{"credential_id": i, "action": action, "reason": reason, "at": now} for i in changed],
        )
    return StatusReport(action, tuple(changed), tuple(unchanged))


def mark_refreshed(session: Session, places: Mapping[str, Sequence[int]]) -> None:
    """Say in the lists, by id and indices, that a newer credential is there. Never taken back."""
    for list_id in sorted(places):
        shard = session.get_one(StatusList, list_id, with_for_update=True)
        bits = shard.refreshed or bytes(shard.size // 8)
        shard.refreshed = status.with_bits(bits, places[list_id], True)
        shard.changed += 1


def _by_list(session: Session, wanted: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    known: set[str] = set()
    for start in range(0, len(wanted), _LOOK_UP):
        for row in session.execute(
            select(Credential.id, Credential.status_list_id, Credential.status_index).where(
                Credential.id.in_(wanted[start : start + _LOOK_UP])
            )
        ):
            found[row.status_list_id].append((row.id, row.status_index))
            known.add(row.id)
    unknown = [credential_id for credential_id in wanted if credential_id not in known]
    if unknown:
        listed = ", ".join(credential_id[:80] for credential_id in unknown[:5])
        raise CredentialUnknown(
            Text(
                f"없는 증명이 {len(unknown)}건 있어 아무것도 바꾸지 않았습니다: {listed}",
                f"{len(unknown)} unknown; nothing was changed: {listed}",
            ),
            Text("증명 번호를 확인해 주세요", "Check the ids of the credentials"),
            {"unknown": [credential_id[:80] for credential_id in unknown[:5]]},
        )
    return found


def _turns(shard: StatusList, action: str, credential_id: str, index: int) -> bool:
    revoked = status.bit(shard.revoked, index)
    if action == "revoke":
        return not revoked
    if action == "suspend":
        return not revoked and not status.bit(shard.suspended, index)
    if revoked:
        raise RevocationIsFinal(
            Text(f"취소된 증명입니다: {credential_id}", f"{credential_id} is revoked"),
            Text("필요하면 새 증명을 발급해 주세요", "Issue a new credential if one is due"),
            {"credential": credential_id},
        )
    return status.bit(shard.suspended, index)


def _turn(shard: StatusList, action: str, indices: Sequence[int]) -> None:
    if action == "revoke":
        shard.revoked = status.with_bits(shard.revoked, indices, True)
    else:
        shard.suspended = status.with_bits(shard.suspended, indices, action == "suspend")
    shard.changed += 1
