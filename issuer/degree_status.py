"""The status bits of degree credentials follow what people decided about the degrees.

A decision is a transaction of the ledger; turning the bit is another one. ``align`` compares the
two and turns what differs, so a crash between them is made good by the next look.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from credential import status as bits
from issuer.status import reinstate, revoke, suspend
from ledger.database.awards import Decision
from ledger.database.models import Award, Credential, LearningRecord, StatusList
from ledger.database.session import Database


@dataclass(frozen=True, slots=True)
class Aligned:
    """Credential ids whose status was turned."""

    revoked: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()
    reinstated: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.revoked or self.suspended or self.reinstated)


_WHY = {
    "revoke": "학위 취소 또는 재발급 / degree withdrawn or issued anew",
    "suspend": "학위 정지 / degree suspended",
    "reinstate": "학위 정지 해제 / degree valid again",
}


def align(database: Database, now: datetime) -> Aligned:
    """Revoke, suspend and reinstate degree credentials as their awards stand. Safe to repeat."""
    with database.reading() as session:
        rows = session.execute(
            select(
                Credential.id,
                Credential.status_list_id,
                Credential.status_index,
                Award.state.label("award"),
                LearningRecord.status.label("record"),
            )
            .join(Decision, Decision.record_id == Credential.record_id)
            .join(Award, Award.id == Decision.award_id)
            .join(LearningRecord, LearningRecord.id == Credential.record_id)
            .order_by(Credential.id)
        ).all()
        lists = {
            shard.id: (shard.revoked, shard.suspended)
            for shard in session.scalars(
                select(StatusList).where(StatusList.id.in_({row.status_list_id for row in rows}))
            )
        }
    wanted: dict[str, list[str]] = {"revoke": [], "suspend": [], "reinstate": []}
    for row in rows:
        revoked, suspended = (
            bits.bit(shard, row.status_index) for shard in lists[row.status_list_id]
        )
        if revoked:
            continue
        if row.award == "withdrawn" or row.record != "verified":
            wanted["revoke"].append(row.id)
        elif row.award == "suspended" and not suspended:
            wanted["suspend"].append(row.id)
        elif row.award == "valid" and suspended:
            wanted["reinstate"].append(row.id)
    turned = {
        action: do(database, wanted[action], _WHY[action], now).changed if wanted[action] else ()
        for action, do in (("revoke", revoke), ("suspend", suspend), ("reinstate", reinstate))
    }
    return Aligned(turned["revoke"], turned["suspend"], turned["reinstate"])
