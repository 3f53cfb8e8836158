"""Idempotency keys: a write repeated under one key is done once and answered the same.

The key is taken, in a transaction of its own, before the work begins; a second request meanwhile is
told to wait. Work that failed, or a process that died, leaves a key that can be taken again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from credential.errors import BaeumError
from credential.text import Text
from ledger.database.access import Answered
from ledger.database.session import Database

KEPT = timedelta(days=1)
ABANDONED = timedelta(minutes=2)
"""A key without an answer for this long belonged to a process that died."""


class KeyReused(BaeumError):
    """422: the key was used for another request."""

    code = "idempotency-key-reused"
    title = Text("다른 요청에 쓴 Idempotency-Key입니다", "Idempotency-Key was used before")
    status: ClassVar[int] = 422


class StillRunning(BaeumError):
    """409: the first request under this key has not ended."""

    code = "idempotency-key-in-use"
    title = Text("같은 요청을 처리하고 있습니다", "The same request is being worked on")
    status: ClassVar[int] = 409


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first request was answered."""

    status: int
    content_type: str
    body: bytes


def take(
    database: Database, principal: str, key: str, request: bytes, now: datetime
) -> Answer | None:
    """The earlier answer, or ``None``: then do the work and ``keep`` or ``give_back``.

    ``request``: 32 bytes that stand for method, address and body.
    Raises ``KeyReused``, ``StillRunning``.
    """
    fresh = Answered(principal=principal, key=key, request=request, at=now)
    with database.session() as session:
        session.execute(delete(Answered).where(Answered.at < now - KEPT))
        found = session.get(Answered, (principal, key), with_for_update=True)
        if found is None:
            try:
                with session.begin_nested():
                    session.add(fresh)
                return None
            except IntegrityError:
                found = session.get_one(Answered, (principal, key), with_for_update=True)
        if found.request != request:
            raise KeyReused(
                Text(
                    "이 Idempotency-Key는 내용이 다른 요청에 이미 쓰였습니다.",
                    "This Idempotency-Key was used with a different request.",
                ),
                Text("새 값을 쓰세요.", "Use a new value."),
            )
        if found.status is not None:
            return Answer(found.status, found.content_type or "", found.body or b"")
        if now - found.at < ABANDONED:
            raise StillRunning(
                Text("처음 요청이 아직 끝나지 않았습니다.", "The first one has not ended yet."),
                Text("잠시 뒤 다시 보내 주세요.", "Send it again in a moment."),
                {"retry_after": 2},
            )
        found.at = now
    return None


def keep(database: Database, principal: str, key: str, answer: Answer) -> None:
    """Remember the answer."""
    with database.session() as session:
        row = session.get(Answered, (principal, key), with_for_update=True)
        if row is not None:
            row.status, row.content_type, row.body = (
                answer.status,
                answer.content_type,
                answer.body,
            )


def give_back(database: Database, principal: str, key: str) -> None:
    """The work was not done: the key may be used again."""
    with database.session() as session:
        row = session.get(Answered, (principal, key), with_for_update=True)
        if row is not None and row.status is None:
            session.delete(row)
