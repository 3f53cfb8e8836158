"""Database against chain: every leaf, root, receipt and head computed again and compared.

Trusts nothing that was stored about a batch except the signed documents themselves: leaves are
recomputed from them, roots from the leaves, and what the chain says is asked of the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credential import jcs, merkle, receipt
from credential.errors import BaeumError
from credential.text import Text
from ledger.chain.gateway import AnchorEvent
from ledger.chain.names import institution_id, next_head
from ledger.database.models import Batch, ChainTransaction, Credential
from ledger.database.session import Database

Progress = Callable[[int, int | None], None]

_RESTORE = Text(
    "백업과 대조하고 바뀐 행을 되돌려 주세요", "Compare with the backup and restore the row"
)
_FOREIGN = Text(
    "이 계정을 다른 프로그램이 쓰는지, 백업에서 되돌린 데이터베이스인지 확인해 주세요",
    "Find out whether another program uses this account, or an old backup was restored",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement and what to do about it."""

    code: str
    detail: Text
    remedy: Text
    batch_id: int | None = None
    credential_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "detail": self.detail.to_json(),
            "remedy": self.remedy.to_json(),
            "batch": self.batch_id,
            "credential": self.credential_id,
        }


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


class AnchorHistory(Protocol):
    """What reconciliation asks of a chain."""

    def anchors(self, first_block: int) -> list[AnchorEvent]: ...
    def block_hash(self, number: int) -> str | None: ...
    def first_block(self) -> int: ...
    def anchor_state(self) -> tuple[int, bytes]: ...
    def first_head(self) -> bytes: ...
    def sender_institution(self) -> bytes: ...


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
            select(func.count()).select_from(Credential).where(Credential.batch_id.is_(None))
        )
        if stray:
            differences.append(
                Difference(
                    "credential-without-batch",
                    Text(f"묶음에 속하지 않은 증명 {stray}건", f"{stray} credentials in no batch"),
                    _RESTORE,
                )
            )
        mined = _mined(session)
    if chain is None:
        not_run.append(Text("체인이 설정되지 않았습니다", "No chain is set up"))
    else:
        try:
            differences += _chain(chain, batches, mined)
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
    accumulator = merkle.Accumulator()
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
            accumulator.append(row.leaf)
        yield len(partition), found
    found = []
    if expected != batch.size:
        found.append(_gap(batch, expected, batch.size))
    if batch.state != "open" and batch.root != accumulator.commitment:
        found.append(
            Difference(
                "root-differs",
                Text(
                    f"묶음 {batch.id}의 잎에서 계산한 루트가 저장된 루트와 다릅니다",
                    f"The root computed from the leaves of batch {batch.id} is not the stored one",
                ),
                _RESTORE,
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
                _RESTORE,
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
                _RESTORE,
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
        _RESTORE,
        batch.id,
    )


# --- the chain ------------------------------------------------------------------------------------


def _mined(session: Session) -> dict[int, ChainTransaction]:
    rows = session.scalars(
        select(ChainTransaction).where(ChainTransaction.block_hash.is_not(None))
    ).all()
    return {row.batch_id: row for row in rows}


def _chain(
    chain: AnchorHistory, batches: list[Batch], mined: dict[int, ChainTransaction]
) -> list[Difference]:
    found: list[Difference] = []
    events = chain.anchors(chain.first_block())
    by_root = {event.root: event for event in events}
    ours = {batch.root for batch in batches if batch.root is not None}
    sender = chain.sender_institution()
    for event in events:
        if event.institution == sender and event.root not in ours:
            found.append(
                Difference(
                    "anchor-foreign",
                    Text(
                        f"체인의 {event.sequence}번 기록은 이 데이터베이스에 없습니다",
                        f"Anchor {event.sequence} on the chain is not in this database",
                    ),
                    _FOREIGN,
                )
            )
    found += _sequence(events, chain)
    for batch in batches:
        if batch.state not in ("mined", "final") or batch.root is None:
            continue
        transaction = mined.get(batch.id)
        anchored = by_root.get(batch.root)
        if transaction is None or anchored is None:
            found.append(
                Difference(
                    "anchor-missing",
                    Text(
                        f"묶음 {batch.id}의 루트가 체인에 없습니다",
                        f"The root of batch {batch.id} is not on the chain",
                    ),
                    Text(
                        "다른 체인에 연결된 것이 아닌지 확인해 주세요",
                        "Make sure this is the chain the batch was anchored on",
                    ),
                    batch.id,
                )
            )
            continue
        stored = (
            transaction.hash,
            transaction.block_number,
            transaction.block_hash,
            transaction.sequence,
            transaction.head,
        )
        seen = (
            anchored.transaction,
            anchored.block_number,
            chain.block_hash(anchored.block_number),
            anchored.sequence,
            "0x" + anchored.head.hex(),
        )
        for name, mine, theirs in zip(
            ("transaction", "block number", "block hash", "sequence", "head"),
            stored,
            seen,
            strict=True,
        ):
            if mine != theirs:
                found.append(
                    Difference(
                        "receipt-differs",
                        Text(
                            f"묶음 {batch.id}의 {name}이(가) 체인과 다릅니다: {mine} ≠ {theirs}",
                            f"Batch {batch.id}: {name} is {mine} here and {theirs} on the chain",
                        ),
                        _RESTORE,
                        batch.id,
                    )
                )
    return found


def _sequence(events: list[AnchorEvent], chain: AnchorHistory) -> list[Difference]:
    """Sequence numbers without a gap and heads that chain from the first event to the last."""
    found: list[Difference] = []
    head = chain.first_head()
    for number, event in enumerate(events, start=1):
        head = next_head(head, event.root, event.institution, number)
        if event.sequence != number or event.head != head:
            found.append(
                Difference(
                    "sequence-broken",
                    Text(
                        f"체인의 {number}번째 기록이 앞 기록과 이어지지 않습니다",
                        f"Anchor {number} on the chain does not follow from the one before",
                    ),
                    Text(
                        "다른 노드에 물어 같은지 확인해 주세요",
                        "Ask another node whether it agrees",
                    ),
                )
            )
            break
    sequence, stored_head = chain.anchor_state()
    if sequence != len(events) or stored_head != head:
        found.append(
            Difference(
                "sequence-gap",
                Text(
                    f"계약은 {sequence}건을 세었지만 기록은 {len(events)}건입니다",
                    f"The contract counted {sequence} anchors but {len(events)} events were found",
                ),
                Text(
                    "노드가 모든 기록을 주는지 확인해 주세요",
                    "Make sure the node returns every event",
                ),
            )
        )
    return found
