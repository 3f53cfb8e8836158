"""Finding issued credentials: by institution, learner, kind or batch, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential import status
from issuer.templates.facts import instant
from ledger.database.models import Credential, LearningRecord, StatusList

MAX_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """One credential as a list shows it; ``state`` is valid, suspended or revoked."""

    id: str
    institution: str
    kind: str
    title: str
    minutes: int
    issued_at: datetime
    batch_id: int | None
    state: str

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "institution": self.institution,
            "kind": self.kind,
            "title": self.title,
            "minutes": self.minutes,
            "issuedAt": instant(self.issued_at),
            "batch": self.batch_id,
            "state": self.state,
        }


def credentials(
    session: Session,
    *,
    institution: str | None = None,
    learner: str | None = None,
    kind: str | None = None,
    batch: int | None = None,
    after: str | None = None,
    limit: int = 50,
) -> list[Found]:
    """At most ``limit`` credentials by id, beginning behind the id ``after``."""
    wanted = (
        select(
            Credential.id,
            Credential.institution_id,
            Credential.kind,
            Credential.issued_at,
            Credential.batch_id,
            Credential.status_list_id,
            Credential.status_index,
            LearningRecord.title_ko,
            LearningRecord.minutes,
        )
        .join(LearningRecord, LearningRecord.id == Credential.record_id)
        .order_by(Credential.id)
        .limit(max(1, min(limit, MAX_PAGE)))
    )
    for column, value in (
        (Credential.institution_id, institution),
        (Credential.learner_id, learner),
        (Credential.kind, kind),
        (Credential.batch_id, batch),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if after is not None:
        wanted = wanted.where(Credential.id > after)
    rows = session.execute(wanted).all()
    lists = {
        shard.id: shard
        for shard in session.scalars(
            select(StatusList).where(StatusList.id.in_({row.status_list_id for row in rows}))
        )
    }
    return [
        Found(
            row.id,
            row.institution_id,
            row.kind,
            row.title_ko,
            row.minutes,
            row.issued_at,
            row.batch_id,
            _state(lists[row.status_list_id], row.status_index),
        )
        for row in rows
    ]


def _state(shard: StatusList, index: int) -> str:
    if status.bit(shard.revoked, index):
        return "revoked"
    return "suspended" if status.bit(shard.suspended, index) else "valid"
