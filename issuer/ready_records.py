"""Reading the verified records that have no credential yet, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Select, and_, func, select, text
from sqlalchemy.orm import Session

from issuer.templates import DegreeFacts
from ledger.database.awards import Application, Decision
from ledger.database.models import Credential, Learner, LearnerIdentity, LearningRecord
from ledger.database.session import Database

# Word for word the condition of the index ``ix_record_live``: SQLite uses a partial index only for
# a query that says the same. Among live records a source key is unique, so it is the cursor.
_LIVE = text("learning_record.status <> 'superseded'")

# The credential that stands for a record, unless a new one is due.
_STANDS = and_(
    Credential.record_id == LearningRecord.id,
    Credential.replaced_by.is_(None),
    Credential.renew_at.is_(None),
)


def count(session: Session, institution: str | None = None) -> int:
    """How many there are, of one institution or of all."""
    query = (
        select(func.count())
        .select_from(LearningRecord)
        .outerjoin(Credential, _STANDS)
        .where(LearningRecord.status == "verified", Credential.id.is_(None))
    )
    if institution is not None:
        query = query.where(LearningRecord.institution_id == institution)
    return session.scalar(query) or 0


def first_ids(session: Session, institution: str, size: int) -> list[str]:
    """The ids of the first ``size`` of an institution's."""
    return [row.id for row in session.execute(_page(institution, None, size))]


def pages(database: Database, institution: str, size: int) -> Iterator[list[Any]]:
    """The institution's, in the order of its own keys, ``size`` at a time.

    Rows have the columns of ``RecordFacts`` with the name sealed as ``name``. Each page is a read
    of its own (keyset pagination), so nothing is held open while a page is worked on.
    """
    after: str | None = None
    while True:
        with database.reading() as session:
            rows = list(session.execute(_page(institution, after, size)))
        if rows:
            yield rows
        if len(rows) < size:
            return
        after = rows[-1].source_key


def degrees(database: Database, record_ids: list[str]) -> dict[str, DegreeFacts]:
    """What the committee's decisions froze, by the id of the degree's record."""
    if not record_ids:
        return {}
    with database.reading() as session:
        rows = session.execute(
            select(
                Decision.record_id,
                Application.policy,
                Application.policy_hash,
                Decision.record_set_root,
                Decision.allocation_hash,
                Decision.trace_hash,
                Decision.taxonomy,
            )
            .join(Application, Application.id == Decision.application_id)
            .where(Decision.record_id.in_(record_ids))
        )
        return {str(row[0]): DegreeFacts(*row[1:]) for row in rows}


def still_wanted(session: Session, record_ids: Iterable[str]) -> set[str]:
    """Those that are verified still and have no credential yet, under the open batch's lock."""
    return set(
        session.scalars(
            select(LearningRecord.id)
            .outerjoin(Credential, _STANDS)
            .where(
                LearningRecord.id.in_(list(record_ids)),
                LearningRecord.status == "verified",
                Credential.id.is_(None),
            )
            # A record being retracted or corrected waits until this is stored, and then sees it.
            .with_for_update(read=True, of=LearningRecord)
        )
    )


def _page(institution: str, after: str | None, size: int) -> Select[*tuple[Any, ...]]:
    record = LearningRecord
    query: Select[*tuple[Any, ...]] = (
        select(
            record.id,
            record.source_key,
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
        )
        .join(Learner, Learner.id == record.learner_id)
        .outerjoin(LearnerIdentity, LearnerIdentity.learner_id == record.learner_id)
        .outerjoin(Credential, _STANDS)
        .where(
            record.institution_id == institution,
            _LIVE,
            record.status == "verified",
            Credential.id.is_(None),
        )
        .order_by(record.source_key)
        .limit(size)
    )
    return query if after is None else query.where(record.source_key > after)
