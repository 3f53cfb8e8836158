"""Database against chain: every leaf, root, receipt and head computed again and compared.

Trusts nothing that was stored about a batch except the signed documents themselves: leaves are
recomputed from them, roots from the leaves, and what the chain says is asked of the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credential import jcs, merkle, receipt
from credential.errors import BaeumError
from credential.text import Text
from ledger.anchor_comparison import AnchorHistory, compare_anchors
from ledger.chain.names import institution_id
from ledger.database.models import Batch, ChainTransaction, Credential
from ledger.database.session import Database
from ledger.difference import RESTORE, Difference
from ledger.status_comparison import compare_statuses

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Everything that was compared; ``not_run`` names what could not be."""

    batches: int
    credentials: int
    differences: tuple[Difference, ...]
    not_run: tuple[Text, ...]
    at: datetime

    @property
    def exit_code(self) -> int:
        """0 clean, 1 a difference, 2 something could not be compared."""
        return 1 if self.differences else 2 if self.not_run else 0

    @property
    def sentence(self) -> Text:
        return Text(
            f"묶음 {self.batches:,}개, 증명 {self.credentials:,}건을 대조했습니다. "
            f"차이 {len(self.differences):,}건, 확인하지 못한 것 {len(self.not_run):,}건.",
            f"Compared {self.batches:,} batches and {self.credentials:,} credentials: "
            f"{len(self.differences):,} differences, {len(self.not_run):,} not compared.",
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "batches": self.batches,
            "credentials": self.credentials,
            "differences": [difference.to_json() for difference in self.differences],
            "notRun": [text.to_json() for text in self.not_run],
            "at": self.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def reconcile(
    database: Database,
    chain: AnchorHistory | None,
    *,
    now: datetime,
    progress: Progress | None = None,
) -> Reconciliation:
    """Compare everything, change nothing. A chain that is out of reach is reported as not run."""
    differences: list[Difference] = []
    not_run: list[Text] = []
    with database.reading() as session:
        total = session.scalar(select(func.count()).select_from(Credential)) or 0
        batches = list(session.scalars(select(Batch).order_by(Batch.id)))
        done = 0
        for batch in batches:
            for count, found in _batch(session, batch):
                differences += found
                done += count
                if progress is not None:
                    progress(done, total)
        stray = session.scalar(
            select(func.count())
            .select_from(Credential)
            .outerjoin(Batch, Batch.id == Credential.batch_id)
            .where(Batch.id.is_(None))
        )
        if stray:
            differences.append(
                Difference(
                    "credential-without-batch",
                    Text(f"묶음에 속하지 않은 증명 {stray}건", f"{stray} credentials in no batch"),
                    RESTORE,
                )
            )
        differences += compare_statuses(session)
        mined = _mined(session)
    if chain is None:
        not_run.append(Text("체인이 설정되지 않았습니다", "No chain is set up"))
    else:
        try:
            differences += compare_anchors(chain, batches, mined)
        except BaeumError as error:
            not_run.append(
                Text(
                    f"체인과 대조하지 못했습니다: {error.detail.ko}",
                    f"The chain could not be compared: {error.detail.en}",
                )
            )
    return Reconciliation(len(batches), total, tuple(differences), tuple(not_run), now)


# --- leaves and roots -----------------------------------------------------------------------------


def _batch(session: Session, batch: Batch) -> Iterator[tuple[int, list[Difference]]]:
    """Recompute one batch, a portion at a time: (credentials seen, differences)."""
    tile: list[bytes] = []
    roots = bytearray()
    expected = 0
    contract = bytes.fromhex(batch.contract.removeprefix("0x"))
    places: dict[str, bytes] = {}
    rows = session.execute(
        select(
            Credential.id,
            Credential.institution_id,
            Credential.document,
            Credential.leaf,
            Credential.leaf_index,
        )
        .where(Credential.batch_id == batch.id)
        .order_by(Credential.leaf_index)
        .execution_options(yield_per=2000)
    )
    for partition in rows.partitions():
        found: list[Difference] = []
        for row in partition:
            if row.institution_id not in places:
                places[row.institution_id] = receipt.place(
                    chain_id=batch.chain_id,
                    contract=contract,
                    institution=institution_id(row.institution_id),
                )
            found += _credential(batch, row, places[row.institution_id])
            if row.leaf_index != expected:
                found.append(_gap(batch, expected, row.leaf_index))
                expected = row.leaf_index
            expected += 1
            tile.append(row.leaf)
            if len(tile) == 1 << merkle.TILE_HEIGHT:
                roots += merkle.subtree_roots(tile)
                tile.clear()
        yield len(partition), found
    found = []
    if expected != batch.size:
        found.append(_gap(batch, expected, batch.size))
    roots += merkle.subtree_roots(tile)
    computed = merkle.commitment(batch.size, merkle.root_of_subtrees(bytes(roots)))
    if batch.state != "open" and batch.subtree_roots != bytes(roots):
        found.append(
            Difference(
                "tiles-differ",
                Text(
                    f"묶음 {batch.id}의 중간 해시가 잎에서 계산한 것과 다릅니다",
                    f"The stored inner hashes of batch {batch.id} are not those of its leaves: "
                    "paths taken from them would not verify",
                ),
                RESTORE,
                batch.id,
            )
        )
    if batch.state != "open" and batch.root != computed:
        found.append(
            Difference(
                "root-differs",
                Text(
                    f"묶음 {batch.id}의 잎에서 계산한 루트가 저장된 루트와 다릅니다",
                    f"The root computed from the leaves of batch {batch.id} is not the stored one",
                ),
                RESTORE,
                batch.id,
            )
        )
    yield 0, found


def _credential(batch: Batch, row: Any, place: bytes) -> list[Difference]:
    try:
        document = orjson.loads(row.document)
        digest = sha256(jcs.canonical(document)).digest()
    except (ValueError, BaeumError):
        document, digest = {}, b""
    found = []
    if not digest or receipt.leaf_from_digest(digest, place) != row.leaf:
        found.append(
            Difference(
                "document-altered",
                Text(
                    f"증명 {row.id}의 문서가 잎과 맞지 않습니다",
                    f"The document of {row.id} is not the one its leaf commits to",
                ),
                RESTORE,
                batch.id,
                row.id,
            )
        )
    elif document.get("id") != row.id:
        found.append(
            Difference(
                "id-altered",
                Text(
                    f"증명 {row.id}의 문서에 다른 번호가 적혀 있습니다",
                    f"The document stored as {row.id} carries another id",
                ),
                RESTORE,
                batch.id,
                row.id,
            )
        )
    return found


def _gap(batch: Batch, expected: int, found: int) -> Difference:
    return Difference(
        "leaf-missing" if found > expected else "leaf-extra",
        Text(
            f"묶음 {batch.id}: {expected}번 잎이어야 할 자리에 {found}번이 있습니다",
            f"Batch {batch.id}: leaf {expected} expected, {found} found",
        ),
        RESTORE,
        batch.id,
    )


def _mined(session: Session) -> dict[int, ChainTransaction]:
    rows = session.scalars(
        select(ChainTransaction).where(
            ChainTransaction.block_hash.is_not(None), ChainTransaction.failure.is_(None)
        )
    ).all()
    return {row.batch_id: row for row in rows}
