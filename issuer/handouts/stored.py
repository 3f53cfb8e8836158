"""Reading back what a hand-out is derived from: credentials in force, with record and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from credential import status
from credential.errors import BaeumError
from credential.text import Text
from issuer.batches import CredentialUnknown
from issuer.handouts.claims import Covered
from issuer.templates.facts import RecordFacts
from ledger.database.models import (
    Credential,
    Institution,
    Learner,
    LearnerIdentity,
    LearningRecord,
    StatusList,
)
from ledger.learners import Identities


class CredentialNotInForce(BaeumError):
    """A revoked or suspended credential is not handed out again."""

    code: ClassVar[str] = "credential-not-in-force"
    title: ClassVar[Text] = Text("효력이 없는 증명입니다", "The credential is not in force")
    status: ClassVar[int] = 409


@dataclass(frozen=True, slots=True)
class Stored:
    """A credential in force: what it is told as, and where its status is."""

    covered: Covered
    institution: str
    list_id: str
    index: int
    name: str | None
    holder: str | None


def in_force(
    session: Session,
    credential_ids: Sequence[str],
    identities: Identities | None,
    *,
    skip: bool = False,
) -> list[Stored]:
    """The credentials in force; one that is not is an error, or left out with ``skip``."""
    record = LearningRecord
    rows = session.execute(
        select(
            Credential.id.label("credential_id"),
            Credential.institution_id,
            Credential.status_list_id,
            Credential.status_index,
            record.id,
            record.learner_id,
            record.kind,
            record.category,
            record.level,
            record.title_ko,
            record.title_en,
            record.code,
            record.started_at,
            record.ended_at,
            record.minutes,
            Learner.holder_did,
            LearnerIdentity.name,
            Institution.did,
            Institution.name_ko,
            Institution.name_en,
        )
        .join(record, record.id == Credential.record_id)
        .join(Learner, Learner.id == record.learner_id)
        .join(Institution, Institution.id == Credential.institution_id)
        .outerjoin(LearnerIdentity, LearnerIdentity.learner_id == record.learner_id)
        .where(Credential.id.in_(credential_ids))
    ).all()
    if len(rows) != len(set(credential_ids)):
        raise CredentialUnknown(
            Text("없는 증명입니다", "There is no such credential"),
            Text("증명 번호를 확인해 주세요", "Check the id of the credential"),
            {"unknown": [one[:80] for one in credential_ids[:1]]},
        )
    lists = {row.status_list_id for row in rows}
    shards = {list_id: session.get_one(StatusList, list_id) for list_id in lists}
    found = []
    for row in rows:
        shard = shards[row.status_list_id]
        if any(status.bit(bits, row.status_index) for bits in (shard.revoked, shard.suspended)):
            if skip:
                continue
            raise CredentialNotInForce(
                Text(
                    "취소되었거나 정지된 증명은 내주지 않습니다",
                    "A revoked or suspended credential is not handed out",
                ),
                Text("새 증명을 발급해 주세요", "Issue a new credential"),
                {"credential": row.credential_id},
            )
        name = (
            identities.open_name(row.learner_id, row.name)
            if identities is not None and row.name is not None
            else None
        )
        facts = RecordFacts(
            record_id=row.id,
            learner_id=row.learner_id,
            kind=row.kind,
            category=row.category,
            level=row.level,
            title_ko=row.title_ko,
            title_en=row.title_en,
            code=row.code,
            started_at=row.started_at,
            ended_at=row.ended_at,
            minutes=row.minutes,
            learner_name=name,
            holder_did=row.holder_did,
        )
        covered = Covered(row.credential_id, facts, row.did, row.name_ko, row.name_en)
        found.append(
            Stored(
                covered,
                row.institution_id,
                row.status_list_id,
                row.status_index,
                name,
                row.holder_did,
            )
        )
    return found
