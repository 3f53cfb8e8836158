"""Batches: credentials under one Merkle root, from the open one that grows to the sealed one.

A credential's place in its batch is fixed in the transaction that stores it; sealing closes the
batch and computes the root, in one transaction too. Leaves are streamed. What is kept is one hash
for every 256 leaves, so that a path costs one tile of leaves and those hashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

import orjson
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from credential import merkle
from credential.errors import BaeumError
from credential.evidence import Evidence
from credential.receipt import Receipt
from credential.text import Text
from issuer.place import AnchorPlace, address_bytes
from issuer.templates.facts import instant
from ledger.chain.names import institution_id
from ledger.database.models import Batch, ChainTransaction, Credential
from ledger.database.session import Database

MAX_LEAVES = 1 << 20
"""A full batch is sealed and another begun: paths stay at 20 steps, which one QR code holds."""

_TILE = 1 << merkle.TILE_HEIGHT
_OPENING_LOCK = 0x6261_6575_6E  # an arbitrary constant: who opens a batch on PostgreSQL holds it


class CredentialUnknown(BaeumError):
    """No credential has this id."""

    code = "credential-unknown"
    title = Text("없는 증명입니다", "There is no such credential")
    status: ClassVar[int] = 404


class BatchDamaged(BaeumError):
    """The stored leaves are not the ones the batch was built from."""

    code = "batch-damaged"
    title = Text("묶음의 자료가 맞지 않습니다", "The batch's data do not agree")
    status: ClassVar[int] = 500


def open_batch(session: Session, place: AnchorPlace, now: datetime) -> Batch:
    """The open batch of this place, made when there is none, locked until the transaction ends."""
    batch = _open(session, place)
    if batch is None:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text(f"SELECT pg_advisory_xact_lock({_OPENING_LOCK})"))
            batch = _open(session, place)
            if batch is not None:
                return batch
        batch = Batch(
            institution_id=place.anchored_by,
            chain_id=place.chain_id,
            contract=place.contract,
            state="open",
            size=0,
            opened_at=now,
        )
        session.add(batch)
        session.flush()
    return batch


def seal(database: Database, now: datetime) -> Batch | None:
    """Seal the oldest open batch that holds anything; None when there is none.

    One transaction: killed anywhere, the batch is open as before or sealed whole. Raises
    ``BatchDamaged`` when leaves are missing.
    """
    with database.session() as session:
        batch = session.scalars(
            select(Batch)
            .where(Batch.state == "open", Batch.size > 0)
            .order_by(Batch.id)
            .limit(1)
            .with_for_update()
        ).first()
        if batch is not None:
            close(session, batch, now)
        return batch


def close(session: Session, batch: Batch, now: datetime) -> None:
    """Seal this batch within the caller's transaction, which holds its lock."""
    count, last = session.execute(
        select(func.count(), func.max(Credential.leaf_index)).where(Credential.batch_id == batch.id)
    ).one()
    if count != batch.size or last != batch.size - 1:
        raise _damaged(batch.id, f"{count} of {batch.size} leaves")
    roots = merkle.subtree_roots(_leaves(session, batch.id))
    batch.subtree_roots = roots
    batch.root = merkle.commitment(batch.size, merkle.root_of_subtrees(roots))
    batch.state = "sealed"
    batch.sealed_at = now
    session.flush()


def receipt_for(session: Session, credential_id: str) -> Receipt | None:
    """The credential's receipt; None until its batch is final.

    Not sooner: a reorganisation can still move a mined batch to another block, and a receipt that
    names the wrong block, once it is in somebody's wallet, cannot be called back.

    Raises ``CredentialUnknown``, and ``BatchDamaged`` when the stored leaves are not the sealed
    ones.
    """
    return _receipt(session, _credential(session, credential_id))


def evidence_for(session: Session, credential_id: str) -> Evidence:
    """The credential with its receipt, if there is one yet; errors as for ``receipt_for``."""
    credential = _credential(session, credential_id)
    return Evidence(orjson.loads(credential.document), _receipt(session, credential))


def path_for(session: Session, credential_id: str) -> list[bytes]:
    """The audit path in a sealed batch; raises ``CredentialUnknown`` and ``BatchDamaged``."""
    credential = _credential(session, credential_id)
    batch = session.get_one(Batch, credential.batch_id)
    return _path(session, batch, credential)


def _credential(session: Session, credential_id: str) -> Credential:
    credential = session.get(Credential, credential_id)
    if credential is None:
        raise CredentialUnknown(
            Text(
                f"증명을 찾을 수 없습니다: {credential_id[:80]}",
                f"No credential {credential_id[:80]}",
            ),
            Text("증명 번호를 확인해 주세요", "Check the id of the credential"),
            {"credential": credential_id[:80]},
        )
    return credential


def _receipt(session: Session, credential: Credential) -> Receipt | None:
    batch = session.get(Batch, credential.batch_id)
    if batch is None or batch.state != "final" or batch.root is None:
        return None
    if credential.leaf_index is None:
        return None
    mined = session.scalars(
        select(ChainTransaction)
        .where(
            ChainTransaction.batch_id == batch.id,
            ChainTransaction.failure.is_(None),
            ChainTransaction.block_hash.is_not(None),
        )
        .order_by(ChainTransaction.id.desc())
        .limit(1)
    ).first()
    if mined is None:
        return None
    if (
        mined.block_number is None
        or mined.block_hash is None
        or mined.block_time is None
        or mined.sequence is None
        or mined.head is None
    ):
        raise _damaged(batch.id, f"transaction {mined.hash} is half recorded")
    return Receipt(
        leaf_index=credential.leaf_index,
        tree_size=batch.size,
        path=tuple(_path(session, batch, credential)),
        root=batch.root,
        chain_id=batch.chain_id,
        contract=address_bytes(batch.contract),
        institution=institution_id(credential.institution_id),
        anchored_by=institution_id(batch.institution_id),
        transaction=_hash(mined.hash),
        block_number=mined.block_number,
        block_hash=_hash(mined.block_hash),
        block_time=instant(mined.block_time),
        sequence=mined.sequence,
        head=_hash(mined.head),
    )


def _path(session: Session, batch: Batch, credential: Credential) -> list[bytes]:
    index = credential.leaf_index
    if index is None or batch.subtree_roots is None:
        raise _damaged(batch.id, "not sealed")
    first = index - index % _TILE
    tile = session.scalars(
        select(Credential.leaf)
        .where(
            Credential.batch_id == batch.id,
            Credential.leaf_index >= first,
            Credential.leaf_index < first + _TILE,
        )
        .order_by(Credential.leaf_index)
    ).all()
    try:
        return merkle.path_from_subtrees(index, batch.size, tile, batch.subtree_roots)
    except merkle.PathInvalid as error:
        raise _damaged(batch.id, error.detail.en) from error


def _leaves(session: Session, batch_id: int) -> Iterator[bytes]:
    yield from session.scalars(
        select(Credential.leaf)
        .where(Credential.batch_id == batch_id)
        .order_by(Credential.leaf_index)
        .execution_options(yield_per=8192)
    )


def _open(session: Session, place: AnchorPlace) -> Batch | None:
    found: Batch | None = session.scalars(
        select(Batch)
        .where(
            Batch.state == "open",
            Batch.chain_id == place.chain_id,
            Batch.contract == place.contract,
            Batch.institution_id == place.anchored_by,
        )
        .order_by(Batch.id)
        .limit(1)
        .with_for_update()
    ).first()
    return found


def _hash(text_form: str) -> bytes:
    return bytes.fromhex(text_form.removeprefix("0x"))


def _damaged(batch_id: int, what: Any) -> BatchDamaged:
    return BatchDamaged(
        Text(f"묶음 {batch_id}: {what}", f"Batch {batch_id}: {what}"),
        Text("baeum audit으로 차이를 확인해 주세요", "Look at the difference with baeum audit"),
        {"batch": batch_id},
    )
