"""What the database says about anchors, against what the chain says.

Every event of the contract is read: the numbers must follow each other, the heads must chain, what
this sender anchored must be known here once, and every receipt must be what the chain holds now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from credential.text import Text
from ledger.chain.gateway import AnchorEvent, AnchorReceipt
from ledger.chain.names import next_head
from ledger.database.models import Batch, ChainTransaction
from ledger.difference import RESTORE, Difference

_FOREIGN = Text(
    "이 계정을 다른 프로그램이 쓰는지, 백업에서 되돌린 데이터베이스인지 확인해 주세요",
    "Find out whether another program uses this account, or an old backup was restored",
)
_ASK_ANOTHER = Text("다른 노드에 물어 같은지 확인해 주세요", "Ask another node whether it agrees")
_SAME_CHAIN = Text(
    "묶음을 기록한 체인의 노드인지, 따라잡은 노드인지 확인해 주세요. 맞다면 재편성으로 사라진 "
    "것이니 baeum anchor를 실행하면 같은 거래를 다시 보냅니다",
    "Make sure this node is on the chain the batch was anchored on and has caught up; if so, a "
    "reorganisation took it away: run baeum anchor, which sends the same transaction again",
)
_ONCE = Text(
    "증명은 그대로 유효합니다. 같은 키로 두 곳에서 기록하지 않는지 확인해 주세요",
    "The credentials stay good; make sure that no other installation anchors with the same key",
)


class AnchorHistory(Protocol):
    """What the comparison asks of a chain."""

    def anchors(self, first_block: int) -> list[AnchorEvent]: ...
    def receipt(self, transaction: str) -> AnchorReceipt | None: ...
    def block_hash(self, number: int) -> str | None: ...
    def first_block(self) -> int: ...
    def anchor_state(self) -> tuple[int, bytes]: ...
    def first_head(self) -> bytes: ...
    def sender_institution(self) -> bytes: ...


def compare_anchors(
    chain: AnchorHistory, batches: Sequence[Batch], mined: dict[int, ChainTransaction]
) -> Iterator[Difference]:
    """``mined``: the transaction of each batch that is in a block, by batch. Raises the chain's
    errors."""
    events = chain.anchors(chain.first_block())
    yield from _own(events, chain.sender_institution(), batches)
    yield from _sequence(events, chain)
    by_root: dict[bytes, list[AnchorEvent]] = {}
    for event in events:
        by_root.setdefault(event.root, []).append(event)
    for batch in batches:
        if batch.state in ("mined", "final") and batch.root is not None:
            yield from _receipt(chain, batch, mined.get(batch.id), by_root.get(batch.root, []))


def _own(
    events: list[AnchorEvent], sender: bytes, batches: Sequence[Batch]
) -> Iterator[Difference]:
    """What this sender anchored is a batch of this database, anchored once."""
    ours = {batch.root: batch for batch in batches if batch.root is not None}
    times = Counter(event.root for event in events if event.institution == sender)
    for event in events:
        if event.institution == sender and event.root not in ours:
            yield Difference(
                "anchor-foreign",
                Text(
                    f"체인의 {event.sequence}번 기록은 이 데이터베이스에 없습니다",
                    f"Anchor {event.sequence} on the chain is not in this database",
                ),
                _FOREIGN,
            )
    for root, count in times.items():
        if count > 1 and root in ours:
            yield Difference(
                "anchored-twice",
                Text(
                    f"묶음 {ours[root].id}이(가) {count}번 기록되었습니다",
                    f"Batch {ours[root].id} was anchored {count} times",
                ),
                _ONCE,
                ours[root].id,
            )
        elif root in ours and ours[root].state == "open":
            yield Difference(
                "batch-altered",
                Text(
                    f"묶음 {ours[root].id}은(는) 체인에 있는데 열린 상태로 적혀 있습니다",
                    f"Batch {ours[root].id} is on the chain but stored as open",
                ),
                RESTORE,
                ours[root].id,
            )


def _receipt(
    chain: AnchorHistory,
    batch: Batch,
    stored: ChainTransaction | None,
    anchored: list[AnchorEvent],
) -> Iterator[Difference]:
    """Every member of a receipt that is not in the tree, against the chain."""
    if stored is None:
        yield Difference(
            "receipt-missing",
            Text(
                f"묶음 {batch.id}을(를) 기록한 거래가 데이터베이스에 없습니다",
                f"The transaction that anchored batch {batch.id} is not in the database",
            ),
            RESTORE,
            batch.id,
        )
        return
    if not anchored:
        yield Difference(
            "anchor-missing",
            Text(
                f"묶음 {batch.id}의 루트가 체인에 없습니다",
                f"The root of batch {batch.id} is not on the chain",
            ),
            _SAME_CHAIN,
            batch.id,
        )
        return
    event = next((e for e in anchored if e.transaction == stored.hash), anchored[0])
    found = chain.receipt(event.transaction)
    compared = (
        ("transaction", stored.hash, event.transaction),
        ("block number", stored.block_number, event.block_number),
        ("block hash", stored.block_hash, chain.block_hash(event.block_number)),
        ("block time", stored.block_time, found and found.block_time),
        ("gas used", stored.gas_used, found and found.gas_used),
        ("sequence", stored.sequence, event.sequence),
        ("head", stored.head, "0x" + event.head.hex()),
    )
    for name, mine, theirs in compared:
        if mine != theirs:
            yield Difference(
                "receipt-differs",
                Text(
                    f"묶음 {batch.id}의 {name}이(가) 체인과 다릅니다: {mine} ≠ {theirs}",
                    f"Batch {batch.id}: {name} is {mine} here and {theirs} on the chain",
                ),
                RESTORE,
                batch.id,
            )


def _sequence(events: list[AnchorEvent], chain: AnchorHistory) -> Iterator[Difference]:
    """Sequence numbers without a gap and heads that chain from the first event to the last."""
    head = chain.first_head()
    for number, event in enumerate(events, start=1):
        head = next_head(head, event.root, event.institution, number)
        if event.sequence != number or event.head != head:
            yield Difference(
                "sequence-broken",
                Text(
                    f"체인의 {number}번째 기록이 앞 기록과 이어지지 않습니다",
                    f"Anchor {number} on the chain does not follow from the one before",
                ),
                _ASK_ANOTHER,
            )
            break
    sequence, stored_head = chain.anchor_state()
    if sequence != len(events) or stored_head != head:
        yield Difference(
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
