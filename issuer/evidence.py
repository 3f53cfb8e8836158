"""Evidence files: each credential with its receipt, as the file a learner is handed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from issuer.batches import evidence_for
from ledger.database.models import Credential
from ledger.database.session import Database

SUFFIX = ".baeum.json"
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class ExportReport:
    """``anchored`` files carry a receipt; ``waiting`` ones will when their batch is in a block."""

    anchored: int
    waiting: int


def export_evidence(
    database: Database,
    directory: Path,
    *,
    credential_ids: Iterable[str] | None = None,
    learner_id: str | None = None,
    batch_id: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> ExportReport:
    """Write ``{uuid}.baeum.json`` for the credentials named, of a learner, of a batch, or all.

    Files appear whole; one written before is replaced (it may have got its receipt since). Raises
    ``CredentialUnknown``.
    """
    directory.mkdir(parents=True, exist_ok=True)
    anchored = waiting = 0
    wanted = (
        _chunks(credential_ids)
        if credential_ids is not None
        else _stored(database, learner_id, batch_id)
    )
    for ids in wanted:
        with database.reading() as session:
            for credential_id in ids:
                evidence = evidence_for(session, credential_id)
                write_evidence(directory / file_name(credential_id), evidence.to_bytes())
                if evidence.receipt is None:
                    waiting += 1
                else:
                    anchored += 1
        if progress is not None:
            progress(anchored + waiting)
    return ExportReport(anchored, waiting)


def file_name(credential_id: str) -> str:
    """The evidence file's name: the credential's UUID."""
    return credential_id.removeprefix("urn:uuid:") + SUFFIX


def write_evidence(path: Path, body: bytes) -> None:
    """Write the file whole: it is never seen half-written, though it may be lost in a power cut."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        fresh.write_bytes(body)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _stored(
    database: Database, learner_id: str | None, batch_id: int | None
) -> Iterator[list[str]]:
    after = ""
    while True:
        query = select(Credential.id).where(Credential.id > after)
        if learner_id is not None:
            query = query.where(Credential.learner_id == learner_id)
        if batch_id is not None:
            query = query.where(Credential.batch_id == batch_id)
        with database.reading() as session:
            ids = list(session.scalars(query.order_by(Credential.id).limit(_CHUNK)))
        if ids:
            yield ids
        if len(ids) < _CHUNK:
            return
        after = ids[-1]


def _chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for credential_id in ids:
        chunk.append(credential_id)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
